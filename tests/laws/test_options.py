"""An option is declared once: type, default and docstring stand in a configuration beside its component."""

import ast
import importlib
import inspect
import itertools
import pkgutil
import textwrap

import pytest
from pydantic_core import PydanticUndefined

import farm_ray
from farm_ray.configuration import Config
from farm_ray.data_handler.data_silo import DataSilo, StreamingDataSilo
from farm_ray.data_handler.data_silo.config import SiloOptions
from farm_ray.data_handler.processor import (
    BertStyleLMProcessor,
    InferenceProcessor,
    NERProcessor,
    Processor,
    RegressionProcessor,
    TextClassificationProcessor,
    TextPairClassificationProcessor,
    TextPairRegressionProcessor,
)
from farm_ray.data_handler.processor.config import FilesConfig, ProgramOptions, processor_configs
from farm_ray.data_handler.processor.text_classification import TextClassificationProcessorConfig
from farm_ray.experiment.tokenizer import train_tokenizer_on
from farm_ray.modeling.tokenization.training import TokenizerTrainingConfig, train_tokenizer
from farm_ray.train.early_stopping import EarlyStopping, EarlyStoppingConfig
from farm_ray.train.options import TrainerOptions
from farm_ray.train.trainer import Trainer

PROCESSORS = [
    *(BertStyleLMProcessor, InferenceProcessor, NERProcessor, RegressionProcessor, TextClassificationProcessor),
    *(TextPairClassificationProcessor, TextPairRegressionProcessor),
]
COMPONENTS = [
    (Trainer, TrainerOptions),
    (EarlyStopping, EarlyStoppingConfig),
    (train_tokenizer, TokenizerTrainingConfig),
    (train_tokenizer_on, TokenizerTrainingConfig),
    (DataSilo, SiloOptions),
    (StreamingDataSilo, SiloOptions),
    (Processor, FilesConfig),
    (InferenceProcessor, TextClassificationProcessorConfig),
    *((kind, processor_configs()[kind.__name__]) for kind in PROCESSORS if kind is not InferenceProcessor),
    *((kind, ProgramOptions) for kind in (Processor, *PROCESSORS)),
]
"""Class or function -> a configuration that it takes defaults from."""

WITHOUT = {
    "Experiment": "the tree itself",
    "ModelConfig": "says which of several functions make the model, and what they are given",
    "FromScratchConfig": "as ModelConfig",
    "HeadConfig": "a head's sizes come from model and labels; FARM's constructors take these",
    "TaskConfig": "add_task takes None for what the data say",
    "TrainConfig": "TrainerOptions is what a Trainer takes",
    "DataConfig": "SiloOptions is what a silo takes",
    "TrainSettings": "is made of a Trainer's arguments",
    "Extraction": "is a component itself",
    "Pooling": "is a component itself",
    "ProcessorConfig": "a base",
    "DelimitedConfig": "a base",
    "TableProcessorConfig": "a base",
    "PairsConfig": "a base",
}
"""Configurations that no component takes its defaults from, and why."""

OTHERWISE = {
    (InferenceProcessor, "quote_char"): "as in most files, whatever the model was trained on",
    **{
        (InferenceProcessor, name): "no file is read but those that are given"
        for name in ("train_filename", "test_filename", "dev_split")
    },
    **{
        (kind, "metric"): "None adds no task, which a program does by add_task"
        for kind in (TextClassificationProcessor, NERProcessor)
    },
}
"""Arguments with another default than in an experiment: in a class of options that says so, or written out."""

OBJECTS = {
    **{
        (kind, "metric"): "may be a function"
        for kind in (TextClassificationProcessor, RegressionProcessor, NERProcessor)
    },
    (InferenceProcessor, "tasks"): "dicts of tasks",
    (Trainer, "early_stopping"): "an EarlyStopping",
    (Trainer, "tracker"): "a RunLogger",
}
"""Arguments that an experiment has a configuration, or a name, for: those of the class take the object itself."""


def constructor(kind: type) -> ast.FunctionDef:
    source = textwrap.dedent(inspect.getsource(kind.__init__ if isinstance(kind, type) else kind))
    return next(node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef))


