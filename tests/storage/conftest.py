"""An object store and a web server on loopback."""

import http.server
import threading

import pytest
from moto.server import ThreadedMotoServer
from pyarrow import fs


@pytest.fixture(scope="session")
def moto_port():
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    yield server.get_host_and_port()[1]
    server.stop()


@pytest.fixture
def bucket(moto_port, monkeypatch):
    """A dictionary-like writer into the bucket `data`: `bucket("set/a.tsv", b"...")`."""
    for name, value in {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{moto_port}",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    system, _ = fs.FileSystem.from_uri("s3://data?allow_bucket_creation=true&allow_bucket_deletion=true")
    system.create_dir("data")

    def write(key: str, content: bytes) -> None:
        with system.open_output_stream(f"data/{key}", compression=None) as file:
            file.write(content)

    yield write
    system.delete_dir_contents("data")


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
