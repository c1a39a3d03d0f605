"""Small helpers on Arrow columns that the stages share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from farm_ray.errors import DataProblemError

if TYPE_CHECKING:
    from collections.abc import Sequence


def one_array(column: pa.ChunkedArray) -> pa.Array:
    """A column in one piece."""
    combined = column.combine_chunks()
    return combined if isinstance(combined, pa.Array) else pa.concat_arrays(combined.chunks)


def null_where_not(lists: pa.Array, keep: pa.BooleanArray) -> pa.Array:
    """Lists, null where `keep` is false; of lists of fixed length, values below a null are kept but not seen."""
    if not pa.types.is_fixed_size_list(lists.type):
        return pc.if_else(keep, lists, pa.scalar(None, lists.type))
    size = lists.type.list_size
    values = lists.values.slice(lists.offset * size, len(lists) * size)
    hidden = pc.or_(pc.invert(keep), pc.is_null(lists))
    return pa.FixedSizeListArray.from_arrays(values, type=lists.type, mask=hidden)


def joined(tables: Sequence[pa.Table]) -> pa.Table:
    """Tables of features one below the other; columns that a table without valid rows lacks are null there.

    Raises:
        DataProblemError: When features of one name differ in type or length.
    """
    try:
        return pa.concat_tables(tables, promote_options="default")
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise DataProblemError(
            f"features differ from row to row: {str(error).splitlines()[0]}; pad them alike", code="features-differ"
        ) from None
