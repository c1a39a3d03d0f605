"""One label per word, such as the tags of named entities."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from farm_ray.data_handler import problems
from farm_ray.data_handler.clean_text import clean
from farm_ray.data_handler.columns import one_array
from farm_ray.errors import DataProblemError
from farm_ray.modeling.tokenization.words import split_texts
from farm_ray.tag_schemes import NO_TAGS, OUTSIDE, hyphenated
from farm_ray.tasks.answers import AnswerForm
from farm_ray.tasks.label_list import checked_names
from farm_ray.tasks.label_problems import STAGE, shown_labels
from farm_ray.tasks.labels import NamedLabels, count_ids, value_of
from farm_ray.tasks.learned_labels import LearnedLabels, distinct
from farm_ray.tasks.spec import TaskSpec, TransformersModel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from farm_ray.data_handler.batches import FeatureSet
    from farm_ray.data_handler.data_silo.folds import Strata
    from farm_ray.data_handler.data_silo.pooling import Units
    from farm_ray.data_handler.given_rows import Row
    from farm_ray.data_handler.problems import Problem
    from farm_ray.modeling.prediction_head import PredictionHead
    from farm_ray.plain import PlainDict
    from farm_ray.tasks.answers import RowLogits
    from farm_ray.tasks.labels import Counts
    from farm_ray.tasks.task import Task

_FEWEST = 2
_NO_ENTITIES = frozenset({OUTSIDE, *NO_TAGS})
_HINT = 'give a list such as ["O", "B-PER"] with one for each word'


class TagPerWord(NamedLabels):
    """A tag for each word of a row; a word is what stands between whitespace."""

    of_words = True
    cells = pa.list_(pa.string())
    not_in_data = NO_TAGS

    def arrow_type(self, task: Task) -> pa.DataType:  # noqa: ARG002 - ids, whatever the task
        """An id per word: list<int32>."""
        return pa.list_(pa.int32())

    def label_list(self, name: str, label_list: object) -> list[str]:
        """As `Labels.label_list`: two tags or more."""
        return [] if label_list is None else checked_names(name, label_list, fewest=_FEWEST)

    def learned(self, name: str, task: Task) -> LearnedLabels | None:
        """All tags that occur, sorted, `O` first."""
        return None if task.label_list else _LearnedTags(name, task)

    def cell(self, row: Row, task: Task, row_id: str) -> tuple[list[str | None] | None, Problem | None]:
        """As `Labels.cell`: a list of tags."""
        value = value_of(row, task)
        if value is None:
            return None, None
        value = value.tolist() if hasattr(value, "tolist") else value
        if not isinstance(value, list | tuple):
            told = f'"{task.label_name}" is a {type(value).__name__}, not a list of tags; {_HINT}'
            return None, _no_list(row_id, told, value)
        nested = next((tag for tag in value if isinstance(tag, list | tuple | dict)), None)
        if nested is not None:
            told = f'"{task.label_name}" holds a {type(nested).__name__} as a tag; {_HINT}'
            return None, _no_list(row_id, told, nested)
        return [None if tag is None else clean(str(tag)) for tag in value], None

    def ids(self, task: Task, label: Any) -> list[int]:
        """The place of each tag in the label list."""
        known = self.known(task)
        unknown = next((tag for tag in label if tag not in known), None)
        if unknown is not None:
            raise DataProblemError(
                f'tag "{unknown}" is not in label_list {shown_labels(known)}', code="label-not-in-list", value=unknown
            )
        return [known.index(tag) for tag in label]

    def convert(self, dicts: pa.Table, task: Task) -> tuple[pa.Array, dict[int, Problem]]:
        """As `Labels.convert`; there must be as many tags as words in the text."""
        known = self.known(task)
        given = one_array(dicts.column(task.label_name))
        words = split_texts(pc.fill_null(one_array(dicts.column("text")), ""))
        counts = pc.fill_null(pc.list_value_length(given), 0).to_numpy().astype(np.int64)
        tags = pc.list_flatten(given)
        ids = pc.index_in(tags, value_set=pa.array(known, pa.string()))
        offsets = np.concatenate([[0], np.cumsum(counts)])
        lists = pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), pc.fill_null(ids, 0).cast(pa.int32()))

        missing = given.is_null().to_numpy(zero_copy_only=False)
        uneven = counts != pc.list_value_length(words).to_numpy()
        bad_tags = np.flatnonzero(ids.is_null().to_numpy(zero_copy_only=False))
        row_of_bad, first = np.unique(np.searchsorted(offsets, bad_tags, side="right") - 1, return_index=True)
        first_bad = dict(zip(row_of_bad.tolist(), bad_tags[first].tolist(), strict=True))
        unknown = np.isin(np.arange(len(given)), row_of_bad)
        valid = problems.sound(dicts).to_numpy(zero_copy_only=False)

        found: dict[int, Problem] = {}
        row_ids = dicts.column("id")
        for row in np.flatnonzero((missing | uneven | unknown) & valid).tolist():
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

    def trial(self, label_list: Sequence[object]) -> list[list[Any]]:
        """As `Labels.trial`: rows of one word."""
        return [[label] for label in label_list]

    def counts(self, rows: FeatureSet, task: Task) -> Counts:
        """As `Labels.counts`: all tokens that the loss sees; where pieces inside a word have the label X, these too."""
        return count_ids(rows.values(task.label_tensor_name), len(task.label_list))

    def shared_by_all(self, train: FeatureSet, task: Task) -> tuple[str, str] | None:
        """As `Labels.shared_by_all`."""
        seen = [str(task.label_list[place]) for place in np.flatnonzero(self.counts(train, task))]
        tags = [tag for tag in seen if tag not in NO_TAGS]
        what = f'only the tag "{tags[0]}"' if tags else "no tags"
        return (what, "a tagger needs at least two") if len(tags) < _FEWEST else None

    def strata(self, units: Units, task: Task, *, n_parts: int) -> Strata:  # noqa: ARG002 - there is nothing to bin
        """As `Labels.strata`: a column for each type of entity, 1 where the unit has one."""
        return _entities(task, units)[1].astype(np.int64)

    def units_per_label(self, units: Units, task: Task) -> dict[str, int]:
        """As `Labels.units_per_label`, by type of entity."""
        types, present = _entities(task, units)
        return dict(zip(types, present.sum(axis=0).tolist(), strict=True))


class _LearnedTags(LearnedLabels):
    """The tags of words."""

    def add(self, labels: pa.ChunkedArray, ids: pa.ChunkedArray) -> None:
        """Takes in a column of lists of strings."""
        lists = one_array(labels)
        of_words = one_array(ids).take(pc.list_parent_indices(lists))
        for tag, words, row_id in distinct(pc.list_flatten(lists), of_words):
            self.rows += words
            if tag:
                self.count([tag], words, row_id)

    def fields(self) -> PlainDict:
        """The tags, `O` first."""
        tags = self.checked()
        if len(tags) == 1:
            raise self.refusal(
                f'holds only the tag "{tags[0]}"; a tagger needs at least two', code="single-label", value=tags[0]
            )
        tags = sorted(tags, key=lambda tag: tag != OUTSIDE)
        self.told(tags)
        return {"label_list": tags}


def _entities(task: Task, units: Units) -> tuple[list[str], npt.NDArray[np.bool_]]:
    """The types of entities (PER for B-PER and I-PER), and which of them each unit has, [u, types]."""
    labels = [str(label) for label in task.label_list]
    spelled = hyphenated(labels)
    type_of_label = [_entity_type(spelled[label]) for label in labels]
    types = list(dict.fromkeys(one for one in type_of_label if one is not None))
    # One more column takes all other tags.
    column_of_label = np.array([len(types) if one is None else types.index(one) for one in type_of_label])
    present = np.zeros((len(units), len(types) + 1), np.bool_)
    unit_of_table_row = np.full(units.rows.table.num_rows, -1)
    unit_of_table_row[units.rows.rows] = units.of_row
    start = 0
    for chunk in units.rows.table.column(task.label_tensor_name).chunks:
        tags = pc.list_flatten(chunk).to_numpy(zero_copy_only=False)
        unit = unit_of_table_row[start + pc.list_parent_indices(chunk).to_numpy(zero_copy_only=False)]
        counts = (tags >= 0) & (unit >= 0)
        present[unit[counts], column_of_label[tags[counts]]] = True
        start += len(chunk)
    return types, present[:, :-1]


def _entity_type(label: str) -> str | None:
    if label in _NO_ENTITIES:
        return None
    return label[2:] if label[:2] in {"B-", "I-"} else label


def _no_list(row_id: str, told: str, value: object) -> Problem:
    message = f"{row_id}: {told}"
    return problems.at(row_id, stage="dicts", kind="no list of tags", message=message, value=value)


def _no_tags(row_id: str, task: Task) -> Problem:
    message = f'{row_id}: no tags in "{task.column}"; give a list with one for each word, or remove the row'
    return problems.at(row_id, stage=STAGE, kind="missing tags", message=message)


def _uneven(row_id: str, tags: int, words: list[str]) -> Problem:
    shown = problems.shorten(" ".join(words))
    message = (
        f'{row_id}: {tags} tags for {len(words)} words of "{shown}" (a word is what stands between whitespace); '
        "give one tag for each word"
    )
    return problems.at(row_id, stage=STAGE, kind="wrong number of tags", message=message, value=tags)


def _unknown_tag(row_id: str, tag: str | None, place: int, word: str, task: Task) -> Problem:
    where = f'word {place + 1} "{problems.shorten(word)}"'
    known = task.label_list
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


def _columns(
    head: PredictionHead, answers: RowLogits, texts: Sequence[str], return_class_probs: bool
) -> dict[str, pa.Array]:
    """The column entities: lists of label, start, end, text, probability, and maybe class_probabilities."""
    kind = [
        ("label", pa.string()),
        ("start", pa.int64()),
        ("end", pa.int64()),
        ("text", pa.string()),
        ("probability", pa.float32()),
    ]
    labels = head.labels()
    if return_class_probs:
        kind.append(("class_probabilities", pa.struct([(label, pa.float32()) for label in labels])))
    found = head.format_rows(answers, texts, return_class_probs)["predictions"]
    rows = [[_entity(entity, labels, return_class_probs) for entity in of_text] for of_text in found]
    return {"entities": pa.array(rows, pa.list_(pa.struct(kind)))}


def _entity(entity: PlainDict, labels: Sequence[str], return_class_probs: bool) -> PlainDict:
    """One entity of FARM's JSON as a flat row."""
    probability = entity["probability"]
    flat = {"label": entity["label"], "start": entity["start"], "end": entity["end"], "text": entity["context"]}
    if not return_class_probs:
        return flat | {"probability": probability}
    by_label = dict(zip(labels, probability.tolist(), strict=True))
    return flat | {"probability": probability.max(), "class_probabilities": by_label}


TOKEN_CLASSIFICATION = TaskSpec(
    name="token_classification",
    farm_name="ner",
    processor="NERProcessor",
    head="TokenClassificationHead",
    head_type="token_classification",
    metric="seq_f1",
    labels=TagPerWord(),
    answers=AnswerForm(keys=(), columns=_columns, in_lists=True),
    transformers=TransformersModel(endings=("TokenClassification",)),
)
