"""A tokenizer from a corpus of documents: read as for a language model, learnt here, written whole or not at all."""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from farm_ray import claims, cluster, storage
from farm_ray.artifacts import publish_folder
from farm_ray.data_handler import problems
from farm_ray.data_handler.data_silo.executor import READ_CPUS, ReadTask, chain_on_ray, run_here
from farm_ray.data_handler.file_to_dicts.documents import DocumentFile, read_documents
from farm_ray.data_handler.file_to_dicts.empty_files import filled_files
from farm_ray.data_handler.file_to_dicts.encodings import check_encoding, text_encoding
from farm_ray.data_handler.file_to_dicts.objects import read_objects
from farm_ray.data_handler.file_to_dicts.splits import Split, cut
from farm_ray.data_handler.file_to_dicts.table_file import TableFile
from farm_ray.data_handler.problems import Problem
from farm_ray.data_handler.processor.document_dicts import document_dicts_table
from farm_ray.data_handler.processor.document_estimate import OBJECT_SUFFIXES
from farm_ray.errors import ConfigError, DataProblemError
from farm_ray.modeling.tokenization.training import DEFAULTS, KINDS, TokenizerKind, train_tokenizer
from farm_ray.storage.patience import patient

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from farm_ray.data_handler.data_silo.executor import Marked
    from farm_ray.plain import PlainDict
    from farm_ray.progress import Progress


logger = logging.getLogger(__name__)

SPLIT_BYTES = 8 << 20
"""Of a text file, read by one task."""
LARGE_BYTES = 64 << 20
"""Corpora from this size on are read by Ray tasks: below that Ray's start takes longer."""

_ROWS_AT_ONCE = 200
_OWN_FILES = {"added_tokens.json", "checksums.json", "merges.txt", "special_tokens_map.json", "tokenizer.json"}
_OWN_FILES |= {"tokenizer_config.json", "vocab.json", "vocab.txt", claims.FILE}


def train_tokenizer_on(
    path: str | Path,
    output_dir: str | Path,
    *,
    kind: TokenizerKind = DEFAULTS.kind,
    vocab_size: int = DEFAULTS.vocab_size,
    lowercase: bool = DEFAULTS.lowercase,
    text_column_name: str = "text",
    encoding: str = "utf-8",
    max_bytes: int | None = DEFAULTS.max_bytes,
    in_process: bool = False,
    address: str | None = None,
    progress: Progress | None = None,
) -> PlainDict:
    """Learns a tokenizer from the documents of files and writes its folder, which transformers opens too.

    The same files give the same tokenizer, however they are read. Documents with a problem are left out and counted.

    Args:
        path: File, folder, pattern or address: text with a sentence on each line and blank lines between documents,
            JSON lines, Parquet.
        output_dir: A local folder; an earlier tokenizer there is replaced.
        kind: As in `TokenizerTrainingConfig`.
        vocab_size: As in `TokenizerTrainingConfig`.
        lowercase: As in `TokenizerTrainingConfig`.
        text_column_name: Column of the text in JSON lines and Parquet.
        encoding: Of text files.
        max_bytes: As in `TokenizerTrainingConfig`.
        in_process: Read in this process, without Ray; small corpora are read so anyway.
        address: As for `farm_ray.cluster.connect`.
        progress: Called with (stage, done, total or None, note).

    Returns:
        `kind`, `vocab_size`, `documents`, `bytes` (of text), `problems` by kind, `output_dir`.

    Raises:
        ConfigError: On settings that are invalid, or a place that cannot be written.
        DataProblemError: When the files cannot be read, or hold no text.
    """
    check_encoding(encoding)
    if kind not in KINDS:
        raise ConfigError(
            f'kind must be one of {", ".join(KINDS)}, not "{kind}"', code="invalid-value", option="kind", value=kind
        )
    if max_bytes is not None and max_bytes < 1:
        raise ConfigError(
            f"max_bytes must be 1 or more, not {max_bytes}",
            code="invalid-value",
            option="max_bytes",
            value=max_bytes,
        )
    folder = _checked_output(output_dir)
    with claims.claimed(folder, hint="give another folder") as claim:
        return _train_tokenizer(
            path,
            folder,
            claim,
            reader=_Reader(text_column_name, encoding),
            max_bytes=max_bytes,
            in_process=in_process,
            address=address,
            progress=progress,
            kind=kind,
            vocab_size=vocab_size,
            lowercase=lowercase,
        )


