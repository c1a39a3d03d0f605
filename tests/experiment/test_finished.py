"""A run that has ended has nothing to do, and another one does not replace its model."""

import os

import pytest

from farm_ray.configuration import replace
from farm_ray.data_handler.data_silo import DataSilo
from farm_ray.errors import CheckpointError
from tests.experiment.small_runs import ROWS, run, state, write


@pytest.mark.parametrize(
    "rows",
    [[row.replace("film", "day") for row in ROWS], [*ROWS[:-1], "x\tgood"]],
    ids=["the words", "a label"],
)
def test_other_data_do_not_replace_a_model(experiment, tmp_path, rows):
    experiment = replace(replace(experiment, "train.checkpoint_every_seconds", None), "train.epochs", 1)
    out = tmp_path / "out"
    run(experiment, out)
    before = state(out)
    write(tmp_path, rows)
    with pytest.raises(CheckpointError, match=r"of another run: training .* use --resume never"):
        run(experiment, out)
    assert state(out) == before
    assert not run(experiment, out, resume="never").finished_before


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
