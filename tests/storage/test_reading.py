"""Bytes from everywhere, and what a reader is told when they do not come."""

import bz2
import gzip
import socket

import pyarrow as pa
import pytest

from farm_ray.errors import DataProblemError
from farm_ray.storage import change_stamp, file_stamp, file_states, open_binary

TEXT = b"text\tlabel\nhello\tA\n" * 5000
PACKED = {
    "a.tsv": TEXT,
    "a.tsv.gz": gzip.compress(TEXT),
    "a.tsv.bz2": bz2.compress(TEXT),
    "a.tsv.zst": pa.compress(TEXT, codec="zstd", asbytes=True),
    "two.tsv.gz": gzip.compress(TEXT[:1000]) + gzip.compress(TEXT[1000:]),
}


def read(uri, **options):
    with open_binary(uri, **options) as file:
        return file.read()


@pytest.mark.parametrize("name", PACKED)
def test_same_bytes_from_disk_store_and_web(tmp_path, bucket, web, name):
    address, pages = web
    pages[f"/{name}"] = PACKED[name]
    (tmp_path / name).write_bytes(PACKED[name])
    bucket(name, PACKED[name])
    for uri in (tmp_path / name, f"file://{tmp_path}/{name}", f"s3://data/{name}", f"{address}/{name}?sig=1"):
        assert read(uri) == TEXT
    assert read(tmp_path / name, decompress=False) == PACKED[name]


@pytest.mark.parametrize("name", PACKED)
def test_seekable_from_everywhere(tmp_path, bucket, web, name):
    address, pages = web
    pages[f"/{name}"] = PACKED[name]
    (tmp_path / name).write_bytes(PACKED[name])
    bucket(name, PACKED[name])
    for uri in (tmp_path / name, f"s3://data/{name}", f"{address}/{name}"):
        with open_binary(uri, seekable=True) as file:
            file.seek(-8, 2)
            assert file.read() == TEXT[-8:]


@pytest.mark.parametrize("name", [name for name in PACKED if name != "a.tsv"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_truncated_file_is_told_never_read_in_part(tmp_path, name, share):
    packed = PACKED[name]
    (tmp_path / name).write_bytes(packed[: int(len(packed) * share)])
    with pytest.raises(DataProblemError, match=f"{name}: the compressed file breaks off"):
        read(tmp_path / name)


def test_wrong_suffix_is_told(tmp_path):
    (tmp_path / "a.tsv.gz").write_bytes(TEXT)
    with pytest.raises(DataProblemError, match=r"a.tsv.gz: it is damaged, or not compressed as its suffix says"):
        read(tmp_path / "a.tsv.gz")


def test_missing_and_denied_files(tmp_path):
    (tmp_path / "train.tsv").touch()
    with pytest.raises(DataProblemError, match=r"there is no such file; near it are: train.tsv"):
        read(tmp_path / "trian.tsv")
    with pytest.raises(DataProblemError, match=r"cannot read .*: it is a folder"):
        read(tmp_path)


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


def test_no_server_there(monkeypatch):
    with pytest.raises(DataProblemError, match=r"^cannot read http://127.0.0.1:9/a.tsv: no connection to the server$"):
        read("http://me:pa55@127.0.0.1:9/a.tsv?sig=s3cret")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(
        DataProblemError, match=r"^cannot read s3://data/a.tsv: no answer from the object store"
    ) as caught:
        read("s3://KEY:s3cret@data/a.tsv")
    assert "s3cret" not in str(caught.value)


def test_silent_web_server(monkeypatch):
    monkeypatch.setattr("farm_ray.storage.web.TIMEOUT_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as server, pytest.raises(DataProblemError, match="no answer in time"):
        read(f"http://127.0.0.1:{server.getsockname()[1]}/a.tsv")


def test_stamp_changes_with_the_file(tmp_path, bucket, web):
    address, pages = web
    path = tmp_path / "a.tsv"
    stamps = set()
    for content in (b"one", b"two"):
        path.write_bytes(content)
        bucket("a.tsv", content)
        pages["/plain.tsv"] = content
        stamps |= {file_stamp(path), f"s3 {file_stamp('s3://data/a.tsv')}", f"web {file_stamp(f'{address}/plain.tsv')}"}
    assert len(stamps) == 6
    pages["/a.tsv"] = b"xyz"
    assert file_stamp(f"{address}/a.tsv") == '"abc"-3'
    assert file_stamp(path) == file_stamp(str(path))


def test_size_and_stamp_of_many_files_by_a_look_at_each(tmp_path, bucket, web):
    address, pages = web
    (tmp_path / "a.tsv").write_bytes(b"12")
    bucket("b.tsv", b"123")
    pages["/c.tsv"] = b"1234"
    files = [f"{tmp_path}/a.tsv", "s3://data/b.tsv", f"{address}/c.tsv"] * 10
    states = file_states(files)
    assert [state.size for state in states] == [2, 3, 4] * 10
    assert [state.stamp for state in states[:3]] == [change_stamp(file) for file in files[:3]]
    with pytest.raises(DataProblemError, match="nowhere"):
        file_states([*files, f"{tmp_path}/nowhere.tsv"])
