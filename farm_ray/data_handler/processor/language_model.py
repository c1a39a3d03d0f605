"""Language models that learn from plain text: masked tokens, and whether a text follows another. No ray, no torch."""

from __future__ import annotations

import hashlib
import itertools
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, PositiveInt

from farm_ray import farm_methods
from farm_ray.configuration import strict_arguments
from farm_ray.data_handler import problems
from farm_ray.data_handler.file_to_dicts.documents import DocumentFile, read_documents
from farm_ray.data_handler.file_to_dicts.empty_files import filled_files, tables_of_all
from farm_ray.data_handler.file_to_dicts.encodings import text_encoding
from farm_ray.data_handler.file_to_dicts.objects import read_objects
from farm_ray.data_handler.file_to_dicts.splits import Split, cut
from farm_ray.data_handler.file_to_dicts.survey import line_survey
from farm_ray.data_handler.file_to_dicts.table_file import TableFile
from farm_ray.data_handler.file_to_dicts.tables import row_names
from farm_ray.data_handler.problems import COLUMN, Problem
from farm_ray.data_handler.processor import files, identity
from farm_ray.data_handler.processor.base import Processor
from farm_ray.data_handler.processor.config import PROGRAM, Column, FilesConfig, Share, TaskConfig
from farm_ray.data_handler.processor.document_dicts import document_dicts_table
from farm_ray.data_handler.processor.document_estimate import OBJECT_SUFFIXES, estimated_rows
from farm_ray.data_handler.samples_to_features.masking import COUNT_RULES, CountRule, Masking, check_share, farm_limit
from farm_ray.data_handler.samples_to_features.packing import packed_features
from farm_ray.data_handler.samples_to_features.sentence_pairs import BORROWED, PairStyle, pair_features
from farm_ray.errors import ConfigError, DataProblemError
from farm_ray.modeling.tokenization.backend import check_room, has_backend
from farm_ray.storage import data_suffix, file_name, list_files, size
from farm_ray.storage.addresses import codec
from farm_ray.tasks.classification import CLASSIFICATION
from farm_ray.tasks.language_modelling import LANGUAGE_MODELLING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from farm_ray.data_handler.file_to_dicts.survey import Survey
    from farm_ray.data_handler.given_rows import RowDict
    from farm_ray.data_handler.samples_to_features.padding import Padding
    from farm_ray.modeling.tokenization.protocol import TokenizerLike

_STYLES = ("bert-style", "sentence")
_ROWS_AT_ONCE = 200
_DONATED = 8
"""Documents that a split with a single one borrows: a few are enough to draw from."""
_LINES = ".jsonl"


class BertStyleLMProcessorConfig(FilesConfig):
    """Plain text for a language model, for `BertStyleLMProcessor`."""

    kind: Literal["BertStyleLMProcessor"] = "BertStyleLMProcessor"
    train_filename: str | None = "train.txt"
    dev_filename: str | None = "dev.txt"
    """Dev data; None takes `dev_split` of the training rows, which a stream cannot."""
    test_filename: str | None = "test.txt"
    dev_split: Share = 0.0
    next_sent_pred: bool = True
    """Learn which texts follow each other, too."""
    next_sent_pred_style: PairStyle = "bert-style"
    """`bert-style` fills rows with sentences, `sentence` makes pairs of single ones."""
    max_docs: PositiveInt | None = None
    """Documents read of each file at most; None reads all."""
    masked_lm_prob: Annotated[float, Field(gt=0, lt=1)] = 0.15
    """Share of the tokens that the model has to find."""
    whole_word_masking: bool = True
    """Hide all tokens of a word or none."""
    mask_count_rule: CountRule = "real_tokens"
    """`real_tokens` takes the share of a row's own tokens; `farm` that of `max_seq_len`, however short the row is, and
    20 at most."""
    packing: bool = True
    """Without next sentences: texts of several documents share rows, each seeing only itself."""
    text_column_name: Column = "text"
    """Column of the text in JSON lines and Parquet."""
    encoding: str = "utf-8"
    """Encoding of text files."""

    @property
    def tasks(self) -> tuple[TaskConfig, ...]:
        """None: a language model makes its tasks by itself."""
        return ()


_DEFAULTS = BertStyleLMProcessorConfig()


