"""Every machine of a run must see the folder of its checkpoints."""

import pytest

from farm_ray.errors import ConfigError
from farm_ray.train import shared_folder
from farm_ray.train.shared_folder import refuse_unseen, sign_in


class TwoMachines:
    """Ranks of which the other one saw the file or did not."""

    def __init__(self, other_sees):
        self.other_sees = other_sees

    def gather(self, value):
        return [value, ("gpu-7", self.other_sees)]


def test_the_sign_goes_with_the_run_and_so_do_folders_that_stayed_empty(tmp_path):
    with sign_in(tmp_path / "runs" / "checkpoints") as sign:
        assert sign.is_file()
        refuse_unseen(sign, TwoMachines(other_sees=True))
    assert list(tmp_path.iterdir()) == []
    with sign_in(tmp_path / "runs" / "checkpoints") as sign:
        (sign.parent / "epoch_0_step_1").mkdir()
    assert [path.name for path in (tmp_path / "runs" / "checkpoints").iterdir()] == ["epoch_0_step_1"]


def test_a_machine_that_does_not_see_it_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(shared_folder, "_SECONDS_TO_APPEAR", 0.0)
    with sign_in(tmp_path) as sign:
        with pytest.raises(ConfigError, match=r"not the same on all machines of the run: gpu-7 cannot see .*s3://"):
            refuse_unseen(sign, TwoMachines(other_sees=False))
        sign.unlink()
        with pytest.raises(ConfigError, match=r"train\.checkpoint_root_dir"):
            refuse_unseen(sign, TwoMachines(other_sees=True))


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(ConfigError, match=r"cannot write checkpoints to .*file/checkpoints"),
        sign_in(tmp_path / "file" / "checkpoints"),
    ):
        pass
