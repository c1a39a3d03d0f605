"""FARM's experiment files: JSON whose leaves are {"value", "default", "desc"}, with lists that span a grid of runs."""

from __future__ import annotations

import itertools
import logging
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from farm_ray.configuration import build, check_plain, nearest, read_config_text
from farm_ray.errors import ConfigError
from farm_ray.experiment.config import Experiment
from farm_ray.experiment.processor_config import DEFAULT_KIND, PROCESSORS_OF_TASKS
from farm_ray.foreign import parse_json, shown
from farm_ray.tasks.multilabel import MULTILABEL_CLASSIFICATION

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from farm_ray.plain import PlainDict

logger = logging.getLogger(__name__)

_SECTIONS = ("general", "task", "parameter", "optimizer", "logging", "early_stopping")
_NEVER_A_GRID = ("layer_dims",)
_MOST_RUNS = 10_000
_STRUCTURED = ("label_list", "layer_dims", "metric", "optimizer_opts", "schedule_opts", "skiprows")
"""Keys whose value may be a list or a dictionary."""

_TASK_TO_PROCESSOR = (
    "dev_split",
    "dev_filename",
    "train_filename",
    "test_filename",
    "delimiter",
    "quote_char",
    "label_list",
    "metric",
    "label_column_name",
    "text_column_name",
    "skiprows",
)
_TRACKER = "give --set train.tracker=stdout, or a tracker to Trainer"
_WITHOUT_EFFECT: dict[str, dict[str, tuple[tuple[object, ...], str]]] = {
    "general": {
        "cache_dir": ((None,), "set HF_HOME"),
        "cuda": ((None, False), "give --use-gpu, or use_gpu=True"),
        "use_cuda": ((None, False), "give --use-gpu, or use_gpu=True"),
        "local_rank": ((None, -1), "give --num-workers, or num_workers="),
    },
    "task": {
        "do_eval": ((None, True), "dev and test are evaluated whenever they are there"),
    },
    "parameter": {
        "lower_case": ((None,), "the tokenizer's own files decide"),
        "lm_output_type": ((None,), "the processor decides"),
    },
    "logging": {
        "mlflow_url": ((None,), _TRACKER),
        "mlflow_nested": ((None, True, False), _TRACKER),
        "mlflow_experiment": ((None,), _TRACKER),
        "mlflow_run_name": ((None,), _TRACKER),
        "level": ((None,), "set it with Python's logging"),
    },
}
"""Keys of FARM that change nothing here: the values at which nothing is lost by that, and what to do instead."""
_USED = {
    "general": {"data_dir", "output_dir", "use_amp", "seed"},
    "task": {"name", "type", "language", "do_train", "processor_name", *_TASK_TO_PROCESSOR},
    "parameter": {
        "model", "prediction_head", "max_seq_len", "epochs", "batch_size", "gradient_accumulation_steps",
        "embeds_dropout_prob", "layer_dims", "balance_classes",
    },
    "optimizer": {"learning_rate", "optimizer_opts", "schedule_opts"},
    "logging": {"eval_every"},
    "early_stopping": {"mode", "patience", "metric", "min_delta", "min_evals"},
}  # fmt: skip


def load_experiments(path: str | Path) -> list[Experiment]:
    """The runs of a FARM experiment file for a sentence or token task, as many as its grid has points.

    Raises:
        ConfigError: When the file cannot be read, is for another task, or has a key that FARM does not know.
    """
    runs = read_farm_config(path)
    experiments = [experiment_of(run, str(path)) for run in runs]
    lost = dict.fromkeys(one for run in runs for one in _without_effect(run))
    if lost:
        logger.warning("%s: these keys have no effect: %s", path, "; ".join(lost))
    return experiments


def read_farm_config(path: str | Path) -> list[PlainDict]:
    """The runs of a FARM experiment file as nested plain values, see `plain_config` and `grid`."""
    return grid(plain_config(path), str(path))


def plain_config(path: str | Path) -> dict[str, PlainDict]:
    """A FARM experiment file as nested plain values: of each leaf its value, or its default where that is null.

    Raises:
        ConfigError: When the file is missing or not such JSON.
    """
    text = read_config_text(path)
    try:
        tree = parse_json(text)
        check_plain(tree, str(path))
    except ValueError as error:
        raise ConfigError(f"{path} is not valid JSON: {error}", code="invalid-json", file=str(path)) from None
    if not isinstance(tree, dict) or not all(isinstance(section, dict) for section in tree.values()):
        raise ConfigError(f"{path} must hold the sections {', '.join(_SECTIONS)}", code="not-a-mapping", file=str(path))
    return {section: {key: _leaf(leaf) for key, leaf in keys.items()} for section, keys in tree.items()}


