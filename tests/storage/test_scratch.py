"""Temporary files: gone with their block or their process, and a full TMPDIR told as such."""

import errno
import os
import subprocess
import sys
import tempfile

import pyarrow as pa
import pytest

from farm_ray import storage
from farm_ray.errors import ConfigError
from farm_ray.parts import Cursor, Parts, Recipe
from farm_ray.storage import scratch
from farm_ray.storage.scratch import is_scratch, scratch_file, scratch_folder
from tests.raised import raised

LEAVE = """
import os
from farm_ray.storage.scratch import scratch_folder
with scratch_folder("checkpoint") as folder:
    (folder / "large").touch()
    os._exit(9)
"""


@pytest.fixture
def tmpdir_of_our_own(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path / "tmp"


@pytest.fixture
def full(tmpdir_of_our_own, monkeypatch):
    """No file in TMPDIR takes a byte."""
    real = tempfile.TemporaryFile

    class Full:
        closed = False

        def __init__(self, file):
            self.file = file

        def write(self, _data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        def __getattr__(self, name):
            return getattr(self.file, name)

    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **options: Full(real(**options)))
    return tmpdir_of_our_own


def test_a_killed_process_leaves_no_folder_for_ever(tmpdir_of_our_own):
    subprocess.run([sys.executable, "-c", LEAVE], check=False)
    assert len(list(tmpdir_of_our_own.iterdir())) == 1
    with scratch_folder("resume"), scratch_folder("checkpoint") as folder:
        assert len(list(tmpdir_of_our_own.iterdir())) == 2
        assert is_scratch(folder / "epoch_0_step_1")
        assert folder.stat().st_mode & 0o077 == 0
    assert list(tmpdir_of_our_own.iterdir()) == []


def test_a_full_tmpdir_is_not_told_as_the_outputs(full, tmp_path):
    with pytest.raises(ConfigError, match=rf"temporary files in {full}: No space left on device; set TMPDIR"):
        scratch_file().write(b"x")
    recipe = Recipe(settings={}, files=[("a", "1")])
    with (
        Parts(str(tmp_path / "out.jsonl"), lambda: recipe) as parts,
        raised(ConfigError, "no-temporary-room", file=str(full)),
    ):
        parts.keep(pa.table({"a": list(range(10**6))}), Cursor(0, 1, 0))


def test_no_folder_for_temporary_files_at_all(monkeypatch):
    monkeypatch.setattr(scratch.tempfile, "gettempdir", lambda: (_ for _ in ()).throw(FileNotFoundError(2, "none")))
    for make in (scratch_file, lambda: scratch_folder("x").__enter__()):
        with pytest.raises(ConfigError, match="cannot write temporary files anywhere; set TMPDIR"):
            make()


def test_an_upload_that_does_not_fit_names_tmpdir(bucket, tmpdir_of_our_own):
    def write():
        with storage.open_output("s3://data/out.jsonl"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with raised(ConfigError, "no-temporary-room", file=str(tmpdir_of_our_own)):
        write()
    assert list(tmpdir_of_our_own.iterdir()) == []
    assert not storage.exists("s3://data/out.jsonl")
