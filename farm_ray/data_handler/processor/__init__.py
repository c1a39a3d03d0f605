"""Processors: a file or dicts become features. One class per kind of task, each a set of settings and three stages."""

from numpy.random import random as random_float

from farm_ray.data_handler.processor.base import Processor, processor_class
from farm_ray.data_handler.processor.inference import InferenceProcessor
from farm_ray.data_handler.processor.language_model import BertStyleLMProcessor
from farm_ray.data_handler.processor.ner import NERProcessor
from farm_ray.data_handler.processor.regression import RegressionProcessor
from farm_ray.data_handler.processor.text_classification import TextClassificationProcessor
from farm_ray.data_handler.processor.text_pair import TextPairClassificationProcessor, TextPairRegressionProcessor

__all__ = [
    "BertStyleLMProcessor",
    "InferenceProcessor",
    "NERProcessor",
    "Processor",
    "RegressionProcessor",
    "TextClassificationProcessor",
    "TextPairClassificationProcessor",
    "TextPairRegressionProcessor",
    "processor_class",
    "random_float",
]
