"""The configuration tree: written, read back, checked field by field."""

import pytest

from farm_ray.configuration import build, replace, to_yaml
from farm_ray.errors import ConfigError
from farm_ray.experiment import (
    DataConfig,
    EarlyStoppingConfig,
    Experiment,
    HeadConfig,
    ModelConfig,
    TaskConfig,
    TextClassificationProcessorConfig,
    TrainConfig,
    read_experiment,
    write_experiment,
)
from pipelines.quickstart import gather
from tests.raised import raised

FULL = Experiment(
    name="full",
    prepare=gather,
    processor=TextClassificationProcessorConfig(
        data_dir="d",
        tasks=(
            TaskConfig(name="coarse", label_list=("A", "B"), metric=("acc", "mcc"), label_column_name="c"),
            TaskConfig(name="fine", label_list=("1", "2"), text_column_name="other"),
        ),
        delimiter=",",
        quote_char=None,
        skiprows=(1, 3),
    ),
    data=DataConfig(batch_size=8, max_problem_share=0.1),
    model=ModelConfig(
        language_model="m", heads=(HeadConfig(task="coarse", hidden_dims=(16,), class_weights=(1.0, 2.5)),)
    ),
    train=TrainConfig(
        learning_rate=5e-5,
        optimizer_opts={"name": "AdamW", "weight_decay": 0.1},
        early_stopping=EarlyStoppingConfig(metric="acc", mode="max"),
    ),
    seed=7,
)
READY = replace(replace(Experiment(name="x"), "processor.data_dir", "d"), "model.language_model", "m")


@pytest.mark.parametrize("experiment", [FULL, READY, Experiment(name="ünïcode: 'quotes'")])
def test_yaml_is_read_back_to_the_same_value(experiment, tmp_path):
    write_experiment(experiment, tmp_path / "experiment.yaml")
    assert read_experiment(tmp_path / "experiment.yaml") == experiment


def test_a_function_is_written_as_its_name_and_comes_back_as_a_name_alone(tmp_path):
    write_experiment(FULL, tmp_path / "experiment.yaml")
    assert "prepare: pipelines.quickstart:gather\n" in (tmp_path / "experiment.yaml").read_text()
    back = read_experiment(tmp_path / "experiment.yaml")
    assert (FULL.prepare.function, back.prepare.function) == (gather, None)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("train.epohcs", 2, 'did you mean "train.epochs"'),
        ("train.epochs", "two", "train.epochs"),
        ("train.epochs", 0, "train.epochs"),
        ("processor.dev_split", 1.5, "processor.dev_split"),
        ("processor.label_list", "a,b", "processor.label_list"),
        ("processor.label_list", [True, "x"], "processor.label_list"),
        ("data.batch_size", 2.5, "data.batch_size"),
        ("optimizer", {}, "unknown key"),
        ("model.class_weights", "balancd", "model.class_weights"),
    ],
)
def test_a_wrong_setting_is_named(name, value, message):
    with pytest.raises(ConfigError, match=message):
        replace(READY, name, value)


def test_labels_that_look_like_numbers_are_text():
    assert replace(READY, "processor.label_list", [0, 1]).processor.label_list == ("0", "1")


def test_one_metric_may_stand_alone_and_a_tab_may_be_spelled():
    assert replace(READY, "processor.metric", "f1_macro").processor.metric == ("f1_macro",)
    assert replace(READY, "processor.delimiter", "\\t").processor.delimiter == "\t"


def test_build_names_a_nested_field():
    with raised(ConfigError, "invalid-value", option="processor.tasks.0.label_list"):
        build(Experiment, {"name": "x", "processor": {"tasks": [{"name": "a", "label_list": "a, b"}]}})


def test_to_yaml_is_readable():
    text = to_yaml(READY)
    assert "learning_rate: 2.0e-05" in text
    assert "name: x\n" in text


@pytest.mark.parametrize("labels", [[True, False], ["a", None], [1.0, 2.0]])
def test_labels_that_yaml_reads_as_something_else_are_asked_for_in_quotes(labels):
    with raised(ConfigError, "invalid-value", option="processor.label_list"):
        replace(FULL, "processor.label_list", labels)


def test_one_text_is_no_list_of_labels():
    with raised(ConfigError, "invalid-value", option="processor.label_list"):
        replace(FULL, "processor.label_list", "good")


def test_columns_without_a_header_may_be_given_as_numbers():
    assert replace(FULL, "processor.text_column_name", 0).processor.text_column_name == "0"
