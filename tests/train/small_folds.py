"""Folds of a small silo, and what trains on them."""

from farm_ray.data_handler.data_silo import DataSiloForCrossVal
from tests.runs import small_model

OPTIONS = {"epochs": 2, "learning_rate": 3e-3, "evaluate_every": 0, "bootstrap_samples": 50}


def folds_of(silo, n_splits=3, **options):
    return DataSiloForCrossVal.make(silo, n_splits=n_splits, **options)


def maker(folder, **options):
    return lambda _silo: small_model(folder, **options)


def numbers(done):
    """What must not depend on where a fold was trained."""
    return [(fold.dev, fold.test, fold.order_hash, fold.steps, fold.ids, fold.predictions) for fold in done.folds]
