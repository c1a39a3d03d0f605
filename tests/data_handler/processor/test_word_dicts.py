"""Dicts whose text may be a list of words."""

import pytest

from farm_ray.data_handler import problems
from farm_ray.data_handler.processor import NERProcessor

TAGS = ["O", "B-PER", "I-PER"]


@pytest.fixture
def make(tokenizer):
    def make(**settings):
        usual = {"tokenizer": tokenizer, "max_seq_len": 8, "data_dir": None, "label_list": TAGS, "metric": "seq_f1"}
        return NERProcessor(**(usual | settings))

    return make


def told(table):
    return [row and row["kind"] for row in table["problem"].to_pylist()]


@pytest.mark.parametrize(
    ("row", "kind"),
    [
        ({"text": "a fool", "ner_label": ["O"]}, "wrong number of tags"),
        ({"text": "a fool", "ner_label": "O O"}, "no list of tags"),
        ({"text": "a fool", "ner_label": [["O"], ["O"]]}, "no list of tags"),
        ({"text": "a fool", "ner_label": ["O", None]}, "missing tag"),
        ({"text": "a fool", "ner_label": ["O", "\ud83d"]}, "unknown tag"),
        ({"text": "a fool"}, "missing tags"),
        ({"text": ["a", "the film"], "ner_label": ["O", "O"]}, "whitespace in a token"),
        ({"text": ["a", ""], "ner_label": ["O", "O"]}, "empty token"),
        ({"text": ["a", 3], "ner_label": ["O", "O"]}, "not a text"),
        ({"text": [], "ner_label": []}, "empty text"),
        ({"text": 3, "ner_label": []}, "not a text"),
        ({"ner_label": ["O"]}, "missing text"),
        ("a fool", "not a dict"),
        (None, "not a dict"),
    ],
)
def test_dicts_that_cannot_be_meant(make, row, kind):
    processor = make()
    sound = {"text": "a", "ner_label": ("O",)}
    made = processor.featurize(processor.dicts_to_table([sound, row, sound]))
    assert told(made) == [None, kind, None]
    assert made["ner_label_ids"].to_pylist() == [[-100, 0, -100], [], [-100, 0, -100]]
    message = made["problem"].to_pylist()[1]["message"]
    assert message.startswith("1: ")


def test_dicts_name_themselves(make):
    table = make().dicts_to_table([{"external_id": "q", "text": [3]}, {"text": "a", "ner_label": ["O"], "id": 0}])
    assert table["id"].to_pylist() == ["q", "0"]
    assert problems.of(table)[0].as_py()["message"].startswith("q: word 1")
