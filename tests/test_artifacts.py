"""Atomic folders."""

import json
import os
import threading

import pytest

from farm_ray.artifacts import CHECKSUMS, publish_folder, verify_folder
from farm_ray.errors import ConfigError, ModelFolderError
from tests.raised import raised


def write(text):
    return lambda folder: (folder / "a.txt").write_text(text)


def test_publish_replaces_in_one_step(tmp_path):
    place = publish_folder(tmp_path / "deep" / "model", write("one"))
    publish_folder(place, write("two"))
    assert (place / "a.txt").read_text() == "two"
    assert list(json.loads((place / CHECKSUMS).read_text())) == ["a.txt"]
    assert [path.name for path in place.parent.iterdir()] == ["model"]


def test_what_a_link_leads_to_is_replaced(tmp_path):
    publish_folder(tmp_path / "disk" / "model", write("one"))
    (tmp_path / "link").symlink_to(tmp_path / "disk" / "model")
    assert publish_folder(tmp_path / "link", write("two")) == tmp_path / "link"
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "disk" / "model" / "a.txt").read_text() == "two"
    assert sorted(path.name for folder in (tmp_path, tmp_path / "disk") for path in folder.iterdir()) == [
        *("disk", "link", "model"),
    ]


def test_a_file_is_not_replaced_by_a_folder(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(ConfigError, match="it is a file; give another folder"):
        publish_folder(tmp_path / "file", write("one"))
    assert (tmp_path / "file").read_text() == "x"


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), ValueError("bug"), KeyboardInterrupt()])
def test_a_failed_write_leaves_what_was_there(tmp_path, error):
    place = publish_folder(tmp_path / "model", write("one"))

    def fail(folder):
        (folder / "a.txt").write_text("half")
        raise error

    with pytest.raises(ConfigError if isinstance(error, OSError) else type(error)) as told:
        publish_folder(place, fail)
    if isinstance(error, OSError):
        assert "No space left" in str(told.value)
    assert (place / "a.txt").read_text() == "one"
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_damage_is_found(tmp_path):
    place = publish_folder(tmp_path / "model", write("one"))
    verify_folder(place, full=True)
    (place / "a.txt").write_text("oNe")
    verify_folder(place)
    with raised(ModelFolderError, "damaged-folder", file="a.txt"):
        verify_folder(place, full=True)
    (place / "a.txt").write_text("longer")
    with raised(ModelFolderError, "damaged-folder", file="a.txt"):
        verify_folder(place)
    (place / "a.txt").unlink()
    with raised(ModelFolderError, "incomplete-folder", file="a.txt"):
        verify_folder(place)


@pytest.mark.parametrize(
    ("listed", "told"),
    [('{"../x": [1, ""]}', "outside of"), ('{"/etc/hostname": [1, ""]}', "outside of"), ("[]", "is damaged")],
)
def test_a_list_of_checksums_cannot_reach_out_of_the_folder(tmp_path, listed, told):
    (tmp_path / "folder").mkdir()
    (tmp_path / "x").write_text("1")
    (tmp_path / "folder" / "checksums.json").write_text(listed)
    with pytest.raises(ModelFolderError, match=told):
        verify_folder(tmp_path / "folder", full=True)


def test_several_may_publish_the_same_folder_at_once(tmp_path):
    meet, failures = threading.Barrier(4), []

    def publish(number):
        for turn in range(25):
            meet.wait()
            try:
                publish_folder(tmp_path / f"model-{turn}", write(str(number)))
            except Exception as error:
                failures.append(error)

    threads = [threading.Thread(target=publish, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(f"model-{turn}" for turn in range(25))
    for path in tmp_path.iterdir():
        verify_folder(path, full=True)


def test_overwriting_can_be_refused(tmp_path):
    place = publish_folder(tmp_path / "model", write("one"))
    with raised(ConfigError, "already-exists"):
        publish_folder(place, write("two"), overwrite=False)


def test_what_is_wrong_with_a_full_disk_is_told_whoever_finds_out(tmp_path, monkeypatch):
    """torch, safetensors and tokenizers have errors of their own."""
    torch_says = "[enforce fail at inline_container.cc:626] . unexpected pos 64 vs 0"
    monkeypatch.setattr(os, "statvfs", lambda _: os.statvfs_result((4096, 4096, 100, 0, 0, 9, 9, 9, 0, 255)))
    for error in (
        RuntimeError(torch_says),
        RuntimeError("PytorchStreamWriter failed writing file data/3: file write failed"),
        Exception("No space left on device (os error 28)"),
        OSError(122, "Disk quota exceeded"),
    ):
        with pytest.raises(ConfigError, match=r"(No space left on device|Disk quota exceeded); nothing was written"):
            publish_folder(tmp_path / "new" / "model", lambda _, error=error: (_ for _ in ()).throw(error))
        assert list(tmp_path.iterdir()) == []
    with pytest.raises(RuntimeError, match="a bug"):
        publish_folder(tmp_path / "model", lambda _: (_ for _ in ()).throw(RuntimeError("a bug")))
