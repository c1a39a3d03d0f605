"""The same laws for rows whose words have labels: cut anywhere, nothing vanishes, every word has its label once."""

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from farm_ray.data_handler.processor import NERProcessor
from tests.tiny import tiny_tokenizer

TAGS = ["O", "B-PER", "I-PER"]
texts = st.one_of(
    st.none(),
    st.text(max_size=60),
    st.lists(st.sampled_from(["gut", "badly", "?" * 9, "\x00", "é", "👩‍👩‍👧", "[CLS]", "\u200d"]), max_size=30).map(
        " ".join
    ),
)
rows = st.lists(st.tuples(texts, st.sampled_from(["right", "right", "right", "short", "unknown", "none"])), max_size=7)


def dictionary(text, tags):
    words = len((text or "").split())
    given = {
        "right": [TAGS[n % 3] for n in range(words)],
        "short": ["O"] * (words - 1),
        "unknown": ["O", "PER"][-words:] * words,
        "none": None,
    }
    return {"text": text, "ner_label": given[tags], "topic_label": "news"}


@pytest.fixture(scope="module")
def processors(tmp_path_factory):
    tokenizer = tiny_tokenizer(tmp_path_factory.mktemp("tokenizer"))
    alone = NERProcessor(tokenizer, 8, None, TAGS, "seq_f1")
    both = NERProcessor(tokenizer, 8, None, [*TAGS, "X"], "seq_f1", window_overlap=3)
    both.add_task("topic", "acc", ["news", "sport"], task_type="classification")
    return [alone, both, both.for_inference()]


@pytest.mark.parametrize("examples", [40, pytest.param(100, marks=pytest.mark.slow)])
def test_cut_anywhere(processors, examples):
    """f(a + b) = f(a) + f(b)."""

    @settings(max_examples=examples, deadline=None)
    @given(given_rows=rows, cut=st.integers(0, 7))
    def law(given_rows, cut):
        for processor in processors:
            table = processor.dicts_to_table([dictionary(*row) for row in given_rows])
            for arrow in (processor.dicts_to_samples, processor.featurize):
                parts = [arrow(table.slice(0, cut)), arrow(table.slice(cut))]
                assert pa.concat_tables(parts).equals(arrow(table))

    law()


@settings(max_examples=100, deadline=None)
@given(given_rows=rows)
def test_nothing_vanishes_and_ids_ride_along(processors, given_rows):
    """Every row has its windows in order, or one that reports its problem in full; every word its label once."""
    for processor in processors:
        dicts = [dictionary(*row) for row in given_rows]
        windows = processor.featurize(processor.dicts_to_table(dicts)).to_pylist()
        assert [row["dict_id"] for row in windows if row["window"] == 0] == [str(n) for n in range(len(dicts))]
        for number, row in enumerate(dicts):
            own = [window for window in windows if window["dict_id"] == str(number)]
            assert [window["id"] for window in own] == [f"{number}-{n}" for n in range(len(own))]
            problem = own[0]["problem"]
            if problem is not None:
                assert len(own) == 1
                assert (own[0]["n_tokens"], own[0]["input_ids"]) == (0, [])
                assert len(problem["message"]) > 20
                assert "\n" not in problem["message"]
                continue
            words = row["text"].split()
            assert sum(sum(window["initial_mask"]) for window in own) == len(words)
            assert all(0 < window["n_tokens"] == len(window["input_ids"]) <= 8 for window in own)
            if not processor.inference:
                firsts = [
                    label
                    for window in own
                    for label, first in zip(window["ner_label_ids"], window["initial_mask"], strict=True)
                    if first
                ]
                assert firsts == [TAGS.index(tag) for tag in row["ner_label"]]
