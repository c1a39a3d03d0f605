"""A folder belongs to one run at a time."""

import json
import os
import subprocess
import sys
import threading
import time

import pytest

from farm_ray import claim_file, claims
from farm_ray.claims import FILE, check, claimed
from farm_ray.errors import ConfigError
from farm_ray.process_identity import machine, started_at
from tests.raised import raised

HOLD = """
import sys, time
from farm_ray.claims import claimed
with claimed(sys.argv[1], hint="x"):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that holds `tmp_path/run`."""
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path / "run")], stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"held\n"
    yield process
    process.kill()
    process.wait()


@pytest.fixture
def quick(monkeypatch):
    """A minute is a second."""
    monkeypatch.setattr(claims, "SECONDS_BETWEEN_BEATS", 0.1)
    monkeypatch.setattr(claims, "SECONDS_UNTIL_STALE", 0.6)
    monkeypatch.setattr(claims, "_SECONDS_BETWEEN_LOOKS", 0.05)
    monkeypatch.setattr(claims, "_SECONDS_TO_SETTLE", 0.05)
    monkeypatch.setattr(claims, "_SECONDS_TO_SETTLE_FAR_AWAY", 0.05)


def claim_of(folder, **facts):
    folder.mkdir(exist_ok=True)
    told = {"run": "other", "started": "2026-01-01 10:00:00 UTC", "host": "node-7", "pid": 4711, "machine": "01234567"}
    (folder / FILE).write_text(json.dumps(told | facts))


def test_a_claim_goes_with_its_block_and_so_does_an_empty_folder(tmp_path):
    with claimed(tmp_path / "deep" / "run", hint="x"):
        assert json.loads((tmp_path / "deep" / "run" / FILE).read_text())["pid"] == os.getpid()
    assert list(tmp_path.iterdir()) == []

    def interrupted():
        with claimed(tmp_path / "run", hint="x"):
            (tmp_path / "run" / "kept").touch()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["kept"]


def test_a_second_run_is_refused_while_the_first_one_lives(tmp_path, holder):
    before = (tmp_path / "run" / FILE).read_bytes()
    with pytest.raises(
        ConfigError, match=rf"run is used by a run that started at .*, pid {holder.pid}; wait for it, or y"
    ):
        claimed(tmp_path / "run", hint="y").__enter__()
    assert (tmp_path / "run" / FILE).read_bytes() == before


def test_a_killed_runs_folder_is_taken_over_at_once(tmp_path, holder):
    holder.kill()
    # Nobody has asked how it ended: as a zombie its process id still exists.
    time.sleep(0.1)
    began = time.monotonic()
    with claimed(tmp_path / "run", hint="x"):
        assert time.monotonic() - began < 5
    assert not (tmp_path / "run").exists() or not (tmp_path / "run" / FILE).exists()


@pytest.mark.parametrize("place", ["folder", "s3://data/run"])
def test_a_run_on_another_machine_is_taken_over_when_its_beats_stop(tmp_path, bucket, quick, place):
    told = {"run": "other", "started": "now", "host": "node-7", "pid": os.getpid(), "machine": "0", "beat": time.time()}
    if place == "folder":
        claim_of(tmp_path / "folder", **told)
        place = tmp_path / "folder"
    else:
        bucket(f"run/{FILE}", json.dumps(told).encode())
    began = time.monotonic()
    with claimed(place, hint="x"):
        assert time.monotonic() - began >= 0.6


@pytest.mark.parametrize("place", ["folder", "s3://data/run"])
def test_a_run_on_another_machine_that_beats_is_alive(tmp_path, bucket, quick, monkeypatch, place):
    place = tmp_path / "folder" if place == "folder" else place
    with claimed(place, hint="x"):
        monkeypatch.setattr(claim_file, "machine", lambda: "another")
        with pytest.raises(ConfigError, match=f"pid {os.getpid()}"):
            claimed(place, hint="x").__enter__()


def test_what_was_forgotten_long_ago_is_not_watched(tmp_path):
    claim_of(tmp_path)
    os.utime(tmp_path / FILE, (time.time() - 4000,) * 2)
    began = time.monotonic()
    with claimed(tmp_path, hint="x"):
        assert time.monotonic() - began < 5


