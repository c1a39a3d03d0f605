"""Which rows make step s: a pure function of (seed, epoch, row ids), the same for any number of workers."""

from farm_ray.data_handler.order.in_memory import InMemoryOrder, Position, StepRows, evaluation_batches, share
from farm_ray.data_handler.order.loader import FeatureLoader
from farm_ray.data_handler.order.order_hash import START, advance

__all__ = [
    "START",
    "FeatureLoader",
    "InMemoryOrder",
    "Position",
    "StepRows",
    "advance",
    "evaluation_batches",
    "share",
]
