"""What is found wrong before any work begins, and which heads and data an experiment means."""

import contextlib
from pathlib import Path

import pytest

from farm_ray.configuration import replace
from farm_ray.errors import ConfigError
from farm_ray.evaluation import metrics
from farm_ray.experiment import Experiment, assemble
from tests.raised import raised

TWO_TASKS = {
    "processor.tasks": [
        {"name": "a", "label_list": ["x", "y"]},
        {"name": "b", "label_list": ["x", "y"], "metric": "f1_macro"},
    ]
}
READY = replace(replace(Experiment(name="x"), "processor.data_dir", "d"), "model.language_model", "m")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model.language_model": None}, "--model"),
        ({"processor.data_dir": None}, "--data-dir"),
        ({"processor.metric": "f1_makro"}, "f1_makro"),
        ({"processor.train_filename": None}, "train_filename"),
        ({"processor.tasks": [{"name": "a", "label_list": ["x", "y"], "metric": "nope"}]}, "nope"),
        ({"processor.tasks": [{"name": "a", "label_list": ["x", "y"]}] * 2}, "two tasks"),
        (
            {"processor.tasks": [{"name": "a", "label_list": ["x", "y"]}], "processor.label_list": ["x", "y"]},
            "each task its own",
        ),
        ({"model.heads": [{"task": "text_clasification"}]}, 'did you mean "text_classification"'),
        ({"train.optimizer_opts": {"name": "Adamm"}}, 'did you mean "Adam"'),
        ({"train.schedule_opts": {"name": "LinearWarm"}}, 'did you mean "LinearWarmup"'),
        ({"train.early_stopping": {"head": 1}}, "there are 1 heads"),
        ({"train.early_stopping": {}, "processor.dev_split": 0}, "there is none; give processor.dev_filename"),
        ({"train.early_stopping": {"metric": "f2"}, "processor.label_list": ["x", "y"]}, '"f2".* known are: acc, loss'),
        (
            {"train.early_stopping": {"metric": "f1_macro"}, **TWO_TASKS},
            "dev results of task a .* known are: acc, loss",
        ),
        ({"processor.metric": "acc_f1", "processor.label_list": ["x", "y"]}, "acc_f1 needs labels 0 and 1"),
        (
            {"processor.data_dir": __file__},
            f"is a file; .* --data-dir {Path(__file__).parent} --set .*=test_assemble.py",
        ),
    ],
)
def test_what_is_found_wrong_at_once(changes, message):
    experiment = READY
    for name, value in changes.items():
        experiment = replace(experiment, name, value)
    with pytest.raises(ConfigError, match=message):
        assemble.check_experiment(experiment)


def test_a_sound_experiment_passes_the_checks():
    assemble.check_experiment(READY)


def with_values(**values):
    experiment = READY
    for name, value in values.items():
        experiment = replace(experiment, name.replace("__", "."), value)
    return experiment


@pytest.mark.parametrize("watched", ["loss", "acc", "f1", "acc_and_f1"])
def test_early_stopping_may_watch_what_the_metrics_give(watched):
    experiment = with_values(processor__metric="acc_f1", processor__label_list=["0", "1"])
    assemble.check_experiment(replace(experiment, "train.early_stopping", {"metric": watched}))


def test_early_stopping_looks_at_the_task_of_its_head():
    heads = [{"task": "b"}, {"task": "a"}]
    experiment = replace(with_values(processor__tasks=TWO_TASKS["processor.tasks"]), "model.heads", heads)
    assemble.check_experiment(replace(experiment, "train.early_stopping", {"metric": "f1_macro"}))
    with raised(ConfigError, "unknown-metric"):
        assemble.check_experiment(replace(experiment, "train.early_stopping", {"metric": "f1_macro", "head": 1}))


@pytest.mark.parametrize(
    ("own", "refused", "told"),
    [
        (lambda preds, labels: {"f2": 1.0}, False, ""),
        (lambda preds, labels: {"f3": 1.0}, False, "gave: loss, f3"),
        (lambda preds, labels: 1 / 0, False, "gave: loss"),
        (lambda preds, labels: 1.0, True, ""),
    ],
)
def test_an_own_metric_that_may_give_the_value_is_not_refused(own, refused, told, monkeypatch, caplog):
    monkeypatch.setattr(metrics, "_registered_metrics", {})
    metrics.register_metrics("own", own)
    experiment = with_values(processor__metric="own", processor__label_list=["x", "y"])
    experiment = replace(experiment, "train.early_stopping", {"metric": "f2"})
    with raised(ConfigError, "unknown-metric", value="f2") if refused else contextlib.nullcontext():
        assemble.check_experiment(experiment)
    assert bool(caplog.records) == bool(told)
    assert told in caplog.text
