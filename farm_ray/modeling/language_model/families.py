"""FARM's language model classes: a name for each model type, and one class for all the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from farm_ray.configuration import nearest
from farm_ray.errors import ConfigError
from farm_ray.modeling.language_model.base import LanguageModel
from farm_ray.overrides import imported_subclasses

if TYPE_CHECKING:
    from torch import Tensor


class Bert(LanguageModel):
    """BERT; rows are pooled by the encoder's own pooler."""

    model_type = "bert"


class Albert(LanguageModel):
    """ALBERT; rows are pooled by the encoder's own pooler."""

    model_type = "albert"


class Roberta(LanguageModel):
    """RoBERTa."""

    model_type = "roberta"


class XLMRoberta(LanguageModel):
    """XLM-RoBERTa."""

    model_type = "xlm-roberta"


class DistilBert(LanguageModel):
    """DistilBERT; has no token_type_ids."""

    model_type = "distilbert"

    def forward(  # type: ignore[override] # FARM's order: without segments the mask comes second
        self,
        input_ids: Tensor,
        padding_mask: Tensor | None = None,
        segment_ids: Tensor | None = None,
        position_ids: Tensor | None = None,
        **_: Any,
    ) -> tuple[Tensor, Tensor]:
        """As `LanguageModel.forward`, with FARM's order of arguments: the mask comes second."""
        return super().forward(input_ids, segment_ids, padding_mask, position_ids)


class XLNet(LanguageModel):
    """XLNet; rows are pooled from their last real token, and padding may stand on the left."""

    model_type = "xlnet"


class Electra(LanguageModel):
    """ELECTRA (the discriminator)."""

    model_type = "electra"


class Camembert(LanguageModel):
    """CamemBERT and UmBERTo."""

    model_type = "camembert"


class BigBird(LanguageModel):
    """BigBird."""

    model_type = "big_bird"


class Encoder(LanguageModel):
    """Any other encoder that transformers' AutoModel opens: DeBERTa, ModernBERT, MPNet and so on."""


CLASSES: dict[str, type[LanguageModel]] = {
    kind.__name__: kind
    for kind in (Bert, Albert, Roberta, XLMRoberta, DistilBert, XLNet, Electra, Camembert, BigBird, Encoder)
}
_BY_MODEL_TYPE = {kind.model_type: kind for kind in CLASSES.values() if kind.model_type is not None}


def class_by_name(name: str) -> type[LanguageModel]:
    """The class with this name: one of ours, else a subclass of `LanguageModel` that has been imported.

    Raises:
        ConfigError: When there is none; the nearest is named.
    """
    known = {**imported_subclasses(LanguageModel), **CLASSES}
    if name not in known:
        hint = f"{nearest(name, known)}; import the module that defines a class of your own first"
        raise ConfigError(f'there is no language model class "{name}"{hint}')
    return known[name]


def class_by_model_type(model_type: str) -> type[LanguageModel]:
    """The class for transformers' `model_type`; `Encoder` where there is no special one."""
    return _BY_MODEL_TYPE.get(model_type, Encoder)


_LANGUAGES = ("german", "english", "chinese", "indian", "french", "polish", "spanish", "multilingual")


def guess_language(name: str) -> str:
    """The language a model's name hints at: a language's own name, camembert (french), umberto (italian), else english.

    A guess only: set `language_model.language` where it is wrong.
    """
    lowered = name.lower()
    for hint, language in (("camembert", "french"), ("umberto", "italian")):
        if hint in lowered:
            return language
    return next((language for language in _LANGUAGES if language in lowered), "english")
