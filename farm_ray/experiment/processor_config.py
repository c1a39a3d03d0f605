"""How files become features: one configuration per kind of processor, chosen by its field `kind`."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Union

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    NonNegativeInt,
    PositiveInt,
    SerializeAsAny,
    Tag,
    TypeAdapter,
    field_validator,
)

from farm_ray.configuration import Config, nearest
from farm_ray.overrides import imported_subclasses
from farm_ray.tasks.classification import CLASSIFICATION
from farm_ray.tasks.language_modelling import LANGUAGE_MODELLING
from farm_ray.tasks.multilabel import MULTILABEL_CLASSIFICATION
from farm_ray.tasks.regression import REGRESSION
from farm_ray.tasks.spec import TaskSpec
from farm_ray.tasks.table import all_specs
from farm_ray.tasks.token_classification import TOKEN_CLASSIFICATION


def _as_labels(value: Any) -> Any:
    """Label names; 1 or 2019, which YAML reads as numbers, as the text they are in the data."""
    if isinstance(value, str):
        raise ValueError("a list of labels is needed, such as [good, bad]")  # noqa: TRY004 - pydantic wants ValueError
    return [_as_label(part) for part in value] if isinstance(value, list | tuple) else value


def _as_label(value: Any) -> Any:
    if isinstance(value, bool | float) or value is None:
        raise ValueError(
            f"YAML reads a label as {value!r} (it does so with yes, no, on, off, true, false, null and 1.0); "
            'put the labels in quotes: ["yes", "no"]'
        )
    return _as_text(value)


def _as_text(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _known_task_type(value: str) -> str:
    known = [spec.name for spec in all_specs() if spec != LANGUAGE_MODELLING]
    if value not in known:
        raise ValueError(f"there is no such kind of task{nearest(value, known)}")
    return value


Labels = Annotated[tuple[str, ...], BeforeValidator(_as_labels)]
Metrics = Annotated[tuple[str, ...], BeforeValidator(_as_list)]
Share = Annotated[float, Field(ge=0, lt=1)]
Column = Annotated[str, BeforeValidator(_as_text)]
TaskType = Annotated[str, AfterValidator(_known_task_type)]


class TaskConfig(Config):
    """One label column and the prediction head that learns it."""

    name: str
    """Names the task, its head and its results."""
    task_type: TaskType | None = None
    """None: as the processor says; beside words with tags it must be said."""
    label_list: Labels = ()
    """Label names; a label's position is its id. Empty: those of the training data. A regression has none."""
    metric: Metrics = ("acc",)
    """Names of metrics, as `farm_ray.evaluation.metrics.METRICS` has them, or registered ones."""
    label_column_name: Column = "label"
    """The labels' column in the files."""
    text_column_name: Column | None = None
    """The text's column in the files; None takes the processor's."""
    label_name: str | None = None
    """Key of the label in dicts; None is `{name}_label`."""


class FilesConfig(Config):
    """What the configurations of all processors have; their `kind` is the processor's class."""

    kind: str
    """The processor's class."""

    @classmethod
    def alternatives(cls) -> list[type[Config]]:
        """Where any processor is meant, all kinds; else this one."""
        return [*_kinds().values()] if cls is FilesConfig else [cls]

    keeps_own_task: ClassVar[bool] = False
    """The task that the processor makes by itself stays when there are others."""
    max_seq_len: PositiveInt = 128
    """Tokens per row, special tokens included; longer texts lose their right end."""
    data_dir: str | None = None
    """Folder (or s3:// prefix) of the files; `--data-dir` fills it."""
    train_filename: str | None = "train.tsv"
    """Training data: a file, folder or glob below `data_dir`."""
    dev_filename: str | None = None
    """Dev data; None takes `dev_split` of the training rows."""
    test_filename: str | None = "test.tsv"
    """Test data; None for none."""
    dev_split: Share = 0.1
    """Share of the training rows for dev where there is no `dev_filename`."""


