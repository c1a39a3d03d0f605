import gzip
import json
import re

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from farm_ray.data_handler.data_silo.input_files import planned_splits
from farm_ray.data_handler.file_to_dicts.splits import Split
from farm_ray.data_handler.processor import TextClassificationProcessor
from farm_ray.errors import ConfigError, DataProblemError
from tests.raised import raised

TSV = "text\tcoarse_label\tfine_label\na good film\tOTHER\tOTHER\nyou are a fool\tOFFENSE\tINSULT\n"


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "train.tsv"
    path.write_text(TSV)
    return str(path)


def test_the_usual_task(make):
    assert make(label_column_name="coarse_label").tasks == {
        "text_classification": {
            "label_list": ["OTHER", "OFFENSE"],
            "metric": "acc",
            "label_tensor_name": "text_classification_label_ids",
            "label_name": "text_classification_label",
            "label_column_name": "coarse_label",
            "text_column_name": "text",
            "task_type": "classification",
        }
    }


def test_dicts_of_a_file(make, file):
    assert make(label_column_name="coarse_label").file_to_dicts(file) == [
        {"text": "a good film", "text_classification_label": "OTHER"},
        {"text": "you are a fool", "text_classification_label": "OFFENSE"},
    ]


def test_bad_rows_of_a_file_are_among_the_dicts(make, tmp_path):
    path = tmp_path / "train.tsv"
    path.write_text("text\tlabel\na\tOTHER\tmore\nb\tOTHER\n")
    first, second = make().file_to_dicts(str(path))
    assert first["problem"]["line"] == 2
    assert second == {"text": "b", "text_classification_label": "OTHER"}


def test_file_to_features(make, file):
    processor = make(label_column_name="coarse_label")
    (table,) = processor.read(Split(file))
    features = processor.featurize(table)
    assert features["id"].to_pylist() == ["train.tsv:2", "train.tsv:3"]
    assert features["text_classification_label_ids"].to_pylist() == [[0], [1]]


def test_several_label_columns(make, file):
    processor = make(label_list=None, metric=None)
    processor.add_task("coarse", "acc", ["OTHER", "OFFENSE"], "coarse_label", text_column_name="text")
    processor.add_task("fine", "f1_macro", ["OTHER", "INSULT"], label_column_name="fine_label")
    processor.add_task("again", "acc", ["OFFENSE", "OTHER"], label_column_name="coarse_label")
    processor.check_ready_for_training(file)
    features = processor.featurize(pa.concat_tables(processor.read(Split(file))))
    assert features["coarse_label_ids"].to_pylist() == [[0], [1]]
    assert features["fine_label_ids"].to_pylist() == [[0], [1]]
    assert features["again_label_ids"].to_pylist() == [[1], [0]]
    assert processor.label_tensor_names == ["coarse_label_ids", "fine_label_ids", "again_label_ids"]


def test_reading_settings(make, tmp_path):
    path = tmp_path / "data.csv.gz"
    with gzip.open(path, "wt", encoding="latin-1") as out:
        out.write("made by hand\nsatz;klasse\n|gut; schön|;OTHER\n")
    settings = {"text_column_name": "satz", "label_column_name": "klasse", "delimiter": ";", "quote_char": "|"}
    processor = make(**settings, skiprows=1, encoding="latin-1")
    (table,) = processor.read(Split(str(path)))
    assert table["text"].to_pylist() == ["gut; schön"]
    assert table["problem"].to_pylist() == [None]


def test_multilabel(make, tmp_path):
    path = tmp_path / "train.tsv"
    path.write_text("text\tlabel\nyou idiot\ttoxic,insult\nlovely\t\n")
    processor = make(label_list=["toxic", "insult", "threat"], multilabel=True)
    assert processor.tasks["text_classification"]["task_type"] == "multilabel_classification"
    features = processor.featurize(pa.concat_tables(processor.read(Split(str(path)))))
    assert features["text_classification_label_ids"].to_pylist() == [[1, 1, 0], [0, 0, 0]]


def test_inference_needs_no_label_column(make, tmp_path):
    path = tmp_path / "new.tsv"
    path.write_text("text\na good film\n")
    processor = make()
    with raised(DataProblemError, "missing-column", column="label"):
        list(processor.read(Split(str(path))))
    (table,) = processor.for_inference().read(Split(str(path)))
    assert processor.for_inference().featurize(table).column_names == [
        "id", "input_ids", "n_tokens", "clipped", "problem"
    ]  # fmt: skip


def labels_of(processor, path):
    return processor.fitted_on(processor.read(Split(str(path)))).tasks["text_classification"]["label_list"]


def test_labels_are_taken_from_the_data(make, file):
    processor = make(label_list=None, label_column_name="fine_label").frozen()
    processor.check_ready_for_training(file)
    assert labels_of(processor, file) == ["INSULT", "OTHER"]
    with pytest.raises(ConfigError, match=r"^metric missing.*--set processor.metric=acc"):
        make(metric=None).check_ready_for_training(file)


def test_labels_of_a_multilabel_file(make, tmp_path):
    path = tmp_path / "train.tsv"
    path.write_text("text\tlabel\na\ttoxic,insult\nb\t\nc\tit's,toxic\n")
    assert labels_of(make(label_list=None, multilabel=True), path) == ["insult", "it's", "toxic"]


