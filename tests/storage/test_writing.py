"""Outputs appear whole or not at all."""

import errno
import io
import re
import subprocess
import sys
from pathlib import Path

import pytest

from farm_ray import storage
from farm_ray.artifacts import publish_folder
from farm_ray.errors import ConfigError
from farm_ray.storage import check_folder, exists, list_files, open_binary, open_output, remove
from tests.raised import raised


@pytest.mark.parametrize("suffix", ["", ".gz", ".bz2", ".zst"])
@pytest.mark.parametrize("place", ["disk", "store"])
def test_written_and_read_back(tmp_path, bucket, suffix, place):
    uri = {"disk": f"{tmp_path}/new/folder/out.jsonl{suffix}", "store": f"s3://data/out/o.jsonl{suffix}"}[place]
    with open_output(uri) as file:
        file.write(b"one\n")
        file.write(b"two\n")
        assert not exists(uri)
    with open_binary(uri) as file:
        assert file.read() == b"one\ntwo\n"
    with open_binary(uri, decompress=False) as file:
        assert (file.read() == b"one\ntwo\n") == (suffix == "")
    if place == "disk":
        assert [path.name for path in (tmp_path / "new/folder").iterdir()] == [f"out.jsonl{suffix}"]


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_text_can_be_written_through_it(tmp_path, suffix):
    with open_output(tmp_path / f"o.txt{suffix}") as file, io.TextIOWrapper(file, "utf-8") as text:
        text.write("ü\n")
    with open_binary(tmp_path / f"o.txt{suffix}") as file:
        assert file.read() == "ü\n".encode()


@pytest.mark.parametrize("place", ["disk", "store"])
def test_a_failure_leaves_what_was_there(tmp_path, bucket, place):
    bucket("out.jsonl", b"old")
    (tmp_path / "out.jsonl").write_bytes(b"old")
    uri = {"disk": f"{tmp_path}/out.jsonl", "store": "s3://data/out.jsonl"}[place]
    with pytest.raises(AttributeError), open_output(uri) as file:
        file.write(b"new").no_such_method()
    with open_binary(uri) as file:
        assert file.read() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["out.jsonl"]


def test_places_that_cannot_be_written(tmp_path, bucket):
    (tmp_path / "file").touch()
    for uri, told in {
        str(tmp_path): "it is a folder",
        f"{tmp_path}/new/": "it is a folder",
        f"{tmp_path}/file/out.jsonl": "Not a directory|File exists",
        "/proc/nowhere/out.jsonl": "No such file",
        "https://me:pa55@host/out.jsonl": "^cannot write https://host/out.jsonl: web addresses can only be read",
        "s3://nowhere/out.jsonl": "there is no bucket nowhere",
    }.items():
        with pytest.raises(ConfigError, match=told), open_output(uri):
            pass


def test_a_device_is_written_directly():
    with open_output("/dev/null") as file:
        file.write(b"x")
    assert Path("/dev/null").is_char_device()


def test_a_full_disk_is_told():
    with pytest.raises(ConfigError, match="cannot write /dev/full: No space left"), open_output("/dev/full") as file:
        file.write(b"x" * 100_000)


def test_a_link_keeps_pointing(tmp_path):
    (tmp_path / "real.jsonl").write_bytes(b"old")
    (tmp_path / "link.jsonl").symlink_to("real.jsonl")
    with open_output(tmp_path / "link.jsonl") as file:
        file.write(b"new")
    assert (tmp_path / "link.jsonl").is_symlink()
    assert (tmp_path / "real.jsonl").read_bytes() == b"new"


def test_a_folder_is_tried_and_left_as_it_was(tmp_path, bucket):
    bucket("set/a.tsv", b"x")
    check_folder(tmp_path / "new" / "folder")
    check_folder(f"file://{tmp_path}/new")
    assert list(tmp_path.iterdir()) == []
    for prefix in ("s3://data/set", "s3://data/new/"):
        check_folder(prefix)
    assert list_files("s3://data/*/*") == ["s3://data/set/a.tsv"]


