"""Folds trained and tested: what comes back, in this process and on Ray alike, and errors that name their fold."""

import numpy as np
import pytest
import torch

from farm_ray.errors import ConfigError
from farm_ray.train import EarlyStopping
from farm_ray.train.cross_validation import cross_validate
from tests.raised import raised
from tests.runs import labelled_dicts, small_model, small_silo
from tests.train.small_folds import OPTIONS, folds_of, maker, numbers


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
