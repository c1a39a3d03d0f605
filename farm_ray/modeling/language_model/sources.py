"""Where a model is: a local folder or the Hugging Face hub; and what can be wrong with it, told in one line."""

from __future__ import annotations

import contextlib
import json
import pickle
from pathlib import Path
from typing import TYPE_CHECKING, Any

from huggingface_hub.errors import StrictDataclassError
from safetensors import SafetensorError
from torch import Tensor

from farm_ray.errors import ModelFolderError
from farm_ray.modeling.hub import first_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

WEIGHT_FILES = (
    "model.safetensors",
    "model.safetensors.index.json",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
)
_FOREIGN_ERRORS = (
    OSError,
    ValueError,
    RuntimeError,
    KeyError,
    AttributeError,
    TypeError,
    EOFError,
    SafetensorError,
    StrictDataclassError,
)


def find_folder(name_or_path: str | Path) -> Path | None:
    """The local folder that is meant, or None for a name on the hub.

    Raises:
        ModelFolderError: When the text can only be a path and there is no such folder; the hub is not asked then.
    """
    if not str(name_or_path).strip():
        raise ModelFolderError("the model name is empty; give a model folder or a name on the hub")
    path = Path(name_or_path).expanduser()
    if path.is_dir():
        return path
    if path.exists():
        raise ModelFolderError(f"{path} is a file; give the model folder it is in", path=str(path))
    if isinstance(name_or_path, Path) or _looks_like_path(str(name_or_path)):
        raise ModelFolderError(f"there is no model folder {path}; check the path", path=str(path))
    return None


def _looks_like_path(name: str) -> bool:
    if name.startswith((".", "/", "~")) or name.endswith("/") or "\\" in name or name.count("/") > 1:
        return True
    parent, slash, _ = name.partition("/")
    return bool(slash) and Path(parent).is_dir()


@contextlib.contextmanager
def reading(file: Path) -> Iterator[None]:
    """Turns what foreign readers raise on damaged files into a ModelFolderError that names `file`."""
    try:
        yield
    except pickle.UnpicklingError:
        raise ModelFolderError(
            f"{file} holds pickled objects other than tensors, which could run code and are never read; "
            "save its weights as model.safetensors",
            file=str(file),
        ) from None
    except _FOREIGN_ERRORS as error:
        raise ModelFolderError(
            f"{file} cannot be read, it may be damaged or only half copied ({first_line(error)}); copy it again",
            file=str(file),
        ) from error


def read_json(file: Path) -> dict[str, Any]:
    """The mapping in a JSON file.

    Raises:
        ModelFolderError: When the file is missing or holds no JSON mapping.
    """
    if not file.is_file():
        raise missing(file)
    with reading(file):
        values = json.loads(file.read_text(encoding="utf-8"))
    if not isinstance(values, dict):
        raise ModelFolderError(f"{file} does not hold a JSON mapping; copy it again", file=str(file))
    return values


def missing(file: Path, *others: str) -> ModelFolderError:
    """The error for a folder that lacks a file; `others` would have done as well."""
    there = sorted(entry.name for entry in file.parent.iterdir()) if file.parent.is_dir() else []
    instead = f" (or {', '.join(others)})" if others else ""
    listing = f"it holds {', '.join(there[:8])}{' ...' if len(there) > 8 else ''}" if there else "it is empty"  # noqa: PLR2004
    return ModelFolderError(
        f"the model folder {file.parent} has no {file.name}{instead}; {listing}. Copy the folder again.", file=str(file)
    )


def read_tensors(file: Path) -> dict[str, Tensor]:
    """Tensors by name from a .safetensors file, or from a .bin file without unpickling anything but tensors.

    Raises:
        ModelFolderError: When the file is missing, damaged, or holds other objects than tensors.
    """
    import torch
    from safetensors.torch import load_file

    if not file.is_file():
        raise missing(file)
    with reading(file):
        if file.suffix == ".safetensors":
            return load_file(file)
        tensors = torch.load(file, map_location="cpu", weights_only=True)
    if not isinstance(tensors, dict) or not all(isinstance(tensor, Tensor) for tensor in tensors.values()):
        raise ModelFolderError(f"{file} holds something other than named tensors", file=str(file))
    return dict(tensors)


def check_shards(folder: Path) -> None:
    """Refuses a weights index that names files outside of its folder.

    Raises:
        ModelFolderError: Names the index and the file.
    """
    for index in sorted(folder.glob("*.index.json")):
        shards = read_json(index).get("weight_map")
        for shard in shards.values() if isinstance(shards, dict) else ():
            if Path(str(shard)).name != shard:
                raise ModelFolderError(
                    f'{index} names "{shard}", and weights are read from the model folder alone; '
                    "copy the file into it and name it without a path",
                    file=str(index),
                    value=shard,
                )


def check_complete(missing_weights: Sequence[str], file: Path | str) -> None:
    """Refuses a weights file that lacks weights.

    Raises:
        ModelFolderError: Names the file and up to three of them.
    """
    if missing_weights:
        shown = ", ".join(sorted(missing_weights)[:3])
        raise ModelFolderError(
            f"{file} lacks {len(missing_weights)} weights that the configuration asks for ({shown}"
            f"{', ...' if len(missing_weights) > 3 else ''}); it is half copied or belongs to another model",  # noqa: PLR2004
            file=str(file),
        )


def check_sizes(other_sizes: Sequence[str], file: Path | str) -> None:
    """Refuses weights of other sizes than the configuration asks for.

    Raises:
        ModelFolderError: Names the file and up to three of them.
    """
    if other_sizes:
        shown = ", ".join(sorted(other_sizes)[:3])
        raise ModelFolderError(
            f"{file} holds {len(other_sizes)} weights of another size than the configuration asks for ({shown}"
            f"{', ...' if len(other_sizes) > 3 else ''}); it belongs to another model",  # noqa: PLR2004
            file=str(file),
        )
