"""Stage 1: a file as tables of dicts."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from farm_ray.data_handler.given_rows import RowDict, given_rows
from farm_ray.data_handler.sample_columns import EXTERNAL_ID, ID_KEYS, TEXT_B, as_dict
from farm_ray.errors import ConfigError, DataProblemError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from farm_ray.data_handler.file_to_dicts.splits import Split
    from farm_ray.data_handler.processor.base import Processor
    from farm_ray.tasks.task import Tasks

ROWS_PER_TABLE = 5000

T = TypeVar("T")

_OPTIONS = {"text": "text_column_name", TEXT_B: "text_b_column_name"}
"""What names the column of a file, by the column it becomes; all others are labels."""


def tables_of_dicts(processor: Processor, split: Split) -> Iterator[pa.Table]:
    """The dicts of `processor.file_to_dicts` as tables; rows without an id are named `file:number`, from 1.

    A file without rows gives one empty table.

    Raises:
        ConfigError: Where `file_to_dicts` returns no rows but one dict, a text, None or the like.
    """
    name = split.name or str(split.file).replace("\\", "/").rstrip("/").rpartition("/")[2]
    who = f"the result of {type(processor).__name__}.file_to_dicts"
    made = given_rows(processor.file_to_dicts(split.file), name=who)
    dicts, done = iter(made), 0
    while (chunk := list(itertools.islice(dicts, ROWS_PER_TABLE))) or done == 0:
        names = [f"{name}:{number}" for number in range(done + 1, done + 1 + len(chunk))]
        yield processor.named_dicts_to_table(chunk, names)
        if not chunk:
            return
        done += len(chunk)


def columns_to_read(tasks: Tasks, text_column_name: str, text_b_column_name: str | None = None) -> dict[str, list[str]]:
    """Per column of the file the columns it becomes: the text, the second one of a pair, and the label of each task.

    Raises:
        ConfigError: On a task without a label column, tasks with different text columns, or a pair of one column.
    """
    texts = {task.text_column_name or text_column_name for task in tasks.values()} or {text_column_name}
    if len(texts) > 1:
        names = ", ".join(sorted(texts))
        raise ConfigError(
            f"the tasks name different text columns ({names}); a row has one text: name the same one",
            code="different-text-columns",
            value=names,
        )
    columns: dict[str, list[str]] = {texts.pop(): ["text"]}
    if text_b_column_name in columns:
        raise ConfigError(
            f'the column "{text_b_column_name}" cannot be both texts of a pair; name two columns',
            code="same-column-twice",
            value=text_b_column_name,
        )
    if text_b_column_name is not None:
        columns[text_b_column_name] = [TEXT_B]
    for name, task in tasks.items():
        column = task.label_column_name
        if column is None:
            raise ConfigError(
                f'task "{name}" has no label column; give label_column_name to add_task',
                code="missing-option",
                option="label_column_name",
                task=name,
            )
        columns.setdefault(column, []).append(task.label_name)
    return columns


def read_columns(
    path: str,
    columns: Mapping[str, list[str]],
    *,
    external_ids: bool = False,
    optional: Collection[str] = (),
    lists_in_texts: bool = False,
    **how: Any,
) -> Iterator[pa.Table]:
    """Tables of a file with its columns renamed; a column that several tasks read is there several times.

    Lists and objects are no texts, unless `lists_in_texts`. With `external_ids` there is the column
    `samples.EXTERNAL_ID` too. `optional` columns are null where the file lacks them.
    """
    from farm_ray.data_handler.file_to_dicts import read_rows

    first = {column: names[0] for column, names in columns.items()}
    id_columns = {key: f"{EXTERNAL_ID} {key}" for key in ID_KEYS if external_ids and key not in columns}
    order = ["id", *itertools.chain.from_iterable(columns.values()), "problem"]
    texts = () if lists_in_texts else tuple(_OPTIONS)
    tables = read_rows(path, columns=first | id_columns, optional=(*id_columns, *optional), texts=texts, **how)
    for table in naming_options(tables, first):
        renamed = _with_copies(table, columns).select(order)
        if external_ids:
            renamed = renamed.append_column(EXTERNAL_ID, _first_given(table, list(id_columns.values())))
        yield renamed


def naming_options(tables: Iterator[T], columns: Mapping[str, str]) -> Iterator[T]:
    """The tables (or rows) of a file; the error for columns that are not in it says how to name others.

    Args:
        tables: From a reader.
        columns: Column of the file -> what it becomes.
    """
    try:
        yield from tables
    except DataProblemError as error:
        options = {_OPTIONS.get(columns[name], "label_column_name") for name in error.facts.get("missing_columns", ())}
        if not options:
            raise
        named = " and ".join(f"{option}=NAME" for option in sorted(options, reverse=True))
        raise error.reworded(f"{error}; give {named}") from None


def _first_given(table: pa.Table, names: list[str]) -> pa.ChunkedArray:
    """Per row the first of these columns that is neither null nor empty, string [rows]."""
    given = [pc.if_else(pc.equal(column, ""), None, column) for column in table.select(names).columns]
    return pc.coalesce(*given, pa.scalar(None, pa.string()))


def _with_copies(table: pa.Table, columns: Mapping[str, list[str]]) -> pa.Table:
    for name, *others in columns.values():
        for other in others:
            table = table.append_column(other, table.column(name))
    return table


def rows_as_dicts(tables: Iterable[pa.Table]) -> list[dict[str, object]]:
    """FARM's dicts: the columns of each row without its place, and the texts of a pair as a tuple.

    `problem` and `external_id` are there only where a row has one.
    """
    dicts: list[RowDict] = []
    for table in tables:
        for row in table.drop_columns(["id"]).to_pylist():
            for name in ("problem", EXTERNAL_ID):
                if row.get(name, "") is None:
                    del row[name]
            dicts.append(as_dict(row))
    return dicts
