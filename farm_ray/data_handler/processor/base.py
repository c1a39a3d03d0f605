"""The base of all processors: settings and tasks, and three stages from a file to features. Without torch and ray."""

from __future__ import annotations

import abc
from typing import TYPE_CHECKING, ClassVar, NoReturn

from farm_ray import storage
from farm_ray.compat import own_features
from farm_ray.compat.sample_methods import SampleMethods
from farm_ray.configuration import strict_arguments
from farm_ray.data_handler.dicts_to_samples.text import text_samples
from farm_ray.data_handler.dicts_to_samples.user_labels import user_label_samples
from farm_ray.data_handler.file_to_dicts.splits import Split
from farm_ray.data_handler.processor import checks, conversion, files, identity, saving
from farm_ray.data_handler.processor.config import PROGRAM
from farm_ray.data_handler.processor.dicts import dicts_table
from farm_ray.data_handler.processor.measuring import measured_tasks
from farm_ray.data_handler.processor.metrics import check_metrics
from farm_ray.data_handler.processor.names import class_named
from farm_ray.data_handler.samples_to_features.padding import Padding
from farm_ray.data_handler.samples_to_features.text import text_features
from farm_ray.errors import ConfigError
from farm_ray.overrides import imported_subclasses
from farm_ray.tasks.saved import loaded_task
from farm_ray.tasks.table import spec_named
from farm_ray.tasks.task import Task, check_names, lacking_labels, make_task

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    import pyarrow as pa

    from farm_ray.data_handler.file_to_dicts.survey import Survey
    from farm_ray.data_handler.given_rows import RowDict
    from farm_ray.data_handler.samples_to_features.masking import Masking
    from farm_ray.evaluation.metric import Metric
    from farm_ray.modeling.tokenization.protocol import TokenizerLike
    from farm_ray.plain import PlainMapping
    from farm_ray.tasks.spec import TaskSpec


