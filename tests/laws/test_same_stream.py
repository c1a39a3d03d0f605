"""A streamed run is one run: whatever the workers, and broken or not. As `test_same_run`, for data that is never whole."""

import shutil

import pytest
import torch

from farm_ray.data_handler.data_silo import DataSilo
from farm_ray.errors import CheckpointError
from tests.runs import BrokenOffError, break_off_after, small_trainer
from tests.stream_runs import documents_stream, small_lm_trainer, stream_run, text_stream, write_documents, write_tables


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    return write_tables(tmp_path_factory.mktemp("tables"))


@pytest.fixture(scope="module")
def whole(tiny_folder, tables):
    """The result and the weights of a run that nobody touched."""
    return stream_run(tiny_folder, tables, dropout=0.1)


ROWS = sum(23 + 2 * number for number in range(7))


def test_every_row_is_used_once_per_epoch(whole):
    result, _ = whole
    assert result.rows == 2 * ROWS
    assert result.problems is None


def test_two_runs_are_one_and_another_seed_is_another(tiny_folder, tables, whole):
    one, first = whole
    two, second = stream_run(tiny_folder, tables, dropout=0.1)
    assert (one.order_hash, one.losses) == (two.order_hash, two.losses)
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert stream_run(tiny_folder, tables, stream={"seed": 1})[0].order_hash != one.order_hash


@pytest.mark.parametrize("stop_after", [1, 7, 10, 13])
def test_broken_and_resumed_is_unbroken(tiny_folder, tables, whole, tmp_path, stop_after):
    unbroken, weights = whole
    broken = small_trainer(
        tiny_folder,
        silo=text_stream(tiny_folder, tables),
        dropout=0.1,
        checkpoint_every=1,
        checkpoint_root_dir=tmp_path,
        progress=break_off_after(stop_after),
    )
    with pytest.raises(BrokenOffError):
        broken.train()
    resumed, theirs = stream_run(tiny_folder, tables, dropout=0.1, checkpoint_root_dir=tmp_path)
    assert resumed.resumed_from is not None
    assert (resumed.order_hash, resumed.losses) == (unbroken.order_hash, unbroken.losses)
    assert all(torch.equal(weights[name], theirs[name]) for name in weights)


def test_a_corpus_with_other_words_of_equal_length_is_another_run(tiny_folder, tmp_path):
    tables = write_tables(tmp_path / "tables", files=2)
    options = {"checkpoint_every": 2, "checkpoint_root_dir": tmp_path / "run"}
    stream_run(tiny_folder, tables, **options)
    stream_run(tiny_folder, tables, **options)
    moved = shutil.copytree(tables, tmp_path / "moved")
    assert stream_run(tiny_folder, str(moved), **options)[0].resumed_from is not None
    file = tables / "part-0.tsv"
    file.write_text(file.read_text().replace("good", "dull"))
    with pytest.raises(CheckpointError, match="training files by time of change or ETag was"):
        stream_run(tiny_folder, tables, **options)


@pytest.mark.slow
@pytest.mark.cluster
@pytest.mark.usefixtures("ray_cluster")
def test_workers_change_the_speed_not_the_run(tiny_folder, tables):
    """By default language models are asked, which go the same way and draw masks and pairs besides."""
    alone, weights = stream_run(tiny_folder, tables)
    result, theirs = stream_run(tiny_folder, tables, num_workers=2)
    assert result.order_hash == alone.order_hash
    assert result.losses == pytest.approx(alone.losses, rel=1e-4)
    for name in weights:
        torch.testing.assert_close(theirs[name], weights[name], rtol=1e-2, atol=1e-4)


@pytest.fixture(scope="module")
def documents(tmp_path_factory):
    return write_documents(tmp_path_factory.mktemp("documents") / "train.txt", documents=70).parent


@pytest.mark.cluster
@pytest.mark.usefixtures("ray_cluster")
@pytest.mark.parametrize(
    "workers", [2, pytest.param(1, marks=pytest.mark.slow), pytest.param(4, marks=pytest.mark.slow)]
)
def test_language_models_learn_the_same_from_any_number_of_workers(tiny_folder, documents, workers):
    """Pairs, masks and a loss over predicted tokens: four lanes in this process and on several workers."""
    runs = [lm_run(tiny_folder, documents_stream(tiny_folder, documents), num_workers=n) for n in (0, workers)]
    for result, weights in runs[1:]:
        assert result.order_hash == runs[0][0].order_hash
        assert result.losses == pytest.approx(runs[0][0].losses, rel=1e-4)
        for name in weights:
            torch.testing.assert_close(weights[name], runs[0][1][name], rtol=1e-2, atol=1e-4)


def test_a_language_model_broken_and_resumed_is_unbroken(tiny_folder, documents, tmp_path):
    """Masks drawn again in the second epoch are those of the unbroken run."""
    options = {"epochs": 2, "dropout": 0.1, "checkpoint_every": 5, "checkpoint_root_dir": tmp_path}
    unbroken, _ = lm_run(tiny_folder, documents_stream(tiny_folder, documents), epochs=2, dropout=0.1)
    broken = small_lm_trainer(
        tiny_folder,
        documents_stream(tiny_folder, documents),
        progress=break_off_after(unbroken.steps // 2 + 2),
        **options,
    )
    with pytest.raises(BrokenOffError):
        broken.train()
    resumed, _ = lm_run(tiny_folder, documents_stream(tiny_folder, documents), **options)
    assert (resumed.order_hash, resumed.losses) == (unbroken.order_hash, unbroken.losses)
    with pytest.raises(CheckpointError, match="training ranges was '5 in 4 lanes' and is '5 in 2"):
        lm_run(tiny_folder, documents_stream(tiny_folder, documents, lanes=2), **options)


def lm_run(folder, silo, **options):
    """The result and the weights of a whole run."""
    trainer = small_lm_trainer(folder, silo, **options)
    trained = trainer.train()
    return trainer.result, trained.state_dict()


@pytest.mark.cluster
@pytest.mark.usefixtures("ray_cluster")
def test_pairs_of_a_set_in_memory_are_the_same_on_ray_and_here(tiny_folder, documents, monkeypatch):
    monkeypatch.setattr("farm_ray.data_handler.data_silo.loading._SMALL_BYTES", 0)
    tables = []
    for processes in (1, 4):
        made = documents_stream(tiny_folder, documents).processor
        tables.append(DataSilo(made, batch_size=8, max_processes=processes).data["train"].table.combine_chunks())
    assert tables[0].equals(tables[1])
