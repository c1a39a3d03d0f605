"""jobs.infer and jobs.preprocess stopped by signals: what is finished is kept, and the same command resumes after it."""

import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from farm_ray.data_handler.processor.base import Processor
from farm_ray.infer.predictor import Predictor
from jobs import infer, preprocess
from tests.chaos.harness import kill, ray_processes
from tests.infer.models import make_inferencer

ROOT = Path(__file__).parents[2]
SMALL_PARTS = {
    "farm_ray.infer.files.ROWS_AT_ONCE": 4,
    "farm_ray.parts._SECONDS_PER_PART": 0.0,
    "farm_ray.parts._WORK_PER_WRITING": 0.0,
}
KILLED_AT_THE_FOURTH_TABLE = """
import os, signal, sys
from farm_ray import parts
from farm_ray.infer import files
from farm_ray.infer.predictor import Predictor
files.ROWS_AT_ONCE, parts._SECONDS_PER_PART, parts._WORK_PER_WRITING = 4, 0.0, 0.0
predict, calls = Predictor.predict, []
def counted(self, dicts):
    calls.append(dicts.num_rows)
    if sum(map(bool, calls)) == 4:
        os.kill(os.getpid(), signal.SIGKILL)
    return predict(self, dicts)
Predictor.predict = counted
from jobs import infer
infer.main(sys.argv[1:])
"""


@pytest.fixture(scope="module")
def model_dir(tmp_path_factory):
    saved = tmp_path_factory.mktemp("job") / "model"
    make_inferencer(tmp_path_factory.mktemp("encoder")).save(saved)
    return str(saved)


@pytest.fixture
def small_parts(monkeypatch):
    for name, value in SMALL_PARTS.items():
        monkeypatch.setattr(name, value)


@pytest.fixture
def tsv(tmp_path):
    path = tmp_path / "in.tsv"
    path.write_text("text\n" + "".join(f"the film {number}\n" for number in range(22)))
    return path


def signalled(monkeypatch, kind, name, number, at):
    """This process gets the signal when `name` of `kind` is called with rows for the `at`-th time."""
    original, calls = getattr(kind, name), []

    def counted(self, dicts):
        calls.extend([None] * bool(dicts.num_rows))
        if len(calls) == at:
            signal.raise_signal(number)
        return original(self, dicts)

    monkeypatch.setattr(kind, name, counted)


def test_predictions_after_sigkill_are_those_of_an_unbroken_run(model_dir, tsv, tmp_path, call, small_parts):
    flags = [model_dir, str(tsv), str(tmp_path / "out.jsonl"), "--num-actors", "0"]
    command = [sys.executable, "-c", KILLED_AT_THE_FOURTH_TABLE, *flags]
    assert subprocess.run(command, cwd=ROOT, check=False, capture_output=True).returncode == -signal.SIGKILL
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.tsv", "out.jsonl.parts"]
    code, told, err = call(infer.main, flags)
    assert (code, told["rows"], told["rows_resumed"]) == (0, 22, 12)
    assert "12 rows were finished by an earlier run" in err
    whole = tmp_path / "whole.jsonl"
    assert call(infer.main, [*flags[:2], str(whole), *flags[3:]])[0] == 0
    assert (tmp_path / "out.jsonl").read_bytes() == whole.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.tsv", "out.jsonl", "whole.jsonl"]


@pytest.mark.parametrize(("number", "expected"), [(signal.SIGTERM, 75), (signal.SIGINT, 130)])
def test_stopped_predictions_tell_how_to_go_on(
    model_dir, tsv, tmp_path, call, small_parts, monkeypatch, number, expected
):
    flags = [model_dir, str(tsv), str(tmp_path / "out.parquet"), "--num-actors", "0"]
    monkeypatch.setattr(sys, "argv", ["infer", *flags])
    with monkeypatch.context() as patch:
        signalled(patch, Predictor, "predict", number, at=3)
        code, told, err = call(infer.main, flags)
    assert code == expected
    if number == signal.SIGTERM:
        assert told["status"] == "preempted"
        assert told["resume"] == f"python -m jobs.infer {' '.join(flags)} --resume auto"
        assert told["resume"] in err
    assert not (tmp_path / "out.parquet").exists()
    code, told, _ = call(infer.main, [*flags, "--resume", "auto"])
    assert (code, told["rows"], told["rows_resumed"]) == (0, 22, 8)
    assert pq.read_table(tmp_path / "out.parquet")["id"].to_pylist() == [f"in.tsv:{line}" for line in range(2, 24)]


def test_what_comes_or_goes_by_streams_cannot_go_on(model_dir, tsv, tmp_path, call, monkeypatch):
    signalled(monkeypatch, Predictor, "predict", signal.SIGTERM, at=1)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"the film\n")))
    for places in ([str(tsv), "-"], ["-", str(tmp_path / "out.jsonl")]):
        code, told, err = call(infer.main, [model_dir, *places])
        assert (code, told) == (1, None)
        assert "stopped by SIGTERM; run the same command again" in err


def test_resume_takes_two_words(model_dir, tsv, tmp_path, call):
    code, _, err = call(infer.main, [model_dir, str(tsv), str(tmp_path / "out.jsonl"), "--resume", "latest"])
    assert code == 2
    assert "--resume" in err


