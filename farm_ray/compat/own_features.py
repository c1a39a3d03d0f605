"""Features that a user's processor makes row by row, through FARM's methods, instead of farm_ray's whole tables.

Every row is made by itself, so that rows can be cut among tasks and a row that fails harms no other.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, Protocol

from farm_ray.compat.given_features import STAGE, given_features
from farm_ray.compat.samples import SampleBasket
from farm_ray.data_handler import problems
from farm_ray.data_handler.dicts_to_samples.text import mark_empty_texts
from farm_ray.data_handler.dicts_to_samples.user_labels import DICTIONARY, rows_of
from farm_ray.data_handler.processor import identity
from farm_ray.data_handler.processor.dicts import external_id, own_dicts_table
from farm_ray.data_handler.sample_columns import EXTERNAL_ID
from farm_ray.errors import ConfigError, DataProblemError
from farm_ray.farm_methods import DATASET, ROW_METHODS
from farm_ray.overrides import call, own_among, refuse_uncalled, report_once

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa

    from farm_ray.data_handler.given_rows import RowDict
    from farm_ray.data_handler.processor.base import Processor

_ARROWS = ("dicts_to_samples", "samples_to_features")
_NO_EFFECT = {
    "_set_label_scaling": "give scaler_mean and scaler_scale, or change the labels in file_to_dicts",
    "_convert_labels": "override convert_labels",
}
"""Other methods that a subclass may have from FARM, and that nothing calls -> what to write instead."""


def made_by(kind: type[Processor]) -> tuple[str, ...]:
    """The methods by which a class makes features of its own; () where it does not."""
    return own_among(kind, (DATASET, *ROW_METHODS))


def check_class(kind: type[Processor]) -> None:
    """Raises ConfigError when a class overrides methods of FARM that would never be called, or cannot be."""
    refuse_uncalled(kind, {**_NO_EFFECT, **kind.methods_never_called})
    own = made_by(kind)
    of_tables = own_among(kind, _ARROWS)
    if own and of_tables:
        raise ConfigError(
            f"{kind.__name__} overrides {own[0]}, for single rows, and {of_tables[0]}, for whole tables; keep one",
            code="conflicting-methods",
            value=[own[0], of_tables[0]],
        )
    for name in own:
        parameters = inspect.signature(getattr(kind, name)).parameters
        all_dicts = parameters.get("all_dicts")
        if all_dicts is not None and all_dicts.default is all_dicts.empty:
            raise ConfigError(
                f"{kind.__name__}.{name} needs all_dicts, but rows are made one by one, wherever they are; "
                "put what a row needs into its dict in file_to_dicts, and write all_dicts=None",
                code="method-needs-all-rows",
                value=name,
            )
        if name == DATASET and not _takes(parameters, "indices"):
            raise ConfigError(
                f"{kind.__name__}.{DATASET} must take (dicts, indices=None, return_baskets=False), "
                f"not ({', '.join(list(parameters)[1:])})",
                code="wrong-signature",
                value=DATASET,
            )


def check_ready(processor: Processor) -> None:
    """Raises ConfigError when a processor that makes its own features cannot; reports once that it is slower."""
    check_class(type(processor))
    set_here = [name for name in (DATASET, *ROW_METHODS, *_NO_EFFECT, "convert_labels") if name in vars(processor)]
    if set_here:
        raise ConfigError(
            f"{set_here[0]} is set on one processor; override it in a subclass of its class instead",
            code="method-of-one-object",
            value=set_here[0],
        )
    own = made_by(type(processor))
    if not own:
        return
    words = [name for name, task in processor.tasks.items() if task.labels.of_words]
    if words:
        raise ConfigError(
            f"{type(processor).__name__}.{own[0]} cannot be used for labels of words (task {words[0]!r}); "
            "subclass NERProcessor and change words and tags in file_to_dicts",
            code="method-not-for-words",
            value=own[0],
            task=words[0],
        )
    report_once(
        f"{type(processor).__name__} makes its features row by row in Python ({', '.join(own)}), which is slower "
        "than farm_ray's own"
    )


def dicts_table(processor: Processor, dicts: Sequence[object], default_ids: Sequence[str]) -> pa.Table:
    """As `Processor.named_dicts_to_table`, with the whole dict of each row, whatever its keys."""
    return own_dicts_table(
        dicts,
        default_ids,
        tasks={} if processor.inference else processor.tasks,
        pairs=processor.text_b_column_name is not None,
    )


def featurize(processor: Processor, dicts: pa.Table, *, through_dataset: bool = True) -> pa.Table:
    """A row of features per feature dict that the processor's methods make, in order; one with a problem for a bad row.

    Args:
        processor: Makes features of its own.
        dicts: Columns id, problem, and the dicts or their columns.
        through_dataset: False leaves out an own `dataset_from_dicts`, for the default one that it may call.
    """
    table = mark_empty_texts(dicts)
    # FARM's methods keep their baskets on the processor.
    scratch = identity.changed_copy(processor, _frozen=False, baskets=[])
    make = _maker(type(processor), through_dataset=through_dataset)
    rows = _rows(table)
    made: list[Sequence[object] | problems.Problem] = []
    for row_id, row, is_sound in zip(
        table.column("id").to_pylist(), rows, problems.sound(table).to_pylist(), strict=True
    ):
        made.append(_made(make, scratch, row_id, row) if is_sound else [])
    return given_features(
        table,
        made,
        tasks={} if processor.inference else processor.tasks,
        max_seq_len=processor.max_seq_len,
        segment_pad=processor.padding().segment_pad,
        one_each=processor.inference,
        maker=type(processor).__name__,
    )


class Maker(Protocol):
    """Makes the features of one row with a processor that is in work."""

    def __call__(self, scratch: Processor, row_id: str, row: RowDict, /) -> list[object]:
        """One element per feature row."""


def _maker(kind: type[Processor], *, through_dataset: bool) -> Maker:
    own = own_among(kind, (DATASET, *ROW_METHODS))
    if DATASET in own and through_dataset:
        return _of_dataset
    return _of_created_dataset if "_create_dataset" in own else _of_samples


def _made(make: Maker, scratch: Processor, row_id: str, row: RowDict) -> Sequence[object] | problems.Problem:
    try:
        return make(scratch, row_id, row)
    except ConfigError:
        raise
    except Exception as error:  # noqa: BLE001 - a user's method may raise anything
        reason = str(error) if isinstance(error, DataProblemError) else f"{type(error).__name__}: {error}"
        where = f"{type(scratch).__name__}.{_method_of(error, type(scratch))}"
        message = f"{row_id}: {where} failed ({problems.shorten(reason)}); correct the row or the method"
        return problems.at(row_id, stage=STAGE, kind="features failed", message=message)


def _of_samples(scratch: Processor, row_id: str, row: RowDict) -> list[object]:
    """The features of one dict by way of its samples."""
    basket = _filled_basket(scratch, row_id, row)
    return [features for sample in basket.samples or [] for features in sample.features or []]


def _of_created_dataset(scratch: Processor, row_id: str, row: RowDict) -> list[object]:
    _filled_basket(scratch, row_id, row)
    return _rows_of(*scratch._create_dataset())  # noqa: SLF001 - FARM's name


def _of_dataset(scratch: Processor, row_id: str, row: RowDict) -> list[object]:
    """The features of one dict by the class's own `dataset_from_dicts`."""
    given: RowDict = {"dicts": [row], "indices": [_number(row_id)]}
    if scratch.inference:
        given["return_baskets"] = True
    result = call(scratch.dataset_from_dicts, **given)
    if not isinstance(result, tuple | list) or len(result) < 2:  # noqa: PLR2004 - data set and names
        raise DataProblemError(
            f"{DATASET} must return (dataset, tensor_names, problematic_ids), not {type(result).__name__}",
            code="wrong-result",
            value=DATASET,
        )
    dataset, names, *rest = result
    if rest and rest[0]:
        raise DataProblemError(f"{DATASET} reports the row as problematic", code="row-reported-bad")
    return _rows_of(dataset, names)


