import pickle

import pyarrow as pa
import pytest

from farm_ray.data_handler.processor import InferenceProcessor, Processor, TextClassificationProcessor
from farm_ray.errors import ConfigError
from tests.tiny import tiny_roberta, tiny_xlnet


class LineProcessor(Processor):
    """A processor as users write them: one line per row, the label in brackets before the text."""

    def __init__(self, tokenizer, max_seq_len, data_dir, **kwargs):
        names = {"train_filename": "train.txt", "dev_filename": None, "test_filename": None, "dev_split": 0.0}
        super().__init__(tokenizer=tokenizer, max_seq_len=max_seq_len, data_dir=data_dir, **(names | kwargs))

    def file_to_dicts(self, file):
        with open(file, encoding="utf-8") as lines:
            for line in lines:
                label, _, text = line.strip().partition("]")
                yield {"text": text.strip(), "mood_label": label.removeprefix("[")}


class StarsProcessor(LineProcessor):
    def convert_labels(self, dictionary):
        return {"mood_label_ids": [int(float(dictionary["stars"]) > 2)]}


class ThirdPartyReader(TextClassificationProcessor):
    def file_to_dicts(self, file):
        return [row for row in super().file_to_dicts(file) if "skip" not in row["text"]]


@pytest.fixture
def lines(tokenizer, tmp_path):
    (tmp_path / "train.txt").write_text("[glad] a good day\n[sad] a bad day\n[??] hm\n")
    processor = LineProcessor(tokenizer, 8, tmp_path)
    processor.add_task("mood", "acc", ["sad", "glad"], task_type="classification")
    return processor


def test_subclass_with_only_a_reader(lines, tmp_path):
    (table,) = lines.read_tables(str(tmp_path / "train.txt"))
    features = lines.featurize(table)
    assert features["id"].to_pylist() == ["train.txt:1", "train.txt:2", "train.txt:3"]
    assert features["mood_label_ids"].to_pylist() == [[1], [0], None]
    assert features["input_ids"].to_pylist()[0] == [2, 6, 7, 21, 3]
    assert features["problem"].to_pylist()[2]["kind"] == "unknown label"


def test_empty_file_gives_an_empty_table(lines, tmp_path):
    (tmp_path / "empty.txt").write_text("")
    (table,) = lines.read_tables(str(tmp_path / "empty.txt"))
    assert lines.featurize(table).num_rows == 0
    (full,) = lines.read_tables(str(tmp_path / "train.txt"))
    assert table.schema == full.schema


def test_large_files_come_in_parts_with_one_count(lines, tmp_path, monkeypatch):
    monkeypatch.setattr("farm_ray.data_handler.processor.files.ROWS_PER_TABLE", 2)
    tables = list(lines.read_tables(str(tmp_path / "train.txt")))
    assert [table.num_rows for table in tables] == [2, 1]
    assert pa.concat_tables(tables)["id"].to_pylist() == ["train.txt:1", "train.txt:2", "train.txt:3"]


def test_subclass_with_its_own_labels(tokenizer):
    processor = StarsProcessor(tokenizer, 8, None)
    processor.add_task("mood", "acc", ["sad", "glad"], task_type="classification")
    dicts = [{"text": "a", "stars": 5}, {"text": "b", "stars": "1"}, {"text": "c"}]
    features = processor.featurize(processor.dicts_to_table(dicts))
    assert features["mood_label_ids"].to_pylist() == [[1], [0], None]
    assert "KeyError: 'stars'" in features["problem"].to_pylist()[2]["message"]
    inference = processor.for_inference()
    assert "mood_label_ids" not in inference.featurize(inference.dicts_to_table(dicts)).column_names


def test_overridden_reader_is_used_for_tables(make, tmp_path):
    (tmp_path / "a.tsv").write_text("text\tlabel\na good film\tOTHER\nskip me\tOTHER\na fool\tOFFENSE\n")
    (table,) = make(ThirdPartyReader).read_tables(str(tmp_path / "a.tsv"))
    assert table["text"].to_pylist() == ["a good film", "a fool"]
    assert table["text_classification_label"].to_pylist() == ["OTHER", "OFFENSE"]