class ProcessorConfig(FilesConfig):
    """What the configurations of all processors of labelled rows have; one for a processor of your own derives from it.

        class WordCountProcessorConfig(ProcessorConfig):
            kind: Literal["WordCountProcessor"] = "WordCountProcessor"
            specs = (WORD_COUNT,)
            metric: Metrics = ("off_by",)

    The fields are handed to the processor's constructor, but for `kind` and `tasks`.
    """

    specs: ClassVar[tuple[TaskSpec, ...]] = (CLASSIFICATION,)
    """Kinds of tasks that the processor may make by itself; the first unless an option says another."""
    tasks: tuple[TaskConfig, ...] = ()
    """Several label columns, one task and one head each."""
    metric: Metrics = ("acc",)
    """Metrics of the task that the processor makes by itself."""

    def own_task_type(self) -> str:
        """Kind of the task that the processor makes by itself."""
        return self.specs[0].name


class _DelimitedConfig(ProcessorConfig):
    """What the processors of files with columns have."""

    delimiter: str = "\t"
    r"""Column separator of text files; `\t` is a tab."""

    @field_validator("delimiter")
    @classmethod
    def _tab(cls, value: str) -> str:
        return value.replace("\\t", "\t")


class _TableProcessorConfig(_DelimitedConfig):
    """What the processors of tables have."""

    quote_char: str | None = "'"
    """Quoting character of TSV and CSV files, None for none."""
    skiprows: NonNegativeInt | tuple[NonNegativeInt, ...] | None = None
    """Lines to leave out before the header."""
    header: NonNegativeInt | None = 0
    """Line of the column names, None when there are none."""
    label_column_name: Column = "label"
    """The label column of the one task."""
    text_column_name: Column = "text"
    """The text column."""
    max_samples: PositiveInt | None = None
    """Rows taken at random from each file at most; None takes all."""
    encoding: str = "utf-8"
    """Encoding of TSV, CSV and JSONL files."""


class TextClassificationProcessorConfig(_TableProcessorConfig):
    """Texts with a label, or several; the fields are the parameters of `TextClassificationProcessor`."""

    specs: ClassVar[tuple[TaskSpec, ...]] = (CLASSIFICATION, MULTILABEL_CLASSIFICATION)

    kind: Literal["TextClassificationProcessor"] = "TextClassificationProcessor"
    label_list: Labels | None = None
    """Labels of the one task; None takes those of the training data, sorted."""
    multilabel: bool = False
    """Rows have any number of labels, joined by commas or in a list, or a zero or one for each label."""
    dev_stratification: bool = False
    """Whether the split keeps the labels' shares."""

    def own_task_type(self) -> str:
        """One label per row, or any number with `multilabel`."""
        return (MULTILABEL_CLASSIFICATION if self.multilabel else CLASSIFICATION).name


class TextPairClassificationProcessorConfig(TextClassificationProcessorConfig):
    """Pairs of texts with a label; the fields are the parameters of `TextPairClassificationProcessor`."""

    kind: Literal["TextPairClassificationProcessor"] = "TextPairClassificationProcessor"  # type: ignore[assignment]
    text_b_column_name: Column = "text_b"
    """The column of the second text."""
    quote_char: str | None = '"'


class RegressionProcessorConfig(_TableProcessorConfig):
    """Texts with a number; the fields are the parameters of `RegressionProcessor`."""

    specs: ClassVar[tuple[TaskSpec, ...]] = (REGRESSION,)

    kind: Literal["RegressionProcessor"] = "RegressionProcessor"
    metric: Metrics = ("mse",)
    """mse, r2, pear_spear, or registered ones."""


class TextPairRegressionProcessorConfig(RegressionProcessorConfig):
    """Pairs of texts with a number; the fields are the parameters of `TextPairRegressionProcessor`."""

    kind: Literal["TextPairRegressionProcessor"] = "TextPairRegressionProcessor"  # type: ignore[assignment]
    text_b_column_name: Column = "text_b"
    """The column of the second text."""
    quote_char: str | None = '"'


