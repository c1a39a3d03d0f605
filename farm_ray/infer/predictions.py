"""What the heads say about a table of texts, and its forms: FARM's JSON for programs, flat rows for files.

N rows in the table, n of them sound, C labels of a head.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from farm_ray.data_handler import problems
from farm_ray.infer import rows as about_rows
from farm_ray.infer.head_forms import form_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy as np
    import numpy.typing as npt

    from farm_ray.modeling.prediction_head import PredictionHead
    from farm_ray.plain import PlainDict
    from farm_ray.tasks.answers import AnswerForm, RowLogits

_BESIDE_LISTS = {"id": "ids", "clipped": "clipped", problems.COLUMN: "problems"}
"""Where a prediction is a list, what is known about the inputs stands in lists of its own."""


@dataclass(frozen=True, kw_only=True)
class Predictions:
    """One prediction of each head or one problem per row, in the order of the rows."""

    table: pa.Table
    """id, text, for pairs text_b, clipped and problem, [N]."""
    rows: npt.NDArray[np.int64]
    """Positions of the sound rows, [n], ascending."""
    heads: Sequence[PredictionHead]
    logits: Sequence[RowLogits]
    """Per head and sound row [C], of heads on words [words, C]; in the order of `rows`."""

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def to_json(self, *, return_class_probs: bool = False) -> list[PlainDict]:
        """FARM's form: one dict per head with `task`, `task_name` and `predictions`, a list of N elements.

        A prediction is a dict (see `farm_ray.tasks`) with `context` (the text, of a pair `a|b`) and, beyond FARM, `id`,
        `clipped` (the text was cut at max_seq_len) and `problem` (None, or a dict; the answer is then None). A
        prediction for words is a list of such dicts, one per entity, or None beside a problem; `ids`, `clipped` and
        `problems` then stand beside `predictions`, N elements each.
        """
        contexts = about_rows.contexts(self.table)
        elements = []
        for head, answers in zip(self.heads, self.logits, strict=True):
            form = form_of(head)
            predictions = [form.blank(context) for context in contexts]
            formatted = form.element(head, answers, self._sound(contexts), return_class_probs)
            for row, prediction in zip(self.rows.tolist(), formatted["predictions"], strict=True):
                predictions[row] = _plain(prediction)
            elements.append(_with_about(formatted | {"predictions": predictions}, form, self.table))
        return elements

    def to_table(self, *, return_class_probs: bool = False) -> pa.Table:
        """Flat rows, [N]: id, text, for pairs text_b, the columns of each head (`farm_ray.tasks`), clipped, problem.

        With several heads their columns have the prefix `{task_name}_`.
        """
        columns: dict[str, pa.Array] = {}
        contexts = self._sound(about_rows.contexts(self.table))
        for head, answers in zip(self.heads, self.logits, strict=True):
            prefix = "" if len(self.heads) == 1 else f"{head.task_name}_"
            for name, column in form_of(head).columns(head, answers, contexts, return_class_probs).items():
                columns[prefix + name] = about_rows.scattered(column, self.rows, len(self))
        return about_rows.beside_answers(self.table, columns)

    def to_json_table(self, *, return_class_probs: bool = False) -> pa.Table:
        """What `to_json` gives, as a table that can travel, [N]: id, clipped, problem, a column with JSON per head."""
        columns: dict[str, pa.Array] = {name: self.table.column(name) for name in about_rows.ABOUT}
        for number, element in enumerate(self.to_json(return_class_probs=return_class_probs)):
            columns[f"head_{number}"] = pa.array(map(json.dumps, element["predictions"]), pa.string())
        return pa.table(columns)

    def read_json_table(self, table: pa.Table, *, return_class_probs: bool = False) -> list[PlainDict]:
        """What `to_json` gave, from a table of `to_json_table`; these predictions may be those for no rows."""
        elements = self.to_json(return_class_probs=return_class_probs)
        for number, (head, element) in enumerate(zip(self.heads, elements, strict=True)):
            read = list(map(json.loads, table.column(f"head_{number}").to_pylist()))
            elements[number] = _with_about(element | {"predictions": read}, form_of(head), table)
        return elements

    @staticmethod
    def joined(results: Iterable[list[PlainDict]]) -> list[PlainDict]:
        """One dict per head over all chunks."""
        joined: list[PlainDict] = []
        for chunk in results:
            if not joined:
                joined = chunk
                continue
            for whole, part in zip(joined, chunk, strict=True):
                for name, values in part.items():
                    if isinstance(values, list):
                        whole[name] += values
        return joined

    def _sound(self, contexts: Sequence[str | None]) -> list[str]:
        return [contexts[row] or "" for row in self.rows.tolist()]


def problem_ids(table: pa.Table) -> list[str]:
    """Ids of the rows that have a problem instead of an answer."""
    ids: list[str] = table.filter(pc.is_valid(table.column(problems.COLUMN))).column("id").to_pylist()
    return ids


def _with_about(element: PlainDict, form: AnswerForm, table: pa.Table) -> PlainDict:
    """The element with what is known about each input."""
    if form.in_lists:
        return element | {shown: table.column(name).to_pylist() for name, shown in _BESIDE_LISTS.items()}
    about = about_rows.about(table)
    joined = [prediction | more for prediction, more in zip(element["predictions"], about, strict=True)]
    return element | {"predictions": joined}


def _plain(value: object) -> Any:
    """The value with Python's numbers and lists in place of numpy's, which are no JSON."""
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return value.tolist() if hasattr(value, "tolist") else value
