"""Weights as transformers' files, such that no class of transformers opens them with a head that was never trained.

transformers fills what a file lacks with random numbers and only warns, but it refuses a tensor of another size. So for
each class that opens this type of model and whose head the file does not hold, the file holds one empty tensor in the
place of a weight of that head. To get a new head say so: `from_pretrained(..., ignore_mismatched_sizes=True)`.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import json
from typing import TYPE_CHECKING, Any, cast

import torch
from safetensors.torch import save_file
from torch import Tensor
from transformers.models.auto import modeling_auto

from farm_ray.modeling.language_model.quiet import quiet_transformers

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from transformers import PreTrainedConfig, PreTrainedModel

    from farm_ray.modeling.language_model.base import LanguageModel

CONFIG_FILE = "language_model_config.json"
POOLER_FILE = "pooler.safetensors"
FARM_WEIGHTS_FILE = "language_model.bin"
POOLING_IS_TRAINED = "pooling_is_trained"
_NO_POOLER = "add_pooling_layer"


def save_language_model(
    language_model: LanguageModel,
    folder: Path,
    *,
    with_head: PreTrainedModel | None = None,
    pooling_is_trained: bool | None = None,
) -> None:
    """Writes config.json, model.safetensors, language_model_config.json and, where needed, pooler.safetensors.

    Args:
        language_model: What is saved.
        folder: Where to; made where it is missing.
        with_head: A transformers model around the same encoder, to be saved in its place.
        pooling_is_trained: None takes what the language model says.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for stale in (FARM_WEIGHTS_FILE, POOLER_FILE):
        (folder / stale).unlink(missing_ok=True)
    save_weights(with_head or language_model.model, folder, encoder_pooler(language_model))
    weights = {name: weight.detach().cpu().contiguous() for name, weight in language_model.pooler.state_dict().items()}
    if weights:
        save_file(weights, folder / POOLER_FILE)
    described = {
        "name": type(language_model).__name__,
        "language": language_model.language,
        "pooling": language_model.pooling.model_dump(mode="json"),
        POOLING_IS_TRAINED: language_model.pooling_is_trained if pooling_is_trained is None else pooling_is_trained,
        "format_version": 1,
    }
    (folder / CONFIG_FILE).write_text(json.dumps(described, indent=2) + "\n", encoding="utf-8")


def save_weights(model: PreTrainedModel, folder: Path, encoder_weights: Mapping[str, Tensor] | None = None) -> None:
    """Writes config.json and model.safetensors, or several files of weights with their index.

    Args:
        model: An encoder, or a model with a head.
        folder: Where to.
        encoder_weights: Weights of the encoder to be saved beside the model's, or in their place, by their names there.
    """
    weights = model.state_dict()
    prefix = "" if model.base_model is model else f"{model.base_model_prefix}."
    # A head of the model may hold the same tensors, and no file may hold one tensor under two names.
    weights |= {f"{prefix}{name}": weight.clone() for name, weight in (encoder_weights or {}).items()}
    weights |= {name: torch.zeros(0) for name in refused_heads(model.config, weights)}
    with quiet_transformers():
        model.save_pretrained(folder, state_dict=weights)


def encoder_pooler(language_model: LanguageModel) -> dict[str, Tensor]:
    """Weights for the pooler that `AutoModel` gives an encoder of this type, by their names in the encoder, if any.

    They are the encoder's own. Where it has none, they are those of our pooling if it computes the same, else the
    identity, so that nothing is random.
    """
    model: Any = language_model.model
    if getattr(model, "pooler", None) is not None:
        return {f"pooler.{name}": weight for name, weight in model.pooler.state_dict().items()}
    if _NO_POOLER not in inspect.signature(type(model)).parameters:
        return {}
    with torch.device("meta"), quiet_transformers():
        pooler = type(model)(model.config).get_submodule("pooler")
    wanted = {name: weight.shape for name, weight in pooler.state_dict().items()}
    pooling, ours = language_model.pooling, language_model.pooler.state_dict()
    is_tanh = pooling.source == "first" and pooling.activation == "tanh" and pooling.norm_eps is None
    if is_tanh and language_model.pooling_is_trained and wanted == {name: w.shape for name, w in ours.items()}:
        return {f"pooler.{name}": weight for name, weight in ours.items()}
    square = {name: torch.eye(*shape) if len(shape) > 1 else torch.zeros(shape) for name, shape in wanted.items()}
    return {f"pooler.{name}": weight for name, weight in square.items()}


def refused_heads(config: PreTrainedConfig, weights: Iterable[str]) -> list[str]:
    """Names of weights that `weights` lack, one at least for each class with a head that they do not hold whole."""
    held = set(weights)
    lacking = [head - held for head in _heads(cast("Any", type(config)), config.to_json_string()) if not head <= held]
    chosen: list[str] = []
    while lacking:
        names = sorted({name for head in lacking for name in head})
        best = max(names, key=lambda name: sum(name in head for head in lacking))
        chosen.append(best)
        lacking = [head for head in lacking if best not in head]
    return chosen


@functools.lru_cache(maxsize=16)
def _heads(config_class: type[PreTrainedConfig], config_json: str) -> tuple[frozenset[str], ...]:
    """Per class of transformers for this configuration the names of its head's weights but the tied ones."""
    config = config_class.from_dict(json.loads(config_json))
    # Some classes are for two labels only; names of weights do not depend on it.
    config.num_labels = 2
    heads = set()
    for kind in _classes(config_class):
        # A class that cannot be built of the configuration cannot open the folder either.
        with contextlib.suppress(Exception), torch.device("meta"), quiet_transformers():
            model: Any = kind(config)
            encoder = f"{model.base_model_prefix}."
            tied = set(model.all_tied_weights_keys)
            heads.add(frozenset(n for n in model.state_dict() if not n.startswith(encoder) and n not in tied))
    return tuple(sorted(heads, key=sorted))


def _classes(config_class: type[PreTrainedConfig]) -> list[Any]:
    """The classes with heads behind all of transformers' Auto classes."""
    found: dict[str, object] = {}
    for name in dir(modeling_auto):
        mapping: Any = getattr(modeling_auto, name)
        if name.startswith("MODEL_FOR_") and name.endswith("_MAPPING") and config_class in mapping:
            kinds = mapping[config_class]
            found |= {kind.__name__: kind for kind in (kinds if isinstance(kinds, tuple) else (kinds,))}
    encoders: object = modeling_auto.MODEL_MAPPING.get(config_class, ())
    bare = encoders if isinstance(encoders, tuple) else (encoders,)
    return [kind for kind in found.values() if kind not in bare]
