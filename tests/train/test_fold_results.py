"""Results of folds together: spreads, and all predictions as one."""

import statistics

import numpy as np
import pytest

from farm_ray.data_handler.data_silo import DataSiloForHoldout
from farm_ray.evaluation.metrics import compute_metrics
from farm_ray.train.cross_validation import cross_validate
from tests.runs import labelled_dicts, small_silo
from tests.train.small_folds import OPTIONS, folds_of, maker


def test_metrics_of_each_fold_on_average_and_of_all_predictions(tiny_folder, silo):
    done = cross_validate(folds_of(silo), maker(tiny_folder), parallel=1, **OPTIONS)
    accuracies = [fold.test[0]["acc"] for fold in done.folds]
    spread = done.metrics["test"]["text_classification"]["acc"]
    assert spread.mean == pytest.approx(np.mean(accuracies))
    assert spread.std == pytest.approx(statistics.stdev(accuracies))
    assert done.metrics["dev"]["text_classification"].keys() == {"loss", "acc", "f1_macro"}
    predictions, labels = done.predictions["prediction"].to_pylist(), done.predictions["label"].to_pylist()
    assert done.pooled["text_classification"] == compute_metrics(["acc", "f1_macro"], predictions, labels)
    low, high = done.intervals["text_classification"]["acc"]
    assert low <= done.pooled["text_classification"]["acc"] <= high
    assert low < high
    assert "good" in done.reports["text_classification"]
    for fold in done.folds:
        assert fold.test[0].keys() == {"task_name", "loss", "acc", "f1_macro", "report"}
        assert fold.rows == {"train": 22, "dev": 6, "test": 14}
        assert fold.seconds > 0


def test_a_row_tested_twice_is_not_pooled(tiny_folder, silo):
    nested = folds_of(silo, 2, n_inner_splits=2)
    done = cross_validate(nested, maker(tiny_folder), parallel=1, **OPTIONS | {"epochs": 1})
    assert (done.pooled, done.intervals, done.reports) == ({}, {}, {})
    assert done.predictions.num_rows == 2 * 42
    assert done.metrics["test"]["text_classification"]["acc"].std >= 0
    one = cross_validate(
        DataSiloForHoldout.make(silo, n_splits=1), maker(tiny_folder), parallel=1, **OPTIONS | {"epochs": 1}
    )
    assert one.pooled["text_classification"]["acc"] == one.folds[0].test[0]["acc"]
    assert one.metrics["test"]["text_classification"]["acc"].std == 0


def test_without_dev_and_without_reports_and_intervals(tiny_folder):
    silo = small_silo(tiny_folder, dicts=labelled_dicts(24), dev_split=0)
    options = OPTIONS | {"epochs": 1, "bootstrap_samples": 0, "eval_report": False}
    done = cross_validate(folds_of(silo, 2), maker(tiny_folder), parallel=1, **options)
    assert done.metrics.keys() == {"test"}
    assert (done.intervals, done.reports) == ({}, {})
    assert done.folds[0].dev is None
