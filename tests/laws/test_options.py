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
from farm_ray.train.early_stopping import EarlyStopping, EarlyStoppingConfig
from farm_ray.train.options import TrainerOptions
from farm_ray.train.trainer import Trainer

COMPONENTS = [
    (Trainer, TrainerOptions),
    (EarlyStopping, EarlyStoppingConfig),
]
"""Class -> the configuration that its constructor takes defaults from."""

OBJECTS = {
    (Trainer, "early_stopping"): "an EarlyStopping",
    (Trainer, "tracker"): "a RunLogger",
}
"""Arguments that an experiment has a configuration, or a name, for: those of the class take the object itself."""


def constructor(kind: type) -> ast.FunctionDef:
    source = textwrap.dedent(inspect.getsource(kind.__init__))
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
    return [name for name in config.model_fields if name in taken and (kind, name) not in OBJECTS]


def documented(kind: type) -> set[str]:
    """The arguments that a class describes by itself."""
    _, _, described = (inspect.getdoc(kind) or "").partition("Args:\n")
    lines = described.split("\n\n")[0].splitlines()
    entries = [line.split(":")[0] for line in lines if line.startswith("    ") and line[4] != " "]
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
    names = options_of(kind, config)
    assert names
    written = written_defaults(kind)
    assert [name for name in names if name in written and not isinstance(written[name], ast.Attribute)] == []
    parameters = inspect.signature(kind).parameters
    for name in set(names) & set(written):
        assert parameters[name].default == config.model_fields[name].default, name


@pytest.mark.parametrize(("kind", "config"), COMPONENTS)
def test_a_component_leaves_docstrings_to_its_configuration(kind, config):
    assert set(options_of(kind, config)) & documented(kind) == set()


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
