"""Tiny transformers models, made on the fly: 2 layers, width 32, 60 tokens."""

from __future__ import annotations

import itertools
import json

import torch
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForMaskedLM,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
)

MODEL_TYPES = (
    "bert",
    "roberta",
    "xlm-roberta",
    "albert",
    "distilbert",
    "electra",
    "xlnet",
    "camembert",
    "deberta-v2",
    "modernbert",
    "big_bird",
)
MASKED_LM_TYPES = tuple(model_type for model_type in MODEL_TYPES if model_type != "xlnet")
VOCAB_SIZE = 60
WIDTH = 32

_USUAL = {
    "hidden_size": WIDTH,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 48,
    "max_position_embeddings": 40,
}
_ROBERTA = {**_USUAL, "type_vocab_size": 1, "pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2}
_SETTINGS = {
    "bert": _USUAL,
    "roberta": _ROBERTA,
    "xlm-roberta": _ROBERTA,
    "camembert": _ROBERTA,
    "albert": {**_USUAL, "embedding_size": 16},
    "distilbert": {"dim": WIDTH, "n_layers": 2, "n_heads": 2, "hidden_dim": 48, "max_position_embeddings": 40},
    "electra": {**_USUAL, "embedding_size": 16},
    "xlnet": {"d_model": WIDTH, "n_layer": 2, "n_head": 2, "d_inner": 48, "pad_token_id": 5},
    "deberta-v2": {**_USUAL, "relative_attention": True, "position_buckets": 8, "pos_att_type": ["p2c", "c2p"]},
    "modernbert": {
        **_USUAL,
        "pad_token_id": 0,
        "bos_token_id": 1,
        "eos_token_id": 2,
        "cls_token_id": 1,
        "sep_token_id": 2,
    },
    "big_bird": {**_USUAL, "attention_type": "original_full", "sep_token_id": 3},
}


def tiny_config(model_type, **settings):
    """The configuration of a tiny model of this type."""
    return AutoConfig.for_model(model_type, **{"vocab_size": VOCAB_SIZE, **_SETTINGS.get(model_type, {}), **settings})


def save_tiny_model(model_type, folder, *, seed=0, dtype=torch.float32, **settings):
    """A tiny encoder with fresh weights in `folder`; returns the model."""
    torch.manual_seed(seed)
    model = AutoModel.from_config(tiny_config(model_type, **settings), dtype=dtype).eval()
    model.save_pretrained(folder)
    return model


def save_tiny_classifier(model_type, folder, labels=("NEG", "POS", "NONE"), *, seed=0, **settings):
    """A tiny sequence classification model in `folder`, with weights large enough to tell labels apart."""
    return _save_tiny(AutoModelForSequenceClassification, model_type, folder, labels, seed, settings)


def save_tiny_token_classifier(model_type, folder, labels=("O", "B-PER", "I-PER"), *, seed=0, **settings):
    """As `save_tiny_classifier`, with labels for each token."""
    return _save_tiny(AutoModelForTokenClassification, model_type, folder, labels, seed, settings)


def save_tiny_masked_lm(model_type, folder, *, seed=0, auto_class=AutoModelForMaskedLM, **settings):
    """As `save_tiny_classifier`, a masked language model; `auto_class` is another class with a head for it."""
    return _with_large_weights(auto_class, tiny_config(model_type, **settings), folder, seed)


def _save_tiny(auto_class, model_type, folder, labels, seed, settings):
    names = {"id2label": dict(enumerate(labels)), "label2id": {label: n for n, label in enumerate(labels)}}
    config = tiny_config(model_type, **settings, num_labels=len(labels), **names)
    return _with_large_weights(auto_class, config, folder, seed)


def _with_large_weights(auto_class, config, folder, seed):
    torch.manual_seed(seed)
    model = getattr(auto_class, "from_config", auto_class)(config).eval()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "embedding" not in name and "norm" not in name.lower():
                weight.add_(torch.randn_like(weight) * 0.1)
    model.save_pretrained(folder)
    return model


def batch(*, left=False):
    """Two rows of 6 and 4 tokens, padded on the right or the left: input_ids, padding_mask, segment_ids [2, 6]."""
    torch.manual_seed(1)
    input_ids = torch.randint(6, VOCAB_SIZE, (2, 6))
    padding_mask = torch.ones_like(input_ids)
    where = slice(0, 2) if left else slice(4, 6)
    input_ids[1, where] = 0
    padding_mask[1, where] = 0
    return {"input_ids": input_ids, "padding_mask": padding_mask, "segment_ids": torch.zeros_like(input_ids)}


def same_weights(one, other):
    """Whether two models have equal weights under equal names."""
    first, second = one.state_dict(), other.state_dict()
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def transformers_inputs(model, rows):
    """A batch under transformers' names, with segments for the types that have more than one."""
    inputs = {"input_ids": rows["input_ids"], "attention_mask": rows["padding_mask"]}
    if model.config.model_type in {"bert", "albert", "electra", "xlnet", "big_bird"}:
        inputs["token_type_ids"] = rows["segment_ids"]
    return inputs


def save_farm_language_model(name, folder, *, language="english", **settings):
    """Files as FARM 0.8 wrote them: language_model.bin and language_model_config.json; returns the encoder."""
    torch.manual_seed(0)
    model_type = {"XLMRoberta": "xlm-roberta", "XLNet": "xlnet", "BigBird": "big_bird"}.get(name, name.lower())
    model = AutoModel.from_config(tiny_config(model_type, **settings)).eval()
    old = {
        "gradient_checkpointing": False,
        "xla_device": None,
        "directionality": "bidi",
        "transformers_version": "3.1.0",
    }
    described = model.config.to_dict() | old | {"name": name, "language": language}
    buffers = {"embeddings.position_ids": torch.arange(40).expand(1, -1)}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "language_model_config.json").write_text(json.dumps(described))
    torch.save(model.state_dict() | buffers, folder / "language_model.bin")
    return model


