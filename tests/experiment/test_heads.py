"""Which heads an experiment means."""

import pytest

from farm_ray.configuration import replace
from farm_ray.errors import ConfigError
from farm_ray.experiment import Experiment, HeadConfig
from farm_ray.experiment.heads import head_configs

READY = replace(replace(Experiment(name="x"), "processor.data_dir", "d"), "model.language_model", "m")


@pytest.mark.parametrize(
    ("heads", "message"),
    [(["coarze", "fine"], 'did you mean "coarse"'), (["coarse"], '"fine"'), (["coarse", "coarse", "fine"], "are 2")],
)
def test_heads_must_fit_the_tasks(heads, message):
    experiment = replace(READY, "model.heads", [{"task": task} for task in heads])
    with pytest.raises(ConfigError, match=message):
        head_configs(experiment, ["coarse", "fine"])


def test_derived_heads_are_one_per_task():
    experiment = replace(READY, "model.class_weights", "balanced")
    assert head_configs(experiment, ["a", "b"]) == [
        HeadConfig(task="a", class_weights="balanced"),
        HeadConfig(task="b", class_weights="balanced"),
    ]