def test_folders_that_cannot_be_written(tmp_path, bucket):
    (tmp_path / "file").touch()
    for uri, told in {
        str(tmp_path / "file"): f"cannot write to {tmp_path}/file: it is a file",
        str(tmp_path / "file" / "deep"): f"cannot write to {tmp_path}/file/deep: ",
        "/proc/nowhere": "cannot write to /proc/nowhere: ",
        "https://me:pa55@host/out": "cannot write https://host/out: web addresses can only be read",
        "s3://nowhere/out": "there is no bucket nowhere",
    }.items():
        with pytest.raises(ConfigError, match=re.escape(told)) as caught:
            check_folder(uri)
        assert "probe" not in str(caught.value)


@pytest.mark.parametrize("place", ["disk", "store"])
def test_a_file_is_removed_where_there_is_one(tmp_path, bucket, place):
    bucket("out.jsonl", b"old")
    (tmp_path / "out.jsonl").write_bytes(b"old")
    uri = {"disk": f"{tmp_path}/out.jsonl", "store": "s3://data/out.jsonl"}[place]
    remove(uri)
    assert not exists(uri)
    remove(uri)


def test_a_file_that_cannot_be_removed_is_told(tmp_path):
    (tmp_path / "folder" / "deep").mkdir(parents=True)
    with raised(ConfigError, "cannot-write", file=f"{tmp_path}/folder"):
        remove(tmp_path / "folder")


def test_what_is_not_whole_yet_may_wait_in_another_folder(tmp_path):
    with open_output(tmp_path / "out.jsonl", aside_in=tmp_path / "parts") as file:
        file.write(b"new")
        assert [path.parent.name for path in tmp_path.rglob("*.jsonl*")] == ["parts"]
    assert (tmp_path / "out.jsonl").read_bytes() == b"new"
    assert list((tmp_path / "parts").iterdir()) == []


@pytest.fixture
def in_rays_copy(tmp_path, monkeypatch):
    """Where a job of `ray job submit --working-dir .` finds itself."""
    folder = tmp_path / "session_1" / "runtime_resources" / "working_dir_files" / "_ray_pkg_0123"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.parametrize(
    "write",
    [
        lambda: storage.open_output("out/x.jsonl").__enter__(),
        lambda: storage.check_folder("out"),
        lambda: publish_folder("out/model", lambda _: None),
        lambda: storage.open_output(Path("out.jsonl").absolute()).__enter__(),
    ],
)
def test_what_ray_removes_after_the_job_is_no_place_to_write_to(in_rays_copy, write):
    with pytest.raises(
        ConfigError, match=r"out.* lies in the copy of the code that Ray made .*; give an absolute path"
    ):
        write()
    assert list(in_rays_copy.iterdir()) == []


LEAVE = """
import os, sys
from farm_ray.storage import open_output
with open_output(sys.argv[1]) as out:
    out.write(b"half")
    out.flush()
    os._exit(9)
"""


def test_the_next_writer_removes_what_a_killed_one_left_and_nothing_of_a_living_one(tmp_path):
    for name in ("a.jsonl", "a.jsonl", "b.jsonl"):
        subprocess.run([sys.executable, "-c", LEAVE, str(tmp_path / name)], check=False)
    with open_output(tmp_path / "a.jsonl") as first:
        first.write(b"first")
        with open_output(tmp_path / "a.jsonl") as second:
            second.write(b"second")
    assert (tmp_path / "a.jsonl").read_bytes() == b"first"
    left = [path.name for path in tmp_path.iterdir() if path.name != "a.jsonl"]
    assert [name.partition(".writing-")[0] for name in left] == [".b.jsonl"]


def test_a_failed_write_leaves_no_folder(tmp_path):
    def write():
        with open_output(tmp_path / "new" / "folder" / "a.jsonl"):
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(ConfigError, match="No space left"):
        write()
    assert list(tmp_path.iterdir()) == []


def test_a_name_as_long_as_a_disk_takes(tmp_path):
    name = "n" * 240 + ".jsonl"
    with open_output(tmp_path / name) as out:
        out.write(b"x")
    assert [path.name for path in tmp_path.iterdir()] == [name]
