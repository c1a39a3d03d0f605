"""YAML as plain values: read with bounds, nothing built but what YAML itself has, and written so that it reads back."""

from __future__ import annotations

import re

import yaml

from farm_ray.foreign import reason, shown

MOST_BYTES = 2 << 20
"""No configuration of a run is larger; a hundred thousand labels fit."""
_MOST_NODES = 1_000_000
"""Values in a document, counted as often as aliases repeat them."""
_EXPONENT = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)[eE][-+]?\d+$")
_MERGE = "tag:yaml.org,2002:merge"


class _Loader(yaml.SafeLoader):
    """Reads 5e-5 as a number, which YAML 1.1 does not without a dot and a sign; refuses a name that is there twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[object, object]:
        """As PyYAML's, which takes the last of two values without a word."""
        if isinstance(node, yaml.MappingNode):
            seen: set[str] = set()
            for name, _ in node.value:
                if name.tag == _MERGE or not isinstance(name.value, str):
                    continue
                if name.value in seen:
                    raise yaml.constructor.ConstructorError(
                        None, None, f"{shown(name.value)} is there twice", name.start_mark
                    )
                seen.add(name.value)
        return super().construct_mapping(node, deep)


class Dumper(yaml.SafeDumper):
    """Puts quotes around a text that `parse_yaml` would read as a number."""


for _kind in (_Loader, Dumper):
    _kind.add_implicit_resolver("tag:yaml.org,2002:float", _EXPONENT, list("-+.0123456789"))


def parse_yaml(text: str) -> object:
    """A YAML value of plain values; no tag builds anything else.

    Raises:
        ValueError: When it is none, when a mapping has a name twice, or when aliases repeat more than a document holds.
    """
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        if node is None:
            return None
        _nodes(node, {})
        return loader.construct_document(node)
    except yaml.YAMLError as error:
        raise ValueError(" ".join(str(error).split())) from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except (ValueError, TypeError, AttributeError, KeyError, OverflowError) as error:
        # PyYAML's constructors take `2024-13-45` for a date and `0x_` for a number, and fail.
        raise ValueError(reason(error)) from None


def _nodes(node: yaml.Node, known: dict[int, int]) -> int:
    """How many values a document has once its aliases are written out."""
    if id(node) in known:
        if not known[id(node)]:
            raise ValueError("a value holds itself")
        return known[id(node)]
    known[id(node)] = 0
    parts = [part for pair in node.value for part in pair] if isinstance(node, yaml.MappingNode) else node.value
    count = 1 + (sum(_nodes(part, known) for part in parts) if isinstance(parts, list) else 0)
    if count > _MOST_NODES:
        raise ValueError(f"its aliases stand for more than {_MOST_NODES:,} values")
    known[id(node)] = count
    return count
