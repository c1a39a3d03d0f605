"""A run that is refused leaves the folder of another one as it was, and that one can be resumed."""

import os

import pytest

from farm_ray import claims
from farm_ray.configuration import replace
from farm_ray.errors import CheckpointError, ConfigError, DataProblemError
from farm_ray.experiment import cross_validate_experiment
from farm_ray.experiment.config import read_experiment
from farm_ray.experiment.preprocess import preprocess_experiment
from farm_ray.experiment.tokenizer import train_tokenizer_on
from tests.experiment.small_runs import ROWS, run, state, stopped, write
from tests.raised import raised


def other_words(rows):
    return [row.replace("film", "day") for row in rows]


def test_of_two_runs_in_one_folder_the_second_is_refused(experiment, tmp_path):
    out, told = tmp_path / "out", []

    def start_another(stage, done, _total, _note):
        if stage == "train" and done == 1:
            before = state(out)
            for other in (experiment, replace(experiment, "seed", 99)):
                with raised(ConfigError, "folder-in-use") as refused:
                    run(other, out)
                told.append(str(refused.value))
            for job in (cross_validate_experiment, preprocess_experiment):
                with raised(ConfigError, "folder-in-use"):
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


def test_another_runs_checkpoints_elsewhere_are_left_alone(experiment, tmp_path):
    """Two output folders, one place for checkpoints, one run after the other."""
    shared = replace(experiment, "train.checkpoint_root_dir", str(tmp_path / "root"))
    stopped(shared, tmp_path / "a")
    before = state(tmp_path / "root", tmp_path / "a")
    with raised(CheckpointError, "checkpoint-of-other-run"):
        run(replace(shared, "seed", 99), tmp_path / "b")
    assert state(tmp_path / "root", tmp_path / "a") == before
    assert not (tmp_path / "b").exists()


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
