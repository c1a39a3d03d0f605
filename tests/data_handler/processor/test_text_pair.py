import json

import pyarrow as pa
import pytest

from farm_ray.data_handler.data_silo.input_files import input_path
from farm_ray.data_handler.file_to_dicts.splits import Split
from farm_ray.data_handler.processor import (
    InferenceProcessor,
    Processor,
    TextClassificationProcessor,
    TextPairClassificationProcessor,
    TextPairRegressionProcessor,
)
from farm_ray.errors import ConfigError, DataProblemError
from farm_ray.experiment import config
from tests.raised import raised
from tests.tiny import tiny_roberta

TSV = "text\ttext_b\tlabel\na good film\tvery bad\t1\nwhat a day\ta film\t0\n"
DICTS = [
    {"text": ("a good film", "very bad"), "text_b": "very bad", "text_classification_label": "1"},
    {"text": ("what a day", "a film"), "text_b": "a film", "text_classification_label": "0"},
]


@pytest.fixture
def pairs(make):
    return lambda **settings: make(TextPairClassificationProcessor, **({"label_list": ["0", "1"]} | settings))


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "train.tsv"
    path.write_text(TSV)
    return str(path)


def features(processor, path):
    return processor.featurize(pa.concat_tables(processor.read(Split(path))))


def test_dicts_of_a_file(pairs, file):
    assert pairs().file_to_dicts(file) == DICTS


def test_tables_of_a_file(pairs, file):
    (table,) = pairs().read(Split(file))
    assert table.column_names == ["id", "text", "text_b", "text_classification_label", "problem"]
    assert table["text_b"].to_pylist() == ["very bad", "a film"]


def test_features_of_a_file(pairs, file):
    processor = pairs(max_seq_len=7)
    made = features(processor, file)
    assert made["id"].to_pylist() == ["train.tsv:2", "train.tsv:3"]
    # The longer text of a pair is cut first.
    assert made["input_ids"].to_pylist() == [[2, 6, 7, 3, 13, 8, 3], [2, 25, 6, 3, 6, 10, 3]]
    assert made["segment_ids"].to_pylist() == [[0, 0, 0, 0, 1, 1, 1]] * 2
    assert made["clipped"].to_pylist() == [True, True]
    assert made["text_classification_label_ids"].to_pylist() == [[1], [0]]
    for text, ids in zip(DICTS, made["input_ids"].to_pylist(), strict=True):
        assert processor.tokenizer(*text["text"], truncation=True, max_length=7)["input_ids"] == ids


def test_no_segments_where_the_tokenizer_makes_none(pairs):
    made = pairs(tokenizer=tiny_roberta(), max_seq_len=30)
    table = made.featurize(made.dicts_to_table(DICTS))
    assert "segment_ids" not in table.column_names
    dataset, names, problematic = made.dataset_from_dicts(DICTS)
    assert (dataset[0][names.index("segment_ids")].any(), problematic) == (False, set())


@pytest.mark.parametrize("dicts", [DICTS, [{**row, "text": list(row["text"])} for row in DICTS]])
@pytest.mark.parametrize("with_b", [True, False])
def test_dicts_are_as_the_file(pairs, file, dicts, with_b):
    given = dicts if with_b else [{key: value for key, value in row.items() if key != "text_b"} for row in dicts]
    apart = [{**row, "text": row["text"][0], "text_b": row["text"][1]} for row in dicts]
    for rows in (given, apart):
        made = pairs().featurize(pairs().dicts_to_table(rows))
        assert made.drop_columns(["id"]).equals(features(pairs(), file).drop_columns(["id"]))


def test_a_pair_without_its_second_text(pairs, tmp_path):
    path = tmp_path / "train.tsv"
    path.write_text("text\ttext_b\tlabel\na\t\t1\n\tb\t0\na\t \t1\na\tb\t1\n")
    made = features(pairs(), str(path))
    assert [row and (row["kind"], row["line"]) for row in made["problem"].to_pylist()] == [
        ("empty text", 2), ("empty text", 3), ("empty text", 4), None
    ]  # fmt: skip
    told = [row["message"] for row in made["problem"].to_pylist()[:2]]
    assert told == [
        "train.tsv:2: the second text (text_b) is empty; fill it in or remove the row",
        "train.tsv:3: the text is empty; fill it in or remove the row",
    ]


