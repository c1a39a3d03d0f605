"""How files with one token a line are written, and the tagging schemes that are read into IOB2."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from farm_ray.data_handler.file_to_dicts.encodings import check_encoding
from farm_ray.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

Tags = list[str]

_GERMEVAL_TOKEN, _GERMEVAL_TAG = 1, -2


@dataclass(frozen=True, kw_only=True, slots=True)
class ConllFormat:
    """How a file with one token a line is written."""

    tag_columns: Mapping[str, int]
    """Column in the tables -> column of the tags, from 0 or, negative, from the end."""
    token_column: int = 0
    delimiter: str = "\t"
    """One character; " " stands for any number of blanks."""
    encoding: str = "utf-8"
    germeval14: bool = False
    """Derived and partial names count as names: B-LOCderiv and B-LOCpart are read as B-LOC."""
    iob1: bool = False
    """I- tags that begin an entity are read as B- tags."""

    def __post_init__(self) -> None:
        if len(self.delimiter) != 1 or self.delimiter in "\r\n\0":
            raise ConfigError(
                f"delimiter must be one character, not {self.delimiter!r}",
                code="invalid-value",
                option="delimiter",
                value=self.delimiter,
            )
        for name, column in (("token_column", self.token_column), *self.tag_columns.items()):
            if isinstance(column, bool) or not isinstance(column, int):
                raise ConfigError(
                    f"{name}: a column is a whole number, from 0, or -1 for the last, not {column!r}",
                    code="invalid-value",
                    option=name,
                    value=column,
                )
        check_encoding(self.encoding)

    def conversions(self) -> list[Callable[[Sequence[str]], Tags]]:
        """What is done to the tags of a sentence, in order."""
        named = ((self.germeval14, simple_types), (self.iob1, iob1_to_iob2))
        return [convert for wanted, convert in named if wanted]


def conll_format(
    path: str | Path,
    *,
    tag_columns: Mapping[str, int | None],
    delimiter: str = "\t",
    token_column: int | None = None,
    encoding: str | None = None,
    germeval14: bool | None = None,
    iob1: bool | None = None,
) -> ConllFormat:
    """The format of a file; what is not given follows from its path, as in FARM.

    A path with `conll03-de` means blanks between columns and cp1252; `conll03` means IOB1; `germeval14` means that the
    first column numbers the tokens and the last one has inner entities, and that types are simplified.

    Args:
        path: Of the file; only its name and folders are looked at.
        tag_columns: Column in the tables -> column of the tags; None is the last one (of GermEval, the one before).
        delimiter: A tab counts as not given.
        token_column: Column of the tokens, from 0; None is the first one (of GermEval, the second).
        encoding: Of the text.
        germeval14: As in the class, and the columns that are not given.
        iob1: As in the class.
    """
    name = str(path)
    germeval14 = "germeval14" in name if germeval14 is None else germeval14
    german = "conll03-de" in name
    last = _GERMEVAL_TAG if germeval14 else -1
    first = _GERMEVAL_TOKEN if germeval14 else 0
    return ConllFormat(
        tag_columns={key: last if column is None else column for key, column in tag_columns.items()},
        token_column=first if token_column is None else token_column,
        delimiter=" " if german and delimiter == "\t" else delimiter,
        encoding=encoding or ("cp1252" if german else "utf-8"),
        germeval14=germeval14,
        iob1="conll03" in name if iob1 is None else iob1,
    )


def simple_types(tags: Sequence[str]) -> Tags:
    """Tags without `deriv` and `part`: GermEval's derived and partial names as names."""
    return [tag.replace("deriv", "").replace("part", "") for tag in tags]


def iob1_to_iob2(tags: Sequence[str]) -> Tags:
    """Every entity begins with B-: an I- at the start, after O and after another type becomes B-; others stay."""
    converted, before = [], "O"
    for tag in tags:
        begins = tag.startswith("I-") and before[1:] != tag[1:]
        converted.append(f"B-{tag[2:]}" if begins else tag)
        before = tag
    return converted
