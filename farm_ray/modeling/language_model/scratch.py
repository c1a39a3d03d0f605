"""Language models with fresh weights, to be trained from nothing."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import torch
from huggingface_hub.errors import StrictDataclassError
from transformers import AutoModel, PreTrainedConfig
from transformers.models.auto.configuration_auto import CONFIG_MAPPING
from transformers.models.auto.modeling_auto import MODEL_MAPPING

from farm_ray.configuration import nearest
from farm_ray.errors import ConfigError
from farm_ray.foreign import told
from farm_ray.modeling.language_model.class_names import class_by_model_type
from farm_ray.modeling.language_model.loading import pooler_options, pooling_for
from farm_ray.modeling.language_model.pooling import FAMILIES
from farm_ray.modeling.language_model.quiet import quiet_transformers
from farm_ray.modeling.language_model.sizes import check_fits_memory

if TYPE_CHECKING:
    from farm_ray.modeling.language_model.base import LanguageModel
    from farm_ray.modeling.tokenization.protocol import TokenizerLike
    from farm_ray.plain import PlainMapping

_SPECIAL_TOKENS = tuple(f"{token}_token_id" for token in ("pad", "bos", "eos", "cls", "sep"))
"""Where a configuration holds a special token's id."""


def fresh_language_model(
    base: type[LanguageModel],
    model_type: str,
    vocab_size: int,
    *,
    tokenizer: TokenizerLike | None,
    language: str,
    settings: PlainMapping,
) -> LanguageModel:
    """What `LanguageModel.from_scratch` does, see there; `base` is `LanguageModel`."""
    config = _config(model_type, vocab_size, tokenizer, settings)
    _drop_foreign_tokens(config)

    def build() -> Any:
        return AutoModel.from_config(config, dtype=torch.float32, **pooler_options(config))

    with (
        told(
            lambda why: ConfigError(
                f"a {model_type} model cannot be built so: {why}", code="impossible-model", value=model_type
            )
        ),
        quiet_transformers(),
    ):
        check_fits_memory(settings, build)
        model = build()
    pooling = pooling_for(model)
    language_model = class_by_model_type(base, model_type)(model, pooling, language=language, name=model_type)
    language_model.pooling_is_trained = not pooling.projection and pooling.source != "encoder"
    return language_model


def _config(
    model_type: str, vocab_size: int, tokenizer: TokenizerLike | None, settings: PlainMapping
) -> PreTrainedConfig:
    kind = _config_class(model_type)
    fields = {field.name for field in dataclasses.fields(kind)} - {"vocab_size"}
    renamed = {alias: name for alias, name in getattr(kind, "attribute_map", {}).items() if name in fields}
    for name in settings:
        if name not in fields and name not in renamed:
            raise ConfigError(
                f'a {model_type} configuration has no "{name}"{nearest(name, fields | set(renamed))}',
                code="unknown-option",
                option=name,
            )
    given = {renamed.get(name, name): value for name, value in settings.items()}
    of_tokenizer = {} if tokenizer is None else _special_tokens(tokenizer, vocab_size, fields)
    try:
        config = kind(**{"vocab_size": vocab_size, **of_tokenizer, **given})
    except (ValueError, TypeError, AttributeError, StrictDataclassError) as error:
        # The field's name stands in the first line, what is wrong with it in the second.
        why = " ".join(line.strip() for line in str(error).splitlines()[:2])
        raise ConfigError(
            f"a {model_type} configuration cannot be so: {why}", code="impossible-model", value=model_type
        ) from error
    if config.is_encoder_decoder:
        raise ConfigError(
            f"a {model_type} is an encoder with a decoder; give an encoder", code="not-an-encoder", value=model_type
        )
    return config


def _config_class(model_type: str) -> Any:
    if model_type in CONFIG_MAPPING and CONFIG_MAPPING[model_type] in MODEL_MAPPING:
        return CONFIG_MAPPING[model_type]
    raise ConfigError(
        f'there is no model type "{model_type}"{nearest(model_type, FAMILIES)}',
        code="unknown-model-type",
        value=model_type,
    )


def _special_tokens(tokenizer: TokenizerLike, vocab_size: int, fields: set[str]) -> dict[str, int | None]:
    """The configuration's fields for special tokens, with the tokenizer's ids."""
    if len(tokenizer) > vocab_size:
        raise ConfigError(
            f"vocab_size={vocab_size}, but the tokenizer has {len(tokenizer)} tokens; give vocab_size={len(tokenizer)}",
            code="too-many-tokens",
            option="vocab_size",
            tokens=len(tokenizer),
            value=vocab_size,
        )
    return {name: getattr(tokenizer, name) for name in _SPECIAL_TOKENS if name in fields}


def _drop_foreign_tokens(config: PreTrainedConfig) -> None:
    """Takes out the ids of a configuration's usual vocabulary that this one does not have; padding there must be."""
    for name in _SPECIAL_TOKENS:
        token_id = getattr(config, name, None)
        if not isinstance(token_id, int) or token_id < config.vocab_size:
            continue
        if name == "pad_token_id":
            raise ConfigError(
                f"the configuration's {name} is {token_id}, outside of vocab_size={config.vocab_size}; give "
                f"tokenizer=..., or {name}=...",
                code="token-outside-embeddings",
                option=name,
                value=token_id,
            )
        setattr(config, name, None)
