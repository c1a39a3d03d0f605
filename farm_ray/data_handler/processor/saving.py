"""A processor as files: `processor_config.json` and the tokenizer beside it. Reads folders of FARM 0.8 too."""

from __future__ import annotations

import inspect
import json
import logging
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from farm_ray.credentials import saved_values
from farm_ray.data_handler.processor.arguments import arguments_of, defaults_of
from farm_ray.data_handler.processor.metrics import saved_tasks
from farm_ray.data_handler.processor.names import class_named
from farm_ray.data_handler.processor.saved_settings import SavedProcessor
from farm_ray.errors import ConfigError, ModelFolderError
from farm_ray.foreign import is_file, is_folder, read_json
from farm_ray.modeling.tokenization import Tokenizer
from farm_ray.modeling.tokenization.load import save_tokenizer
from farm_ray.saved import check_saved
from farm_ray.tasks.saved import loaded_task
from farm_ray.tasks.task import lacking_labels

if TYPE_CHECKING:
    from collections.abc import Mapping

    from farm_ray.data_handler.processor.base import Processor
    from farm_ray.modeling.tokenization.protocol import TokenizerLike
    from farm_ray.plain import PlainDict, PlainMapping

P = TypeVar("P", bound="Processor")

logger = logging.getLogger(__name__)

CONFIG_FILE = "processor_config.json"
MODEL = "model"
"""Where the folder of a run has its model."""

_HEAD_FOLDERS = "prediction_head_*/config.json"
"""In a model's folder, models of transformers with one of its heads each, which need the tokenizer too."""
_OWN_FEATURES = "own_features"
"""In a saved configuration: methods by which the class makes features of its own, so that no other class reads it."""
_NO_SETTINGS = frozenset({"processor", "tokenizer", "tasks", _OWN_FEATURES})
_OF_OLD_VERSIONS = frozenset({"baskets", "inference", "lower_case", "problematic_sample_ids", "task_type", "verbose"})
_BASE_SETTINGS = ("data_dir", "max_seq_len", "train_filename", "dev_filename", "test_filename", "dev_split")


def plain_settings(processor: Processor) -> dict[str, object]:
    """Every public attribute that JSON can hold, paths as text, tasks with names for metrics."""
    plain: PlainDict = {}
    for name, value in sorted(vars(processor).items()):
        if name.startswith("_") or name in {"tokenizer", "inference"}:
            continue
        value = saved_tasks(value) if name == "tasks" else str(value) if isinstance(value, Path) else value  # noqa: PLW2901
        if _is_json(value):
            plain[name] = value
    return plain


def save(processor: Processor, folder: Path) -> None:
    """Writes the settings and the tokenizer into `folder`; addresses lose their credentials on the way."""
    lacking = () if processor.inference else lacking_labels(processor.tasks)
    if lacking:
        raise ConfigError(
            f'this processor does not know the labels of task "{lacking[0]}": a data silo takes them from its '
            "training data for its own processor; save that one: silo.processor.save(...)",
            code="labels-not-known",
            task=lacking[0],
        )
    settings = saved_values(processor.generate_config())
    settings |= {"tokenizer": type(processor.tokenizer).__name__, "processor": type(processor).__name__}
    if own := processor.own_row_methods():
        settings[_OWN_FEATURES] = list(own)
    folder.mkdir(parents=True, exist_ok=True)
    for place in (folder, *(model.parent for model in folder.glob(_HEAD_FOLDERS))):
        save_tokenizer(processor.tokenizer, place, cut_at=processor.max_seq_len)
    text = json.dumps(settings, indent=2, sort_keys=True, ensure_ascii=False)
    (folder / CONFIG_FILE).write_text(text + "\n", encoding="utf-8")