class BertStyleLMProcessor(Processor):
    """Reads documents for a language model: text files with a sentence a line and blank lines between documents.

    JSON lines and Parquet are read too: a row is a document, its text stands under `text_column_name`, with a sentence
    on each line, or as a list of sentences. The task "lm" is there from the start, with `next_sent_pred` the task
    "nextsentence" too: label 0, "True", where the second text is the next one, 1, "False", where it is a random one.

    No text is lost: ends of documents and short documents make rows, sentences that are longer than a row are cut.
    Features hold the tokens as they are; `masking` says how batches are masked, in each epoch in another way.

    The options are those of `BertStyleLMProcessorConfig` and `ProgramOptions`.

    Args:
        tokenizer: A fast one with a mask token, from `Tokenizer.load`.

    Raises:
        ConfigError: On values that are invalid.
        ValueError: For a slow tokenizer.
    """

    rows_of_whole_tables = True
    methods_never_called = farm_methods.DOCUMENTS
    _epoch = 0

    @strict_arguments
    def __init__(
        self,
        tokenizer: TokenizerLike,
        max_seq_len: int,
        data_dir: str | Path | None,
        train_filename: str | Path | None = _DEFAULTS.train_filename,
        dev_filename: str | Path | None = _DEFAULTS.dev_filename,
        test_filename: str | Path | None = _DEFAULTS.test_filename,
        dev_split: float | None = _DEFAULTS.dev_split,
        next_sent_pred: bool = _DEFAULTS.next_sent_pred,
        next_sent_pred_style: PairStyle = _DEFAULTS.next_sent_pred_style,
        max_docs: int | None = _DEFAULTS.max_docs,
        proxies: dict[str, str] | None = PROGRAM.proxies,
        masked_lm_prob: float = _DEFAULTS.masked_lm_prob,
        *,
        whole_word_masking: bool = _DEFAULTS.whole_word_masking,
        mask_count_rule: CountRule = _DEFAULTS.mask_count_rule,
        packing: bool = _DEFAULTS.packing,
        text_column_name: str = _DEFAULTS.text_column_name,
        encoding: str = _DEFAULTS.encoding,
        seed: int = PROGRAM.seed,
        multithreading_rust: bool = PROGRAM.multithreading_rust,
    ) -> None:
        super().__init__(
            tokenizer=tokenizer,
            max_seq_len=max_seq_len,
            train_filename=train_filename,
            dev_filename=dev_filename,
            test_filename=test_filename,
            dev_split=dev_split,
            data_dir=data_dir,
            proxies=proxies,
            multithreading_rust=multithreading_rust,
        )
        _check_tokenizer(tokenizer)
        check_room(tokenizer, max_seq_len, pairs=bool(next_sent_pred))
        check_share(masked_lm_prob)
        if next_sent_pred_style not in _STYLES:
            known = " or ".join(f'"{style}"' for style in _STYLES)
            raise ConfigError(
                f"next_sent_pred_style must be {known}, not {next_sent_pred_style!r}",
                code="invalid-value",
                option="next_sent_pred_style",
                value=next_sent_pred_style,
            )
        if mask_count_rule not in COUNT_RULES:
            known = " or ".join(f'"{rule}"' for rule in COUNT_RULES)
            raise ConfigError(
                f"mask_count_rule must be {known}, not {mask_count_rule!r}",
                code="invalid-value",
                option="mask_count_rule",
                value=mask_count_rule,
            )
        if max_docs is not None and (isinstance(max_docs, bool) or not isinstance(max_docs, int) or max_docs < 1):
            raise ConfigError(
                f"max_docs must be a number of documents, 1 or more, or None, not {max_docs!r}",
                code="invalid-value",
                option="max_docs",
                value=max_docs,
            )
        self.next_sent_pred = next_sent_pred
        self.next_sent_pred_style = next_sent_pred_style
        self.max_docs = max_docs
        self.masked_lm_prob = masked_lm_prob
        self.whole_word_masking = whole_word_masking
        self.mask_count_rule = mask_count_rule
        self.packing = packing
        self.text_column_name = text_column_name
        self.encoding = encoding
        self.seed = seed
        self.add_task("lm", LANGUAGE_MODELLING.metric, [], task_type=LANGUAGE_MODELLING.name)
        if next_sent_pred:
            self.add_task("nextsentence", CLASSIFICATION.metric, ["True", "False"], task_type=CLASSIFICATION.name)

    def get_added_tokens(self) -> list[str]:
        """The tokens that were added to the tokenizer's own vocabulary, in the order of their ids."""
        added = self.tokenizer.get_added_vocab()
        beyond = [(number, token) for token, number in added.items() if number >= self.tokenizer.vocab_size]
        return [token for _, token in sorted(beyond)]

    def masking(self, seed: int) -> Masking:
        """How batches are masked in a run with this seed."""
        mask_token_id = self.tokenizer.mask_token_id
        assert mask_token_id is not None  # the constructor has looked
        return Masking(
            mask_token_id=mask_token_id,
            vocab_size=len(self.tokenizer),
            special_ids=tuple(sorted(set(self.tokenizer.all_special_ids))),
            masked_lm_prob=self.masked_lm_prob,
            whole_words=self.whole_word_masking,
            count_rule=self.mask_count_rule,
            max_predictions=farm_limit(self.mask_count_rule),
            max_seq_len=self.max_seq_len,
            seed=seed,
        )

    def for_pass(self, seed: int, epoch: int) -> BertStyleLMProcessor:
        """A copy that draws the pairs of this epoch of a run with this seed; the processor itself has no pairs."""
        if not self.next_sent_pred:
            return self
        return identity.changed_copy(self, seed=seed, _epoch=epoch)

    def fingerprint(self) -> str:
        """As `Processor.fingerprint`; another one for each pass."""
        usual = super().fingerprint()
        return usual if self._epoch == 0 else hashlib.sha256(f"{usual} {self._epoch}".encode()).hexdigest()

    def file_to_dicts(self, file: str) -> Iterable[RowDict]:
        """The documents of a file, one after the other: `{"doc": ["First sentence.", "Second sentence."]}`.

        A document that cannot be read has a `problem` too. Ids are in the tables of `read`.

        Raises:
            DataProblemError: When the file is missing, broken or empty.
        """
        return itertools.chain.from_iterable(files.rows_as_dicts([table]) for table in self._read(file))

    def splits(self, path: str, target_bytes: int) -> list[Split]:
        """Splits of `target_bytes`, up to twice that, of text files and JSON lines; other files as a whole.

        Files that cannot be read from the middle are read as a whole (compressed ones, web addresses, Parquet, all
        with `max_docs`), and give tables of about `target_bytes` of text. Looks at sizes only.

        Raises:
            DataProblemError: When there is no such file.
        """
        suffix = data_suffix(path)
        found = [Split(path)]
        if self._reads_files_itself() and self.max_docs is None and (suffix not in OBJECT_SUFFIXES or suffix == _LINES):
            found = cut(path, target_bytes)
        if len(found) > 1 or suffix in OBJECT_SUFFIXES:
            return [replace(split, table_bytes=target_bytes) for split in found]
        return [replace(split, end=self._readable_end(path), table_bytes=target_bytes) for split in found]

    def survey(self, split: Split, *, lines_wanted: bool) -> Survey | None:
        """As `Processor.survey`; documents of text files are named by bytes."""
        return line_survey(split) if lines_wanted and data_suffix(split.file) == _LINES else None

    def read(self, split: Split) -> Iterator[pa.Table]:
        """Stage 1: the documents of a split, named by file and first byte (`train.txt@4096`), or by file and row.

        One table for a byte range, one or more for a whole file.

        Raises:
            DataProblemError: When the file or its column is missing, or it is broken or empty; a compressed file that
                breaks off gives its documents before.
        """
        if not self._reads_files_itself():
            return super().read(split)
        return self._read_one(split, split.name or file_name(split.file))

    def named_dicts_to_table(self, dicts: Sequence[object], default_ids: Sequence[str]) -> pa.Table:
        """As `Processor.named_dicts_to_table`, for dicts such as `{"doc": ["First sentence.", ...]}`."""
        return document_dicts_table(dicts, default_ids)

    def dicts_to_samples(self, dicts: pa.Table) -> pa.Table:
        """Stage 2: documents are ready as they are."""
        return dicts

    def samples_to_features(self, samples: pa.Table) -> pa.Table:
        """Stage 3: rows of tokens, one or more per document; pairs are drawn from the documents of one table."""
        if not self.next_sent_pred:
            return packed_features(
                samples, tokenizer=self.tokenizer, max_seq_len=self.max_seq_len, packing=self.packing
            )
        return pair_features(
            samples,
            tokenizer=self.tokenizer,
            max_seq_len=self.max_seq_len,
            style=self.next_sent_pred_style,
            seed=self.seed,
            epoch=self._epoch,
        )

    def dataset_from_dicts(
        self,
        dicts: Sequence[RowDict],
        indices: Sequence[int] | None = None,
        return_baskets: bool = False,
        debug: bool = False,
    ) -> tuple[object, ...]:
        """As `Processor.dataset_from_dicts`, one row per sequence, masked as in epoch 0 of `seed`.

        Tensors are input_ids, segment_ids, padding_mask, lm_label_ids, nextsentence_label_ids, and position_ids where
        texts share rows; then a row's sample belongs to the basket of its first text. Labels are there in baskets, too.
        """
        from farm_ray.compat.language_model_tensors import dataset_from_documents

        return dataset_from_documents(self, dicts, indices, return_baskets=return_baskets, debug=debug)

    def estimate_n_samples(self, filepath: str | Path, max_docs: int = 500) -> int:
        """About how many rows a file (folder, pattern) gives: those of its first documents, times all documents.

        For pairs of single sentences from text files (with FARM's arithmetic) lines less twice the blank ones.

        Args:
            filepath: What to look into; documents are counted in all of it.
            max_docs: How many documents to make rows of, per file.

        Raises:
            DataProblemError: When the file is missing, broken or empty.
        """
        return sum(estimated_rows(self, address, max_docs) for address in filled_files(list_files(filepath), self.read))

    def padding(self) -> Padding:
        """How batches of this tokenizer are padded."""
        return replace(super().padding(), fills={"word_starts": -1, "text_numbers": -1})

    def document_file(self, address: str, name: str) -> DocumentFile:
        """A text file as this processor reads it."""
        return DocumentFile(uri=address, name=name, encoding=self.encoding, proxies=self.proxies)

    def table_file(self, address: str, name: str) -> TableFile:
        """A file of JSON lines or Parquet as this processor reads it."""
        columns = {self.text_column_name: "doc"}
        return TableFile(
            uri=address,
            name=name,
            columns=columns,
            rows_per_table=_ROWS_AT_ONCE,
            proxies=self.proxies,
            encoding=self.encoding,
        )

    def settle_encoding(self, path: str) -> None:
        """As `Processor.settle_encoding`."""
        if self._reads_files_itself():
            text_encoding(path, self.encoding, self.proxies)

    def _reads_files_itself(self) -> bool:
        """False where a subclass brings a `file_to_dicts` of its own."""
        return type(self).file_to_dicts is BertStyleLMProcessor.file_to_dicts

    def _readable_end(self, path: str) -> int | None:
        """Where a text file ends that may be read as one range; None where it must be read in one go, or is empty."""
        whole = codec(path) or self.max_docs is not None or not self._reads_files_itself()
        return None if whole else size(path) or None

    def _read(self, path: str) -> Iterator[pa.Table]:
        addresses = list_files(path)
        return tables_of_all(
            self._read_one(Split(address), name) for address, name in zip(addresses, row_names(addresses), strict=True)
        )

    def _read_one(self, split: Split, name: str) -> Iterator[pa.Table]:
        tables = self._tables(split, name)
        tables = tables if self.max_docs is None else _first_rows(tables, self.max_docs)
        tables = _of_several_rows(tables) if split.is_whole else tables
        return (self._with_borrowed(table, split, name) for table in tables) if self.next_sent_pred else tables

    def _tables(self, split: Split, name: str) -> Iterator[pa.Table]:
        if data_suffix(split.file) in OBJECT_SUFFIXES:
            return self._read_objects(split, name)
        file = self.document_file(split.file, name)
        return read_documents(file, split.start, split.end, table_bytes=split.table_bytes)

    def _with_borrowed(self, documents: pa.Table, split: Split, name: str) -> pa.Table:
        """A table with one document alone, and documents from elsewhere to draw sentences from, if there are any."""
        if pc.sum(problems.sound(documents)).as_py() != 1:
            return documents
        borrowed = next(self._donated(split, name), None)
        if borrowed is None:
            return documents
        own = documents.append_column(BORROWED, pa.array(np.zeros(documents.num_rows, np.bool_)))
        return pa.concat_tables([own, borrowed.append_column(BORROWED, pa.array(np.ones(borrowed.num_rows, np.bool_)))])

    def _donated(self, split: Split, name: str) -> Iterator[pa.Table]:
        """Valid documents behind a byte range, before it, and in the file that lends to this one."""
        if split.end is not None:
            for start, stop in ((split.end, size(split.file) or split.end), (0, split.start)):
                found = self._first_documents(split, name, start, stop, reach=split.end - split.start)
                if found is not None:
                    yield found
        if split.donor is not None:
            for table in self._tables(Split(split.donor), file_name(split.donor)):
                valid = table.filter(problems.sound(table)).slice(0, _DONATED)
                if valid.num_rows:
                    yield valid

    def _first_documents(self, split: Split, name: str, start: int, stop: int, *, reach: int) -> pa.Table | None:
        """Some valid documents that begin between two bytes; looks at `reach` bytes first, then at twice as many."""
        while start < stop:
            end = min(start + reach, stop)
            for table in self._tables(replace(split, start=start, end=end), name):
                valid = table.filter(problems.sound(table)).slice(0, _DONATED)
                if valid.num_rows:
                    return valid
            start, reach = end, 2 * reach
        return None

    def _read_objects(self, split: Split, name: str) -> Iterator[pa.Table]:
        """Tables of about `table_bytes` of a whole file, one of a byte range."""
        file = self.table_file(split.file, name)
        held: list[pa.Table] = []
        for rows in read_objects(file, split):
            given = [self._document(file, row_id, values) for row_id, values in rows]
            held.append(self.named_dicts_to_table(given, [row_id for row_id, _ in rows]))
            if split.is_whole and sum(table.nbytes for table in held) >= split.table_bytes:
                yield pa.concat_tables(held)
                held = []
        if held or not split.is_whole:
            yield pa.concat_tables(held) if held else self.named_dicts_to_table([], [])

    def _document(self, file: TableFile, row_id: str, values: RowDict | Problem) -> RowDict:
        """A row of JSON lines or Parquet as a document; what is wrong is reported of the column, not of "doc"."""
        if not isinstance(values, Problem):
            doc = values.get("doc")
            if isinstance(doc, str | list):
                return values
            name, (part, _, line) = self.text_column_name, row_id.rpartition(":")
            file, number = replace(file, name=part), int(line)
            if doc is None:
                values = file.problem(number, "missing document", f'has no "{name}"; fill it in, or remove the row')
            else:
                told = f'has "{name}" of type {type(doc).__name__}; give a text, or a list of sentences'
                values = file.problem(number, "not a document", told, doc)
        return {COLUMN: asdict(values)}


