"""Labels that no list names are taken from the training data, before any features are made."""

import pytest

from farm_ray.data_handler.data_silo import DataSilo, DataSiloForCrossVal, StreamingDataSilo
from farm_ray.data_handler.data_silo.loading import Loading
from farm_ray.data_handler.processor import NERProcessor, Processor, TextClassificationProcessor
from farm_ray.errors import ConfigError, DataProblemError
from tests.raised import raised


def write(path, labels):
    path.write_text("text\tlabel\n" + "".join(f"a good film {i % 5}\t{label}\n" for i, label in enumerate(labels)))


@pytest.fixture
def folder(tmp_path):
    write(tmp_path / "train.tsv", ["pos", "neg", "neutral", "pos"] * 3)
    write(tmp_path / "test.tsv", ["neutral", "pos"])
    return tmp_path


def classification(tokenizer, folder, **settings):
    return TextClassificationProcessor(tokenizer, 16, str(folder), **({"metric": "acc", "dev_split": 0} | settings))


def labels(silo, name, task="text_classification"):
    return silo.data[name].column(f"{task}_label_ids").ravel().tolist()


def label_list(silo, task="text_classification"):
    return silo.processor.tasks[task]["label_list"]


def test_all_sets_have_the_labels_of_the_training_data(tokenizer, folder):
    silo = DataSilo(classification(tokenizer, folder), batch_size=2)
    assert label_list(silo) == ["neg", "neutral", "pos"]
    assert labels(silo, "test") == [1, 2]
    assert labels(silo, "train")[:3] == [2, 0, 1]


def test_a_label_that_only_the_test_set_has_is_a_problem(tokenizer, folder):
    write(folder / "test.tsv", ["neutral", "mixed"])
    with pytest.raises(
        DataProblemError, match=r'test\.tsv:3: label "mixed" is not in label_list \[neg, neutral, pos\]'
    ):
        DataSilo(classification(tokenizer, folder), batch_size=2)


def test_from_dicts_and_files_and_streams(tokenizer, folder):
    silo = DataSilo(classification(tokenizer, folder, test_filename=None), 2, automatic_loading=False)
    silo._load_data(train_dicts=[{"text": "a", "label": label} for label in (3, 20, 100)])
    assert (label_list(silo), labels(silo, "train")) == (["3", "20", "100"], [0, 1, 2])
    stream = StreamingDataSilo(classification(tokenizer, folder), batch_size=2)
    assert label_list(stream) == ["neg", "neutral", "pos"]


def test_several_tasks(tokenizer, tmp_path):
    rows = [("a", "x", "1.5"), ("b", "y", "2.5"), ("b,a", "x", "4"), ("", "z", "0")]
    (tmp_path / "train.tsv").write_text(
        "text\tone\ttwo\tthree\n" + "".join("t\t" + "\t".join(row) + "\n" for row in rows)
    )
    processor = classification(tokenizer, tmp_path, metric=None, test_filename=None)
    processor.add_task("one", "f1_micro", label_column_name="one", task_type="multilabel_classification")
    processor.add_task("two", "acc", label_column_name="two")
    processor.add_task("three", "mse", label_column_name="three", task_type="regression")
    silo = DataSilo(processor, batch_size=2)
    assert [label_list(silo, task) for task in ("one", "two")] == [["a", "b"], ["x", "y", "z"]]
    assert label_list(silo, "three")[0] == 2.0


def test_folds_share_the_labels(tokenizer, folder):
    silo = DataSilo(classification(tokenizer, folder), batch_size=2)
    folds = DataSiloForCrossVal.make(silo, n_splits=3)
    assert [label_list(fold) for fold in folds] == [["neg", "neutral", "pos"]] * 3


def test_a_saved_processor_keeps_the_labels(tokenizer, folder, tmp_path):
    processor = classification(tokenizer, folder)
    silo = DataSilo(processor, batch_size=2)
    silo.processor.save(tmp_path / "model")
    loaded = Processor.load_from_dir(tmp_path / "model")
    assert loaded.tasks == silo.processor.tasks
    with pytest.raises(ConfigError, match=r"does not know the labels of task .*silo\.processor\.save"):
        processor.save(tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_whether_zeros_and_ones_are_meant_is_saved(tokenizer, tmp_path):
    write(tmp_path / "train.tsv", ["0,1", "1,0", "0,0"])
    silo = DataSilo(classification(tokenizer, tmp_path, multilabel=True, test_filename=None), batch_size=2)
    silo.processor.save(tmp_path / "model")
    loaded = Processor.load_from_dir(tmp_path / "model")
    made = loaded.featurize(loaded.dicts_to_table([{"text": "a", "label": [0, 1]}]))
    assert made["text_classification_label_ids"].to_pylist() == [[0, 1]]


def test_the_cache_is_keyed_by_the_labels(tokenizer, folder):
    def silo():
        return DataSilo(classification(tokenizer, folder), batch_size=2, caching=True, cache_path=folder / "cache")

    silo()
    write(folder / "train.tsv", ["good", "neutral", "pos"])
    assert labels(silo(), "test") == [1, 2]


def test_without_training_data_labels_must_be_given(tokenizer, folder):
    with raised(ConfigError, "labels-not-known", task="text_classification"):
        DataSilo(classification(tokenizer, folder, train_filename=None), batch_size=2)
    processor = classification(tokenizer, folder)
    with raised(ConfigError, "labels-not-known", column="label"):
        processor.featurize(processor.dicts_to_table([{"text": "a", "label": "pos"}]))


def test_rows_without_a_valid_one_are_the_reason(tokenizer, folder):
    (folder / "train.tsv").write_text("text\tlabel\n \tpos\n \tneg\n")
    with raised(DataProblemError, "no-usable-rows", kind="empty text", file="train.tsv", row=2):
        DataSilo(classification(tokenizer, folder), batch_size=2)


class Own(TextClassificationProcessor):
    def convert_labels(self, dictionary):
        return {"text_classification_label_ids": [0]}


def test_a_processor_with_labels_of_its_own_needs_the_list(tokenizer, folder):
    processor = Own(tokenizer, 16, str(folder), metric="acc")
    with raised(ConfigError, "labels-not-known", task="text_classification"):
        DataSilo(processor, batch_size=2)


def test_a_metric_that_does_not_fit_the_labels_is_refused_before_features_are_made(tokenizer, folder, monkeypatch):
    monkeypatch.setattr(Loading, "features", None)
    with raised(ConfigError, "wrong-labels-for-metric", value="acc_f1"):
        DataSilo(classification(tokenizer, folder, metric="acc_f1"), batch_size=2)
    rows = ['{"text": ["Ada", "said"], "ner_label": [1, 0]}', '{"text": ["EU", "rejects"], "ner_label": [2, 0]}']
    (folder / "train.jsonl").write_text("\n".join(rows * 4) + "\n")
    settings = {"train_filename": "train.jsonl", "dev_filename": None, "test_filename": None, "metric": "seq_f1"}
    with pytest.raises(ConfigError, match=r'the tags \[0, 1, 2\] lack "O" .*write their names'):
        DataSilo(NERProcessor(tokenizer, 8, str(folder), **settings), batch_size=2)
