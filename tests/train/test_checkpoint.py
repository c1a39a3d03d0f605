"""Checkpoints as folders: everything comes back, the newest whole one is found, old ones go, half ones never show."""

import json
import os
import random
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from farm_ray.data_handler.order import Position
from farm_ray.errors import CheckpointError
from farm_ray.modeling.optimization.precision import Precision
from farm_ray.ranks import Ranks
from farm_ray.train import checkpoint, checkpoint_store
from farm_ray.train.checkpoint_store import CheckpointStore
from farm_ray.train.step import TrainState
from tests.raised import raised
from tests.runs import small_model

IDENTITY = {"epochs": 2, "schedule_opts": {"name": "Constant"}}
PROGRESS = checkpoint.Progress(
    position=Position(epoch=1, step=2),
    global_step=5,
    rows=40,
    order_hash=2**64 - 3,
    early_stopping={"eval_values": [0.5, "nan"], "best_so_far": 0.5, "n_since_best": 1},
    stopped_early=True,
    scored_at=4,
)


@pytest.fixture(scope="module")
def trainee(tiny_folder):
    """A model whose optimizer, schedule and scaler are no longer as at the start."""
    made = fresh(tiny_folder, scale=123.0)
    for parameter in made.model.parameters():
        parameter.grad = torch.ones_like(parameter)
    made.optimizer.step()
    made.scheduler.step()
    return made


def fresh(folder, *, ranks=None, scale=2.0**16):
    model = small_model(folder)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
    return TrainState(
        model=model,
        wrapped=model,
        optimizer=optimizer,
        scheduler=torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 / (step + 1)),
        precision=Precision("fp16", torch.bfloat16, "cpu", torch.amp.GradScaler("cpu", init_scale=scale)),
        ranks=ranks or Ranks(),
    )


def snapshot(trainee, *, epoch=0, step=0, best=None, states=None):
    return checkpoint.take(
        trainee,
        PROGRESS,
        identity=IDENTITY,
        random_states=[checkpoint.random_state()] if states is None else states,
        best_weights=best,
        last=Position(epoch=epoch, step=step),
    )


def write(root, trainee, *, keep=9, **options):
    """The folder of a checkpoint that was taken and written."""
    taken, store = snapshot(trainee, **options), CheckpointStore(str(root))
    path = store.publish(taken.name, lambda folder: checkpoint.fill(folder, taken))
    store.keep_only(keep, up_to=taken.name)
    return Path(path)


def find(resume, root):
    found = checkpoint_store.find(resume, None if root is None else str(root), Path("no scratch is needed"))
    return None if found is None else Path(str(found))


def names(root):
    return sorted(path.name for path in root.iterdir())


def drawn():
    """A number from every generator."""
    return [torch.rand(1).item(), np.random.rand(), random.random(), random.gauss(0, 1)]  # noqa: NPY002 - the global generator


def test_everything_comes_back(trainee, tiny_folder, tmp_path):
    best = {name: tensor + 1 for name, tensor in trainee.model.state_dict().items()}
    path = write(tmp_path, trainee, best=best)
    expected = drawn()
    again = fresh(tiny_folder)
    torch.manual_seed(1)
    stored_best = checkpoint.restore(path, again)
    assert drawn() == expected
    assert all(torch.equal(stored_best[name], tensor) for name, tensor in best.items())
    mine, theirs = trainee.model.state_dict(), again.model.state_dict()
    assert all(torch.equal(mine[name], theirs[name]) for name in mine)
    for number, state in trainee.optimizer.state_dict()["state"].items():
        torch.testing.assert_close(again.optimizer.state_dict()["state"][number], state, rtol=0, atol=0)
    assert again.scheduler.state_dict() == trainee.scheduler.state_dict()
    assert again.optimizer.param_groups[0]["lr"] == 0.005
    assert again.precision.scaler.get_scale() == 123.0
    assert checkpoint.read_progress(path, identity=IDENTITY) == PROGRESS


