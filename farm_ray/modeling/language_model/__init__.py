"""Language models: transformers encoders under FARM's names."""

from farm_ray.modeling.language_model.base import LanguageModel
from farm_ray.modeling.language_model.families import (
    Albert,
    Bert,
    BigBird,
    Camembert,
    DistilBert,
    Electra,
    Encoder,
    Roberta,
    XLMRoberta,
    XLNet,
)
from farm_ray.modeling.language_model.language import guess_language
from farm_ray.modeling.language_model.pooling import Pooling

__all__ = [
    "Albert",
    "Bert",
    "BigBird",
    "Camembert",
    "DistilBert",
    "Electra",
    "Encoder",
    "LanguageModel",
    "Pooling",
    "Roberta",
    "XLMRoberta",
    "XLNet",
    "guess_language",
]