@pytest.fixture
def features(tiny_folder, data_dir, tmp_path):
    """Flags of a run that makes features, five rows at a time, and the folder they go to."""
    (data_dir / "test.tsv").write_bytes((data_dir / "train.tsv").read_bytes())
    settings = {"processor.label_list": "[good,bad]", "processor.max_seq_len": "16", "processor.dev_split": "0"}
    return [
        *("pipelines.text_classification", "--in-process", "--model", str(tiny_folder), "--data-dir", str(data_dir)),
        *(part for name, value in settings.items() for part in ("--set", f"{name}={value}")),
    ]


@pytest.fixture
def five_rows_at_once(small_parts, monkeypatch):
    from farm_ray.data_handler.data_silo import featurize

    def five(**values):
        return split_rows(**{**values, "rows_per_table": 5})

    split_rows = featurize.SplitRows
    monkeypatch.setattr(featurize, "SplitRows", five)


def test_stopped_features_go_on_in_the_second_set(features, tmp_path, call, five_rows_at_once, monkeypatch):
    flags = [*features, "--output-dir", str(tmp_path / "out")]
    monkeypatch.setattr(sys, "argv", ["preprocess", *flags])
    with monkeypatch.context() as patch:
        signalled(patch, Processor, "featurize", signal.SIGTERM, at=10)
        code, told, _ = call(preprocess.main, flags)
    assert (code, told["status"]) == (75, "preempted")
    assert told["resume"].endswith(" --resume auto")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["test.parquet.parts", "train.parquet.parts"]
    code, told, _ = call(preprocess.main, flags)
    assert (code, told["rows"], told["rows_resumed"]) == (0, {"train": 32, "test": 32}, 42)
    assert call(preprocess.main, [*features, "--output-dir", str(tmp_path / "whole")])[0] == 0
    for name in ("train.parquet", "test.parquet"):
        assert pq.read_table(tmp_path / "out" / name).equals(pq.read_table(tmp_path / "whole" / name))
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "recipe.json",
        "test.parquet",
        "train.parquet",
    ]
    assert call(preprocess.main, [*flags, "--resume", "never"])[1]["rows_resumed"] == 0


@pytest.mark.usefixtures("bucket")
def test_stopped_features_on_s3(features, call, five_rows_at_once, monkeypatch):
    from farm_ray import storage

    flags = [*features, "--output-dir", "s3://data/features"]
    with monkeypatch.context() as patch:
        signalled(patch, Processor, "featurize", signal.SIGTERM, at=5)
        assert call(preprocess.main, flags)[0] == 75
    assert call(preprocess.main, flags)[1]["rows_resumed"] == 20
    assert storage.file_names("s3://data/features") == ["recipe.json", "test.parquet", "train.parquet"]
    assert storage.folder_names("s3://data/features") == []


def run_until_parts(command, folder, number):
    """Starts the command and sends it the signal when it has written a part."""
    before = set(folder.glob("part-*"))
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    until = time.monotonic() + 200
    while process.poll() is None and time.monotonic() < until and set(folder.glob("part-*")) <= before:
        time.sleep(0.05)
    os.kill(process.pid, number)
    out, err = process.communicate(timeout=60)
    return process.returncode, out.splitlines(), err


def write_long_table(path):
    path.write_text("text\n" + "".join(f"the good film {'was ' * (n % 9)}{n}\n" for n in range(80_000)))
    return path


@pytest.mark.chaos
@pytest.mark.parametrize("name", ["TransformActor", "ReadSplits"])
def test_predictions_on_ray_outlast_an_actor_and_a_reader(model_dir, tmp_path, name):
    """Ray starts another one, and makes again what it had in hand: each row is written once, in its place."""
    table = write_long_table(tmp_path / "in.tsv")
    output, whole = tmp_path / "out.jsonl", tmp_path / "whole.jsonl"
    command = [sys.executable, "-m", "jobs.infer", model_dir, str(table)]
    flags = ["--num-actors", "2", "--batch-size", "4"]
    process = subprocess.Popen([*command, str(output), *flags], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    folder, killed = tmp_path / "out.jsonl.parts", 0
    while process.poll() is None and not killed:
        time.sleep(0.01)
        if name != "TransformActor" or list(folder.glob("part-*")):
            killed = sum(kill(one) for one in ray_processes(name)[:1])
    out, _ = process.communicate(timeout=200)
    assert (process.returncode, killed) == (0, 1)
    assert json.loads(out.splitlines()[-1])["rows"] == 80_000
    subprocess.run([*command, str(whole), *flags], cwd=ROOT, capture_output=True, check=True)
    assert output.read_bytes() == whole.read_bytes()


@pytest.mark.chaos
def test_predictions_on_ray_after_two_kills(model_dir, tmp_path):
    table = write_long_table(tmp_path / "in.tsv")
    output, whole = tmp_path / "out.jsonl", tmp_path / "whole.jsonl"
    command = [sys.executable, "-m", "jobs.infer", model_dir, str(table)]
    flags = ["--num-actors", "2", "--batch-size", "4"]
    folder = tmp_path / "out.jsonl.parts"
    assert run_until_parts([*command, str(output), *flags], folder, signal.SIGKILL)[0] == -signal.SIGKILL
    code, out, err = run_until_parts([*command, str(output), *flags], folder, signal.SIGTERM)
    assert (code, json.loads(out[-1])["status"]) == (75, "preempted"), err
    assert len(list(folder.glob("part-*"))) > 1
    for place in (output, whole):
        done = subprocess.run([*command, str(place), *flags], cwd=ROOT, capture_output=True, text=True, check=True)
        assert (json.loads(done.stdout.splitlines()[-1])["rows_resumed"] > 0) == (place == output)
    assert output.read_bytes() == whole.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.tsv", "out.jsonl", "whole.jsonl"]
