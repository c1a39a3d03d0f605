"""Which errors of a store may pass."""

import gzip

import pytest
from pyarrow import fs

from farm_ray.errors import DataProblemError
from farm_ray.storage import open_binary

_ONCE = fs.AwsStandardS3RetryStrategy(max_attempts=1)


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


def test_what_does_not_pass(bucket, tmp_path):
    bucket("corpus.gz", gzip.compress(b"some text\n" * 1000)[:50])
    (tmp_path / "corpus").mkdir()
    for uri in ("s3://data/corpus.gz", "s3://data/none", "s3://other/corpus", tmp_path / "corpus", tmp_path / "none"):
        with pytest.raises(DataProblemError) as caught, open_binary(uri) as file:
            file.read()
        assert not caught.value.facts.get("transient")


def read(uri, **options):
    with open_binary(uri, **options) as file:
        return file.read()


def test_no_server_there(monkeypatch):
    with pytest.raises(
        DataProblemError, match=r"^cannot read http://127.0.0.1:9/a.tsv: no connection to the server$"
    ) as caught:
        read("http://me:pa55@127.0.0.1:9/a.tsv?sig=s3cret")
    assert caught.value.facts["transient"] is True
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(
        DataProblemError, match=r"^cannot read s3://data/a.tsv: no answer from the object store"
    ) as caught:
        read("s3://KEY:s3cret@data/a.tsv")
    assert "s3cret" not in str(caught.value)
