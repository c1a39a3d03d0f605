"""Every machine of a run must see the folder of its checkpoints."""

import pytest

from farm_ray.claims import claimed
from farm_ray.errors import ConfigError
from farm_ray.train import shared_folder
from farm_ray.train.shared_folder import refuse_unseen
from tests.raised import raised


class TwoMachines:
    """Ranks of which the other one saw the claim or did not."""

    def __init__(self, other_sees):
        self.other_sees = other_sees

    def gather(self, value):
        return [value, ("gpu-7", self.other_sees)]


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch):
    monkeypatch.setattr(shared_folder, "_SECONDS_TO_APPEAR", 0.0)


def test_where_all_see_the_claim_nothing_is_said(tmp_path):
    with claimed(tmp_path, hint="") as claim:
        refuse_unseen(str(tmp_path), claim.run, TwoMachines(other_sees=True))


def test_a_machine_that_does_not_see_it_is_named(tmp_path):
    with (
        claimed(tmp_path, hint="") as claim,
        raised(ConfigError, "folder-not-shared", value=["gpu-7"]),
    ):
        refuse_unseen(str(tmp_path), claim.run, TwoMachines(other_sees=False))


@pytest.mark.parametrize("other_run", [False, True])
def test_an_empty_folder_or_that_of_another_run_is_not_the_same(tmp_path, other_run):
    with (
        claimed(tmp_path if other_run else tmp_path / "elsewhere", hint=""),
        raised(ConfigError, "folder-not-shared"),
    ):
        refuse_unseen(str(tmp_path), "another", TwoMachines(other_sees=True))
