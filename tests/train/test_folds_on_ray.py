"""Folds on Ray, as in this process."""

import logging
import os
import threading
import time

import pytest
import torch

from farm_ray import cluster
from farm_ray.data_handler.data_silo import DataSilo
from farm_ray.data_handler.processor import TextClassificationProcessor
from farm_ray.errors import ClusterError, DataProblemError
from farm_ray.evaluation.metrics import register_metrics
from farm_ray.train import EarlyStopping
from farm_ray.train.cross_validation import cross_validate
from tests.runs import LABELS, labelled_dicts, small_model, small_silo
from tests.tiny import tiny_tokenizer
from tests.train.small_folds import OPTIONS, folds_of, maker, numbers


@pytest.mark.cluster
@pytest.mark.usefixtures("ray_cluster")
def test_on_ray_as_here(tiny_folder, silo, caplog):
    """With the same number of threads every number is the same; metrics registered here are known there."""
    register_metrics("share_of_good", lambda preds, _labels: {"share_of_good": preds.count("good") / len(preds)})
    silo = small_silo(tiny_folder, dicts=labelled_dicts(42), metric=["acc", "share_of_good"])
    heard = []
    here, there = (
        cross_validate(
            folds_of(silo, 4),
            maker(tiny_folder, dropout=0.1),
            parallel=parallel,
            threads=1,
            progress=lambda *news: heard.append(news),
            early_stopping=EarlyStopping(metric="loss", patience=1),
            **OPTIONS | {"evaluate_every": 2},
        )
        for parallel in (1, 2)
    )
    assert numbers(here) == numbers(there)
    assert here.predictions.equals(there.predictions)
    assert (here.pooled, here.intervals, here.metrics) == (there.pooled, there.intervals, there.metrics)
    assert heard[-1][0] == "train"


@pytest.mark.cluster
@pytest.mark.usefixtures("ray_cluster")
def test_features_made_on_ray_are_not_copied_for_the_folds(tiny_folder, tmp_path, monkeypatch, caplog):
    """A silo that Ray filled; its small test file was read in this process. Folds run at once, each with its share."""
    for name, n in (("train", 60), ("test", 12)):
        rows = "".join(f"{row['text']}\t{row['text_classification_label']}\n" for row in labelled_dicts(n))
        (tmp_path / f"{name}.tsv").write_text("text\tlabel\n" + rows)
    monkeypatch.setattr("farm_ray.data_handler.data_silo.loading._SMALL_BYTES", 500)
    processor = TextClassificationProcessor(
        tokenizer=tiny_tokenizer(tmp_path), max_seq_len=16, data_dir=str(tmp_path), label_list=LABELS, metric="acc"
    )
    on_ray = DataSilo(processor, batch_size=8)
    assert on_ray.data["train"].blocks
    assert not on_ray.data["test"].blocks
    in_process = DataSilo(processor, batch_size=8, max_processes=1)
    with caplog.at_level(logging.INFO):
        there = cross_validate(folds_of(on_ray), maker(tiny_folder), **OPTIONS)
    at_once = min(3, cluster.cores())
    share = max(1, cluster.cores() // at_once)
    assert f"3 folds, {at_once} at once with {share} torch threads each" in caplog.text
    here = cross_validate(folds_of(in_process), maker(tiny_folder), parallel=1, threads=share, **OPTIONS)
    assert len(there.folds) == 3
    assert numbers(there) == numbers(here)


@pytest.mark.cluster
@pytest.mark.usefixtures("ray_cluster")
def test_on_ray_a_failing_fold_is_named_and_ends_the_others(tiny_folder, silo, tmp_path):
    def make_model(fold_silo):
        if fold_silo.fold == 2:
            while not (tmp_path / "first").exists():
                time.sleep(0.1)
            raise DataProblemError("no good")
        if os.getpid() != driver:
            (tmp_path / "pid").write_text(str(os.getpid()))
            (tmp_path / "first").touch()
            time.sleep(100)
        return small_model(tiny_folder)

    driver = os.getpid()
    with pytest.raises(DataProblemError, match="fold 2 of 2: no good"):
        cross_validate(folds_of(silo, 2), make_model, parallel=2, **OPTIONS)
    assert is_gone(int((tmp_path / "pid").read_text()))


@pytest.mark.cluster
@pytest.mark.usefixtures("ray_cluster")
def test_on_ray_ctrl_c_ends_the_folds(tiny_folder, silo, tmp_path, monkeypatch):
    def make_model(_silo):
        if os.getpid() != driver:
            (tmp_path / str(os.getpid())).touch()
            time.sleep(100)
        return small_model(tiny_folder)

    def interrupt(*_news):
        if len(list(tmp_path.iterdir())) == 2:
            raise KeyboardInterrupt

    driver = os.getpid()
    with pytest.raises(KeyboardInterrupt):
        cross_validate(folds_of(silo), make_model, parallel=2, progress=interrupt, **OPTIONS)
    assert all(is_gone(int(path.name)) for path in tmp_path.iterdir())


@pytest.mark.cluster
@pytest.mark.usefixtures("ray_cluster")
def test_on_ray_a_killed_fold_is_named(tiny_folder, silo):
    def make_model(fold_silo):
        if os.getpid() != driver and fold_silo.fold == 2:
            os.kill(os.getpid(), 9)
        return small_model(tiny_folder)

    driver = os.getpid()
    with pytest.raises(ClusterError, match=r"fold 2 of 2: .*fewer folds at once may help"):
        cross_validate(folds_of(silo, 2), make_model, parallel=2, **OPTIONS)


@pytest.mark.cluster
@pytest.mark.usefixtures("ray_cluster")
@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_gpus_that_a_local_ray_does_not_have(tiny_folder, silo):
    with pytest.raises(ClusterError, match="2 folds at once with a GPU each were asked for, and there are 0 GPUs"):
        cross_validate(folds_of(silo), maker(tiny_folder), parallel=2, use_gpu=True, **OPTIONS)


def is_gone(process):
    """Whether the process has ended, at the latest in ten seconds."""
    ended = threading.Event()
    for _ in range(100):
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return True
        ended.wait(0.1)
    return False
