"""What is found wrong before any work begins, and which heads and data an experiment means."""

import pytest

from farm_ray.configuration import replace
from farm_ray.errors import ConfigError
from farm_ray.experiment import Experiment, HeadConfig, assemble

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


@pytest.mark.parametrize(
    ("heads", "message"),
    [(["coarze", "fine"], 'did you mean "coarse"'), (["coarse"], '"fine"'), (["coarse", "coarse", "fine"], "are 2")],
)
def test_heads_must_fit_the_tasks(heads, message):
    experiment = replace(READY, "model.heads", [{"task": task} for task in heads])
    with pytest.raises(ConfigError, match=message):
        assemble._head_configs(experiment, ["coarse", "fine"])


def test_derived_heads_are_one_per_task():
    experiment = replace(READY, "model.class_weights", "balanced")
    assert assemble._head_configs(experiment, ["a", "b"]) == [
        HeadConfig(task="a", class_weights="balanced"),
        HeadConfig(task="b", class_weights="balanced"),
    ]


CALLS = []


def note_call(data_dir):
    CALLS.append(data_dir)


def test_prepare_is_called_only_when_files_are_missing(tmp_path):
    CALLS.clear()
    experiment = replace(replace(READY, "prepare", f"{__name__}:note_call"), "processor.data_dir", str(tmp_path))
    assemble.prepare_data(experiment)
    assert [tmp_path] == CALLS
    (tmp_path / "train.tsv").write_text("x")
    assemble.prepare_data(experiment)
    assert [tmp_path] == CALLS
    assemble.prepare_data(replace(experiment, "processor.dev_filename", "dev.tsv"))
    assert [tmp_path] * 2 == CALLS
