"""Text rows whose words have labels: dicts with a text and a list of tags per task to samples with label ids."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from farm_ray.data_handler import problems
from farm_ray.data_handler.columns import one_array
from farm_ray.data_handler.dicts_to_samples.text import STAGE, assemble, labels_of_rows, mark_empty_texts, with_problems
from farm_ray.data_handler.input_features import shown_labels, unknown_labels
from farm_ray.data_handler.samples import WORD_TASK
from farm_ray.errors import ConfigError
from farm_ray.modeling.tokenization.words import split_texts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from farm_ray.data_handler.problems import Problem


def token_samples(dicts: pa.Table, *, tasks: Mapping[str, Mapping[str, Any]], inference: bool) -> pa.Table:
    """Rows in = rows out, in order; a row that are invalid keeps its place and gets a `problem`.

    Args:
        dicts: Columns id, text, one column by each task's `label_name`, problem: lists of tags, one per word of the
            text, for token tasks; strings for the others.
        tasks: As `Processor.tasks` holds them.
        inference: Leave labels alone: the result has no label columns.

    Returns:
        `samples.text_schema` of the tasks (of no task in inference); tags as list<int32>, one id per word.
    """
    converted = {} if inference else dict(tasks)
    table = mark_empty_texts(dicts)
    labels: dict[str, pa.Array] = {}
    for task in converted.values():
        convert = _tags if task["task_type"] == WORD_TASK else labels_of_rows
        labels[task["label_tensor_name"]], found = convert(table, task)
        table = with_problems(table, found)
    return assemble(table, labels, converted)


def _tags(dicts: pa.Table, task: Mapping[str, Any]) -> tuple[pa.ListArray, dict[int, Problem]]:
    """Label ids of the words, list<int32> [rows], and problems by position."""
    if not task["label_list"]:
        raise ConfigError(unknown_labels(task))
    given = one_array(dicts.column(task["label_name"]))
    words = split_texts(pc.fill_null(one_array(dicts.column("text")), ""))
    counts = pc.fill_null(pc.list_value_length(given), 0).to_numpy().astype(np.int64)
    tags = pc.list_flatten(given)
    ids = pc.index_in(tags, value_set=pa.array(task["label_list"], pa.string()))
    offsets = np.concatenate([[0], np.cumsum(counts)])
    lists = pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), pc.fill_null(ids, 0).cast(pa.int32()))

    missing = given.is_null().to_numpy(zero_copy_only=False)
    uneven = counts != pc.list_value_length(words).to_numpy()
    bad_tags = np.flatnonzero(ids.is_null().to_numpy(zero_copy_only=False))
    row_of_bad, first = np.unique(np.searchsorted(offsets, bad_tags, side="right") - 1, return_index=True)
    first_bad = dict(zip(row_of_bad.tolist(), bad_tags[first].tolist(), strict=True))
    unknown = np.isin(np.arange(len(given)), row_of_bad)
    sound = problems.sound(dicts).to_numpy(zero_copy_only=False)

    found: dict[int, Problem] = {}
    row_ids = dicts.column("id")
    for row in np.flatnonzero((missing | uneven | unknown) & sound).tolist():
        row_id = row_ids[row].as_py()
        if missing[row]:
            found[row] = _no_tags(row_id, task)
        elif uneven[row]:
            found[row] = _uneven(row_id, int(counts[row]), words[row].as_py())
        else:
            tag = first_bad[row]
            place = int(tag - offsets[row])
            found[row] = _unknown_tag(row_id, tags[tag].as_py(), place, words[row][place].as_py(), task)
    return lists, found


def _no_tags(row_id: str, task: Mapping[str, Any]) -> Problem:
    column = task.get("label_column_name") or task["label_name"]
    message = f'{row_id}: no tags in "{column}"; give a list with one for each word, or remove the row'
    return problems.at(row_id, stage=STAGE, kind="missing tags", message=message)


def _uneven(row_id: str, tags: int, words: list[str]) -> Problem:
    shown = problems.shorten(" ".join(words))
    message = (
        f'{row_id}: {tags} tags for {len(words)} words of "{shown}" (a word is what stands between whitespace); '
        "give one tag for each word"
    )
    return problems.at(row_id, stage=STAGE, kind="wrong number of tags", message=message, value=tags)


def _unknown_tag(row_id: str, tag: str | None, place: int, word: str, task: Mapping[str, Any]) -> Problem:
    where = f'word {place + 1} "{problems.shorten(word)}"'
    known = task["label_list"]
    if tag is None:
        message = f"{row_id}: no tag for {where}; fill it in or remove the row"
        return problems.at(row_id, stage=STAGE, kind="missing tag", message=message)
    near = difflib.get_close_matches(tag, known, n=1)
    hint = f' (did you mean "{near[0]}"?)' if near else ""
    message = (
        f'{row_id}: tag "{problems.shorten(tag)}" of {where} is not in label_list {shown_labels(known)}; '
        f"correct the row{hint} or add the tag to label_list"
    )
    return problems.at(row_id, stage=STAGE, kind="unknown tag", message=message, value=tag)