def grid(plain: dict[str, PlainDict], where: str) -> list[PlainDict]:
    """The runs that lists of values span, all combinations; lists under `task` and of `layer_dims` are values.

    Raises:
        ConfigError: When there are too many.
    """
    axes = [
        (section, key, value)
        for section, keys in plain.items()
        for key, value in keys.items()
        if isinstance(value, list) and section != "task" and key not in _NEVER_A_GRID
    ]
    runs = math.prod(len(values) for _, _, values in axes)
    if runs > _MOST_RUNS:
        raise ConfigError(
            f"{where} spans a grid of {runs:,} runs, and at most {_MOST_RUNS:,} are read",
            code="too-many-runs",
            value=runs,
            file=where,
        )
    points = itertools.product(*(values for _, _, values in axes))
    return [_with_point(plain, [(section, key) for section, key, _ in axes], point) for point in points]


def is_farm_config(path: str | Path) -> bool:
    """Whether the name says that this is FARM's JSON and not our YAML."""
    return Path(path).suffix == ".json"


def experiment_of(run: PlainDict, where: str = "the FARM configuration") -> Experiment:
    """One run of `read_farm_config` as an Experiment.

    FARM's `batch_size` counts all rows of an optimizer step, so it is divided by `gradient_accumulation_steps`.

    Raises:
        ConfigError: When it is for another processor or head, or has an unknown key.
    """
    _check_keys(run, where)
    sections = {name: _given(run.get(name, {})) for name in _SECTIONS}
    general, task, parameter = sections["general"], sections["task"], sections["parameter"]
    kind = task.get("processor_name", DEFAULT_KIND)
    _check_kind(kind, PROCESSORS_OF_TASKS, "processor_name", where)
    specs = {spec.head: spec for spec in PROCESSORS_OF_TASKS[kind].specs}
    _check_kind(parameter.get("prediction_head", next(iter(specs))), specs, "prediction_head", where)
    task_name = PROCESSORS_OF_TASKS[kind].specs[0].own_task_name
    if task.get("do_train") is False:
        raise ConfigError(
            f"{where}: task.do_train is false; use python -m jobs.evaluate MODEL_DIR FILE",
            code="option-without-effect",
            option="task.do_train",
            file=where,
        )
    steps = _count(parameter, "gradient_accumulation_steps", where) or 1
    values: PlainDict = {
        "name": task.get("name", "farm"),
        "processor": {"kind": kind, **_processor(general, task, parameter)},
        "model": _model(parameter, task_name, where),
        "train": _train(sections, steps),
    }
    if "output_dir" in general:
        # FARM puts a folder per run there.
        values["output_dir"] = str(Path(str(general["output_dir"])) / values["name"])
    batch_size = _count(parameter, "batch_size", where)
    if batch_size is not None:
        values["data"] = {"batch_size": max(1, batch_size // steps)}
    if "seed" in general:
        values["seed"] = general["seed"]
    return build(Experiment, values)


def _leaf(leaf: object) -> object:
    if isinstance(leaf, dict) and ("value" in leaf or "default" in leaf):
        return leaf["value"] if leaf.get("value") is not None else leaf.get("default")
    return leaf


def _with_point(
    tree: dict[str, PlainDict], axes: list[tuple[str, str]], point: tuple[Any, ...]
) -> dict[str, dict[str, object]]:
    run = {section: dict(keys) for section, keys in tree.items()}
    for (section, key), value in zip(axes, point, strict=True):
        run[section][key] = value
    return run


def _check_keys(run: PlainDict, where: str) -> None:
    for section, keys in run.items():
        if section not in _SECTIONS:
            raise ConfigError(
                f'{where}: unknown section "{section}"{nearest(section, _SECTIONS)}',
                code="unknown-option",
                option=section,
                file=where,
            )
        known = _USED.get(section, set()) | set(_WITHOUT_EFFECT.get(section, {}))
        for key, value in keys.items():
            if key not in known:
                raise ConfigError(
                    f'{where}: unknown key "{section}.{key}"{nearest(key, known)}',
                    code="unknown-option",
                    option=f"{section}.{key}",
                    file=where,
                )
            if isinstance(value, list | dict) and key not in _STRUCTURED:
                raise ConfigError(
                    f"{where}: {section}.{key} must be a single value, not {shown(value)}",
                    code="invalid-value",
                    option=f"{section}.{key}",
                    file=where,
                    value=value,
                )


def _without_effect(run: PlainDict) -> list[str]:
    """Each key that asks for something and changes nothing, with what to do instead."""
    output_type = "per_token" if run.get("task", {}).get("processor_name") == "NERProcessor" else "per_sequence"
    return [
        f"{section}.{key}={run[section][key]!r} ({instead})"
        for section, keys in _WITHOUT_EFFECT.items()
        for key, (neutral, instead) in keys.items()
        if key in run.get(section, {})
        and run[section][key] not in neutral
        and not (key == "lm_output_type" and run[section][key] == output_type)
    ]


def _check_kind(name: str, known: Collection[str], key: str, where: str) -> None:
    if name not in list(known):
        readable = " or ".join(known)
        given = name if isinstance(name, str) else shown(name)
        raise ConfigError(
            f"{where}: {key} is {given}; it can be {readable} in a FARM configuration",
            code="invalid-value",
            option=key,
            file=where,
            value=name,
        )


def _given(keys: PlainDict) -> PlainDict:
    return {key: value for key, value in keys.items() if value is not None}


def _processor(general: Mapping[str, object], task: PlainDict, parameter: PlainDict) -> PlainDict:
    values = {key: task[key] for key in _TASK_TO_PROCESSOR if key in task}
    if isinstance(values.get("label_list"), str):
        values["label_list"] = [label.strip() for label in values["label_list"].split(",")]
    values |= {key: parameter[key] for key in ("max_seq_len",) if key in parameter}
    if parameter.get("prediction_head") == MULTILABEL_CLASSIFICATION.head:
        values["multilabel"] = True
    return values | {key: general[key] for key in ("data_dir",) if key in general}


def _count(parameter: Mapping[str, object], key: str, where: str) -> int | None:
    value = parameter.get(key)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
        raise ConfigError(
            f"{where}: parameter.{key} must be a whole number of 1 or more, not {shown(value)}",
            code="invalid-value",
            option=f"parameter.{key}",
            file=where,
            value=value,
        )
    return value


def _model(parameter: Mapping[str, object], task_name: str, where: str) -> PlainDict:
    values = {"language_model": parameter["model"]} if "model" in parameter else {}
    values |= {key: parameter[key] for key in ("embeds_dropout_prob",) if key in parameter}
    weights = "balanced" if parameter.get("balance_classes") else None
    widths = _widths(parameter.get("layer_dims"), where)
    if widths:
        return values | {"heads": [{"task": task_name, "hidden_dims": widths, "class_weights": weights}]}
    return values | {"class_weights": weights}


def _widths(layer_dims: object, where: str) -> list[int]:
    """The hidden widths of FARM's `[input, hidden ..., labels]`, which may be written as text."""
    try:
        dims = parse_json(layer_dims) if isinstance(layer_dims, str) else layer_dims or []
    except ValueError:
        dims = None
    if not isinstance(dims, list):
        raise ConfigError(
            f"{where}: parameter.layer_dims must be a list such as [768, 2], not {shown(layer_dims)}",
            code="invalid-value",
            option="parameter.layer_dims",
            value=layer_dims,
            file=where,
        )
    return dims[1:-1]


def _train(sections: dict[str, PlainDict], steps: int) -> PlainDict:
    values: PlainDict = {"grad_acc_steps": steps, **sections["optimizer"]}
    if "epochs" in sections["parameter"]:
        values["epochs"] = sections["parameter"]["epochs"]
    if "eval_every" in sections["logging"]:
        values["evaluate_every"] = sections["logging"]["eval_every"]
    if "use_amp" in sections["general"]:
        use_amp = sections["general"]["use_amp"]
        values["use_amp"] = {True: "auto", False: None}[use_amp] if isinstance(use_amp, bool) else use_amp
    if sections["early_stopping"]:
        values["early_stopping"] = sections["early_stopping"]
    return values
