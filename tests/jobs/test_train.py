"""jobs.train end to end on a tiny BERT in this process, and every kind of bad input."""

import gzip
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from farm_ray.train.worker import Worker
from jobs import evaluate, train

REPO = Path(__file__).parent.parent.parent
HEADER = "text\tlabel\n"


def without(flags, name):
    at = flags.index(name)
    return flags[:at] + flags[at + 2 :]


def test_a_run_saves_a_model_and_tells_what_it_came_to(call, train_flags, data_dir, tmp_path):
    shutil.copy(data_dir / "train.tsv", data_dir / "test.tsv")
    code, told, err = call(train.main, train_flags)
    assert code == 0, err
    model_dir = tmp_path / "out" / "model"
    assert told["status"] == "ok"
    assert told["model_dir"] == str(model_dir)
    assert set(told["metrics"]) == {"dev", "test"}
    assert {"loss", "acc", "f1_macro"} <= set(told["metrics"]["test"])
    assert set(told["seconds"]) == {"preprocess", "train", "data", "eval"}
    assert told["rows"] == 32 - 3  # a tenth of 32 rows went to dev
    assert (told["steps"], told["problems"]) == (1, {})
    names = {path.name for path in model_dir.iterdir()}
    assert {"config.json", "model.safetensors", "processor_config.json", "experiment.yaml", "metrics.json"} <= names
    assert yaml.safe_load((model_dir / "experiment.yaml").read_text())["processor"]["max_seq_len"] == 16
    facts = json.loads((model_dir / "metrics.json").read_text())
    assert facts["order_hash"] == told["order_hash"]
    assert len(facts["losses"]) == told["steps"]
    assert "jobs.infer" in err
    assert "Traceback" not in err


def test_the_same_run_again_does_the_same(call, train_flags):
    _, first, _ = call(train.main, train_flags)
    code, second, _ = call(train.main, [*train_flags, "--resume", "never"])
    assert code == 0
    assert (second["order_hash"], second["metrics"]) == (first["order_hash"], first["metrics"])


def test_labels_are_those_of_the_training_data(call, train_flags, tmp_path):
    code, told, err = call(train.main, [*train_flags, "--set", "processor.label_list=null"])
    assert code == 0, err
    assert "labels (2): bad, good" in err
    model_dir = Path(told["model_dir"])
    saved = json.loads((model_dir / "processor_config.json").read_text())["tasks"]["text_classification"]
    assert saved["label_list"] == ["bad", "good"]
    (tmp_path / "test.tsv").write_text(HEADER + "a good film\tgood\na bad film\tbad\n")
    code, told, err = call(evaluate.main, [str(model_dir), str(tmp_path / "test.tsv")])
    assert (code, told["rows"]) == (0, 2), err


def test_two_label_columns_are_two_tasks(call, tiny_folder, tmp_path):
    rows = "".join(
        f"a good film {i}\t{'OFFENSE' if i % 2 else 'OTHER'}\t{['OTHER', 'ABUSE', 'OTHER', 'INSULT', 'OTHER', 'PROFANITY'][i % 6]}\n"
        for i in range(36)
    )
    (tmp_path / "train.tsv").write_text("text\tcoarse_label\tfine_label\n" + rows)
    flags = ["pipelines.germeval18", "--num-workers", "0", "--model", str(tiny_folder), "--data-dir", str(tmp_path)]
    flags += ["--output-dir", str(tmp_path / "out"), "--set", "processor.max_seq_len=16", "--set", "train.epochs=1"]
    code, told, err = call(train.main, flags)
    assert code == 0, err
    assert set(told["metrics"]["dev"]) == {"coarse", "fine"}
    assert "f1_macro" in told["metrics"]["dev"]["fine"]


# --- bad input: one readable line, exit code 2, nothing half-written


def write(name, data):
    def change(folder):
        (folder / name).write_bytes(data if isinstance(data, bytes) else data.encode())

    return change


def append(line):
    return lambda folder: (folder / "train.tsv").open("ab").write(line)


def remove(folder):
    (folder / "train.tsv").unlink()


def empty_folder(folder):
    remove(folder)
    (folder / "train.tsv").mkdir()


