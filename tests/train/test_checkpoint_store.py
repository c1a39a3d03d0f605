"""Checkpoints below a folder or in an object store: found, fetched, kept and removed alike."""

from pathlib import Path

import pytest

from farm_ray import storage
from farm_ray.errors import CheckpointError, ConfigError
from farm_ray.storage import folders, patience
from farm_ray.train import checkpoint, checkpoint_store
from farm_ray.train.checkpoint_store import CheckpointStore
from tests.raised import raised
from tests.runs import BrokenOffError, break_off_after, small_run


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch):
    monkeypatch.setattr(patience, "FIRST_PAUSE_S", 0.001)


@pytest.fixture(params=["disk", "s3"])
def store(request, tmp_path):
    if request.param == "disk":
        return CheckpointStore(str(tmp_path / "checkpoints"))
    request.getfixturevalue("bucket")
    return CheckpointStore("s3://data/checkpoints")


def write(store, name, content="x"):
    def fill(folder):
        for file in ("training_state.pt", "progress.json"):
            (folder / file).write_text(content)

    return store.publish(name, fill)


def test_the_newest_whole_one_is_found_and_fetched(store, tmp_path):
    assert store.names() == []
    assert checkpoint_store.find("auto", store.root, tmp_path / "scratch") is None
    for number in (9, 10):
        address = write(store, f"epoch_0_step_{number}", str(number))
        assert address == store.address(f"epoch_0_step_{number}")
    (tmp_path / "scratch").mkdir()
    found = checkpoint_store.find("auto", store.root, tmp_path / "scratch")
    assert str(found) == address
    fetched = found.store.fetch(found.name, tmp_path / "scratch")
    assert (fetched / "progress.json").read_text() == "10"
    assert found.store.fetch(found.name, tmp_path / "scratch") == fetched


def test_the_newest_are_kept(store):
    for number in range(4):
        write(store, f"epoch_0_step_{number}")
        store.keep_only(2, up_to=f"epoch_0_step_{number}")
    assert store.names() == ["epoch_0_step_2", "epoch_0_step_3"]
    write(store, "epoch_0_step_1")
    store.keep_only(2, up_to="epoch_0_step_1")
    assert store.names() == ["epoch_0_step_1"]


def test_one_is_named_by_its_address_or_its_name(store, tmp_path):
    address = write(store, "epoch_0_step_1")
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    assert str(checkpoint_store.find(address, None, scratch)) == address
    assert str(checkpoint_store.find("epoch_0_step_1", store.root, scratch)) == address
    if not store.is_local:
        with_options = f"{address}?region=us-east-1"
        assert str(checkpoint_store.find(with_options, None, scratch)) == with_options
    with pytest.raises(CheckpointError, match=r"no checkpoint at epoch_0_step_2; there are: epoch_0_step_1"):
        checkpoint_store.check_named("epoch_0_step_2", store.root)


def test_half_an_upload_is_no_checkpoint(bucket, tmp_path, monkeypatch):
    """Its checksums come last; a copy killed before leaves the one before in force."""
    store = CheckpointStore("s3://data/checkpoints")
    write(store, "epoch_0_step_1")
    upload = folders._upload

    def killed(file, uri):
        if file.name == "checksums.json":
            raise KeyboardInterrupt
        upload(file, uri)

    with monkeypatch.context() as during:
        during.setattr(folders, "_upload", killed)
        with pytest.raises(KeyboardInterrupt):
            write(store, "epoch_0_step_2")
    assert store.names() == ["epoch_0_step_1", "epoch_0_step_2"]
    with pytest.warns(UserWarning, match=r"skipping a checkpoint: .*checksums\.json is missing"):
        assert store.newest_whole(tmp_path) == "epoch_0_step_1"
    write(store, "epoch_0_step_2")
    assert store.newest_whole(tmp_path / "again") == "epoch_0_step_2"


def test_a_changed_byte_in_the_store_is_seen(bucket, tmp_path):
    store = CheckpointStore("s3://data/checkpoints")
    write(store, "epoch_0_step_1", "0123")
    bucket("checkpoints/epoch_0_step_1/progress.json", b"0124")
    with raised(CheckpointError, "damaged-checkpoint", file="progress.json"):
        checkpoint.check(store.fetch("epoch_0_step_1", tmp_path))


def test_a_folder_that_this_machine_does_not_see(tmp_path):
    with raised(CheckpointError, "checkpoint-not-seen", file="epoch_0_step_1"):
        CheckpointStore(str(tmp_path)).fetch("epoch_0_step_1", tmp_path)


def test_a_place_that_cannot_be_written_is_told_before_the_training(bucket, tiny_folder):
    with raised(ConfigError, "no-bucket", file="s3://nobucket/run"):
        small_run(tiny_folder, checkpoint_root_dir="s3://nobucket/run")


def test_a_folder_may_be_given_as_an_address(tiny_folder, tmp_path):
    result, _ = small_run(tiny_folder, checkpoint_every=2, checkpoint_root_dir=f"file://{tmp_path}/run")
    assert result.checkpoint == str(tmp_path / "run" / "epoch_1_step_2")


def test_a_run_goes_on_from_an_object_store_as_from_a_disk(bucket, tiny_folder, tmp_path):
    unbroken, weights = small_run(tiny_folder, dropout=0.3)
    options = {"dropout": 0.3, "checkpoint_every": 2, "checkpoint_root_dir": "s3://data/run/checkpoints"}
    with pytest.raises(BrokenOffError):
        small_run(tiny_folder, progress=break_off_after(4), **options)
    resumed, again = small_run(tiny_folder, **options)
    assert resumed.resumed_from.startswith("s3://data/run/checkpoints/epoch_")
    assert resumed.order_hash == unbroken.order_hash
    assert resumed.losses == unbroken.losses
    assert all((again[name] == weights[name]).all() for name in weights)
    assert not list(Path.cwd().glob("s3:*"))
    with storage.open_binary("s3://data/run/checkpoints/steps.tsv") as file:
        assert file.read().count(b"\n") == 1 + resumed.steps