def load_from_dir(
    folder: Path, asked: type[Processor], known: Mapping[str, type[Processor]], *, always: type[Processor] | None = None
) -> Processor:
    """The processor saved in `folder`.

    Args:
        folder: Holds `processor_config.json` and tokenizer files.
        asked: The class the caller named; used where the saved class is not known and this one is not abstract.
        known: All processor classes by name.
        always: Take this class whatever was saved.
    """
    settings = _read_config(folder)
    saved = named_class(str(settings.get("processor")), asked, known)
    kind = always or saved
    if settings.get(_OWN_FEATURES) and not kind.own_row_methods():
        raise ConfigError(
            _needs_its_class(folder, str(settings["processor"]), known=saved.own_row_methods() != ()),
            code="needs-its-class",
            file=str(folder),
            value=str(settings["processor"]),
        )
    tokenizer = Tokenizer.load(str(folder), tokenizer_class=settings.get("tokenizer"))
    taken = _known_settings(kind, saved, settings)
    arguments = arguments_of(kind)
    for name in _BASE_SETTINGS:
        if name not in taken and name in arguments and arguments[name].default is inspect.Parameter.empty:
            file = folder / CONFIG_FILE
            raise ModelFolderError(
                f"{file} has no {name}; it is damaged, copy the folder again",
                code="missing-entry",
                entry=name,
                file=str(file),
            )
    processor = construct(kind, tokenizer, taken)
    tasks = settings.get("tasks") or {}
    processor.tasks = {name: loaded_task(name, _with_type(task, saved)) for name, task in tasks.items()}
    return processor


def _needs_its_class(folder: Path, name: str, *, known: bool) -> str:
    hint = "load it with Processor.load_from_dir" if known else "import the module that defines it first"
    return f'{folder} was saved from a "{name}", which makes its own features; {hint}'


def _with_type(task: PlainMapping, saved: type[Processor]) -> PlainDict:
    """FARM saved tasks on words without their type."""
    return {**task, "task_type": task.get("task_type") or saved.usual_task_type}


def named_class(name: str, asked: type[Processor], known: Mapping[str, type[Processor]]) -> type[Processor]:
    """The class of this name, or the class the caller asked for where no such class is known."""
    try:
        return class_named(name, known)
    except ConfigError:
        if inspect.isabstract(asked):
            raise
        return asked


def construct(kind: type[P], tokenizer: TokenizerLike, settings: PlainMapping) -> P:
    """`kind(tokenizer=..., **settings)`, without those of the general settings that `kind` does not take."""
    taken = arguments_of(kind)
    given = {name: value for name, value in settings.items() if name in taken or name not in _BASE_SETTINGS}
    return kind(tokenizer=tokenizer, **given)


def _known_settings(kind: type[Processor], saved: type[Processor], settings: PlainMapping) -> PlainDict:
    """What `kind` takes of the settings; those they lack are as in the class that was saved."""
    accepted = arguments_of(kind)
    own = {name: value for name, value in settings.items() if name not in _NO_SETTINGS | _OF_OLD_VERSIONS}
    unknown = sorted(set(own) - set(accepted) - _settings_of_all(kind) - _settings_of_all(saved))
    if unknown:
        logger.warning("%s ignores what it does not know: %s", CONFIG_FILE, ", ".join(unknown))
    there = own if kind is saved else {**defaults_of(saved), **own}
    return {name: value for name, value in there.items() if name in accepted and _takes(accepted[name], value)}


def _takes(argument: inspect.Parameter, value: object) -> bool:
    """A null stands for the default where the argument's type has no null."""
    known = argument.annotation if isinstance(argument.annotation, str) else "Any"
    return value is not None or "None" in known or "Any" in known


def _settings_of_all(kind: type[Processor]) -> set[str]:
    """Settings that some class above `kind` takes: a processor for inference needs none of its parent's files."""
    own = (vars(base)["__init__"] for base in kind.__mro__ if base is not object and "__init__" in vars(base))
    return {name for init in own for name in inspect.signature(init).parameters}


def _read_config(folder: Path) -> PlainDict:
    path = folder / CONFIG_FILE
    if not is_file(path):
        raise ModelFolderError(
            f"{folder} holds no saved processor: {_way_out(folder)}", code="no-processor-there", file=str(path)
        )
    settings = read_json(path)
    if "processor" not in settings:
        raise ModelFolderError(
            f'{path} has no entry "processor"; copy the model folder again',
            code="missing-entry",
            entry="processor",
            file=str(path),
        )
    check_saved(SavedProcessor, settings, path)
    return settings


def _way_out(folder: Path) -> str:
    if not is_folder(folder):
        return "there is no such folder; check the path"
    if (folder / MODEL / CONFIG_FILE).is_file():
        return f"the model of this run is in {folder / MODEL}"
    return (
        f"{CONFIG_FILE} is missing; copy the folder again, or, for a model saved by transformers, use "
        "Processor.convert_from_transformers"
    )


def _is_json(value: object) -> bool:
    try:
        json.dumps(value)
    except (TypeError, ValueError):
        return False
    return True
