import json

import pytest

from farm_ray import file_utils
from farm_ray.errors import DataProblemError


def test_names_of_addresses():
    assert file_utils.url_to_filename("https://a/b") == file_utils.url_to_filename("https://a/b")
    assert file_utils.url_to_filename("https://a/b", "v1").count(".") == 1
    assert len(file_utils.url_to_filename("https://a/b")) == 64


def test_addresses_of_names(tmp_path):
    (tmp_path / "name").write_text("x")
    with pytest.raises(FileNotFoundError, match=r"name\.json"):
        file_utils.filename_to_url("name", tmp_path)
    (tmp_path / "name.json").write_text(json.dumps({"url": "https://a/b", "etag": "v1"}))
    assert file_utils.filename_to_url("name", tmp_path) == ("https://a/b", "v1")


def test_buckets_and_keys():
    assert file_utils.split_s3_path("s3://bucket/a/b.tsv") == ("bucket", "a/b.tsv")
    for wrong in ("s3://bucket", "https://a/b", "bucket/key"):
        with pytest.raises(ValueError, match="no address such as s3://bucket/key"):
            file_utils.split_s3_path(wrong)


def test_folders_of_names(tmp_path, monkeypatch):
    known = {"bert": "s3://models/bert"}
    (tmp_path / file_utils.url_to_filename(known["bert"])).mkdir()
    assert file_utils.load_from_cache("bert", known, tmp_path).startswith(str(tmp_path))
    assert file_utils.load_from_cache(str(tmp_path), known) == str(tmp_path)
    with pytest.raises(DataProblemError, match='"none" is no folder, and none of bert'):
        file_utils.load_from_cache("none", known)


def test_small_helpers(tmp_path):
    (tmp_path / "names.txt").write_text("b\na\nb\n")
    assert file_utils.read_set_from_file(tmp_path / "names.txt") == {"a", "b"}
    assert file_utils.get_file_extension("a.TAR.GZ") == ".gz"
    assert file_utils.get_file_extension("a.GZ", dot=False, lower=False) == "GZ"
