"""A run that is refused leaves the folder of another one as it was, and that one can be resumed."""

import os
import signal
from pathlib import Path

import pytest

from farm_ray import claims
from farm_ray.configuration import replace
from farm_ray.data_handler.data_silo import DataSilo
from farm_ray.errors import CheckpointError, ConfigError, DataProblemError
from farm_ray.experiment import cross_validate_experiment, run_experiment
from farm_ray.experiment.config import read_experiment
from farm_ray.experiment.preprocess import preprocess_experiment
from farm_ray.experiment.tokenizer import train_tokenizer_on
from pipelines.text_classification import text_classification

ROWS = [f"a {word} film {number}\t{word}" for number in range(20) for word in ("good", "bad")]


@pytest.fixture
def experiment(tiny_folder, tmp_path):
    write(tmp_path, ROWS)
    made = text_classification()
    settings = {
        "processor.data_dir": str(tmp_path / "data"),
        "processor.label_list": ["good", "bad"],
        "processor.max_seq_len": 16,
        "model.language_model": str(tiny_folder),
        "train.epochs": 2,
        "data.batch_size": 8,
    }
    for name, value in settings.items():
        made = replace(made, name, value)
    return made


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


def other_words(rows):
    return [row.replace("film", "day") for row in rows]


def test_of_two_runs_in_one_folder_the_second_is_refused(experiment, tmp_path):
    out, told = tmp_path / "out", []

    def start_another(stage, done, _total, _note):
        if stage == "train" and done == 1:
            before = state(out)
            for other in (experiment, replace(experiment, "seed", 99)):
                with pytest.raises(ConfigError, match="is used by a run that started at") as refused:
                    run(other, out)
                told.append(str(refused.value))
            for job in (cross_validate_experiment, preprocess_experiment):
                with pytest.raises(ConfigError, match="is used by a run that started at"):
                    job(experiment, output_dir=str(out))
            assert state(out) == before

    result = run(experiment, out, progress=start_another)
    assert len(told) == 2
    assert f"pid {os.getpid()}; wait for it, or give another --output-dir" in told[0]
    assert result.status == "ok"
    assert read_experiment(out / "experiment.yaml") == read_experiment(out / "model" / "experiment.yaml") == experiment
    assert not list(out.rglob(claims.FILE))


@pytest.mark.parametrize("root", ["root", "s3://data/root"])
def test_of_two_runs_with_one_place_for_checkpoints_the_second_is_refused(experiment, tmp_path, bucket, root):
    root = str(tmp_path / root) if root == "root" else root
    shared = replace(experiment, "train.checkpoint_root_dir", root)
    refused = []

    def start_another(stage, done, _total, _note):
        if stage == "train" and done == 1:
            with pytest.raises(
                ConfigError, match=r"root is used by a run .*or give another checkpoint_root_dir"
            ) as told:
                run(replace(shared, "seed", 99), tmp_path / "b")
            refused.append(told)

    assert run(shared, tmp_path / "a", progress=start_another).status == "ok"
    assert len(refused) == 1
    assert not (tmp_path / "b").exists()


