import json
import logging

import numpy as np
import pyarrow as pa
import pytest
import torch

from farm_ray.data_handler.file_to_dicts.splits import Split
from farm_ray.data_handler.processor import (
    InferenceProcessor,
    Processor,
    RegressionProcessor,
    TextClassificationProcessor,
    TextPairRegressionProcessor,
)
from farm_ray.errors import ConfigError
from tests.data_handler.processor.user_processors import StarsProcessor
from tests.raised import raised

TSV = "text\tlabel\na good film\t4\nvery good\t5\nwhat a day\t5.0\na day\t 5\n"
SCALED = [[-1.7320508], [0.57735026], [0.57735026], [0.57735026]]

FARM_08 = {
    "baskets": [],
    "data_dir": "../data/prices",
    "delimiter": "\t",
    "dev_filename": None,
    "dev_split": 0.1,
    "dev_stratification": False,
    "header": 0,
    "label_column_name": "label",
    "max_samples": None,
    "max_seq_len": 12,
    "multilabel": False,
    "proxies": None,
    "quote_char": "'",
    "skiprows": None,
    "tasks": {
        "regression": {
            "label_list": [4.75, 0.4330127018922193],
            "metric": "mse",
            "label_tensor_name": "regression_label_ids",
            "label_name": "regression_label",
            "label_column_name": "label",
            "text_column_name": "text",
            "task_type": "regression",
        }
    },
    "test_filename": "test.tsv",
    "text_column_name": "text",
    "tokenizer": "BertTokenizerFast",
    "train_filename": "train.tsv",
    "processor": "RegressionProcessor",
}


@pytest.fixture
def regression(tokenizer):
    usual = {"tokenizer": tokenizer, "max_seq_len": 8, "data_dir": None}
    return lambda kind=RegressionProcessor, **settings: kind(**(usual | settings))


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "train.tsv"
    path.write_text(TSV)
    return str(path)


def read(processor, path):
    return pa.concat_tables(processor.read(Split(path)))


def test_the_one_task(regression):
    processor = regression(label_column_name="stars", label_name="points", scaler_mean=3, scaler_scale=0.5)
    assert processor.tasks == {
        "regression": {
            "label_list": [3.0, 0.5],
            "metric": "mse",
            "label_tensor_name": "points_ids",
            "label_name": "points",
            "label_column_name": "stars",
            "text_column_name": "text",
            "task_type": "regression",
        }
    }
    assert regression(metric=["r2", "mse"]).tasks["regression"]["metric"] == ["r2", "mse"]


def test_dicts_of_a_file(regression, file):
    assert regression().file_to_dicts(file)[:2] == [
        {"text": "a good film", "regression_label": "4"},
        {"text": "very good", "regression_label": "5"},
    ]


def test_labels_are_scaled_by_the_training_data(regression, file):
    processor = regression().frozen()
    assert (processor.scaler_mean, processor.scaler_scale) == (None, None)
    fitted = processor.fitted_on(processor.read(Split(file)))
    assert (fitted.scaler_mean, fitted.scaler_scale) == pytest.approx((4.75, 0.4330127), abs=1e-7)
    features = fitted.featurize(read(fitted, file))
    assert features["regression_label_ids"].type == pa.list_(pa.float32(), 1)
    assert features["regression_label_ids"].to_pylist() == [pytest.approx(label) for label in SCALED]
    other = fitted.featurize(
        fitted.dicts_to_table([{"text": "a", "label": 4.75}, {"text": "a", "regression_label": 0}])
    )
    assert other["regression_label_ids"].to_pylist() == [[0.0], [pytest.approx(-10.969655)]]


def test_a_fitted_processor_stays_as_it_is(regression, file):
    processor = regression().frozen()
    fitted = processor.fitted_on(processor.read(Split(file)))
    assert processor.tasks["regression"]["label_list"] == []
    assert fitted.fitted_on([]) is fitted
    assert fitted.fingerprint() != processor.fingerprint()
    assert fitted.fingerprint() == processor.fitted_on(processor.read(Split(file))).fingerprint()
    with raised(ConfigError, "processor-is-frozen"):
        fitted.tasks = {}


