"""Finished parts of a long job, kept beside its output until that is whole: a killed job resumes after them."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import logging
import re
import shutil
import time
import uuid
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, NamedTuple, Self

from farm_ray import storage
from farm_ray.errors import ConfigError, DataProblemError, FarmRayError
from farm_ray.foreign import decoded, parse_json
from farm_ray.storage.scratch import scratch_file
from farm_ray.storage.untrusted import pickled_columns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path
    from types import TracebackType

    import pyarrow as pa
    import pyarrow.parquet as pq

    from farm_ray.plain import PlainDict, PlainMapping

logger = logging.getLogger(__name__)

RESUME = ("auto", "never")
"""Resume after the finished parts, or start from scratch."""

RECIPE = "recipe.json"
_NAME = re.compile(r"part-(\d+\.\d+)-(\d+\.\d+)-([0-9a-f]{12})\.parquet")
_FORMAT = 2
"""Counted up whenever older parts can no longer be read."""

_SECONDS_PER_PART = 1.0
"""A part holds at least the work of so long; less is done again faster than it is looked up."""
_WORK_PER_WRITING = 50
"""Seconds of work for each second that writing takes, so that parts cost some 2 % of the time at most."""
_SHOWN = 60
_COPY_BYTES = 8 << 20


class Cursor(NamedTuple):
    """How far a pass over some splits has come: behind so many rows of a group of splits."""

    split: int
    """Number of the group's first split."""
    rows: int
    """Rows of the group, as they are read."""
    last_file: int
    """Number of the last file that the group reads."""

    @property
    def label(self) -> str:
        """For the name of a part."""
        return f"{self.split}.{self.rows}"


