"""Text classification: one text per row, and one label (or several) per task. Imports neither ray nor torch."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import NonNegativeInt, PositiveInt

from farm_ray.configuration import strict_arguments
from farm_ray.data_handler.file_to_dicts.delimited import report_enclosed_rows, shown_delimiter
from farm_ray.data_handler.file_to_dicts.dialect import Dialect
from farm_ray.data_handler.file_to_dicts.encodings import text_encoding
from farm_ray.data_handler.file_to_dicts.splits import Split
from farm_ray.data_handler.file_to_dicts.table_file import TableFile
from farm_ray.data_handler.file_to_dicts.tables import cut_rows, sampled, survey_rows
from farm_ray.data_handler.processor import files
from farm_ray.data_handler.processor.base import Processor
from farm_ray.data_handler.processor.config import PROGRAM, Column, DelimitedConfig, Labels
from farm_ray.storage import data_suffix, file_name
from farm_ray.tasks.classification import CLASSIFICATION
from farm_ray.tasks.multilabel import MULTILABEL_CLASSIFICATION
from farm_ray.tasks.spec import TaskSpec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    import pyarrow as pa

    from farm_ray.data_handler.file_to_dicts.survey import Survey
    from farm_ray.data_handler.given_rows import RowDict
    from farm_ray.evaluation.metric import Metric
    from farm_ray.modeling.tokenization.protocol import TokenizerLike

_NOT_DELIMITED = (".json", ".jsonl", ".parquet")
_FILES_LOOKED_AT = 16


class TableProcessorConfig(DelimitedConfig):
    """What the processors of tables have."""

    quote_char: str | None = "'"
    """Quoting character of TSV and CSV files, None for none."""
    skiprows: NonNegativeInt | tuple[NonNegativeInt, ...] | None = None
    """Lines to leave out before the header."""
    header: NonNegativeInt | None = 0
    """Line of the column names, from 0; None when there are none, columns are then named "0", "1", ..."""
    label_column_name: Column = "label"
    """The label column of the one task; numbers have decimal points."""
    text_column_name: Column = "text"
    """The text column."""
    max_samples: PositiveInt | None = None
    """Rows taken at random from each file at most; None takes all."""
    encoding: str = "utf-8"
    """Encoding of TSV, CSV and JSONL files."""


class TextClassificationProcessorConfig(TableProcessorConfig):
    """Texts with a label, or several, for `TextClassificationProcessor`."""

    specs: ClassVar[tuple[TaskSpec, ...]] = (CLASSIFICATION, MULTILABEL_CLASSIFICATION)

    kind: Literal["TextClassificationProcessor"] = "TextClassificationProcessor"
    label_list: Labels | None = None
    """Labels of the one task; a label's position is its id. None takes those of the training data, sorted."""
    multilabel: bool = False
    """Rows have any number of labels, joined by commas or in a list, or a zero or one for each label; an empty cell
    means none. See `farm_ray.data_handler.label_cells`."""
    dev_stratification: bool = False
    """Whether the split keeps the labels' shares. In a program also a function `(train, dev_split=...)`, which splits
    itself."""

    def own_task_type(self) -> str:
        """One label per row, or any number with `multilabel`."""
        return (MULTILABEL_CLASSIFICATION if self.multilabel else CLASSIFICATION).name


_DEFAULTS = TextClassificationProcessorConfig()


