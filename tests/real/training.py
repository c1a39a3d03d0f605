"""Training and scoring of the real model on the real data sets by the jobs a user calls, in processes of their own."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("FARM_RAY_DATA", "/nowhere"))
USUAL = {"train.learning_rate": "5e-5", "data.batch_size": "32", "train.evaluate_every": "0"}


def train(pipeline, data_dir, output, *, workers=0, **settings):
    """The JSON of `jobs.train`; `processor__max_samples="9"` sets `processor.max_samples`."""
    from pipelines.quickstart import model_folder

    assert DATA.is_dir(), "set FARM_RAY_DATA to the folder with the data sets"
    given = {key.replace("__", "."): value for key, value in settings.items()}
    # No real data set here has quoted fields; files with one word a line know no quotes.
    without = ("ner", "multitask", "lm_finetuning")
    quotes = {} if any(name in pipeline for name in without) else {"processor.quote_char": "null"}
    flags = [part for key, value in (USUAL | quotes | given).items() for part in ("--set", f"{key}={value}")]
    places = ["--data-dir", str(data_dir), "--output-dir", str(output), "--model", str(model_folder())]
    return _job("jobs.train", pipeline, *places, "--num-workers", str(workers), *flags)


def scored(result, file):
    """The JSON of `jobs.evaluate` for the model of a training run, in the precision it was trained in."""
    return _job("jobs.evaluate", result["model_dir"], str(file), "--use-amp", "bf16")


def _job(module, *arguments):
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])
