"""A server of one object, for S3 and for the web, that misbehaves as it is told."""

import contextlib
import http.server
import os
import socket
import threading
from dataclasses import dataclass, field
from unittest import mock


@dataclass
class Store:
    """What the server holds and how it answers: `answers(number of the request from 1, method)` gives a behaviour.

    None answers well, a number is an HTTP status, "silent" does not answer, "drop" closes, "cut" breaks off in the
    middle.
    """

    body: bytes = b""
    etag: str = '"one"'
    answers: object = staticmethod(lambda number, method: None)
    requests: list = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)
    port: int = 0

    @property
    def s3(self):
        return "s3://data/corpus"

    @property
    def web(self):
        return f"http://127.0.0.1:{self.port}/data/corpus"


@contextlib.contextmanager
def misbehaving():
    """A `Store` and, while it is open, the environment that makes s3:// mean it."""
    store = Store()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self):
            self.do_GET()

        def do_GET(self):
            store.requests.append(self.command)
            behaviour = store.answers(len(store.requests), self.command)
            if behaviour == "silent":
                store.over.wait(30)
            if behaviour in {"silent", "drop"}:
                self.close_connection = True
                return
            if isinstance(behaviour, int):
                self.answer(behaviour, b"")
                return
            first, _, last = (self.headers.get("Range") or "").removeprefix("bytes=").partition("-")
            part = store.body[int(first or 0) : int(last) + 1 if last else None]
            self.answer(206 if first else 200, part, cut=behaviour == "cut")

        def answer(self, status, content, *, cut=False):
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("ETag", store.etag)
            self.send_header("Last-Modified", "Wed, 21 Oct 2015 07:28:00 GMT")
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(content[: len(content) // 2] if cut else content)
            if cut:
                self.close_connection = True
                self.wfile.flush()
                self.connection.shutdown(socket.SHUT_RDWR)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.handle_error = lambda *_: None
    store.port = server.server_port
    environment = {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{store.port}",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
    }
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    with mock.patch.dict(os.environ, environment):
        yield store
    store.over.set()
    server.shutdown()
    server.server_close()
