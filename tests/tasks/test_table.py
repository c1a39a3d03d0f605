"""Kinds of tasks are found by any of their names, and users' own beside them."""

import dataclasses

import pytest

from farm_ray.errors import ConfigError
from farm_ray.tasks import table
from farm_ray.tasks.classification import CLASSIFICATION, OWN_LABELS
from farm_ray.tasks.multilabel import MULTILABEL_CLASSIFICATION
from farm_ray.tasks.regression import REGRESSION
from farm_ray.tasks.token_classification import TOKEN_CLASSIFICATION
from tests.raised import raised

OWN = dataclasses.replace(CLASSIFICATION, name="stance", farm_name="stance", head="StanceHead", head_type="stance")


@pytest.fixture(autouse=True)
def _as_before(monkeypatch):
    monkeypatch.setattr(table, "_specs", dict(table._specs))


def test_names():
    assert table.spec_named("regression", task_name="stars") == REGRESSION
    assert table.spec_named(None, task_name="x") is OWN_LABELS
    assert table.spec_of_farm("ner") == TOKEN_CLASSIFICATION
    assert table.spec_of_head("multilabel_text_classification") == MULTILABEL_CLASSIFICATION
    assert (table.spec_of_farm("stance"), table.spec_of_head("stance")) == (None, None)
    with pytest.raises(ConfigError, match='task "x": unknown task_type "regresion"; did you mean "regression"'):
        table.spec_named("regresion", task_name="x")


def test_a_kind_of_one_s_own():
    table.register_task(OWN)
    assert table.spec_named("stance", task_name="x") is OWN
    assert table.registered_tasks() == (OWN,)
    assert "stance" in table.predicted_names()
    changed = dataclasses.replace(OWN, metric="f1_macro")
    table.register_task(changed)
    assert table.spec_named("stance", task_name="x") is changed
    assert len(table.all_specs()) == 6


@pytest.mark.parametrize("name", ["classification", ""])
def test_built_in_kinds_stay(name):
    with raised(ConfigError, "name-is-taken", value=name):
        table.register_task(dataclasses.replace(OWN, name=name))


@pytest.mark.parametrize("names", [{"farm_name": "ner"}, {"head_type": "regression"}])
def test_two_kinds_share_no_name(names):
    with raised(ConfigError, "name-is-taken", value="stance"):
        table.register_task(dataclasses.replace(OWN, **names))
