"""The flags that say how data files are written, the same in every job that reads some."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

    from jobs.command_line import Parser

_SETTINGS = ("text_column_name", "text_b_column_name", "label_column_name", "delimiter", "quote_char", "encoding")


def add_data_flags(parser: Parser, *, default: str, labels: bool = True) -> None:
    """--text-column, --text-b-column, --label-column, --delimiter, --quote-char and --encoding.

    Args:
        parser: Of the job.
        default: Whose settings hold without a flag, for example `the model's`.
        labels: False where labels are not read.
    """
    add = parser.add_argument
    add("--text-column", dest="text_column_name", metavar="NAME", help=f"name of the text column (default: {default})")
    add("--text-b-column", dest="text_b_column_name", metavar="NAME", help="as --text-column, second text of a pair")
    if labels:
        add("--label-column", dest="label_column_name", metavar="NAME", help="as --text-column, the labels")
    tab = r"\t"
    add("--delimiter", type=_delimiter, help=f"of TSV and CSV, {tab} is a tab (default: {default})")
    add("--quote-char", help=f'of TSV and CSV; "" switches quoting off (default: {default})')
    add("--encoding", help=f"of text files that are not UTF-8, such as cp1252 (default: {default})")


def data_settings(arguments: argparse.Namespace) -> dict[str, str]:
    """What these flags say, by the names of the processors' settings; those that were not given are left out."""
    found = {name: getattr(arguments, name, None) for name in _SETTINGS}
    return {name: value for name, value in found.items() if value is not None}


def _delimiter(text: str) -> str:
    r"""A tab may be written as `\t`."""
    return text.replace("\\t", "\t")
