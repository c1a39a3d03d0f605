"""Folds trained and tested: what comes back, in this process and on Ray alike, and errors that name their fold."""

import logging
import os
import statistics
import threading
import time

import numpy as np
import pytest
import torch

from farm_ray import cluster
from farm_ray.data_handler.data_silo import DataSilo, DataSiloForCrossVal, DataSiloForHoldout
from farm_ray.data_handler.processor import TextClassificationProcessor
from farm_ray.errors import ClusterError, ConfigError, DataProblemError
from farm_ray.evaluation.metrics import compute_metrics, register_metrics
from farm_ray.train import EarlyStopping
from farm_ray.train.cross_validation import cross_validate
from tests.raised import raised
from tests.runs import LABELS, labelled_dicts, small_model, small_silo
from tests.tiny import tiny_tokenizer

OPTIONS = {"epochs": 2, "learning_rate": 3e-3, "evaluate_every": 0, "bootstrap_samples": 50}


@pytest.fixture(scope="module")
def silo(tiny_folder):
    return small_silo(tiny_folder, dicts=labelled_dicts(42), metric=["acc", "f1_macro"])


def folds_of(silo, n_splits=3, **options):
    return DataSiloForCrossVal.make(silo, n_splits=n_splits, **options)


def maker(folder, **options):
    return lambda _silo: small_model(folder, **options)


def numbers(done):
    """What must not depend on where a fold was trained."""
    return [(fold.dev, fold.test, fold.order_hash, fold.steps, fold.ids, fold.predictions) for fold in done.folds]


def test_every_row_is_predicted_once(tiny_folder, silo):
    folds, heard = folds_of(silo), []
    done = cross_validate(folds, maker(tiny_folder), parallel=1, progress=lambda *news: heard.append(news), **OPTIONS)
    table = done.predictions
    assert table.column_names == ["id", "fold", "prediction", "label"]
    assert sorted(table["id"].to_pylist()) == sorted(str(n) for n in range(42))
    for number, fold in enumerate(folds, start=1):
        of_fold = table.filter(np.array(table["fold"].to_pylist()) == number)
        assert of_fold["id"].to_pylist() == fold.data["test"].ids()
    labels = dict(zip(table["id"].to_pylist(), table["label"].to_pylist(), strict=True))
    assert labels == {str(n): row["text_classification_label"] for n, row in enumerate(labelled_dicts(42))}
    steps = [fold.steps for fold in done.folds]
    assert heard[-1] == ("train", sum(steps), sum(steps), heard[-1][3])
    assert [news[1] for news in heard] == list(range(1, sum(steps) + 1))
    assert "fold 3 of 3" in heard[-1][3]


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


def test_again_is_the_same_and_other_folds_are_others(tiny_folder, silo):
    first = cross_validate(folds_of(silo), maker(tiny_folder, dropout=0.1), parallel=1, **OPTIONS)
    again = cross_validate(folds_of(silo), maker(tiny_folder, dropout=0.1), parallel=1, **OPTIONS)
    assert numbers(first) == numbers(again)
    assert len({fold.order_hash for fold in first.folds}) == 3
    other = cross_validate(folds_of(silo, random_state=1), maker(tiny_folder), parallel=1, **OPTIONS)
    assert [fold.order_hash for fold in other.folds] != [fold.order_hash for fold in first.folds]


def test_the_number_of_threads_changes_the_last_digits_at_most(tiny_folder, silo):
    one, two = (
        cross_validate(folds_of(silo, 2), maker(tiny_folder), parallel=1, threads=threads, **OPTIONS)
        for threads in (1, 2)
    )
    for here, there in zip(one.folds, two.folds, strict=True):
        assert (here.order_hash, here.ids) == (there.order_hash, there.ids)
        assert here.test[0]["loss"] == pytest.approx(there.test[0]["loss"], rel=1e-4)


def test_random_numbers_for_fresh_weights_are_the_same_in_each_fold(tiny_folder, silo):
    drawn = []

    def make_model(_silo):
        drawn.append(torch.rand(3).tolist())
        return small_model(tiny_folder)

    cross_validate(folds_of(silo, 2), make_model, parallel=1, **OPTIONS | {"epochs": 1})
    cross_validate(folds_of(silo, 2), make_model, parallel=1, seed=1, **OPTIONS | {"epochs": 1})
    assert drawn[0] == drawn[1] == drawn[2] != drawn[3]


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


