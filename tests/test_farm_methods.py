"""Subclasses that override a method of FARM which nothing calls are refused, with what to write instead."""

import pytest
import torch

from farm_ray import farm_methods
from farm_ray.data_handler.data_silo import DataSilo
from farm_ray.data_handler.processor import TextClassificationProcessor
from farm_ray.errors import ConfigError
from farm_ray.infer import Inferencer
from farm_ray.modeling.adaptive_model import AdaptiveModel
from farm_ray.modeling.language_model import Bert, LanguageModel
from farm_ray.modeling.prediction_head import PredictionHead, RegressionHead, TextClassificationHead
from farm_ray.overrides import is_own
from farm_ray.train import Trainer
from tests.infer.models import LABELS, make_inferencer, make_kind
from tests.modeling.tiny_models import save_tiny_model
from tests.raised import raised
from tests.runs import small_silo

OURS = {
    "LANGUAGE_MODEL": LanguageModel,
    "PREDICTION_HEAD": PredictionHead,
    "ADAPTIVE_MODEL": AdaptiveModel,
    "TRAINER": Trainer,
    "DATA_SILO": DataSilo,
    "INFERENCER": Inferencer,
}


def overriding(kind, name, method=lambda self, *args, **kwargs: None):
    return type("Mine", (kind,), {name: method})


def refused(name):
    return raised(ConfigError, "method-never-called", value=name)


@pytest.mark.parametrize("table", OURS)
def test_our_own_classes_are_none_of_them(table):
    assert not [name for name in getattr(farm_methods, table) if is_own(OURS[table], name)]


@pytest.mark.parametrize("name", farm_methods.LANGUAGE_MODEL)
def test_language_models(tmp_path, name):
    save_tiny_model("bert", tmp_path)
    mine = overriding(Bert, name)
    with refused(name):
        mine.load(tmp_path)


@pytest.mark.parametrize("name", farm_methods.PREDICTION_HEAD)
def test_prediction_heads(name):
    with refused(name):
        overriding(TextClassificationHead, name)(num_labels=2)


@pytest.mark.parametrize("name", farm_methods.DATA_SILO)
def test_silos(make_processor, name):
    with refused(name):
        overriding(DataSilo, name)(make_processor(), 8, automatic_loading=False)


@pytest.fixture
def make_processor(tiny_folder):
    from farm_ray.modeling.tokenization import Tokenizer

    tokenizer = Tokenizer.load(tiny_folder)
    return lambda: TextClassificationProcessor(tokenizer, 8, None, label_list=["a", "b"], metric="acc")


@pytest.fixture
def inferencer(tmp_path):
    return make_inferencer(tmp_path)


@pytest.mark.parametrize("name", ["backward_propagate", "adjust_loss", "log_params", "_save", "_load_checkpoint"])
def test_trainers(inferencer, name):
    with refused(name):
        overriding(Trainer, name)(model=inferencer.model, data_silo=None, epochs=1)


def test_what_a_trainer_bypasses(inferencer, tiny_folder):
    model = inferencer.model
    own = overriding(AdaptiveModel, "logits_to_preds")
    mine = own(model.language_model, list(model.prediction_heads), 0.1, ["per_sequence"], "cpu")
    with refused("logits_to_preds"):
        Trainer(model=mine, data_silo=None, epochs=1)
    silo = small_silo(tiny_folder)
    silo.__class__ = overriding(DataSilo, "get_data_loader")
    with refused("get_data_loader"):
        Trainer(model=model, data_silo=silo, epochs=1)


@pytest.mark.parametrize("name", farm_methods.INFERENCER)
def test_inferencers(inferencer, name):
    with refused(name):
        overriding(Inferencer, name)(inferencer.model, inferencer.processor)


def test_files_do_not_go_through_dicts(inferencer, tmp_path):
    (tmp_path / "new.tsv").write_text("text\na film\n")
    mine = overriding(Inferencer, "inference_from_dicts")(inferencer.model, inferencer.processor)
    with refused("inference_from_dicts"):
        mine.inference_from_file(tmp_path / "new.tsv")
    both = type("Mine", (type(mine),), {"inference_from_file": lambda self, file: "mine"})
    assert both(inferencer.model, inferencer.processor).inference_from_file("x") == "mine"


def with_head(inferencer, kind, **methods):
    """The inferencer's model with a head of a class that has these methods of its own."""
    (head,) = inferencer.model.prediction_heads
    head.__class__ = type("Mine", (kind,), methods)
    return Inferencer(inferencer.model, inferencer.processor)


def test_heads_whose_answers_are_made_elsewhere(inferencer, tmp_path):
    with refused("formatted_preds"):
        with_head(inferencer, TextClassificationHead, formatted_preds=lambda self, *args: None)
    with refused("logits_to_preds"):
        with_head(make_kind(tmp_path, "regression"), RegressionHead, logits_to_preds=lambda self, *args, **_: None)


def test_a_heads_own_predictions_are_in_dicts_and_in_files(inferencer, tmp_path):
    mine = with_head(
        inferencer, TextClassificationHead, logits_to_preds=lambda self, logits, **_: [LABELS[-1]] * len(logits)
    )
    (found,) = mine.inference_from_dicts([{"text": "a good film"}, {"text": "bad"}])
    assert [one["label"] for one in found["predictions"]] == [LABELS[-1]] * 2
    (tmp_path / "new.tsv").write_text("text\na good film\nbad\n")
    mine.predict_file(tmp_path / "new.tsv", tmp_path / "out.parquet", num_actors=0)
    import pyarrow.parquet as pq

    assert pq.read_table(tmp_path / "out.parquet")["label"].to_pylist() == [LABELS[-1]] * 2


class Doubling(Bert):
    """A language model of one's own that reads a further feature."""

    def forward(self, input_ids, segment_ids, padding_mask, doubled=None):
        sequence, pooled = super().forward(input_ids, segment_ids, padding_mask)
        return (sequence, pooled) if doubled is None else (2 * sequence, 2 * pooled)


def test_an_own_language_model_gets_its_features_and_is_loaded_again(tmp_path):
    save_tiny_model("bert", tmp_path)
    language_model = Doubling.load(tmp_path)
    assert type(language_model) is Doubling
    language_model.save(tmp_path / "saved")
    assert type(LanguageModel.load(tmp_path / "saved")) is Doubling
    model = AdaptiveModel(language_model, [], 0.0, [], "cpu").eval()
    batch = {"input_ids": torch.tensor([[2, 3]]), "padding_mask": torch.ones(1, 2, dtype=torch.int64)}
    ((usual, _),) = model(**batch)
    ((doubled, _),) = model(**batch, doubled=torch.ones(1))
    assert torch.allclose(doubled, 2 * usual)


def test_vectors_bypass_an_own_forward(inferencer):
    inferencer.model.language_model.__class__ = type("Mine", (Doubling,), {"forward": Doubling.forward})
    with raised(ConfigError, "method-never-called", value="forward"):
        inferencer.extract_vectors([{"text": "a"}])
