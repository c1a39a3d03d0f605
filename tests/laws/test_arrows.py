"""Cut anywhere, nothing vanishes, ids ride along: for every processor's arrows, on hypothesis' texts."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from farm_ray.data_handler import problems
from farm_ray.data_handler.processor import (
    InferenceProcessor,
    RegressionProcessor,
    TextClassificationProcessor,
    TextPairClassificationProcessor,
    TextPairRegressionProcessor,
)
from tests.tiny import tiny_tokenizer

LABELS = ["OTHER", "OFFENSE"]
texts = st.one_of(st.none(), st.text(max_size=30), st.sampled_from(["gut", "ein Satz " * 9, " ", "\x00"]))
rows = st.lists(
    st.fixed_dictionaries(
        {
            "text": st.one_of(texts, texts, st.tuples(texts, texts), st.lists(texts, max_size=3)),
            "text_classification_label": st.sampled_from([*LABELS, "OFENSE", "", None]),
            "regression_label": st.one_of(st.floats(), st.sampled_from(["4", " 4.5 ", "4,5", "", "x", "1_0", None])),
        },
        optional={"text_b": texts},
    ),
    max_size=7,
)


@pytest.fixture(scope="module")
def processors(tmp_path_factory):
    tokenizer = tiny_tokenizer(tmp_path_factory.mktemp("tokenizer"))
    usual = {"tokenizer": tokenizer, "max_seq_len": 8, "data_dir": None}
    classes = {"label_list": LABELS, "metric": "acc"}
    scaling = {"scaler_mean": 4.75, "scaler_scale": 0.433}
    pairs = TextPairClassificationProcessor(**usual, **classes)
    return [
        TextClassificationProcessor(**usual, **classes),
        pairs,
        RegressionProcessor(**usual, **scaling),
        TextPairRegressionProcessor(**usual, **scaling),
        InferenceProcessor(tokenizer=tokenizer, max_seq_len=8),
        pairs.for_inference(),
    ]


def arrows(processor):
    return {
        "dicts_to_samples": processor.dicts_to_samples,
        "samples_to_features": lambda dicts: processor.samples_to_features(processor.dicts_to_samples(dicts)),
    }


@settings(max_examples=60, deadline=None)
@given(dicts=rows, cut=st.integers(0, 7))
def test_cut_anywhere(processors, dicts, cut):
    """f(a + b) = f(a) + f(b)."""
    for processor in processors:
        table = processor.dicts_to_table(dicts)
        for name, arrow in arrows(processor).items():
            parts = [arrow(table.slice(0, cut)), arrow(table.slice(cut))]
            assert pa.concat_tables(parts).equals(arrow(table)), f"{type(processor).__name__}.{name}"


@settings(max_examples=60, deadline=None)
@given(dicts=rows)
def test_nothing_vanishes_and_ids_ride_along(processors, dicts):
    """Rows in = rows out, in order, under their ids; each is sound or reports its problem in full."""
    for processor in processors:
        features = processor.featurize(processor.dicts_to_table(dicts))
        assert features.column("id").to_pylist() == [str(n) for n in range(len(dicts))]
        for row in features.to_pylist():
            problem = row["problem"]
            assert (problem is None) == (row["n_tokens"] > 0)
            for labels in (row[name] for name in processor.label_tensor_names):
                assert labels is None if problem else np.isfinite(labels).all()
            if problem is not None:
                assert problem["stage"]
                assert problem["kind"]
                assert len(problem["message"]) > 20
                assert "\n" not in problem["message"]


def test_an_earlier_problem_is_kept(processors):
    """What the reader found is not overwritten by what a later arrow sees in the same row."""
    for processor in processors:
        text = "gut" if processor.text_b_column_name is None else ("gut", "gut")
        table = processor.dicts_to_table([{"text": text, "text_classification_label": "OTHER", "regression_label": 1}])
        found = problems.column([problems.at("a.tsv:3", stage="file_to_dicts", kind="broken quote", message="x" * 30)])
        table = table.set_column(table.column_names.index("problem"), "problem", found)
        assert processor.featurize(table)["problem"].to_pylist()[0]["kind"] == "broken quote"
