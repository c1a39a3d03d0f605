"""Features of the text processors as text."""

import tempfile
from pathlib import Path

import pyarrow as pa

from farm_ray.data_handler.file_to_dicts.splits import Split
from farm_ray.data_handler.processor import InferenceProcessor, TextClassificationProcessor
from tests.golden.golden import check, problem_of
from tests.tiny import tiny_tokenizer

TRAIN = """text\tcoarse_label\tfine_label
a good film\tOTHER\tOTHER
'You ARE\ta fool!'\tOFFENSE\tINSULT
the very very bad and dull movie day\tOTHER\tOTHER
schlechtes Gut, nicht?\tOFENSE\tOTHER
 \tOTHER\tOTHER
what-some_text/\tOFFENSE\t
one\tfield\ttoo\tmany
naïve 中\tOFFENSE\tINSULT
"""
REQUESTS = [{"text": "A good FILM."}, {"text": None}, {"id": "q-3", "text": "the the the the the the the the the"}, "x"]


def described(table):
    """One line per row: id, ids, labels, flags or the problem."""
    for row in table.to_pylist():
        labels = " ".join(f"{name}={value[0]}" for name, value in row.items() if name.endswith("_label_ids") and value)
        ids = " ".join(map(str, row["input_ids"]))
        cut = " clipped" if row["clipped"] else ""
        problem = problem_of(row)
        yield f"{row['id']} | {problem or f'{ids} | {labels}{cut}'}".rstrip(" |")


def features():
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "train.tsv"
        file.write_text(TRAIN, encoding="utf-8")
        tokenizer = tiny_tokenizer(folder)
        labelled = TextClassificationProcessor(tokenizer=tokenizer, max_seq_len=9, data_dir=folder)
        labelled.add_task("coarse", "acc", ["OTHER", "OFFENSE"], label_column_name="coarse_label")
        labelled.add_task("fine", "acc", ["OTHER", "INSULT", "ABUSE"], label_column_name="fine_label")
        yield "TextClassificationProcessor"
        yield from described(labelled.featurize(pa.concat_tables(labelled.read(Split(str(file))))))
        inference = InferenceProcessor(tokenizer=tokenizer, max_seq_len=9)
        yield "InferenceProcessor"
        yield from described(inference.featurize(inference.dicts_to_table(REQUESTS)))


def test_features_are_as_written_down():
    check("text_features", features())
