"""Runs the stages from files or dicts to features, on Ray or in this process, and keeps what came out."""

from farm_ray.data_handler.data_silo.cross_validation import DataSiloForCrossVal, DataSiloForHoldout
from farm_ray.data_handler.data_silo.silo import DataSilo
from farm_ray.data_handler.data_silo.streaming import StreamingDataSilo

__all__ = ["DataSilo", "DataSiloForCrossVal", "DataSiloForHoldout", "StreamingDataSilo"]