def test_given_scaling_is_not_measured(regression, file):
    processor = regression(scaler_mean=0.0, scaler_scale=2.0)
    assert processor.fitted_on(processor.read(Split(file))) is processor
    features = processor.featurize(read(processor, file))
    assert features["regression_label_ids"].to_pylist() == [[2.0], [2.5], [2.5], [2.5]]
    with raised(ConfigError, "incomplete-options", option="scaler_mean"):
        regression(scaler_mean=1.0)
    with raised(ConfigError, "wrong-scaling", value=[1.0, 0.0]):
        regression(scaler_mean=1.0, scaler_scale=0.0)


def test_labels_need_a_scaling(regression, file):
    with raised(ConfigError, "scaling-not-known", task="regression_label"):
        regression().featurize(read(regression(), file))
    inference = regression().for_inference()
    assert inference.featurize(read(inference, file))["problem"].null_count == 4


def test_bad_labels_tell_line_and_value(regression, tmp_path):
    path = tmp_path / "train.tsv"
    path.write_text("text\tscore\na\t4,5\nb\tgood\nc\tnan\nd\tinf\ne\t\nf\t1e40\ng\t-2\nh\t3e38\n")
    processor = regression(label_column_name="score", scaler_mean=0.0, scaler_scale=0.5)
    features = processor.featurize(read(processor, str(path)))
    rows = features["problem"].to_pylist()
    assert [row and (row["kind"], row["line"], row["value"]) for row in rows] == [
        ("bad label", 2, "4,5"),
        ("bad label", 3, "good"),
        ("bad label", 4, "nan"),
        ("bad label", 5, "inf"),
        ("missing label", 6, None),
        ("bad label", 7, "1e40"),
        None,
        ("bad label", 9, "3e38"),
    ]
    assert rows[0]["message"] == (
        'train.tsv:2: label "4,5" in column "score" is not a number; if the comma is a decimal comma, write "4.5"'
    )
    assert rows[4]["message"] == 'train.tsv:6: no label in column "score"; fill it in or remove the row'
    assert features["regression_label_ids"].to_pylist() == [None] * 6 + [[-4.0], None]


def test_numbers_of_dicts(regression):
    processor = regression(scaler_mean=1.0, scaler_scale=1.0)
    labels = [3, 2.5, np.float32(4.7), "1e2", True, None, [7]]
    features = processor.featurize(processor.dicts_to_table([{"text": "a", "label": label} for label in labels]))
    assert features["regression_label_ids"].to_pylist() == [
        [2.0], [1.5], [pytest.approx(3.7)], [99.0], None, None, [6.0]
    ]  # fmt: skip


def test_tensors(regression):
    rows = [{"text": "a", "label": "4"}, {"text": "b", "label": "x"}]
    dataset, names, problematic = regression(scaler_mean=3.0, scaler_scale=2.0).dataset_from_dicts(rows)
    assert names[-1] == "regression_label_ids"
    assert dataset.tensors[-1].dtype == torch.float32
    assert (dataset.tensors[-1].tolist(), problematic) == ([[0.5]], {1})


def test_round_trip(regression, file, tmp_path, caplog):
    processor = regression(label_name="points", metric=["mse", "r2"])
    fitted = processor.fitted_on(processor.read(Split(file)))
    fitted.save(tmp_path / "model")
    with caplog.at_level(logging.WARNING):
        loaded = Processor.load_from_dir(tmp_path / "model")
        inference = InferenceProcessor.load_from_dir(tmp_path / "model")
    assert not caplog.records
    assert type(loaded) is RegressionProcessor
    assert loaded.tasks == inference.tasks == fitted.tasks
    assert loaded.fingerprint() == fitted.fingerprint()
    assert loaded.featurize(read(loaded, file)).equals(fitted.featurize(read(fitted, file)))


