"""A transformers model as the parts of ours."""

from types import SimpleNamespace

from farm_ray.conversion.transformers import Converter
from farm_ray.errors import ModelFolderError
from farm_ray.modeling.adaptive_model import AdaptiveModel
from tests.modeling.tiny_models import (
    batch,
    save_tiny_classifier,
    save_tiny_model,
)
from tests.raised import raised


def test_dropout_travels(tmp_path):
    save_tiny_classifier("distilbert", tmp_path, seq_classif_dropout=0.25)
    assert AdaptiveModel.convert_from_transformers(tmp_path, "cpu").embeds_dropout_prob == 0.25


def test_embeddings_have_no_head(tmp_path):
    save_tiny_model("bert", tmp_path)
    model = Converter.convert_from_transformers(tmp_path, "cpu", task_type="embeddings")
    [(tokens, rows)] = model(**batch())
    assert (tokens.shape, rows.shape) == ((2, 6, 32), (2, 32))


def test_the_processor_s_tasks_are_connected(tmp_path):
    save_tiny_classifier("bert", tmp_path)

    task = {"label_list": ["a", "b", "c"], "label_tensor_name": "ids", "metric": "acc"}
    processor = SimpleNamespace(tasks={"text_classification": task})
    model = AdaptiveModel.convert_from_transformers(tmp_path, "cpu", processor=processor)
    assert model.prediction_heads[0].label_list == ["a", "b", "c"]
    assert model.prediction_heads[0].label_tensor_name == "ids"


def test_a_classifier_without_weights(tmp_path):
    save_tiny_classifier("bert", tmp_path)
    (tmp_path / "model.safetensors").unlink()
    with raised(ModelFolderError, "missing-model-file", file="model.safetensors"):
        AdaptiveModel.convert_from_transformers(tmp_path, "cpu")
