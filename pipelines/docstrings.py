"""Labelled texts from source code: the first paragraph of every docstring, parsed on Ray, never imported."""

from __future__ import annotations

import ast
import hashlib
import os
import warnings
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pyarrow as pa

from farm_ray import cluster
from farm_ray.errors import DataProblemError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

ROWS_PER_LABEL = 2000
"""Train and dev together."""
DEV_SHARE = 0.12
"""Of the rows of each label; whole source files go to one side."""

_SHORTEST_CHARS = 20
_FILES_PER_ROUND = 160
_SKIPPED_FOLDERS = {"tests", "test", "_vendor", "thirdparty_files", "externals"}
_FILES_PER_TASK = 20
_BLOCKS = ("body", "handlers", "orelse", "finalbody", "cases")
_SCHEMA = pa.schema([("text", pa.string()), ("label", pa.string()), ("file", pa.string())])


class Row(NamedTuple):
    """A text, and the library and file it is from."""

    text: str
    label: str
    file: str


def write_data(folders: Mapping[str, Path], data_dir: Path, *, rows_per_label: int = ROWS_PER_LABEL) -> None:
    """Writes `train.tsv` and `dev.tsv` (text and label, no quoting) from the sources below `folders`.

    The rows depend on the sources alone: files are taken in the order of a hash of their path.

    Args:
        folders: Label and the folder whose docstrings get it.
        data_dir: Made where it is missing; files appear whole or not at all.
        rows_per_label: Rows of each label, train and dev together.

    Raises:
        DataProblemError: When a folder has too few docstrings.
    """
    parse = parse_on_ray if cluster.is_connected() else docstrings
    train, dev = split(collect(folders, rows_per_label=rows_per_label, parse=parse))
    data_dir.mkdir(parents=True, exist_ok=True)
    for name, rows in (("dev.tsv", dev), ("train.tsv", train)):
        aside = data_dir / f".{name}.{os.getpid()}"
        lines = [f"{row.text}\t{row.label}\n" for row in rows]
        aside.write_text("text\tlabel\n" + "".join(lines), encoding="utf-8")
        aside.replace(data_dir / name)


def collect(
    folders: Mapping[str, Path], *, rows_per_label: int, parse: Callable[[pa.Table], pa.Table]
) -> dict[str, list[Row]]:
    """The first `rows_per_label` different texts per label, in the order of the files' hashes.

    A text that two labels have is left out: nobody could say where it belongs.

    Args:
        folders: Label and source folder.
        rows_per_label: Texts wanted of each label.
        parse: From a table (path, label, file) to a table (text, label, file), rows in the files' order.
    """
    waiting = {label: source_files(folder, label) for label, folder in folders.items()}
    found: dict[str, list[Row]] = {label: [] for label in folders}
    while True:
        unique = _unique(found)
        lacking = [label for label in folders if len(unique[label]) < rows_per_label]
        if not lacking:
            return {label: rows[:rows_per_label] for label, rows in unique.items()}
        batch = [file for label in lacking for file in waiting[label][:_FILES_PER_ROUND]]
        if not batch:
            counts = ", ".join(f"{label} {len(unique[label])}" for label in lacking)
            raise DataProblemError(
                f"too few docstrings, {rows_per_label} are needed and there are: {counts}",
                code="too-few-docstrings",
                value=counts,
            )
        for label in lacking:
            del waiting[label][:_FILES_PER_ROUND]
        for row in parse(pa.Table.from_pylist(batch)).to_pylist():
            found[row["label"]].append(Row(**row))


def split(rows: Mapping[str, Sequence[Row]], *, dev_share: float = DEV_SHARE) -> tuple[list[Row], list[Row]]:
    """Train and dev rows: of each label the first whole files go to dev until it has its share."""
    train: list[Row] = []
    dev: list[Row] = []
    for of_label in rows.values():
        wanted, files = dev_share * len(of_label), _Files()
        for row in of_label:
            (dev if files.is_dev(row.file, wanted) else train).append(row)
    return train, dev


def source_files(folder: Path, label: str) -> list[dict[str, str]]:
    """`path`, `label` and `file` (path below the folder) of the Python files, tests left out, in hash order."""
    names = [
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*.py")
        if not _SKIPPED_FOLDERS.intersection(path.relative_to(folder).parts)
    ]
    names.sort(key=lambda name: hashlib.sha256(f"{label}/{name}".encode()).digest())
    return [{"path": str(folder / name), "label": label, "file": f"{label}/{name}"} for name in names]


def parse_on_ray(files: pa.Table) -> pa.Table:
    """`docstrings` as a Ray Data job: the files are read and parsed in tasks, the order stays."""
    import ray

    context = cluster.data_context()
    context.execution_options.preserve_order = True
    parts = [files.slice(start, _FILES_PER_TASK) for start in range(0, files.num_rows, _FILES_PER_TASK)]
    # One process per core: each new one costs a second or two.
    tasks = ray.data.TaskPoolStrategy(size=cluster.cores())
    parsed = ray.data.from_arrow(parts).map_batches(
        docstrings, batch_format="pyarrow", compute=tasks, num_cpus=0.25, udf_modifying_row_count=True
    )
    return pa.concat_tables([_SCHEMA.empty_table(), *ray.get(parsed.to_arrow_refs())])


def docstrings(files: pa.Table) -> pa.Table:
    """The first paragraphs (text, label, file) of the files in a table (path, label, file), in order."""
    rows = [
        {"text": text, "label": file["label"], "file": file["file"]}
        for file in files.to_pylist()
        for text in first_paragraphs(Path(file["path"]))
    ]
    return pa.Table.from_pylist(rows, schema=_SCHEMA)


def first_paragraphs(path: Path) -> list[str]:
    """The first paragraph of each docstring of a Python file, white space squeezed; none where it is no Python."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)
        try:
            tree = ast.parse(path.read_bytes())
        except (SyntaxError, ValueError):
            return []
    texts = (text.split("\n\n")[0] for text in _all_docstrings(tree))
    squeezed = (" ".join(text.split()) for text in texts)
    return [text for text in squeezed if len(text) >= _SHORTEST_CHARS]


def _all_docstrings(tree: ast.Module) -> Iterator[str]:
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            text = ast.get_docstring(node)
            if text:
                yield text
        # Definitions stand in blocks only; leaving out the expressions halves the time.
        inner = [child for block in _BLOCKS for child in getattr(node, block, ())]
        waiting += reversed(inner)


def _unique(found: Mapping[str, list[Row]]) -> dict[str, list[Row]]:
    labels = {label: dict.fromkeys(row.text.casefold() for row in rows) for label, rows in found.items()}
    shared = Counter(text for texts in labels.values() for text in texts)
    unique = {}
    for label, rows in found.items():
        first: dict[str, Row] = {}
        for row in rows:
            first.setdefault(row.text.casefold(), row)
        unique[label] = [row for text, row in first.items() if shared[text] == 1]
    return unique


@dataclass
class _Files:
    """Which files of a label go to dev: the first ones, until their rows reach the share."""

    dev: set[str] = field(default_factory=set)
    train: set[str] = field(default_factory=set)
    dev_rows: int = 0

    def is_dev(self, file: str, wanted: float) -> bool:
        """Decides once per file, at its first row."""
        if file not in self.train and (file in self.dev or self.dev_rows < wanted):
            self.dev.add(file)
            self.dev_rows += 1
            return True
        self.train.add(file)
        return False