def test_frozen_copies_cannot_be_changed(make):
    processor = make()
    frozen = processor.frozen()
    processor.tasks["text_classification"]["label_list"] = ["a", "b"]
    assert frozen.tasks["text_classification"]["label_list"] == ["OTHER", "OFFENSE"]
    for change in (
        lambda: setattr(frozen, "max_seq_len", 3),
        lambda: delattr(frozen, "max_seq_len"),
        lambda: frozen.add_task("other", "acc", ["a", "b"]),
    ):
        with pytest.raises(ConfigError, match="before building the DataSilo"):
            change()
    processor.max_seq_len = 5
    assert frozen.max_seq_len == 8
    assert frozen.frozen() is frozen
    with pytest.raises(ConfigError):
        frozen.for_inference().max_seq_len = 4


def test_frozen_copies_travel(make):
    frozen = make().frozen()
    there = pickle.loads(pickle.dumps(frozen))
    table = frozen.dicts_to_table([{"text": "a good film", "text_classification_label": "OTHER"}])
    assert there.featurize(table).equals(frozen.featurize(table))
    assert there.fingerprint() == frozen.fingerprint()
    with pytest.raises(ConfigError):
        there.max_seq_len = 3


def test_fingerprint_changes_with_everything_that_decides(make, tokenizer):
    processor = make()
    prints = [
        processor.fingerprint(),
        make(max_seq_len=9).fingerprint(),
        make(label_list=["OFFENSE", "OTHER"]).fingerprint(),
        make(quote_char=None).fingerprint(),
        make(tokenizer=tiny_roberta()).fingerprint(),
        make(ThirdPartyReader).fingerprint(),
        processor.for_inference().fingerprint(),
        InferenceProcessor(tokenizer, 8).fingerprint(),
    ]
    assert len(set(prints)) == len(prints)
    assert make().frozen().fingerprint() == processor.fingerprint() == prints[0]
    processor.add_task("more", lambda preds, labels: 0.5, ["a", "b"], "other")
    assert processor.fingerprint() not in prints


def test_fingerprint_follows_the_tokenizer(make, tmp_path):
    tokenizer = tiny_roberta()
    processor = make(tokenizer=tokenizer)
    before = processor.fingerprint()
    tokenizer(["a film", "a"], padding=True, truncation=True, max_length=5)
    assert processor.fingerprint() == before
    tokenizer.add_tokens(["neverseen"])
    assert processor.fingerprint() != before


def test_padding_is_the_tokenizers(make):
    padding = make(tokenizer=tiny_xlnet()).padding()
    assert (padding.pad_token_id, padding.side) == (5, "left")
    tokenizer = tiny_roberta()
    tokenizer.pad_token = None
    with pytest.raises(ConfigError, match="no padding token"):
        make(tokenizer=tokenizer).padding()


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"max_seq_len": 2}, "at least 3"),
        ({"max_seq_len": "128"}, "whole number"),
        ({"max_seq_len": 0}, "whole number"),
        ({"dev_split": 1.0}, "dev_split must be a share"),
        ({"dev_split": -0.1}, "dev_split must be a share"),
        ({"tokenizer": "bert-base-cased"}, r"use Tokenizer\.load"),
    ],
)
def test_settings_that_cannot_be_meant(make, settings, told):
    with pytest.raises(ConfigError, match=told):
        make(**settings)


def test_unknown_arguments_name_the_nearest(make, tokenizer):
    with pytest.raises(TypeError, match='no argument "labels_list"; did you mean "label_list"'):
        make(labels_list=["a", "b"])
    with pytest.raises(TypeError, match='no argument "max_seq_length"; did you mean "max_seq_len"'):
        InferenceProcessor(tokenizer=tokenizer, max_seq_length=8)


def test_a_processor_without_tasks_is_not_ready(lines):
    lines.check_ready_for_training()
    lines.tasks = {}
    with pytest.raises(ConfigError, match="LineProcessor has no task: call add_task"):
        lines.check_ready_for_training("train.txt")


def test_problematic_rows_are_logged(caplog):
    Processor.log_problematic({3, 5})
    assert "2 rows have a problem" in caplog.text
    caplog.clear()
    Processor.log_problematic(set())
    assert not caplog.text
