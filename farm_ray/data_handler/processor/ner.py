"""Named entities and other labels of words: one tag per word of a text. Imports neither ray nor torch."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, ClassVar, Literal

import pyarrow as pa
from pydantic import NonNegativeInt

from farm_ray import farm_methods
from farm_ray.configuration import strict_arguments
from farm_ray.data_handler.dicts_to_samples.text import text_samples
from farm_ray.data_handler.file_to_dicts.conll import read_conll
from farm_ray.data_handler.file_to_dicts.conll_format import ConllFormat, conll_format
from farm_ray.data_handler.file_to_dicts.empty_files import tables_of_all
from farm_ray.data_handler.file_to_dicts.encodings import text_encoding
from farm_ray.data_handler.file_to_dicts.objects import read_objects
from farm_ray.data_handler.file_to_dicts.splits import BLANK_LINE, LINE, Split, cut
from farm_ray.data_handler.file_to_dicts.survey import line_survey
from farm_ray.data_handler.file_to_dicts.table_file import TableFile
from farm_ray.data_handler.file_to_dicts.tables import row_names
from farm_ray.data_handler.problems import COLUMN, Problem
from farm_ray.data_handler.processor import files, identity
from farm_ray.data_handler.processor.base import Processor
from farm_ray.data_handler.processor.config import PROGRAM, Column, DelimitedConfig, Labels, Metrics, Share
from farm_ray.data_handler.processor.dicts import external_id
from farm_ray.data_handler.processor.word_dicts import word_dicts_table
from farm_ray.data_handler.sample_columns import EXTERNAL_ID, ID_KEYS
from farm_ray.data_handler.samples_to_features.token import IGNORED, token_features, words_of_windows
from farm_ray.errors import ConfigError
from farm_ray.modeling.tokenization.words import split_with_metadata
from farm_ray.storage import data_suffix, file_name, list_files
from farm_ray.tag_schemes import OUTSIDE
from farm_ray.tasks.spec import TaskSpec
from farm_ray.tasks.token_classification import TOKEN_CLASSIFICATION

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from farm_ray.data_handler.file_to_dicts.survey import Survey
    from farm_ray.data_handler.given_rows import RowDict
    from farm_ray.data_handler.samples_to_features.padding import Padding
    from farm_ray.evaluation.metric import Metric
    from farm_ray.modeling.tokenization.protocol import TokenizerLike
    from farm_ray.tasks.task import Task

_OBJECT_SUFFIXES = (".json", ".jsonl", ".parquet")


class NERProcessorConfig(DelimitedConfig):
    """Words with a tag each, for `NERProcessor`."""

    specs: ClassVar[tuple[TaskSpec, ...]] = (TOKEN_CLASSIFICATION,)
    keeps_own_task: ClassVar[bool] = True

    kind: Literal["NERProcessor"] = "NERProcessor"
    label_list: Labels | None = None
    """Tags; a tag's position is its id. None takes those of the training data, "O" first. With "X" among them, FARM's
    scheme, special tokens and the later tokens of a word are learned as "X"; without it they are not learned."""
    metric: Metrics = (TOKEN_CLASSIFICATION.metric,)
    """seq_f1, acc, or registered ones."""
    train_filename: str | None = "train.txt"
    dev_filename: str | None = "dev.txt"
    test_filename: str | None = "test.txt"
    dev_split: Share = 0.0
    token_column: NonNegativeInt | None = None
    """Column of the tokens, from 0; None is the first one (in GermEval 2014 the second)."""
    tag_column: int | None = None
    """Column of the tags, from 0, -1 for the last; None is the last one (in GermEval 2014 the one before). A further
    task on words names its column by number as its `label_column_name`."""
    encoding: str | None = None
    """Encoding of files with one token a line; None is utf-8 (of the German CoNLL 2003 cp1252)."""
    germeval14: bool | None = None
    """Columns as in GermEval 2014, and B-LOCderiv and B-LOCpart are read as B-LOC; None: where the file's path holds
    "germeval14"."""
    iob1: bool | None = None
    """I- tags that begin an entity are read as B- tags; None: where the file's path holds "conll03"."""
    text_column_name: Column = "text"
    """Column of the text in JSON lines and Parquet."""
    label_column_name: Column | None = None
    """Column of the tags there; None is `ner_label`."""
    window_overlap: NonNegativeInt | None = None
    """Tokens that neighbouring windows of a long text share; None takes a quarter of a window."""


