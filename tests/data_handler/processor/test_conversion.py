import pytest
from transformers import BertConfig

from farm_ray.data_handler.processor import InferenceProcessor, Processor, TextClassificationProcessor
from farm_ray.errors import ConfigError
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
    [("ner", "not available yet"), ("question_answering", "not available yet"), ("embedding", 'mean "embeddings"')],
)
def test_other_tasks(folder, task_type, told):
    with pytest.raises(ConfigError, match=told):
        Processor.convert_from_transformers(folder, task_type, 12, 64)


def test_models_with_one_label(folder):
    BertConfig(num_labels=1).save_pretrained(folder)
    with pytest.raises(ConfigError, match="at least two labels"):
        Processor.convert_from_transformers(folder, "text_classification", 12, 64)
