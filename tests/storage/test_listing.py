"""Files, folders and patterns, on disk and in an object store."""

import os

import pytest

from farm_ray.errors import ConfigError, DataProblemError
from farm_ray.storage import exists, file_names, list_files, open_binary
from tests.raised import raised

FILES = ("b.tsv", "a.tsv.gz", "notes.md", ".hidden.tsv", "_SUCCESS", "deep/c.tsv", "deep/er/d.tsv")


@pytest.fixture
def folder(tmp_path):
    for name in FILES:
        path = tmp_path / "set" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    return tmp_path / "set"


def names(files, base):
    return [file.removeprefix(f"{base}/") for file in files]


CASES = [
    ("", ["a.tsv.gz", "b.tsv"]),
    ("/b.tsv", ["b.tsv"]),
    ("/*.tsv", ["b.tsv"]),
    ("/?.tsv*", ["a.tsv.gz", "b.tsv"]),
    ("/*/*.tsv", ["deep/c.tsv"]),
    ("/**/*.tsv", ["b.tsv", "deep/c.tsv", "deep/er/d.tsv"]),
    ("/[a-c].tsv", ["b.tsv"]),
]


@pytest.mark.parametrize(("path", "expected"), CASES)
def test_local(folder, path, expected):
    assert names(list_files(f"{folder}{path}"), folder) == expected
    assert list_files(f"file://{folder}{path}") == list_files(f"{folder}{path}")


@pytest.mark.parametrize(("path", "expected"), [case for case in CASES if "?" not in case[0]])
def test_object_store(bucket, path, expected):
    for name in FILES:
        bucket(f"set/{name}", b"x")
    assert names(list_files(f"s3://data/set{path}"), "s3://data/set") == expected


def test_options_of_an_address_stay_with_its_files(bucket):
    bucket("set/a b.tsv", b"x")
    assert list_files("s3://k:s@data/set/?region=eu-west-1") == ["s3://k:s@data/set/a b.tsv?region=eu-west-1"]


def test_given_suffixes_narrow_a_pattern(folder):
    assert names(list_files(f"{folder}/*", suffixes=[".md"]), folder) == ["notes.md"]


def test_a_file_with_brackets_in_its_name_is_that_file(tmp_path):
    (tmp_path / "a[1].tsv").touch()
    assert list_files(tmp_path / "a[1].tsv") == [str(tmp_path / "a[1].tsv")]


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/c.tsv", "b.tsv"),
        ("/no/c.tsv", "there is no folder"),
        ("/b.tsv/c.tsv", "/b.tsv is a file; name the folder it is in"),
        ("/*.csv", "no data files"),
        ("/empty", "no data files"),
    ],
)
def test_nothing_there_is_told(folder, path, told):
    (folder / "empty").mkdir()
    with pytest.raises(DataProblemError, match=told) as caught:
        list_files(f"{folder}{path}")
    assert f"{folder}{path}" in str(caught.value)


def test_missing_in_the_object_store_is_told(bucket):
    bucket("set/train.tsv", b"x")
    with pytest.raises(
        DataProblemError, match=r"s3://data/set/trian.tsv: there is no such file; near it are: train.tsv"
    ):
        list_files("s3://data/set/trian.tsv")
    with raised(DataProblemError, "bucket-not-found", file="s3://nowhere/x.tsv"):
        list_files("s3://k:s@nowhere/x.tsv")


def test_unknown_kind_of_address():
    with raised(ConfigError, "unknown-address"):
        list_files("ftp://host/a.tsv")
    with pytest.raises(ConfigError, match='unknown option "regoin"'):
        list_files("s3://data/a.tsv?regoin=x")


def test_exists(folder, bucket, web):
    address, pages = web
    pages["/a.tsv"] = b"x"
    pages["/denied.tsv"] = 403
    bucket("a.tsv", b"x")
    for there in (folder, folder / "b.tsv", "s3://data/a.tsv", f"{address}/a.tsv"):
        assert exists(there)
    for gone in (folder / "z.tsv", "s3://data/z.tsv", "s3://nowhere/z", f"{address}/z.tsv"):
        assert not exists(gone)
    with pytest.raises(DataProblemError, match="access denied"):
        exists(f"{address}/denied.tsv")


def test_names_of_files_right_in_a_folder(folder, bucket):
    bucket("set/b.tsv", b"x")
    bucket("set/deep/c.tsv", b"x")
    assert file_names(folder) == [".hidden.tsv", "_SUCCESS", "a.tsv.gz", "b.tsv", "notes.md"]
    assert file_names("s3://data/set") == ["b.tsv"]
    assert file_names(folder / "nowhere") == file_names("s3://data/nowhere") == []


def test_a_folder_of_parts_without_suffixes(tmp_path):
    for name in ("part_1", "part-00002", "part_3.gz", "part-r-00004", "_SUCCESS", ".part_5.crc", "notes", "part"):
        (tmp_path / name).touch()
    kept = ["part-00002", "part-r-00004", "part_1", "part_3.gz"]
    assert list_files(tmp_path) == [f"{tmp_path}/{name}" for name in kept]
    (tmp_path / "train.tsv").touch()
    assert list_files(tmp_path) == [f"{tmp_path}/train.tsv"]


@pytest.mark.parametrize(
    ("path", "told"),
    [("/dev/zero", "a device"), ("/dev/null", "a device"), ("/proc/kmsg", "no file on a disk"), ("pipe", "a pipe")],
)
@pytest.mark.parametrize("link", [True, False])
def test_what_is_no_file_on_a_disk_is_refused_before_it_is_opened(tmp_path, path, told, link):
    place = tmp_path / path
    if path == "pipe":
        os.mkfifo(place)
    if link:
        (tmp_path / "link.tsv").symlink_to(place)
        place = tmp_path / "link.tsv"
    for read in (list_files, open_binary):
        with pytest.raises(DataProblemError, match=rf"cannot read .*{place.name}: it is {told}; save what it gives"):
            read(place)
    if link:
        with pytest.raises(DataProblemError, match=told):
            open_binary(list_files(tmp_path)[0])
