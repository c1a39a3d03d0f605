"""Features of language models as text."""

import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa

from farm_ray.data_handler import problems
from farm_ray.data_handler.batches import FeatureSet
from farm_ray.data_handler.file_to_dicts.splits import Split
from farm_ray.data_handler.processor import BertStyleLMProcessor
from tests.golden.golden import check, problem_of
from tests.tiny import tiny_tokenizer

TRAIN = """First sentence of doc one.
Second sentence of doc one.

First sentence of doc two.
Second sentence of doc two.
A very badly dull film, and the movie was not very good! 👩‍👩‍👧 naïve 中文


\u200d

gut
""".encode()
BAD = b"\nne\xefve\n\n"
SETTINGS = [
    {},
    {"next_sent_pred_style": "sentence"},
    {"next_sent_pred": False},
    {"next_sent_pred": False, "packing": False, "mask_count_rule": "farm", "whole_word_masking": False},
]


def described(processor, features):
    """One line per row: id, tokens (^ where a word begins), text or segment, labels, masked ids of two epochs."""
    sound = np.flatnonzero(problems.sound(features).to_numpy(zero_copy_only=False))
    rows = FeatureSet(
        table=features, rows=sound, padding=processor.padding(), masking=processor.masking(processor.seed)
    )
    place = dict(zip(sound.tolist(), range(len(sound)), strict=True))
    for number, row in enumerate(features.to_pylist()):
        if row["problem"] is not None:
            yield f"{row['id']} | {problem_of(row)}"
            continue
        ids = " ".join(f"{i}{'^' * (s == 1)}" for i, s in zip(row["input_ids"], row["word_starts"], strict=True))
        parts = "".join(map(str, row.get("segment_ids") or row.get("text_numbers") or []))
        epochs = []
        for epoch in (0, 1):
            batch = rows.batch(np.array([place[number]]), epoch)
            label, seen = batch["lm_label_ids"][0].tolist(), batch["input_ids"][0].tolist()
            epochs.append(" ".join(f"{n}:{seen[n]}" for n in range(len(label)) if label[n] >= 0))
        following = row.get("nextsentence_label_ids") or ""
        yield f"{row['id']} | {ids} | {parts} {following}{' clipped' * row['clipped']} | {' / '.join(epochs)}"


def features():
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "train.txt"
        file.write_bytes(TRAIN + BAD)
        for settings in SETTINGS:
            processor = BertStyleLMProcessor(tiny_tokenizer(folder), 24, folder, **settings)
            yield " ".join(f"{name}={value}" for name, value in settings.items()) or "usual settings"
            yield from described(processor, processor.featurize(pa.concat_tables(processor.read(Split(str(file))))))


def test_features_are_as_written_down():
    check("lm_features", features())
