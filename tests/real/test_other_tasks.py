"""Pairs, numbers, several labels and tags of words: trained, saved, and scored again by a process of its own.

Needs FARM_RAY_DATA, a folder with sick, wnut17, wnut17_multilabel and wang_ranking; some fifteen minutes on two cores.
"""

import shutil

import pytest

from tests.real.training import DATA, scored, train

pytestmark = [pytest.mark.real, pytest.mark.timeout(1800)]


def same(again, before):
    """The saved model gives what the trained one gave; batches of another size move the last digits."""
    assert again == {name: pytest.approx(value, abs=2e-3) for name, value in before.items()}


def test_named_entities(tmp_path):
    result = train("pipelines.ner:wnut17", DATA / "wnut17", tmp_path / "out", train__epochs="3")
    assert result["metrics"]["dev"]["seq_f1"] >= 0.42
    same(scored(result, DATA / "wnut17" / "dev.txt")["metrics"], result["metrics"]["dev"])


def test_how_alike_sentences_are(tmp_path):
    result = train(
        "pipelines.regression:text_pair_regression",
        DATA / "sick",
        tmp_path / "out",
        processor__dev_filename="dev.tsv",
        processor__label_column_name="score",
        train__epochs="3",
    )
    assert result["metrics"]["test"]["pearson"] >= 0.86
    same(scored(result, DATA / "sick" / "test.tsv")["metrics"], result["metrics"]["test"])


def test_entailment(tmp_path):
    result = train(
        "pipelines.text_pair",
        DATA / "sick",
        tmp_path / "out",
        processor__dev_filename="dev.tsv",
        processor__label_list="[NEUTRAL, ENTAILMENT, CONTRADICTION]",
        train__epochs="3",
    )
    assert result["metrics"]["test"]["acc"] >= 0.84
    same(scored(result, DATA / "sick" / "test.tsv")["metrics"], result["metrics"]["test"])


def test_several_labels(tmp_path):
    result = train(
        "pipelines.multilabel",
        DATA / "wnut17_multilabel",
        tmp_path / "out",
        processor__dev_filename="dev.tsv",
        processor__test_filename="null",
        processor__label_list="[corporation, creative-work, group, location, person, product]",
    )
    assert result["metrics"]["dev"]["f1_micro"] >= 0.5
    same(scored(result, DATA / "wnut17_multilabel" / "dev.tsv")["metrics"], result["metrics"]["dev"])


def test_questions_and_their_answers(tmp_path):
    result = train(
        "pipelines.text_pair",
        DATA / "wang_ranking",
        tmp_path / "out",
        processor__train_filename="dev.tsv",
        processor__label_list='["0", "1"]',
        train__epochs="3",
    )
    assert result["metrics"]["test"]["acc"] >= 0.7
    same(scored(result, DATA / "wang_ranking" / "test.tsv")["metrics"], result["metrics"]["test"])


def test_tags_and_a_label_from_one_encoder(tmp_path):
    for name in ("train.txt", "dev.txt"):
        shutil.copy(DATA / "wnut17" / name, tmp_path / name)
    result = train("pipelines.multitask", tmp_path, tmp_path / "out", train__epochs="3")
    assert result["metrics"]["dev"]["ner"]["seq_f1"] >= 0.3
    assert result["metrics"]["dev"]["mentions"]["acc"] >= 0.75
    again = scored(result, tmp_path / "dev.jsonl")["metrics"]
    for task in ("ner", "mentions"):
        same(again[task], result["metrics"]["dev"][task])