def test_several_heads_have_columns_of_their_own(tiny_folder, silo):
    def two_heads(_silo):
        model = small_model(tiny_folder, heads=2)
        model.prediction_heads[1].task_name = "again"
        return model

    tasks = dict(silo.processor.tasks)
    folds = folds_of(silo, 2)
    for fold in folds:
        again = tasks["text_classification"].changed(metric="mcc")
        object.__setattr__(fold.processor, "tasks", tasks | {"again": again})
    try:
        done = cross_validate(folds, two_heads, parallel=1, **OPTIONS | {"epochs": 1})
    finally:
        object.__setattr__(silo.processor, "tasks", tasks)
    names = ["text_classification_prediction", "text_classification_label", "again_prediction", "again_label"]
    assert done.predictions.column_names == ["id", "fold", *names]
    assert done.pooled["again"].keys() == {"mcc"}
    assert done.metrics["dev"].keys() == {"text_classification", "again"}


def test_each_fold_stops_early_by_itself(tiny_folder, silo):
    stopping = EarlyStopping(metric="loss", mode="min", patience=0, min_delta=10.0)
    done = cross_validate(
        folds_of(silo, 2), maker(tiny_folder), parallel=1, early_stopping=stopping, **OPTIONS | {"evaluate_every": 1}
    )
    assert [fold.steps for fold in done.folds] == [2, 2]
    assert stopping.eval_values == []


def test_threads_are_put_back(tiny_folder, silo):
    before, seen = torch.get_num_threads(), []

    def make_model(_silo):
        seen.append(torch.get_num_threads())
        return small_model(tiny_folder)

    torch.set_num_threads(2)
    try:
        cross_validate(folds_of(silo, 2), make_model, parallel=1, threads=1, **OPTIONS | {"epochs": 1})
        assert (seen, torch.get_num_threads()) == ([2, 1, 1], 2)
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize(
    ("options", "kind", "told"),
    [
        ({"epohcs": 2}, TypeError, "epochs"),
        ({"num_workers": 2}, TypeError, "num_workers"),
        ({"parallel": 0}, ConfigError, "parallel must be at least 1"),
        ({"threads": 0}, ConfigError, "threads must be at least 1"),
        ({"epochs": 0}, ConfigError, "epochs must be at least 1"),
        ({"early_stopping": EarlyStopping(save_dir="best")}, ConfigError, "save_dir"),
    ],
)
def test_senseless_options(tiny_folder, silo, options, kind, told):
    with pytest.raises(kind, match=told):
        cross_validate(folds_of(silo, 2), maker(tiny_folder), **options)


def test_folds_that_are_none(tiny_folder, silo):
    with raised(ConfigError, "no-folds"):
        cross_validate([], maker(tiny_folder))
    with raised(ConfigError, "incomplete-fold", value=1):
        cross_validate([silo], maker(tiny_folder))
    other = small_silo(tiny_folder, dicts=labelled_dicts(42))
    with raised(ConfigError, "folds-of-several-silos"):
        cross_validate([*folds_of(silo), *folds_of(other)], maker(tiny_folder))


def breaking(folder, error, at):
    """A `make_model` that raises for one fold."""

    def make_model(silo):
        if silo.fold == at:
            raise error
        return small_model(folder)

    return make_model


def test_a_failing_fold_is_named(tiny_folder, silo):
    with pytest.raises(DataProblemError, match="fold 2 of 3: no good") as caught:
        cross_validate(
            folds_of(silo), breaking(tiny_folder, DataProblemError("no good", row=7), 2), parallel=1, **OPTIONS
        )
    assert caught.value.facts == {"row": 7, "fold": 2}
    with pytest.raises(ZeroDivisionError) as raw:
        cross_validate(folds_of(silo), breaking(tiny_folder, ZeroDivisionError(), 3), parallel=1, **OPTIONS)
    assert raw.value.__notes__ == ["This was in fold 3 of 3."]


@pytest.mark.cluster
@pytest.mark.usefixtures("ray_cluster")
def test_on_ray_as_here(tiny_folder, silo, caplog):
    """With the same number of threads every number is the same; metrics registered here are known there."""
    register_metrics("share_of_good", lambda preds, _labels: {"share_of_good": preds.count("good") / len(preds)})
    silo = small_silo(tiny_folder, dicts=labelled_dicts(42), metric=["acc", "share_of_good"])
    heard = []
    here, there = (
        cross_validate(
            folds_of(silo, 4),
            maker(tiny_folder, dropout=0.1),
            parallel=parallel,
            threads=1,
            progress=lambda *news: heard.append(news),
            early_stopping=EarlyStopping(metric="loss", patience=1),
            **OPTIONS | {"evaluate_every": 2},
        )
        for parallel in (1, 2)
    )
    assert numbers(here) == numbers(there)
    assert here.predictions.equals(there.predictions)
    assert (here.pooled, here.intervals, here.metrics) == (there.pooled, there.intervals, there.metrics)
    assert heard[-1][0] == "train"


