import pytest
from transformers import BertConfig

from farm_ray.data_handler.processor import (
    InferenceProcessor,
    NERProcessor,
    Processor,
    RegressionProcessor,
    TextClassificationProcessor,
)
from farm_ray.errors import ConfigError
from tests.raised import raised
from tests.tiny import tiny_tokenizer


@pytest.fixture
def folder(tmp_path):
    tiny_tokenizer(tmp_path)
    BertConfig(id2label={2: "dull", 0: "bad", 1: "good"}).save_pretrained(tmp_path)
    return tmp_path


def test_labels_come_from_the_model(folder):
    processor = Processor.convert_from_transformers(folder, "text_classification", 12, 64)
    assert type(processor) is TextClassificationProcessor
    task = processor.tasks["text_classification"]
    assert (task["label_list"], task["metric"], task["task_type"]) == (["bad", "good", "dull"], "acc", "classification")
    assert (processor.max_seq_len, processor.quote_char) == (12, '"')


def test_multilabel_models(folder):
    BertConfig(id2label={0: "bad", 1: "good"}, problem_type="multi_label_classification").save_pretrained(folder)
    processor = Processor.convert_from_transformers(str(folder), "text_classification", 12, 64)
    assert processor.tasks["text_classification"]["task_type"] == "multilabel_classification"


def test_embeddings(folder):
    processor = Processor.convert_from_transformers(
        folder, "embeddings", max_seq_len=9, doc_stride=64, tokenizer_args={"do_lower_case": False}
    )
    assert type(processor) is InferenceProcessor
    assert processor.tokenizer.tokenize("The the") == ["[UNK]", "the"]


@pytest.mark.parametrize(
    ("task_type", "told"),
    [("question_answering", "not available yet"), ("embedding", 'mean "embeddings"')],
)
def test_other_tasks(folder, task_type, told):
    with pytest.raises(ConfigError, match=told):
        Processor.convert_from_transformers(folder, task_type, 12, 64)


def test_tags_come_from_the_model(folder):
    BertConfig(id2label={1: "B-PER", 0: "O", 2: "I-PER"}).save_pretrained(folder)
    processor = Processor.convert_from_transformers(folder, "ner", 12, 64)
    assert type(processor) is NERProcessor
    task = processor.tasks["ner"]
    assert (task["label_list"], task["metric"]) == (["O", "B-PER", "I-PER"], "seq_f1")
    assert (task["task_type"], processor.max_seq_len) == ("token_classification", 12)


def test_tags_without_o_are_scored_by_words(folder):
    BertConfig(id2label={0: "NOUN", 1: "VERB"}).save_pretrained(folder)
    assert Processor.convert_from_transformers(folder, "ner", 12, 64).tasks["ner"]["metric"] == "acc"


@pytest.mark.parametrize("task_type", ["text_classification", "regression"])
def test_models_with_one_output_give_numbers(folder, task_type):
    BertConfig(num_labels=1).save_pretrained(folder)
    processor = Processor.convert_from_transformers(folder, task_type, 12, 64)
    assert type(processor) is RegressionProcessor
    assert (processor.tasks["regression"]["label_list"], processor.quote_char) == ([0.0, 1.0], '"')
    made = processor.featurize(processor.dicts_to_table([{"text": "a", "label": 4.5}]))
    assert made["regression_label_ids"].to_pylist() == [[4.5]]


def test_one_label_of_a_multilabel_model_stays_one(folder):
    BertConfig(num_labels=1).save_pretrained(folder)
    processor = Processor.convert_from_transformers(folder, "multilabel_text_classification", 12, 64)
    assert processor.tasks["text_classification"]["task_type"] == "multilabel_classification"
    BertConfig(num_labels=1, problem_type="multi_label_classification").save_pretrained(folder)
    again = Processor.convert_from_transformers(folder, "text_classification", 12, 64)
    assert again.tasks == processor.tasks


def test_a_regression_has_one_output(folder):
    with raised(ConfigError, "too-many-outputs", value=3):
        Processor.convert_from_transformers(folder, "regression", 12, 64)
