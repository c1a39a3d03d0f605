"""What killed writers left is removed, and what living ones write is not."""

import multiprocessing
import os
import signal
import subprocess
import time

import pytest

from farm_ray.artifacts import publish_folder
from farm_ray.leftovers import remove_leftovers


def write(text):
    return lambda folder: (folder / "a.txt").write_text(text)


def publish_slowly(place, started):
    def write(folder):
        (folder / "a.txt").write_text("half")
        started.set()
        time.sleep(60)

    publish_folder(place, write)


@pytest.fixture
def writer(tmp_path):
    """Another process in the middle of writing `tmp_path/model`."""
    context = multiprocessing.get_context("spawn")
    started = context.Event()
    process = context.Process(target=publish_slowly, args=(tmp_path / "model", started))
    process.start()
    assert started.wait(60)
    yield process
    process.kill()
    process.join()


def age(folder, seconds):
    for path in (*folder.rglob("*"), folder):
        os.utime(path, (time.time() - seconds,) * 2)


def test_what_a_killed_writer_left_is_removed_and_what_a_living_one_writes_is_not(tmp_path, writer):
    publish_folder(tmp_path / "other", write("one"))
    remove_leftovers(tmp_path)
    assert len(list(tmp_path.iterdir())) == 2
    os.kill(writer.pid, signal.SIGKILL)
    writer.join()
    remove_leftovers(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["other"]


def test_a_writer_that_cannot_be_seen_is_dead_when_nothing_changed_for_an_hour(tmp_path):
    """Its process id means nothing here, though no process has it."""
    gone = subprocess.Popen(["true"])
    gone.wait()
    left = tmp_path / f".model.writing-01234567-{gone.pid}-89abcdef"
    left.mkdir()
    (left / "a.txt").write_text("half")
    remove_leftovers(tmp_path)
    age(left, 3000)
    remove_leftovers(tmp_path)
    age(left, 4000)
    (left / "a.txt").touch()
    remove_leftovers(tmp_path)
    assert left.exists()
    age(left, 4000)
    remove_leftovers(tmp_path)
    assert not left.exists()


def test_a_replaced_folder_goes_when_its_replacement_is_there(tmp_path):
    left = tmp_path / ".model.replaced-01234567"
    left.mkdir()
    remove_leftovers(tmp_path)
    assert left.exists()
    (tmp_path / "model").mkdir()
    remove_leftovers(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_folders_of_other_names_and_folders_that_are_not_there(tmp_path):
    for name in (".model", ".model.writing", "model.writing-01234567-1-89abcdef", ".git"):
        (tmp_path / name).mkdir()
        age(tmp_path / name, 90_000)
    remove_leftovers(tmp_path)
    assert len(list(tmp_path.iterdir())) == 4
    remove_leftovers(tmp_path / "nowhere")


def test_the_next_writer_removes_what_a_killed_one_left(tmp_path, writer):
    os.kill(writer.pid, signal.SIGKILL)
    writer.join()
    publish_folder(tmp_path / "other", write("one"))
    assert len(list(tmp_path.iterdir())) == 2
    publish_folder(tmp_path / "model", write("one"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model", "other"]
