"""FARM's reader of files with one token a line: a list of dicts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow.compute as pc

from farm_ray.configuration import strict_arguments
from farm_ray.data_handler import problems
from farm_ray.data_handler.file_to_dicts.conll import read_conll
from farm_ray.data_handler.file_to_dicts.conll_format import conll_format
from farm_ray.data_handler.file_to_dicts.empty_files import tables_of_all
from farm_ray.data_handler.file_to_dicts.table_file import TableFile
from farm_ray.data_handler.file_to_dicts.tables import row_names
from farm_ray.errors import DataProblemError
from farm_ray.storage import list_files

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from farm_ray.data_handler.given_rows import RowDict


@strict_arguments
def read_ner_file(filename: str | Path, sep: str = "\t", proxies: Mapping[str, str] | None = None) -> list[RowDict]:
    """One dict per sentence: `{"text": "Anna lacht", "ner_label": ["B-PER", "O"]}`.

    Token and tag are the first and the last column; what the path of GermEval 2014 and CoNLL 2003 files says is heeded
    (see `conll_format`).

    Args:
        filename: File, folder or pattern.
        sep: One character between columns; " " stands for any number of blanks.
        proxies: Scheme to proxy address, for web addresses.

    Raises:
        DataProblemError: For a file that cannot be read, and for the first line that is no row; names the line.
    """
    sentences: list[dict[str, object]] = []
    addresses = list_files(filename)
    tables = tables_of_all(
        read_conll(
            TableFile(uri=address, name=name, columns={}, proxies=proxies),
            conll_format(address, tag_columns={"ner_label": None}, delimiter=sep),
        )
        for address, name in zip(addresses, row_names(addresses), strict=True)
    )
    for table in tables:
        bad = table.filter(pc.is_valid(table[problems.COLUMN]))
        if bad.num_rows:
            problem = bad[problems.COLUMN][0].as_py()
            raise DataProblemError(
                problem["message"],
                code="unreadable-line",
                kind=problem["kind"],
                file=problem["file"],
                row=problem["line"],
            )
        sentences += table.select(["text", "ner_label"]).to_pylist()
    return sentences
