"""Single texts and pairs side by side: each row as a processor of its own would make it."""

import pyarrow as pa
import pytest

from farm_ray.data_handler.processor import InferenceProcessor, TextPairClassificationProcessor
from farm_ray.data_handler.processor.texts_or_pairs import TextsOrPairsProcessor
from tests.data_handler.processor.conftest import LABELS
from tests.tiny import tiny_roberta

ROWS = [{"text": "a good film"}, {"text": "a film", "text_b": "a fool"}, {"text": ("bad", "good")}, {"text": ""}]


@pytest.mark.parametrize("kind", ["bert", "roberta"])
def test_each_row_is_as_by_itself(tokenizer, kind):
    used = tokenizer if kind == "bert" else tiny_roberta()
    pairs = TextPairClassificationProcessor(used, 16, None, label_list=LABELS, metric="acc")
    both = TextsOrPairsProcessor.like(pairs)
    features = both.featurize(both.dicts_to_table(ROWS))
    single = InferenceProcessor(used, 16)
    of_texts = single.featurize(single.dicts_to_table(ROWS[:1] + ROWS[3:]))
    of_pairs = pairs.for_inference().featurize(pairs.for_inference().dicts_to_table(ROWS[1:3]))
    ids = [of_texts["input_ids"][0], *of_pairs["input_ids"], of_texts["input_ids"][1]]
    assert features["input_ids"].to_pylist() == [row.as_py() for row in ids]
    assert [problem and problem["kind"] for problem in features["problem"].to_pylist()] == [None] * 3 + ["empty text"]
    if kind == "bert":
        segments = features["segment_ids"].to_pylist()
        assert (set(segments[0]), set(segments[1])) == ({0}, {0, 1})


def test_only_texts_and_only_pairs_and_nothing(tokenizer):
    both = TextsOrPairsProcessor(tokenizer, 16)
    for rows in (ROWS[:1], ROWS[1:2], []):
        assert both.featurize(both.dicts_to_table(rows)).num_rows == len(rows)
    assert pa.types.is_string(both.dicts_to_table(ROWS[:1])["text_b"].type)
