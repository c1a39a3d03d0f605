"""Which kind of task a checkpoint of transformers was made for."""

from types import SimpleNamespace

import pytest

from farm_ray.tasks.checkpoints import siblings, spec_of_checkpoint
from farm_ray.tasks.classification import CLASSIFICATION
from farm_ray.tasks.multilabel import MULTILABEL_CLASSIFICATION
from farm_ray.tasks.regression import REGRESSION
from farm_ray.tasks.token_classification import TOKEN_CLASSIFICATION


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
