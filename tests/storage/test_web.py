"""Files behind http://: what a server that refuses, breaks off or is silent means."""

import socket

import pytest

from farm_ray.errors import DataProblemError
from farm_ray.storage import open_binary

TEXT = b"text\tlabel\nhello\tA\n" * 5000


def read(uri, **options):
    with open_binary(uri, **options) as file:
        return file.read()


@pytest.mark.parametrize(
    ("page", "told"),
    [(403, "access denied"), (404, "there is no such file"), (500, "the server refused")],
)
def test_web_refusals_name_the_address_without_credentials(web, page, told):
    address, pages = web
    pages["/a.tsv"] = page
    with_account = address.replace("//", "//me:pa55@")
    with pytest.raises(DataProblemError, match=rf"^cannot read {address}/a.tsv: {told}.* \(HTTP {page}\)$"):
        read(f"{with_account}/a.tsv?sig=s3cret")


def test_web_page_that_breaks_off(web):
    address, pages = web
    pages["/cut.tsv"] = TEXT
    with pytest.raises(DataProblemError, match=r"/cut.tsv: the connection broke off"):
        read(f"{address}/cut.tsv")


def test_silent_web_server(monkeypatch):
    monkeypatch.setattr("farm_ray.storage.web.TIMEOUT_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as server, pytest.raises(DataProblemError, match="no answer in time"):
        read(f"http://127.0.0.1:{server.getsockname()[1]}/a.tsv")
