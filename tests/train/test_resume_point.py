"""The checkpoint that a run resumes from."""

from pathlib import Path

import pytest

from farm_ray.errors import CheckpointError
from farm_ray.train import Trainer
from tests.runs import small_run, small_trainer


def test_a_damaged_checkpoint_gives_way_to_the_one_before(tiny_folder, tmp_path):
    small_run(tiny_folder, checkpoint_every=1, checkpoint_root_dir=tmp_path)
    kept = sorted(path.name for path in tmp_path.iterdir())
    assert kept == ["epoch_1_step_0", "epoch_1_step_1", "epoch_1_step_2", "steps.tsv"]
    state = tmp_path / "epoch_1_step_2" / "training_state.pt"
    state.write_bytes(state.read_bytes()[:-5])
    with pytest.warns(UserWarning, match=r"training_state\.pt differs"):
        resumed, _ = small_run(tiny_folder, checkpoint_root_dir=tmp_path)
    assert resumed.resumed_from == str(tmp_path / "epoch_1_step_1")
    assert resumed.order_hash == small_run(tiny_folder)[0].order_hash
    with pytest.raises(CheckpointError, match="there are: epoch_1_step_0"):
        small_run(tiny_folder, checkpoint_root_dir=tmp_path, resume="epoch_7_step_7")


def test_farms_way_to_a_checkpoint(tiny_folder, tmp_path):
    """The newest one, a named one, or none; a wrong name is told at once."""

    def trainer(**options):
        made = small_trainer(tiny_folder)
        return Trainer.create_or_load_checkpoint(
            made.data_silo,
            tmp_path,
            made.model,
            epochs=2,
            learning_rate=1e-3,
            evaluate_every=0,
            grad_acc_steps=2,
            checkpoint_every=1,
            checkpoints_to_keep=9,
            **options,
        )

    first = trainer()
    first.train()
    assert first.result.resumed_from is None
    named = trainer(resume_from_checkpoint="epoch_0_step_1")
    named.train()
    assert Path(named.result.resumed_from).name == "epoch_0_step_1"
    assert named.result.losses == first.result.losses
    newest = trainer()
    newest.train()
    assert Path(newest.result.resumed_from).name == "epoch_1_step_2"
    with pytest.raises(CheckpointError, match=r"no checkpoint at epoch_9_step_9; there are: epoch_0_step_0, "):
        trainer(resume_from_checkpoint="epoch_9_step_9")
