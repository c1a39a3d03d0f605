"""Where a model is: a local folder or the Hugging Face hub; and what can be wrong with it, told in one line."""

from __future__ import annotations

import contextlib
import os
import pickle
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from torch import Tensor

from farm_ray import foreign, storage
from farm_ray.errors import ModelFolderError
from farm_ray.foreign import is_folder, refuse_links, text_problem, told

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from farm_ray.plain import PlainDict

WEIGHT_FILES = (
    "model.safetensors",
    "model.safetensors.index.json",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
)


def find_folder(name_or_path: str | Path) -> Path | None:
    """The local folder that is meant, or None for a name on the hub.

    Raises:
        ModelFolderError: When the text can only be a path and there is no such folder (the hub is not asked then), or
            a link in the folder leads out of it.
    """
    if not str(name_or_path).strip():
        raise ModelFolderError("the model name is empty; give a model folder or a name on the hub", code="empty-name")
    path = storage.local_path(name_or_path)
    if problem := text_problem(str(path)):
        raise ModelFolderError(
            f"{problem}; give a model folder or a name on the hub", code="invalid-model-name", value=name_or_path
        )
    if is_folder(path):
        refuse_links(path)
        return path
    if os.path.exists(path):  # noqa: PTH110 - Path's own fails for names that are too long
        raise ModelFolderError(
            f"{path} is a file; give the model folder it is in", code="model-folder-is-file", file=str(path)
        )
    if isinstance(name_or_path, Path) or _looks_like_path(str(name_or_path)):
        raise ModelFolderError(
            f"there is no model folder {path}; check the path", code="no-model-folder", file=str(path)
        )
    return None


def _looks_like_path(name: str) -> bool:
    if name.startswith((".", "/", "~")) or name.endswith("/") or "\\" in name or name.count("/") > 1:
        return True
    parent, slash, _ = name.partition("/")
    return bool(slash) and Path(parent).is_dir()


@contextlib.contextmanager
def reading(file: Path) -> Iterator[None]:
    """Turns what foreign readers raise on damaged files into a ModelFolderError that names `file`."""

    def tell(why: str) -> ModelFolderError:
        return ModelFolderError(
            f"{file} cannot be read, it may be damaged or only half copied ({why}); copy it again",
            code="cannot-read-model",
            file=str(file),
        )

    with told(tell):
        try:
            yield
        except pickle.UnpicklingError:
            raise ModelFolderError(
                f"{file} holds pickled objects other than tensors, which could run code and are never read; "
                "save its weights as model.safetensors",
                code="pickled-objects",
                file=str(file),
            ) from None


def read_json(file: Path) -> PlainDict:
    """The mapping in a JSON file.

    Raises:
        ModelFolderError: When the file is missing or holds no JSON mapping.
    """
    if not file.is_file():
        raise missing(file)
    return foreign.read_json(file, hint="it may be damaged or only half copied; copy it again")


def missing(file: Path, *others: str) -> ModelFolderError:
    """The error for a folder that lacks a file; `others` would have done as well."""
    there = sorted(entry.name for entry in file.parent.iterdir()) if file.parent.is_dir() else []
    instead = f" (or {', '.join(others)})" if others else ""
    listing = f"it holds {', '.join(there[:8])}{' ...' if len(there) > 8 else ''}" if there else "it is empty"  # noqa: PLR2004
    return ModelFolderError(
        f"the model folder {file.parent} has no {file.name}{instead}; {listing}. Copy the folder again.",
        code="missing-model-file",
        file=str(file),
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
        _refuse_compressed(file)
        tensors = torch.load(file, map_location="cpu", weights_only=True)
    if not isinstance(tensors, dict) or not all(isinstance(tensor, Tensor) for tensor in tensors.values()):
        raise ModelFolderError(
            f"{file} holds something other than named tensors", code="not-named-tensors", file=str(file)
        )
    return dict(tensors)


def _refuse_compressed(file: Path) -> None:
    """PyTorch keeps tensors as they are; what a compressed archive holds has no bounds.

    Raises:
        ValueError: When the tensors take more bytes than the file.
    """
    if not zipfile.is_zipfile(file):
        return
    with zipfile.ZipFile(file) as archive:
        if sum(entry.file_size for entry in archive.infolist()) > file.stat().st_size:
            raise ValueError("its tensors are compressed")


def weights_bytes(folder: Path) -> int:
    """Bytes of all files with weights in a model folder."""
    return sum(file.stat().st_size for suffix in ("safetensors", "bin") for file in folder.glob(f"*.{suffix}"))


def check_shards(folder: Path) -> None:
    """Refuses a weights index that names files outside of its folder, and archives that hold more than they weigh.

    Raises:
        ModelFolderError: Names the index and the file.
    """
    for archive in sorted(folder.glob("*.bin")):
        with reading(archive):
            _refuse_compressed(archive)
    for index in sorted(folder.glob("*.index.json")):
        shards = read_json(index).get("weight_map")
        for shard in shards.values() if isinstance(shards, dict) else ():
            if Path(str(shard)).name != shard:
                raise ModelFolderError(
                    f'{index} names "{shard}", and weights are read from the model folder alone; '
                    "copy the file into it and name it without a path",
                    code="file-out-of-folder",
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
            code="missing-weights",
            value=len(missing_weights),
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
            code="weights-of-other-size",
            value=len(other_sizes),
            file=str(file),
        )
