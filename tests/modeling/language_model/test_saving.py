"""Weights such that no class of transformers opens them with a head that was never trained."""

from itertools import product

import pytest
import torch
from transformers import (
    AutoModel,
    AutoModelForMaskedLM,
    DistilBertForQuestionAnswering,
)
from transformers.models.auto import modeling_auto

from tests.modeling.conversion.test_saving import FAMILIES, SEQUENCE, TOKENS, make, opened
from tests.modeling.tiny_models import (
    WIDTH,
    batch,
    transformers_inputs,
)

KINDS = ("encoder", "classifier", "ner", "multilabel", "regression", "lm", "several", "deep", "own")


def classes_for(config):
    """All of transformers' classes for this configuration."""
    mappings = [getattr(modeling_auto, name) for name in dir(modeling_auto) if name.endswith("_MAPPING")]
    found = [mapping[type(config)] for mapping in mappings if type(config) in mapping]
    return {kind for each in found for kind in (each if isinstance(each, tuple) else (each,))}


@pytest.mark.parametrize("model_type", FAMILIES)
@torch.no_grad()
def test_the_encoder_opens_without_the_head(model_type, tmp_path):
    model = make(model_type, "classifier", tmp_path)
    rows = batch(left=model_type == "xlnet")
    model.save(tmp_path / "saved")
    encoder = opened(AutoModel, tmp_path / "saved")
    vectors = encoder(**transformers_inputs(encoder, rows)).last_hidden_state
    real = rows["padding_mask"].bool()
    assert torch.allclose(vectors[real], model.forward_lm(**rows)[0][real], atol=1e-5)


@pytest.mark.parametrize("kind", ["encoder", "classifier", "ner"])
@pytest.mark.parametrize("model_type", FAMILIES)
def test_no_class_opens_a_family_with_random_weights(model_type, kind, tmp_path):
    refuse_random_weights(model_type, kind, tmp_path)


@pytest.mark.parametrize("kind", KINDS[3:])
def test_no_class_opens_a_kind_with_random_weights(kind, tmp_path):
    refuse_random_weights("bert", kind, tmp_path)


def refuse_random_weights(model_type, kind, tmp_path):
    """For each of transformers' classes: all weights are there, or it does not open without being told to."""
    model = make(model_type, kind, tmp_path)
    model.save(tmp_path / "saved")
    folders = [tmp_path / "saved", *(folder for folder in (tmp_path / "saved").iterdir() if folder.is_dir())]
    refused = 0
    for folder, auto_class in product(folders, classes_for(model.language_model.model.config)):
        labels = {"num_labels": 2} if auto_class is DistilBertForQuestionAnswering else {}
        # Weights of another size are an error unless this option is given.
        options = {**labels, "ignore_mismatched_sizes": True, "output_loading_info": True}
        _, report = auto_class.from_pretrained(folder, **options)
        refused += bool(report["mismatched_keys"])
        assert report["mismatched_keys"] or not report["missing_keys"], (folder, auto_class)
    assert refused


@pytest.mark.parametrize("kind", ["encoder", "deep", "own", "several"])
def test_what_transformers_does_not_have_opens_as_an_encoder_only(kind, tmp_path):
    make("bert", kind, tmp_path).save(tmp_path / "saved")
    opened(AutoModel, tmp_path / "saved")
    for auto_class in (SEQUENCE, TOKENS, AutoModelForMaskedLM):
        with pytest.raises(RuntimeError, match="ignore_mismatched_sizes"):
            auto_class.from_pretrained(tmp_path / "saved")
    fresh = SEQUENCE.from_pretrained(tmp_path / "saved", num_labels=5, ignore_mismatched_sizes=True)
    assert fresh.classifier.weight.shape == (5, WIDTH)
