"""A silo that keeps the features of its files in parts: stopped and begun again, it makes the same ones, none twice."""

import pytest

from farm_ray import parts
from farm_ray.data_handler.data_silo import DataSilo, loading
from farm_ray.data_handler.data_silo import featurize as featurizing
from farm_ray.data_handler.data_silo.partial_features import PartialFeatures
from farm_ray.data_handler.processor import (
    BertStyleLMProcessor,
    NERProcessor,
    RegressionProcessor,
    TextClassificationProcessor,
)
from farm_ray.data_handler.processor.base import Processor
from tests.stream_runs import write_documents

TAGS = ["O", "B-PER"]


class StoppedError(RuntimeError):
    """What the test stops a silo with."""


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch):
    """Every table is a part; ranges of a corpus hold a few documents."""
    monkeypatch.setattr(parts, "_SECONDS_PER_PART", 0.0)
    monkeypatch.setattr(parts, "_WORK_PER_WRITING", 0.0)
    monkeypatch.setattr(featurizing, "WINDOW_BYTES", 1000)


@pytest.fixture
def featurized(monkeypatch):
    """Tables that were featurised; after `featurized.stop_after` more it raises."""

    class Calls(list):
        stop_after = None

    calls = Calls()
    featurize = Processor.featurize

    def counted(self, dicts):
        if calls.stop_after == 0:
            raise StoppedError
        if calls.stop_after is not None:
            calls.stop_after -= 1
        calls.append(dicts.column("id").to_pylist())
        return featurize(self, dicts)

    monkeypatch.setattr(Processor, "featurize", counted)
    return calls


def texts(tokenizer, folder):
    for name, rows in {"train/a.tsv": 20, "train/b.tsv": 13, "test.tsv": 11}.items():
        (folder / name).parent.mkdir(exist_ok=True)
        lines = [f"the film {n % 7}\t{('good', 'bad')[n % 2]}" for n in range(rows)]
        (folder / name).write_text("\n".join(["text\tlabel", *lines, ""]))
    settings = {"label_list": ["good", "bad"], "metric": "acc", "train_filename": "train", "dev_split": 0.2}
    return TextClassificationProcessor(tokenizer, 8, folder, **settings)


def words(tokenizer, folder):
    """Sentences of 1 to 17 words: many do not fit into one window."""
    blocks = ["".join(f"film {TAGS[(n + k) % 2]}\n" for k in range(1 + n % 17)) for n in range(40)]
    (folder / "train.txt").write_text("\n".join(blocks))
    settings = {"label_list": TAGS, "metric": "seq_f1", "dev_filename": None, "test_filename": None, "dev_split": 0.2}
    return NERProcessor(tokenizer, 8, folder, delimiter=" ", **settings)


def numbers(tokenizer, folder):
    lines = [f"the film {n % 7}\t{n / 3}" for n in range(33)]
    (folder / "train.tsv").write_text("\n".join(["text\tlabel", *lines, ""]))
    return RegressionProcessor(tokenizer, 8, folder, dev_filename=None, test_filename=None, dev_split=0.2)


def documents(tokenizer, folder):
    write_documents(folder / "train.txt", documents=150)
    return BertStyleLMProcessor(tokenizer, 24, folder, dev_filename=None, test_filename=None, dev_split=0.0)


def make(processor, folder=None, **options):
    """The features of each set, and the parts they were kept in."""
    kept = None if folder is None else PartialFeatures(str(folder))
    usual = {"batch_size": 4, "max_processes": 1, "max_multiprocessing_chunksize": 5}
    data = DataSilo(processor, parts=kept, **(usual | options)).data
    return {name: rows.table.take(rows.rows) for name, rows in data.items() if rows is not None}, kept


@pytest.mark.parametrize("kind", [texts, words, numbers, documents])
def test_stopped_and_begun_again(tokenizer, tmp_path, featurized, kind):
    processor = kind(tokenizer, tmp_path)
    whole, _ = make(processor)
    featurized.clear()
    make(processor, tmp_path / "out")[1].remove()
    unbroken = list(featurized)
    featurized.clear()
    featurized.stop_after = 4
    with pytest.raises(StoppedError):
        make(processor, tmp_path / "out")
    featurized.stop_after = None
    found, kept = make(processor, tmp_path / "out")
    assert featurized == unbroken
    assert 0 < kept.rows_resumed < sum(rows.num_rows for rows in found.values())
    assert found.keys() == whole.keys()
    assert all(rows.equals(whole[name]) for name, rows in found.items())
    kept.remove()
    assert list((tmp_path / "out").iterdir()) == []


def test_the_cache_keeps_files_and_parts_what_is_between(tokenizer, tmp_path, featurized):
    processor, cache = texts(tokenizer, tmp_path), {"caching": True, "cache_path": tmp_path / "cache"}
    featurized.stop_after = 5
    with pytest.raises(StoppedError):
        make(processor, tmp_path / "out", **cache)
    featurized.stop_after = None
    found, kept = make(processor, tmp_path / "out", **cache)
    assert kept.rows_resumed == 5
    assert sum(map(len, featurized)) == 20 + 13 + 11
    assert {name: rows.num_rows for name, rows in found.items()} == {"train": 26, "dev": 7, "test": 11}
    kept.remove()
    assert list((tmp_path / "out").iterdir()) == []


def test_features_under_other_settings_are_told_and_made_anew(tokenizer, tmp_path, featurized, caplog):
    processor = texts(tokenizer, tmp_path)
    featurized.stop_after = 4
    with pytest.raises(StoppedError):
        make(processor, tmp_path / "out")
    featurized.stop_after = None
    processor.max_seq_len = 6
    assert make(processor, tmp_path / "out")[1].rows_resumed == 0
    assert "max_seq_len (was 8, is 6)" in caplog.text


@pytest.mark.cluster
@pytest.mark.usefixtures("ray_cluster")
def test_on_ray_behind_what_this_process_has_made(tokenizer, tmp_path, featurized, monkeypatch):
    monkeypatch.setattr(loading, "_SMALL_BYTES", 0)
    processor = words(tokenizer, tmp_path)
    whole, _ = make(processor)
    featurized.stop_after = 3
    with pytest.raises(StoppedError):
        make(processor, tmp_path / "out")
    featurized.stop_after = None
    featurized.clear()
    found, kept = make(processor, tmp_path / "out", max_processes=2)
    assert not any(featurized), "nothing but the empty table is featurised in this process"
    assert kept.rows_resumed > 0
    assert all(rows.equals(whole[name]) for name, rows in found.items())
