"""Who reads the files to predict: the model's processor without labels, or a reader of tables in its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from farm_ray.data_handler.processor import InferenceProcessor, NERProcessor
from farm_ray.data_handler.processor.identity import changed_copy
from farm_ray.data_handler.processor.reading import with_reading
from farm_ray.storage import data_suffix

if TYPE_CHECKING:
    from collections.abc import Sequence

    from farm_ray.data_handler.processor import Processor

_OBJECTS = (".json", ".jsonl", ".parquet")


def reading_processor(processor: Processor, files: Sequence[str] = (), **changes: str | None) -> Processor:
    """A frozen copy that ignores labels and reads every row, also where it was trained on a sample.

    Args:
        processor: Its settings hold where an argument is None.
        files: As for `with_reading`.
        changes: As for `with_reading`.

    Raises:
        ConfigError: As `with_reading`.
    """
    every_row: dict[str, object] = {"max_samples": None} if hasattr(processor, "max_samples") else {}
    return with_reading(changed_copy(processor, inference=True, **every_row), files, **changes).frozen()


def reader_of(processor: Processor, files: Sequence[str], **changes: str | None) -> Processor:
    """As `reading_processor`, for these files.

    A processor of words reads one word a line; where a text column is named, TSV and CSV files are read as tables with
    a text per row.
    """
    tables = not all(data_suffix(file) in _OBJECTS for file in files)
    if isinstance(processor, NERProcessor) and tables and changes.get("text_column_name") is not None:
        words = processor
        processor = InferenceProcessor(words.tokenizer, words.max_seq_len, max_text_chars=words.max_text_chars)
    return reading_processor(processor, files, **changes)