def _train_tokenizer(
    path: str | Path,
    folder: Path,
    claim: claims.Claim,
    *,
    reader: _Reader,
    max_bytes: int | None,
    in_process: bool,
    address: str | None,
    progress: Progress | None,
    **how: Any,
) -> PlainDict:
    files = filled_files(storage.list_files(path), reader.read)
    sizes = {file: storage.size(file) for file in files}
    splits = _chosen([split for file in files for split in reader.splits(file)], max_bytes)
    is_large = sum(size or 0 for size in sizes.values()) >= LARGE_BYTES and len(splits) > 1
    tasks = [ReadTask(split.file, partial(_marked, reader, number, split)) for number, split in enumerate(splits)]
    if is_large and not in_process:
        for file in files:
            text_encoding(file, reader.encoding)
        cluster.connect(address)
        made = chain_on_ray(tasks, at_once=cluster.all_cores(), cpus=READ_CPUS)
    else:
        made = run_here(tasks)
    tables = (table for _, table in made)
    seen = _Seen(max_bytes=max_bytes, progress=progress)
    try:
        tokenizer = train_tokenizer(seen.texts(tables), **how)
    except DataProblemError as error:
        if seen.documents:
            raise
        # What is wrong with all documents is what is wrong with the first one.
        told = seen.first_problem or f"{storage.redacted(str(path))}: {error}"
        raise DataProblemError(told, code="no-text", file=storage.redacted(str(path))) from None
    if seen.problems:
        logger.warning("%d documents were left out; the first: %s", sum(seen.problems.values()), seen.first_problem)
    claim.check()
    _refuse_others(folder)
    publish_folder(folder, lambda aside: tokenizer.save_pretrained(str(aside)))
    return {
        "kind": how["kind"],
        "vocab_size": len(tokenizer),
        "documents": seen.documents,
        "bytes": seen.bytes,
        "problems": seen.problems,
        "output_dir": str(folder),
    }


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads documents as `BertStyleLMProcessor` does, which needs a tokenizer to be made."""

    text_column_name: str
    encoding: str

    def splits(self, file: str) -> list[Split]:
        """As `Processor.splits`: text files are cut anywhere."""
        return [Split(file)] if storage.data_suffix(file) in OBJECT_SUFFIXES else cut(file, SPLIT_BYTES)

    def read(self, split: Split) -> Iterator[pa.Table]:
        """The documents of a split: columns doc and problem."""
        return (table.select(["doc", problems.COLUMN]) for table in patient(lambda: self._tables(split)))

    def _tables(self, split: Split) -> Iterator[pa.Table]:
        name = storage.file_name(split.file)
        if storage.data_suffix(split.file) not in OBJECT_SUFFIXES:
            file = DocumentFile(uri=split.file, name=name, encoding=self.encoding)
            yield from read_documents(file, split.start, split.end, table_bytes=split.table_bytes)
            return
        table = TableFile(
            uri=split.file,
            name=name,
            columns={self.text_column_name: "doc"},
            rows_per_table=_ROWS_AT_ONCE,
            encoding=self.encoding,
        )
        for rows in read_objects(table):
            given = [{problems.COLUMN: asdict(row)} if isinstance(row, Problem) else row for _, row in rows]
            yield document_dicts_table(given, [row_id for row_id, _ in rows])


@dataclass(slots=True)
class _Seen:
    """What has been learnt from."""

    max_bytes: int | None
    progress: Progress | None
    documents: int = 0
    bytes: int = 0
    problems: dict[str, int] = field(default_factory=dict)
    first_problem: str = ""

    def texts(self, tables: Iterable[pa.Table]) -> Iterator[list[str]]:
        """The sentences of each table's sound documents, up to `max_bytes`."""
        for table in tables:
            sound = table.filter(problems.sound(table))
            sentences = pc.list_flatten(sound.column("doc"))
            self._count(table, sound.num_rows, pc.sum(pc.binary_length(sentences)).as_py() or 0)
            yield sentences.to_pylist()
            if self.max_bytes is not None and self.bytes >= self.max_bytes:
                return

    def _count(self, table: pa.Table, documents: int, size: int) -> None:
        self.documents, self.bytes = self.documents + documents, self.bytes + size
        if documents < table.num_rows:
            for problem in problems.of(table).drop_null().to_pylist():
                self.problems[problem["kind"]] = self.problems.get(problem["kind"], 0) + 1
                self.first_problem = self.first_problem or problem["message"]
        if self.progress is not None:
            self.progress("read documents", self.documents, None, f"{self.bytes >> 20:,} MB")


def _marked(reader: _Reader, number: int, split: Split) -> Marked:
    return (((number,), table) for table in reader.read(split))


def _chosen(splits: Sequence[Split], max_bytes: int | None) -> list[Split]:
    """Splits that lie evenly over the corpus and hold `max_bytes` or a little more; all where that is not known."""
    lengths = [split.end - split.start for split in splits if split.end is not None]
    if max_bytes is None or len(lengths) < len(splits) or sum(lengths) <= max_bytes:
        return list(splits)
    number = min(len(splits), 1 + max_bytes * len(splits) // sum(lengths))
    return [splits[place] for place in np.unique(np.linspace(0, len(splits) - 1, number).astype(int))]


def _checked_output(output_dir: str | Path) -> Path:
    """The folder, which is there with an earlier tokenizer, or can be made.

    Raises:
        ConfigError: When it holds something else, or cannot be written.
    """
    if not storage.is_local(str(output_dir)):
        shown = storage.redacted(str(output_dir))
        raise ConfigError(
            f"{shown}: a tokenizer is written to a local folder; give another folder",
            code="folder-not-local",
            file=shown,
        )
    storage.check_lasting(output_dir, hint="give an absolute path")
    folder = storage.local_path(output_dir)
    _refuse_others(folder)
    try:
        storage.check_folder(folder)
    except ConfigError as error:
        raise error.reworded(f"{error}; give another folder") from None
    return folder


def _refuse_others(folder: Path) -> None:
    """Raises ConfigError where the folder, which is replaced as a whole, holds something else than a tokenizer."""
    if folder.is_dir() and (others := sorted({path.name for path in folder.iterdir()} - _OWN_FILES)):
        raise ConfigError(
            f"{folder} holds {others[0]}, which would be replaced; give another folder",
            code="folder-of-others",
            value=others[0],
            file=str(folder),
        )
