"""Real pairs, numbers and several labels are read clean. Needs FARM_RAY_DATA, a folder with sick, wang_ranking and
wnut17_multilabel; trains nothing.
"""

import os
from pathlib import Path

import numpy as np
import pytest

from farm_ray.data_handler.data_silo import DataSilo
from farm_ray.data_handler.processor import (
    RegressionProcessor,
    TextClassificationProcessor,
    TextPairClassificationProcessor,
    TextPairRegressionProcessor,
)
from tests.tiny import tiny_tokenizer

pytestmark = pytest.mark.real

DATA = Path(os.environ.get("FARM_RAY_DATA", "/nowhere"))
KINDS = ["corporation", "creative-work", "group", "location", "person", "product"]


@pytest.fixture(scope="module")
def usual(tmp_path_factory):
    assert DATA.is_dir(), "set FARM_RAY_DATA to the folder with the data sets"
    return {"tokenizer": tiny_tokenizer(tmp_path_factory.mktemp("tokenizer")), "max_seq_len": 128, "quote_char": None}


def silo(processor):
    return DataSilo(processor, batch_size=32, max_processes=1)


def test_entailment_of_sentence_pairs(usual):
    sets = {"data_dir": DATA / "sick", "dev_filename": "dev.tsv"}
    labels = ["NEUTRAL", "ENTAILMENT", "CONTRADICTION"]
    # Quotes stand only inside words there, so FARM's default reads the same.
    for quote_char in (None, "'"):
        settings = usual | sets | {"quote_char": quote_char}
        made = silo(TextPairClassificationProcessor(**settings, label_list=labels, metric="acc"))
        assert made.counts == {"train": 4500, "dev": 500, "test": 4927}
        batch = next(iter(made.get_data_loader("train")))
        assert batch["segment_ids"].unique().tolist() == [0, 1]


@pytest.mark.parametrize("kind", [RegressionProcessor, TextPairRegressionProcessor])
def test_relatedness_of_sentence_pairs(usual, kind):
    made = silo(kind(**usual, data_dir=DATA / "sick", dev_filename="dev.tsv", label_column_name="score"))
    assert made.counts == {"train": 4500, "dev": 500, "test": 4927}
    scaled = made.data["train"].column("regression_label_ids").astype(np.float64)
    assert (scaled.mean(), scaled.std()) == pytest.approx((0.0, 1.0), abs=1e-6)
    back = scaled * made.processor.scaler_scale + made.processor.scaler_mean
    assert (back.min(), back.max()) == pytest.approx((1.0, 5.0), abs=1e-6)


def test_questions_and_answers(usual):
    files = {"data_dir": DATA / "wang_ranking", "train_filename": "dev.tsv", "dev_split": 0.1}
    made = silo(TextPairClassificationProcessor(**usual, **files, label_list=["0", "1"], metric="acc"))
    assert made.counts == {"train": 1033, "dev": 115, "test": 1517}
    assert made.problem_counts() == {}


def test_kinds_of_names_in_a_message(usual):
    files = {"data_dir": DATA / "wnut17_multilabel", "dev_filename": "dev.tsv", "test_filename": None}
    made = silo(TextClassificationProcessor(**usual, **files, label_list=KINDS, metric="f1_macro", multilabel=True))
    assert made.counts == {"train": 3394, "dev": 1009, "test": 0}
    labels = made.data["train"].column("text_classification_label_ids")
    assert set(labels.sum(axis=1).tolist()) >= {0, 1, 2}
    assert labels.any(axis=0).all()
