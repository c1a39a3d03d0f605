"""Runs of a classifier on forty rows, and what they leave in folders."""

import os
import signal
from pathlib import Path

from farm_ray.experiment import run_experiment

ROWS = [f"a {word} film {number}\t{word}" for number in range(20) for word in ("good", "bad")]


def write(tmp_path, rows):
    (tmp_path / "data").mkdir(exist_ok=True)
    (tmp_path / "data" / "train.tsv").write_text("\n".join(["text\tlabel", *rows, ""]))


def run(experiment, folder, **options):
    return run_experiment(experiment, output_dir=folder, num_workers=0, **options)


def stopped(experiment, folder):
    """A run that ended by SIGTERM at its first step, with a checkpoint."""

    def terminate(stage, done, _total, _note):
        if stage == "train" and done == 1:
            os.kill(os.getpid(), signal.SIGTERM)

    result = run(experiment, folder, progress=terminate)
    assert result.status == "preempted"
    return result


def state(*folders):
    """Every file below, with its bytes and time of change."""
    files = sorted(path for folder in folders for path in Path(folder).rglob("*") if path.is_file())
    return {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in files}
