"""Which errors of a store may pass, and what shows that a file has changed."""

import gzip
import os

import pytest
from pyarrow import fs

from farm_ray.errors import DataProblemError
from farm_ray.storage import change_stamp, open_binary
from tests.misbehaving import misbehaving

_ONCE = fs.AwsStandardS3RetryStrategy(max_attempts=1)


@pytest.fixture
def store():
    with misbehaving() as one:
        one.body = b"some text\n" * 1000
        yield one


@pytest.fixture
def one_attempt(monkeypatch):
    """S3 requests are made once, so that nothing waits."""
    monkeypatch.setattr(fs, "AwsStandardS3RetryStrategy", lambda max_attempts: _ONCE)


def read_in_pieces(uri):
    with open_binary(uri) as file:
        yield from iter(lambda: file.read1(1 << 20), b"")


def failure(uri):
    with pytest.raises(DataProblemError, match=r"^cannot read [^ ]*/corpus: ") as caught:
        b"".join(read_in_pieces(uri))
    return caught.value


@pytest.mark.usefixtures("one_attempt")
@pytest.mark.parametrize("kind", ["s3", "web"])
@pytest.mark.parametrize(
    ("behaviour", "transient"),
    [(500, True), (503, True), (429, True), ("drop", True), ("cut", True), (401, False), (403, False), (404, False)],
)
def test_errors_tell_whether_they_may_pass(store, kind, behaviour, transient):
    store.answers = lambda number, method: behaviour if method == "GET" or isinstance(behaviour, int) else None
    error = failure(getattr(store, kind))
    assert error.facts.get("transient", False) is transient, error
    assert "UNKNOWN" not in str(error)


@pytest.mark.usefixtures("one_attempt")
@pytest.mark.parametrize("kind", ["s3", "web"])
def test_a_silent_server_is_given_up(store, kind, monkeypatch):
    monkeypatch.setattr("farm_ray.storage.systems.S3_TIMEOUT_S", 0.2)
    monkeypatch.setattr("farm_ray.storage.web.TIMEOUT_S", 0.2)
    store.answers = lambda number, method: "silent"
    assert failure(getattr(store, kind)).facts["transient"] is True


def test_no_server(monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    assert failure("http://127.0.0.1:9/corpus").facts["transient"] is True


def test_what_does_not_pass(bucket, tmp_path):
    bucket("corpus.gz", gzip.compress(b"some text\n" * 1000)[:50])
    (tmp_path / "corpus").mkdir()
    for uri in ("s3://data/corpus.gz", "s3://data/none", "s3://other/corpus", tmp_path / "corpus", tmp_path / "none"):
        with pytest.raises(DataProblemError) as caught, open_binary(uri) as file:
            file.read()
        assert not caught.value.facts.get("transient")


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
