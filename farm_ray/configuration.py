"""Frozen configuration values: checked when built, changed only into a new value, written to and read from YAML."""

from __future__ import annotations

import difflib
import functools
import inspect
import itertools
import math
import re
import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextvars import ContextVar
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, Union, get_args, get_origin

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError, ValidationInfo, field_validator

from farm_ray.credentials import saved_values
from farm_ray.errors import ConfigError
from farm_ray.foreign import quoted, read_text, reason, shown, text_problem
from farm_ray.nearest_key import nearest_key
from farm_ray.storage.addresses import local_path
from farm_ray.yaml_text import MOST_BYTES, Dumper, parse_yaml

if TYPE_CHECKING:
    from pathlib import Path

    from farm_ray.plain import PlainDict, PlainMapping

C = TypeVar("C", bound="Config")
F = TypeVar("F", bound=Callable[..., Any])


_DEEPEST = 100
_INT64 = 2**63
_MOST_NAMES = 30


from_arguments: ContextVar[bool] = ContextVar("from_arguments", default=False)
"""Whether configurations are built from a program's arguments, where a text is no number as it may be in a file."""


class Config(BaseModel):
    """A frozen, keyword-only value; unknown fields are refused. Build from user input with `build`."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", protected_namespaces=(), validate_default=True, allow_inf_nan=False
    )

    @classmethod
    def alternatives(cls) -> list[type[Config]]:
        """The classes of the values that a field of this class may have."""
        return [cls]

    @field_validator("*", mode="before")
    @classmethod
    def _no_switch_for_a_number(cls, value: object, field: ValidationInfo) -> object:
        """Pydantic takes True for 1, and False for 0 where a `no` in YAML meant None; and a text for its number."""
        of_program = from_arguments.get()
        wrong = isinstance(value, bool) or (isinstance(value, str) and of_program)
        if wrong and _is_number(cls.model_fields[str(field.field_name)].annotation):
            in_yaml = "a number is needed; YAML reads yes, no, on, off, true and false as switches"
            raise ValueError("must be a number" if of_program else in_yaml)
        return value


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint to append to an error: `; did you mean "epochs"?`, or the known names where none is near."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    if close:
        return f'; did you mean "{close[0]}"?'
    more = f", ... ({len(names)} in all)" if len(names) > _MOST_NAMES else ""
    return f"; known are: {', '.join(names[:_MOST_NAMES])}{more}" if names else ""


def build(kind: type[C], values: PlainMapping, *, where: str = "") -> C:
    """The configuration `kind` from plain values.

    Args:
        kind: The configuration class.
        values: Field names and plain values, nested mappings for nested configurations.
        where: Dotted prefix for messages, for example `train`.

    Raises:
        ConfigError: On an unknown field, a missing field or a wrong type; names the field's dotted path.
    """
    check_plain(values, where)
    try:
        return kind.model_validate(dict(values))
    except ValidationError as error:
        raise _first_problem(error, kind, where) from None


def replace(config: C, dotted_name: str, value: object) -> C:
    """A copy of `config` in which the field with this dotted name has a new value.

    Raises:
        ConfigError: When no field has that name (the nearest one is named) or the value does not fit.
    """
    known = dotted_names(type(config))
    if dotted_name.split(".", maxsplit=1)[0] not in known:
        raise ConfigError(
            f"unknown key {quoted(dotted_name)}{nearest_key(dotted_name, known)}",
            code="unknown-option",
            option=dotted_name,
        )
    return _replace(config, dotted_name.split("."), value, dotted_name, known)


def dotted_names(kind: type[Config], prefix: str = "") -> list[str]:
    """The names of all fields of a configuration class, those of nested configurations included."""
    names = []
    for name, field in kind.model_fields.items():
        names.append(prefix + name)
        for nested in _nested(field.annotation):
            names += [inner for inner in dotted_names(nested, f"{prefix}{name}.") if inner not in names]
    return names


def parse_assignment(text: str) -> tuple[str, object]:
    """`train.epochs=2` as (`"train.epochs"`, 2); the value is read as YAML: numbers, true, null, [a, b], text."""
    name, sign, value = text.partition("=")
    if not sign or not name.strip():
        raise ConfigError(
            f'--set needs key=value, for example train.epochs=2, not "{text}"', code="invalid-assignment", value=text
        )
    try:
        return name.strip(), read_scalar(value)
    except ValueError:
        return name.strip(), value


def read_scalar(text: str) -> object:
    """A YAML value; unlike in plain YAML 1.1, 5e-5 is a number and Python's None is null.

    Raises:
        ValueError: When it is none.
    """
    if text.strip() == "None":
        return None
    # A blank is a delimiter of files, not nothing.
    return parse_yaml(text) if text.strip() else text


def to_saved(config: Config) -> PlainDict:
    """The whole tree as plain values, as it may be written to a file: addresses are without their credentials."""
    saved: PlainDict = saved_values(config.model_dump(mode="json"))
    return saved


def to_yaml(config: Config) -> str:
    """The tree of `to_saved` as YAML; `build` with `read_yaml` makes a value of it, equal but for credentials."""
    return yaml.dump(to_saved(config), Dumper=Dumper, sort_keys=False, allow_unicode=True)


def read_yaml(path: str | Path) -> PlainDict:
    """The mapping in a YAML file.

    Raises:
        ConfigError: When the file is missing, is no YAML, or holds something other than a mapping.
    """
    text = read_config_text(path)
    try:
        values = parse_yaml(text)
    except ValueError as error:
        raise ConfigError(f"{path} is not valid YAML: {error}", code="invalid-yaml", file=str(path)) from None
    if not isinstance(values, dict):
        raise ConfigError(f"{path} must hold a mapping of names to values", code="not-a-mapping", file=str(path))
    return values


def read_config_text(path: str | Path) -> str:
    """The text of a configuration file.

    Raises:
        ConfigError: When it is missing, too large for one, or no UTF-8.
    """
    try:
        return read_text(local_path(path), MOST_BYTES)
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"cannot read the configuration {path}: {reason(error)}", code="cannot-read-config", file=str(path)
        ) from None


def check_plain(value: object, where: str = "", *, depth: int = 0) -> None:
    """Refuses what no option of ours can be: numbers beyond 64 bits, NaN and infinity, NUL characters, endless nesting.

    Args:
        value: From a file or a flag.
        where: Dotted name of the value.
        depth: How deep it lies.

    Raises:
        ConfigError: Says where it is, and what is wrong.
    """
    problem = "nested too deeply" if depth > _DEEPEST else _problem_of(value)
    if problem:
        raise ConfigError(f"{where}: {problem}" if where else problem, code="invalid-value", option=where)
    if isinstance(value, Mapping):
        for name, part in value.items():
            inside = f"{where}.{name}" if where else str(name)
            check_plain(name, where, depth=depth + 1)
            check_plain(part, inside, depth=depth + 1)
    elif isinstance(value, list | tuple):
        for part in value:
            check_plain(part, where, depth=depth + 1)


def _problem_of(value: object) -> str | None:
    if isinstance(value, str):
        return text_problem(value)
    if isinstance(value, int) and not -_INT64 <= value < _INT64:
        return f"the number {shown(value)} is too large"
    if isinstance(value, float) and not math.isfinite(value):
        return f"{value} is no finite number"
    return None


def _is_switch(annotation: str) -> bool:
    kinds = {kind.strip() for kind in annotation.partition("[")[0].split("|")}
    return "bool" in kinds and "str" not in kinds


def strict_arguments(init: F) -> F:
    """Makes an unknown keyword argument a TypeError that names the nearest known one.

    A text where True or False is meant is a ConfigError: "False" would count as True.
    """
    parameters = inspect.signature(init).parameters
    known = [name for name in parameters if name not in {"self", "cls"}]
    switches = {name for name, one in parameters.items() if _is_switch(str(one.annotation))}
    owner = init.__qualname__.removesuffix(".__init__")

    @functools.wraps(init)
    def checked(*args: object, **kwargs: object) -> object:
        for name in kwargs:
            if name not in known:
                raise TypeError(f'{owner} has no argument "{name}"{nearest(name, known)}')
        for name, value in itertools.chain(zip(parameters, args, strict=False), kwargs.items()):
            if name in switches and isinstance(value, str):
                raise ConfigError(
                    f"{owner}: {name} must be True or False, not the text {value!r}",
                    code="invalid-value",
                    option=name,
                    value=value,
                )
        return init(*args, **kwargs)

    return checked  # type: ignore[return-value]


def _replace(config: C, names: list[str], value: object, dotted_name: str, known: list[str]) -> C:
    name, *rest = names
    fields = type(config).model_fields
    if name not in fields and dotted_name in known:
        kind = getattr(config, "kind", type(config).__name__)
        raise ConfigError(
            f"{kind} has no {name}, which is for other kinds; leave it out", code="option-without-effect", option=name
        )
    if name not in fields:
        raise ConfigError(
            f"unknown key {quoted(dotted_name)}{nearest_key(dotted_name, known)}",
            code="unknown-option",
            option=dotted_name,
        )
    current = getattr(config, name)
    if rest and isinstance(current, Config):
        value = _replace(current, rest, value, dotted_name, known)
    elif rest and (isinstance(current, dict) or _has_parts(fields[name].annotation)):
        value = _with_item(current or {}, rest, value)
    elif rest:
        raise ConfigError(
            f'"{dotted_name}": {name} has no parts of its own; set {name} itself',
            code="option-has-no-parts",
            option=dotted_name,
        )
    values = {field: getattr(config, field) for field in fields} | {name: value}
    where = dotted_name.removesuffix(".".join(names)).rstrip(".")
    return build(type(config), values, where=where)


def _has_parts(annotation: object) -> bool:
    return bool(_nested(annotation)) or "dict[" in str(annotation)


def _is_number(annotation: object) -> bool:
    """Whether the field takes a number, and neither a switch nor just anything."""
    kinds = set(re.findall(r"\w+", str(annotation)))
    return not kinds.isdisjoint({"int", "float"}) and "bool" not in kinds


def _nested(annotation: object) -> list[type[Config]]:
    """The configuration classes of a field such as `Inner`, `Inner | None` or `One | Other`; none of a plain one."""
    if get_origin(annotation) is Annotated:
        return _nested(get_args(annotation)[0])
    if get_origin(annotation) in {Union, types.UnionType}:
        return [kind for part in get_args(annotation) for kind in _nested(part)]
    return annotation.alternatives() if isinstance(annotation, type) and issubclass(annotation, Config) else []


def _listed(annotation: object) -> list[type[Config]]:
    """The configuration classes of a field such as `tuple[Inner, ...]`."""
    return [kind for part in get_args(annotation) for kind in _nested(part)]


def _place(kind: type[Config], loc: Sequence[str | int]) -> tuple[list[str], type[Config]]:
    """Names on the way to a value, without pydantic's tags of alternatives, and the configuration that holds it."""
    names: list[str] = []
    holder, options = kind, [kind]
    for part in loc:
        tagged = [option for option in options if len(options) > 1 and option.model_fields["kind"].default == part]
        if tagged:
            options = tagged
            continue
        if isinstance(part, str) and not options:
            # Which alternative of a plain field was tried, such as `constrained-int`.
            break
        names.append(str(part))
        # A place in a list leads to the same configuration.
        if isinstance(part, str) and len(options) == 1:
            holder = options[0]
            field = holder.model_fields.get(str(part))
            options = [] if field is None else _nested(field.annotation) or _listed(field.annotation)
    return names, holder


