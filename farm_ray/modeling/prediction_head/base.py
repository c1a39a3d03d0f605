"""What all prediction heads share: layers on top of the language model, a loss per row, predictions, files.

Shapes: B rows in the batch, C classes.
"""

from __future__ import annotations

import inspect
import json
import logging
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from farm_ray import farm_methods, storage
from farm_ray.configuration import nearest
from farm_ray.errors import ConfigError, ModelFolderError
from farm_ray.modeling.language_model import sources
from farm_ray.modeling.language_model.sizes import check_built
from farm_ray.modeling.prediction_head.feed_forward import FeedForwardBlock
from farm_ray.modeling.saved_model import SavedHead
from farm_ray.overrides import imported_subclasses, refuse_uncalled
from farm_ray.saved import check_saved
from farm_ray.tasks.table import all_specs, spec_of_head

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from farm_ray.evaluation.metric import Metric
    from farm_ray.modeling.language_model import LanguageModel
    from farm_ray.plain import PlainDict, PlainMapping

logger = logging.getLogger(__name__)

_SAVED = ("layer_dims", "num_labels", "ph_output_type", "model_type", "task_name", "class_weights", "activation")
_CONNECTED = ("label_tensor_name", "label_list", "metric")


class PredictionHead(nn.Module, ABC):
    """Layers on top of the language model that answer one task.

    A new head is a class with `model_type`, `ph_output_type` and the abstract methods. What it answers says the
    `TaskSpec` with this `model_type` as its `head_type`.
    """

    model_type: ClassVar[str]
    """The kind of task, for example `text_classification`."""
    farm_task: ClassVar[str] = ""
    """`task` in FARM's JSON, where it is not `model_type`."""
    ph_output_type: ClassVar[str]
    """What the head reads and answers: `per_sequence`, `per_sequence_continuous`, `per_token`, `per_token_squad`."""
    has_loss_units: ClassVar[bool] = False
    """The loss is a mean over units, not over rows; see `loss_units`."""
    saved_settings: ClassVar[tuple[str, ...]] = ()
    """Constructor arguments of this class that are saved beside those that all heads have."""
    needs_labels: ClassVar[bool] = True
    """The task must bring a `label_list`."""
    missing_labels: ClassVar[str] = "has no label_list; give label_list=[...]"
    """What is wrong with a task that lacks what the head takes for `label_list`."""

    def __init__(
        self,
        layer_dims: Sequence[int],
        *,
        task_name: str,
        class_weights: Sequence[float] | None = None,
        activation: str | None = None,
        hidden_layers: PlainMapping | None = None,
    ) -> None:
        refuse_uncalled(type(self), farm_methods.PREDICTION_HEAD)
        super().__init__()
        if len(layer_dims) < 2:  # noqa: PLR2004
            raise ConfigError(
                f"layer_dims={list(layer_dims)} needs an input and an output width, for example [768, 2]",
                code="wrong-widths",
                option="layer_dims",
                value=list(layer_dims),
            )
        self.layer_dims = [int(width) for width in layer_dims]
        self.num_labels = self.layer_dims[-1]
        self.task_name = task_name
        self.class_weights = class_weights
        self.activation = activation if len(self.layer_dims) > 2 else None  # noqa: PLR2004
        self.label_tensor_name = f"{task_name}_label_ids"
        # Label names; a regression keeps mean and scale of its labels here.
        self.label_list: list[Any] | None = None
        self.metric: Metric | None = None
        self.hidden_layers = dict(hidden_layers or {})
        self._build_layers()

    @classmethod
    def create(
        cls, prediction_head_name: str, layer_dims: Sequence[int], class_weights: Sequence[float] | None = None
    ) -> PredictionHead:
        """A new head by its class name.

        Raises:
            ConfigError: When there is no such head; the nearest is named.
            TypeError: When class weights are given for a head that has no classes.
        """
        weights = {} if class_weights is None else {"class_weights": class_weights}
        return head_class(prediction_head_name).from_layer_dims(layer_dims, **weights)

    @classmethod
    def from_layer_dims(cls, layer_dims: Sequence[int], **arguments: Any) -> PredictionHead:
        """A new head of these widths, from the language model to the labels."""
        kind: Callable[..., PredictionHead] = cls
        return kind(layer_dims=layer_dims, **arguments)

    @classmethod
    def load(cls, config_file: str | Path, strict: bool = True, load_weights: bool = True) -> PredictionHead:
        """The head saved as `prediction_head_{i}_config.json` with its weights file beside it.

        Args:
            config_file: The JSON file, of farm_ray or FARM 0.8.
            strict: Refuse a weights file that lacks weights.
            load_weights: Read the weights; else they are fresh.

        Raises:
            ModelFolderError: When a file is missing or damaged.
            ConfigError: When the head's class is not there in this version.
        """
        file = storage.local_path(config_file)
        values = sources.read_json(file)
        check_saved(SavedHead, values, file)
        kind = head_class(values["name"])
        arguments = kind._arguments(values)  # noqa: SLF001 - the same class hierarchy
        try:
            with sources.reading(file):
                if load_weights:
                    # Class weights are looked at when a head is built, which needs memory.
                    sizes = {name: value for name, value in arguments.items() if name != "class_weights"}
                    check_built(lambda: kind(**sizes), file, _weights_file(file).stat().st_size)
                head: PredictionHead = kind(**arguments)
            head._take_saved({name: values[name] for name in _CONNECTED if values.get(name) is not None})
        except ConfigError as error:
            raise ModelFolderError(f"{file}: {error}", code="invalid-head-config", file=str(file)) from None
        if load_weights:
            head._load_weights(_weights_file(file), strict=strict)
        return head

    def save(self, save_dir: str | Path, head_num: int = 0) -> None:
        """Writes `prediction_head_{head_num}_config.json` and `prediction_head_{head_num}.safetensors`."""
        folder = storage.local_path(save_dir)
        folder.mkdir(parents=True, exist_ok=True)
        weights = {name: weight.detach().cpu().contiguous() for name, weight in self.state_dict().items()}
        save_file(weights, folder / f"prediction_head_{head_num}.safetensors")
        text = json.dumps(self.describe(), indent=2, ensure_ascii=False) + "\n"
        (folder / f"prediction_head_{head_num}_config.json").write_text(text, encoding="utf-8")

    def describe(self) -> PlainDict:
        """What is saved as JSON; a metric that is a function has no name to save and becomes null."""
        values = {name: getattr(self, name) for name in (*_SAVED, *self.saved_settings, *_CONNECTED)}
        values["metric"] = _json_or_none(self.metric)
        return {**values, "name": type(self).__name__}

    def resize_input(self, input_dim: int) -> None:
        """Makes the head read vectors of this width: fresh layers where it differs."""
        if input_dim != self.layer_dims[0]:
            self.layer_dims = [input_dim, *self.layer_dims[1:]]
            self._build_layers()

    def fit_to(self, language_model: LanguageModel) -> None:
        """Makes the head read this language model's vectors; a head that shares its weights takes hold of them."""
        self.resize_input(language_model.get_output_dims())

    def read(self, vectors: Tensor, batch: Mapping[str, Tensor]) -> Tensor:  # noqa: ARG002 - for heads that choose
        """What the head reads of the language model's vectors, [B, T, H] or [B, H]; all of it where it does not choose.

        Args:
            vectors: Token vectors or row vectors.
            batch: The columns of the batch.
        """
        return vectors

    def connect(self, task: PlainMapping, *, require_labels: bool = True) -> None:
        """Takes label list, metric and label column of the processor's task.

        Raises:
            ConfigError: When the task has no label list though one is needed, or one of another length, or is of
                a type that this head does not answer.
        """
        task_type, answered = task.get("task_type"), spec_of_head(self.model_type)
        if require_labels and task_type is not None and answered is not None and task_type != answered.name:
            raise ConfigError(
                f'the task "{self.task_name}" is a {task_type}, and {type(self).__name__} answers '
                f"{answered.name}; {_hint(task_type)}",
                code="head-of-other-task",
                task=self.task_name,
                value=task_type,
            )
        labels = task.get("label_list")
        if not labels and require_labels and self.needs_labels:
            raise ConfigError(
                f'the task "{self.task_name}" of the processor {self.missing_labels}',
                code="labels-not-known",
                task=self.task_name,
            )
        if labels:
            self._take_labels(labels)
        self.metric = task.get("metric", self.metric)
        self.label_tensor_name = task.get("label_tensor_name", self.label_tensor_name)

    @abstractmethod
    def logits_to_loss(self, logits: Tensor, **batch: Tensor) -> Tensor:
        """The loss of each row, float32 [B]."""

    def loss_units(self, **batch: Tensor) -> Tensor | None:  # noqa: ARG002 - for heads that count
        """How many units each row's loss is made of, such as predicted tokens, [B]; None: a row's loss counts once.

        Where there are units, the loss is a mean over them and not over rows: each row's loss is the sum over its
        units, divided by the mean number of units per row, which the batch holds in the column `loss_units_column`.
        """
        return None

    @property
    def loss_units_column(self) -> str:
        """Name of the number, 0-dimensional, by which `loss_units` are divided; without it that of the batch serves."""
        return f"{self.label_tensor_name}_per_row"

    @abstractmethod
    def logits_to_preds(self, logits: Tensor, **batch: Tensor) -> list[Any]:
        """The prediction for each row."""

    @abstractmethod
    def prepare_labels(self, **batch: Tensor) -> list[Any]:
        """The gold label of each row, comparable with `logits_to_preds`."""

    @abstractmethod
    def format_rows(
        self, rows: Sequence[npt.NDArray[np.float32]], contexts: Sequence[str], return_class_probs: bool = False
    ) -> PlainDict:
        """FARM's JSON for these texts, from logits as `logits_per_row` gives them, windows of one text joined."""

    def logits_to_probs(self, logits: Tensor) -> npt.NDArray[np.float32]:  # noqa: ARG002 - not every head has some
        """The probabilities behind the predictions, [B, C].

        Raises:
            ConfigError: When the head predicts no classes.
        """
        raise ConfigError(
            f'the head of task "{self.task_name}" is a {self.model_type}, which has no probabilities',
            code="no-probabilities",
            task=self.task_name,
            value=self.model_type,
        )

    def logits_per_row(self, logits: Tensor, **_: Tensor) -> list[npt.NDArray[np.float32]]:
        """The logits behind each row's answer, float32: [C] per row; [W, C] where each of a row's W words is answered.

        Args:
            logits: [B, C], or [B, T, C] with the columns of the batch that tell where the words are.
        """
        return list(logits.detach().float().cpu().numpy())

    def formatted_preds(
        self, logits: Tensor, contexts: Sequence[str], return_class_probs: bool = False, **batch: Tensor
    ) -> PlainDict:
        """FARM's JSON for these rows; see `format_rows`.

        Args:
            logits: [B, C] or [B, T, C].
            contexts: The texts, [B].
            return_class_probs: Give the probability of every label.
            batch: The columns that `logits_per_row` needs.
        """
        return self.format_rows(self.logits_per_row(logits, **batch), contexts, return_class_probs)

    def farm_json(self, predictions: Sequence[object]) -> PlainDict:
        """These predictions under FARM's keys."""
        return {"task": self.farm_task or self.model_type, "task_name": self.task_name, "predictions": predictions}

    def forward(self, inputs: Tensor) -> Tensor:
        """Logits, [..., C], from the language model's vectors, [..., layer_dims[0]]."""
        return self.feed_forward(inputs)

    def labels(self) -> list[str]:
        """The label names.

        Raises:
            ConfigError: When the head has none yet.
        """
        if self.label_list is None:
            raise ConfigError(
                f'the head of task "{self.task_name}" has no label names; call '
                "model.connect_heads_with_processor(processor.tasks) first",
                code="labels-not-known",
                task=self.task_name,
            )
        return self.label_list

    def gold(self, batch: Mapping[str, Tensor]) -> Tensor:
        """The label column of this head.

        Raises:
            ConfigError: When the batch has none.
        """
        if self.label_tensor_name not in batch:
            raise ConfigError(
                f'the head of task "{self.task_name}" needs the column "{self.label_tensor_name}" for labels'
                f"{nearest(self.label_tensor_name, batch)}; connect the head with the processor that made the batch",
                code="missing-batch-column",
                column=self.label_tensor_name,
                task=self.task_name,
            )
        return batch[self.label_tensor_name]

    @classmethod
    def _arguments(cls, values: PlainMapping) -> PlainDict:
        """Constructor arguments out of a saved head; FARM 0.8 put nothing between the layers."""
        known = set(inspect.signature(cls.__init__).parameters) - {"self", "num_labels"}
        return {name: value for name, value in ({"activation": None} | dict(values)).items() if name in known}

    def _take_saved(self, values: PlainMapping) -> None:
        """Takes what was connected when the head was saved."""
        for name, value in values.items():
            if name != "label_list":
                setattr(self, name, value)
        if values.get("label_list"):
            self._take_labels(values["label_list"])

    def _build_layers(self) -> None:
        """Fresh layers of the widths in `layer_dims`."""
        self.feed_forward = FeedForwardBlock(self.layer_dims, self.activation, **self.hidden_layers)

    def _load_weights(self, file: Path, *, strict: bool) -> None:
        weights = sources.read_tensors(file)
        if strict:
            sources.check_complete([name for name in self.state_dict() if name not in weights], file)
        known = {name: weight for name, weight in weights.items() if name in self.state_dict()}
        with sources.reading(file):
            self.load_state_dict(known, strict=False)

    def _take_labels(self, labels: Sequence[object]) -> None:
        names = [str(label) for label in labels]
        if len(names) != self.num_labels:
            raise ConfigError(
                f'the task "{self.task_name}" has {len(names)} labels ({_shown(names)}), but its head has '
                f"num_labels={self.num_labels}; build the head with num_labels={len(names)} or fix label_list",
                code="wrong-number-of-labels",
                task=self.task_name,
                value=len(names),
            )
        self._replace_labels(names)

    def _replace_labels(self, labels: list[Any]) -> None:
        if self.label_list is not None and self.label_list != labels:
            logger.warning(
                'task "%s": the head was trained with the labels %s and is now read as %s; the order counts',
                self.task_name,
                _shown(self.label_list),
                _shown(labels),
            )
        self.label_list = labels


