"""A run that has ended: the same one, started again, has nothing to do, and another one does not replace its model.

`metrics.json` in the model's folder says what the run was made of. Where its files are untouched (names, sizes, times
of change) they are not read again; else their content decides, once it is known.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from farm_ray import storage
from farm_ray.artifacts import verify_folder
from farm_ray.errors import CheckpointError, FarmRayError
from farm_ray.experiment.result import Result
from farm_ray.foreign import read_json, shown

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from farm_ray.experiment.config import Experiment
    from farm_ray.plain import PlainDict, PlainMapping

METRICS = "metrics.json"
_SETS = ("train", "dev", "test")
_MOST_DIFFERENCES = 3


def inputs_of(experiment: Experiment) -> dict[str, str]:
    """Name and change stamp of every file that the run reads: of its data, and of a pretrained model in a folder.

    Empty where some cannot be looked at.
    """
    processor, model = experiment.processor, experiment.model
    names = [getattr(processor, f"{name}_filename", None) for name in _SETS]
    paths = [storage.join(processor.data_dir, name) for name in names if name]
    try:
        files = [file for path in paths if storage.exists(path) or "*" in path for file in storage.list_files(path)]
        for folder in (model.language_model, getattr(model.from_scratch, "tokenizer_dir", None)):
            if folder is not None and storage.local_path(folder).is_dir():
                files += [storage.join(folder, name) for name in storage.file_names(folder)]
        states = storage.file_states(files)
    except FarmRayError:
        return {}
    return {storage.redacted(file): state.stamp for file, state in zip(files, states, strict=True)}


def result_of_untouched(model_dir: Path, experiment: Experiment) -> Result | None:
    """The result of the run that saved this model, where none of the files it read has changed since; else None."""
    saved = _saved(model_dir)
    inputs = saved.get("inputs")
    return _result(saved, model_dir) if inputs and inputs == inputs_of(experiment) else None


def result_of_same(model_dir: Path, identity: Mapping[str, object]) -> Result | None:
    """The result of the run that saved this model; None where there is none, or it does not say what it was.

    Raises:
        CheckpointError: When it was another run; names what differs.
    """
    saved = _saved(model_dir)
    stored = saved.get("identity")
    if not isinstance(stored, dict):
        return None
    wanted = json.loads(json.dumps(dict(identity)))
    differing = [name for name in wanted if stored.get(name) != wanted[name]]
    if differing:
        told = [
            f"{name} was {shown(stored.get(name))} and is {shown(wanted[name])}"
            for name in differing[:_MOST_DIFFERENCES]
        ]
        more = f" and {len(differing) - _MOST_DIFFERENCES} more" if len(differing) > _MOST_DIFFERENCES else ""
        raise CheckpointError(
            f"{model_dir} is the model of another run: {', '.join(told)}{more}; set them back, use --resume never, or "
            "give another output folder",
            code="model-of-other-run",
            file=str(model_dir),
            differing=differing,
        )
    return _result(saved, model_dir)


def _saved(model_dir: Path) -> PlainDict:
    """What a whole model says of its run; nothing where it is damaged or says nothing."""
    if not (model_dir / METRICS).is_file():
        return {}
    try:
        verify_folder(model_dir)
        return read_json(model_dir / METRICS)
    except FarmRayError:
        return {}


def _result(saved: PlainMapping, model_dir: Path) -> Result | None:
    fields = {name: saved[name] for name in Result.__dataclass_fields__ if name in saved}
    fields |= {"status": "ok", "model_dir": str(model_dir), "finished_before": True}
    try:
        return Result(**fields)
    except TypeError:
        # An older version did not save all of it.
        return None
