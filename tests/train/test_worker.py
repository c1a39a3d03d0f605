"""The loop on several ranks without Ray: gloo processes, two heads, class weights, ranks without a row, wrong rows."""

import shutil

import pytest
import torch
import torch.distributed as dist

from farm_ray.data_handler.run_sets import RunSets
from farm_ray.errors import ClusterError
from farm_ray.ranks import Ranks
from farm_ray.train.settings import TrainSettings
from farm_ray.train.worker import Worker
from tests.raised import raised
from tests.runs import Silent, labelled_dicts, small_model, small_silo
from tests.several_ranks import on_several_ranks


def train(rank, world_size, folder, batch_size, out):
    torch.set_num_threads(1)
    if world_size > 1:
        meeting = f"file://{out}.meeting"
        dist.init_process_group("gloo", init_method=meeting, rank=rank, world_size=world_size)
    # Each rank writes its own tokenizer files.
    folder = shutil.copytree(folder, out.with_name(f"{out.name}-{rank}"))
    silo = small_silo(folder, batch_size=batch_size, dicts=labelled_dicts(13))
    model = small_model(folder, heads=2, class_weights=[1.0, 2.0, 3.0])
    model.connect_heads_with_processor(silo.processor.tasks)
    settings = TrainSettings(
        epochs=2, batch_size=batch_size, eval_batch_size=4, learning_rate=1e-3, grad_acc_steps=2, evaluate_every=2
    )
    worker = Worker(
        lambda: model, RunSets.of(silo.data), settings, ranks=Ranks(rank=rank, world_size=world_size), listener=Silent()
    )
    result = worker.run()
    if rank == 0:
        facts = {"losses": result.losses, "hash": result.order_hash, "dev": result.dev[0]["loss"]}
        torch.save(facts | {"weights": model.state_dict()}, out)
    if world_size > 1:
        dist.destroy_process_group()


def test_three_ranks_do_what_one_does(tiny_folder, tmp_path):
    """Batches of two rows: one of the three ranks is always without."""
    train(0, 1, tiny_folder, 2, tmp_path / "one")
    on_several_ranks(train, (3, tiny_folder, 2, tmp_path / "three"), ranks=3)
    one, three = (torch.load(tmp_path / name) for name in ("one", "three"))
    assert three["hash"] == one["hash"]
    assert three["losses"] == pytest.approx(one["losses"], rel=1e-4)
    assert three["dev"] == pytest.approx(one["dev"], rel=1e-3)
    for name, weight in one["weights"].items():
        torch.testing.assert_close(three["weights"][name], weight, rtol=1e-2, atol=1e-4)


class Disagreeing(Ranks):
    """Another rank that says something else."""

    def gather(self, value):
        return [value, value ^ 1]


def test_ranks_with_other_rows_are_told_before_the_first_step(tiny_folder):
    silo = small_silo(tiny_folder)
    model = small_model(tiny_folder)
    model.connect_heads_with_processor(silo.processor.tasks)
    settings = TrainSettings(epochs=1, batch_size=8, eval_batch_size=8, learning_rate=1e-3)
    worker = Worker(lambda: model, RunSets.of(silo.data), settings, ranks=Disagreeing(), listener=Silent())
    with raised(ClusterError, "ranks-disagree"):
        worker.run()
    assert worker.progress.global_step == 0