class Processor(SampleMethods, abc.ABC):
    """Turns files or dicts into features for a model. Set it up, add its tasks, hand it to a `DataSilo`.

    A subclass of your own overrides `file_to_dicts` (one dict with "text" and labels per row), and `convert_labels`
    if its labels need more than a look-up in a label list. With FARM's `_dict_to_samples`, `_sample_to_features` or
    `dataset_from_dicts` it makes its own features, row by row: lists or arrays of numbers under FARM's names, token
    lists padded to `max_seq_len`. Invalid rows never vanish: they carry a `problem` to the end.

    The options are those of `FilesConfig` and `ProgramOptions`.

    Args:
        tokenizer: From `Tokenizer.load`.
        tasks: Task dicts by name, as `add_task` makes them.

    Raises:
        ConfigError: On values that are invalid.
    """

    max_text_chars: int = PROGRAM.max_text_chars
    text_b_column_name: str | None = None
    text_b_is_optional: bool = False
    """A row without a second text is a single text."""
    """Column of the second text where rows are pairs of texts; None where a row has one text."""
    inference: bool = False
    rows_of_whole_tables: bool = False
    """Rows are made of several of the file's rows, so that it matters which of these are featurised together: always
    all of a table that `read` gives."""
    usual_task_type: str | None = None
    """Type of tasks that are added, or were saved, without one."""
    methods_never_called: ClassVar[Mapping[str, str]] = {}
    """Methods of FARM that a subclass may override but that this class never calls -> what to write instead."""

    @strict_arguments
    def __init__(
        self,
        tokenizer: TokenizerLike,
        max_seq_len: int,
        train_filename: str | Path | None,
        dev_filename: str | Path | None,
        test_filename: str | Path | None,
        dev_split: float | None,
        data_dir: str | Path | None,
        tasks: Mapping[str, PlainMapping] | None = None,
        proxies: dict[str, str] | None = PROGRAM.proxies,
        multithreading_rust: bool = PROGRAM.multithreading_rust,
    ) -> None:
        own_features.check_class(type(self))
        checks.check_settings(tokenizer, max_seq_len, dev_split, pairs=self.text_b_column_name is not None)
        checks.check_filenames(train_filename=train_filename, dev_filename=dev_filename, test_filename=test_filename)
        self.tokenizer = tokenizer
        self.max_seq_len = max_seq_len
        self.train_filename = train_filename
        self.dev_filename = dev_filename
        self.test_filename = test_filename
        self.dev_split = dev_split
        self.data_dir = data_dir
        self.tasks: dict[str, Task] = {name: loaded_task(name, task) for name, task in (tasks or {}).items()}
        self.proxies = proxies
        self.multithreading_rust = multithreading_rust

    def add_task(
        self,
        name: str,
        metric: Metric,
        label_list: Sequence[str] | Sequence[float] | None = None,
        label_column_name: str | None = None,
        label_name: str | None = None,
        task_type: str | None = None,
        text_column_name: str | None = None,
    ) -> None:
        """Adds labels to read, or replaces the task of this name. The prediction head of the same name uses them.

        Args:
            name: The head's `task_name`.
            metric: Name of a metric, a function `(preds, labels)`, or a list of both.
            label_list: All labels; a label's position is its id. For a regression mean and scale of the labels, or an
                empty list. None: a `DataSilo` takes the labels (or measures the numbers) of its training data.
            label_column_name: The labels' column in the file.
            label_name: Key of the label in dicts; `{name}_label` by default, and the tensor `{label_name}_ids`.
            task_type: `classification`, `multilabel_classification`, `regression`, `token_classification` or one that
                `register_task` made known; None is the one that the processor is for.
            text_column_name: The text's column in the file.

        Raises:
            ConfigError: On labels that are no list, too few, or there twice; or on a frozen processor.
        """
        task = make_task(
            name,
            spec=spec_named(task_type or self.own_task_type(), task_name=name),
            metric=metric,
            label_list=label_list,
            label_column_name=label_column_name,
            label_name=label_name,
            text_column_name=text_column_name,
        )
        check_names(name, task, self.tasks)
        self.tasks = {**self.tasks, name: task}

    def own_task_type(self) -> str | None:
        """The type of tasks that are added without one."""
        return self.usual_task_type

    @classmethod
    def own_row_methods(cls) -> tuple[str, ...]:
        """FARM's methods on single rows that a subclass brings, by which it makes features of its own; () for none."""
        return own_features.made_by(cls)

    @property
    def label_tensor_names(self) -> list[str]:
        """The label columns of the features, in the order of the tasks; none in inference."""
        return [] if self.inference else [task.label_tensor_name for task in self.tasks.values()]

    def check_ready_for_training(self, train_file: str | None = None) -> None:
        """Raises ConfigError when something training needs is missing, and says how to give it.

        Args:
            train_file: The training file, to look for labels in.
        """
        if not self.tasks:
            raise ConfigError(self.what_is_missing(train_file), code="no-task")
        check_metrics(self.tasks)
        lacking = lacking_labels(self.tasks)
        if lacking and self._makes_labels_itself():
            raise ConfigError(
                f'task "{lacking[0]}" has no label_list, and {type(self).__name__} makes its own labels, so that '
                "the data do not say them; give label_list",
                code="labels-not-known",
                task=lacking[0],
            )

    def check_labels_known(self) -> None:
        """Raises ConfigError where labels would have to be taken from training data that are not there."""
        for name in lacking_labels(self.tasks):
            raise ConfigError(
                f'task "{name}" has no label_list, and no training data to take it from; give label_list',
                code="labels-not-known",
                task=name,
            )

    def what_is_missing(self, train_file: str | None) -> str:  # noqa: ARG002 - for subclasses that look into the file
        """Why there is no task, and a hint."""
        return f"{type(self).__name__} has no task: call add_task(name, metric, label_list) before training"

    def fitted_on(self, tables: Iterable[pa.Table]) -> Processor:
        """A copy with what can only be measured on the training data: labels that no list names, mean and scale.

        Where `convert_labels` is the subclass's own, nothing is measured: mean 0, scale 1.

        Args:
            tables: Training data from stage 1; not read where nothing is to be measured.

        Returns:
            The processor itself where nothing is to be measured.

        Raises:
            DataProblemError: When a column does not hold labels, or holds ones that cannot be told apart for sure.
            ConfigError: On a metric that does not fit the labels.
        """
        tasks = measured_tasks(self.tasks, () if self._converts_labels_itself() else tables)
        if tasks is self.tasks:
            return self
        check_metrics(tasks)
        return identity.changed_copy(self, tasks=tasks)

    @abc.abstractmethod
    def file_to_dicts(self, file: str) -> Iterable[RowDict]:
        """One dict per row of the file: "text", a label per task under its `label_name`, and "id" if there is one.

        Where rows are pairs, "text" is a tuple of two.
        """

    def splits(self, path: str, target_bytes: int) -> list[Split]:  # noqa: ARG002 - for subclasses that can cut files
        """The splits of a file, of about this many bytes; one of the whole where it cannot be cut.

        For that no more is looked at than the file's size and its first lines.
        """
        return [Split(path)]

    def survey(self, split: Split, *, lines_wanted: bool) -> Survey | None:  # noqa: ARG002 - as `splits`
        """What has to be known of all splits of a file that was cut before one of them is read; None for nothing.

        Args:
            split: One of several that `splits` gave.
            lines_wanted: Whether rows are to be named by their line in the file.
        """
        return None

    def read(self, split: Split) -> Iterator[pa.Table]:
        """Stage 1: the rows of a split as tables with columns id, text, text_b in pairs, a label per task, problem."""
        return files.tables_of_dicts(self, split)

    def settle_encoding(self, path: str) -> None:
        """Finds out in which encoding a file is read, for subclasses that look: what is unexpected is reported here.

        For processes that leave the reading to others, whose reports nobody sees.
        """

    def look_at_files(self, paths: Sequence[str]) -> None:
        """Reports what is unexpected in how files are written, before other processes read them."""
        for path in paths:
            self.settle_encoding(path)

    def for_pass(self, seed: int, epoch: int) -> Processor:  # noqa: ARG002 - for processors that draw
        """A copy whose random choices are those of this epoch; the processor itself where it makes none."""
        return self

    def dicts_to_table(self, dicts: Sequence[object], indices: Sequence[int] | None = None) -> pa.Table:
        """Dicts in memory as such a table, one row per dict; a row without an id of its own is named by its index."""
        numbers = range(len(dicts)) if indices is None else indices
        return self.named_dicts_to_table(dicts, [str(number) for number in numbers])

    def named_dicts_to_table(self, dicts: Sequence[object], default_ids: Sequence[str]) -> pa.Table:
        """As `dicts_to_table`; rows without an id of their own get the one given here."""
        if self.own_row_methods():
            return own_features.dicts_table(self, dicts, default_ids)
        return self.texts_to_table(dicts, default_ids)

    def texts_to_table(self, dicts: Sequence[object], default_ids: Sequence[str]) -> pa.Table:
        """As `named_dicts_to_table` for farm_ray's own features: every dict must have a text."""
        return dicts_table(
            dicts,
            default_ids,
            tasks={} if self.inference else self.tasks,
            max_text_chars=self.max_text_chars,
            with_dictionary=self._converts_labels_itself() and not self.inference,
            pairs=self.text_b_column_name is not None,
        )

    def dicts_to_samples(self, dicts: pa.Table) -> pa.Table:
        """Stage 2: checked texts and label ids; rows in = rows out, in order."""
        if self._converts_labels_itself() and not self.inference:
            return user_label_samples(dicts, tasks=self.tasks, convert=self.convert_labels)
        return text_samples(dicts, tasks=self.tasks, inference=self.inference)

    def convert_labels(self, dictionary: RowDict) -> dict[str, list[object]]:
        """The labels of one row: per task its `label_tensor_name` and a list of numbers of fixed length.

        A subclass may override this; what it raises becomes the row's problem. `dictionary` is then the row's dict
        as `file_to_dicts` or the caller gave it.
        """
        return {
            task.label_tensor_name: task.labels.ids(task, dictionary[task.label_name]) for task in self.tasks.values()
        }

    def samples_to_features(self, samples: pa.Table) -> pa.Table:
        """Stage 3: token ids, in order; every row gives one row, or several that say whose they are in `dict_id`."""
        return text_features(
            samples, tokenizer=self.tokenizer, max_seq_len=self.max_seq_len, label_columns=self.label_tensor_names
        )

    def featurize(self, dicts: pa.Table) -> pa.Table:
        """Arrows 2 and 3 in one, or the features that a subclass makes of each row."""
        if self.own_row_methods():
            return own_features.featurize(self, dicts)
        return self.samples_to_features(self.dicts_to_samples(dicts))

    def padding(self) -> Padding:
        """How batches of this tokenizer are padded."""
        if self.tokenizer.pad_token_id is None:
            hint = 'use a model that has one, or Tokenizer.load(..., pad_token="<pad>")'
            raise ConfigError(f"the tokenizer has no padding token; {hint}", code="no-padding-token")
        return Padding(
            pad_token_id=self.tokenizer.pad_token_id,
            side=self.tokenizer.padding_side,
            segment_pad=self.tokenizer.pad_token_type_id,
            max_width=self.max_seq_len,
        )

    def masking(self, seed: int) -> Masking | None:  # noqa: ARG002 - for language models
        """How batches hide tokens for the model to find, drawn by `seed`; None where they hide none."""
        return None

    def frozen(self) -> Processor:
        """A copy whose attributes can no longer be set; it can be pickled and sent to other processes."""
        if identity.is_frozen(self):
            return self
        own_features.check_ready(self)
        return identity.changed_copy(self, tasks=dict(self.tasks), _frozen=True)

    def for_inference(self) -> Processor:
        """A copy that reads and makes no labels."""
        return identity.changed_copy(self, inference=True)

    def fingerprint(self) -> str:
        """Equal for processors that make equal features of equal files: sha256 over class, settings and tokenizer."""
        return identity.fingerprint(self)

    def __setattr__(self, name: str, value: object) -> None:
        if identity.is_frozen(self):
            _refuse(self, name)
        super().__setattr__(name, value)

    def __delattr__(self, name: str) -> None:
        if identity.is_frozen(self):
            _refuse(self, name)
        super().__delattr__(name)

    def generate_config(self) -> dict[str, object]:
        """The settings as plain values, ready for JSON: every public attribute that JSON can hold.

        Raises:
            ConfigError: When a task's metric is a function that has not been registered under a name.
        """
        return saving.plain_settings(self)

    def save(self, save_dir: str | Path) -> None:
        """Writes `processor_config.json` and the tokenizer's files into a folder, which is made if it is missing.

        Raises:
            ConfigError: As `generate_config`; nothing is written then.
        """
        saving.save(self, storage.local_path(save_dir))

    @classmethod
    def load(
        cls,
        processor_name: str,
        data_dir: str | Path | None,
        tokenizer: TokenizerLike,
        max_seq_len: int,
        train_filename: str | Path | None,
        dev_filename: str | Path | None,
        test_filename: str | Path | None,
        dev_split: float | None,
        **kwargs: object,
    ) -> Processor:
        """A processor of the class with this name; `kwargs` are further arguments of that class.

        Raises:
            ConfigError: When there is no such class.
            TypeError: On an argument the class does not have.
        """
        settings = {
            "data_dir": data_dir,
            "max_seq_len": max_seq_len,
            "train_filename": train_filename,
            "dev_filename": dev_filename,
            "test_filename": test_filename,
            "dev_split": dev_split,
            **kwargs,
        }
        return saving.construct(saving.named_class(processor_name, cls, all_classes()), tokenizer, settings)

    @classmethod
    def load_from_dir(cls, load_dir: str | Path) -> Processor:
        """The processor that was saved into this folder, of the class it was saved from, with its tasks.

        Raises:
            ModelFolderError: When `processor_config.json` is missing or broken, or the tokenizer cannot be loaded.
            ConfigError: When the class is not known here.
        """
        return saving.load_from_dir(storage.local_path(load_dir), cls, all_classes())

    @classmethod
    def for_checkpoint(
        cls,
        spec: TaskSpec,
        labels: list[str],  # noqa: ARG003
        *,
        tokenizer: TokenizerLike,  # noqa: ARG003
        max_seq_len: int,  # noqa: ARG003 - for classes that can
    ) -> Processor:
        """The processor for a transformers model whose outputs have these names.

        Args:
            spec: The kind of task that the model is for.
            labels: From its `id2label`, in order.
            tokenizer: Of the model.
            max_seq_len: Tokens per row at most.

        Raises:
            ConfigError: When this class has no way to read for such models.
        """
        raise ConfigError(
            f"{cls.__name__} cannot be made for a transformers model ({spec.farm_name}); build it itself",
            code="processor-not-for-checkpoints",
            value=cls.__name__,
            task_type=spec.farm_name,
        )

    @classmethod
    def convert_from_transformers(
        cls,
        tokenizer_name_or_path: str | Path,
        task_type: str,
        max_seq_len: int,
        doc_stride: int = 128,  # noqa: ARG003 - for question answering
        revision: str | None = None,
        tokenizer_class: str | None = None,
        tokenizer_args: Mapping[str, object] | None = None,
        use_fast: bool = True,
    ) -> Processor:
        """A processor for a model that transformers saved; labels come from the model's `id2label`.

        A model with one output is a regression, and is read unscaled.

        Args:
            tokenizer_name_or_path: Folder of the model or its name on the hub.
            task_type: `text_classification`, `multilabel_text_classification`, `regression`, `ner` or
                `embeddings`.
            max_seq_len: Tokens per row at most.
            doc_stride: Not used by these tasks.
            revision: Branch, tag or commit on the hub.
            tokenizer_class: A transformers class; found out by default.
            tokenizer_args: Settings for `Tokenizer.load`.
            use_fast: As for `Tokenizer.load`.

        Raises:
            ConfigError: On another task type, or a model that has not the outputs for it.
        """
        where = {"revision": revision, "tokenizer_class": tokenizer_class, "use_fast": use_fast}
        return conversion.convert_from_transformers(
            str(tokenizer_name_or_path),
            task_type,
            max_seq_len,
            kinds=all_classes(),
            where=where,
            settings=dict(tokenizer_args or {}),
        )

    def _makes_labels_itself(self) -> bool:
        """True where a subclass turns labels into numbers in some way of its own."""
        return self._converts_labels_itself() or bool(self.own_row_methods())

    def _converts_labels_itself(self) -> bool:
        """True where a subclass brings a `convert_labels` of its own."""
        return type(self).convert_labels is not Processor.convert_labels


def processor_class(name: str) -> type[Processor]:
    """The processor class of this name: one of ours, else a subclass of `Processor` that has been imported.

    Raises:
        ConfigError: When there is none.
    """
    return class_named(name, all_classes())


def all_classes() -> dict[str, type[Processor]]:
    """Ours and those that have been imported, by name."""
    found = imported_subclasses(Processor)  # type: ignore[type-abstract]
    return {name: kind for name, kind in found.items() if not name.startswith("_")}


def _refuse(processor: Processor, name: str) -> NoReturn:
    raise ConfigError(
        f'cannot change "{name}" of a {type(processor).__name__} that has been handed over; '
        "set up the processor (add_task too) before building the DataSilo or Inferencer",
        code="processor-is-frozen",
        option=name,
    )