def _with_item(values: PlainDict, names: list[str], value: object) -> PlainDict:
    name, *rest = names
    return {**values, name: _with_item(dict(values.get(name) or {}), rest, value) if rest else value}


def _first_problem(error: ValidationError, kind: type[Config], where: str) -> ConfigError:
    problem = error.errors(include_url=False)[0]
    inside, innermost = _place(kind, problem["loc"])
    path = ".".join(([where] if where else []) + inside)
    if problem["type"] == "extra_forbidden":
        above = path.rpartition(".")[0]
        known = dotted_names(innermost, f"{above}." if above else "")
        told = f"unknown key {quoted(path)}{nearest_key(path, [above, *known] if above else known)}"
        return ConfigError(told, code="unknown-option", option=path)
    if problem["type"] == "union_tag_invalid":
        tag, known_tags = problem["ctx"]["tag"], problem["ctx"]["expected_tags"]
        told = f'{path}.kind: unknown "{tag}"; known are: {known_tags}'
        return ConfigError(told, code="invalid-value", option=f"{path}.kind", value=tag)
    if problem["type"] == "missing":
        return ConfigError(f"{path} is missing; give it with --set {path}=...", code="missing-option", option=path)
    reason, value = problem["msg"].removeprefix("Value error, "), problem.get("input")
    told = f"{path or kind.__name__}: {reason} (got {shown(value)})"
    return ConfigError(told, code="invalid-value", option=path, value=value)
