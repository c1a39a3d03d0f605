"""Processors for models that transformers saved."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from farm_ray.configuration import nearest
from farm_ray.data_handler.processor.saving import construct
from farm_ray.errors import ConfigError
from farm_ray.modeling.tokenization import Tokenizer
from farm_ray.tasks.checkpoints import siblings, spec_by_problem
from farm_ray.tasks.classification import CLASSIFICATION
from farm_ray.tasks.regression import REGRESSION
from farm_ray.tasks.table import EMBEDDINGS, LATER, predicted_names, spec_of_farm

if TYPE_CHECKING:
    from collections.abc import Mapping

    from transformers import PreTrainedConfig

    from farm_ray.data_handler.processor.base import Processor
    from farm_ray.plain import PlainDict
    from farm_ray.tasks.spec import TaskSpec


def convert_from_transformers(
    name_or_path: str,
    task_type: str,
    max_seq_len: int,
    *,
    kinds: Mapping[str, type[Processor]],
    where: PlainDict,
    settings: PlainDict,
) -> Processor:
    """See `Processor.convert_from_transformers`.

    Args:
        name_or_path: Folder or hub name.
        task_type: What can be predicted, or `embeddings`.
        max_seq_len: Tokens per row at most.
        kinds: Processor classes by name.
        where: revision, tokenizer_class and use_fast for `Tokenizer.load`.
        settings: Further settings of the tokenizer.
    """
    spec = _checked_spec(task_type)
    tokenizer = Tokenizer.load(name_or_path, **where, **settings)
    if spec is None:
        return construct(kinds["InferenceProcessor"], tokenizer, {"max_seq_len": max_seq_len})
    config = _model_config(name_or_path, where["revision"])
    if spec == CLASSIFICATION:
        spec = spec_by_problem(siblings(spec), config)
    if spec == REGRESSION:
        _check_outputs(name_or_path, config)
    names = cast("dict[int, str]", config.id2label)
    labels = [names[number] for number in sorted(names)]
    return kinds[spec.processor].for_checkpoint(spec, labels, tokenizer=tokenizer, max_seq_len=max_seq_len)


def _checked_spec(task_type: str) -> TaskSpec | None:
    """The kind of task; None for embeddings, which have none."""
    if task_type in LATER:
        raise ConfigError(
            f'task_type "{task_type}" is not available yet in this version of farm_ray',
            code="not-available-yet",
            value=task_type,
        )
    known = [*predicted_names(), EMBEDDINGS]
    if task_type not in known:
        raise ConfigError(
            f'unknown task_type "{task_type}"{nearest(task_type, known)}', code="unknown-task-type", value=task_type
        )
    return spec_of_farm(task_type)


def _check_outputs(name_or_path: str, config: PreTrainedConfig) -> None:
    if config.num_labels != 1:
        raise ConfigError(
            f'{name_or_path} has {config.num_labels} outputs, and task_type="regression" is for one; '
            'use task_type="text_classification"',
            code="too-many-outputs",
            file=name_or_path,
            value=config.num_labels,
        )


def _model_config(name_or_path: str, revision: str | None) -> PreTrainedConfig:
    from transformers import AutoConfig

    try:
        where = {} if revision is None else {"revision": revision}
        return AutoConfig.from_pretrained(name_or_path, trust_remote_code=False, **where)
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())[:300]
        raise ConfigError(
            f"cannot read the model's config.json in {name_or_path} ({reason})",
            code="cannot-read-config",
            file=name_or_path,
        ) from error
