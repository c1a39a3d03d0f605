"""FARM's way to read experiment files."""

import json

import pytest

from farm_ray import file_utils
from farm_ray.errors import ConfigError


def test_experiment_files_by_attributes_and_as_a_grid(tmp_path):
    file = tmp_path / "run.json"
    leaves = {"seed": {"value": None, "default": 42}, "data_dir": {"value": "data", "default": None}}
    parameter = {"epochs": {"value": [1, 2]}, "layer_dims": {"value": [768, 2]}, "batch_size": {"value": [8, 16]}}
    file.write_text(json.dumps({"general": leaves, "parameter": parameter}))
    config = file_utils.read_config(file)
    assert (config.general.seed, config["general"]["data_dir"]) == (42, "data")
    config.general.seed = 7
    runs = file_utils.unnestConfig(config)
    assert [(run.parameter.epochs, run.parameter.batch_size) for run in runs] == [(1, 8), (1, 16), (2, 8), (2, 16)]
    assert {(run.general.seed, tuple(run.parameter.layer_dims)) for run in runs} == {(7, (768, 2))}
    with pytest.raises(AttributeError, match="epoch"):
        _ = runs[0].parameter.epoch
    with pytest.raises(ConfigError):
        file_utils.read_config(tmp_path / "none.json")
