"""Prediction heads: what stands on top of a language model and answers a task."""

from farm_ray.modeling.prediction_head.base import PredictionHead
from farm_ray.modeling.prediction_head.feed_forward import FeedForwardBlock
from farm_ray.modeling.prediction_head.masked_language_model import BertLMHead
from farm_ray.modeling.prediction_head.multilabel import MultiLabelTextClassificationHead
from farm_ray.modeling.prediction_head.next_sentence import NextSentenceHead
from farm_ray.modeling.prediction_head.regression import RegressionHead
from farm_ray.modeling.prediction_head.text_classification import TextClassificationHead
from farm_ray.modeling.prediction_head.token_classification import TokenClassificationHead

__all__ = [
    "BertLMHead",
    "FeedForwardBlock",
    "MultiLabelTextClassificationHead",
    "NextSentenceHead",
    "PredictionHead",
    "RegressionHead",
    "TextClassificationHead",
    "TokenClassificationHead",
]