def test_reading_settings(pairs, tmp_path):
    """Header, delimiter, quotes, sample, names of columns: as for single texts."""
    path = tmp_path / "train.csv"
    rows = "".join(f"|a; {'very ' * number}bad|;what {number};{number % 2}\n" for number in range(20))
    path.write_text(f"made by hand\nfrage;antwort;richtig\n{rows}")
    settings = {"text_column_name": "frage", "text_b_column_name": "antwort", "label_column_name": "richtig"}
    processor = pairs(**settings, delimiter=";", quote_char="|", header=1, max_samples=5)
    (table,) = processor.read(Split(str(path)))
    assert table.num_rows == 5
    assert table["problem"].null_count == 5
    assert table["text"].to_pylist()[0].startswith("a; ")
    assert table["text_b"].to_pylist()[0].startswith("what ")
    (again,) = processor.read(Split(str(path)))
    assert again.equals(table)


@pytest.mark.parametrize("kind", [TextPairClassificationProcessor, TextPairRegressionProcessor])
def test_pairs_are_quoted_as_pandas_and_farm_read_them(pairs, kind, tmp_path):
    path = tmp_path / "train.tsv"
    path.write_text('text\ttext_b\tlabel\n"a ""b"""\t\'twas\t1\n')
    labels = {"label_list": ["0", "1"], "metric": "acc"} if kind is TextPairClassificationProcessor else {}
    processor = kind(tokenizer=pairs().tokenizer, max_seq_len=8, data_dir=None, **labels)
    (table,) = processor.read(Split(str(path)))
    assert (table["text"].to_pylist(), table["text_b"].to_pylist()) == (['a "b"'], ["'twas"])
    configured = getattr(config, f"{kind.__name__}Config").model_fields["quote_char"].default
    assert configured == processor.quote_char == '"'


def test_a_missing_column_is_named(pairs, file):
    with raised(DataProblemError, "missing-column", column="answer"):
        list(pairs(text_b_column_name="answer").read(Split(file)))
    with raised(ConfigError, "same-column-twice", value="text"):
        list(pairs(text_b_column_name="text").read(Split(file)))


def test_several_labels_and_several_tasks(pairs, tmp_path):
    path = tmp_path / "train.tsv"
    path.write_text("text\ttext_b\tkinds\tsame\na\tb\tx,y\tno\nc\td\t\tyes\n")
    processor = pairs(label_list=["x", "y"], label_column_name="kinds", multilabel=True)
    processor.add_task("same", "acc", ["no", "yes"], "same", task_type="classification")
    made = features(processor, str(path))
    assert made["text_classification_label_ids"].to_pylist() == [[1, 1], [0, 0]]
    assert made["same_label_ids"].to_pylist() == [[0], [1]]


def test_tensors(pairs):
    dataset, names, problematic = pairs().dataset_from_dicts(DICTS, indices=[4, 5])
    assert names == ["input_ids", "padding_mask", "segment_ids", "text_classification_label_ids"]
    ids, mask, segments, labels = dataset[1]
    assert ids.tolist() == [2, 25, 6, 21, 3, 6, 10, 3]
    assert (mask.tolist(), segments.tolist(), labels.tolist()) == ([1] * 8, [0, 0, 0, 0, 0, 1, 1, 1], [0])
    assert problematic == set()
    (_, names, _, baskets) = pairs().dataset_from_dicts(DICTS[:1], return_baskets=True)
    assert names == ["input_ids", "padding_mask", "segment_ids"]
    assert baskets[0].samples[0].clear_text["text"] == ("a good film", "very bad")


@pytest.mark.parametrize("asked", [Processor, InferenceProcessor, TextPairClassificationProcessor])
def test_a_saved_processor_of_pairs_reads_pairs(pairs, tmp_path, asked):
    pairs(text_b_column_name="answer", multilabel=True).save(tmp_path / "model")
    loaded = asked.load_from_dir(tmp_path / "model").for_inference()
    assert loaded.text_b_column_name == "answer"
    (tmp_path / "new.tsv").write_text("text\tanswer\tid\na\tb\tq7\nc\t\tq8\n")
    (table,) = loaded.read(Split(str(tmp_path / "new.tsv")))
    assert table.column_names == ["id", "text", "text_b", "problem", "external_id"]
    made = loaded.featurize(table)
    assert made.column_names == ["id", "input_ids", "segment_ids", "n_tokens", "clipped", "problem"]
    assert [row and row["kind"] for row in made["problem"].to_pylist()] == [None, "empty text"]
    assert loaded.featurize(loaded.dicts_to_table([{"text": ("a", "b")}]))["input_ids"][0] == made["input_ids"][0]


