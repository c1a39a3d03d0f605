import pytest

from farm_ray.data_handler.file_to_dicts.splits import Split
from farm_ray.data_handler.processor import InferenceProcessor, Processor
from farm_ray.errors import ConfigError
from tests.data_handler.processor.user_processors import StarsProcessor
from tests.raised import raised
from tests.tiny import tiny_roberta, tiny_xlnet


def test_subclass_with_only_a_reader(lines, tmp_path):
    (table,) = lines.read(Split(str(tmp_path / "train.txt")))
    features = lines.featurize(table)
    assert features["id"].to_pylist() == ["train.txt:1", "train.txt:2", "train.txt:3"]
    assert features["mood_label_ids"].to_pylist() == [[1], [0], None]
    assert features["input_ids"].to_pylist()[0] == [2, 6, 7, 21, 3]
    assert features["problem"].to_pylist()[2]["kind"] == "unknown label"


def test_subclass_with_its_own_labels(tokenizer):
    processor = StarsProcessor(tokenizer, 8, None)
    processor.add_task("mood", "acc", ["sad", "glad"], task_type="classification")
    dicts = [{"text": "a", "stars": 5}, {"text": "b", "stars": "1"}, {"text": "c"}]
    features = processor.featurize(processor.dicts_to_table(dicts))
    assert features["mood_label_ids"].to_pylist() == [[1], [0], None]
    assert "KeyError: 'stars'" in features["problem"].to_pylist()[2]["message"]
    inference = processor.for_inference()
    assert "mood_label_ids" not in inference.featurize(inference.dicts_to_table(dicts)).column_names


def test_padding_is_the_tokenizers(make):
    padding = make(tokenizer=tiny_xlnet()).padding()
    assert (padding.pad_token_id, padding.side) == (5, "left")
    tokenizer = tiny_roberta()
    tokenizer.pad_token = None
    with raised(ConfigError, "no-padding-token"):
        make(tokenizer=tokenizer).padding()


def test_unknown_arguments_name_the_nearest(make, tokenizer):
    with pytest.raises(TypeError, match='no argument "labels_list"; did you mean "label_list"'):
        make(labels_list=["a", "b"])
    with pytest.raises(TypeError, match='no argument "max_seq_length"; did you mean "max_seq_len"'):
        InferenceProcessor(tokenizer=tokenizer, max_seq_length=8)


def test_a_processor_without_tasks_is_not_ready(lines):
    lines.check_ready_for_training()
    lines.tasks = {}
    with raised(ConfigError, "no-task"):
        lines.check_ready_for_training("train.txt")


def test_problematic_rows_are_logged(caplog):
    Processor.log_problematic({3, 5})
    assert "2 rows have a problem" in caplog.text
    caplog.clear()
    Processor.log_problematic(set())
    assert not caplog.text
