"""Labels of a regression are measured once on the training data, before any features are made."""

import numpy as np
import pytest

from farm_ray.data_handler.data_silo import DataSilo
from farm_ray.data_handler.processor import Processor, RegressionProcessor, TextClassificationProcessor
from farm_ray.errors import ConfigError, DataProblemError
from tests.raised import raised

TRAIN = [4.0, 5.0, 5.0, 5.0]


def lines(labels):
    return "text\tlabel\n" + "".join(f"a good film {'very ' * (i % 5)}\t{label}\n" for i, label in enumerate(labels))


@pytest.fixture
def folder(tmp_path):
    for name, labels in {"train": TRAIN, "dev": [4.75, 0], "test": [5]}.items():
        (tmp_path / f"{name}.tsv").write_text(lines(labels))
    return tmp_path


def regression(tokenizer, folder, **settings):
    return RegressionProcessor(tokenizer, 16, str(folder), **({"dev_filename": "dev.tsv"} | settings))


def labels(silo, name):
    return silo.data[name].column("regression_label_ids").ravel().tolist()


def test_all_sets_are_scaled_by_the_training_data(tokenizer, folder):
    processor = regression(tokenizer, folder)
    silo = DataSilo(processor, batch_size=2)
    assert silo.processor.tasks["regression"]["label_list"] == pytest.approx([4.75, 0.4330127], abs=1e-7)
    assert labels(silo, "train") == pytest.approx([-1.7320508, 0.5773503, 0.5773503, 0.5773503])
    assert labels(silo, "dev") == pytest.approx([0.0, -10.969655])
    assert labels(silo, "test") == pytest.approx([0.5773503])
    batch = next(iter(silo.get_data_loader("train")))
    assert (str(batch["regression_label_ids"].dtype), list(batch["regression_label_ids"].shape)) == (
        "torch.float32",
        [2, 1],
    )
    assert processor.scaler_mean is None


def test_measured_on_the_rows_that_dev_is_split_from(tokenizer, folder):
    (folder / "train.tsv").write_text(lines(range(1, 9)))
    silo = DataSilo(regression(tokenizer, folder, dev_filename=None, dev_split=0.25), batch_size=2)
    assert silo.counts == {"train": 6, "dev": 2, "test": 1}
    assert silo.processor.scaler_mean == 4.5


def test_from_dicts(tokenizer):
    silo = DataSilo(regression(tokenizer, "", dev_filename=None, dev_split=0), 2, automatic_loading=False)
    silo._load_data(
        train_dicts=[{"text": "a", "label": label} for label in TRAIN], test_dicts=[{"text": "a", "label": 3}]
    )
    assert silo.processor.scaler_mean == 4.75
    assert labels(silo, "test") == pytest.approx([(3 - 4.75) / 0.4330127])
    silo._load_data(train_dicts=[{"text": "a", "label": label} for label in (8, 9)])
    assert silo.processor.scaler_mean == 4.75


def test_a_saved_processor_keeps_its_scaling(tokenizer, folder, tmp_path):
    DataSilo(regression(tokenizer, folder), batch_size=2).processor.save(tmp_path / "model")
    (folder / "train.tsv").write_text(lines([100, 200]))
    loaded = Processor.load_from_dir(tmp_path / "model")
    silo = DataSilo(loaded, batch_size=2)
    assert silo.processor.scaler_mean == 4.75
    assert labels(silo, "test") == pytest.approx([0.5773503])


def test_without_training_data_the_scaling_must_be_known(tokenizer, folder):
    with pytest.raises(ConfigError, match=r"not known: a DataSilo measures them .*scaler_mean"):
        DataSilo(regression(tokenizer, folder, train_filename=None), batch_size=2)
    given = regression(tokenizer, folder, train_filename=None, scaler_mean=1.0, scaler_scale=2.0)
    assert labels(DataSilo(given, batch_size=2), "test") == [2.0]