@pytest.mark.cluster
@pytest.mark.usefixtures("ray_cluster")
def test_features_made_on_ray_are_not_copied_for_the_folds(tiny_folder, tmp_path, monkeypatch, caplog):
    """A silo that Ray filled; its small test file was read in this process. Folds run at once, each with its share."""
    for name, n in (("train", 60), ("test", 12)):
        rows = "".join(f"{row['text']}\t{row['text_classification_label']}\n" for row in labelled_dicts(n))
        (tmp_path / f"{name}.tsv").write_text("text\tlabel\n" + rows)
    monkeypatch.setattr("farm_ray.data_handler.data_silo.loading._SMALL_BYTES", 500)
    processor = TextClassificationProcessor(
        tokenizer=tiny_tokenizer(tmp_path), max_seq_len=16, data_dir=str(tmp_path), label_list=LABELS, metric="acc"
    )
    on_ray = DataSilo(processor, batch_size=8)
    assert on_ray.data["train"].blocks
    assert not on_ray.data["test"].blocks
    in_process = DataSilo(processor, batch_size=8, max_processes=1)
    with caplog.at_level(logging.INFO):
        there = cross_validate(folds_of(on_ray), maker(tiny_folder), **OPTIONS)
    at_once = min(3, cluster.cores())
    share = max(1, cluster.cores() // at_once)
    assert f"3 folds, {at_once} at once with {share} torch threads each" in caplog.text
    here = cross_validate(folds_of(in_process), maker(tiny_folder), parallel=1, threads=share, **OPTIONS)
    assert len(there.folds) == 3
    assert numbers(there) == numbers(here)


@pytest.mark.cluster
@pytest.mark.usefixtures("ray_cluster")
def test_on_ray_a_failing_fold_is_named_and_ends_the_others(tiny_folder, silo, tmp_path):
    def make_model(fold_silo):
        if fold_silo.fold == 2:
            while not (tmp_path / "first").exists():
                time.sleep(0.1)
            raise DataProblemError("no good")
        if os.getpid() != driver:
            (tmp_path / "pid").write_text(str(os.getpid()))
            (tmp_path / "first").touch()
            time.sleep(100)
        return small_model(tiny_folder)

    driver = os.getpid()
    with pytest.raises(DataProblemError, match="fold 2 of 2: no good"):
        cross_validate(folds_of(silo, 2), make_model, parallel=2, **OPTIONS)
    assert is_gone(int((tmp_path / "pid").read_text()))


@pytest.mark.cluster
@pytest.mark.usefixtures("ray_cluster")
def test_on_ray_ctrl_c_ends_the_folds(tiny_folder, silo, tmp_path, monkeypatch):
    def make_model(_silo):
        if os.getpid() != driver:
            (tmp_path / str(os.getpid())).touch()
            time.sleep(100)
        return small_model(tiny_folder)

    def interrupt(*_news):
        if len(list(tmp_path.iterdir())) == 2:
            raise KeyboardInterrupt

    driver = os.getpid()
    with pytest.raises(KeyboardInterrupt):
        cross_validate(folds_of(silo), make_model, parallel=2, progress=interrupt, **OPTIONS)
    assert all(is_gone(int(path.name)) for path in tmp_path.iterdir())


@pytest.mark.cluster
@pytest.mark.usefixtures("ray_cluster")
def test_on_ray_a_killed_fold_is_named(tiny_folder, silo):
    def make_model(fold_silo):
        if os.getpid() != driver and fold_silo.fold == 2:
            os.kill(os.getpid(), 9)
        return small_model(tiny_folder)

    driver = os.getpid()
    with pytest.raises(ClusterError, match=r"fold 2 of 2: .*fewer folds at once may help"):
        cross_validate(folds_of(silo, 2), make_model, parallel=2, **OPTIONS)


@pytest.mark.cluster
@pytest.mark.usefixtures("ray_cluster")
@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_gpus_that_a_local_ray_does_not_have(tiny_folder, silo):
    with pytest.raises(ClusterError, match="2 folds at once with a GPU each were asked for, and there are 0 GPUs"):
        cross_validate(folds_of(silo), maker(tiny_folder), parallel=2, use_gpu=True, **OPTIONS)


def is_gone(process):
    """Whether the process has ended, at the latest in ten seconds."""
    ended = threading.Event()
    for _ in range(100):
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return True
        ended.wait(0.1)
    return False