class TextClassificationProcessor(Processor):
    """Reads tables (TSV, CSV, JSON lines, Parquet) with a text and one or more label columns.

    With `metric` the task "text_classification" is added; for several label columns call `add_task` once for each.

    The options are those of `TextClassificationProcessorConfig` and `ProgramOptions`.

    Args:
        tokenizer: From `Tokenizer.load`.
        metric: Name of a metric, a function `(preds, labels)`, or a list of both.

    Raises:
        ConfigError: On values that are invalid.
    """

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
        quote_char: str | None = _DEFAULTS.quote_char,
        skiprows: int | Sequence[int] | None = _DEFAULTS.skiprows,
        label_column_name: str = _DEFAULTS.label_column_name,
        multilabel: bool = _DEFAULTS.multilabel,
        header: int | None = _DEFAULTS.header,
        proxies: dict[str, str] | None = PROGRAM.proxies,
        max_samples: int | None = _DEFAULTS.max_samples,
        text_column_name: str = _DEFAULTS.text_column_name,
        *,
        multithreading_rust: bool = PROGRAM.multithreading_rust,
        dev_stratification: bool | Callable[..., object] | None = _DEFAULTS.dev_stratification,
        encoding: str = _DEFAULTS.encoding,
        max_text_chars: int = PROGRAM.max_text_chars,
        seed: int = PROGRAM.seed,
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
        self.delimiter = delimiter
        self.quote_char = quote_char
        self.skiprows = skiprows
        self.label_column_name = label_column_name
        self.multilabel = multilabel
        self.header = header
        self.max_samples = max_samples
        self.text_column_name = text_column_name
        self.dev_stratification = dev_stratification
        self.encoding = encoding
        self.max_text_chars = max_text_chars
        self.seed = seed
        self.inference = inference
        if metric is not None:
            self.add_task(
                CLASSIFICATION.own_task_name, metric, label_list, label_column_name, text_column_name=text_column_name
            )

    @classmethod
    def for_checkpoint(
        cls, spec: TaskSpec, labels: list[str], *, tokenizer: TokenizerLike, max_seq_len: int
    ) -> Processor:
        """As `Processor.for_checkpoint`."""
        return cls(
            tokenizer=tokenizer,
            max_seq_len=max_seq_len,
            data_dir="data",
            quote_char='"',
            label_list=labels,
            metric=spec.metric,
            multilabel=spec == MULTILABEL_CLASSIFICATION,
        )

    def own_task_type(self) -> str | None:
        """One label per row, or any number with `multilabel`."""
        return (MULTILABEL_CLASSIFICATION if self.multilabel else CLASSIFICATION).name

    def file_to_dicts(self, file: str) -> list[RowDict]:
        """The rows of a file: `{"text": ..., "text_classification_label": ...}`, all values strings.

        Where rows are pairs, `text` is the tuple of both, and `text_b` the second. A row that cannot be read has a
        `problem` too. Ids are in the tables of `read`.

        Raises:
            DataProblemError: When the file or a column is missing.
        """
        return files.rows_as_dicts(self._read(file))

    def splits(self, path: str, target_bytes: int) -> list[Split]:
        """As `Processor.splits`; a sample of rows is drawn from the whole file."""
        if not self._reads_files_itself() or self.max_samples is not None:
            return [Split(path)]
        return cut_rows(self._table_file(path), Dialect(**self._dialect()), target_bytes)

    def survey(self, split: Split, *, lines_wanted: bool) -> Survey | None:
        """As `Processor.survey`; with `quote_char=None` a stream has nothing to look for."""
        dialect = Dialect(**self._dialect())
        return survey_rows(self._table_file(split.file), dialect, split, lines_wanted=lines_wanted)

    def read(self, split: Split) -> Iterator[pa.Table]:
        """Stage 1: the rows of a split, named by file and line (`train.tsv:7`); for inference with `external_id`.

        Raises:
            DataProblemError: When the file or a column is missing.
        """
        if not self._reads_files_itself():
            tables = super().read(split)
            return tables if self.max_samples is None else sampled(tables, self.max_samples, seed=self.seed)
        return self._read(split.file, split)

    def settle_encoding(self, path: str) -> None:
        """As `Processor.settle_encoding`."""
        if self._reads_files_itself():
            text_encoding(path, self.encoding)

    def look_at_files(self, paths: Sequence[str]) -> None:
        """As `Processor.look_at_files`; of the first files also whether quotes make one row of several."""
        super().look_at_files(paths)
        if self._reads_files_itself():
            for path in paths[:_FILES_LOOKED_AT]:
                if data_suffix(path) not in _NOT_DELIMITED:
                    report_enclosed_rows(self._table_file(path), Dialect(**self._dialect()))

    def delimiter_shown_by(self, path: str) -> str | None:
        """Another usual delimiter with which the header of this TSV or CSV file has the wanted columns, if any.

        Raises:
            DataProblemError: When the file cannot be read.
        """
        if data_suffix(path) in _NOT_DELIMITED:
            return None
        return shown_delimiter(self._table_file(path), Dialect(**self._dialect()))

    def _table_file(self, path: str) -> TableFile:
        tasks = {} if self.inference else self.tasks
        columns = files.columns_to_read(tasks, self._text_column(), self.text_b_column_name)
        wanted = {name: made[0] for name, made in columns.items()}
        return TableFile(uri=path, name=file_name(path), columns=wanted, max_field_chars=self.max_text_chars)

    def what_is_missing(self, train_file: str | None) -> str:  # noqa: ARG002 - labels are taken from the file
        """Names what the task needs."""
        return 'metric missing: training needs one; give it with --set processor.metric=acc (or "f1_macro")'

    def _dialect(self) -> RowDict:
        """How TSV and CSV files are written."""
        names = ("delimiter", "quote_char", "skiprows", "header", "encoding")
        return {name: getattr(self, name) for name in names}

    def _reads_files_itself(self) -> bool:
        """False where a subclass brings a `file_to_dicts` of its own."""
        return type(self).file_to_dicts is TextClassificationProcessor.file_to_dicts

    def _read(self, path: str, split: Split | None = None) -> Iterator[pa.Table]:
        tasks = {} if self.inference else self.tasks
        columns = files.columns_to_read(tasks, self._text_column(), self.text_b_column_name)
        return self._read_columns(path, columns, external_ids=self.inference, split=split)

    def _text_column(self) -> str:
        named = {task.text_column_name for task in self.tasks.values() if task.text_column_name}
        return named.pop() if len(named) == 1 else self.text_column_name

    def _read_columns(
        self, path: str, columns: dict[str, list[str]], *, external_ids: bool = False, split: Split | None = None
    ) -> Iterator[pa.Table]:
        return files.read_columns(
            str(path),
            columns,
            external_ids=external_ids,
            optional=[self.text_b_column_name] if self.text_b_column_name and self.text_b_is_optional else [],
            # What the user's own methods make of them is their matter.
            lists_in_texts=bool(self.own_row_methods()),
            **self._dialect(),
            max_samples=self.max_samples,
            seed=self.seed,
            max_field_chars=self.max_text_chars,
            split=split,
        )