def test_bad_labels_stop_the_run_and_are_not_measured(tokenizer, folder):
    (folder / "train.tsv").write_text(lines([*TRAIN, "4,5"]))
    with pytest.raises(DataProblemError, match=r'train\.tsv:6: label "4,5" .* write "4.5"'):
        DataSilo(regression(tokenizer, folder), batch_size=2)
    silo = DataSilo(regression(tokenizer, folder), batch_size=2, max_problem_share=0.2)
    assert silo.processor.scaler_mean == 4.75
    (folder / "train.tsv").write_text(lines(["good", "bad"]))
    with raised(DataProblemError, "too-many-problems", row="train.tsv:2", problems=2, rows=2):
        DataSilo(regression(tokenizer, folder), batch_size=2)


def test_a_pass_of_its_own_only_where_something_is_measured(tokenizer, folder, monkeypatch):
    read = []
    original = TextClassificationProcessor.read
    monkeypatch.setattr(
        TextClassificationProcessor, "read", lambda self, split: read.append(split.name) or original(self, split)
    )
    told = []
    silo = DataSilo(regression(tokenizer, folder), batch_size=2, progress=lambda *facts: told.append(facts[:2]))
    assert read == ["train.tsv", "train.tsv", "dev.tsv", "test.tsv"]
    assert told[0] == ("measure rows", 4)
    read.clear()
    DataSilo(silo.processor, batch_size=2)
    classes = TextClassificationProcessor(
        tokenizer, 16, str(folder), ["4.0", "5.0"], "acc", test_filename=None, dev_split=0
    )
    DataSilo(classes, batch_size=2)
    assert read == ["train.tsv", "dev.tsv", "test.tsv", "train.tsv"]


def test_the_cache_is_keyed_by_the_scaling(tokenizer, folder):
    cache = folder / "cache"

    def silo():
        return DataSilo(regression(tokenizer, folder), batch_size=2, caching=True, cache_path=cache)

    first, again = silo(), silo()
    assert len(list(cache.iterdir())) == 3
    assert first.data["train"].table.equals(again.data["train"].table)
    # Other training labels, other features of the same dev and test files.
    (folder / "train.tsv").write_text(lines([0, 0, 2, 2]))
    other = silo()
    assert len(list(cache.iterdir())) == 6
    assert labels(other, "test") == [4.0]


@pytest.mark.cluster
@pytest.mark.usefixtures("ray_cluster")
def test_on_ray_as_in_this_process(tokenizer, tmp_path, monkeypatch):
    (tmp_path / "train").mkdir()
    numbers = np.random.default_rng(5).normal(3, 2, 12_000).round(3)
    for name, part in {"a.tsv": numbers[:9000], "b.tsv": numbers[9000:]}.items():
        (tmp_path / "train" / name).write_text(lines(part))
    settings = {"train_filename": "train", "dev_filename": None, "test_filename": None}
    alone = DataSilo(regression(tokenizer, tmp_path, **settings), batch_size=4, max_processes=1)
    # Reading happens in Ray's tasks.
    monkeypatch.setattr(RegressionProcessor, "read", lambda *_: pytest.fail("the driver reads"))
    parallel = DataSilo(regression(tokenizer, tmp_path, **settings), batch_size=4, max_multiprocessing_chunksize=700)
    assert parallel.data["train"].blocks
    assert parallel.processor.tasks == alone.processor.tasks
    assert parallel.data["train"].table.combine_chunks().equals(alone.data["train"].table.combine_chunks())
    # Labels are found by the same pass.
    for name, values in {"a.tsv": ["10", "9"] * 4500, "b.tsv": ["9", "-1"] * 1500}.items():
        (tmp_path / "train" / name).write_text(lines(values))
    monkeypatch.setattr(TextClassificationProcessor, "read", lambda *_: pytest.fail("the driver reads"))
    classes = TextClassificationProcessor(tokenizer, 16, str(tmp_path), metric="acc", dev_split=0, **settings)
    assert DataSilo(classes, batch_size=4).processor.tasks["text_classification"]["label_list"] == ["-1", "9", "10"]
