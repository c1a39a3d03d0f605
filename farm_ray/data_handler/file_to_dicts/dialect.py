"""How a TSV or CSV file is written."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import TYPE_CHECKING

from farm_ray.data_handler.file_to_dicts.encodings import check_encoding
from farm_ray.errors import ConfigError

if TYPE_CHECKING:
    from farm_ray.data_handler.given_rows import RowDict


@dataclass(frozen=True, kw_only=True, slots=True)
class Dialect:
    """How a delimited file is written."""

    delimiter: str = "\t"
    quote_char: str | None = '"'
    """None: quotes are plain characters."""
    skiprows: int | None = None
    """Physical lines before the header that are not read."""
    header: int | None = 0
    """Which of the rows, blank lines not counted, names the columns; rows before it are not read. None: no row does,
    columns are called "0", "1", ..."""
    encoding: str = "utf-8"

    def __post_init__(self) -> None:
        if not isinstance(self.delimiter, str) or len(self.delimiter) != 1 or self.delimiter in "\r\n\0":
            raise ConfigError(
                f"delimiter must be one character, not {self.delimiter!r}",
                code="invalid-value",
                option="delimiter",
                value=self.delimiter,
            )
        if self.quote_char is not None and (len(self.quote_char) != 1 or self.quote_char in f"\r\n\0{self.delimiter}"):
            hint = "one character other than the delimiter; quote_char=None switches quoting off"
            raise ConfigError(
                f"quote_char must not be {self.quote_char!r} but {hint}",
                code="invalid-value",
                option="quote_char",
                value=self.quote_char,
            )
        for name, value in (("skiprows", self.skiprows), ("header", self.header)):
            if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 0):
                raise ConfigError(
                    f"{name} must be a number from 0, or None, not {value!r}",
                    code="invalid-value",
                    option=name,
                    value=value,
                )
        check_encoding(self.encoding)

    def reader_options(self) -> RowDict:
        """The same for Python's csv module."""
        quoting = csv.QUOTE_NONE if self.quote_char is None else csv.QUOTE_MINIMAL
        return {"delimiter": self.delimiter, "quotechar": self.quote_char, "quoting": quoting, "strict": True}
