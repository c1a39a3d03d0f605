"""Prediction heads: what stands on top of a language model and answers a task."""

from farm_ray.modeling.prediction_head.base import PredictionHead
from farm_ray.modeling.prediction_head.feed_forward import FeedForwardBlock
from farm_ray.modeling.prediction_head.text_classification import TextClassificationHead

HEADS: dict[str, type[PredictionHead]] = {"TextClassificationHead": TextClassificationHead}
"""By the `name` in a saved head's JSON. A head of your own is loaded once it has a row here."""

__all__ = ["HEADS", "FeedForwardBlock", "PredictionHead", "TextClassificationHead"]
