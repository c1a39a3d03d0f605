"""Our errors and Ray's, told in one line."""

import pytest

from farm_ray import cluster
from farm_ray.errors import DataProblemError


def test_an_error_of_a_task_is_told_without_rays_advice_on_retries():
    advice = "Failed to apply UDF transform after 1/1 attempts.\nTo change retry attempts, configure this and that."
    error = RuntimeError(f"ray::Map (pid=1)\n  File x\nTypeError: no such layer\n\n{advice}")
    assert str(cluster.cause_of(error)) == "Ray could not finish the work: TypeError: no such layer"


class RayLikeError(Exception):
    def __init__(self, cause=None, worker_failures=None):
        super().__init__("wrapped")
        self.cause = cause
        self.worker_failures = worker_failures or {}


def test_our_error_is_found_inside_rays_wrappers():
    ours = DataProblemError("train.tsv:7: bad", row=7)
    outer = RayLikeError(worker_failures={0: RayLikeError(cause=ours)})
    assert cluster.underlying_error(outer) is ours
    assert cluster.underlying_error(ours) is ours


def test_an_error_that_is_not_ours_stays():
    error = RayLikeError(cause=ValueError("x"))
    assert cluster.underlying_error(error) is error
    error.cause = error
    assert cluster.underlying_error(error) is error


def test_rays_advice_is_taken_off_our_message():
    error = DataProblemError("train.tsv:7: bad\nFailed to apply UDF transform after 1/1 attempts", row=7)
    found = cluster.underlying_error(RayLikeError(cause=error))
    assert str(found) == "train.tsv:7: bad"
    assert found.facts == {"row": 7}


@pytest.mark.cluster
def test_our_errors_come_back_from_ray_as_they_are(ray_cluster):
    import ray

    cluster.data_context()

    def fail(_batch):
        raise DataProblemError("train.tsv:7: bad", row=7)

    with pytest.raises(Exception) as caught:
        ray.data.range(2, override_num_blocks=1).map_batches(fail, num_cpus=0.25).materialize()
    found = cluster.underlying_error(caught.value)
    assert (type(found), str(found), found.facts) == (DataProblemError, "train.tsv:7: bad", {"row": 7})
