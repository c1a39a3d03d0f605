"""Which process of which machine."""

import os

from farm_ray.claims import claimed
from farm_ray.process_identity import is_gone, machine, started_at
from tests.test_claims import claim_of


def test_a_process_id_that_was_given_again_is_another_process(tmp_path):
    claim_of(tmp_path, machine=machine(), pid=os.getpid(), process_started="1")
    with claimed(tmp_path, hint="x"):
        pass
    assert started_at(os.getpid()) is not None
    assert not is_gone(machine(), os.getpid(), started_at(os.getpid()))
    assert not is_gone("01234567", 2**22 - 1)
    assert is_gone(machine(), 10**30)
