"""FARM's path to its helpers: seeds, devices, loggers, and functions for values, tags and files."""

from farm_ray.compat.benchmarker import Benchmarker
from farm_ray.compat.collectives import all_gather_list, all_reduce
from farm_ray.compat.graceful_killer import GracefulKiller
from farm_ray.compat.iob import convert_iob_to_simple_tags
from farm_ray.compat.loggers import BaseMLLogger, MLFlowLogger, StdoutLogger, TensorBoardLogger
from farm_ray.compat.msmarco import reformat_msmarco_dev, reformat_msmarco_train, write_msmarco_results
from farm_ray.compat.values import (
    calc_chunksize,
    flatten_list,
    format_log,
    get_dict_checksum,
    log_ascii_workers,
    stack,
    to_numpy,
    try_get,
)
from farm_ray.devices import initialize_device_settings
from farm_ray.reproducibility import set_all_seeds

__all__ = [
    "BaseMLLogger",
    "Benchmarker",
    "GracefulKiller",
    "MLFlowLogger",
    "StdoutLogger",
    "TensorBoardLogger",
    "all_gather_list",
    "all_reduce",
    "calc_chunksize",
    "convert_iob_to_simple_tags",
    "flatten_list",
    "format_log",
    "get_dict_checksum",
    "initialize_device_settings",
    "log_ascii_workers",
    "reformat_msmarco_dev",
    "reformat_msmarco_train",
    "set_all_seeds",
    "stack",
    "to_numpy",
    "try_get",
    "write_msmarco_results",
]
