"""Text rows: dicts with a text and one label per task to samples with label ids."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from farm_ray.data_handler import problems, samples
from farm_ray.data_handler.columns import null_where_not, one_array
from farm_ray.data_handler.input_features import label_ids, shown_labels, unknown_labels
from farm_ray.data_handler.label_cells import Wrong, is_list, places_of, way_out
from farm_ray.data_handler.scaling import read_numbers, scaling_of, why_not
from farm_ray.errors import ConfigError, DataProblemError

if TYPE_CHECKING:
    from farm_ray.data_handler.problems import Problem

STAGE = "dicts_to_samples"
_DIGITS = 5
"""Of numbers that are no place in a label list."""

Task = Mapping[str, Any]


def text_samples(dicts: pa.Table, *, tasks: Mapping[str, Task], inference: bool) -> pa.Table:
    """Rows in = rows out, in order; a row that are invalid keeps its place and gets a `problem`.

    Args:
        dicts: Columns id, text, text_b where rows are pairs, a column of strings named by each task's `label_name`,
            problem.
        tasks: As `Processor.tasks` holds them.
        inference: Leave labels alone: the result has no label columns.

    Returns:
        `samples.text_schema` of the tasks (of no task in inference).
    """
    converted = {} if inference else dict(tasks)
    table = mark_empty_texts(dicts)
    labels: dict[str, pa.Array] = {}
    for task in converted.values():
        labels[task["label_tensor_name"]], found = labels_of_rows(table, task)
        table = with_problems(table, found)
    return assemble(table, labels, converted)


def mark_empty_texts(dicts: pa.Table) -> pa.Table:
    """The table with the problem "empty text" on rows with a text that is null, empty or whitespace only."""
    for name in ("text", samples.TEXT_B):
        if name in dicts.column_names:
            empty = _is_blank(one_array(dicts.column(name)))
            dicts = with_problems(dicts, _tell(dicts, empty, partial(_empty_text, column=name)))
    return dicts


def assemble(table: pa.Table, labels: Mapping[str, pa.Array], tasks: Mapping[str, Task]) -> pa.Table:
    """Samples from checked rows and their label columns; labels beside a problem become null."""
    pairs = samples.TEXT_B in table.column_names
    schema = samples.text_schema(tasks, pairs=pairs)
    sound = problems.sound(table)
    texts = ("text", samples.TEXT_B) if pairs else ("text",)
    columns = {name: table.column(name) for name in ("id", *texts)} | {problems.COLUMN: problems.of(table)}
    for name, values in labels.items():
        columns[name] = null_where_not(values, sound)
    return pa.table([columns[name] for name in schema.names], schema=schema)


def with_problems(table: pa.Table, found: Mapping[int, Problem]) -> pa.Table:
    """The table with these problems, by position, on rows that had none."""
    if not found:
        return table
    later = [found.get(row) for row in range(table.num_rows)]
    merged = problems.first_of_each(problems.of(table), later)
    if problems.COLUMN not in table.column_names:
        return table.append_column(problems.COLUMN, merged)
    return table.set_column(table.column_names.index(problems.COLUMN), problems.COLUMN, merged)


def labels_of_rows(dicts: pa.Table, task: Task) -> tuple[pa.FixedSizeListArray, dict[int, Problem]]:
    """The labels of a task with one label (or a fixed number) per row, and problems by position."""
    given = one_array(dicts.column(task["label_name"]))
    if not task["label_list"] and task["task_type"] not in {"regression", None}:
        raise ConfigError(unknown_labels(task))
    if task["task_type"] == "multilabel_classification":
        return _multi_hot(dicts, given, task)
    if task["task_type"] == "classification":
        return _ids(dicts, given, task)
    if task["task_type"] == "regression":
        return _scaled(dicts, given, task)
    return labels_row_by_row(dicts, task, lambda row: label_ids(task, given[row].as_py()))


def _ids(dicts: pa.Table, given: pa.Array, task: Task) -> tuple[pa.FixedSizeListArray, dict[int, Problem]]:
    ids = pc.index_in(given, value_set=pa.array(task["label_list"], pa.string()))
    missing = pc.fill_null(pc.equal(given, ""), fill_value=True)
    unknown = pc.and_not(pc.is_null(ids), missing)
    # An empty label can be one of the list: then it is not missing.
    missing = pc.and_(missing, pc.is_null(ids))
    found = _tell(dicts, missing, lambda row_id, _: _missing_label(row_id, task))
    found |= _tell(dicts, unknown, lambda row_id, label: _unknown_label(row_id, label, task), given)
    values = pc.cast(pc.fill_null(ids, 0), pa.int64())
    return pa.FixedSizeListArray.from_arrays(values, type=samples.label_type(task)), found


def _multi_hot(dicts: pa.Table, given: pa.Array, task: Task) -> tuple[pa.FixedSizeListArray, dict[int, Problem]]:
    cells = given.dictionary_encode()
    hot = np.zeros((len(cells.dictionary) + 1, len(task["label_list"])), np.int64)
    known = {label: place for place, label in enumerate(task["label_list"])}
    wrong: dict[int, Wrong] = {}
    for number, cell in enumerate(cells.dictionary.to_pylist()):
        places = places_of(cell, known, decided=task.get("multi_hot"))
        if isinstance(places, Wrong):
            wrong[number] = places
        else:
            hot[number, places] = 1
    # The last row stands for null.
    rows = pc.fill_null(cells.indices, len(cells.dictionary)).to_numpy(zero_copy_only=False)
    found = _tell(dicts, pc.is_null(given), lambda row_id, _: _missing_label(row_id, task))
    unfit = pa.array(np.isin(rows, list(wrong)))
    tell = partial(_wrong_cell, wrong=wrong, cells=cells.dictionary, task=task)
    found |= _tell(dicts, unfit, tell, pa.array(rows))
    return pa.FixedSizeListArray.from_arrays(pa.array(hot[rows].ravel()), type=samples.label_type(task)), found


def _wrong_cell(row_id: str, number: int, *, wrong: Mapping[int, Wrong], cells: pa.Array, task: Task) -> Problem:
    kind, value, told = wrong[number]
    if told:
        return problems.at(row_id, stage=STAGE, kind=kind, message=f"{row_id}: {told}", value=value)
    return _unknown_label(row_id, value, task, way_out(cells[number].as_py(), task["label_list"]))


def _scaled(dicts: pa.Table, given: pa.Array, task: Task) -> tuple[pa.FixedSizeListArray, dict[int, Problem]]:
    missing = _is_blank(given)
    with np.errstate(over="ignore"):
        scaled = scaling_of(task).apply(read_numbers(given.to_pylist())).astype(np.float32)
    finite = np.isfinite(scaled)
    found = _tell(dicts, missing, lambda row_id, _: _missing_label(row_id, task))
    unfit = pc.and_not(pa.array(~finite), missing)
    found |= _tell(dicts, unfit, lambda row_id, label: _no_number(row_id, label, task), given)
    values = pa.array(np.where(finite, scaled, np.float32(0)))
    return pa.FixedSizeListArray.from_arrays(values, type=samples.label_type(task)), found


def _is_blank(texts: pa.Array) -> pa.BooleanArray:
    return pc.fill_null(pc.equal(pc.utf8_trim_whitespace(texts), ""), fill_value=True)


def labels_row_by_row(
    dicts: pa.Table, task: Task, convert: Callable[[int], Sequence[Any]]
) -> tuple[pa.FixedSizeListArray, dict[int, Problem]]:
    """Labels from a function of the row's position; what it raises, or a wrong length, is that row's problem."""
    kind = samples.label_type(task)
    empty = [0] * kind.list_size
    found: dict[int, Problem] = {}
    lists: list[Sequence[Any]] = []
    row_ids = one_array(dicts.column("id")).to_pylist()
    for row, is_sound in enumerate(problems.sound(dicts).to_pylist()):
        try:
            values = list(convert(row)) if is_sound else empty
            lists.append(pa.array([values], kind).to_pylist()[0])
        except Exception as error:  # noqa: BLE001 - a user's function may raise anything
            lists.append(empty)
            found[row] = _bad_label(row_ids[row], error, task)
    return pa.array(lists, kind), found


def _tell(
    dicts: pa.Table,
    where: pa.BooleanArray,
    tell: Callable[[str, Any], Problem],
    values: pa.Array | None = None,
) -> dict[int, Problem]:
    """Problems of the rows marked in `where` that had none, by position."""
    marked = pc.and_(where, problems.sound(dicts))
    rows = np.flatnonzero(marked.to_numpy(zero_copy_only=False)).tolist()
    ids = dicts.column("id")
    return {row: tell(ids[row].as_py(), None if values is None else values[row].as_py()) for row in rows}


def _empty_text(row_id: str, _: Any, *, column: str) -> Problem:
    which = "the text" if column == "text" else f"the second text ({column})"
    message = f"{row_id}: {which} is empty; fill it in or remove the row"
    return problems.at(row_id, stage=STAGE, kind="empty text", message=message)


def _missing_label(row_id: str, task: Task) -> Problem:
    message = f'{row_id}: no label in column "{_column(task)}"; fill it in or remove the row'
    return problems.at(row_id, stage=STAGE, kind="missing label", message=message)


def _unknown_label(row_id: str, label: str, task: Task, hint: str | None = None) -> Problem:
    known = task["label_list"]
    message = (
        f'{row_id}: label "{problems.shorten(label)}" is not in label_list {shown_labels(known)}; '
        f"{hint or _hint(label, task)}"
    )
    return problems.at(row_id, stage=STAGE, kind="unknown label", message=message, value=label)


def _hint(label: str, task: Task) -> str:
    known = task["label_list"]
    if task["task_type"] == "classification" and is_list(label):
        return "for rows with several labels give multilabel=True"
    if label.isdecimal() and len(label) < _DIGITS and int(label) < len(known) and not any(map(str.isdecimal, known)):
        return f'labels are looked up by name, not by place: write "{known[int(label)]}" if {label} stands for it'
    alike = [one for one in known if one.strip().casefold() == label.strip().casefold()]
    near = alike or difflib.get_close_matches(label, known, n=1)
    meant = f' (did you mean "{near[0]}"?)' if near else ""
    return f"correct the row{meant} or add the label to label_list"


def _no_number(row_id: str, label: str, task: Task) -> Problem:
    message = f'{row_id}: label "{problems.shorten(label)}" in column "{_column(task)}" {why_not(label)}'
    return problems.at(row_id, stage=STAGE, kind="bad label", message=message, value=label)


def _column(task: Task) -> str:
    return task.get("label_column_name") or task["label_name"]


def _bad_label(row_id: str, error: Exception, task: Task) -> Problem:
    reason = str(error) if isinstance(error, DataProblemError) else f"{type(error).__name__}: {error}"
    message = f"{row_id}: the label in {task['label_name']} cannot be converted ({reason}); correct the row"
    return problems.at(row_id, stage=STAGE, kind="bad label", message=message)
