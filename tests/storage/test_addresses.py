"""Names of files and what a message may show of them."""

from pathlib import Path

import pytest

from farm_ray.errors import ConfigError
from farm_ray.storage import data_suffix, file_name, join, local_path, redacted
from farm_ray.storage.systems import locate

URI = "s3://KEY:SE%2FCRET@bucket/set/Train.TSV.gz?region=eu-west-1"


def test_no_credentials_in_what_is_shown():
    assert redacted(URI) == "s3://bucket/set/Train.TSV.gz"
    assert redacted("https://me:pass@host:8080/a.tsv?sig=s3cret#x") == "https://host:8080/a.tsv"
    assert redacted("data/why?.tsv") == "data/why?.tsv"


@pytest.mark.parametrize(
    ("uri", "name", "suffix"),
    [(URI, "Train.TSV.gz", ".tsv"), ("a/b.jsonl", "b.jsonl", ".jsonl"), ("train", "train", ""), ("a/x.gz", "x.gz", "")],
)
def test_file_name_and_suffix(uri, name, suffix):
    assert (file_name(uri), data_suffix(uri)) == (name, suffix)


def test_join_keeps_options_of_the_folder():
    assert join("s3://k:s@bucket/set/?region=x", "a.tsv") == "s3://k:s@bucket/set/a.tsv?region=x"
    assert join("data", "a.tsv") == "data/a.tsv"
    assert join(None, "a.tsv") == "a.tsv"
    assert join("s3://bucket/set", "/tmp/a.tsv") == "/tmp/a.tsv"
    assert join("data", "https://host/a.tsv") == "https://host/a.tsv"


def test_a_secret_key_with_a_slash_is_hidden_too():
    assert redacted("s3://key:se/cr+et@bucket/set/a.tsv") == "s3://bucket/set/a.tsv"
    assert redacted("http://host:80/a@b.tsv") == "http://host:80/a@b.tsv"
    with pytest.raises(ConfigError, match=r"^s3://bucket/a\.tsv: write %2F for a / in the secret key"):
        locate("s3://key:se/cret@bucket/a.tsv")


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ("~/run", "/home/me/run"),
        ("~", "/home/me"),
        (Path("~/run"), "/home/me/run"),
        ("~nobody-has-this-name/run", "~nobody-has-this-name/run"),
        ("~$draft.csv", "~$draft.csv"),
        ("a/~/b", "a/~/b"),
        ("file:///a%20b", "/a b"),
        ("/x", "/x"),
    ],
)
def test_the_home_folder(monkeypatch, given, path):
    monkeypatch.setenv("HOME", "/home/me")
    assert str(local_path(given)) == path


def test_a_name_that_begins_with_a_tilde_is_in_its_folder(monkeypatch):
    monkeypatch.setenv("HOME", "/home/me")
    assert join("data", "~$draft.csv") == "data/~$draft.csv"
    assert join("data", "~/draft.csv") == "~/draft.csv"
