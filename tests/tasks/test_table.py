"""Kinds of tasks are found by any of their names, and users' own beside them."""

import dataclasses
import pickle
from types import SimpleNamespace

import pytest

from farm_ray.errors import ConfigError
from farm_ray.tasks import table
from farm_ray.tasks.checkpoints import siblings, spec_of_checkpoint
from farm_ray.tasks.classification import CLASSIFICATION, OWN_LABELS
from farm_ray.tasks.multilabel import MULTILABEL_CLASSIFICATION
from farm_ray.tasks.regression import REGRESSION
from farm_ray.tasks.token_classification import TOKEN_CLASSIFICATION

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
    with pytest.raises(ConfigError, match=f'"{name}" is a built-in kind'):
        table.register_task(dataclasses.replace(OWN, name=name))


@pytest.mark.parametrize("names", [{"farm_name": "ner"}, {"head_type": "regression"}])
def test_two_kinds_share_no_name(names):
    with pytest.raises(ConfigError, match='the task "stance" has a name of the task'):
        table.register_task(dataclasses.replace(OWN, **names))


def test_kinds_stay_equal_on_their_way_to_other_processes():
    there = pickle.loads(pickle.dumps(REGRESSION))
    assert there == REGRESSION
    assert {there: 1}[REGRESSION] == 1
    assert there != CLASSIFICATION


@pytest.mark.parametrize(
    ("architecture", "problem", "outputs", "expected"),
    [
        ("BertForSequenceClassification", None, 3, CLASSIFICATION),
        ("BertForSequenceClassification", None, 1, REGRESSION),
        ("BertForSequenceClassification", "single_label_classification", 1, REGRESSION),
        ("BertForSequenceClassification", "regression", 1, REGRESSION),
        ("BertForSequenceClassification", "multi_label_classification", 1, MULTILABEL_CLASSIFICATION),
        ("RobertaForTokenClassification", None, 9, TOKEN_CLASSIFICATION),
        ("BertModel", None, 2, None),
        ("BertForQuestionAnswering", None, 2, None),
    ],
)
def test_what_a_checkpoint_is_for(architecture, problem, outputs, expected):
    config = SimpleNamespace(architectures=[architecture], problem_type=problem, num_labels=outputs)
    assert spec_of_checkpoint(config) == expected


def test_a_checkpoint_that_does_not_say_its_class():
    assert spec_of_checkpoint(SimpleNamespace(architectures=None, problem_type=None, num_labels=2)) is None


def test_siblings_are_of_one_class_of_transformers():
    assert siblings(REGRESSION) == [CLASSIFICATION, MULTILABEL_CLASSIFICATION, REGRESSION]
    assert siblings(TOKEN_CLASSIFICATION) == [TOKEN_CLASSIFICATION]
