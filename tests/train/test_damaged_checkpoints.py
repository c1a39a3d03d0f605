"""Checkpoints that are damaged behind check sums that fit: the one before is taken, a named one is refused in a line."""

import hashlib
import json
import shutil

import pytest
import torch

from farm_ray.errors import CheckpointError
from tests.raised import raised
from tests.runs import small_run


@pytest.fixture(scope="module")
def written(tiny_folder, tmp_path_factory):
    """A finished run's checkpoints, of the last steps of six, and its weights."""
    root = tmp_path_factory.mktemp("checkpoints")
    _, weights = small_run(tiny_folder, checkpoint_every=1, checkpoint_root_dir=root)
    return root, weights


@pytest.fixture
def root(written, tmp_path):
    return shutil.copytree(written[0], tmp_path / "checkpoints")


def sum_up(folder):
    """Check sums that fit what is there now."""
    sums = {
        path.name: [path.stat().st_size, hashlib.sha256(path.read_bytes()).hexdigest()]
        for path in sorted(folder.iterdir())
        if path.name != "checksums.json"
    }
    (folder / "checksums.json").write_text(json.dumps(sums))


def progress(folder, **changes):
    file = folder / "progress.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


def state(folder, change):
    file = folder / "training_state.pt"
    values = torch.load(file, weights_only=True)
    change(values)
    torch.save(values, file)


def write(name, content):
    return lambda folder: (folder / name).write_bytes(content)


DAMAGES = {
    "progress is no mapping": write("progress.json", b"[1]"),
    "progress is cut off": write("progress.json", b'{"format": 4, "posi'),
    "progress is deep": write("progress.json", b"[" * 100_000),
    "progress is no text": write("progress.json", b"\xff\xfe{}"),
    "no identity": lambda folder: progress(folder, identity=None),
    "an identity that says nothing": lambda folder: progress(folder, identity={}),
    "an identity of pairs": lambda folder: progress(folder, identity=[["seed", 42]]),
    "position of another kind": lambda folder: progress(folder, position=7),
    "a step below zero": lambda folder: progress(folder, position={"epoch": 0, "step": -1, "lanes": []}),
    "lanes of a stream": lambda folder: progress(folder, position={"epoch": 0, "step": 1, "lanes": [{"place": 0}]}),
    "a step that is none": lambda folder: progress(folder, global_step="many"),
    "a step that is a text": lambda folder: progress(folder, global_step="5"),
    "a step that is a switch": lambda folder: progress(folder, global_step=True),
    "no format": lambda folder: progress(folder, format=None),
    "more steps than there are": lambda folder: progress(folder, global_step=10**30),
    "unknown entries": lambda folder: progress(folder, speed=7),
    "no state": write("training_state.pt", b""),
    "state is no archive": write("training_state.pt", b"PK\x03\x04" + b"\0" * 200),
    "state is a list": lambda folder: torch.save([1], folder / "training_state.pt"),
    "no optimizer": lambda folder: state(folder, lambda values: values.pop("optimizer")),
    "optimizer of another model": lambda folder: state(
        folder, lambda values: values["optimizer"].update(param_groups=[])
    ),
    "optimizer with tensors of other shapes": lambda folder: state(
        folder, lambda values: values["optimizer"]["state"][0].update(exp_avg=torch.tensor(0.0))
    ),
    "optimizer with whole numbers": lambda folder: state(
        folder, lambda values: values["optimizer"]["state"][0].update(exp_avg=torch.zeros(60, 32, dtype=torch.long))
    ),
    "optimizer that lacks a tensor": lambda folder: state(
        folder, lambda values: values["optimizer"]["state"][0].pop("exp_avg")
    ),
    "optimizer that lacks a tensor of all weights": lambda folder: state(
        folder, lambda values: [held.pop("exp_avg") for held in values["optimizer"]["state"].values()]
    ),
    "optimizer whose state is empty": lambda folder: state(folder, lambda values: values["optimizer"].update(state={})),
    "scheduler with entries in place of its methods": lambda folder: state(
        folder, lambda values: values["scheduler"].update(step=5)
    ),
    "scheduler without its number": lambda folder: state(
        folder, lambda values: values["scheduler"].update(last_epoch="x")
    ),
    "optimizer with options of other kinds": lambda folder: state(
        folder, lambda values: values["optimizer"]["param_groups"][0].update(betas="ab")
    ),
    "random states of another kind": lambda folder: state(
        folder, lambda values: values.update(random_states=[{"torch": 1}])
    ),
    "weights without a header": write("model.safetensors", b"\xff" * 64),
    "weights with a header of a gigabyte": write("model.safetensors", (1 << 30).to_bytes(8, "little") + b"{}"),
    "a model that is none": write("config.json", b"{}"),
    "a head of another kind": write("prediction_head_0_config.json", b"[]"),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_the_one_before_is_taken(tiny_folder, written, root, damage):
    newest = root / "epoch_1_step_2"
    damage(newest)
    sum_up(newest)
    with pytest.warns(UserWarning, match="skipping a checkpoint: .*epoch_1_step_2"):
        resumed, weights = small_run(tiny_folder, checkpoint_root_dir=root)
    assert resumed.resumed_from == str(root / "epoch_1_step_1")
    assert all(torch.equal(weights[name], written[1][name]) for name in weights)


@pytest.mark.parametrize("damage", ["a step below zero", "no optimizer", "weights without a header"])
def test_a_named_one_is_refused(tiny_folder, root, damage):
    newest = root / "epoch_1_step_2"
    DAMAGES[damage](newest)
    sum_up(newest)
    with raised(CheckpointError, "damaged-checkpoint") as refused:
        small_run(tiny_folder, checkpoint_root_dir=root, resume=str(newest))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "sums", [b'{"a": 5}', b"{}", b"[]", b"{", b'{"a": ["x", 1]}', b'{"a": [1, null]}', b"\xff", b"[" * 9999]
)
def test_check_sums_that_are_none(tiny_folder, root, sums):
    (root / "epoch_1_step_2" / "checksums.json").write_bytes(sums)
    with pytest.warns(UserWarning, match="skipping a checkpoint: .*checksums.json"):
        resumed, _ = small_run(tiny_folder, checkpoint_root_dir=root)
    assert resumed.resumed_from == str(root / "epoch_1_step_1")