_DEFAULTS = NERProcessorConfig()


class NERProcessor(Processor):
    """Reads words with tags: files with one token a line (CoNLL, GermEval), JSON lines and Parquet.

    With `metric` the task "ner" is added. `add_task` adds further labels of words, or (with
    `task_type="classification"` and the like) of whole texts, which JSON lines and Parquet can hold.

    Texts of any length are read: a text that does not fit is cut at word borders into windows which overlap, and every
    word gets its tag in one of them. A word is what stands between whitespace.

    In JSON lines and Parquet a row has its text (a string, or the list of its words) under `text_column_name`, and a
    list with one tag per word under `label_column_name`.

    A text stays whole in the dev split. `delimiter=" "` stands for any number of blanks. The options are those of
    `NERProcessorConfig` and `ProgramOptions`.

    Args:
        tokenizer: From `Tokenizer.load`.
        metric: Name of a metric, a function `(preds, labels)`, or a list of both.
        non_initial_token: The label that stands for "X".

    Raises:
        ConfigError: On values that are invalid.
    """

    usual_task_type = TOKEN_CLASSIFICATION.name
    methods_never_called = farm_methods.WORDS

    @strict_arguments
    def __init__(
        self,
        tokenizer: TokenizerLike,
        max_seq_len: int,
        data_dir: str | Path | None,
        label_list: Sequence[str] | None = _DEFAULTS.label_list,
        metric: Metric | None = None,
        train_filename: str | Path | None = _DEFAULTS.train_filename,
        dev_filename: str | Path | None = _DEFAULTS.dev_filename,
        test_filename: str | Path | None = _DEFAULTS.test_filename,
        dev_split: float | None = _DEFAULTS.dev_split,
        delimiter: str = _DEFAULTS.delimiter,
        proxies: dict[str, str] | None = PROGRAM.proxies,
        *,
        multithreading_rust: bool = PROGRAM.multithreading_rust,
        token_column: int | None = _DEFAULTS.token_column,
        tag_column: int | None = _DEFAULTS.tag_column,
        encoding: str | None = _DEFAULTS.encoding,
        germeval14: bool | None = _DEFAULTS.germeval14,
        iob1: bool | None = _DEFAULTS.iob1,
        text_column_name: str = _DEFAULTS.text_column_name,
        label_column_name: str | None = _DEFAULTS.label_column_name,
        non_initial_token: str = "X",  # noqa: S107 - no password
        window_overlap: int | None = _DEFAULTS.window_overlap,
        max_text_chars: int = PROGRAM.max_text_chars,
        inference: bool = PROGRAM.inference,
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
        if window_overlap is not None and not 0 <= window_overlap < max_seq_len:
            raise ConfigError(
                f"window_overlap must be a number from 0 to below max_seq_len, not {window_overlap!r}",
                code="invalid-value",
                option="window_overlap",
                value=window_overlap,
            )
        if self._converts_labels_itself():
            raise ConfigError(
                "NERProcessor has no convert_labels; change the tags in file_to_dicts",
                code="method-never-called",
                value="convert_labels",
            )
        self.delimiter = delimiter
        self.token_column = token_column
        self.tag_column = tag_column
        self.encoding = encoding
        self.germeval14 = germeval14
        self.iob1 = iob1
        self.text_column_name = text_column_name
        self.label_column_name = label_column_name
        self.non_initial_token = non_initial_token
        self.window_overlap = window_overlap
        self.max_text_chars = max_text_chars
        self.inference = inference
        if metric is not None:
            self.add_task(TOKEN_CLASSIFICATION.own_task_name, metric, label_list, label_column_name)
        self._format("")

    @classmethod
    def for_checkpoint(
        cls,
        spec: TaskSpec,
        labels: list[str],
        *,
        tokenizer: TokenizerLike,
        max_seq_len: int,
    ) -> Processor:
        """As `Processor.for_checkpoint`; without O, as parts of speech have none, there are no entities to count."""
        return cls(
            tokenizer=tokenizer,
            max_seq_len=max_seq_len,
            data_dir="data",
            label_list=labels,
            metric=spec.metric if OUTSIDE in labels else "acc",
        )

    def file_to_dicts(self, file: str) -> list[RowDict]:
        """The rows of a file: `{"text": "Anna lacht", "ner_label": ["B-PER", "O"]}`.

        A row that cannot be read has a `problem` too. Ids are in the tables of `read`.

        Raises:
            DataProblemError: When the file or a column is missing.
        """
        return files.rows_as_dicts(self._read(file))

    def splits(self, path: str, target_bytes: int) -> list[Split]:
        """As `Processor.splits`; files with one token a line are cut behind blank lines."""
        if not self._reads_files_itself() or data_suffix(path) == ".json":
            return [Split(path)]
        return cut(path, target_bytes)

    def survey(self, split: Split, *, lines_wanted: bool) -> Survey | None:
        """As `Processor.survey`."""
        suffix = data_suffix(split.file)
        if not lines_wanted or suffix == ".parquet":
            return None
        return line_survey(split, LINE if suffix in _OBJECT_SUFFIXES else BLANK_LINE)

    def read(self, split: Split) -> Iterator[pa.Table]:
        """Stage 1: the rows of a split, named by file and line of their first token (`train.txt:7`).

        Raises:
            DataProblemError: When the file or a column is missing.
        """
        return self._read_split(split) if self._reads_files_itself() else super().read(split)

    def settle_encoding(self, path: str) -> None:
        """As `Processor.settle_encoding`."""
        if self._reads_files_itself():
            in_objects = data_suffix(path) in _OBJECT_SUFFIXES
            text_encoding(path, (self.encoding or "utf-8") if in_objects else self._format(path).encoding)

    def named_dicts_to_table(self, dicts: Sequence[object], default_ids: Sequence[str]) -> pa.Table:
        """As `Processor.named_dicts_to_table`; `text` may be a list of words, tags are lists."""
        return word_dicts_table(dicts, default_ids, tasks=self._tasks_to_read(), max_text_chars=self.max_text_chars)

    def dicts_to_samples(self, dicts: pa.Table) -> pa.Table:
        """Stage 2: checked texts and label ids; rows in = rows out, in order."""
        return text_samples(dicts, tasks=self.tasks, inference=self.inference)

    def samples_to_features(self, samples: pa.Table) -> pa.Table:
        """Stage 3: windows of token ids, one or more per row, in order."""
        return token_features(
            samples,
            tokenizer=self.tokenizer,
            max_seq_len=self.max_seq_len,
            overlap=self.window_overlap,
            label_columns=self.label_tensor_names,
            inner_labels=self._inner_labels(),
        )

    def padding(self) -> Padding:
        """How batches of this tokenizer are padded; label columns of words as their special tokens."""
        return dataclasses.replace(super().padding(), fills=self._inner_labels())

    def dataset_from_dicts(  # type: ignore[override]
        self,
        dicts: Sequence[RowDict],
        indices: Sequence[int] | None = None,
        return_baskets: bool = False,
        non_initial_token: str | None = None,
        debug: bool = False,
    ) -> tuple[object, ...]:
        """As `Processor.dataset_from_dicts`, one row (and one sample of a basket) per window.

        Samples keep, of their window, `tokens`, `token_to_word_map` (None for special tokens), `start_of_word`, and
        `word_spans` (begin and end in the text) of the words it owns.

        Args:
            dicts: One dict per row.
            indices: The rows' numbers in the whole data; 0, 1, ... by default.
            return_baskets: Return the rows' baskets too; this means inference: labels are not converted.
            non_initial_token: Label of special tokens and the later tokens of words; None takes the processor's.
            debug: Not needed here: tokens are always kept.
        """
        processor = self
        if non_initial_token is not None and non_initial_token != self.non_initial_token:
            processor = identity.changed_copy(self, non_initial_token=non_initial_token)
        return Processor.dataset_from_dicts(processor, dicts, indices, return_baskets, debug)

    def sample_details(self, text: str) -> list[dict[str, object]]:
        """As `Processor.sample_details`: which word each token of a window belongs to, and where its words stand."""
        words, starts = split_with_metadata(text)
        spans = [(start, start + len(word)) for start, word in zip(starts, words, strict=True)]
        return [
            {"word_spans": [spans[word] for word in owned], "token_to_word_map": of_tokens}
            for of_tokens, owned in words_of_windows(
                text, tokenizer=self.tokenizer, max_seq_len=self.max_seq_len, overlap=self.window_overlap
            )
        ]

    def what_is_missing(self, train_file: str | None) -> str:  # noqa: ARG002 - tags are taken from the file
        """Names what the task needs."""
        return "metric missing: training needs one; give it with --set processor.metric=seq_f1 (or acc)"

    def fitted_on(self, tables: Iterable[pa.Table]) -> Processor:
        """As `Processor.fitted_on`; an "X" that the data have as a tag of words is no label of FARM's scheme."""
        fitted = super().fitted_on(tables)
        found = [task.label_list for name, task in fitted.tasks.items() if not self.tasks[name].label_list]
        if any(self.non_initial_token in labels for labels in found):
            return identity.changed_copy(fitted, non_initial_token="")
        return fitted

    def _reads_files_itself(self) -> bool:
        """False where a subclass brings a `file_to_dicts` of its own."""
        return type(self).file_to_dicts is NERProcessor.file_to_dicts

    def _tasks_to_read(self) -> dict[str, Task]:
        return {} if self.inference else self.tasks

    def _inner_labels(self) -> dict[str, int]:
        """Column of labels of words -> label of what begins no word."""
        return {
            task.label_tensor_name: task.label_list.index(self.non_initial_token)
            if self.non_initial_token in task.label_list
            else IGNORED
            for task in self._tasks_to_read().values()
            if task.labels.of_words
        }

    def _read(self, path: str) -> Iterator[pa.Table]:
        addresses = list_files(path)
        return tables_of_all(
            self._read_split(Split(address, name=name))
            for address, name in zip(addresses, row_names(addresses), strict=True)
        )

    def _read_split(self, split: Split) -> Iterator[pa.Table]:
        read = self._read_objects if data_suffix(split.file) in _OBJECT_SUFFIXES else self._read_tokens
        return read(split, split.name or file_name(split.file))

    def _read_tokens(self, split: Split, name: str) -> Iterator[pa.Table]:
        file = TableFile(uri=split.file, name=name, columns={}, max_field_chars=self.max_text_chars)
        return read_conll(file, self._format(split.file), split)

    def _format(self, path: str) -> ConllFormat:
        columns: dict[str, int | None] = {}
        for name, task in self._tasks_to_read().items():
            if not task.labels.of_words and path:
                raise ConfigError(
                    f'task "{name}" has labels of whole texts, which {path} cannot hold: it has one token a line; '
                    "give JSON lines (.jsonl) or Parquet",
                    code="file-without-words",
                    file=path,
                    task=name,
                )
            column = task.label_column_name or ""
            columns[task.label_name] = int(column) if column.removeprefix("-").isdecimal() else self.tag_column
        return conll_format(
            path,
            tag_columns=columns,
            delimiter=self.delimiter,
            token_column=self.token_column,
            encoding=self.encoding,
            germeval14=self.germeval14,
            iob1=self.iob1,
        )

    def _read_objects(self, split: Split, name: str) -> Iterator[pa.Table]:
        tasks = self._tasks_to_read()
        labels = {task.column for task in tasks.values()}
        ids = [key for key in ID_KEYS if self.inference and key not in labels]
        columns = {column: column for column in (*ids, *sorted(labels))} | {self.text_column_name: "text"}
        file = TableFile(
            uri=split.file, name=name, columns=columns, optional=tuple(ids), encoding=self.encoding or "utf-8"
        )
        for rows in files.naming_options(read_objects(file, split), columns):
            given = [_dict_of(values, ids) for _, values in rows]
            table = self.named_dicts_to_table(given, [row_id for row_id, _ in rows])
            if self.inference:
                own = [external_id(values) if isinstance(values, dict) else None for _, values in rows]
                table = table.append_column(EXTERNAL_ID, pa.array(own, pa.string()))
            yield table


def _dict_of(values: Mapping[str, object] | Problem, ids: Sequence[str]) -> dict[str, object]:
    """A row as a dict without an id of its own: it is named by file and line. A text that is left out is empty."""
    if isinstance(values, Problem):
        return {COLUMN: dataclasses.asdict(values)}
    return {"text": None, **{key: value for key, value in values.items() if key not in ids}}
