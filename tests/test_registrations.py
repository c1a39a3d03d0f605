"""What a user registered, in another process."""

import dataclasses
import pickle

import pytest

from farm_ray.evaluation import metrics
from farm_ray.registrations import Registrations
from farm_ray.tasks import table
from farm_ray.tasks.classification import CLASSIFICATION


@pytest.fixture(autouse=True)
def _another_process(monkeypatch):
    monkeypatch.setattr(metrics, "_registered_metrics", {})
    monkeypatch.setattr(metrics, "_registered_reports", {})
    monkeypatch.setattr(table, "_specs", dict(table._specs))


def always_one(_preds, _labels):
    return 1.0


def test_metrics_reports_and_tasks_arrive(monkeypatch):
    assert not Registrations.of_this_process().any()
    metrics.register_metrics("one", always_one)
    metrics.register_report("per_sequence", always_one)
    own = dataclasses.replace(CLASSIFICATION, name="stance", farm_name="stance", head="StanceHead", head_type="stance")
    table.register_task(own)
    sent = pickle.dumps(Registrations.of_this_process())
    monkeypatch.setattr(metrics, "_registered_metrics", {})
    monkeypatch.setattr(metrics, "_registered_reports", {})
    monkeypatch.setattr(table, "_specs", {name: spec for name, spec in table._specs.items() if name != "stance"})
    assert not Registrations.of_this_process().any()
    there = pickle.loads(sent)
    assert there.any()
    there.register()
    assert Registrations.of_this_process() == there
    assert metrics.compute_metrics("one", ["a"], ["b"]) == {"one": 1.0}
    assert table.spec_named("stance", task_name="x") == own
