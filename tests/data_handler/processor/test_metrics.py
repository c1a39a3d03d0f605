import pytest

from farm_ray.data_handler.processor import Processor
from farm_ray.errors import ConfigError
from farm_ray.evaluation.metrics import register_metrics
from tests.raised import raised


def my_metric(preds, labels):
    return {"mine": 0.0}


def test_an_unknown_metric_is_found_before_training(make):
    with raised(ConfigError, "unknown-metric", value="accuracy"):
        make(metric="accuracy").check_ready_for_training()
    with raised(ConfigError, "missing-option", option="metric"):
        make(metric=[]).check_ready_for_training()


def test_functions_as_metrics_are_saved_by_their_registered_name(make, tmp_path):
    processor = make(metric=["acc", my_metric])
    assert processor.tasks["text_classification"]["metric"][1] is my_metric
    with pytest.raises(ConfigError, match=r'register_metrics\("my_metric", my_metric\)'):
        processor.save(tmp_path / "model")
    assert not (tmp_path / "model").exists()
    register_metrics("mine", my_metric)
    processor.save(tmp_path / "model")
    assert Processor.load_from_dir(tmp_path / "model").tasks["text_classification"]["metric"] == ["acc", "mine"]


class Callable:
    def __call__(self, preds, labels):
        return 0.5


def test_a_frozen_copy_knows_the_names_too(make):
    metric = Callable()
    register_metrics("callable", metric)
    config = make(metric=metric).frozen().generate_config()
    assert config["tasks"]["text_classification"]["metric"] == "callable"
