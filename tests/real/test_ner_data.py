"""Real files with one token a line. Needs FARM_RAY_DATA, a folder with wnut17; seconds.

Run with `FARM_RAY_DATA=folder pytest -m real tests/real/test_ner_data.py`.
"""

import os
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from farm_ray.data_handler.data_silo.input_files import planned_splits
from farm_ray.data_handler.file_to_dicts.splits import Split
from farm_ray.data_handler.processor import NERProcessor
from farm_ray.modeling.tokenization import Tokenizer

pytestmark = pytest.mark.real

DATA = Path(os.environ.get("FARM_RAY_DATA", "/nowhere"))
TYPES = ("corporation", "creative-work", "group", "location", "person", "product")
TAGS = ["O", *(f"{place}-{kind}" for place in "BI" for kind in TYPES)]


@pytest.fixture(scope="module")
def processor():
    from pipelines.quickstart import model_folder

    assert DATA.is_dir(), "set FARM_RAY_DATA to the folder with the data sets"
    return NERProcessor(Tokenizer.load(model_folder()), 64, DATA / "wnut17", TAGS, "seq_f1")


@pytest.mark.parametrize(("name", "sentences", "tokens"), [("train.txt", 3394, 62_730), ("dev.txt", 1009, 15_733)])
def test_wnut17_reads_clean(processor, name, sentences, tokens):
    path = DATA / "wnut17" / name
    dicts = pa.concat_tables(processor.read(Split(str(path))))
    assert (dicts.num_rows, dicts["problem"].null_count) == (sentences, sentences)
    assert pc.sum(pc.list_value_length(dicts["ner_label"])).as_py() == tokens
    features = processor.featurize(dicts)
    assert features["problem"].null_count == features.num_rows
    assert pc.sum(pc.list_flatten(features["initial_mask"])).as_py() == tokens
    assert pc.max(features["n_tokens"]).as_py() <= 64


def test_every_token_and_tag_of_the_file_is_there(processor):
    path = DATA / "wnut17" / "train.txt"
    lines = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines() if line]
    dicts = pa.concat_tables(processor.read(Split(str(path))))
    assert [word for text in dicts["text"].to_pylist() for word in text.split()] == [token for token, _ in lines]
    assert pc.list_flatten(dicts["ner_label"]).to_pylist() == [tag for _, tag in lines]
    splits = planned_splits(processor, [str(path)], 50_000)
    assert len(splits) > 5
    tables = [table for split in splits for table in processor.read(split)]
    assert pa.concat_tables(tables).combine_chunks().equals(dicts.combine_chunks())
