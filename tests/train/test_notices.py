"""Notices that a machine is about to be taken away."""

from farm_ray.data_handler.run_sets import RunSets
from farm_ray.ranks import Ranks
from farm_ray.train import notices
from farm_ray.train.notices import Notice
from farm_ray.train.settings import TrainSettings
from farm_ray.train.worker import Worker
from tests.runs import Silent, small_model, small_silo


def test_a_notice_is_heeded_once(tiny_folder, tmp_path, monkeypatch):
    """SAVE writes one checkpoint and goes on, STOP ends the run with one."""
    monkeypatch.setattr(notices, "_SECONDS_BETWEEN_NOTICES", 0.0)
    silo, model = small_silo(tiny_folder), small_model(tiny_folder)
    model.connect_heads_with_processor(silo.processor.tasks)
    told = iter([Notice.NONE, Notice.SAVE, Notice.SAVE, Notice.STOP])
    settings = TrainSettings(
        epochs=9, batch_size=8, eval_batch_size=8, learning_rate=1e-3, checkpoint_root_dir=str(tmp_path)
    )
    run = Worker(
        lambda: model, RunSets.of(silo.data), settings, ranks=Ranks(), listener=Silent(), notice=lambda: next(told)
    )
    result = run.run()
    assert result.preempted
    assert result.steps == 4
    assert sorted(path.name for path in tmp_path.glob("epoch_*")) == ["epoch_0_step_1", "epoch_0_step_3"]