@pytest.mark.parametrize("content", [b"", b"{", b"null", b'{"pid": "x"}', b"\xff\xfe"])
def test_a_claim_that_cannot_be_understood_is_watched(tmp_path, quick, content):
    (tmp_path / FILE).write_bytes(content)
    with claimed(tmp_path, hint="x") as claim:
        claim.check()


def test_what_a_claim_says_is_told_on_one_short_line(tmp_path):
    started = started_at(os.getpid())
    claim_of(tmp_path, machine=machine(), pid=os.getpid(), process_started=started, host="a\nb", started="9" * 5000)
    with raised(ConfigError, "folder-in-use") as refused:
        claimed(tmp_path, hint="x").__enter__()
    assert len(str(refused.value).removeprefix(str(tmp_path))) < 120


@pytest.mark.parametrize("target", ["nowhere", FILE, "kept", "/dev/zero"])
def test_a_link_in_place_of_a_claim_is_not_followed(tmp_path, target):
    (tmp_path / "kept").write_bytes(b"")
    (tmp_path / FILE).symlink_to(target)
    with raised(ConfigError, "claim-not-a-file", kind="a link"):
        claimed(tmp_path, hint="x").__enter__()
    assert sorted(path.name for path in tmp_path.iterdir()) == [FILE, "kept"]
    assert (tmp_path / "kept").read_bytes() == b""


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_a_pipe_or_folder_in_place_of_a_claim(tmp_path, make):
    make(tmp_path / FILE)
    with pytest.raises(ConfigError, match="remove it"):
        claimed(tmp_path, hint="x").__enter__()


def test_a_folder_that_cannot_be_made():
    with pytest.raises(ConfigError, match="cannot write to /proc/no/such: No such file"):
        claimed("/proc/no/such", hint="x").__enter__()


def test_a_run_that_lost_its_folder_finds_out_and_leaves_the_new_claim(tmp_path, quick):
    with claimed(tmp_path, hint="x") as claim:
        claim.check()
        claim_of(tmp_path)
        time.sleep(0.3)
        with pytest.raises(ConfigError, match=r"was taken over by a run that started at .* on host node-7"):
            claim.check()
        with raised(ConfigError, "folder-taken-over"):
            check(str(tmp_path / FILE), claim.run, folder="f")
    assert json.loads((tmp_path / FILE).read_text())["run"] == "other"


@pytest.mark.parametrize("content", [b"", b'{"run": "01', b"[]"])
def test_a_claim_that_is_read_while_it_is_written_is_still_ours(tmp_path, quick, content):
    """An object store may give the end of one version behind the length of another."""
    with claimed(tmp_path, hint="x") as claim:
        (tmp_path / FILE).write_bytes(content)
        claim.check()
        time.sleep(0.3)
        claim_of(tmp_path)
        with raised(ConfigError, "folder-taken-over"):
            claim.check()


def test_a_claim_that_somebody_removed_is_made_again(tmp_path, quick):
    with claimed(tmp_path / "run", hint="x") as claim:
        (tmp_path / "run" / FILE).unlink()
        claim.check()
        time.sleep(0.5)
        assert (tmp_path / "run" / FILE).exists()


@pytest.mark.parametrize("after_a_dead_one", [False, True])
def test_of_many_that_begin_at_once_one_is_let_in(tmp_path, quick, monkeypatch, after_a_dead_one):
    monkeypatch.setattr(claims, "_SECONDS_TO_SETTLE", 0.5)
    if after_a_dead_one:
        claim_of(tmp_path, machine=machine(), pid=2**22 - 1)
    meet, ended, won, refused = threading.Barrier(6), threading.Event(), [], []

    def start():
        meet.wait()
        try:
            with claimed(tmp_path, hint="x") as claim:
                won.append(claim)
                ended.wait()
        except ConfigError as error:
            refused.append(error)
            if len(refused) == 5:
                ended.set()

    threads = [threading.Thread(target=start) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert (len(won), len(refused)) == (1, 5)


@pytest.mark.parametrize("place", ["file/run", "file"])
def test_a_place_that_is_no_folder(tmp_path, place):
    (tmp_path / "file").touch()
    with raised(ConfigError, "cannot-write"):
        claimed(tmp_path / place, hint="x").__enter__()
