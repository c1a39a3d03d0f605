"""The processor for words with tags: files, dicts, features, baskets, messages."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from farm_ray.data_handler.file_to_dicts.splits import Split
from farm_ray.data_handler.processor import InferenceProcessor, NERProcessor, Processor
from farm_ray.errors import ConfigError, DataProblemError
from tests.raised import raised
from tests.tiny import tiny_roberta

TAGS = ["O", "B-PER", "I-PER"]
CONLL = "a\tO\nfool\tB-PER\n\nthe\tO\nvery\tB-PER\nbad\tI-PER\nfilm\tO\n"


@pytest.fixture
def make(tokenizer):
    def make(**settings):
        usual = {"tokenizer": tokenizer, "max_seq_len": 8, "data_dir": None, "label_list": TAGS, "metric": "seq_f1"}
        return NERProcessor(**(usual | settings))

    return make


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "train.txt"
    path.write_text(CONLL)
    return str(path)


def features(processor, path):
    return processor.featurize(pa.concat_tables(processor.read(Split(str(path)))))


def told(table):
    return [row and row["kind"] for row in table["problem"].to_pylist()]


def test_the_usual_task_and_farms_signature(tokenizer):
    processor = NERProcessor(tokenizer, 8, "data", TAGS, "seq_f1", "t.txt", "d.txt", None, 0.1, " ")
    assert processor.tasks == {
        "ner": {
            "label_list": TAGS,
            "metric": "seq_f1",
            "label_tensor_name": "ner_label_ids",
            "label_name": "ner_label",
            "label_column_name": None,
            "text_column_name": None,
            "task_type": "token_classification",
        }
    }
    assert (processor.train_filename, processor.dev_split, processor.delimiter) == ("t.txt", 0.1, " ")
    usual = NERProcessor(tokenizer, 8, "data")
    files = (usual.train_filename, usual.dev_filename, usual.test_filename, usual.dev_split, usual.delimiter)
    assert files == ("train.txt", "dev.txt", "test.txt", 0.0, "\t")
    with pytest.raises(TypeError, match='no argument "lables"'):
        NERProcessor(tokenizer, 8, "data", lables=TAGS)


def test_dicts_of_a_file(make, file):
    assert make().file_to_dicts(file) == [
        {"text": "a fool", "ner_label": ["O", "B-PER"]},
        {"text": "the very bad film", "ner_label": ["O", "B-PER", "I-PER", "O"]},
    ]


def test_file_to_features(make, file):
    made = features(make(), file)
    assert made["id"].to_pylist() == ["train.txt:1-0", "train.txt:4-0"]
    assert made["ner_label_ids"].to_pylist() == [[-100, 0, 1, -100], [-100, 0, 1, 2, 0, -100]]
    assert make().padding().fills == {"ner_label_ids": -100}


def test_what_begins_no_word_is_learned_where_the_label_list_has_a_label_for_it(make, file):
    processor = make(label_list=["X", *TAGS])
    assert features(processor, file)["ner_label_ids"].to_pylist()[0] == [0, 1, 2, 0]
    assert processor.padding().fills == {"ner_label_ids": 0}
    own = make(label_list=["O", "_"], non_initial_token="_")
    assert own.featurize(own.dicts_to_table([{"text": "a", "ner_label": ["O"]}]))["ner_label_ids"].to_pylist() == [
        [1, 0, 1]
    ]


def test_windows_of_long_texts(make):
    processor = make(max_seq_len=5, window_overlap=1)
    made = processor.featurize(
        processor.dicts_to_table([{"text": "the very bad film was", "ner_label": [*TAGS, "O", "O"]}])
    )
    assert made["dict_id"].to_pylist() == ["0", "0"]
    assert made["initial_mask"].to_pylist() == [[0, 1, 1, 1, 0], [0, 0, 1, 1, 0]]
    for overlap in (-1, 8):
        with raised(ConfigError, "invalid-value", option="window_overlap"):
            make(window_overlap=overlap)


def test_problems_from_the_file_to_the_features(make, tmp_path):
    path = tmp_path / "train.txt"
    path.write_text("a\tO\nbad\n\na\tO\n\nfool\tB-PR\n")
    made = features(make(), path)
    assert told(made) == ["wrong number of columns", None, "unknown tag"]
    assert [row and row["line"] for row in made["problem"].to_pylist()] == [2, None, 6]
    first, *_ = make().file_to_dicts(str(path))
    assert (first["text"], first["problem"]["line"]) == (None, 2)


ROWS = [
    {"id": "q1", "text": "a fool", "ner_label": ["O", "B-PER"], "topic": "news"},
    {"text": ["the", "film"], "ner_label": ["O", "O"], "topic": "sport"},
]


@pytest.mark.parametrize("suffix", ["jsonl", "json", "parquet"])
def test_files_of_objects(make, tmp_path, suffix):
    path = tmp_path / f"train.{suffix}"
    if suffix == "parquet":
        pq.write_table(
            pa.Table.from_pylist(
                [
                    {**row, "text": str.split(row["text"]) if isinstance(row["text"], str) else row["text"]}
                    for row in ROWS
                ]
            ),
            path,
        )
    else:
        path.write_text("\n".join(map(json.dumps, ROWS)) if suffix == "jsonl" else json.dumps(ROWS))
    processor = make()
    processor.add_task("topic", "acc", ["news", "sport"], "topic", task_type="classification")
    made = features(processor, path)
    assert made["dict_id"].to_pylist() == [f"train.{suffix}:1", f"train.{suffix}:2"]
    assert made["ner_label_ids"].to_pylist() == [[-100, 0, 1, -100], [-100, 0, 0, -100]]
    assert made["topic_label_ids"].to_pylist() == [[0], [1]]
    assert processor.file_to_dicts(str(path))[1] == {
        "text": "the film",
        "ner_label": ["O", "O"],
        "topic_label": "sport",
    }
    (table,) = processor.for_inference().read(Split(str(path)))
    assert table["external_id"].to_pylist() == ["q1", None]
    assert table["id"].to_pylist() == made["dict_id"].to_pylist()


def test_names_of_columns_in_files_of_objects(make, tmp_path):
    path = tmp_path / "train.jsonl"
    path.write_text(
        '{"tokens": ["a", "fool"], "tags": ["O", "B-PER"]}\n{"tokens": ["a"]}\n{"tokens": ["a", "b c"], "tags": []}\n[]\n'
    )
    made = features(make(text_column_name="tokens", label_column_name="tags"), path)
    assert told(made) == [None, "missing tags", "whitespace in a token", "no object"]
    assert made["ner_label_ids"].to_pylist()[0] == [-100, 0, 1, -100]
    with pytest.raises(
        DataProblemError, match='has no column "ner_label"; its columns are "tokens", "tags"; give label_col'
    ):
        make(text_column_name="tokens").file_to_dicts(str(path))


def test_a_text_that_is_left_out_of_a_file_is_empty(make, tmp_path):
    path = tmp_path / "train.jsonl"
    path.write_text('{"text": ["a", "fool"]}\n{"txt": ["a", "fool"]}\n')
    made = features(make().for_inference(), path)
    assert told(made) == [None, "empty text"]


def test_inference_reads_tokens_without_tags(make, tmp_path):
    path = tmp_path / "new.txt"
    path.write_text("a\nfool\n\nthe\n")
    processor = make().for_inference()
    made = features(processor, path)
    assert made.column_names == [
        "id", "dict_id", "window", "input_ids", "initial_mask", "n_tokens", "clipped", "problem"
    ]  # fmt: skip
    assert made["n_tokens"].to_pylist() == [4, 3]
    assert processor.padding().fills == {}
    made = processor.featurize(processor.dicts_to_table([{"text": "a 👩‍👩‍👧 fool"}, {"text": " "}]))
    assert [sum(mask) for mask in made["initial_mask"].to_pylist()] == [3, 0]
    assert told(made) == [None, "empty text"]


def test_several_columns_of_tags(make, tmp_path):
    path = tmp_path / "train.txt"
    path.write_text("a\tDT\tO\nfool\tNN\tB-PER\n")
    processor = make()
    processor.add_task("pos", "acc", ["DT", "NN"], label_column_name="1")
    made = features(processor, path)
    assert made["pos_label_ids"].to_pylist() == [[-100, 0, 1, -100]]
    assert made["ner_label_ids"].to_pylist() == [[-100, 0, 1, -100]]
    processor.add_task("topic", "acc", ["news", "sport"], task_type="classification")
    with raised(ConfigError, "file-without-words", task="topic"):
        processor.file_to_dicts(str(path))


def test_options_of_files(make, tmp_path):
    path = tmp_path / "data.txt"
    path.write_bytes("#\thttp://x [2009]\n1\tB\xfcro\tI-LOCderiv\tO\n\n2\tan\tO\tO\n".encode("latin-1"))
    settings = {"germeval14": True, "iob1": True, "encoding": "latin-1"}
    expected = [{"text": "Büro", "ner_label": ["B-LOC"]}, {"text": "an", "ner_label": ["O"]}]
    assert make(**settings).file_to_dicts(str(path)) == expected
    given = make(token_column=1, tag_column=2, encoding="latin-1").file_to_dicts(str(path))
    assert given[0] == {"text": "Büro", "ner_label": ["I-LOCderiv"]}
    with raised(ConfigError, "invalid-value", option="delimiter"):
        make(delimiter="||")
    with raised(ConfigError, "unknown-encoding"):
        make(encoding="utf-88")


def test_tags_are_taken_from_the_data(make, file):
    processor = make(label_list=None).frozen()
    processor.check_ready_for_training(file)
    assert processor.fitted_on(processor.read(Split(file))).tasks["ner"]["label_list"] == ["O", "B-PER", "I-PER"]
    with pytest.raises(ConfigError, match=r"^metric missing.*--set processor\.metric=seq_f1 \(or acc\)"):
        make(label_list=None, metric=None).check_ready_for_training(file)


def test_a_tag_called_x_is_no_label_of_farms_scheme(make):
    rows = [{"text": "the badly", "ner_label": ["DET", "X"]}]
    processor = make(label_list=None, metric="acc")
    fitted = processor.fitted_on([processor.dicts_to_table(rows)])
    made = fitted.featurize(fitted.dicts_to_table(rows))
    assert fitted.tasks["ner"]["label_list"] == ["DET", "X"]
    assert sorted(set(made["ner_label_ids"].to_pylist()[0])) == [-100, 0, 1]


def test_round_trip_gives_equal_features(make, file, tmp_path):
    for number, tokenizer in enumerate([None, tiny_roberta()]):
        settings = {"tag_column": 1, "window_overlap": 3, **({} if tokenizer is None else {"tokenizer": tokenizer})}
        processor = make(**settings)
        processor.add_task("topic", "acc", ["news", "sport"], task_type="classification")
        processor.save(tmp_path / str(number))
        loaded = Processor.load_from_dir(tmp_path / str(number))
        assert type(loaded) is NERProcessor
        assert loaded.tasks == processor.tasks
        assert loaded.generate_config() == processor.generate_config()
        assert loaded.fingerprint() == processor.fingerprint()
        rows = [{"text": "the very bad film of the day", "ner_label": ["O"] * 7, "topic_label": "news"}]
        table = processor.dicts_to_table(rows)
        assert loaded.featurize(table).equals(processor.featurize(table))


def test_folder_of_farm(tokenizer, tmp_path):
    tokenizer.save_pretrained(str(tmp_path))
    task = {"label_list": ["[PAD]", "X", "O", "B-PER"], "metric": "seq_f1", "label_tensor_name": "ner_label_ids"}
    task |= {"label_name": "ner_label", "label_column_name": None, "text_column_name": None, "task_type": None}
    config = {"processor": "NERProcessor", "tokenizer": "BertTokenizerFast", "max_seq_len": 12, "delimiter": " "}
    config |= {"data_dir": "d", "train_filename": "train.txt", "dev_filename": "dev.txt", "test_filename": None}
    config |= {"dev_split": 0.0, "proxies": None, "baskets": [], "tasks": {"ner": task}}
    (tmp_path / "processor_config.json").write_text(json.dumps(config))
    processor = Processor.load_from_dir(tmp_path)
    assert processor.tasks["ner"]["task_type"] == "token_classification"
    assert (processor.delimiter, processor.padding().fills) == (" ", {"ner_label_ids": 1})


def test_a_processor_for_inference_of_the_same_folder(make, tmp_path, caplog):
    make().save(tmp_path)
    processor = InferenceProcessor.load_from_dir(tmp_path)
    assert caplog.records == []
    (tmp_path / "new.tsv").write_text("text\na fool\n")
    assert features(processor, tmp_path / "new.tsv")["input_ids"].to_pylist() == [[2, 6, 24, 3]]


def test_baskets(make):
    processor = make(max_seq_len=6, window_overlap=2)
    text = "the very\tbadly dull film"
    _, names, problematic, baskets = processor.dataset_from_dicts(
        [{"text": ""}, {"text": text, "id": "q"}], [7, 8], return_baskets=True
    )
    assert names == ["input_ids", "padding_mask", "segment_ids", "initial_mask"]
    assert problematic == {7}
    (basket,) = baskets
    assert (basket.id_internal, basket.id_external, basket.raw) == ("8", "q", {"text": text, "id": "q"})
    first, second = basket.samples
    assert (first.id, second.id) == ("8-0", "8-1")
    assert first.tokenized == {
        "tokens": ["[CLS]", "the", "very", "bad", "##ly", "[SEP]"],
        "start_of_word": [False, True, True, True, False, False],
        "word_spans": [(0, 3), (4, 8), (9, 14)],
        "token_to_word_map": [None, 0, 1, 2, 2, None],
    }
    assert second.tokenized["tokens"] == ["[CLS]", "bad", "##ly", "dull", "film", "[SEP]"]
    assert [text[start:end] for start, end in second.tokenized["word_spans"]] == ["dull", "film"]
    assert second.tokenized["token_to_word_map"] == [None, 2, 2, 3, 4, None]
    assert second.features[0]["initial_mask"] == [0, 0, 0, 1, 1, 0]


def test_own_readers(make, tokenizer, tmp_path):
    class Slashes(NERProcessor):
        def file_to_dicts(self, file):
            for line in open(file, encoding="utf-8"):  # noqa: SIM115, PTH123
                pairs = [pair.split("/") for pair in line.split()]
                yield {"text": [word for word, _ in pairs], "ner_label": [tag for _, tag in pairs]}

    class Converts(NERProcessor):
        def convert_labels(self, dictionary):
            return {}

    path = tmp_path / "train.txt"
    path.write_text("a/O fool/B-PER\nthe/O\n")
    processor = Slashes(tokenizer, 8, None, TAGS, "seq_f1")
    assert features(processor, path)["ner_label_ids"].to_pylist() == [[-100, 0, 1, -100], [-100, 0, -100]]
    assert processor.splits(str(path), 1) == [Split(str(path))]
    with raised(ConfigError, "method-never-called", value="convert_labels"):
        Converts(tokenizer, 8, None, TAGS, "seq_f1")


def test_files_are_cut_behind_blank_lines(make, file, tmp_path):
    processor = make()
    assert processor.splits(file, 1 << 20) == [Split(file)]
    assert [split.start for split in processor.splits(file, 15)] == [len(CONLL) * n // 3 for n in range(3)]
    assert processor.splits(str(tmp_path / "x.json"), 15) == [Split(str(tmp_path / "x.json"))]
