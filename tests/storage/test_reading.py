"""Bytes from everywhere, and what a reader is told when they do not come."""

import bz2
import gzip
import os

import pyarrow as pa
import pytest

from farm_ray.errors import DataProblemError
from farm_ray.storage import change_stamp, file_stamp, file_states, open_binary
from tests.raised import raised

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
    with raised(DataProblemError, "file-not-found", file="nowhere.tsv"):
        file_states([*files, f"{tmp_path}/nowhere.tsv"])


def test_a_change_of_a_local_file_is_seen(tmp_path):
    path = tmp_path / "corpus"
    path.write_bytes(b"one")
    stamps = {change_stamp(path)}
    path.write_bytes(b"two")
    os.utime(path, ns=(1, 1))
    stamps.add(change_stamp(str(path)))
    assert len(stamps) == 2


@pytest.mark.parametrize("kind", ["s3", "web"])
def test_a_change_of_an_object_is_seen_by_one_request(store, kind):
    uri = getattr(store, kind)
    stamp = change_stamp(uri)
    assert (store.etag in stamp, len(store.requests)) == (True, 1)
    store.etag = '"two"'
    other = change_stamp(uri)
    store.body += b"x"
    assert len({stamp, other, change_stamp(uri)}) == 3


def test_stamps_of_the_object_store(bucket):
    bucket("corpus", b"one")
    stamp = change_stamp("s3://data/corpus")
    assert stamp == change_stamp("s3://data/corpus")
    bucket("corpus", b"two")
    assert stamp != change_stamp("s3://data/corpus")


def test_no_stamp_of_what_is_not_there(bucket, tmp_path):
    for uri in (tmp_path / "none", "s3://data/none", "s3://other/none"):
        with pytest.raises(DataProblemError, match="there is no such"):
            change_stamp(uri)