def test_a_snapshot_does_not_change_with_the_training(trainee, tiny_folder, tmp_path):
    """Training goes on while it is written."""
    made = fresh(tiny_folder)
    for parameter in made.model.parameters():
        parameter.grad = torch.ones_like(parameter)
    made.optimizer.step()
    taken = snapshot(made)
    weights = {name: weight.clone() for name, weight in made.model.state_dict().items()}
    moments = [state["exp_avg"].clone() for state in made.optimizer.state_dict()["state"].values()]
    made.optimizer.step()
    made.scheduler.step()
    checkpoint.fill(tmp_path, taken)
    again = fresh(tiny_folder)
    checkpoint.restore(tmp_path, again)
    assert all(torch.equal(weight, weights[name]) for name, weight in again.model.state_dict().items())
    stored = [state["exp_avg"] for state in again.optimizer.state_dict()["state"].values()]
    assert all(torch.equal(*pair) for pair in zip(stored, moments, strict=True))
    assert again.scheduler.last_epoch == 0
    assert all(weight.device.type == "cpu" for weight in taken.model.parameters())


def test_without_a_best_model_there_is_none(trainee, tiny_folder, tmp_path):
    assert checkpoint.restore(write(tmp_path, trainee), fresh(tiny_folder)) is None


def test_each_rank_gets_its_own_random_state_and_with_another_number_of_ranks_none(trainee, tiny_folder, tmp_path):
    states, expected = [], []
    for seed in (1, 2):
        torch.manual_seed(seed)
        states.append(checkpoint.random_state())
        expected.append(torch.rand(1).item())
    path = write(tmp_path, trainee, states=states)
    checkpoint.restore(path, fresh(tiny_folder, ranks=Ranks(rank=1, world_size=2)))
    assert torch.rand(1).item() == expected[1]
    checkpoint.restore(path, fresh(tiny_folder, ranks=Ranks(rank=1, world_size=3)))
    assert torch.rand(1).item() not in expected


def test_the_newest_is_found_by_number_not_by_name(tmp_path):
    for name in ("epoch_0_step_9", "epoch_0_step_10", "epoch_10_step_0", "epoch_9_step_11"):
        (tmp_path / name).mkdir()
    (tmp_path / "epoch_99").mkdir()
    (tmp_path / "epoch_98_step_1").touch()
    assert CheckpointStore(str(tmp_path)).names() == [
        "epoch_0_step_9",
        "epoch_0_step_10",
        "epoch_9_step_11",
        "epoch_10_step_0",
    ]


def cut(file):
    file.write_bytes(file.read_bytes()[:-9])


def change_a_byte(file):
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


@pytest.mark.parametrize(
    "name", ["training_state.pt", "progress.json", "best.safetensors", "model.safetensors", "checksums.json"]
)
@pytest.mark.parametrize("damage", [cut, change_a_byte, os.unlink])
def test_a_damaged_one_gives_way_to_the_one_before(trainee, tmp_path, damage, name):
    before = write(tmp_path, trainee)
    damaged = write(tmp_path, trainee, step=1, best={"a": torch.zeros(1)})
    damage(damaged / name)
    with pytest.warns(UserWarning, match="skipping a checkpoint: .*epoch_0_step_1"):
        assert find("auto", tmp_path) == before
    with raised(CheckpointError, "damaged-checkpoint"):
        find("epoch_0_step_1", tmp_path)


def test_none_is_found_where_none_is_wanted_or_was_ever_written(trainee, tmp_path):
    assert find("auto", None) is None
    assert find("auto", tmp_path / "nowhere") is None
    path = write(tmp_path, trainee)
    assert find("never", tmp_path) is None
    (path / "progress.json").unlink()
    with (
        pytest.warns(UserWarning, match=r"progress\.json is missing"),
        pytest.raises(
            CheckpointError, match=r"none of the checkpoints in .* \(epoch_0_step_0\) is whole; .*--resume never"
        ),
    ):
        find("auto", tmp_path)


