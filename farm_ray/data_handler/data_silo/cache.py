"""The feature cache: Parquet per input file under a key of everything that shapes the features."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from farm_ray import storage
from farm_ray.artifacts import publish_folder, verify_folder
from farm_ray.data_handler.feature_schema import is_complete
from farm_ray.errors import ConfigError, FarmRayError
from farm_ray.storage.untrusted import pickled_columns

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from farm_ray.data_handler.processor import Processor

_FEATURES, _RECIPE = "features.parquet", "recipe.json"


def cached_features(processor: Processor, file: str, folder: Path, make: Callable[[], pa.Table]) -> pa.Table:
    """The features of one file: read if they were made before from the same bytes by the same processor, else made.

    A damaged entry is made again, and so is one that holds pickled objects or comes from a version whose features had
    no schema. `recipe.json` beside the features says
    what the key was made of.

    Raises:
        ConfigError: When `folder` is an address.
    """
    if ":/" in str(folder):
        shown = str(folder).replace(":/", "://", 1)
        raise ConfigError(
            f"the cache must be on a disk that this machine sees, not {shown}; give another cache_path",
            code="folder-not-local",
            file=shown,
        )
    recipe = _recipe(processor, file)
    place = folder / hashlib.sha256(json.dumps(recipe, sort_keys=True).encode()).hexdigest()[:32]
    stored = _read(place)
    if stored is not None:
        return stored
    features = make()
    publish_folder(place, lambda aside: _write(aside, features, recipe))
    return features


def _recipe(processor: Processor, file: str) -> dict[str, object]:
    return {
        "file": storage.file_name(file),
        "file_contents": storage.file_stamp(file),
        "processor": type(processor).__name__,
        "processor_fingerprint": processor.fingerprint(),
    }


def _write(folder: Path, features: pa.Table, recipe: Mapping[str, object]) -> None:
    pq.write_table(features, folder / _FEATURES, compression="zstd")
    (folder / _RECIPE).write_text(json.dumps(recipe, indent=1), encoding="utf-8")


def _read(place: Path) -> pa.Table | None:
    if not (place / _FEATURES).is_file():
        return None
    try:
        verify_folder(place, full=True)
    except FarmRayError:
        return None
    schema = pq.read_schema(place / _FEATURES)
    if pickled_columns(schema) or not is_complete(schema):
        return None
    return pq.read_table(place / _FEATURES)
