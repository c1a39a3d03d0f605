"""What a tokenizer's files may make transformers do: read the files beside them, and build a tokenizer."""

from __future__ import annotations

import contextlib
import functools
import inspect
from pathlib import Path
from typing import TYPE_CHECKING

from farm_ray.errors import ModelFolderError
from farm_ray.foreign import quoted, read_json, refuse_links, shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from transformers import AutoTokenizer, PreTrainedTokenizerBase

    from farm_ray.plain import PlainMapping

_CONFIG = "tokenizer_config.json"
_NAME_CLASSES = (_CONFIG, "config.json")
_JSON = (_CONFIG, "special_tokens_map.json", "added_tokens.json", "config.json")
_NAME_FILES = ("vocab", "merges")


@functools.cache
def names_in_transformers() -> frozenset[str]:
    """All that transformers offers; asking it takes longer than loading a small model."""
    import transformers

    return frozenset(dir(transformers))


def find_tokenizer_class(name: str) -> type[PreTrainedTokenizerBase | AutoTokenizer] | None:
    """The tokenizer class of transformers with this name, which may lack or have the ending Fast; None for none.

    Only tokenizers are found: other classes of transformers read other files, some of them code.
    """
    import transformers
    from transformers import AutoTokenizer, PreTrainedTokenizerBase

    for candidate in (name, name.removesuffix("Fast"), f"{name}Fast"):
        # Looking at a name imports its module, so that only names of tokenizers are looked at.
        if not candidate.isidentifier() or not ("Tokenizer" in candidate or candidate.endswith("Backend")):
            continue
        found = getattr(transformers, candidate, None)
        if found is AutoTokenizer or (inspect.isclass(found) and issubclass(found, PreTrainedTokenizerBase)):
            return found
    return None


def checked_folder(folder: Path) -> Path:
    """The folder, whose files name nothing but themselves and tokenizers.

    Raises:
        ModelFolderError: When a file is no JSON, names files or classes of another kind, holds a length or template
            that is none, or is a link that leads out.
    """
    refuse_links(folder)
    values = {name: read_json(folder / name) for name in _JSON if (folder / name).is_file()}
    for name in _NAME_CLASSES:
        _check_class(str(folder / name), values.get(name, {}).get("tokenizer_class"))
    _check_files(str(folder / _CONFIG), values.get(_CONFIG, {}))
    _check_kinds(str(folder / _CONFIG), values.get(_CONFIG, {}))
    return folder


def check_on_hub(name: str, where: PlainMapping) -> None:
    """As `checked_folder`, for a name on the hub.

    Args:
        name: Of the model.
        where: Revision, token and the like.

    Raises:
        ModelFolderError: When a file names files or classes of another kind.
        OSError: When the hub does not give the files.
    """
    from transformers import PreTrainedConfig
    from transformers.models.auto.tokenization_auto import get_tokenizer_config

    values = get_tokenizer_config(name, **where)
    _check_files(f"{_CONFIG} of {name}", values)
    _check_kinds(f"{_CONFIG} of {name}", values)
    _check_class(f"{_CONFIG} of {name}", values.get("tokenizer_class"))
    if not values.get("tokenizer_class"):
        # A tokenizer may be there without a model.
        with contextlib.suppress(OSError):
            described, _ = PreTrainedConfig.get_config_dict(name, **where)
            _check_class(f"config.json of {name}", described.get("tokenizer_class"))


def refuse_other_classes(tokenizer: object, name: str) -> None:
    """Raises ModelFolderError for what was loaded and is no tokenizer."""
    from transformers import PreTrainedTokenizerBase

    if not isinstance(tokenizer, PreTrainedTokenizerBase):
        raise ModelFolderError(
            f"{name} holds a {type(tokenizer).__name__} in place of a tokenizer",
            code="not-a-tokenizer",
            value=type(tokenizer).__name__,
            file=name,
        )


def _check_class(file: str, name: object) -> None:
    """A class that transformers does not have is its own affair: it takes the one that fits the other files."""
    if name is None or (isinstance(name, str) and find_tokenizer_class(name) is not None):
        return
    if not isinstance(name, str) or name in names_in_transformers():
        problem = f"{file}: tokenizer_class is {shown(name)}, which is no tokenizer; take the entry out"
        raise ModelFolderError(problem, code="not-a-tokenizer", file=file, value=name)


def _check_files(file: str, values: Mapping[str, object]) -> None:
    named = [values[key] for key in _NAME_FILES if isinstance(values.get(key), str)]
    listed = values.get("fast_tokenizer_files") or []
    named += [one for one in listed if Path(str(one)).name != one] if isinstance(listed, list) else [str(listed)]
    # Positional arguments of the class: the first one can be a file.
    named += [str(values["init_inputs"])] if values.get("init_inputs") else []
    if named:
        raise ModelFolderError(
            f"{file} names the file {quoted(str(named[0]))}, and a tokenizer is read from its own folder alone; "
            "take the entry out",
            code="file-out-of-folder",
            file=file,
            value=named[0],
        )


def _check_kinds(file: str, values: Mapping[str, object]) -> None:
    """Of entries that transformers takes as they are, to fail where they are used: a template when it is saved."""
    for name, fits in _KINDS.items():
        value = values.get(name)
        if value is not None and not fits(value):
            problem = f"{file}: {name} cannot be {shown(value)}; correct the entry, or take it out"
            raise ModelFolderError(problem, code="damaged-entry", entry=name, file=file, value=value)


def _is_length(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value > 0


def _is_template(value: object) -> bool:
    """A text, texts by name, or a list of mappings with both."""
    if isinstance(value, dict):
        return all(isinstance(text, str) for text in value.values())
    if isinstance(value, list):
        return all(isinstance(one, dict) and _is_template(one) for one in value)
    return isinstance(value, str)


_KINDS = {"model_max_length": _is_length, "chat_template": _is_template}
