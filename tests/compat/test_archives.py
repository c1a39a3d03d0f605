"""Archives arrive whole or not at all, and nothing in them leads out of the folder."""

import hashlib
import io
import tarfile
import zipfile

import pytest

from farm_ray.errors import DataProblemError
from farm_ray.file_utils import fetch_archive_from_http, http_get
from tests.storage.conftest import web

__all__ = ["web"]

FILES = {"train.tsv": b"text\tlabel\n", "more/dev.tsv": b"x"}


def short(value):
    """An id of a test; archives differ from process to process."""
    return "archive" if isinstance(value, bytes) else str(value)


def tar_of(files, mode="w:gz", **kind):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode=mode) as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            for field, value in kind.items():
                setattr(info, field, value)
            tar.addfile(info, io.BytesIO(content))
    return packed.getvalue()


def zip_of(files):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()


@pytest.mark.parametrize(
    ("name", "archive"), [("/a.tar.gz", tar_of(FILES)), ("/a.zip", zip_of(FILES)), ("/a.tar.xz", tar_of(FILES, "w:xz"))]
)
def test_what_is_in_it_is_there(web, tmp_path, name, archive):
    address, pages = web
    pages[name] = archive
    md5 = hashlib.md5(archive).hexdigest()
    assert fetch_archive_from_http(address + name, tmp_path / "new" / "gnad", md5=md5) is True
    assert {
        str(file.relative_to(tmp_path / "new" / "gnad")): file.read_bytes()
        for file in (tmp_path / "new").rglob("*.tsv")
    } == FILES
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["gnad"]


def test_a_folder_that_holds_something_stays(web, tmp_path):
    address, _ = web
    (tmp_path / "mine.tsv").write_text("x")
    assert fetch_archive_from_http(f"{address}/none.zip", tmp_path) is False


@pytest.mark.parametrize(
    ("name", "archive", "told"),
    [
        ("/a.tar.gz", tar_of({"../evil": b"x"}), "cannot unpack .*outside"),
        ("/a.tar.gz", tar_of({"/etc/evil": b"x", "../../evil": b""}), "cannot unpack"),
        ("/a.tar.gz", tar_of({"link": b""}, type=tarfile.SYMTYPE, linkname="/etc/passwd"), "cannot unpack"),
        ("/a.tar.gz", tar_of({"device": b""}, type=tarfile.CHRTYPE), "cannot unpack"),
        ("/a.zip", zip_of({"../evil": b"x"}), 'the name "../evil" leads out of the folder'),
        ("/a.zip", zip_of({"a\\..\\..\\evil": b"x"}), "leads out of the folder"),
        ("/a.zip", b"no archive", "cannot unpack .*not a zip file"),
        ("/a.tar.gz", tar_of(FILES)[:60], "cannot unpack"),
        ("/a.rar", b"Rar!", r"it ends in none of \.zip, \.tar\.gz"),
        ("/a.zip", 404, "there is no such file"),
    ],
    ids=short,
)
def test_nothing_is_left_of_an_archive_that_is_refused(web, tmp_path, name, archive, told):
    address, pages = web
    pages[name] = archive
    with pytest.raises(DataProblemError, match=told):
        fetch_archive_from_http(address + name, tmp_path / "data" / "gnad")
    assert [path.name for path in tmp_path.rglob("*")] == ["data"]


def test_another_checksum(web, tmp_path):
    address, pages = web
    pages["/a.zip"] = zip_of(FILES)
    with pytest.raises(DataProblemError, match=r"has the MD5 checksum .*, not 0000: it was damaged on its way"):
        fetch_archive_from_http(f"{address}/a.zip?token=secret", tmp_path / "gnad", md5="0000")


def test_a_file_that_is_open(web, tmp_path):
    address, pages = web
    pages["/a.bin"] = b"\0\1" * 1000
    with (tmp_path / "a").open("wb") as file:
        http_get(f"{address}/a.bin", file)
    assert (tmp_path / "a").read_bytes() == pages["/a.bin"]
