"""Prediction files: JSONL or Parquet, local or on S3, atomic."""

from __future__ import annotations

import contextlib
import json
import sys
from typing import TYPE_CHECKING, BinaryIO, Protocol

import pyarrow as pa

from farm_ray import storage
from farm_ray.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

FORMATS = (".jsonl", ".jsonl.gz", ".jsonl.bz2", ".jsonl.zst", ".parquet")
"""How the name of a prediction file may end."""

STANDARD_OUTPUT = "-"


class RowWriter(Protocol):
    """Takes tables of one schema, one after the other."""

    def write(self, table: pa.Table) -> None:
        """Adds the table's rows."""

    def close(self) -> None:
        """Ends the rows; the stream below stays open."""


class JsonLines:
    """One JSON object per row: UTF-8, columns in order, missing values as null."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def write(self, table: pa.Table) -> None:
        """Adds the table's rows."""
        lines = [json.dumps(row, ensure_ascii=False) for row in table.to_pylist()]
        if lines:
            self._stream.write(("\n".join(lines) + "\n").encode())

    def close(self) -> None:
        """Nothing is held back."""


class ParquetRows:
    """Row groups in the order of the tables; the file is valid also when no row came."""

    def __init__(self, stream: BinaryIO, schema: pa.Schema) -> None:
        import pyarrow.parquet as pq

        self._schema = schema
        self._writer = pq.ParquetWriter(stream, schema)

    def write(self, table: pa.Table) -> None:
        """Adds the table's rows."""
        if table.num_rows:
            self._writer.write_table(table.cast(self._schema))

    def close(self) -> None:
        """Writes the footer."""
        self._writer.close()


def check_output(output: str, inputs: Sequence[str] = ()) -> None:
    """Raises ConfigError for an unknown suffix, or when the output is one of the inputs."""
    if output == STANDARD_OUTPUT:
        return
    name = storage.redacted(output)
    if not storage.file_name(output).lower().endswith(FORMATS):
        raise ConfigError(
            f"cannot tell the format of {name}; let it end in {', '.join(FORMATS)}", code="unknown-format", file=name
        )
    storage.check_lasting(output)
    local = {storage.local_path(uri).resolve() for uri in inputs if storage.is_local(uri)}
    if output in inputs or (storage.is_local(output) and storage.local_path(output).resolve() in local):
        raise ConfigError(
            f"{name} is the input, too; write the predictions elsewhere", code="output-is-input", file=name
        )


def is_stream(output: str) -> bool:
    """Whether the rows are gone once they are written: standard output, a pipe, a device."""
    path = storage.local_path(output)
    return output == STANDARD_OUTPUT or ("://" not in output and path.exists() and not path.is_file())


@contextlib.contextmanager
def prediction_file(output: str, schema: pa.Schema, *, aside_in: Path | None = None) -> Iterator[RowWriter]:
    """A writer for `output`, a file which appears, or is replaced, in one step when the block ends without an error.

    Args:
        output: The file.
        schema: Of its rows.
        aside_in: As for `storage.open_output`.

    Raises:
        ConfigError: When the place cannot be written; told before the block begins.
    """
    if output == STANDARD_OUTPUT:
        yield JsonLines(sys.stdout.buffer)
        sys.stdout.buffer.flush()
        return
    with storage.open_output(output, aside_in=aside_in) as stream:
        writer = ParquetRows(stream, schema) if storage.data_suffix(output) == ".parquet" else JsonLines(stream)
        try:
            yield writer
        except BaseException:
            # Arrow's writer would write its footer later, into a stream that is gone.
            with contextlib.suppress(OSError, ValueError, pa.ArrowException):
                writer.close()
            raise
        writer.close()
