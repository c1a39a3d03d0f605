"""What a run came to."""

import json

from farm_ray.experiment.result import Result, by_set, reports


def test_metrics_are_flat_for_one_task_and_by_name_for_several():
    one = [{"task_name": "a", "loss": 0.5, "acc": 1, "report": "text"}]
    two = [*one, {"task_name": "b", "loss": 0.25}]
    assert by_set(one, None) == {"dev": {"loss": 0.5, "acc": 1.0}}
    assert by_set(two, one) == {
        "dev": {"a": {"loss": 0.5, "acc": 1.0}, "b": {"loss": 0.25}},
        "test": {"loss": 0.5, "acc": 1.0},
    }
    assert reports(two, None) == {"dev": {"a": "text"}}


def test_a_result_is_plain_json():
    result = Result(
        status="ok",
        rows=1,
        rows_repeated=0,
        restarts=0,
        steps=1,
        seconds={},
        rows_per_second=1.0,
        order_hash="0",
        problems={},
        model_dir="m",
    )
    assert json.loads(json.dumps(result.as_dict()))["model_dir"] == "m"