START = Cursor(0, 0, 0)


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What an output is made of. Rows of files in front of the first one that has changed stay good."""

    settings: PlainMapping
    """Everything besides the files that shapes the rows, as JSON knows it."""
    files: Sequence[tuple[str, str]]
    """Name and change stamp of each input file, in order."""
    each_file_alone: bool = True
    """False where rows depend on the other files of the set, too."""

    @functools.cached_property
    def keys(self) -> list[str]:
        """For each file a key of the settings and of all files up to this one."""
        digest = hashlib.sha256(json.dumps([_FORMAT, self.settings], sort_keys=True).encode())
        keys = []
        for file in self.files:
            digest.update(json.dumps(file).encode())
            keys.append(digest.hexdigest()[:12])
        return keys if self.each_file_alone else [digest.hexdigest()[:12]] * len(keys)

    def changes(self, earlier: PlainMapping) -> str:
        """What an earlier recipe had otherwise, for a message; "" for nothing."""
        before = earlier.get("settings", {})
        names = [name for name in {**before, **self.settings} if before.get(name) != self.settings.get(name)]
        told = [f"{name} (was {_shown(before.get(name))}, is {_shown(self.settings.get(name))})" for name in names]
        files = dict(map(tuple, earlier.get("files", ())))
        there = dict(self.files)
        told += [f"{name} (new)" for name in there if name not in files][:1]
        told += [f"{name} (gone)" for name in files if name not in there][:1]
        told += [f"{name} (changed)" for name in there if name in files and files[name] != there[name]][:1]
        return ", ".join(told)


class Parts:
    """The finished rows of one output, in a folder `OUTPUT.parts` beside it.

    A part is a Parquet file with the rows between two cursors over the input; it is atomic, and its name says both and
    a key of what the rows were made of. Use it as a context: when the block ends by an error
    or a signal, what is finished is kept.

    Of two runs that write the same output the one that began later goes on with the parts of both, and the other one
    stops when it would write its next part: rows of both never mix.

    Args:
        output: What is made: a file, or one set of a folder; local or s3://.
        recipe: Makes the recipe; asked for only when there are parts, or the first one is written.
        resume: `auto` or `never`.

    Raises:
        ConfigError: On another `resume`, or a folder that cannot be used.
    """

    def __init__(self, output: str, recipe: Callable[[], Recipe], *, resume: str = "auto") -> None:
        check_resume(resume)
        self.folder = folder_of(output)
        self.cursor = START
        """Behind the rows that are kept."""
        self._output = output
        self._make_recipe = recipe
        self._run = uuid.uuid4().hex
        self._claimed = False
        self._names: list[str] = []
        self._rows: _Rows | None = None
        self._written_up_to = START
        self._began, self._pause = time.monotonic(), _SECONDS_PER_PART
        there = storage.file_names(self.folder)
        if there:
            self._take_over(there, resume)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, _error: BaseException | None, _: TracebackType | None) -> None:
        rows = self._rows
        try:
            if kind is not None and rows is not None and rows.whole and self._seconds() >= _SECONDS_PER_PART:
                with contextlib.suppress(FarmRayError, OSError):
                    self._write_part(rows)
        finally:
            if rows is not None:
                rows.close()
            if not self._claimed and self.local_folder is not None:
                with contextlib.suppress(OSError):
                    self.local_folder.rmdir()

    @property
    def local_folder(self) -> Path | None:
        """The folder on this machine's disk; None on s3://."""
        return storage.local_path(self.folder) if storage.is_local(self.folder) else None

    def tables(self) -> Iterator[pa.Table]:
        """The rows that are kept, in their order, some at a time.

        Raises:
            DataProblemError: When a part is damaged or gone.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        for name in list(self._names):
            uri = storage.join(self.folder, name)
            try:
                with storage.open_binary(uri) as source, pq.ParquetFile(source) as file:
                    if names := pickled_columns(file.schema_arrow):
                        raise DataProblemError(
                            f"{storage.redacted(uri)} is not read: its columns {', '.join(names)} could run code",
                            code="pickled-columns",
                            file=storage.redacted(uri),
                        )
                    for group in range(file.num_row_groups):
                        yield file.read_row_group(group)
            except pa.ArrowException as error:
                raise DataProblemError(
                    f"{storage.redacted(uri)} is damaged ({error}); remove it and run the same command again",
                    code="damaged-part",
                    file=storage.redacted(uri),
                ) from None

    def keep(self, table: pa.Table, cursor: Cursor) -> None:
        """Adds finished rows; writes a part when enough work has gone into those that are not yet in one.

        Args:
            table: Rows that follow those before, all with the same columns.
            cursor: Behind these rows.

        Raises:
            ConfigError: When another run has begun to write the same output, or a part cannot be written.
        """
        if self._rows is None:
            self._rows = _Rows(start=self._written_up_to)
        self._rows.add(table, cursor)
        if self._seconds() >= self._pause:
            self._write_part(self._rows)

    def check(self) -> None:
        """Raises ConfigError when another run has begun to write the same output; call it before publishing that."""
        if self._claimed and _read_recipe(self.folder).get("run") != self._run:
            self._rows = None
            raise ConfigError(
                f"another run writes {storage.redacted(self._output)} and has taken over its finished parts, so this "
                "one stops; give each run an output of its own",
                code="folder-taken-over",
                file=storage.redacted(self._output),
            )

    def remove(self) -> None:
        """Removes the parts; call it when the output is whole."""
        if self._rows is not None:
            self._rows.close()
            self._rows = None
        if self._claimed:
            storage.remove_folder(self.folder)
            self._claimed = False

    @functools.cached_property
    def _recipe(self) -> Recipe:
        return self._make_recipe()

    def _take_over(self, there: Sequence[str], resume: str) -> None:
        """Keeps what fits of the parts that are there, says what does not and why, and removes it."""
        chain = _chain(there, self._recipe.keys) if resume == "auto" else []
        parts = [name for name in there if _NAME.fullmatch(name)]
        changes = self._recipe.changes(_read_recipe(self.folder)) if resume == "auto" else ""
        if changes and len(chain) < len(parts):
            logger.warning(
                "%d of %d finished parts in %s are of no use, for this has changed: %s; their rows are made again",
                len(parts) - len(chain),
                len(parts),
                storage.redacted(self.folder),
                changes,
            )
        self._claim()
        self._names = [name for name, _ in chain]
        self.cursor = self._written_up_to = chain[-1][1] if chain else START
        for name in there:
            if name != RECIPE and name not in self._names:
                storage.remove(storage.join(self.folder, name))

    def _claim(self) -> None:
        """From now on the parts are this run's; another one that has them finds out and stops."""
        told = {"run": self._run, "settings": self._recipe.settings, "files": self._recipe.files}
        with storage.open_output(storage.join(self.folder, RECIPE)) as out:
            out.write(json.dumps(told, indent=1).encode())
        self._claimed = True

    def _write_part(self, rows: _Rows) -> None:
        began = time.monotonic()
        if self._claimed:
            self.check()
        else:
            self._claim()
        name = f"part-{rows.start.label}-{rows.end.label}-{self._recipe.keys[rows.end.last_file]}.parquet"
        with storage.open_output(storage.join(self.folder, name)) as out:
            rows.copy_to(out)
        self._written_up_to, self._rows = rows.end, None
        rows.close()
        self._began = time.monotonic()
        self._pause = max(_SECONDS_PER_PART, _WORK_PER_WRITING * (self._began - began))

    def _seconds(self) -> float:
        return time.monotonic() - self._began


