"""The Ray cluster this process works with: joined, or started here and ended again."""

from farm_ray.cluster.connection import (
    all_cores,
    connect,
    data_context,
    disconnect,
    is_connected,
    is_local,
)
from farm_ray.cluster.failures import cause_of, underlying_error
from farm_ray.cluster.machine import cores, tokenizer_threads

__all__ = [
    "all_cores",
    "cause_of",
    "connect",
    "cores",
    "data_context",
    "disconnect",
    "is_connected",
    "is_local",
    "tokenizer_threads",
    "underlying_error",
]
