"""The data half of a run alone: features as Parquet, for inspection, or to be made on one machine for many."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING

from farm_ray import claims, cluster, storage
from farm_ray.configuration import to_saved
from farm_ray.data_handler.data_silo.base import SETS
from farm_ray.errors import ConfigError, DataProblemError, FarmRayError
from farm_ray.experiment.assemble import (
    check_experiment,
    make_processor,
    make_silo_in_memory,
    prepare_data,
    refuse_stream,
)

if TYPE_CHECKING:
    import pyarrow as pa

    from farm_ray.data_handler.batches import FeatureSet
    from farm_ray.data_handler.data_silo import DataSilo
    from farm_ray.data_handler.processor import Processor
    from farm_ray.experiment.config import Experiment
    from farm_ray.plain import PlainDict
    from farm_ray.progress import Progress


RECIPE = "recipe.json"


def preprocess_experiment(
    experiment: Experiment,
    *,
    output_dir: str,
    in_process: bool = False,
    address: str | None = None,
    progress: Progress | None = None,
    resume: str = "auto",
) -> PlainDict:
    """Writes `train.parquet`, `dev.parquet`, `test.parquet` (those there are) and `recipe.json` to `output_dir`.

    Each file appears whole or not at all; the recipe comes last, so a folder with a recipe is complete. Files that an
    earlier call wrote there stay until the features are made; then they go, the recipe first.

    When the call is killed, the features that are made stay in `output_dir`, in folders `SET.parquet.parts`, and the
    same call resumes after them. Of those whose file or settings have changed since, a warning says that they are
    made again. The folders go when all is written.

    Args:
        experiment: Its processor and data parts are used.
        output_dir: A folder or an s3:// prefix.
        in_process: Work without Ray.
        address: As for `farm_ray.cluster.connect`.
        progress: Called with (stage, done, total or None, note).
        resume: `auto`, or `never` to start from scratch.

    Returns:
        `rows` per set, `rows_resumed` (of features that an earlier call had made), `problems` by kind, `output_dir` and
        `fingerprint`.

    Raises:
        ConfigError: On settings that are invalid, an output that cannot be written or that a living run writes,
            or input files that the output would replace.
        DataProblemError: On data that cannot be used.
    """
    check_experiment(experiment)
    refuse_stream(experiment, "stored features")
    _check_output(output_dir)
    with claims.claimed(output_dir, hint="give another --output-dir") as claim:
        return _preprocess(
            experiment,
            output_dir,
            claim,
            in_process=in_process,
            address=address,
            progress=progress,
            resume=resume,
        )


def _preprocess(
    experiment: Experiment,
    output_dir: str,
    claim: claims.Claim,
    *,
    in_process: bool,
    address: str | None,
    progress: Progress | None,
    resume: str,
) -> PlainDict:
    from farm_ray.data_handler.data_silo.partial_features import PartialFeatures
    from farm_ray.modeling.tokenization import Tokenizer

    tokenizer = Tokenizer.load(str(experiment.model.language_model), revision=experiment.model.revision)
    processor = make_processor(experiment.processor, tokenizer, seed=experiment.seed)
    if not in_process:
        cluster.connect(address)
    prepare_data(experiment)
    _refuse_own_inputs(processor, output_dir)
    parts = PartialFeatures(output_dir, resume=resume)
    silo = make_silo_in_memory(
        experiment, processor, in_process=in_process, problems_dir=None, progress=progress, parts=parts
    )
    parts.check()
    claim.check()
    _remove_outputs(output_dir)
    with contextlib.ExitStack() as failed:
        # The parts stay, so the same call has little to do.
        failed.callback(_remove_outputs, output_dir)
        recipe = _write(experiment, silo, output_dir, progress)
        failed.pop_all()
    parts.remove()
    told = {key: recipe[key] for key in ("rows", "problems", "fingerprint")}
    return told | {"rows_resumed": parts.rows_resumed, "output_dir": output_dir}


def _write(experiment: Experiment, silo: DataSilo, output_dir: str, progress: Progress | None) -> PlainDict:
    """Writes the sets, and then the recipe, which is returned."""
    rows = {name: _write_set(silo, name, output_dir, progress) for name in silo.data}
    recipe = {
        "experiment": to_saved(experiment),
        "fingerprint": silo.processor.fingerprint(),
        "label_lists": {name: list(task.label_list) for name, task in silo.processor.tasks.items()},
        "rows": {name: count for name, count in rows.items() if count is not None},
        "problems": silo.problem_counts(),
    }
    with storage.open_output(storage.join(output_dir, RECIPE)) as out:
        out.write(json.dumps(recipe, indent=2).encode())
    return recipe


def _remove_outputs(output_dir: str) -> None:
    for place in _places(output_dir):
        storage.remove(place)


def _places(output_dir: str) -> list[str]:
    """All files that may be written, the recipe first."""
    return [storage.join(output_dir, name) for name in (RECIPE, *(_features_file(name) for name in SETS))]


def _features_file(set_name: str) -> str:
    return f"{set_name}.parquet"


def _check_output(output_dir: str) -> None:
    try:
        storage.check_folder(output_dir)
    except FarmRayError as error:
        raise error.reworded(f"{error}; give another --output-dir") from None


def _refuse_own_inputs(processor: Processor, output_dir: str) -> None:
    from farm_ray.data_handler.data_silo.input_files import input_files

    written = {_resolved(place) for place in _places(output_dir)}
    for file in (file for files in input_files(processor, SETS).values() for file in files):
        if _resolved(file) in written:
            raise ConfigError(
                f"{storage.redacted(file)} is an input and would be replaced; give another --output-dir",
                code="output-is-input",
                file=storage.redacted(file),
            )


def _resolved(uri: str) -> str:
    return str(storage.local_path(uri).resolve()) if storage.is_local(uri) else uri


def _write_set(silo: DataSilo, name: str, output_dir: str, progress: Progress | None) -> int | None:
    import pyarrow.parquet as pq

    features = silo.data[name]
    if features is None:
        return None
    if progress is not None:
        progress(f"write {name} rows", 0, len(features), "")
    with storage.open_output(storage.join(output_dir, _features_file(name))) as out:
        pq.write_table(_usable(features), out, compression="zstd")
    if progress is not None:
        progress(f"write {name} rows", len(features), len(features), "")
    return len(features)


def _usable(features: FeatureSet) -> pa.Table:
    import pyarrow as pa

    if len(features) == 0:
        raise DataProblemError("a set has no usable row", code="no-usable-rows")
    return features.table.take(pa.array(features.rows)).drop_columns(["problem"])