class _Rows:
    """Rows on their way into a part, in a file without a name, which no kill can leave behind."""

    def __init__(self, start: Cursor) -> None:
        self.start = self.end = start
        self.whole = True
        """False while a table is added: a signal may end that half-way."""
        self._file = scratch_file()
        self._writer: pq.ParquetWriter | None = None

    def add(self, table: pa.Table, cursor: Cursor) -> None:
        """Rows that follow, and the place behind them."""
        import pyarrow.parquet as pq

        self.whole = False
        if self._writer is None:
            self._writer = pq.ParquetWriter(self._file, table.schema)
        if table.num_rows:
            self._writer.write_table(table)
        self.end = cursor
        self.whole = True

    def copy_to(self, out: IO[bytes]) -> None:
        """Ends the rows and writes the file they make."""
        if self._writer is not None:
            self._writer.close()
        self._file.seek(0)
        shutil.copyfileobj(self._file, out, _COPY_BYTES)

    def close(self) -> None:
        """Gives the file up."""
        with contextlib.suppress(Exception):  # a writer that was interrupted may not end
            if self._writer is not None:
                self._writer.close()
        self._file.close()


def folder_of(output: str) -> str:
    """Where the parts of an output lie: `OUTPUT.parts`, on s3:// with the options of its address."""
    address, sign, options = output.partition("?") if not storage.is_local(output) else (output, "", "")
    return f"{address.rstrip('/')}.parts{sign}{options}"


def check_resume(resume: str) -> None:
    """Raises ConfigError for anything but `auto` and `never`."""
    if resume not in RESUME:
        raise ConfigError(
            f'resume="{resume}" is not known; give "auto" or "never"',
            code="invalid-value",
            option="resume",
            value=resume,
        )


def _chain(names: Iterable[str], keys: Sequence[str]) -> list[tuple[str, Cursor]]:
    """The parts that follow each other from the start of the input, with the cursors behind them."""
    files = {key: number for number, key in enumerate(keys)}
    parts: dict[tuple[int, ...], list[tuple[tuple[int, ...], int, str]]] = {}
    for name in names:
        found = _NAME.fullmatch(name)
        if found and found[3] in files:
            parts.setdefault(_numbers(found[1]), []).append((_numbers(found[2]), files[found[3]], name))
    chain, at = [], _numbers(START.label)
    while at in parts:
        end, last_file, name = max(parts.pop(at))
        chain.append((name, Cursor(end[0], end[1], last_file)))
        at = end
    return chain


def _numbers(label: str) -> tuple[int, ...]:
    return tuple(map(int, label.split(".")))


def _read_recipe(folder: str) -> PlainDict:
    """The recipe beside the parts; an empty one where there is none that can be read."""
    try:
        with storage.open_binary(storage.join(folder, RECIPE)) as file:
            recipe = parse_json(decoded(file.read()))
    except (DataProblemError, ValueError):
        return {}
    return recipe if isinstance(recipe, dict) else {}


def _shown(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
