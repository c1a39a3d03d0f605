"""The heads of transformers' models as ours: which layers, and where the weights are."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from farm_ray.modeling.conversion.architectures import architecture_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import nn
    from transformers import PreTrainedModel

    from farm_ray.modeling.prediction_head.convertible import ConvertibleHead
    from farm_ray.tasks.spec import TaskSpec


def head_of(hf_model: PreTrainedModel, spec: TaskSpec, kind: type[ConvertibleHead]) -> ConvertibleHead:
    """The head of a transformers model with copies of its weights and with its label names.

    Args:
        hf_model: A model of transformers' class for the task.
        spec: The kind of task.
        kind: The class of the head.
    """
    config = hf_model.config
    architecture = architecture_for(spec)
    layers = [hf_model.get_submodule(path) for path in architecture.layers(config)]
    labels = cast("nn.Linear", layers[-1]).out_features
    fresh: Callable[..., ConvertibleHead] = kind
    head: ConvertibleHead = fresh(
        layer_dims=architecture.widths(config, labels), **architecture.hidden(config), **kind.settings_of(config)
    )
    for ours, theirs in zip(layers_of(head), layers, strict=True):
        ours.load_state_dict(theirs.state_dict())
    if head.names_its_outputs:
        names = cast("dict[int, str]", config.id2label)
        head.label_list = [str(names[label_id]) for label_id in range(labels)]
    return head


def layers_of(head: ConvertibleHead) -> list[nn.Module]:
    """The head's layers with weights, from vectors to labels."""
    return [layer for layer in head.feed_forward.feed_forward if any(True for _ in layer.parameters())]
