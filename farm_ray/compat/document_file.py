"""FARM's reader of documents, sentence by sentence, and a text file cut into files of some documents each."""

from __future__ import annotations

import itertools
import logging
from typing import TYPE_CHECKING, Any, BinaryIO

from farm_ray import storage
from farm_ray.configuration import strict_arguments
from farm_ray.data_handler.file_to_dicts.encodings import text_encoding
from farm_ray.data_handler.file_to_dicts.line_ends import LineEnds
from farm_ray.data_handler.file_to_dicts.lines import BadLine, read_blocks
from farm_ray.errors import ConfigError, DataProblemError
from farm_ray.storage import open_binary, open_output, redacted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_PIECE = 1 << 20

logger = logging.getLogger(__name__)


@strict_arguments
def read_docs_from_txt(
    filename: str | Path,
    delimiter: str = "",
    encoding: str = "utf-8",
    max_docs: int | None = None,
    proxies: Mapping[str, str] | None = None,
    disable_tqdm: bool = True,  # noqa: ARG001 - FARM's progress bar
) -> Iterator[dict[str, list[str]]]:
    """`{"doc": [sentence, ...]}` for each document of a file with a sentence on each line, one after the other.

    Args:
        filename: Local path, s3:// or web address; .gz, .bz2 and .zst too.
        delimiter: The line between documents, whitespace around it aside; "" is a blank line. Where there is nothing
            between two of them, that is logged and skipped.
        encoding: Of the file.
        max_docs: Stop after so many documents.
        proxies: Scheme to proxy address, for web addresses.
        disable_tqdm: There is no progress bar.

    Raises:
        DataProblemError: When the file cannot be read, and at the first line that is no text.
        ValueError: At the end of a file with less than two documents.
    """
    return _documents(str(filename), delimiter, encoding, max_docs, proxies)


def _documents(
    uri: str, delimiter: str, encoding: str, max_docs: int | None, proxies: Mapping[str, str] | None
) -> Iterator[dict[str, list[str]]]:
    found = 0
    doc: list[str] = []
    name, written = redacted(uri), text_encoding(uri, encoding, proxies)
    with open_binary(uri, proxies=proxies) as opened:
        lines = ((block.first + place, line) for block in read_blocks(opened, written) for place, line in _enum(block))
        for number, line in itertools.chain(lines, [(0, delimiter)]):
            if isinstance(line, BadLine):
                raise DataProblemError(
                    f"{name}: line {number} {line.reason}", code="unreadable-line", file=name, row=number
                )
            text = line.strip()
            if text != delimiter:
                doc += [text] if text else []
                continue
            if doc:
                yield {"doc": doc}
                found, doc = found + 1, []
                if found == max_docs:
                    return
            elif number:
                logger.warning("%s: nothing before line %d; one blank line between documents is enough", name, number)
    if found < 2:  # noqa: PLR2004 - the next sentence of another document
        raise ValueError(
            f"{name} holds {found} documents, at least 2 are needed: write one sentence per line, and "
            f"{repr(delimiter) if delimiter else 'a blank line'} between documents"
        )


def _enum(block: Any) -> Iterator[tuple[int, str | BadLine]]:
    return enumerate(block.lines)


@strict_arguments
def split_file(
    filepath: str | Path,
    output_dir: str | Path,
    docs_per_file: int = 1000,
    delimiter: str = "",
    encoding: str = "utf-8",
) -> None:
    r"""Writes a file's lines as they are into `part_1`, `part_2`, ... of so many documents each, made in `output_dir`.

    Only a bare `\r`, as old Macs end lines, becomes `\n`. A processor reads all parts with the folder as its
    `train_filename`. Big files need not be split: a `StreamingDataSilo` reads any part of one.

    Args:
        filepath: Local path, s3:// or web address.
        output_dir: Local folder, or s3:// prefix.
        docs_per_file: Documents per part; the last one may have less.
        delimiter: The line between documents; "" is a blank line.
        encoding: Of the file.

    Raises:
        ConfigError: When a part cannot be written, or `docs_per_file` is below 1.
        DataProblemError: When the file cannot be read.
    """
    if docs_per_file < 1:
        raise ConfigError(
            f"docs_per_file must be 1 or more, not {docs_per_file!r}",
            code="invalid-value",
            option="docs_per_file",
            value=docs_per_file,
        )
    with open_binary(filepath) as opened:
        parts = _parts(_lines(opened), docs_per_file, delimiter.encode(encoding))
        for number, first in enumerate(parts, 1):
            with open_output(storage.join(output_dir, f"part_{number}")) as part:
                part.writelines(first)


def _lines(opened: BinaryIO) -> Iterator[bytes]:
    line_ends, held, raw = LineEnds(), b"", b"begin"
    while raw:
        raw = opened.read(_PIECE)
        *whole, held = (held + line_ends(raw, last=not raw)).split(b"\n")
        yield from (line + b"\n" for line in whole)
    if held:
        yield held


def _parts(lines: Iterator[bytes], docs_per_file: int, delimiter: bytes) -> Iterator[Iterator[bytes]]:
    """The lines of each part; a part is to be read to its end before the next."""
    for line in lines:
        yield itertools.chain([line], _rest_of_part(itertools.chain([line], lines), docs_per_file, delimiter))


def _rest_of_part(lines: Iterator[bytes], docs_per_file: int, delimiter: bytes) -> Iterator[bytes]:
    """What follows the first of these lines, up to the end of the last document of the part."""
    documents, is_open = 0, False
    for number, line in enumerate(lines):
        if number:
            yield line
        ends = line.strip() == delimiter
        documents += ends and is_open
        is_open = not ends
        if documents == docs_per_file:
            return
