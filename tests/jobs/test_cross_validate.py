"""jobs.cross_validate end to end on a tiny BERT, and bad input."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml

from farm_ray.cluster.processes import started_by
from jobs import cross_validate, train

REPO = Path(__file__).parent.parent.parent


@pytest.fixture
def flags(tmp_path, tiny_folder, data_dir):
    """Flags of a run that works, in this process, written to `tmp_path/out`."""
    return [
        *("pipelines.text_classification", "--parallel", "1", "--model", str(tiny_folder)),
        *("--data-dir", str(data_dir), "--output-dir", str(tmp_path / "out"), "--folds", "2"),
        *("--set", "processor.label_list=[good,bad]", "--set", "processor.max_seq_len=16", "--set", "train.epochs=1"),
    ]


def test_it_tells_and_writes_what_the_folds_came_to(call, flags, data_dir, tmp_path):
    shutil.copy(data_dir / "train.tsv", data_dir / "test.tsv")
    code, told, err = call(cross_validate.main, flags)
    assert code == 0, err
    out = tmp_path / "out"
    assert (told["status"], told["output_dir"], told["rows"], told["problems"]) == ("ok", str(out), 64, {})
    assert told["metrics"].keys() == {"dev", "test"}
    assert told["metrics"]["test"]["acc"].keys() == {"mean", "std"}
    assert told["pooled"]["acc"].keys() == {"value", "low", "high"}
    assert told["seconds"].keys() == {"preprocess", "folds"}
    assert [fold["fold"] for fold in told["folds"]] == [1, 2]
    first = told["folds"][0]
    assert first["rows"] == {"train": 29, "dev": 3, "test": 32}
    assert (first["steps"], len(first["order_hash"])) == (1, 16)
    assert {"loss", "acc", "f1_macro"} <= first["metrics"]["test"].keys()
    facts = json.loads((out / "cross_validation.json").read_text())
    assert facts["pooled"] == told["pooled"]
    assert "good" in facts["reports"]["pooled"]["text_classification"]
    assert len(facts["reports"]["folds"]) == 2
    table = pq.read_table(told["predictions"])
    assert table.column_names == ["id", "fold", "prediction", "label"]
    assert sorted(table["id"].to_pylist()) == sorted(
        f"{name}.tsv:{n}" for name in ("train", "test") for n in range(2, 34)
    )
    assert yaml.safe_load((out / "experiment.yaml").read_text())["processor"]["max_seq_len"] == 16
    assert {path.name for path in out.iterdir()} == {"cross_validation.json", "predictions.parquet", "experiment.yaml"}
    assert "Traceback" not in err


def test_again_is_the_same_and_another_experiment_goes_elsewhere(call, flags):
    _, first, _ = call(cross_validate.main, flags)
    code, again, err = call(cross_validate.main, flags)
    assert code == 0, err
    assert (again["metrics"], again["pooled"]) == (first["metrics"], first["pooled"])
    code, _, err = call(cross_validate.main, [*flags, "--set", "train.epochs=2"])
    assert code == 2
    assert "holds another run (train.epochs is 1 there and 2 here)" in err


@pytest.mark.parametrize(
    ("more", "folds", "rows"),
    [(["--inner-folds", "2"], 4, 64), (["--train-split", "0.75", "--folds", "3"], 3, 24), (["--sets", "train"], 2, 29)],
)
def test_nested_holdout_and_some_sets(call, flags, more, folds, rows):
    code, told, err = call(cross_validate.main, [*flags, *more, "--no-stratification", "--bootstrap-samples", "0"])
    assert code == 0, err
    assert (len(told["folds"]), told["rows"]) == (folds, rows)
    if "--sets" in more:
        assert told["pooled"]["acc"].keys() == {"value"}
    else:
        assert told["pooled"] == {}


@pytest.mark.cluster
@pytest.mark.usefixtures("ray_cluster")
def test_on_ray_as_here(call, flags, tmp_path, monkeypatch):
    monkeypatch.setattr("farm_ray.cluster.disconnect", lambda: None)  # other tests need the Ray they share
    _, here, _ = call(cross_validate.main, [*flags, "--threads", "1"])
    there_flags = [*flags, "--parallel", "2", "--threads", "1", "--output-dir", str(tmp_path / "there")]
    code, there, err = call(cross_validate.main, there_flags)
    assert code == 0, err
    assert (there["metrics"], there["pooled"]) == (here["metrics"], here["pooled"])
    assert [fold["order_hash"] for fold in there["folds"]] == [fold["order_hash"] for fold in here["folds"]]


BAD = {
    "one fold": (["--folds", "1"], ["--folds must be at least 2"]),
    "one inner fold": (["--inner-folds", "1"], ["--inner-folds must be at least 2"]),
    "too many folds": (["--folds", "33"], ["--folds 33", "there are 32"]),
    "nested hold-out": (["--inner-folds", "2", "--train-split", "0.8"], ["--inner-folds", "--train-split"]),
    "share": (["--train-split", "1.5"], ["--train-split", "1.5"]),
    "unknown set": (["--sets", "train,valid"], ["valid", "train, dev, test"]),
    "missing sets": (["--sets", "test"], ["--sets", "test"]),
    "no GPU": (["--use-gpu"], ["--use-gpu", "leave it out"]),
    "address without Ray": (["--address", "127.0.0.1:1"], ["--address", "--parallel"]),
    "no number": (["--folds", "many"], ["--folds", "many"]),
    "early stopping without dev": (
        ["--set", "train.early_stopping.metric=loss", "--set", "processor.dev_split=0"],
        ["early_stopping", "dev_split"],
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_settings(call, flags, tmp_path, monkeypatch, name):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    more, words = BAD[name]
    code, told, err = call(cross_validate.main, [*flags, *more])
    last = err.strip().splitlines()[-1]
    assert (code, told) == (2, None), err
    assert last.startswith("jobs.cross_validate: ")
    for word in words:
        assert word in last
    assert not (tmp_path / "out").exists()


def test_a_run_that_trains_is_not_mixed_up_with_folds(call, flags, train_flags):
    assert call(train.main, train_flags)[0] == 0
    code, _, err = call(cross_validate.main, [*flags, "--set", "train.epochs=3"])
    assert code == 2
    assert "holds another run" in err


@pytest.mark.cluster
@pytest.mark.slow
def test_ctrl_c_leaves_no_process(flags, tmp_path):
    log = tmp_path / "stderr"
    job = subprocess.Popen(
        [sys.executable, "-m", "jobs.cross_validate", *flags, "--parallel", "2", "--set", "train.epochs=100000"],
        cwd=REPO,
        env={**os.environ, "RAY_TMPDIR": "/tmp", "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=log.open("w"),
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - no threads here
    )
    try:
        deadline = time.monotonic() + 120
        while ", 0 of 2 folds done" not in log.read_text() and time.monotonic() < deadline and job.poll() is None:
            time.sleep(0.1)
        os.killpg(job.pid, signal.SIGINT)  # as a terminal does
        out, _ = job.communicate(timeout=120)
        assert (job.returncode, out) == (130, ""), log.read_text()
        assert started_by(job.pid) == []
        assert log.read_text().splitlines()[-1] == "jobs.cross_validate: stopped by Ctrl-C"
        assert not (tmp_path / "out").exists()
    finally:
        if job.poll() is None:
            os.killpg(job.pid, signal.SIGKILL)
