import json
import logging

import pytest

from farm_ray.data_handler.processor import InferenceProcessor, Processor, TextClassificationProcessor
from farm_ray.errors import ConfigError, ModelFolderError
from tests.data_handler.processor.user_processors import LineProcessor
from tests.raised import raised
from tests.tiny import tiny_roberta, tiny_unigram, tiny_xlnet

FARM_08 = {
    "baskets": [],
    "data_dir": "../data/germeval18",
    "delimiter": "\t",
    "dev_filename": None,
    "dev_split": 0.1,
    "dev_stratification": False,
    "header": 0,
    "label_column_name": "coarse_label",
    "lower_case": False,
    "max_samples": None,
    "max_seq_len": 12,
    "proxies": None,
    "quote_char": "'",
    "skiprows": None,
    "tasks": {
        "text_classification": {
            "label_list": ["OTHER", "OFFENSE"],
            "metric": ["f1_macro"],
            "label_tensor_name": "text_classification_label_ids",
            "label_name": "text_classification_label",
            "label_column_name": "coarse_label",
            "text_column_name": "text",
            "task_type": "classification",
        }
    },
    "test_filename": "test.tsv",
    "text_column_name": "text",
    "tokenizer": "BertTokenizerFast",
    "train_filename": "train.tsv",
    "processor": "TextClassificationProcessor",
}
ROWS = [{"text": f"Über a {'very ' * n}good film, 12.50!", "text_classification_label": "OTHER"} for n in range(4)]


def test_round_trip_gives_equal_features(make, tmp_path):
    for number, tokenizer in enumerate([None, tiny_roberta(), tiny_unigram(), tiny_xlnet()]):
        processor = make(max_seq_len=20, **({} if tokenizer is None else {"tokenizer": tokenizer}))
        processor.save(tmp_path / str(number))
        loaded = Processor.load_from_dir(tmp_path / str(number))
        assert type(loaded) is TextClassificationProcessor
        assert loaded.tasks == processor.tasks
        assert loaded.generate_config() == processor.generate_config()
        table = processor.dicts_to_table(ROWS)
        assert loaded.featurize(table).equals(processor.featurize(table))
        assert loaded.fingerprint() == processor.fingerprint()


def test_configuration_is_plain_json(make, tmp_path):
    processor = make(data_dir=tmp_path, dev_stratification=lambda train, dev_split: (train, train))
    config = processor.generate_config()
    assert config["data_dir"] == str(tmp_path)
    assert "dev_stratification" not in config
    assert not {"tokenizer", "inference", "_missing"} & set(config)
    processor.frozen().save(tmp_path / "model")
    saved = json.loads((tmp_path / "model" / "processor_config.json").read_text())
    assert saved == {**config, "tokenizer": "BertTokenizer", "processor": "TextClassificationProcessor"}


def test_folder_of_farm(tokenizer, tmp_path, caplog):
    tokenizer.save_pretrained(str(tmp_path))
    (tmp_path / "processor_config.json").write_text(json.dumps(FARM_08))
    with caplog.at_level(logging.WARNING):
        processor = Processor.load_from_dir(tmp_path)
        inference = InferenceProcessor.load_from_dir(tmp_path)
    assert not caplog.records
    assert processor.tasks == inference.tasks == FARM_08["tasks"]
    assert (processor.max_seq_len, processor.data_dir, processor.inference) == (12, "../data/germeval18", False)


def test_unknown_settings_are_told_once(make, tmp_path, caplog):
    make().save(tmp_path)
    path = tmp_path / "processor_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"colour": "red", "flavour": 3}))
    with caplog.at_level(logging.WARNING):
        Processor.load_from_dir(tmp_path)
    assert [record.getMessage() for record in caplog.records] == [
        "processor_config.json ignores what it does not know: colour, flavour"
    ]


def test_subclasses_of_users_come_back(tokenizer, tmp_path):
    processor = LineProcessor(tokenizer, 8, "data", dev_split=0.2)
    processor.add_task("mood", "acc", ["sad", "glad"])
    processor.save(tmp_path)
    loaded = Processor.load_from_dir(tmp_path)
    assert type(loaded) is LineProcessor
    assert (loaded.dev_split, loaded.tasks) == (0.2, processor.tasks)


def test_classes_that_are_not_known(make, tmp_path):
    make().save(tmp_path)
    path = tmp_path / "processor_config.json"
    config = json.loads(path.read_text())
    path.write_text(json.dumps(config | {"processor": "SquadProcessor"}))
    with raised(ConfigError, "not-available-yet", value="SquadProcessor"):
        Processor.load_from_dir(tmp_path)
    path.write_text(json.dumps(config | {"processor": "TextClassificationProzessor"}))
    with pytest.raises(ConfigError, match='did you mean "TextClassificationProcessor"'):
        Processor.load_from_dir(tmp_path)
    assert type(TextClassificationProcessor.load_from_dir(tmp_path)) is TextClassificationProcessor


def test_load_by_name(tokenizer):
    usual = {"tokenizer": tokenizer, "max_seq_len": 8, "data_dir": "data", "train_filename": "a", "dev_filename": None}
    processor = Processor.load(
        "TextClassificationProcessor", **usual, test_filename=None, dev_split=0.3, label_list=["a", "b"], metric="acc"
    )
    assert (processor.dev_split, list(processor.tasks)) == (0.3, ["text_classification"])
    with pytest.raises(TypeError, match='no argument "labels"'):
        Processor.load("TextClassificationProcessor", **usual, test_filename=None, dev_split=0.3, labels=["a"])
    with pytest.raises(ConfigError, match="import the module that defines it first"):
        Processor.load("MyOwn", **usual, test_filename=None, dev_split=0.3)


def test_a_folder_without_a_processor_says_where_to_look(make, tmp_path):
    make().save(tmp_path / "run" / "model")
    with pytest.raises(ModelFolderError, match=r"the model of this run is in .*/run/model"):
        Processor.load_from_dir(tmp_path / "run")
    with raised(ModelFolderError, "no-processor-there"):
        Processor.load_from_dir(tmp_path / "nowhere")


def test_nothing_secret_is_saved(make, tmp_path):
    make(data_dir="s3://key:secret@bucket/d?region=eu", proxies={"https": "http://me:secret@proxy"}).save(tmp_path)
    text = (tmp_path / "processor_config.json").read_text()
    assert "secret" not in text
    assert json.loads(text)["data_dir"] == "s3://bucket/d?region=eu"