def save_farm_model(folder, *, heads=1, class_weights=None, layer_dims=(WIDTH, 2), labels=("OTHER", "OFFENSE")):
    """A whole model as FARM 0.8 wrote it, with text classification heads."""
    save_farm_language_model("Bert", folder, language="german")
    for number in range(heads):
        save_farm_head(
            folder,
            number,
            task="text_classification" if heads == 1 else f"task_{number}",
            tensors={} if class_weights is None else {"loss_fct.weight": torch.tensor(class_weights)},
            layer_dims=layer_dims,
            labels=labels,
        )


def save_farm_head(
    folder,
    number=0,
    name="TextClassificationHead",
    *,
    task="text_classification",
    output_type="per_sequence",
    model_type="text_classification",
    tensors=None,
    layer_dims=(WIDTH, 2),
    labels=("OTHER", "OFFENSE"),
):
    """A head as FARM 0.8 wrote it; `tensors` are what its loss function added to its weights."""
    described = {
        "training": False,
        "layer_dims": list(layer_dims),
        "num_labels": layer_dims[-1],
        "ph_output_type": output_type,
        "model_type": model_type,
        "task_name": task,
        "class_weights": None,
        "label_tensor_name": f"{task}_label_ids",
        "label_list": list(labels),
        "metric": ["f1_macro"],
        "name": name,
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"prediction_head_{number}_config.json").write_text(json.dumps(described))
    weights = dict(tensors or {})
    for layer, (inputs, outputs) in enumerate(itertools.pairwise(layer_dims)):
        weights[f"feed_forward.feed_forward.{layer}.weight"] = torch.randn(outputs, inputs)
        weights[f"feed_forward.feed_forward.{layer}.bias"] = torch.randn(outputs)
    torch.save(weights, folder / f"prediction_head_{number}.bin")
