"""What a run is: one frozen tree of configurations, written to YAML beside the model and read back to the same value.

Imports neither ray nor torch.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path, PurePath
from typing import Annotated, Any, Literal

from pydantic import (
    BeforeValidator,
    Field,
    NonNegativeInt,
    PlainSerializer,
    PositiveInt,
    field_validator,
)

from farm_ray.configuration import Config, build, read_yaml, to_yaml
from farm_ray.data_handler.data_silo.config import DataConfig
from farm_ray.data_handler.processor.config import ProcessorConfig, Share, TaskConfig
from farm_ray.experiment.preparation import as_prepare, name_of
from farm_ray.experiment.processor_config import (
    AnyProcessorConfig,
    BertStyleLMProcessorConfig,
    NERProcessorConfig,
    RegressionProcessorConfig,
    TextClassificationProcessorConfig,
    TextPairClassificationProcessorConfig,
    TextPairRegressionProcessorConfig,
)
from farm_ray.modeling.tokenization.training import TokenizerTrainingConfig
from farm_ray.train.early_stopping import EarlyStoppingConfig
from farm_ray.train.options import TrainConfig

__all__ = [
    "BertStyleLMProcessorConfig",
    "DataConfig",
    "EarlyStoppingConfig",
    "Experiment",
    "FromScratchConfig",
    "HeadConfig",
    "ModelConfig",
    "NERProcessorConfig",
    "ProcessorConfig",
    "RegressionProcessorConfig",
    "TaskConfig",
    "TextClassificationProcessorConfig",
    "TextPairClassificationProcessorConfig",
    "TextPairRegressionProcessorConfig",
    "TokenizerTrainingConfig",
    "TrainConfig",
    "read_experiment",
    "write_experiment",
]


PrepareField = Annotated[Callable[[Path], object] | None, BeforeValidator(as_prepare), PlainSerializer(name_of)]
ClassWeights = Literal["balanced"] | tuple[float, ...] | None
_WIDEST = 1 << 14
"""Two hidden layers of this width have 1 GB of weights between them."""


class HeadConfig(Config):
    """One prediction head, where the derived one is not wanted."""

    task: str
    """Name of the task the head learns."""
    hidden_dims: tuple[Annotated[PositiveInt, Field(le=_WIDEST)], ...] = ()
    """Widths of hidden layers between the language model and the labels."""
    class_weights: ClassWeights = None
    """Loss weight per label in the order of the label list, `balanced`, or None for equal weights."""


class FromScratchConfig(Config):
    """A language model with fresh weights."""

    model_type: str = "bert"
    """transformers' name of the type of encoder."""
    settings: dict[str, Any] = Field(default_factory=dict)
    """Fields of transformers' configuration under its names, such as hidden_size and num_hidden_layers."""
    tokenizer: TokenizerTrainingConfig = TokenizerTrainingConfig()
    """How its tokenizer is learnt."""
    tokenizer_dir: str | None = None
    """Folder or hub name of a tokenizer that is there already; None learns one."""


class ModelConfig(Config):
    """A pretrained language model and the heads on top of it."""

    language_model: str | None = None
    """Folder, or name on the Hugging Face hub; `--model` fills it."""
    from_scratch: FromScratchConfig | None = None
    """A model to begin with fresh weights, in place of `language_model`."""
    revision: str | None = None
    """Branch, tag or commit on the hub."""
    heads: tuple[HeadConfig, ...] = ()
    """Explicit heads, one per task; empty derives them from the tasks."""
    dropout: Annotated[float, Field(ge=0, lt=1)] | None = None
    """Every dropout inside the language model; None keeps the model's own."""
    embeds_dropout_prob: Share = 0.1
    """Dropout between language model and heads."""
    class_weights: Literal["balanced"] | None = None
    """Loss weights of derived heads: `balanced` makes rare labels count more."""
    frozen_layers: NonNegativeInt | Literal["all"] | None = None
    """The embeddings and this many layers above them keep their weights; `all` trains the heads only."""


class Experiment(Config):
    """Everything a run depends on but the place where it runs."""

    name: str
    """Names the run and its default output folder."""
    output_dir: Annotated[str | None, Field(exclude=True)] = None
    """Folder of the run where the caller names none; None is `runs/<name>`. It is not saved with the run."""
    prepare: PrepareField = None
    """A function, called with the data folder when the training file is not there yet. A file holds its name, which
    only stands for the function that the pipeline declares."""
    processor: AnyProcessorConfig = TextClassificationProcessorConfig()
    """From files to features."""
    data: DataConfig = DataConfig()
    """From features to batches."""
    model: ModelConfig = ModelConfig()
    """What is trained."""
    train: TrainConfig = TrainConfig()
    """How it is trained."""
    seed: int = 42
    """Of the dev split, the order of the rows, dropout and fresh weights."""

    @field_validator("name")
    @classmethod
    def _folder_below_runs(cls, value: str) -> str:
        path = PurePath(value)
        if not path.parts or path.is_absolute() or ".." in path.parts or not value.isprintable():
            raise ValueError("it names the folder runs/<name>, so a name such as germeval18 is needed")
        return value


def read_experiment(path: str | Path) -> Experiment:
    """The experiment of a YAML file that `write_experiment` wrote.

    Raises:
        ConfigError: When the file cannot be read or holds something else.
    """
    return build(Experiment, read_yaml(path))


def write_experiment(experiment: Experiment, path: Path) -> None:
    """Writes YAML that `read_experiment` reads back to an equal value; credentials in addresses are left out."""
    path.write_text(to_yaml(experiment), encoding="utf-8")