def test_labels_of_a_multilabel_file_with_lists(make, tmp_path):
    path = tmp_path / "train.jsonl"
    path.write_text('{"text": "a", "label": ["toxic", "insult"]}\n{"text": "b", "label": []}\n')
    assert labels_of(make(label_list=None, multilabel=True), path) == ["insult", "toxic"]
    processor = make(label_list=["toxic", "insult"], multilabel=True)
    made = processor.featurize(pa.concat_tables(processor.read(Split(str(path)))))
    assert made["text_classification_label_ids"].to_pylist() == [[1, 1], [0, 0]]


HOT = [[1, 0, 1], [0, 0, 1], [1, 1, 0], [0, 1, 0], [0, 0, 0]]


@pytest.mark.parametrize("label_list", [None, ["0", "1", "2"], ["toxic", "insult", "threat"]])
@pytest.mark.parametrize("suffix", ["jsonl", "csv", "parquet", "spaces.csv", "bool.jsonl"])
def test_zeros_and_ones_stand_for_labels_by_place(make, tmp_path, label_list, suffix):
    path = tmp_path / f"train.{suffix}"
    if suffix == "parquet":
        pq.write_table(pa.table({"text": ["a"] * 5, "label": HOT}), path)
    elif suffix.endswith("jsonl"):
        rows = [[bool(bit) for bit in hot] for hot in HOT] if suffix == "bool.jsonl" else HOT
        path.write_text("".join(f"{json.dumps({'text': 'a', 'label': row})}\n" for row in rows))
    else:
        cells = [" ".join(map(str, hot)) if suffix == "spaces.csv" else f'"{hot}"' for hot in HOT]
        path.write_text("text,label\n" + "".join(f"a,{cell}\n" for cell in cells))
    processor = make(label_list=label_list, multilabel=True, delimiter=",", quote_char='"')
    fitted = processor.fitted_on(processor.read(Split(str(path))))
    assert fitted.tasks["text_classification"]["label_list"] == (label_list or ["0", "1", "2"])
    made = fitted.featurize(pa.concat_tables(fitted.read(Split(str(path)))))
    assert made["text_classification_label_ids"].to_pylist() == HOT
    dicts = [{"text": "a", "label": np.array(hot)} for hot in HOT]
    assert fitted.featurize(fitted.dicts_to_table(dicts))["text_classification_label_ids"].to_pylist() == HOT


def test_labels_called_0_and_1_and_zeros_and_ones(make):
    """[0, 1] are both labels where rows name them, and the second one where all rows are zeros and ones."""
    processor = make(label_list=["0", "1"], multilabel=True)
    for rows, expected in (
        ([[0, 1], [1], [0], []], [[1, 1], [0, 1], [1, 0], [0, 0]]),
        ([[0, 1], [1, 0], [0, 1]], [[0, 1], [1, 0], [0, 1]]),
    ):
        table = processor.dicts_to_table([{"text": "a", "label": row} for row in rows])
        fitted = processor.fitted_on([table])
        assert fitted.featurize(table)["text_classification_label_ids"].to_pylist() == expected


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (["[1, 0]", "OTHER"], "for rows with several labels give multilabel=True"),
        (["1", "OTHER"], 'labels are looked up by name, not by place: write "OFFENSE" if 1 stands for it'),
        (["offense ", "OTHER"], r'did you mean "OFFENSE"\?'),
    ],
)
def test_labels_in_another_form_have_a_hint(make, labels, message):
    processor = make()
    made = processor.featurize(processor.dicts_to_table([{"text": "a", "label": label} for label in labels]))
    assert made["text_classification_label_ids"].to_pylist() == [None, [0]]
    assert re.search(message, made["problem"][0].as_py()["message"])


def test_columns_that_cannot_be_meant(make, file):
    processor = make(label_list=None)
    processor.add_task("one", "acc", ["a", "b"])
    with raised(ConfigError, "missing-option", task="one", option="label_column_name"):
        processor.file_to_dicts(file)
    processor.add_task("one", "acc", ["a", "b"], "coarse_label", text_column_name="text")
    processor.add_task("two", "acc", ["a", "b"], "fine_label", text_column_name="text_b")
    with raised(ConfigError, "different-text-columns", value="text, text_b"):
        processor.file_to_dicts(file)


def test_missing_file(make, tmp_path):
    with raised(DataProblemError, "file-not-found", file="nowhere.tsv"):
        list(make().read(Split(str(tmp_path / "nowhere.tsv"))))


def test_the_signature_begins_as_farms(tokenizer):
    processor = TextClassificationProcessor(tokenizer, 8, "data", ["a", "b"], "acc", "t.tsv", "d.tsv", None, 0.0, ",")
    assert (processor.train_filename, processor.dev_filename, processor.delimiter) == ("t.tsv", "d.tsv", ",")
    assert (processor.quote_char, processor.dev_stratification, processor.header) == ("'", False, 0)


def test_the_driver_reports_files_that_are_not_in_the_encoding_of_the_settings(make, tmp_path, caplog):
    """Ray's tasks read them, and nobody sees what these report."""
    path = tmp_path / "train.tsv"
    path.write_text("text\tlabel\nsch\u00f6n\tA\n", encoding="utf-8")
    processor = make(data_dir=str(tmp_path), encoding="cp1252")
    planned_splits(processor, [str(path)], 1 << 20)
    assert [record.getMessage() for record in caplog.records] == [
        f"{path} is written in UTF-8, not in cp1252 as the settings say; it is read as UTF-8"
    ]
