"""How files become features, as configurations: what those of all processors have. Each stands beside its processor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import AfterValidator, BeforeValidator, Field, PositiveInt, field_validator

from farm_ray.configuration import Config, nearest
from farm_ray.overrides import imported_subclasses
from farm_ray.tasks.classification import CLASSIFICATION
from farm_ray.tasks.language_modelling import LANGUAGE_MODELLING
from farm_ray.tasks.spec import TaskSpec
from farm_ray.tasks.table import all_specs

if TYPE_CHECKING:
    from farm_ray.evaluation.metric import Metric
    from farm_ray.plain import PlainDict


def _as_labels(value: object) -> object:
    """Label names; 1 or 2019, which YAML reads as numbers, as the text they are in the data."""
    if isinstance(value, str):
        raise ValueError("a list of labels is needed, such as [good, bad]")  # noqa: TRY004 - pydantic wants ValueError
    return [_as_label(part) for part in value] if isinstance(value, list | tuple) else value


def _as_label(value: object) -> object:
    if isinstance(value, bool | float) or value is None:
        raise ValueError(
            f"YAML reads a label as {value!r} (it does so with yes, no, on, off, true, false, null and 1.0); "
            'put the labels in quotes: ["yes", "no"]'
        )
    return _as_text(value)


def _as_text(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _as_list(value: object) -> object:
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
    metric: Metrics = (CLASSIFICATION.metric,)
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
        return [*processor_configs().values()] if cls is FilesConfig else [cls]

    keeps_own_task: ClassVar[bool] = False
    """The task that the processor makes by itself stays when there are others."""
    max_seq_len: PositiveInt = 128
    """Tokens per row, special tokens included; longer texts lose their right end."""
    data_dir: str | None = None
    """Folder (or s3:// prefix) of the files; `--data-dir` fills it. None where only dicts are processed."""
    train_filename: str | None = "train.tsv"
    """Training data: a file, folder or glob below `data_dir`; None where there is none."""
    dev_filename: str | None = None
    """Dev data; None takes `dev_split` of the training rows."""
    test_filename: str | None = "test.tsv"
    """Test data; None for none."""
    dev_split: Share = 0.1
    """Share of the training rows for dev, 0 to below 1, where there is no `dev_filename`."""

    def arguments(self) -> PlainDict:
        """What the processor's constructor is given; lists are lists there, as JSON has no tuples."""
        fields = {name: getattr(self, name) for name in type(self).model_fields if name != "kind"}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in fields.items()}


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
    metric: Metrics = (CLASSIFICATION.metric,)
    """Metrics of the task that the processor makes by itself."""

    def own_task_type(self) -> str:
        """Kind of the task that the processor makes by itself."""
        return self.specs[0].name

    def arguments(self) -> PlainDict:
        """As `FilesConfig.arguments`, with the metric of the task that the processor makes by itself, if any."""
        metric = None if self.tasks and not self.keeps_own_task else one_or_all(self.metric)
        return {name: value for name, value in super().arguments().items() if name != "tasks"} | {"metric": metric}


class DelimitedConfig(ProcessorConfig):
    """What the processors of files with columns have."""

    delimiter: str = "\t"
    r"""Column separator of text files; `\t` is a tab."""

    @field_validator("delimiter")
    @classmethod
    def _tab(cls, value: str) -> str:
        return value.replace("\\t", "\t")


class ProgramOptions(Config):
    """Options of processors that a program may give, and no experiment holds."""

    proxies: dict[str, str] | None = None
    """Scheme to proxy address; kept for FARM compatibility, as farm_ray downloads no data sets."""
    multithreading_rust: bool = True
    """False limits the tokenizer to one thread in Ray tasks (RAYON_NUM_THREADS there)."""
    max_text_chars: PositiveInt = 500_000
    """Longer texts become rows with a problem."""
    seed: int = 42
    """Decides about `max_samples`, and about pairs of texts where no run has a seed of its own."""
    inference: bool = False
    """Read and make no labels."""


PROGRAM = ProgramOptions()
"""What a processor does that is given none of these."""


def processor_configs() -> dict[str, type[FilesConfig]]:
    """Configurations by the name of their processor."""
    found = imported_subclasses(FilesConfig)
    named = {str(kind.model_fields["kind"].default): kind for kind in found.values() if _has_kind(kind)}
    return dict(sorted(named.items()))


def _has_kind(kind: type[FilesConfig]) -> bool:
    return isinstance(kind.model_fields["kind"].default, str)


def one_or_all(metric: tuple[str, ...]) -> Metric:
    """The metric of a task as a processor takes it."""
    return metric[0] if len(metric) == 1 else [*metric]
