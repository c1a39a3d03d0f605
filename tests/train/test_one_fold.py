"""One fold: trained and tested by itself."""

import pytest
import torch

from farm_ray.errors import DataProblemError
from farm_ray.train import EarlyStopping
from farm_ray.train.cross_validation import cross_validate
from tests.runs import small_model
from tests.train.small_folds import OPTIONS, folds_of, maker


def test_random_numbers_for_fresh_weights_are_the_same_in_each_fold(tiny_folder, silo):
    drawn = []

    def make_model(_silo):
        drawn.append(torch.rand(3).tolist())
        return small_model(tiny_folder)

    cross_validate(folds_of(silo, 2), make_model, parallel=1, **OPTIONS | {"epochs": 1})
    cross_validate(folds_of(silo, 2), make_model, parallel=1, seed=1, **OPTIONS | {"epochs": 1})
    assert drawn[0] == drawn[1] == drawn[2] != drawn[3]


def test_each_fold_stops_early_by_itself(tiny_folder, silo):
    stopping = EarlyStopping(metric="loss", mode="min", patience=0, min_delta=10.0)
    done = cross_validate(
        folds_of(silo, 2), maker(tiny_folder), parallel=1, early_stopping=stopping, **OPTIONS | {"evaluate_every": 1}
    )
    assert [fold.steps for fold in done.folds] == [2, 2]
    assert stopping.eval_values == []


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
