import pytest

from farm_ray.data_handler.input_features import (
    get_camembert_seq_2_start,
    get_roberta_seq_2_start,
    sample_to_features_text,
)
from farm_ray.data_handler.samples import Sample
from farm_ray.errors import DataProblemError
from farm_ray.tasks.label_problems import shown_labels
from tests.modeling.tokenization.test_backend import LetterTokenizer
from tests.raised import raised
from tests.tasks.making import make_task
from tests.tiny import tiny_tokenizer, tiny_xlnet

TASKS = {"sent": make_task("sent", metric="acc", label_list=["bad", "good"], task_type="classification")}


def test_features_of_one_sample(tmp_path):
    sample = Sample("0-0", {"text": "a good film", "sent_label": "good"})
    assert sample_to_features_text(sample, TASKS, 7, tiny_tokenizer(tmp_path)) == [
        {
            "input_ids": [2, 6, 7, 10, 3, 0, 0],
            "padding_mask": [1, 1, 1, 1, 1, 0, 0],
            "segment_ids": [0] * 7,
            "sent_label_ids": [1],
        }
    ]


def test_no_label_at_inference_and_padding_on_the_left():
    tokenizer = tiny_xlnet()
    ids = tokenizer("a").input_ids
    (features,) = sample_to_features_text(Sample("0-0", {"text": "a"}), TASKS, len(ids) + 2, tokenizer)
    assert features["input_ids"] == [5, 5, *ids]
    assert features["padding_mask"] == [0, 0] + [1] * len(ids)
    assert set(features) == {"input_ids", "padding_mask", "segment_ids"}


def test_a_pair_of_texts(tmp_path):
    (features,) = sample_to_features_text(Sample("0-0", {"text": ("a good", "film")}), {}, 7, tiny_tokenizer(tmp_path))
    assert features["input_ids"] == [2, 6, 7, 3, 10, 3, 0]
    assert features["segment_ids"] == [0, 0, 0, 0, 1, 1, 0]


def test_tokens_of_a_slow_tokenizer_are_used():
    sample = Sample("0-0", {"text": "ab"}, tokenized={"tokens": ["c", "d", "e"]})
    (features,) = sample_to_features_text(sample, {}, 2, LetterTokenizer())
    assert features["input_ids"] == [3, 4]


def test_labels_as_numbers():
    many = make_task("many", metric="acc", label_list=["a", "b", "c"], task_type="multilabel_classification")
    stars = make_task("stars", metric="mse", label_list=[0.5, 4.0], task_type="regression")
    assert TASKS["sent"].labels.ids(TASKS["sent"], "good") == [1]
    assert many.labels.ids(many, "c,a") == [1, 0, 1]
    assert many.labels.ids(many, "") == [0, 0, 0]
    assert stars.labels.ids(stars, "2.5") == [0.5]
    for task, wrong in ((TASKS["sent"], "god"), (many, "a,x"), (stars, "two")):
        with pytest.raises(DataProblemError, match=wrong[-3:].strip(",a")):
            task.labels.ids(task, wrong)


def test_start_of_the_second_text():
    assert get_roberta_seq_2_start([0, 8, 2, 2, 9, 2]) == 4
    assert get_camembert_seq_2_start([5, 8, 6, 6, 9, 6]) == 4
    with raised(DataProblemError, "no-text-pair", value=1):
        get_roberta_seq_2_start([0, 8, 2])


def test_long_label_lists_are_shortened():
    assert shown_labels(["a", "b"]) == "[a, b]"
    assert shown_labels([str(n) for n in range(50)]).endswith("19, ... 50 labels]")
