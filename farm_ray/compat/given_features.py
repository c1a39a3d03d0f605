"""Feature dicts that a user's method made, one or several per row, as a checked table of features."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from farm_ray.data_handler import feature_schema, problems
from farm_ray.errors import DataProblemError
from farm_ray.overrides import report_once

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from farm_ray.tasks.task import Task, Tasks

STAGE = "samples_to_features"

_TOKENS = ("input_ids", "padding_mask", "segment_ids")
_NAMES_ELSEWHERE = {"attention_mask": "padding_mask", "token_type_ids": "segment_ids"}
"""Names of transformers -> FARM's."""
_LABELS = "_label_ids"
"""The end of the names of labels, those of heads without a task too."""

Values = dict[str, npt.NDArray[Any]]


def given_features(
    dicts: pa.Table,
    made: Sequence[Sequence[object] | problems.Problem],
    *,
    tasks: Tasks,
    max_seq_len: int,
    segment_pad: int,
    one_each: bool,
    maker: str,
) -> pa.Table:
    """A table of features, of lists of fixed length that are padded already.

    Columns: id; where a row may give several also dict_id and window, its number from 0; input_ids, padding_mask,
    segment_ids [max_seq_len]; the tasks' labels; further features by name; n_tokens; clipped, always false; problem.

    Args:
        dicts: Columns id and problem.
        made: Per row of `dicts` its feature dicts, or why there are none.
        tasks: Whose labels must be there; labels of no task are left out where `one_each`.
        max_seq_len: Length that token lists must have.
        segment_pad: Fills `segment_ids` on padding, where none are given.
        one_each: Whether a row must give exactly one dict: in inference.
        maker: The class that made them, for messages.

    Raises:
        DataProblemError: When features of one name differ in shape from row to row.
    """
    ids = dicts.column("id").to_pylist()
    how = {"tasks": tasks, "max_seq_len": max_seq_len, "segment_pad": segment_pad}
    rows: list[tuple[str, str, int, Values | None]] = []
    found: list[dict[str, object] | None] = []
    for row_id, of_row, earlier in zip(ids, made, problems.of(dicts).to_pylist(), strict=True):
        if earlier is not None:
            rows.append((row_id, row_id, 0, None))
            found.append(earlier)
            continue
        checked = _checked_row(row_id, of_row, one_each=one_each, maker=maker, **how)
        if isinstance(checked, problems.Problem):
            rows.append((row_id, row_id, 0, None))
            found.extend(problems.column([checked]).to_pylist())
            continue
        for number, values in enumerate(checked):
            rows.append((row_id if len(checked) == 1 else f"{row_id}-{number}", row_id, number, values))
            found.append(None)
    return _table(rows, found, tasks=tasks, max_seq_len=max_seq_len, one_each=one_each, maker=maker)


def _checked_row(
    row_id: str, of_row: Sequence[object] | problems.Problem, *, one_each: bool, maker: str, **how: Any
) -> list[Values] | problems.Problem:
    if isinstance(of_row, problems.Problem):
        return of_row
    if one_each and len(of_row) > 1:
        return _bad(row_id, f"{maker} makes {len(of_row)} rows of features; inference answers each dict once: split it")
    if not of_row:
        return _bad(row_id, f"{maker} makes no features of it; return at least one dict of features")
    try:
        return [_checked(features, **how) for features in of_row]
    except DataProblemError as error:
        return _bad(row_id, f"{maker}: {error}")


def _bad(row_id: str, message: str) -> problems.Problem:
    return problems.at(row_id, stage=STAGE, kind="bad features", message=f"{row_id}: {message}")


