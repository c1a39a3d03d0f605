"""A checkpoint fits another run only where data, tokenizer, model and settings are equal."""

import shutil

import pytest

from farm_ray.errors import CheckpointError
from farm_ray.train import EarlyStopping
from tests.raised import raised
from tests.runs import labelled_dicts, small_model, small_run, small_silo, small_trainer
from tests.tiny import VOCABULARY


def test_a_checkpoint_of_another_run_is_refused(tiny_folder, tmp_path):
    small_run(tiny_folder, checkpoint_every=1, checkpoint_root_dir=tmp_path)
    with raised(CheckpointError, "checkpoint-of-other-run", differing=["learning_rate"]):
        small_run(tiny_folder, checkpoint_root_dir=tmp_path, learning_rate=2e-3)
    silo = small_silo(tiny_folder, dicts=labelled_dicts(54))
    with raised(
        CheckpointError, "checkpoint-of-other-run", differing=["training rows", "training tokens", "training labels"]
    ):
        small_run(tiny_folder, checkpoint_root_dir=tmp_path, silo=silo)
    fresh, _ = small_run(tiny_folder, checkpoint_root_dir=tmp_path, learning_rate=2e-3, resume="never")
    assert fresh.resumed_from is None


def reworded(dicts):
    """Other words, as many, in a few of the rows."""
    return [
        {**row, "text": row["text"].replace("film", "the")} if place < 9 else row for place, row in enumerate(dicts)
    ]


def relabelled(dicts):
    return [{**dicts[0], "text_classification_label": "dull"}, *dicts[1:]]


@pytest.mark.parametrize(("changed", "told"), [(reworded, "training tokens was"), (relabelled, "training labels was")])
def test_a_checkpoint_of_rows_with_other_words_or_labels_is_refused(tiny_folder, tmp_path, changed, told):
    small_run(tiny_folder, checkpoint_every=1, checkpoint_root_dir=tmp_path)
    with pytest.raises(CheckpointError, match=told):
        small_run(
            tiny_folder, checkpoint_root_dir=tmp_path, silo=small_silo(tiny_folder, dicts=changed(labelled_dicts()))
        )


def test_a_checkpoint_of_another_tokenizer_is_refused(tiny_folder, tmp_path, monkeypatch):
    """A permuted vocabulary gives as many tokens of as many rows."""
    small_run(tiny_folder, checkpoint_every=1, checkpoint_root_dir=tmp_path / "run")
    other = shutil.copytree(tiny_folder, tmp_path / "other")
    (other / "tokenizer.json").unlink()
    swapped = {"good": "film", "film": "good"}
    monkeypatch.setattr("tests.tiny.VOCABULARY", [swapped.get(word, word) for word in VOCABULARY])
    with pytest.raises(CheckpointError, match=r"tokenizer was 'BertTokenizer of 60 tokens, \w+' and is 'BertTok"):
        small_run(other, checkpoint_root_dir=tmp_path / "run")


def more_dropout(model):
    model.embeds_dropout_prob = 0.5


def frozen_embeddings(model):
    model.language_model.model.embeddings.word_embeddings.weight.requires_grad = False


def other_attention(model):
    model.language_model.model.config.num_attention_heads = 4


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (more_dropout, "embeds_dropout_prob was '0.0' and is '0.5'"),
        (frozen_embeddings, "frozen weights was .* and is "),
        (other_attention, "settings of the language model was"),
    ],
)
def test_a_checkpoint_of_a_model_used_in_another_way_is_refused(tiny_folder, tmp_path, change, told):
    small_run(tiny_folder, checkpoint_every=1, checkpoint_root_dir=tmp_path)
    trainer = small_trainer(tiny_folder, checkpoint_root_dir=tmp_path)
    change(trainer.model)
    with pytest.raises(CheckpointError, match=told):
        trainer.train()


def test_a_checkpoint_of_other_heads_is_refused(tiny_folder, tmp_path):
    small_run(tiny_folder, checkpoint_every=1, checkpoint_root_dir=tmp_path)
    trainer = small_trainer(tiny_folder, checkpoint_root_dir=tmp_path)
    trainer.model = small_model(tiny_folder, class_weights=[1.0, 2.0, 1.0])
    with raised(CheckpointError, "checkpoint-of-other-run", differing=["settings of head 0"]):
        trainer.train()


def test_a_checkpoint_fits_whatever_nothing_is_computed_by(tiny_folder, tmp_path):
    """The metric, and where the language model comes from."""
    small_run(tiny_folder, checkpoint_every=1, checkpoint_root_dir=tmp_path)
    silo = small_silo(tiny_folder, metric="f1_macro")
    trainer = small_trainer(tiny_folder, checkpoint_root_dir=tmp_path, silo=silo)
    config = trainer.model.language_model.model.config
    config.architectures, config.transformers_version, config.id2label = ["BertForMaskedLM"], "9.9", {0: "a", 1: "b"}
    trainer.train()
    assert trainer.result.resumed_from is not None


def test_what_early_stopping_watches_stays(tiny_folder, tmp_path):
    """Else the best value so far would be compared with another metric's; patience may change."""

    def run(early_stopping):
        options = {"evaluate_every": 2, "checkpoint_every": 1, "checkpoint_root_dir": tmp_path}
        return small_run(tiny_folder, early_stopping=early_stopping, **options)[0]

    run(EarlyStopping(metric="loss", mode="min", patience=9))
    with pytest.raises(CheckpointError, match=r"early stopping was 'EarlyStopping loss min 0' and is '.* acc max 0'"):
        run(EarlyStopping(metric="acc", mode="max", patience=9))
    with raised(CheckpointError, "checkpoint-of-other-run", differing=["early stopping"]):
        run(None)
    assert run(EarlyStopping(metric="loss", mode="min", patience=99)).resumed_from is not None


def test_dev_rows_count_where_they_decide_about_the_run(tiny_folder, tmp_path):
    """Those of a silo that splits none off; without early stopping they may change."""

    def run(text, **options):
        silo = small_silo(tiny_folder, dev_split=0.0)
        dev = small_silo(tiny_folder, dicts=[{**row, "text": text} for row in labelled_dicts(9)], dev_split=0.0)
        silo.data["dev"] = dev.data["train"]
        return small_run(tiny_folder, silo=silo, checkpoint_every=1, **options)

    watching = {"early_stopping": EarlyStopping(metric="loss", mode="min", patience=9), "evaluate_every": 2}
    run("the good film", checkpoint_root_dir=tmp_path / "watching", **watching)
    with raised(CheckpointError, "checkpoint-of-other-run", differing=["dev tokens"]):
        run("the bad film", checkpoint_root_dir=tmp_path / "watching", **watching)
    run("the good film", checkpoint_root_dir=tmp_path / "plain")
    run("the bad film", checkpoint_root_dir=tmp_path / "plain")
