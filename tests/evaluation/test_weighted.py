"""Metrics as functions of weights."""

import functools

import numpy as np
import pytest

from farm_ray.evaluation.bootstrap import bootstrap_interval
from farm_ray.evaluation.metrics import METRICS, acc_and_f1, compute_metrics
from farm_ray.evaluation.weighted import weighted
from tests.evaluation.test_bootstrap import COLUMNS, ROWS

FITTING = [
    *((name, "names") for name in ("acc", "exact_match", "f1_macro", "f1_micro", "mcc")),
    *((name, "bits") for name in ("acc", "acc_f1", "f1_macro", "mcc")),
    *(
        (name, kind)
        for name in ("acc", "acc_f1", "exact_match", "f1_macro", "f1_samples", "mcc")
        for kind in ("grid", "lists")
    ),
    *((name, "one label") for name in ("acc", "f1_macro", "f1_micro", "f1_samples")),
    *((name, "tags") for name in ("acc", "exact_match", "f1_macro", "seq_f1", "seq_precision", "seq_recall")),
    *((name, kind) for name in ("mse", "r2", "pear_spear") for kind in ("numbers", "always 0.1")),
]


def test_every_built_in_metric_is_looked_at():
    assert {name for name, _ in FITTING} == set(METRICS)


@pytest.mark.parametrize(("name", "kind"), FITTING)
@pytest.mark.filterwarnings("error")
def test_weights_are_as_good_as_the_rows_themselves(name, kind):
    """Few rows drawn from many, so that labels are missing and columns become constant."""
    preds, labels = (list(column) for column in COLUMNS[kind])
    of = weighted(METRICS[name], preds, labels)
    for sample in range(30):
        drawn = np.random.default_rng(sample).integers(0, ROWS, 2 + sample * 3)
        expected = compute_metrics(name, [preds[row] for row in drawn], [labels[row] for row in drawn])
        found = of(np.bincount(drawn, minlength=ROWS).astype(float))
        assert found == pytest.approx(expected, abs=1e-9, nan_ok=True)


def test_a_metric_of_ones_own_is_computed_on_resampled_rows():
    own = functools.partial(acc_and_f1, positive_label=1)
    assert weighted(own, *COLUMNS["bits"]) is None
    assert bootstrap_interval(own, *COLUMNS["bits"], samples=50) == bootstrap_interval(
        "acc_f1", *COLUMNS["bits"], samples=50
    )
    by_array = bootstrap_interval(lambda preds, labels: {"acc": float((preds == labels).mean())}, *COLUMNS["grid"])
    assert by_array == {"acc": pytest.approx(bootstrap_interval("acc", *COLUMNS["grid"])["acc"])}
