"""FARM's language model classes: a name for each model type, and one class for all the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from farm_ray.modeling.language_model.base import LanguageModel

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
        **_: object,
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