def stacked(rows: Sequence[npt.NDArray[np.float32]], width: int) -> Tensor:
    """Rows of `width` numbers as one tensor, float32 [B, width], also for no rows."""
    return torch.from_numpy(np.stack(rows)) if rows else torch.zeros((0, width))


def saved_head_file(name_or_path: str | Path, head_name: str) -> Path | None:
    """The `prediction_head_{i}_config.json` that is meant: the file itself, or the first of this class in a folder."""
    if str(name_or_path).endswith(".json"):
        return storage.local_path(name_or_path)
    folder = sources.find_folder(name_or_path)
    files = [] if folder is None else sorted(folder.glob("prediction_head_*_config.json"))
    return next((file for file in files if sources.read_json(file).get("name") == head_name), None)


def head_class(name: str) -> type[PredictionHead]:
    """The head class of this name: one of ours, else a subclass of `PredictionHead` that has been imported.

    Raises:
        ConfigError: When there is none.
    """
    known = _all_classes()
    if name not in known:
        hint = f"{nearest(name, known)}; import the module that defines a class of your own first"
        raise ConfigError(
            f'there is no prediction head "{name}" in this version{hint}', code="unknown-class", value=name
        )
    return known[name]


def _all_classes() -> dict[str, type[PredictionHead]]:
    """Ours and those that have been imported, by name."""
    found = imported_subclasses(PredictionHead)  # type: ignore[type-abstract]
    return {name: kind for name, kind in found.items() if not inspect.isabstract(kind)}


def _hint(task_type: str) -> str:
    fitting = [spec.head for spec in all_specs() if spec.name == task_type]
    return f"take a {fitting[0]}" if fitting else "give it a head of its own kind"


def _weights_file(config_file: Path) -> Path:
    stem = config_file.name.removesuffix("_config.json")
    for suffix in (".safetensors", ".bin"):
        if (config_file.parent / f"{stem}{suffix}").is_file():
            return config_file.parent / f"{stem}{suffix}"
    raise sources.missing(config_file.parent / f"{stem}.safetensors", f"{stem}.bin")


def _json_or_none(metric: Metric | None) -> Metric | None:
    try:
        json.dumps(metric)
    except TypeError:
        return None
    return metric


def _shown(labels: Sequence[object]) -> str:
    return ", ".join(map(str, labels[:10])) + (", ..." if len(labels) > 10 else "")  # noqa: PLR2004