def _checked(features: object, *, tasks: Tasks, max_seq_len: int, segment_pad: int) -> Values:
    """The features of one row as arrays; raises DataProblemError for what no tensor can be made of."""
    if not isinstance(features, dict):
        raise DataProblemError(
            f"features must be a dict of lists or arrays, not {type(features).__name__}",
            code="features-not-a-dict",
            value=type(features).__name__,
        )
    for name in features:
        _check_name(name)
    values = {name: _numbers(name, value) for name, value in features.items()}
    for name in ("input_ids", "padding_mask"):
        if name not in values:
            raise DataProblemError(
                f'the features lack "{name}"; there are {", ".join(sorted(values)) or "none"}',
                code="missing-feature",
                feature=name,
            )
    mask = values["padding_mask"]
    values.setdefault("segment_ids", np.where(mask != 0, 0, segment_pad))
    for name in _TOKENS:
        _check_tokens(name, values[name], max_seq_len)
    if not np.isin(mask, (0, 1)).all() or not mask.any():
        raise DataProblemError(
            '"padding_mask" must hold 1 on real tokens and 0 on padding, and at least one 1',
            code="wrong-mask",
            feature="padding_mask",
        )
    for task in tasks.values():
        column = task.label_tensor_name
        if column not in values:
            raise DataProblemError(f'the features lack the labels "{column}"', code="missing-feature", feature=column)
        values[column] = _checked_labels(values[column], task)
    return values


def _check_name(name: object) -> None:
    if not isinstance(name, str):
        raise DataProblemError(
            f"the name of a feature must be a string, not {name!r}", code="wrong-feature-name", value=name
        )
    if name in _NAMES_ELSEWHERE:
        raise DataProblemError(
            f'there is a feature "{name}"; its name in FARM is "{_NAMES_ELSEWHERE[name]}"',
            code="wrong-feature-name",
            value=name,
        )
    if name in feature_schema.NEVER_GIVEN:
        raise DataProblemError(
            f'the name "{name}" is taken in tables of features; give the feature another name',
            code="wrong-feature-name",
            value=name,
        )


def _numbers(name: str, value: object) -> npt.NDArray[np.generic]:
    try:
        array = np.asarray(value)
    except (ValueError, TypeError, RuntimeError) as error:
        raise DataProblemError(
            f'feature "{name}" is no array: {problems.shorten(error)}', code="feature-not-numbers", feature=name
        ) from None
    if array.dtype.kind not in "iufb":
        raise DataProblemError(
            f'feature "{name}" holds {problems.shorten(value)}; features are numbers',
            code="feature-not-numbers",
            feature=name,
        )
    if array.dtype.kind == "f":
        if not np.isfinite(array).all():
            raise DataProblemError(
                f'feature "{name}" holds a number that is not finite', code="feature-not-numbers", feature=name
            )
        return array.astype(np.float32)
    if array.dtype.kind == "u" and array.size and array.max() > np.iinfo(np.int64).max:
        raise DataProblemError(
            f'feature "{name}" holds {array.max()}, more than 64 bits hold',
            code="feature-not-numbers",
            feature=name,
            value=int(array.max()),
        )
    return array.astype(np.int64)


def _check_tokens(name: str, array: npt.NDArray[np.generic], max_seq_len: int) -> None:
    if array.shape != (max_seq_len,):
        shape = f"{len(array)} values" if array.ndim == 1 else f"the shape {list(array.shape)}"
        raise DataProblemError(
            f'"{name}" has {shape}; pad or cut it to a flat list of max_seq_len={max_seq_len}',
            code="wrong-shape",
            feature=name,
            value=list(array.shape),
        )
    if array.dtype.kind == "f":
        raise DataProblemError(
            f'"{name}" holds fractions; give whole numbers', code="feature-not-numbers", feature=name
        )


def _checked_labels(given: npt.NDArray[np.generic], task: Task) -> npt.NDArray[np.generic]:
    kind = task.label_type()
    size = kind.list_size if pa.types.is_fixed_size_list(kind) else given.size
    if given.size != size or given.ndim > 1:
        raise DataProblemError(
            f'the labels "{task.label_tensor_name}" have the shape {list(given.shape)}; give a list of {size}',
            code="wrong-shape",
            feature=task.label_tensor_name,
            value=list(given.shape),
        )
    return task.labels.given(given.reshape(-1), task)


