"""Processors for models that transformers saved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from farm_ray.configuration import nearest
from farm_ray.errors import ConfigError
from farm_ray.modeling.tokenization import Tokenizer
from farm_ray.tag_schemes import OUTSIDE

if TYPE_CHECKING:
    from collections.abc import Mapping

TASK_TYPES = ("text_classification", "multilabel_text_classification", "regression", "ner", "embeddings")
_LATER = ("question_answering",)


def convert_from_transformers(
    name_or_path: str,
    task_type: str,
    max_seq_len: int,
    *,
    kinds: Mapping[str, Any],
    where: dict[str, Any],
    settings: dict[str, Any],
) -> Any:
    """See `Processor.convert_from_transformers`.

    Args:
        name_or_path: Folder or hub name.
        task_type: One of `TASK_TYPES`.
        max_seq_len: Tokens per row at most.
        kinds: Processor classes by name.
        where: revision, tokenizer_class and use_fast for `Tokenizer.load`.
        settings: Further settings of the tokenizer.
    """
    if task_type in _LATER:
        raise ConfigError(f'task_type "{task_type}" is not available yet in this version of farm_ray', value=task_type)
    if task_type not in TASK_TYPES:
        raise ConfigError(f'unknown task_type "{task_type}"{nearest(task_type, TASK_TYPES)}', value=task_type)
    tokenizer = Tokenizer.load(name_or_path, **where, **settings)
    if task_type == "embeddings":
        return kinds["InferenceProcessor"](tokenizer=tokenizer, max_seq_len=max_seq_len)
    config = _model_config(name_or_path, where["revision"])
    labels = [config.id2label[number] for number in sorted(config.id2label)]
    if task_type == "ner":
        return kinds["NERProcessor"](
            tokenizer=tokenizer,
            max_seq_len=max_seq_len,
            data_dir="data",
            label_list=labels,
            # Without O, as parts of speech have none, there are no entities to count.
            metric="seq_f1" if OUTSIDE in labels else "acc",
        )
    usual = {"tokenizer": tokenizer, "max_seq_len": max_seq_len, "data_dir": "data", "quote_char": '"'}
    problem_type = getattr(config, "problem_type", None)
    several = task_type == "multilabel_text_classification" or problem_type == "multi_label_classification"
    if task_type == "regression" or (config.num_labels == 1 and not several):
        _check_outputs(name_or_path, config)
        # The model's output is the number itself.
        return kinds["RegressionProcessor"](**usual, scaler_mean=0.0, scaler_scale=1.0)
    return kinds["TextClassificationProcessor"](
        **usual,
        label_list=labels,
        label_column_name="label",
        metric="acc",
        multilabel=several,
    )


def _check_outputs(name_or_path: str, config: Any) -> None:
    if config.num_labels != 1:
        raise ConfigError(
            f'{name_or_path} has {config.num_labels} outputs, and task_type="regression" is for one; '
            'use task_type="text_classification"'
        )


def _model_config(name_or_path: str, revision: str | None) -> Any:
    from transformers import AutoConfig

    try:
        where = {} if revision is None else {"revision": revision}
        return AutoConfig.from_pretrained(name_or_path, trust_remote_code=False, **where)
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())[:300]
        raise ConfigError(f"cannot read the model's config.json in {name_or_path} ({reason})") from error
