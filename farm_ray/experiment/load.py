"""From a name on the command line to an Experiment: `pipelines.module[:function]`."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import pkgutil
from typing import TYPE_CHECKING, Any

from farm_ray.configuration import nearest
from farm_ray.errors import ConfigError
from farm_ray.experiment.config import Experiment

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType


def load_experiment(name: str) -> Experiment:
    """The experiment that the pipeline function `name` returns.

    Args:
        name: `module:function`, or `module` alone for the function with the module's own name, or for its only one.

    Raises:
        ConfigError: When there is no such module or function (the nearest is named), or it returns something else.
    """
    function = _function(name)
    _refuse_arguments(function, name)
    experiment = function()
    if not isinstance(experiment, Experiment):
        raise ConfigError(f"{name} must return an Experiment, not {type(experiment).__name__}", value=name)
    return experiment


def _function(name: str) -> Callable[..., Any]:
    module_name, colon, function_name = name.partition(":")
    module = _import(module_name)
    functions = _functions(module)
    if not colon:
        return _only(functions, module_name)
    if function_name not in functions:
        raise ConfigError(
            f'pipeline {module_name} has no function "{function_name}"{nearest(function_name, functions)}', value=name
        )
    return functions[function_name]


def _import(name: str) -> ModuleType:
    if not all(part.isidentifier() for part in name.split(".")):
        raise ConfigError(
            f'the pipeline must be module or module:function, for example pipelines.quickstart, not "{name}"'
        )
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name and (name == error.name or name.startswith(f"{error.name}.")):
            raise ConfigError(f'unknown pipeline "{name}"{nearest(name, _siblings(name))}', value=name) from None
        raise ConfigError(f"pipeline {name} cannot be imported: {error}", value=name) from None
    except SyntaxError as error:
        raise ConfigError(f"pipeline {name} is no valid Python: {error}; fix the file", value=name) from None


def _siblings(name: str) -> list[str]:
    """The modules there are in the package of `name`, or in `pipelines`."""
    for package in (name.rpartition(".")[0], "pipelines"):
        try:
            spec = importlib.util.find_spec(package) if package else None
        except ModuleNotFoundError:
            continue
        if spec is not None and spec.submodule_search_locations:
            found = pkgutil.iter_modules(spec.submodule_search_locations, prefix=f"{package}.")
            return [module.name for module in found]
    return []


def _functions(module: ModuleType) -> dict[str, Callable[..., Any]]:
    members = inspect.getmembers(module, inspect.isfunction)
    return {name: value for name, value in members if value.__module__ == module.__name__ and not name.startswith("_")}


def _refuse_arguments(function: Callable[..., Any], name: str) -> None:
    needed = [
        argument.name
        for argument in inspect.signature(function).parameters.values()
        if argument.default is argument.empty and argument.kind not in {argument.VAR_POSITIONAL, argument.VAR_KEYWORD}
    ]
    if needed:
        raise ConfigError(
            f"{name} needs the arguments {', '.join(needed)}; a pipeline is a function without any", value=name
        )


def _only(functions: dict[str, Callable[..., Any]], module_name: str) -> Callable[..., Any]:
    own_name = module_name.rpartition(".")[2]
    if own_name in functions:
        return functions[own_name]
    makers = [n for n, f in functions.items() if inspect.signature(f).return_annotation in {Experiment, "Experiment"}]
    if len(makers) == 1:
        return functions[makers[0]]
    names = ", ".join(f"{module_name}:{name}" for name in makers)
    raise ConfigError(f"pipeline {module_name} needs a function's name: {names or 'it has none'}", value=module_name)