@pytest.mark.filterwarnings("ignore:skipping a checkpoint")
def test_where_none_is_whole_nothing_begins_from_scratch_unasked(tiny_folder, root):
    """Whether check sums show it or only the restoring does."""
    for number, checkpoint in enumerate(sorted(root.glob("epoch_*"))):
        DAMAGES["no optimizer"](checkpoint)
        if number % 2:
            sum_up(checkpoint)
    with pytest.raises(
        CheckpointError, match=r"none of the checkpoints in .* is whole; start again with --resume never"
    ):
        small_run(tiny_folder, checkpoint_root_dir=root)
    assert small_run(tiny_folder, checkpoint_root_dir=root, resume="never")[0].resumed_from is None


def test_what_was_given_up_is_never_taken_in_place_of_a_damaged_one(tiny_folder, root):
    """After `never` in a folder with checkpoints: those are of a run that nothing continues."""
    small_run(tiny_folder, checkpoint_root_dir=root, checkpoint_every=3, checkpoints_to_keep=1, resume="never")
    (own,) = sorted(root.glob("epoch_*"))
    assert own.name == "epoch_1_step_2"
    DAMAGES["no optimizer"](own)
    sum_up(own)
    with pytest.warns(UserWarning, match="skipping"), raised(CheckpointError, "no-whole-checkpoint"):
        small_run(tiny_folder, checkpoint_root_dir=root)


def test_a_file_without_a_check_sum_is_damage(tiny_folder, root):
    newest = root / "epoch_1_step_2"
    sums = json.loads((newest / "checksums.json").read_text())
    del sums["model.safetensors"]
    (newest / "checksums.json").write_text(json.dumps(sums))
    with pytest.warns(UserWarning, match=r"skipping a checkpoint: .* it has no sum of model\.safetensors"):
        resumed, _ = small_run(tiny_folder, checkpoint_root_dir=root)
    assert resumed.resumed_from == str(root / "epoch_1_step_1")


def test_what_an_identity_says_is_told_on_one_short_line(tiny_folder, root):
    newest = root / "epoch_1_step_2"
    stored = json.loads((newest / "progress.json").read_text())["identity"]
    progress(newest, identity=stored | {"tokenizer": "a\n\x1b[31m" * 10_000})
    sum_up(newest)
    with raised(CheckpointError, "checkpoint-of-other-run", differing=["tokenizer"]) as refused:
        small_run(tiny_folder, checkpoint_root_dir=root)
    assert str(refused.value).isprintable()
    assert len(str(refused.value)) < 500
