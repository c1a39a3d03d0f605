"""Inference for any text task: texts in, features out, no labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from farm_ray import storage
from farm_ray.configuration import strict_arguments
from farm_ray.data_handler.processor import saving
from farm_ray.data_handler.processor.base import MAX_TEXT_CHARS, all_classes
from farm_ray.data_handler.processor.text_classification import TextClassificationProcessor
from farm_ray.tasks.saved import loaded_task

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path


class InferenceProcessor(TextClassificationProcessor):
    """Encodes texts and ignores labels, whatever the task; tasks are kept for those who ask for their labels.

    Args:
        tokenizer: From `Tokenizer.load`.
        max_seq_len: Tokens per row at most, special tokens counted.
        data_dir: This and the following are those of `TextClassificationProcessor`; a saved configuration of any
            text processor brings them, and files are read accordingly.
        train_filename: Not read.
        dev_filename: Not read.
        test_filename: Not read.
        dev_split: Not used.
        tasks: Task dicts by name.
        proxies: Ignored, kept for FARM compatibility.
        multithreading_rust: False limits the tokenizer to one thread in Ray tasks.
        delimiter: Separates columns in text files.
        quote_char: Quotes fields in text files; None for no quoting.
        skiprows: Rows to leave out before the header.
        header: Row of the header, from 0; None for a file without one.
        max_samples: Read a random sample of so many rows per file at most.
        text_column_name: Column of the text.
        label_column_name: Not read.
        multilabel: Not used.
        dev_stratification: Not used.
        encoding: Of text files; None is utf-8.
        max_text_chars: Longer texts become rows with a problem.
        seed: Decides about `max_samples`.
        text_b_column_name: Column of the second text where rows are pairs of texts; None reads single texts.

    Raises:
        ConfigError: On values that are invalid.
    """

    @strict_arguments
    def __init__(
        self,
        tokenizer: Any,
        max_seq_len: int,
        *,
        data_dir: str | Path | None = None,
        train_filename: str | Path | None = None,
        dev_filename: str | Path | None = None,
        test_filename: str | Path | None = None,
        dev_split: float | None = None,
        tasks: Mapping[str, Mapping[str, Any]] | None = None,
        proxies: dict[str, str] | None = None,
        multithreading_rust: bool = True,
        delimiter: str = "\t",
        quote_char: str | None = '"',
        skiprows: int | Sequence[int] | None = None,
        header: int | None = 0,
        max_samples: int | None = None,
        text_column_name: str = "text",
        label_column_name: str = "label",
        multilabel: bool = False,
        dev_stratification: bool | Callable[..., Any] | None = False,
        encoding: str | None = "utf-8",
        max_text_chars: int = MAX_TEXT_CHARS,
        seed: int = 42,
        text_b_column_name: str | None = None,
    ) -> None:
        # The checks of the settings depend on it.
        self.text_b_column_name = text_b_column_name
        super().__init__(
            tokenizer=tokenizer,
            max_seq_len=max_seq_len,
            data_dir=data_dir,
            train_filename=train_filename,
            dev_filename=dev_filename,
            test_filename=test_filename,
            dev_split=dev_split,
            delimiter=delimiter,
            quote_char=quote_char,
            skiprows=skiprows,
            label_column_name=label_column_name,
            multilabel=multilabel,
            header=header,
            proxies=proxies,
            max_samples=max_samples,
            text_column_name=text_column_name,
            multithreading_rust=multithreading_rust,
            dev_stratification=dev_stratification,
            encoding=encoding or "utf-8",
            max_text_chars=max_text_chars,
            seed=seed,
            inference=True,
        )
        self.tasks = {name: loaded_task(name, task) for name, task in (tasks or {}).items()}

    @classmethod
    def load_from_dir(cls, load_dir: str | Path) -> Any:
        """A processor for inference from any saved text processor, with its tokenizer and its tasks.

        From a processor of pairs it reads pairs.

        Raises:
            ModelFolderError: When `processor_config.json` is missing or broken, or the tokenizer cannot be loaded.
        """
        return saving.load_from_dir(storage.local_path(load_dir), cls, all_classes(), always=cls)