def _filled_basket(scratch: Processor, row_id: str, row: RowDict) -> SampleBasket:
    basket = SampleBasket(id_internal=row_id, raw=row, id_external=external_id(row), samples=None)
    scratch.baskets = [basket]
    scratch._init_and_featurize_samples_in_baskets()  # noqa: SLF001 - FARM's name
    # A subclass may have put other baskets there.
    basket = scratch.baskets[0] if len(scratch.baskets) == 1 else basket
    if not scratch._check_sample_features(basket):  # noqa: SLF001 - FARM's name
        raise DataProblemError("there are no samples, or samples without features", code="no-features")
    return basket


def _rows_of(dataset: Any, names: Any) -> list[object]:
    """One dict of tensors per row of a torch data set."""
    if dataset is None or not len(dataset):
        return []
    rows = [dataset[number] for number in range(len(dataset))]
    if any(len(row) != len(names) for row in rows):
        raise DataProblemError(
            f"the data set has {len(rows[0])} tensors and {len(names)} tensor names", code="wrong-result", value=DATASET
        )
    return [dict(zip(names, row, strict=True)) for row in rows]


def _rows(table: pa.Table) -> list[dict[str, object]]:
    """FARM's dicts: as they were given, or the columns of a file without the row's place."""
    if DICTIONARY in table.column_names:
        return rows_of(table)
    hidden = {"id", EXTERNAL_ID, problems.COLUMN}
    return [{name: value for name, value in row.items() if name not in hidden} for row in rows_of(table)]


def _number(row_id: str) -> int:
    """A number of the row that does not depend on the rows it is made with."""
    end = row_id.rpartition(":")[2]
    return int(end) if end.isdecimal() and end.isascii() else 1


def _takes(parameters: Mapping[str, inspect.Parameter], name: str) -> bool:
    return name in parameters or any(one.kind is one.VAR_KEYWORD for one in parameters.values())


def _method_of(error: Exception, kind: type) -> str:
    """The user's method that an error came through."""
    names, own = [], made_by(kind)
    trace = error.__traceback__
    while trace is not None:
        names.append(trace.tb_frame.f_code.co_name)
        trace = trace.tb_next
    return next((name for name in reversed(names) if name in own), own[0])