def _table(
    rows: Sequence[tuple[str, str, int, Values | None]],
    found: Sequence[Mapping[str, object] | None],
    *,
    tasks: Tasks,
    max_seq_len: int,
    one_each: bool,
    maker: str,
) -> pa.Table:
    columns: dict[str, pa.Array] = {"id": pa.array([row[0] for row in rows], pa.string())}
    if not one_each:
        columns["dict_id"] = pa.array([row[1] for row in rows], pa.string())
        columns["window"] = pa.array([row[2] for row in rows], pa.int32())
    places = np.array([place for place, row in enumerate(rows) if row[3] is not None], np.int64)
    sound = [values for _, _, _, values in rows if values is not None]
    usual = dict.fromkeys(_TOKENS, pa.list_(pa.int64(), max_seq_len))
    usual |= {task.label_tensor_name: task.label_type() for task in tasks.values()}
    extras = sorted({name for values in sound for name in values} - set(usual))
    for name in [*usual, *extras]:
        if any(name not in values for values in sound):
            raise DataProblemError(
                f'{maker} makes "{name}" for some rows only; give all rows the same features',
                code="features-differ",
                feature=name,
            )
        arrays = [values[name] for values in sound]
        columns[name] = _column(name, arrays, places, len(rows), kind=usual.get(name), maker=maker)
    strange = [name for name in extras if not feature_schema.is_known(name) and not name.endswith(_LABELS)]
    if strange:
        report_once(f"{maker} makes the features {', '.join(strange)}, which only models and heads of your own read")
    lengths = np.zeros(len(rows), np.int32)
    lengths[places] = [int(values["padding_mask"].sum()) for values in sound]
    columns |= {"n_tokens": pa.array(lengths), "clipped": pa.array(np.zeros(len(rows), np.bool_))}
    columns[problems.COLUMN] = pa.array(found, problems.PROBLEM)
    of_tasks = {task.label_tensor_name for task in tasks.values()}
    fields = [_field(name, column.type, of_tasks) for name, column in columns.items()]
    return pa.table(list(columns.values()), schema=pa.schema(fields))


def _field(name: str, kind: pa.DataType, of_tasks: set[str]) -> pa.Field:
    """A column's field, which says what the column is where its name does not."""
    field = pa.field(name, kind)
    if name in of_tasks or name.endswith(_LABELS):
        return feature_schema.labels(field)
    return field if feature_schema.is_known(name) else feature_schema.own(field)


def _column(
    name: str,
    arrays: Sequence[npt.NDArray[np.generic]],
    places: npt.NDArray[np.int64],
    rows: int,
    *,
    kind: pa.DataType | None,
    maker: str,
) -> pa.Array:
    """Arrays of one shape as lists of fixed length, null on all other rows, [rows]."""
    shapes = sorted({array.shape for array in arrays})
    if len(shapes) > 1:
        shown = " and ".join(str(list(shape)) for shape in shapes[:2])
        raise DataProblemError(
            f'{maker} makes "{name}" of the shapes {shown}; pad it to one shape', code="features-differ", feature=name
        )
    shape = shapes[0] if shapes else (kind.list_size if kind is not None else 0,)
    whole = (
        all(array.dtype.kind == "i" for array in arrays) if kind is None else not pa.types.is_floating(kind.value_type)
    )
    filled = np.zeros((rows, *shape), np.int64 if whole else np.float32)
    if arrays:
        filled[places] = np.stack(arrays)
    missing = np.ones(rows, np.bool_)
    missing[places] = False
    values = pa.array(filled.reshape(-1))
    for size in reversed(shape[1:]):
        values = pa.FixedSizeListArray.from_arrays(values, size)
    if not shape:
        return pc.if_else(pa.array(missing), pa.scalar(None, values.type), values)
    mask = pa.array(missing)
    return pa.FixedSizeListArray.from_arrays(values, shape[0], mask=mask)
