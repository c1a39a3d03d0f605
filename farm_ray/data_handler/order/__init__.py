"""Which rows make step s: a pure function of (seed, epoch, row ids), the same for any number of workers."""

from farm_ray.data_handler.order.in_memory import InMemoryOrder, StepRows, evaluation_batches, share
from farm_ray.data_handler.order.loader import FeatureLoader
from farm_ray.data_handler.order.order_hash import START, advance, row_sum
from farm_ray.data_handler.order.position import LanePosition, Position
from farm_ray.data_handler.order.streaming import Reading, StreamOrder

__all__ = [
    "START",
    "FeatureLoader",
    "InMemoryOrder",
    "LanePosition",
    "Position",
    "Reading",
    "StepRows",
    "StreamOrder",
    "advance",
    "evaluation_batches",
    "row_sum",
    "share",
]