def test_one_that_the_run_has_written_must_be_seen(trainee, tmp_path):
    """Or a newer one; a machine with a disk of its own has none, or those of another run."""
    for step in (3, 5):
        write(tmp_path, trainee, step=step)
    for known in ("epoch_0_step_3", "epoch_0_step_4", "epoch_0_step_5"):
        found = checkpoint_store.find("auto", str(tmp_path), tmp_path, at_least=known)
        assert found.name == "epoch_0_step_5"
    for root in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(
            CheckpointError, match=r"this machine \(.*\) does not see .*epoch_1_step_0; give the checkpoints"
        ):
            checkpoint_store.find("auto", str(root), tmp_path, at_least="epoch_1_step_0")


def test_one_is_named_by_path_or_by_name_in_the_runs_folder(trainee, tmp_path):
    one, two = write(tmp_path, trainee), write(tmp_path, trainee, step=1)
    assert find("epoch_0_step_0", tmp_path) == one
    assert find(str(two), None) == two
    with pytest.raises(CheckpointError, match="no checkpoint at other; there are: epoch_0_step_0, epoch_0_step_1"):
        find("other", tmp_path)


def test_only_the_newest_are_kept_and_none_of_later_steps(trainee, tmp_path):
    for step in range(4):
        write(tmp_path, trainee, step=step, keep=2)
    assert names(tmp_path) == ["epoch_0_step_2", "epoch_0_step_3"]
    write(tmp_path, trainee, step=1, keep=2)
    assert names(tmp_path) == ["epoch_0_step_1"]


def test_one_that_fails_while_it_is_written_leaves_what_was_there(trainee, tmp_path, monkeypatch):
    path = write(tmp_path, trainee)

    def fail(*_):
        raise RuntimeError

    monkeypatch.setattr(torch, "save", fail)
    with pytest.raises(RuntimeError):
        write(tmp_path, trainee, step=1)
    with pytest.raises(RuntimeError):
        write(tmp_path, trainee)
    assert names(tmp_path) == ["epoch_0_step_0"]
    assert find("auto", tmp_path) == path


def test_what_a_killed_writer_left_goes_with_the_next_one(trainee, tmp_path):
    left = tmp_path / ".epoch_0_step_7.writing-01234567-1-89abcdef"
    living = tmp_path / ".epoch_0_step_8.writing-01234567-1-89abcdef"
    for folder in (left, living):
        folder.mkdir()
    os.utime(left, (0, 0))
    write(tmp_path, trainee)
    assert names(tmp_path) == [living.name, "epoch_0_step_0"]


def test_those_of_other_runs_versions_and_kinds_are_told_apart(trainee, tmp_path):
    path = write(tmp_path, trainee)
    with raised(CheckpointError, "checkpoint-of-other-run", differing=["epochs"]) as caught:
        checkpoint.read_progress(path, identity=IDENTITY | {"epochs": 3})
    assert caught.value.facts["differing"] == ["epochs"]
    record = json.loads((path / "progress.json").read_text())
    (path / "progress.json").write_text(json.dumps(record | {"format": 2}))
    with pytest.raises(CheckpointError, match=r"another version.*--resume never"):
        checkpoint.read_progress(path, identity=IDENTITY)
    (path / "progress.json").write_text("no json")
    with raised(CheckpointError, "damaged-checkpoint", file="progress.json"):
        checkpoint.read_progress(path, identity=IDENTITY)


def test_nothing_is_unpickled(trainee, tiny_folder, tmp_path):
    """A state that would run code when it is read is refused."""

    class Evil:
        def __reduce__(self):
            return shutil.rmtree, (str(tmp_path),)

    path = write(tmp_path, trainee)
    torch.save(Evil(), path / "training_state.pt")
    with raised(CheckpointError, "unsafe-checkpoint", file="training_state.pt"):
        checkpoint.restore(path, fresh(tiny_folder))
    assert path.is_dir()
