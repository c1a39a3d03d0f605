"""FARM's experiment files as experiments."""

import json

import pytest

from farm_ray.configuration import to_yaml
from farm_ray.errors import ConfigError
from farm_ray.experiment import (
    EarlyStoppingConfig,
    HeadConfig,
    ModelConfig,
    NERProcessorConfig,
    TextClassificationProcessorConfig,
    TrainConfig,
    load_experiments,
    read_farm_config,
)
from tests.raised import raised

FARM = {
    "general": {
        "data_dir": {"value": "data/germeval18", "default": None, "desc": "x"},
        "output_dir": {"value": "saved", "default": None, "desc": "x"},
        "cuda": {"value": None, "default": True, "desc": "x"},
        "use_amp": {"value": None, "default": False, "desc": "x"},
        "seed": {"value": None, "default": 42, "desc": "x"},
    },
    "task": {
        "name": {"value": "germeval18_coarse", "default": None, "desc": "x"},
        "do_train": {"value": None, "default": True, "desc": "x"},
        "processor_name": {"value": "TextClassificationProcessor", "default": None, "desc": "x"},
        "label_list": {"value": ["OTHER", "OFFENSE"], "default": None, "desc": "x"},
        "metric": {"value": "f1_macro", "default": None, "desc": "x"},
        "label_column_name": {"value": "coarse_label", "default": "label", "desc": "x"},
        "dev_split": {"value": None, "default": 0.1, "desc": "x"},
        "delimiter": {"value": "\t", "default": None, "desc": "x"},
        "skiprows": {"value": None, "default": None, "desc": "x"},
    },
    "parameter": {
        "model": {"value": "bert-base-german-cased", "default": None, "desc": "x"},
        "prediction_head": {"value": "TextClassificationHead", "default": None, "desc": "x"},
        "max_seq_len": {"value": 150, "default": 128, "desc": "x"},
        "balance_classes": {"value": True, "default": False, "desc": "x"},
        "epochs": {"value": 1, "default": 2, "desc": "x"},
        "batch_size": {"value": 32, "default": 8, "desc": "x"},
        "gradient_accumulation_steps": {"value": 2, "default": 1, "desc": "x"},
        "layer_dims": {"value": "[768, 16, 2]", "default": None, "desc": "x"},
    },
    "optimizer": {
        "learning_rate": {"value": 2e-5, "default": None, "desc": "x"},
        "schedule_opts": {"value": {"name": "LinearWarmup", "warmup_proportion": 0.4}, "default": None, "desc": "x"},
    },
    "logging": {
        "eval_every": {"value": 50, "default": 100, "desc": "x"},
        "mlflow_url": {"value": None, "default": None, "desc": "x"},
    },
    "early_stopping": {"mode": {"value": "min", "default": None}, "patience": {"value": 3, "default": 0}},
}


def farm_file(tmp_path, changes=()):
    tree = json.loads(json.dumps(FARM))
    for section, key, value in changes:
        tree[section][key] = {"value": value, "default": None, "desc": "x"}
    path = tmp_path / "farm.json"
    path.write_text(json.dumps(tree))
    return path


def test_a_farm_config_becomes_an_experiment(tmp_path):
    (experiment,) = load_experiments(farm_file(tmp_path))
    assert (experiment.name, experiment.seed) == ("germeval18_coarse", 42)
    assert experiment.output_dir == "saved/germeval18_coarse"
    assert "output_dir" not in to_yaml(experiment)
    assert experiment.processor == TextClassificationProcessorConfig(
        data_dir="data/germeval18",
        label_list=("OTHER", "OFFENSE"),
        metric=("f1_macro",),
        label_column_name="coarse_label",
        max_seq_len=150,
    )
    assert experiment.model == ModelConfig(
        language_model="bert-base-german-cased",
        heads=(HeadConfig(task="text_classification", hidden_dims=(16,), class_weights="balanced"),),
    )
    assert experiment.data.batch_size == 16  # FARM's 32 rows per step in two micro-batches
    assert experiment.train == TrainConfig(
        grad_acc_steps=2,
        learning_rate=2e-5,
        schedule_opts={"name": "LinearWarmup", "warmup_proportion": 0.4},
        evaluate_every=50,
        use_amp=None,
        early_stopping=EarlyStoppingConfig(mode="min", patience=3),
    )