class NERProcessorConfig(_DelimitedConfig):
    """Words with a tag each; the fields are the parameters of `NERProcessor`."""

    specs: ClassVar[tuple[TaskSpec, ...]] = (TOKEN_CLASSIFICATION,)
    keeps_own_task: ClassVar[bool] = True

    kind: Literal["NERProcessor"] = "NERProcessor"
    label_list: Labels | None = None
    """Tags; None takes those of the training data. With "X" among them, FARM's scheme, it is learned for the later
    tokens of a word."""
    metric: Metrics = ("seq_f1",)
    """seq_f1, acc, or registered ones."""
    train_filename: str | None = "train.txt"
    dev_filename: str | None = "dev.txt"
    test_filename: str | None = "test.txt"
    dev_split: Share = 0.0
    token_column: NonNegativeInt | None = None
    """Column of the tokens, from 0; None is the first one."""
    tag_column: int | None = None
    """Column of the tags, from 0, -1 for the last; None is the last one."""
    encoding: str | None = None
    """Encoding of files with one token a line; None is utf-8."""
    germeval14: bool | None = None
    """Columns and labels as in GermEval 2014; None: where the file's path holds "germeval14"."""
    iob1: bool | None = None
    """Tags that begin with I- in the older way; None: where the file's path holds "conll03"."""
    text_column_name: Column = "text"
    """Column of the text in JSON lines and Parquet."""
    label_column_name: Column | None = None
    """Column of the tags there; None is `ner_label`."""
    window_overlap: NonNegativeInt | None = None
    """Tokens that neighbouring windows of a long text share; None takes a quarter of a window."""


class BertStyleLMProcessorConfig(FilesConfig):
    """Plain text for a language model; the fields are the parameters of `BertStyleLMProcessor`."""

    kind: Literal["BertStyleLMProcessor"] = "BertStyleLMProcessor"
    train_filename: str | None = "train.txt"
    dev_filename: str | None = "dev.txt"
    """Dev data; None takes `dev_split` of the training rows, which a stream cannot."""
    test_filename: str | None = "test.txt"
    dev_split: Share = 0.0
    next_sent_pred: bool = True
    """Learn which texts follow each other, too."""
    next_sent_pred_style: Literal["bert-style", "sentence"] = "bert-style"
    """`bert-style` fills rows with sentences, `sentence` makes pairs of single ones."""
    max_docs: PositiveInt | None = None
    """Documents read of each file at most; None reads all."""
    masked_lm_prob: Annotated[float, Field(gt=0, lt=1)] = 0.15
    """Share of the tokens that the model has to find."""
    whole_word_masking: bool = True
    """Hide all tokens of a word or none."""
    mask_count_rule: Literal["real_tokens", "farm"] = "real_tokens"
    """Share of a row's own tokens, or FARM's: of `max_seq_len`, 20 at most."""
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


DEFAULT_KIND = "TextClassificationProcessor"


def _as_config(value: Any) -> Any:
    """Plain values as the configuration of their kind, which may be one of a user's that has been imported."""
    return value if isinstance(value, FilesConfig) else _adapter(tuple(_kinds().items())).validate_python(value)


@functools.cache
def _adapter(kinds: tuple[tuple[str, type[FilesConfig]], ...]) -> TypeAdapter[Any]:
    """Reads any of these, so that errors say the kind and the field."""
    tagged: Any = tuple(Annotated[kind, Tag(name)] for name, kind in kinds)
    return TypeAdapter(Annotated[Union[tagged], Discriminator(_kind)])  # noqa: UP007 - of a tuple


def _kind(value: Any) -> str:
    return str((value.get("kind") if isinstance(value, dict) else None) or DEFAULT_KIND)


def _kinds() -> dict[str, type[FilesConfig]]:
    """Configurations by the name of their processor."""
    found = imported_subclasses(FilesConfig)
    named = {str(kind.model_fields["kind"].default): kind for kind in found.values() if _has_kind(kind)}
    return dict(sorted(named.items()))


def _has_kind(kind: type[FilesConfig]) -> bool:
    return isinstance(kind.model_fields["kind"].default, str)


if TYPE_CHECKING:
    AnyProcessorConfig = ProcessorConfig | BertStyleLMProcessorConfig
else:
    AnyProcessorConfig = Annotated[SerializeAsAny[FilesConfig], BeforeValidator(_as_config)]
    """Of any kind; values without a `kind` mean text classification."""

PROCESSORS_OF_TASKS: dict[str, type[ProcessorConfig]] = {
    "TextClassificationProcessor": TextClassificationProcessorConfig,
    "TextPairClassificationProcessor": TextPairClassificationProcessorConfig,
    "RegressionProcessor": RegressionProcessorConfig,
    "TextPairRegressionProcessor": TextPairRegressionProcessorConfig,
    "NERProcessor": NERProcessorConfig,
}
"""Those that read labelled rows, by name."""