def test_a_folder_of_farm_reads_pairs(pairs, tmp_path, caplog):
    """FARM 0.8 does not write the name of the second column."""
    pairs().save(tmp_path)
    path = tmp_path / "processor_config.json"
    config = json.loads(path.read_text())
    del config["text_b_column_name"]
    path.write_text(json.dumps(config | {"baskets": []}))
    for kind in (Processor, InferenceProcessor):
        assert kind.load_from_dir(tmp_path).text_b_column_name == "text_b"
    assert not caplog.records


def test_inference_of_pairs_without_a_saved_processor(tokenizer):
    processor = InferenceProcessor(tokenizer, 9, text_b_column_name="text_b")
    made = processor.featurize(processor.dicts_to_table([{"text": ("a", "b")}, {"text": "a"}]))
    assert made["n_tokens"].to_pylist() == [5, 0]


def test_unknown_arguments_name_the_nearest(make, pairs):
    with pytest.raises(
        TypeError, match=r'TextPairClassificationProcessor has no argument "text_b_colum_name"; did you'
    ):
        pairs(text_b_colum_name="b")
    with pytest.raises(TypeError, match='TextPairRegressionProcessor has no argument "label_list"'):
        make(TextPairRegressionProcessor)


def test_room_for_two_texts(pairs):
    with pytest.raises(ConfigError, match=r"max_seq_len=4 leaves no room for a pair of texts.* at least 5"):
        pairs(max_seq_len=4)
    assert pairs(max_seq_len=5).featurize(pairs().dicts_to_table(DICTS))["n_tokens"].to_pylist() == [5, 5]


def test_it_is_a_text_classification_processor(pairs, file):
    processor = pairs(label_list=None)
    assert isinstance(processor, TextClassificationProcessor)
    fitted = processor.fitted_on(processor.read(Split(file)))
    assert fitted.tasks["text_classification"]["label_list"] == ["0", "1"]


def test_no_test_file_is_fine_under_its_default_name(pairs, tmp_path):
    assert input_path(pairs(data_dir=str(tmp_path)), "test") is None
    assert input_path(pairs(data_dir=str(tmp_path), test_filename="mine.tsv"), "test") == str(tmp_path / "mine.tsv")


def test_loaded_by_name(tokenizer):
    usual = {"tokenizer": tokenizer, "max_seq_len": 8, "data_dir": "data", "train_filename": "a", "dev_filename": None}
    usual |= {"test_filename": None, "dev_split": 0.3}
    processor = Processor.load("TextPairRegressionProcessor", **usual, text_b_column_name="b", label_column_name="n")
    assert type(processor) is TextPairRegressionProcessor
    assert (processor.text_b_column_name, processor.dev_split) == ("b", 0.3)


def test_json_lines(pairs, tmp_path):
    path = tmp_path / "train.jsonl"
    path.write_text('{"text": "a", "text_b": "b", "label": 1}\n{"text": "a", "label": 0}\n')
    made = features(pairs(), str(path))
    assert made["text_classification_label_ids"].to_pylist() == [[1], None]
    assert made["problem"].to_pylist()[1]["message"].startswith("train.jsonl:2: the second text (text_b) is empty")


def test_a_reader_of_a_users_own(tokenizer):
    class TabProcessor(Processor):
        text_b_column_name = "text_b"

        def file_to_dicts(self, file):
            yield {"text": tuple(file.split("\t"))}
            yield {"text": file}

    processor = TabProcessor(tokenizer, 8, None, None, None, None, None)
    (table,) = processor.read(Split("a film\tvery bad"))
    made = processor.featurize(table)
    assert made["input_ids"].to_pylist() == [[2, 6, 10, 3, 13, 8, 3], []]
    assert made["problem"].to_pylist()[1]["kind"] == "not a pair"


def test_labels_converted_by_a_subclass_see_the_pair(tokenizer, file):
    class LengthProcessor(TextPairClassificationProcessor):
        def convert_labels(self, dictionary):
            first, second = dictionary["text"]
            return {"text_classification_label_ids": [int(len(first) > len(second))]}

    processor = LengthProcessor(tokenizer, 8, None, ["0", "1"], "acc")
    assert features(processor, file)["text_classification_label_ids"].to_pylist() == [[1], [1]]
    from_dicts = processor.featurize(processor.dicts_to_table(DICTS))
    assert from_dicts["text_classification_label_ids"].to_pylist() == [[1], [1]]