CHANGES = {
    "the words": (lambda experiment, tmp_path: write(tmp_path, other_words(ROWS)) or experiment, CheckpointError),
    "a label": (lambda experiment, tmp_path: write(tmp_path, [*ROWS[:-1], "x\tgood"]) or experiment, CheckpointError),
    "a bad row": (lambda experiment, tmp_path: write(tmp_path, [*ROWS[:-1], "x\tbda"]) or experiment, DataProblemError),
    "the seed": (lambda experiment, _: replace(experiment, "seed", 99), ConfigError),
    "an epoch": (lambda experiment, _: replace(experiment, "train.epochs", 3), ConfigError),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("elsewhere", [False, True])
def test_a_refused_run_writes_nothing_and_the_rightful_one_resumes(experiment, tmp_path, change, elsewhere):
    if elsewhere:
        experiment = replace(experiment, "train.checkpoint_root_dir", str(tmp_path / "root"))
    out = tmp_path / "out"
    earlier = stopped(experiment, out)
    (out / "problems.parquet").write_bytes(b"of the rightful run")
    places = (out, tmp_path / "root")
    before = state(*places)
    changed, error = CHANGES[change]
    with pytest.raises(error):
        run(changed(experiment, tmp_path), out)
    assert state(*places) == before
    write(tmp_path, ROWS)
    result = run(experiment, out)
    assert (result.status, result.resumed_from_step, result.rows_repeated) == ("ok", earlier.steps, 0)


@pytest.mark.parametrize("change", ["the words", "a label"])
def test_other_data_do_not_replace_a_model(experiment, tmp_path, change):
    experiment = replace(replace(experiment, "train.checkpoint_every_seconds", None), "train.epochs", 1)
    out = tmp_path / "out"
    run(experiment, out)
    before = state(out)
    CHANGES[change][0](experiment, tmp_path)
    with pytest.raises(CheckpointError, match=r"of another run: training .* use --resume never"):
        run(experiment, out)
    assert state(out) == before
    assert not run(experiment, out, resume="never").finished_before


def test_another_runs_checkpoints_elsewhere_are_left_alone(experiment, tmp_path):
    """Two output folders, one place for checkpoints, one run after the other."""
    shared = replace(experiment, "train.checkpoint_root_dir", str(tmp_path / "root"))
    stopped(shared, tmp_path / "a")
    before = state(tmp_path / "root", tmp_path / "a")
    with pytest.raises(CheckpointError, match="seed was 42 and is 99"):
        run(replace(shared, "seed", 99), tmp_path / "b")
    assert state(tmp_path / "root", tmp_path / "a") == before
    assert not (tmp_path / "b").exists()


def test_a_finished_run_has_nothing_to_do_with_copied_files_either(experiment, tmp_path):
    experiment = replace(experiment, "train.epochs", 1)
    first = run(experiment, tmp_path / "out")
    before = state(tmp_path / "out")
    os.utime(tmp_path / "data" / "train.tsv", (1, 1))
    copied = run(experiment, tmp_path / "out")
    assert copied.finished_before
    assert (copied.metrics, copied.steps, copied.order_hash) == (first.metrics, first.steps, first.order_hash)
    assert state(tmp_path / "out") == before


def test_a_finished_run_whose_files_are_untouched_reads_none_of_them(experiment, tmp_path, monkeypatch):
    first = run(experiment, tmp_path / "out")
    monkeypatch.setattr(DataSilo, "_accept", lambda *_: pytest.fail("data was read"))
    again = run(experiment, tmp_path / "out")
    assert again.finished_before
    assert again.rows_per_second == first.rows_per_second > 0
    assert again.model_dir == first.model_dir


def test_two_tokenizers_at_once(tmp_path):
    (tmp_path / "corpus.txt").write_text("a small corpus\n" * 50)
    refused = []

    def start_another(*_told):
        if not refused:
            refused.append(None)
            with pytest.raises(ConfigError, match="tok is used by a run"):
                train_tokenizer_on(tmp_path / "corpus.txt", tmp_path / "tok", vocab_size=60)

    told = train_tokenizer_on(tmp_path / "corpus.txt", tmp_path / "tok", vocab_size=50, progress=start_another)
    assert refused
    assert told["output_dir"] == str(tmp_path / "tok")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["corpus.txt", "tok"]


def test_a_run_that_starts_where_a_tokenizer_is_learnt_is_refused(experiment, tmp_path):
    (tmp_path / "corpus.txt").write_text("a small corpus\n" * 50)
    refused = []

    def start_another(*_told):
        if not refused:
            refused.append(None)
            with pytest.raises(ConfigError, match="tok is used by a run"):
                run(experiment, tmp_path / "tok")

    train_tokenizer_on(tmp_path / "corpus.txt", tmp_path / "tok", vocab_size=50, progress=start_another)
    assert refused
    assert sorted(path.name for path in (tmp_path / "tok").iterdir()) == [
        "checksums.json",
        "tokenizer.json",
        "tokenizer_config.json",
    ]


def test_a_tokenizer_does_not_replace_what_came_meanwhile(tmp_path):
    (tmp_path / "corpus.txt").write_text("a small corpus\n" * 50)

    def come(*_told):
        (tmp_path / "tok" / "precious.txt").write_text("x")

    with pytest.raises(ConfigError, match=r"tok holds precious\.txt, which would be replaced"):
        train_tokenizer_on(tmp_path / "corpus.txt", tmp_path / "tok", vocab_size=50, progress=come)
    assert [path.name for path in (tmp_path / "tok").iterdir()] == ["precious.txt"]


def test_an_empty_path_is_no_place(experiment, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = state(tmp_path)
    (tmp_path / "corpus.txt").write_text("a small corpus\n" * 50)
    for job in (
        lambda: run(experiment, ""),
        lambda: cross_validate_experiment(experiment, output_dir="", parallel=1),
        lambda: preprocess_experiment(experiment, output_dir="", in_process=True),
        lambda: train_tokenizer_on(tmp_path / "corpus.txt", "", vocab_size=50),
    ):
        with pytest.raises(ConfigError, match="an empty path names no place; give "):
            job()
    assert state(tmp_path).keys() - before.keys() == {tmp_path / "corpus.txt"}


def test_a_model_that_is_a_link_stays_one(experiment, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "model").symlink_to(tmp_path / "disk" / "model")
    run(experiment, tmp_path / "out")
    assert (tmp_path / "out" / "model").is_symlink()
    assert (tmp_path / "disk" / "model" / "metrics.json").is_file()
