"""Features of pairs, of numbers and of several labels as text."""

import tempfile
from pathlib import Path

import pyarrow as pa

from farm_ray.data_handler.file_to_dicts.splits import Split
from farm_ray.data_handler.processor import (
    RegressionProcessor,
    TextClassificationProcessor,
    TextPairClassificationProcessor,
    TextPairRegressionProcessor,
)
from tests.golden.golden import check, problem_of
from tests.tiny import tiny_tokenizer

FILES = {
    "numbers.tsv": """text\tlabel
a good film\t4
very good, not dull\t5
what a nice day\t5.0
gut\t+5
schlecht\t4,5
ein Satz\tNaN
the film\t
 \t3
""",
    "pairs.tsv": """text\ttext_b\tlabel\tscore
a good film\tthe film was good\t2\t4.5
the very very very dull movie\ta bad film\t1\t3.25
what a nice day\tyou are a fool\t0\t1
what a day\t\t0\t2
 \tthe day\t0\t2
the day\ta day\t3\t1e99
'the'\t'a'\t2\t5
""",
    "labels.tsv": """text\tlabel
you are a fool\ttoxic,insult
a nice day\t
what a bad, bad film\tinsult
a bad day\ttoxic, insult
a bad film\ttoxic;insult
a dull film\thate
""",
}
PAIRS = [{"text": ("A good", "FILM.")}, {"text": "a", "text_b": "b", "id": "q-2"}, {"text": "a"}, {"text": ("a", " ")}]


def described(table):
    """One line per row: id, ids, segments, labels, flags or the problem."""
    for row in table.to_pylist():
        labels = " ".join(f"{name}={value}" for name, value in row.items() if name.endswith("_label_ids") and value)
        ids = " ".join(map(str, row["input_ids"]))
        segments = "".join(map(str, row.get("segment_ids", [])))
        cut = " clipped" if row["clipped"] else ""
        problem = problem_of(row)
        yield f"{row['id']} | {problem or f'{ids} | {segments} | {labels}{cut}'}".rstrip(" |")


def of_file(processor, folder, name):
    yield f"{type(processor).__name__} {name}"
    path = str(Path(folder) / name)
    fitted = processor.fitted_on(processor.read(Split(path)))
    yield from (f"{name}: {task['label_list']}" for name, task in fitted.tasks.items())
    yield from described(fitted.featurize(pa.concat_tables(fitted.read(Split(path)))))


def features():
    with tempfile.TemporaryDirectory() as folder:
        for name, text in FILES.items():
            (Path(folder) / name).write_text(text, encoding="utf-8")
        usual = {"tokenizer": tiny_tokenizer(folder), "max_seq_len": 10, "data_dir": folder}
        classes = {"label_list": ["0", "1", "2"], "metric": "acc"}
        pairs = TextPairClassificationProcessor(**usual, **classes)
        several = {"label_list": ["toxic", "insult", "threat"], "metric": "f1_macro", "multilabel": True}
        yield from of_file(RegressionProcessor(**usual), folder, "numbers.tsv")
        yield from of_file(pairs, folder, "pairs.tsv")
        yield from of_file(TextPairRegressionProcessor(**usual, label_column_name="score"), folder, "pairs.tsv")
        yield from of_file(TextClassificationProcessor(**usual, **several), folder, "labels.tsv")
        inference = pairs.for_inference()
        yield "TextPairClassificationProcessor for inference"
        yield from described(inference.featurize(inference.dicts_to_table(PAIRS)))


def test_features_are_as_written_down():
    check("pair_and_number_features", features())
