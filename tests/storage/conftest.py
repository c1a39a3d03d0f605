"""Servers on loopback."""

import http.server
import threading

import pytest

from tests.misbehaving import misbehaving


@pytest.fixture
def web():
    """Address and pages of a web server: `address, pages = web; pages["/a.tsv"] = b"..."`, or a status number."""
    pages: dict[str, bytes | int] = {}

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            page = pages.get(self.path.partition("?")[0], 404)
            status, body = (page, b"") if isinstance(page, int) else (200, page)
            self.send_response(status)
            cut = self.path.startswith("/cut")
            self.send_header("Content-Length", str(len(body) * (2 if cut else 1)))
            if not self.path.startswith("/plain"):
                self.send_header("ETag", '"abc"')
            self.end_headers()
            self.wfile.write(body)
            self.close_connection = True

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", pages
    server.shutdown()
    server.server_close()


@pytest.fixture
def store():
    """An object store and web server that answers as a test wants."""
    with misbehaving() as one:
        one.body = b"some text\n" * 1000
        yield one
