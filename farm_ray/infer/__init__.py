"""Predictions from a trained model: dicts in this process, files in this process or on Ray."""

from farm_ray.infer.files import FilePredictions
from farm_ray.infer.inferencer import Inferencer

__all__ = ["FilePredictions", "Inferencer"]
