"""Inference for any text task: texts in, features out, no labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from farm_ray import storage
from farm_ray.configuration import strict_arguments
from farm_ray.data_handler.processor import saving
from farm_ray.data_handler.processor.base import all_classes
from farm_ray.data_handler.processor.config import PROGRAM
from farm_ray.data_handler.processor.text_classification import (
    TextClassificationProcessor,
    TextClassificationProcessorConfig,
)
from farm_ray.tasks.saved import loaded_task

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from farm_ray.modeling.tokenization.protocol import TokenizerLike
    from farm_ray.plain import PlainMapping


_DEFAULTS = TextClassificationProcessorConfig()


class InferenceProcessor(TextClassificationProcessor):
    """Encodes texts and ignores labels, whatever the task; tasks are kept for those who ask for their labels.

    The options are those of `TextClassificationProcessorConfig` and `ProgramOptions`: a saved configuration of any text
    processor brings them, and files are read accordingly. No file is named, and nothing is split off.

    Args:
        tokenizer: From `Tokenizer.load`.
        tasks: Task dicts by name.
        text_b_column_name: Column of the second text where rows are pairs of texts; None reads single texts.

    Raises:
        ConfigError: On values that are invalid.
    """

    @strict_arguments
    def __init__(
        self,
        tokenizer: TokenizerLike,
        max_seq_len: int,
        *,
        data_dir: str | Path | None = _DEFAULTS.data_dir,
        train_filename: str | Path | None = None,
        dev_filename: str | Path | None = _DEFAULTS.dev_filename,
        test_filename: str | Path | None = None,
        dev_split: float | None = None,
        tasks: Mapping[str, PlainMapping] | None = None,
        proxies: dict[str, str] | None = PROGRAM.proxies,
        multithreading_rust: bool = PROGRAM.multithreading_rust,
        delimiter: str = _DEFAULTS.delimiter,
        quote_char: str | None = '"',
        skiprows: int | Sequence[int] | None = _DEFAULTS.skiprows,
        header: int | None = _DEFAULTS.header,
        max_samples: int | None = _DEFAULTS.max_samples,
        text_column_name: str = _DEFAULTS.text_column_name,
        label_column_name: str = _DEFAULTS.label_column_name,
        multilabel: bool = _DEFAULTS.multilabel,
        dev_stratification: bool | Callable[..., object] | None = _DEFAULTS.dev_stratification,
        encoding: str | None = _DEFAULTS.encoding,
        max_text_chars: int = PROGRAM.max_text_chars,
        seed: int = PROGRAM.seed,
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
    def load_from_dir(cls, load_dir: str | Path) -> Self:
        """A processor for inference from any saved text processor, with its tokenizer and its tasks.

        From a processor of pairs it reads pairs.

        Raises:
            ModelFolderError: When `processor_config.json` is missing or broken, or the tokenizer cannot be loaded.
        """
        loaded = saving.load_from_dir(storage.local_path(load_dir), cls, all_classes(), always=cls)
        assert isinstance(loaded, cls)
        return loaded
