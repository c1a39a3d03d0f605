"""Regression: one text per row, and one number as its label."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from farm_ray.configuration import strict_arguments
from farm_ray.data_handler.processor.config import PROGRAM, Metrics
from farm_ray.data_handler.processor.text_classification import TableProcessorConfig, TextClassificationProcessor
from farm_ray.errors import ConfigError
from farm_ray.tasks.regression import REGRESSION
from farm_ray.tasks.spec import TaskSpec

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from farm_ray.data_handler.processor.base import Processor
    from farm_ray.evaluation.metric import Metric
    from farm_ray.modeling.tokenization.protocol import TokenizerLike


class RegressionProcessorConfig(TableProcessorConfig):
    """Texts with a number, for `RegressionProcessor`."""

    specs: ClassVar[tuple[TaskSpec, ...]] = (REGRESSION,)

    kind: Literal["RegressionProcessor"] = "RegressionProcessor"
    metric: Metrics = (REGRESSION.metric,)
    """mse, r2, pear_spear, or registered ones."""


_DEFAULTS = RegressionProcessorConfig()


class RegressionProcessor(TextClassificationProcessor):
    """Reads tables (TSV, CSV, JSON lines, Parquet) with a text and a number.

    The model learns `(number - scaler_mean) / scaler_scale`; predictions and metrics are in the numbers' own unit.
    Mean and scale (population standard deviation) are those of the training data, measured once by the `DataSilo`,
    or those given here. They stand in the `label_list` of the task "regression" and are saved with it.

    The options are those of `RegressionProcessorConfig` and `ProgramOptions`.

    Args:
        tokenizer: From `Tokenizer.load`.
        label_name: Key of the number in dicts, and the tensor `{label_name}_ids`.
        scaler_mean: Subtracted from every number; None measures it.
        scaler_scale: What numbers are divided by then, above 0; None measures it.
        metric: Name of a metric, a function `(preds, labels)`, or a list of both; None adds no task.
        dev_stratification: True gives the dev split as many small and large numbers as the training data have; a
            function `(train, dev_split=...)` splits itself.

    Raises:
        ConfigError: On values that are invalid.
    """

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
        delimiter: str = _DEFAULTS.delimiter,
        quote_char: str | None = _DEFAULTS.quote_char,
        skiprows: int | Sequence[int] | None = _DEFAULTS.skiprows,
        label_column_name: str = _DEFAULTS.label_column_name,
        label_name: str = "regression_label",
        scaler_mean: float | None = None,
        scaler_scale: float | None = None,
        proxies: dict[str, str] | None = PROGRAM.proxies,
        text_column_name: str = _DEFAULTS.text_column_name,
        *,
        metric: Metric | None = _DEFAULTS.metric[0],
        header: int | None = _DEFAULTS.header,
        max_samples: int | None = _DEFAULTS.max_samples,
        multithreading_rust: bool = PROGRAM.multithreading_rust,
        dev_stratification: bool | Callable[..., object] | None = False,
        encoding: str = _DEFAULTS.encoding,
        max_text_chars: int = PROGRAM.max_text_chars,
        seed: int = PROGRAM.seed,
        inference: bool = PROGRAM.inference,
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
            raise ConfigError(
                "scaler_mean and scaler_scale go together: give both, or neither to have them measured",
                code="incomplete-options",
                option="scaler_mean",
            )
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
    def for_checkpoint(
        cls,
        spec: TaskSpec,  # noqa: ARG003
        labels: list[str],  # noqa: ARG003
        *,
        tokenizer: TokenizerLike,
        max_seq_len: int,
    ) -> Processor:
        """As `Processor.for_checkpoint`; the model's output is the number itself."""
        return cls(
            tokenizer=tokenizer,
            max_seq_len=max_seq_len,
            data_dir="data",
            quote_char='"',
            scaler_mean=0.0,
            scaler_scale=1.0,
        )

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