def truncated_gzip(folder):
    packed = gzip.compress((folder / "train.tsv").read_bytes() * 50)
    (folder / "train.tsv.gz").write_bytes(packed[: len(packed) // 2])


def one_class(folder):
    (folder / "train.tsv").write_text(HEADER + "a good film\tgood\n" * 20)


DATA = {
    "file missing": (remove, [], ["train.tsv"]),
    "folder empty": (empty_folder, [], ["train.tsv"]),
    "column missing": (write("train.tsv", "txt\tlabel\na\tgood\n"), [], ["text", "txt"]),
    "unknown label": (append(b"a film\tgod\n"), [], ["train.tsv:34", "god", "good", "bad"]),
    "one class": (one_class, [], ["label", "good"]),
    "broken quoting": (append(b'"a film\tgood\n'), [], ["train.tsv:34"]),
    "wrong encoding": (append("schön\tgood\n".encode("latin-1")), [], ["train.tsv:34"]),
    "truncated gzip": (truncated_gzip, ["--set", "processor.train_filename=train.tsv.gz"], ["train.tsv.gz"]),
    "empty text": (append(b" \tgood\n"), [], ["train.tsv:34"]),
    "labels of two spellings": (
        append(b"a film\tGood\n"),
        ["--set", "processor.label_list=null"],
        ['"Good" in train.tsv:34', "which look like one label"],
    ),
    "NUL bytes": (append(b"a\0film\tgood\n"), [], ["train.tsv:34"]),
    "a line of 1 MB": (append(b"film " * 200_000 + b"\tgood\n"), [], ["train.tsv:34"]),
    "no column names": (
        None,
        ["--set", "processor.header=null"],
        ["by their position, 0 to 1; give --text-column NAME and --label-column NAME"],
    ),
    "more layers frozen than there are": (None, ["--set", "model.frozen_layers=9"], ["model.frozen_layers=9, but"]),
    "nothing left for dev": (write("train.tsv", HEADER + "a\tgood\nb\tbad\n"), [], ["dev_split"]),
    "nothing left for train": (None, ["--set", "processor.dev_split=0.99"], ["dev_split"]),
    "no rows": (write("train.tsv", HEADER), [], ["train.tsv"]),
    "dev file missing": (None, ["--set", "processor.dev_filename=dev.tsv"], ["dev.tsv: there is no such file"]),
    "own test file missing": (None, ["--set", "processor.test_filename=mine.tsv"], ["mine.tsv: there is no such file"]),
}
SETTINGS = {
    "class weights without a label list": (
        [
            "--set",
            "processor.label_list=null",
            "--set",
            "model.heads=[{task: text_classification, class_weights: [1, 2]}]",
        ],
        ["class_weights of task text_classification", "give processor.label_list, or"],
    ),
    "unknown pipeline": (["pipelines.text_clasification"], ["pipelines.text_classification"]),
    "unknown key": (["--set", "train.epohcs=2"], ["train.epohcs", "train.epochs"]),
    "wrong type": (["--set", "train.epochs=two"], ["train.epochs", "two"]),
    "no assignment": (["--set", "train.epochs"], ["key=value"]),
    "metric unknown": (["--set", "processor.metric=f1_makro"], ["f1_makro", "f1_macro"]),
    "metric not for these labels": (["--set", "processor.metric=acc_f1"], ["acc_f1", "f1_macro"]),
    "early stopping on an unknown value": (
        ["--set", "train.early_stopping.metric=f2"],
        ['train.early_stopping.metric="f2"', "f1_macro"],
    ),
    "unknown precision": (["--set", "train.use_amp=bf61"], ["--set train.use_amp=bf61", "bf16"]),
    "fp16 on a CPU": (["--set", "train.use_amp=fp16"], ["--set train.use_amp=fp16", "bf16"]),
    "no GPU": (["--use-gpu"], ["--use-gpu", "leave it out"]),
    "unknown optimizer": (["--set", "train.optimizer_opts={name: Adamm}"], ["Adamm"]),
    "no model": (["--model", " "], ["no language model is given"]),
    "no such checkpoint": (["--resume", "foo"], ["no checkpoint at foo; give auto, latest, never, or the folder"]),
    "a column that single texts do not have": (
        ["--text-b-column", "b"],
        ["TextClassificationProcessor has no --text-b-column, which is for other kinds; leave it out"],
    ),
    "a setting of other processors": (["--set", "processor.iob1=true"], ["has no iob1, which is for other"]),
    "a head too wide": (
        ["--set", "model.heads=[{task: text_classification, hidden_dims: [100000000000]}]"],
        ["model.heads.0.hidden_dims.0: ", "16384"],
    ),
    "a name that leads elsewhere": (["--set", "name=a/../../b"], ["name: it names the folder runs/<name>"]),
    "an absolute name": (["--set", "name=/b"], ["name: it names the folder runs/<name>"]),
    "no name": (["--set", "name="], ["name: it names the folder runs/<name>"]),
    "no bucket": (["--output-dir", "s3://"], ["must be on a disk that this machine sees, not s3:/"]),
    "two quotes": (["--quote-char", "''"], ["--quote-char must not be", 'quote-char "" switches quoting off']),
    "model folder missing": (["--model", "no/such/model"], ["no/such/model"]),
    "output folder not writable": (["--output-dir", "/proc/no/such"], ["/proc/no/such", "--output-dir"]),
    "negative workers": (["--num-workers", "-1"], ["--num-workers"]),
    "address without workers": (["--address", "127.0.0.1:1"], ["--address"]),
    "unknown flag": (["--epochs", "2"], ["--epochs"]),
}


def check_refused(outcome, words, output):
    code, told, err = outcome
    last = err.strip().splitlines()[-1]
    assert code == 2, err
    assert told is None
    assert "Traceback" not in err
    assert last.startswith("jobs.train: ")
    assert len(last) < 1000
    for word in words:
        assert word in last
    left = [path for path in output.rglob("*") if path.name != "problems.parquet"] if output.exists() else []
    assert left == []


@pytest.mark.parametrize("name", DATA)
def test_bad_data(call, train_flags, data_dir, tmp_path, name):
    change, flags, words = DATA[name]
    if change:
        change(data_dir)
    check_refused(call(train.main, [*train_flags, *flags]), words, tmp_path / "out")


@pytest.mark.parametrize("name", SETTINGS)
def test_bad_settings_are_found_before_any_work(call, train_flags, tmp_path, monkeypatch, name):
    monkeypatch.setattr("farm_ray.data_handler.data_silo.DataSilo._accept", lambda *_: pytest.fail("data was read"))
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    flags, words = SETTINGS[name]
    is_pipeline = flags[0].startswith("pipelines.")
    given = [flags[0], *train_flags[1:]] if is_pipeline else [*train_flags, *flags]
    check_refused(call(train.main, given), words, tmp_path / "out")


def test_a_data_folder_that_is_a_file(call, train_flags, data_dir, tmp_path):
    (data_dir / "train.tsv").rename(data_dir / "mine.tsv")
    outcome = call(train.main, [*train_flags, "--data-dir", str(data_dir / "mine.tsv")])
    check_refused(outcome, [f"{data_dir}/mine.tsv is a file"], tmp_path / "out")
    way_out = outcome[2].strip().rpartition("name its folder, and then the file: ")[2].split()
    assert way_out == ["--data-dir", str(data_dir), "--set", "processor.train_filename=mine.tsv"]
    assert call(train.main, [*train_flags, *way_out])[0] == 0


def test_latest_goes_on_as_auto_does(call, train_flags):
    code, told, err = call(train.main, [*train_flags, "--resume", "latest"])
    assert code == 0, err
    assert told["steps"] == 1


def test_labels_without_rows_are_told(call, train_flags):
    code, _, err = call(train.main, [*train_flags, "--set", "processor.label_list=[good,bad,dull]"])
    assert code == 0, err
    assert "warning: task text_classification: the labels [dull] have no training row" in err


def test_a_bad_row_may_be_allowed(call, train_flags, data_dir):
    append(b"a film\tgod\n")(data_dir)
    code, told, err = call(train.main, [*train_flags, "--set", "data.max_problem_share=0.1"])
    assert code == 0, err
    assert sum(told["problems"].values()) == 1


@pytest.mark.parametrize("missing", ["config.json", "model.safetensors", "tokenizer.json"])
def test_a_half_copied_model_folder(call, train_flags, tiny_folder, tmp_path, missing):
    shutil.copytree(tiny_folder, tmp_path / "copy")
    (tmp_path / "copy" / missing).unlink()
    for other in ("vocab.txt",) if missing == "tokenizer.json" else ():
        (tmp_path / "copy" / other).unlink(missing_ok=True)
    check_refused(call(train.main, [*train_flags, "--model", str(tmp_path / "copy")]), ["copy"], tmp_path / "out")


def test_the_output_folder_of_another_run(call, train_flags, tmp_path):
    assert call(train.main, train_flags)[0] == 0
    before = {path: path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file()}
    code, told, err = call(train.main, [*train_flags, "--set", "train.epochs=2"])
    assert (code, told) == (2, None)
    assert "train.epochs is 1 there and 2 here" in err
    assert {path: path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file()} == before


def test_a_full_disk_while_saving_leaves_nothing(call, train_flags, tmp_path, monkeypatch):
    def full(*_args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("farm_ray.experiment.run.write_experiment", full)
    outcome = call(train.main, [*train_flags, "--set", "train.checkpoint_every_seconds=null"])
    check_refused(outcome, ["No space left on device"], tmp_path / "out")


def test_ray_is_not_reachable_at_the_address(call, train_flags, tmp_path, monkeypatch):
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    flags = [*without(train_flags, "--num-workers"), "--num-workers", "1", "--address", f"127.0.0.1:{port}"]
    started = time.monotonic()
    check_refused(call(train.main, flags), [f"127.0.0.1:{port}"], tmp_path / "out")
    assert time.monotonic() - started < 20


# --- real processes and signals


@pytest.fixture
def start(tmp_path):
    """Starts a job as a process of its own; one that a failing test leaves behind is ended."""
    jobs = []

    def run(flags):
        jobs.append(_started(flags, tmp_path))
        return jobs[-1]

    yield run
    for job in jobs:
        if job.poll() is None:
            os.killpg(job.pid, signal.SIGKILL)


def _started(flags, tmp_path):
    environment = {**os.environ, "RAY_TMPDIR": "/tmp", "OMP_NUM_THREADS": "1"}
    environment.pop("RAY_ADDRESS", None)
    return subprocess.Popen(
        [sys.executable, "-m", "jobs.train", *flags],
        cwd=REPO,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=(tmp_path / "stderr").open("w"),
        text=True,
        start_new_session=True,
        # Whoever runs the tests in the background has SIGINT ignored, and children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - no threads here
    )


def wait_for(word, tmp_path, job, seconds=120):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and job.poll() is None:
        if word in (tmp_path / "stderr").read_text():
            return
        time.sleep(0.05)
    pytest.fail(f"never said {word!r}: {(tmp_path / 'stderr').read_text()}")


def processes_left(job):
    from farm_ray.cluster.processes import started_by

    return started_by(job.pid)


def test_the_exit_code_is_the_process_code(start, train_flags, tmp_path):
    job = start([*train_flags, "--set", "train.epohcs=2"])
    out, _ = job.communicate(timeout=120)
    assert (job.returncode, out) == (2, "")
    assert (tmp_path / "stderr").read_text().count("\n") == 1


LONG = ["--set", "train.epochs=100000", "--set", "train.evaluate_every=0"]


@pytest.mark.parametrize(("number", "expected"), [(signal.SIGINT, 130), (signal.SIGTERM, 75)])
def test_a_signal_while_training_writes_a_checkpoint_to_go_on_from(
    call, train_flags, tmp_path, monkeypatch, number, expected
):
    step = Worker._step

    def signalled(worker, due):
        if worker.progress.global_step == 2:
            signal.raise_signal(number)
        return step(worker, due)

    monkeypatch.setattr(Worker, "_step", signalled)
    monkeypatch.setattr(sys, "argv", ["jobs/train.py", *train_flags, *LONG])
    code, told, err = call(train.main, None)
    assert (code, told["status"]) == (expected, "preempted")
    assert told["resume"].startswith("python -m jobs.train pipelines.text_classification")
    assert told["resume"].endswith("--resume auto")
    if number == signal.SIGINT:
        assert err.splitlines()[-1] == f"jobs.train: stopped by Ctrl-C; go on with: {told['resume']}"
    assert max(path.name for path in (tmp_path / "out" / "checkpoints").glob("epoch_*")) == "epoch_2_step_0"
    assert not (tmp_path / "out" / "model").exists()


@pytest.mark.cluster
@pytest.mark.parametrize("moment", ["starting a local Ray", "train "])
def test_ctrl_c_leaves_no_ray_process(start, train_flags, tmp_path, moment):
    job = start([*without(train_flags, "--num-workers"), "--num-workers", "1", *LONG])
    wait_for(moment, tmp_path, job)
    os.killpg(job.pid, signal.SIGINT)  # as a terminal does
    out, _ = job.communicate(timeout=120)
    assert job.returncode == 130
    assert json.loads(out.splitlines()[-1])["resume"].endswith("--resume auto")
    assert processes_left(job) == []
    assert "jobs.train: stopped by Ctrl-C; go on with: " in (tmp_path / "stderr").read_text().splitlines()[-1]
    assert bool(list((tmp_path / "out").glob("checkpoints/epoch_*"))) == (moment == "train ")


@pytest.mark.slow
@pytest.mark.cluster
def test_ctrl_c_during_preprocessing_on_ray_leaves_no_process(start, train_flags, data_dir, tmp_path):
    rows = "".join(f"a good film {i}\tgood\na bad film {i}\tbad\n" for i in range(400_000))
    (data_dir / "train.tsv").write_text(HEADER + rows)
    job = start([*without(train_flags, "--num-workers"), "--num-workers", "1"])
    wait_for("preprocess", tmp_path, job)
    os.killpg(job.pid, signal.SIGINT)
    out, _ = job.communicate(timeout=120)
    assert job.returncode == 130
    assert "preempted" in out
    assert processes_left(job) == []