def _check_tokenizer(tokenizer: TokenizerLike) -> None:
    kind = type(tokenizer).__name__
    if not has_backend(tokenizer):
        told = "is a slow tokenizer; language models need a fast one: Tokenizer.load(..., use_fast=True)"
        raise ValueError(f"{kind} {told}")
    if tokenizer.mask_token_id is None:
        raise ConfigError(
            f"{kind} has no mask token, which masked language modelling needs; use a model that has one, or "
            'Tokenizer.load(..., mask_token="[MASK]") with n_added_tokens=1 for the model',
            code="no-mask-token",
        )


def _first_rows(tables: Iterable[pa.Table], rows: int) -> Iterator[pa.Table]:
    for table in tables:
        yield table.slice(0, rows)
        rows -= table.num_rows
        if rows <= 0:
            return


def _of_several_rows(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """The same rows in tables of two or more, for no pairs can be made of one document; one row if that is all.

    Where the file breaks off, its rows come before the error; one that may pass comes at once.
    """
    ready: list[pa.Table] = []
    held: list[pa.Table] = []
    broken: DataProblemError | None = None
    try:
        for table in tables:
            held.append(table)
            if sum(one.num_rows for one in held) > 1:
                if ready:
                    yield pa.concat_tables(ready)
                ready, held = held, []
    except DataProblemError as error:
        if error.facts.get("transient"):
            # As it will be read again: these tables would not be those of the whole file.
            raise
        broken = error
    if ready or held:
        yield pa.concat_tables([*ready, *held])
    if broken is not None:
        raise broken
