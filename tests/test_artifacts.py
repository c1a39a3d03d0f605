"""Folders that are whole or not there."""

import json
import threading

import pytest

from farm_ray.artifacts import CHECKSUMS, check_writable, publish_folder, verify_folder
from farm_ray.errors import CheckpointError, ConfigError, ModelFolderError


def write(text):
    return lambda folder: (folder / "a.txt").write_text(text)


def test_publish_replaces_in_one_step(tmp_path):
    place = publish_folder(tmp_path / "deep" / "model", write("one"))
    publish_folder(place, write("two"))
    assert (place / "a.txt").read_text() == "two"
    assert list(json.loads((place / CHECKSUMS).read_text())) == ["a.txt"]
    assert [path.name for path in place.parent.iterdir()] == ["model"]


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
    with pytest.raises(CheckpointError, match=r"a\.txt differs"):
        verify_folder(place, full=True, error=CheckpointError)
    (place / "a.txt").write_text("longer")
    with pytest.raises(ModelFolderError, match=r"a\.txt differs"):
        verify_folder(place)
    (place / "a.txt").unlink()
    with pytest.raises(ModelFolderError, match=r"a\.txt is missing"):
        verify_folder(place)


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
    with pytest.raises(ConfigError, match="exists already"):
        publish_folder(place, write("two"), overwrite=False)


def test_unwritable_folder(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot write to"):
        check_writable(tmp_path / "file" / "sub")
