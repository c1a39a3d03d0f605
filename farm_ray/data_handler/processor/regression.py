"""Regression: one text per row, and one number as its label."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from farm_ray.configuration import strict_arguments
from farm_ray.data_handler.processor.base import MAX_TEXT_CHARS
from farm_ray.data_handler.processor.text_classification import TextClassificationProcessor
from farm_ray.errors import ConfigError
from farm_ray.tasks.regression import REGRESSION

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from farm_ray.data_handler.processor.base import Processor
    from farm_ray.tasks.spec import TaskSpec


class RegressionProcessor(TextClassificationProcessor):
    """Reads tables (TSV, CSV, JSON lines, Parquet) with a text and a number.

    The model learns `(number - scaler_mean) / scaler_scale`; predictions and metrics are in the numbers' own unit.
    Mean and scale (population standard deviation) are those of the training data, measured once by the `DataSilo`,
    or those given here. They stand in the `label_list` of the task "regression" and are saved with it.

    Args:
        tokenizer: From `Tokenizer.load`.
        max_seq_len: Tokens per row at most, special tokens counted.
        data_dir: Folder of the files, or None.
        train_filename: File with training data below `data_dir`, or None.
        dev_filename: File with dev data; None takes `dev_split` of the training data.
        test_filename: File with test data, or None.
        dev_split: Share of the training data for the dev set, 0 to 1.
        delimiter: Separates columns in text files.
        quote_char: Quotes fields in text files; None for no quoting.
        skiprows: Rows to leave out before the header.
        label_column_name: Column of the numbers, with decimal points.
        label_name: Key of the number in dicts, and the tensor `{label_name}_ids`.
        scaler_mean: Subtracted from every number; None measures it.
        scaler_scale: What numbers are divided by then, above 0; None measures it.
        proxies: Ignored, kept for FARM compatibility.
        text_column_name: Column of the text.
        metric: Name of a metric, a function `(preds, labels)`, or a list of both; None adds no task.
        header: Row of the header, from 0; None for a file without one (columns are then named "0", "1", ...).
        max_samples: Read a random sample of so many rows per file at most.
        multithreading_rust: False limits the tokenizer to one thread in Ray tasks.
        dev_stratification: True gives the dev split as many small and large numbers as the training data have; a
            function `(train, dev_split=...)` splits itself.
        encoding: Of text files.
        max_text_chars: Longer texts become rows with a problem.
        seed: Decides about `max_samples`.
        inference: Read and make no labels.

    Raises:
        ConfigError: On values that are invalid.
    """

    @strict_arguments
    def __init__(
        self,
        tokenizer: Any,
        max_seq_len: int,
        data_dir: str | Path | None,
        train_filename: str | Path | None = "train.tsv",
        dev_filename: str | Path | None = None,
        test_filename: str | Path | None = "test.tsv",
        dev_split: float | None = 0.1,
        delimiter: str = "\t",
        quote_char: str | None = "'",
        skiprows: int | Sequence[int] | None = None,
        label_column_name: str = "label",
        label_name: str = "regression_label",
        scaler_mean: float | None = None,
        scaler_scale: float | None = None,
        proxies: dict[str, str] | None = None,
        text_column_name: str = "text",
        *,
        metric: Any = "mse",
        header: int | None = 0,
        max_samples: int | None = None,
        multithreading_rust: bool = True,
        dev_stratification: bool | Callable[..., Any] | None = False,
        encoding: str = "utf-8",
        max_text_chars: int = MAX_TEXT_CHARS,
        seed: int = 42,
        inference: bool = False,
    ) -> None:
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
            header=header,
            proxies=proxies,
            max_samples=max_samples,
            text_column_name=text_column_name,
            multithreading_rust=multithreading_rust,
            dev_stratification=dev_stratification,
            encoding=encoding,
            max_text_chars=max_text_chars,
            seed=seed,
            inference=inference,
        )
        scaling = [value for value in (scaler_mean, scaler_scale) if value is not None]
        if len(scaling) == 1:
            raise ConfigError("scaler_mean and scaler_scale go together: give both, or neither to have them measured")
        if metric is not None:
            self.add_task(
                REGRESSION.own_task_name,
                metric,
                scaling,
                label_column_name,
                label_name,
                text_column_name=text_column_name,
            )

    @classmethod
    def for_checkpoint(cls, spec: TaskSpec, labels: list[str], **usual: Any) -> Processor:  # noqa: ARG003 - as above
        """As `Processor.for_checkpoint`; the model's output is the number itself."""
        return cls(**usual, data_dir="data", quote_char='"', scaler_mean=0.0, scaler_scale=1.0)

    def own_task_type(self) -> str | None:
        """Numbers."""
        return REGRESSION.name

    @property
    def scaler_mean(self) -> float | None:
        """What is subtracted from the numbers of the task "regression"; None while it has not been measured."""
        return self._scaling()[0]

    @property
    def scaler_scale(self) -> float | None:
        """What the numbers of the task "regression" are divided by; None while it has not been measured."""
        return self._scaling()[1]

    def what_is_missing(self, train_file: str | None) -> str:  # noqa: ARG002 - the file's numbers are no labels
        """Names what the task needs."""
        return 'metric missing: training needs one; give it with --set processor.metric=mse (or "r2")'

    def _scaling(self) -> tuple[float | None, float | None]:
        task = self.tasks.get(REGRESSION.own_task_name)
        mean, scale = (task.label_list if task is not None else ()) or (None, None)
        return mean, scale
