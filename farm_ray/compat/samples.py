"""FARM's objects for one source and its samples."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from farm_ray.data_handler.given_rows import RowDict

_LONGEST_SHOWN = 10_000


class Sample:
    """One training or test sample: readable content, and what preprocessing made of it.

    Args:
        id: Unique id; the part before the last dash is the basket's.
        clear_text: Readable fields, for example `text` and a label.
        tokenized: `tokens`, `offsets`, `start_of_word` as `tokenize_with_metadata` returns them.
        features: A list of one dict: feature name to values.
    """

    def __init__(
        self,
        id: object,  # noqa: A002 - FARM's name
        clear_text: RowDict,
        tokenized: RowDict | None = None,
        features: list[RowDict] | None = None,
    ) -> None:
        self.id = id
        self.clear_text = clear_text
        self.tokenized = tokenized
        self.features = features

    def __str__(self) -> str:
        lines = [f"Sample {self.id}"]
        for title, part in (("clear text", self.clear_text), ("tokenized", self.tokenized)):
            lines += [f"  {title}:", *_shown(part)]
        return "\n".join([*lines, "  features:", *_shown(self.features[0] if self.features else None)])


class SampleBasket:
    """One source (a text, a question with its document) together with the samples made of it.

    Args:
        id_internal: Unique id inside farm_ray.
        raw: The source as it came.
        id_external: The id the source brought along, if any.
        samples: Its samples.
    """

    def __init__(
        self,
        id_internal: str | None,
        raw: RowDict,
        id_external: str | None = None,
        samples: list[Sample] | None = None,
    ) -> None:
        self.id_internal = id_internal
        self.raw = raw
        self.id_external = id_external
        self.samples = samples


def create_sample_one_label_one_text(
    raw_data: Sequence[str], text_index: int, label_index: int, basket_id: str
) -> list[Sample]:
    """The one sample of a row: its text and its label by position."""
    clear_text = {"text": raw_data[text_index], "label": raw_data[label_index]}
    return [Sample(id=f"{basket_id}-0", clear_text=clear_text)]


def create_sample_ner(split_text: Sequence[str], label: object, basket_id: str) -> list[Sample]:
    """The one sample of a sentence given as words: the words joined by spaces, and their labels."""
    return [Sample(id=f"{basket_id}-0", clear_text={"text": " ".join(split_text), "label": label})]


def _shown(part: Mapping[str, object] | None) -> list[str]:
    if not part:
        return ["    None"]
    return [f"    {name}: {str(value)[:_LONGEST_SHOWN]}" for name, value in part.items()]
