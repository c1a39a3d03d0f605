"""Runs the program, kills something at a chosen step, runs it again, and says what came out."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import torch

ROOT = Path(__file__).parents[2]
_SECONDS = 180


class Run:
    """One start of the program; its steps are read as they are printed."""

    def __init__(self, out, *, kind, workers, model, data, dropout, environment=None, **options):
        flags = {
            "model": model,
            "data": data,
            "out": out,
            "kind": kind,
            "workers": workers,
            "dropout": dropout,
            **options,
        }
        command = [sys.executable, "-m", "tests.chaos.program"]
        for name, value in flags.items():
            command += [f"--{name.replace('_', '-')}", *([] if value is True else [str(value)])]
        out.mkdir(parents=True, exist_ok=True)
        self.errors = (out / "stderr.txt").open("a")
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            command,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_WAIT_POLICY": "PASSIVE", **(environment or {})},
        )
        self.step, self.first_step_at, self.result = 0, None, None
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self.process.stdout:
            if not line.startswith("{"):
                continue
            told = json.loads(line)
            if "step" in told:
                self.first_step_at = self.first_step_at or time.monotonic()
                self.step = told["step"]
            else:
                self.result = told

    def wait_for_step(self, step):
        """Until it is done, or the run has ended."""
        until(lambda: self.step >= step or not self.is_running(), "the step")

    def is_running(self):
        return self.process.poll() is None

    def kill(self, number=signal.SIGKILL):
        self.process.send_signal(number)

    def end(self):
        """The exit code, once it is there."""
        try:
            code = self.process.wait(_SECONDS)
        finally:
            if self.is_running():
                self.process.kill()
            self._reader.join(5)
            self.errors.close()
        return code


def until(condition, what):
    deadline = time.monotonic() + _SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.002)


def ray_processes(name):
    """The ids of Ray's processes that bear this name in their title."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            title = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            if title.startswith("ray::") and name in title:
                found.append(int(folder.name))
    return found


def kill(process):
    """SIGKILL; whether the process was still there."""
    try:
        os.kill(process, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def is_writing(out):
    """Whether a checkpoint is half-written at this moment."""
    try:
        return any(".writing-" in path.name for path in (out / "checkpoints").iterdir())
    except FileNotFoundError:
        return False


def same_weights(one, other, *, exact):
    """Whether two runs ended with the same model."""
    mine, theirs = (torch.load(out / "weights.pt", weights_only=True) for out in (one, other))
    if exact:
        return all(torch.equal(mine[name], theirs[name]) for name in mine)
    return all(torch.allclose(mine[name], theirs[name], rtol=1e-2, atol=1e-3) for name in mine)
