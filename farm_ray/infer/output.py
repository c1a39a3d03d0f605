"""Prediction files: JSONL or Parquet, local or on S3, whole or not there."""

from __future__ import annotations

import contextlib
import gzip
import json
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Protocol

import pyarrow as pa

from farm_ray.errors import ConfigError

SUFFIXES = (".jsonl", ".jsonl.gz", ".parquet")
"""How the name of a prediction file ends, and so its format."""


class RowWriter(Protocol):
    """Takes tables of one schema, one after the other."""

    def write(self, table: pa.Table) -> None:
        """Adds the table's rows."""

    def close(self) -> None:
        """Ends the file."""


class JsonLines:
    """One JSON object per row: UTF-8, columns in order, missing values as null."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def write(self, table: pa.Table) -> None:
        """Adds the table's rows."""
        self._stream.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in table.to_pylist())

    def close(self) -> None:
        """Ends the file."""
        self._stream.close()


class ParquetRows:
    """Row groups in the order of the tables; the file is valid also when no row came."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        import pyarrow.parquet as pq

        self._writer = pq.ParquetWriter(path, schema)

    def write(self, table: pa.Table) -> None:
        """Adds the table's rows."""
        if table.num_rows:
            self._writer.write_table(table)

    def close(self) -> None:
        """Ends the file."""
        self._writer.close()


class PredictionFile:
    """A file that appears, or is replaced, in one step when the `with` block ends without an error.

    The place is tried when the block begins, before any row is computed. On S3 the file is made in the local
    temporary folder and uploaded at the end.
    """

    def __init__(self, output: str, schema: pa.Schema) -> None:
        folder = Path(tempfile.gettempdir()) if "://" in output else Path(output).absolute().parent
        name = output.rpartition("/")[2]
        self.output = output
        self._schema = schema
        self._aside = folder / f".{name}.writing-{uuid.uuid4().hex[:8]}"

    def __enter__(self) -> PredictionFile:
        with self._storage_errors():
            self._aside.parent.mkdir(parents=True, exist_ok=True)
            self._writer = self._open()
        return self

    def write(self, table: pa.Table) -> None:
        """Adds the table's rows."""
        with self._storage_errors():
            self._writer.write(table.cast(self._schema))

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            with self._storage_errors() if error is None else contextlib.suppress(OSError):
                self._writer.close()
            if error is None:
                with self._storage_errors():
                    self._publish()
        finally:
            self._aside.unlink(missing_ok=True)

    def _open(self) -> RowWriter:
        if self.output.endswith(".parquet"):
            return ParquetRows(self._aside, self._schema)
        if self.output.endswith(".gz"):
            return JsonLines(gzip.open(self._aside, "wt", encoding="utf-8"))
        return JsonLines(self._aside.open("w", encoding="utf-8"))

    def _publish(self) -> None:
        import os

        if "://" in self.output:
            upload(self._aside, self.output)
            return
        with self._aside.open("rb") as stream:
            os.fsync(stream.fileno())
        self._aside.replace(self.output)

    @contextlib.contextmanager
    def _storage_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self._aside.unlink(missing_ok=True)
            message = f"cannot write {self.output}: {error.strerror or error}; nothing was written"
            raise ConfigError(message, file=self.output) from error


def upload(file: Path, uri: str) -> None:
    """Copies a local file to `s3://...` (or another place pyarrow knows); readers see it whole or not at all."""
    import pyarrow.fs as pafs

    filesystem, path = pafs.FileSystem.from_uri(uri)
    pafs.copy_files(str(file), path, source_filesystem=pafs.LocalFileSystem(), destination_filesystem=filesystem)


def check_output(output: Any, inputs: list[str]) -> None:
    """Raises ConfigError for an unknown suffix, or when the output is one of the inputs."""
    if not output.endswith(SUFFIXES):
        raise ConfigError(f"cannot tell the format of {output}; let its name end in {', '.join(SUFFIXES)}", file=output)
    local_inputs = {Path(uri).resolve() for uri in inputs if "://" not in uri}
    if output in inputs or ("://" not in output and Path(output).resolve() in local_inputs):
        raise ConfigError(f"{output} is the input, too; write the predictions elsewhere", file=output)