def test_lists_span_a_grid_except_in_the_task_and_for_layer_dims(tmp_path):
    changes = [
        ("parameter", "epochs", [1, 2]),
        ("optimizer", "learning_rate", [1e-5, 3e-5, 5e-5]),
        ("parameter", "layer_dims", [768, 2]),
    ]
    experiments = load_experiments(farm_file(tmp_path, changes))
    assert len(experiments) == 6
    points = [(experiment.train.epochs, experiment.train.learning_rate) for experiment in experiments]
    assert points == [(1, 1e-5), (1, 3e-5), (1, 5e-5), (2, 1e-5), (2, 3e-5), (2, 5e-5)]
    assert {experiment.processor.label_list for experiment in experiments} == {("OTHER", "OFFENSE")}
    assert {experiment.model.heads for experiment in experiments} == {()}


def test_the_processor_decides_about_kind_head_and_task(tmp_path):
    changes = [
        ("task", "processor_name", "NERProcessor"),
        ("task", "label_list", ["O", "B-PER"]),
        ("task", "metric", "seq_f1"),
        ("task", "label_column_name", None),
        ("parameter", "prediction_head", "TokenClassificationHead"),
    ]
    (experiment,) = load_experiments(farm_file(tmp_path, changes))
    assert experiment.processor == NERProcessorConfig(
        data_dir="data/germeval18", label_list=("O", "B-PER"), metric=("seq_f1",), max_seq_len=150, dev_split=0.1
    )
    assert experiment.model.heads == (HeadConfig(task="ner", hidden_dims=(16,), class_weights="balanced"),)


def test_the_multilabel_head_means_multilabel(tmp_path):
    changes = [("parameter", "prediction_head", "MultiLabelTextClassificationHead")]
    (experiment,) = load_experiments(farm_file(tmp_path, changes))
    assert experiment.processor.multilabel


def test_keys_without_effect_are_named_once(tmp_path, caplog):
    changes = [
        ("general", "output_dir", None),
        ("parameter", "epochs", [1, 2]),
        ("parameter", "lower_case", True),
        ("parameter", "lm_output_type", "per_sequence"),
        ("logging", "mlflow_url", "https://mlflow.example"),
        ("general", "local_rank", -1),
        ("task", "do_eval", True),
    ]
    experiments = load_experiments(farm_file(tmp_path, changes))
    assert [experiment.output_dir for experiment in experiments] == [None, None]
    (told,) = [record.getMessage() for record in caplog.records]
    assert told.startswith(f"{tmp_path / 'farm.json'}: these keys have no effect: general.cuda=True (give --use-gpu, ")
    assert "parameter.lower_case=True (the tokenizer's own files decide)" in told
    assert "logging.mlflow_url='https://mlflow.example'" in told
    assert not any(key in told for key in ("lm_output_type", "local_rank", "do_eval", "seed"))


def test_a_head_of_another_task_is_refused(tmp_path):
    with raised(ConfigError, "invalid-value", option="prediction_head", value="RegressionHead"):
        load_experiments(farm_file(tmp_path, [("parameter", "prediction_head", "RegressionHead")]))


def test_value_wins_over_default(tmp_path):
    (run,) = read_farm_config(farm_file(tmp_path))
    assert run["parameter"]["max_seq_len"] == 150
    assert run["task"]["dev_split"] == 0.1
    assert run["task"]["skiprows"] is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("parameter", "epochz", 1), 'did you mean "epochs"'),
        (("task", "processor_name", "SquadProcessor"), "SquadProcessor"),
        (("parameter", "prediction_head", "TokenClassificationHead"), "TokenClassificationHead"),
        (("task", "do_train", False), "jobs.evaluate"),
        (("parameter", "max_seq_len", "long"), "processor.max_seq_len"),
    ],
)
def test_a_farm_config_that_does_not_fit(tmp_path, change, message):
    with pytest.raises(ConfigError, match=message):
        load_experiments(farm_file(tmp_path, [change]))


@pytest.mark.parametrize("text", ["{", "[]", '{"general": 1}'])
def test_a_file_that_is_no_farm_config(tmp_path, text):
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(ConfigError, match=r"x\.json"):
        read_farm_config(tmp_path / "x.json")


def test_a_farm_config_that_is_not_there(tmp_path):
    with raised(ConfigError, "cannot-read-config"):
        read_farm_config(tmp_path / "x.json")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("batch_size", "32"),
        ("gradient_accumulation_steps", 0),
        ("layer_dims", "[768"),
        ("layer_dims", 768),
    ],
)
def test_a_farm_number_that_cannot_be_meant_is_named(tmp_path, key, value):
    with pytest.raises(
        ConfigError, match=rf"farm\.json: parameter\.{key} must be .*, not {value!r}".replace("[", r"\[")
    ):
        load_experiments(farm_file(tmp_path, [("parameter", key, value)]))
