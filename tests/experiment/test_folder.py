"""The folder of a run."""

import os
from pathlib import Path

import pytest

from farm_ray.configuration import replace
from farm_ray.errors import ConfigError
from farm_ray.experiment import Experiment, folder, read_experiment
from tests.raised import raised

READY = replace(replace(Experiment(name="x"), "processor.data_dir", "d"), "model.language_model", "m")


def test_a_new_folder_is_made_and_kept_when_the_run_succeeds(tmp_path):
    with folder.output_folder(tmp_path / "a" / "b", READY) as target:
        target.accept(READY)
    assert read_experiment(tmp_path / "a" / "b" / "experiment.yaml") == READY


def test_a_failed_run_leaves_nothing(tmp_path):
    def run():
        with folder.output_folder(tmp_path / "a" / "b", READY) as target:
            target.accept(READY)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        run()
    assert list(tmp_path.iterdir()) == []


def test_a_failed_run_leaves_its_checkpoints_and_whose_they_are(tmp_path):
    def run():
        with folder.output_folder(tmp_path, READY) as target:
            target.accept(READY)
            (target.path / "checkpoints" / "epoch_0_step_1").mkdir(parents=True)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        run()
    assert read_experiment(tmp_path / "experiment.yaml") == READY


def test_what_a_kill_in_the_first_checkpoint_leaves_is_no_run(tmp_path):
    """Another experiment may go there: nothing in the folder could be gone on from."""
    folder.note_experiment(tmp_path, READY)
    (tmp_path / "checkpoints" / ".epoch_0_step_1.writing-01234567-1-01234567").mkdir(parents=True)
    (tmp_path / "checkpoints" / "steps.tsv").write_text("step\n")
    folder.check_output_folder(tmp_path, replace(READY, "seed", 1))


def test_the_same_run_may_use_its_folder_again_and_another_may_not(tmp_path):
    folder.note_experiment(tmp_path, READY)
    other = replace(replace(READY, "train.epochs", 3), "seed", 1)
    folder.check_output_folder(tmp_path, other)  # nothing was saved there yet
    (tmp_path / "model").mkdir()
    folder.check_output_folder(tmp_path, READY)
    with raised(ConfigError, "folder-of-other-run", differing=["seed", "train.epochs"]) as caught:
        folder.check_output_folder(tmp_path, other)
    assert "seed is 42 there and 1 here" in str(caught.value)
    assert "--output-dir" in str(caught.value)


def test_a_model_of_unknown_origin_is_not_overwritten(tmp_path):
    (tmp_path / "model").mkdir()
    with raised(ConfigError, "folder-of-other-run"):
        folder.check_output_folder(tmp_path, READY)


@pytest.mark.parametrize("path", ["/proc/no/such", "s3:/bucket/x"])
def test_a_folder_that_cannot_be_written(path):
    with pytest.raises(ConfigError, match="output folder"), folder.output_folder(Path(path), READY):
        pytest.fail("the block must not run")


def test_a_file_is_no_output_folder(tmp_path):
    (tmp_path / "file").write_text("x")
    with raised(ConfigError, "not-a-folder"):
        folder.check_output_folder(tmp_path / "file", READY)


def test_a_link_that_leads_nowhere_is_told_as_one(tmp_path):
    (tmp_path / "link").symlink_to("nowhere")
    with pytest.raises(ConfigError, match="link is a link that leads nowhere; give another --output-dir"):
        folder.check_output_folder(tmp_path / "link", READY)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission(tmp_path):
    (tmp_path / "locked").mkdir(mode=0o500)
    with pytest.raises(ConfigError, match="another --output-dir"), folder.output_folder(tmp_path / "locked", READY):
        pytest.fail("the block must not run")


def test_the_same_run_with_other_credentials_is_the_same_run(tmp_path):
    first, second = (replace(READY, "processor.data_dir", f"s3://key:{word}@bucket/d") for word in ("secret", "other"))
    folder.note_experiment(tmp_path, first)
    (tmp_path / "model").mkdir()
    folder.check_output_folder(tmp_path, second)
    assert "secret" not in (tmp_path / "experiment.yaml").read_text()
    with raised(ConfigError, "folder-of-other-run", differing=["processor.data_dir"]):
        folder.check_output_folder(tmp_path, replace(READY, "processor.data_dir", "s3://key:secret@bucket/e"))