def written_defaults(kind: type) -> dict[str, ast.expr]:
    """The defaults of the constructor as they stand in the source."""
    arguments = constructor(kind).args
    positional = [*arguments.posonlyargs, *arguments.args]
    given = dict(zip(reversed([one.arg for one in positional]), reversed(arguments.defaults), strict=False))
    named = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    return given | {one.arg: default for one, default in named if default is not None}


def options_of(kind: type, config: type[Config]) -> list[str]:
    taken = inspect.signature(kind).parameters
    return [name for name in config.model_fields if name in taken]


def documented(kind: type) -> set[str]:
    """The arguments that a class or function describes by itself, and not by naming a configuration."""
    _, _, described = (inspect.getdoc(kind) or "").partition("Args:\n")
    lines = described.split("\n\n")[0].splitlines()
    entries = [
        line.split(":")[0] for line in lines if line.startswith("    ") and line[4] != " " and ": As in `" not in line
    ]
    return {name.strip() for entry in entries for name in entry.split(",")}


def configurations() -> list[type[Config]]:
    for module in pkgutil.walk_packages(farm_ray.__path__, "farm_ray."):
        importlib.import_module(module.name)
    found, left = [], [Config]
    while left:
        subclasses = [kind for kind in left.pop().__subclasses__() if kind.__module__.startswith("farm_ray.")]
        found += subclasses
        left += subclasses
    return found


def docstrings(kind: type[Config]) -> dict[str, str]:
    """What the class itself says of its fields."""
    body = ast.parse(textwrap.dedent(inspect.getsource(kind))).body[0].body
    pairs = itertools.pairwise(body)
    return {
        field.target.id: said.value.value
        for field, said in pairs
        if isinstance(field, ast.AnnAssign) and isinstance(said, ast.Expr) and isinstance(said.value, ast.Constant)
    }


@pytest.mark.parametrize(("kind", "config"), COMPONENTS)
def test_a_component_takes_its_defaults_from_its_configuration(kind, config):
    written = written_defaults(kind)
    parameters = inspect.signature(kind).parameters
    names = [name for name in options_of(kind, config) if name in written]
    for name in names:
        given, usual = parameters[name].default, config.model_fields[name].default
        if (kind, name) in OTHERWISE:
            assert given != usual, f"{kind.__name__}.{name}"
        elif (kind, name) not in OBJECTS or given is not None:
            assert not isinstance(written[name], ast.Constant), f"{kind.__name__}.{name}"
            assert given in (usual, *(usual if isinstance(usual, tuple) else ())), f"{kind.__name__}.{name}"


@pytest.mark.parametrize(("kind", "config"), COMPONENTS)
def test_a_component_leaves_docstrings_to_its_configuration(kind, config):
    objects = {name for owner, name in OBJECTS if owner is kind}
    assert (set(options_of(kind, config)) & documented(kind)) - objects == set()


def test_every_configuration_has_its_component():
    assert {kind.__name__ for kind in configurations()} == {config.__name__ for _, config in COMPONENTS} | set(WITHOUT)


@pytest.mark.parametrize("kind", configurations(), ids=lambda kind: kind.__name__)
def test_a_configuration_declares_again_only_what_is_another_there(kind):
    above = {}
    for base in reversed(kind.__mro__[1:]):
        if issubclass(base, Config) and base is not Config:
            above |= docstrings(base)
    inherited = {name: field for base in kind.__bases__ for name, field in getattr(base, "model_fields", {}).items()}
    for name in set(vars(kind).get("__annotations__", {})) & set(inherited):
        own, before = kind.model_fields[name], inherited[name]
        same_default = before.default is not PydanticUndefined and own.default == before.default
        assert not same_default or own.annotation != before.annotation, f"{kind.__name__}.{name}"
        assert docstrings(kind).get(name) != above.get(name) or name not in docstrings(kind), f"{kind.__name__}.{name}"


@pytest.mark.parametrize("kind", configurations(), ids=lambda kind: kind.__name__)
def test_every_field_says_what_it_is(kind):
    said = set()
    for base in kind.__mro__:
        said |= set(docstrings(base)) if isinstance(base, type) and issubclass(base, Config) else set()
    assert set(kind.model_fields) <= said
