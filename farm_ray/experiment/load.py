"""From a name on the command line to an Experiment: `pipelines.module[:function]`."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import pkgutil
from typing import TYPE_CHECKING

from farm_ray.configuration import nearest
from farm_ray.errors import ConfigError
from farm_ray.experiment.config import Experiment
from farm_ray.overrides import imported_subclasses, is_ours

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
        raise ConfigError(
            f"{name} must return an Experiment, not {type(experiment).__name__}", code="not-an-experiment", value=name
        )
    return experiment


def brings_own_classes() -> bool:
    """Whether a saved model may need modules of the user's: kinds of tasks, metrics, processors or heads."""
    from farm_ray.data_handler.processor import Processor
    from farm_ray.modeling.prediction_head import PredictionHead
    from farm_ray.registrations import Registrations

    classes = [*imported_subclasses(Processor).values(), *imported_subclasses(PredictionHead).values()]  # type: ignore[type-abstract]
    return Registrations.of_this_process().any() or not all(map(is_ours, classes))


def _function(name: str) -> Callable[..., object]:
    module_name, colon, function_name = name.partition(":")
    if not _is_dotted_name(module_name):
        raise ConfigError(
            f'the pipeline must be module or module:function, for example pipelines.quickstart, not "{module_name}"',
            code="invalid-name",
            value=module_name,
        )
    module = import_module(module_name, what="pipeline", usual_package="pipelines")
    functions = _functions(module)
    if not colon:
        return _only(functions, module_name)
    if function_name not in functions:
        raise ConfigError(
            f'pipeline {module_name} has no function "{function_name}"{nearest(function_name, functions)}',
            code="unknown-function",
            value=name,
        )
    return functions[function_name]


def import_module(name: str, *, what: str = "module", usual_package: str = "") -> ModuleType:
    """A module of a user's, by which its processors, heads, tasks and metrics become known.

    Args:
        name: As in an import.
        what: What it is, for messages.
        usual_package: Where others of its kind are.

    Raises:
        ConfigError: When there is no such module (the nearest is named), or it cannot be imported.
    """
    if not _is_dotted_name(name):
        raise ConfigError(
            f'a {what} is named as in an import, such as my_package.my_task, not "{name}"',
            code="invalid-name",
            value=name,
        )
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name and (name == error.name or name.startswith(f"{error.name}.")):
            hint = (
                nearest(name, _siblings(name, usual_package)) or "; it must lie in this folder, or in one of PYTHONPATH"
            )
            raise ConfigError(f'unknown {what} "{name}"{hint}', code="unknown-module", value=name) from None
        raise ConfigError(f"{what} {name} cannot be imported: {error}", code="cannot-import", value=name) from None
    except SyntaxError as error:
        raise ConfigError(
            f"{what} {name} is no valid Python: {error}; fix the file", code="cannot-import", value=name
        ) from None


def _is_dotted_name(name: str) -> bool:
    return all(part.isidentifier() for part in name.split("."))


def _siblings(name: str, usual_package: str) -> list[str]:
    """The modules there are in the package of `name`, else in the usual one."""
    for package in (name.rpartition(".")[0], usual_package):
        try:
            spec = importlib.util.find_spec(package) if package else None
        except ModuleNotFoundError:
            continue
        if spec is not None and spec.submodule_search_locations:
            found = pkgutil.iter_modules(spec.submodule_search_locations, prefix=f"{package}.")
            return [module.name for module in found]
    return []


def _functions(module: ModuleType) -> dict[str, Callable[..., object]]:
    members = inspect.getmembers(module, inspect.isfunction)
    return {name: value for name, value in members if value.__module__ == module.__name__ and not name.startswith("_")}


def _refuse_arguments(function: Callable[..., object], name: str) -> None:
    needed = [
        argument.name
        for argument in inspect.signature(function).parameters.values()
        if argument.default is argument.empty and argument.kind not in {argument.VAR_POSITIONAL, argument.VAR_KEYWORD}
    ]
    if needed:
        raise ConfigError(
            f"{name} needs the arguments {', '.join(needed)}; a pipeline is a function without any",
            code="function-needs-arguments",
            value=name,
        )


def _only(functions: dict[str, Callable[..., object]], module_name: str) -> Callable[..., object]:
    own_name = module_name.rpartition(".")[2]
    if own_name in functions:
        return functions[own_name]
    makers = [n for n, f in functions.items() if inspect.signature(f).return_annotation in {Experiment, "Experiment"}]
    if len(makers) == 1:
        return functions[makers[0]]
    names = ", ".join(f"{module_name}:{name}" for name in makers)
    raise ConfigError(
        f"pipeline {module_name} needs a function's name: {names or 'it has none'}",
        code="no-single-function",
        value=module_name,
    )
