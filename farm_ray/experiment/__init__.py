"""A run as one value, and the function that carries it out."""

from farm_ray.experiment.config import (
    DataConfig,
    EarlyStoppingConfig,
    Experiment,
    HeadConfig,
    ModelConfig,
    NERProcessorConfig,
    ProcessorConfig,
    RegressionProcessorConfig,
    TaskConfig,
    TextClassificationProcessorConfig,
    TextPairClassificationProcessorConfig,
    TextPairRegressionProcessorConfig,
    TrainConfig,
    read_experiment,
    write_experiment,
)
from farm_ray.experiment.cross_validation import cross_validate_experiment
from farm_ray.experiment.farm_config import load_experiments, read_farm_config
from farm_ray.experiment.load import load_experiment
from farm_ray.experiment.result import Result
from farm_ray.experiment.run import run_experiment

__all__ = [
    "DataConfig",
    "EarlyStoppingConfig",
    "Experiment",
    "HeadConfig",
    "ModelConfig",
    "NERProcessorConfig",
    "ProcessorConfig",
    "RegressionProcessorConfig",
    "Result",
    "TaskConfig",
    "TextClassificationProcessorConfig",
    "TextPairClassificationProcessorConfig",
    "TextPairRegressionProcessorConfig",
    "TrainConfig",
    "cross_validate_experiment",
    "load_experiment",
    "load_experiments",
    "read_experiment",
    "read_farm_config",
    "run_experiment",
    "write_experiment",
]