def test_pairs(regression, tmp_path):
    path = tmp_path / "train.tsv"
    path.write_text("text\ttext_b\tscore\na good film\ta film\t1\na day\tvery bad\t3\n")
    processor = regression(TextPairRegressionProcessor, label_column_name="score")
    fitted = processor.fitted_on(processor.read(Split(str(path))))
    assert (fitted.scaler_mean, fitted.scaler_scale) == (2.0, 1.0)
    features = fitted.featurize(read(fitted, str(path)))
    assert features["regression_label_ids"].to_pylist() == [[-1.0], [1.0]]
    assert features["segment_ids"].to_pylist()[0] == [0, 0, 0, 0, 0, 1, 1, 1]
    assert fitted.file_to_dicts(str(path))[0] == {
        "text": ("a good film", "a film"), "text_b": "a film", "regression_label": "1"
    }  # fmt: skip
    fitted.save(tmp_path / "model")
    loaded = Processor.load_from_dir(tmp_path / "model")
    assert (type(loaded), loaded.tasks) == (TextPairRegressionProcessor, fitted.tasks)


@pytest.mark.parametrize("name", ["RegressionProcessor", "TextPairRegressionProcessor"])
def test_folder_of_farm(tokenizer, tmp_path, caplog, name):
    tokenizer.save_pretrained(str(tmp_path))
    (tmp_path / "processor_config.json").write_text(json.dumps(FARM_08 | {"processor": name}))
    with caplog.at_level(logging.WARNING):
        processor = Processor.load_from_dir(tmp_path)
        inference = InferenceProcessor.load_from_dir(tmp_path)
    assert not caplog.records
    assert type(processor).__name__ == name
    assert processor.tasks == inference.tasks == FARM_08["tasks"]
    assert (processor.scaler_mean, processor.scaler_scale) == (4.75, 0.4330127018922193)
    assert (inference.text_b_column_name is None) == (name == "RegressionProcessor")


def test_a_folder_of_farm_that_was_never_trained(tokenizer, tmp_path):
    tokenizer.save_pretrained(str(tmp_path))
    config = json.loads(json.dumps(FARM_08))
    config["tasks"]["regression"]["label_list"] = [None, None]
    (tmp_path / "processor_config.json").write_text(json.dumps(config))
    assert Processor.load_from_dir(tmp_path).scaler_mean is None


def test_a_number_and_a_class(make, tmp_path):
    path = tmp_path / "train.tsv"
    path.write_text("text\tlabel\tstars\na\tOTHER\t1\nb\tOFFENSE\t3\n")
    processor = make()
    processor.add_task("stars", "mse", [], "stars", task_type="regression")
    fitted = processor.fitted_on(processor.read(Split(str(path))))
    features = fitted.featurize(read(fitted, str(path)))
    assert features["text_classification_label_ids"].to_pylist() == [[0], [1]]
    assert features["stars_label_ids"].to_pylist() == [[-1.0], [1.0]]


def test_tasks_of_its_own_instead(regression):
    processor = regression(metric=None)
    with pytest.raises(ConfigError, match=r"metric missing: .*--set processor\.metric=mse"):
        processor.check_ready_for_training()
    processor.add_task("one", "mse", [], "a")
    processor.add_task("two", "acc", ["x", "y"], "b", task_type="classification")
    assert [task["task_type"] for task in processor.tasks.values()] == ["regression", "classification"]
    assert processor.scaler_mean is None


def test_labels_of_a_subclass_are_not_measured(tokenizer):
    processor = StarsProcessor(tokenizer, 8, None)
    processor.add_task("mood", "mse", [], task_type="regression")
    table = processor.dicts_to_table([{"text": "a", "mood_label": label} for label in (3, 7)])
    assert processor.fitted_on([table]).tasks["mood"]["label_list"] == [0.0, 1.0]


def test_it_is_a_text_classification_processor_with_farms_arguments(tokenizer):
    processor = RegressionProcessor(
        tokenizer, 8, "data", "t.tsv", "d.tsv", None, 0.0, ",", '"', None, "stars", "points", 3.0, 2.0, None, "satz"
    )
    assert isinstance(processor, TextClassificationProcessor)
    assert (processor.train_filename, processor.label_column_name, processor.text_column_name) == (
        "t.tsv",
        "stars",
        "satz",
    )
    assert list(processor.tasks["regression"]["label_list"]) == [3.0, 2.0]
    with pytest.raises(TypeError, match='RegressionProcessor has no argument "label_list"'):
        RegressionProcessor(tokenizer=tokenizer, max_seq_len=8, data_dir=None, label_list=[1, 2])
