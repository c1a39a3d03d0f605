"""Folders there and back, on a disk and in an object store, also one that fails now and then."""

import pytest

from farm_ray import storage
from farm_ray.errors import ConfigError, DataProblemError
from farm_ray.storage import folders, patience
from tests.raised import raised


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch):
    monkeypatch.setattr(patience, "FIRST_PAUSE_S", 0.001)


@pytest.fixture(params=["disk", "s3"])
def place(request, tmp_path):
    """Where a folder is to be put."""
    if request.param == "disk":
        (tmp_path / "there").mkdir()
        return str(tmp_path / "there")
    request.getfixturevalue("bucket")
    return "s3://data/there"


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "here"
    made.mkdir()
    for name, content in {"a.txt": b"one", "b.bin": bytes(range(256)) * 99, "sums": b"{}"}.items():
        (made / name).write_bytes(content)
    return made


def contents(folder):
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def test_a_folder_in_an_object_store_comes_back_as_it_was(bucket, folder, tmp_path):
    storage.upload_folder(folder, "s3://data/run/one", last=["a.txt"])
    storage.download_folder("s3://data/run/one", tmp_path / "back")
    assert contents(tmp_path / "back") == contents(folder)


def test_folders_are_listed_by_name(place):
    assert storage.folder_names(place) == []
    assert storage.folder_names(place + "/nowhere") == []
    for name in ("x", "y"):
        system, inside = folders.locate(f"{place}/{name}")
        system.create_dir(inside)
        with system.open_output_stream(f"{inside}/file") as file:
            file.write(b"1")
    assert sorted(storage.folder_names(place)) == ["x", "y"]


def test_what_comes_last_and_goes_first(bucket, folder, monkeypatch):
    """A folder that is half there must not look whole."""
    seen = []
    upload = folders._upload
    monkeypatch.setattr(folders, "_upload", lambda file, uri: (seen.append(file.name), upload(file, uri)))
    storage.upload_folder(folder, "s3://data/run/one", last=["a.txt"])
    assert seen == ["b.bin", "sums", "a.txt"]
    storage.remove_folder("s3://data/run/one", first=["a.txt"])
    assert storage.folder_names("s3://data/run") == []
    storage.remove_folder("s3://data/run/one", first=["a.txt"])


def test_a_request_that_fails_is_made_again(bucket, folder, tmp_path, monkeypatch):
    real, calls = folders.locate, []

    def failing(uri):
        calls.append(uri)
        if len(calls) % 3:
            return real(uri)
        raise OSError("When uploading: AWS Error SLOW_DOWN during PutObject operation")

    monkeypatch.setattr(folders, "locate", failing)
    storage.upload_folder(folder, "s3://data/run/one")
    storage.download_folder("s3://data/run/one", tmp_path / "back")
    assert contents(tmp_path / "back") == contents(folder)
    assert len(calls) > 7


def test_what_cannot_be_is_told_at_once(bucket, folder, tmp_path):
    with pytest.raises(ConfigError, match=r"cannot write s3://nobucket/run/a\.txt: there is no such bucket"):
        storage.upload_folder(folder, "s3://nobucket/run")
    with raised(DataProblemError, "no-files-there", file="s3://data/run/none"):
        storage.download_folder("s3://data/run/none", tmp_path / "back")


def test_a_copy_that_breaks_off_is_made_again(bucket, folder, tmp_path, monkeypatch):
    storage.upload_folder(folder, "s3://data/run/one")
    real, cuts = folders.shutil.copyfileobj, []

    def cut(source, target, length):
        if not cuts:
            cuts.append(target.write(source.read(1)))
        else:
            real(source, target, length)

    monkeypatch.setattr(folders.shutil, "copyfileobj", cut)
    storage.download_folder("s3://data/run/one", tmp_path / "back")
    assert contents(tmp_path / "back") == contents(folder)
    assert cuts
