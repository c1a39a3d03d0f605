"""Files with one token a line and blank lines between sentences (CoNLL, GermEval): a row per sentence."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pyarrow as pa

from farm_ray.data_handler import problems
from farm_ray.data_handler.file_to_dicts.encodings import text_encoding
from farm_ray.data_handler.file_to_dicts.lines import BadLine, read_blocks
from farm_ray.data_handler.file_to_dicts.splits import BLANK_LINE, Split, open_split, settled
from farm_ray.data_handler.file_to_dicts.table_file import TableFile, first_line, named_part, row_ids
from farm_ray.data_handler.problems import shorten

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from farm_ray.data_handler.file_to_dicts.conll_format import ConllFormat
    from farm_ray.data_handler.file_to_dicts.lines import Block
    from farm_ray.data_handler.problems import Problem

TAGS = pa.list_(pa.string())

_DOCUMENT = "-DOCSTART-"
_COMMENT = "#"
_FIRST_ROWS = 1000
_USUAL_DELIMITERS = ("\t", " ", ",", ";", "|")


def read_conll(file: TableFile, how: ConllFormat, split: Split | None = None) -> Iterator[pa.Table]:
    r"""The sentences of a file: id (line of the first token), text (tokens joined by a space), tags, problem.

    Sentences end at blank lines (whitespace is blank) and at lines with `-DOCSTART-`. A line that begins with `#` is a
    comment unless it is a whole row: it has as many columns as the other rows, and no whitespace in its token. So
    `#berlin<TAB>O` is a token; `# text = ...` and GermEval's `#<TAB>http://...` are comments. Comments end nothing.
    Line ends may be `\n`, `\r\n` or `\r`.

    A sentence with a line that is no row keeps its place, with a null text, null tags and the first such line as its
    problem: another number of columns than most rows at the start of the file, an empty token or tag, whitespace in a
    token, bytes that are no text.

    Args:
        file: Which file; its `columns` are not looked at, `max_field_chars` limits the text of a sentence.
        how: How it is written; tags come out as list<string> under the names of its `tag_columns`.
        split: Only these rows.

    Raises:
        DataProblemError: For an unreadable or empty file, one without the columns, or one whose rows are no words.
    """
    how = replace(how, encoding=text_encoding(file.uri, how.encoding, file.proxies))
    width = _usual_width(file, how)
    part = None if split is None or split.is_whole else settled(split, BLANK_LINE)
    file = file if part is None else named_part(file, part)
    sentences = _Sentences(file, how, width)
    with file.open() if part is None else open_split(part) as opened:
        for block in read_blocks(opened, how.encoding, first=1 if part is None else first_line(part)):
            sentences.read(block)
            yield from sentences.tables()
    sentences.close()
    yield from sentences.tables(rest=True)


def _usual_width(file: TableFile, how: ConllFormat) -> int:
    """The number of columns that most rows at the start of the file have; rows that begin with `#` are the last resort.

    Raises:
        DataProblemError: When there is no row, or not the columns that are wanted, or most rows hold no single word.
    """
    rows: list[str] = []
    with_sign: list[str] = []
    bad: BadLine | None = None
    with file.open() as opened:
        for line in _lines(read_blocks(opened, how.encoding)):
            if isinstance(line, BadLine):
                bad = bad or line
            elif not _is_break(line):
                (with_sign if line.startswith(_COMMENT) else rows).append(line.rstrip("\r\n"))
                del with_sign[_FIRST_ROWS:]
            if len(rows) == _FIRST_ROWS:
                break
    rows = rows or with_sign
    if not rows:
        if bad:
            raise file.error(f"has no readable line: the first {bad.reason}", code="no-readable-row")
        raise file.empty("has no rows; give a file with sentences")
    widths = [len(_cells(row, how)) for row in rows]
    width = Counter(widths).most_common(1)[0][0]
    _check_columns(file, how, width, rows[widths.index(width)])
    _check_tokens(file, how, [row for row, columns in zip(rows, widths, strict=True) if columns == width])
    return width


def _check_columns(file: TableFile, how: ConllFormat, width: int, row: str) -> None:
    wanted = [("token_column", how.token_column), *(("tag_column", column) for column in how.tag_columns.values())]
    missing = [name for name, column in wanted if not -width <= column < width]
    if not missing and how.token_column % width in [column % width for column in how.tag_columns.values()]:
        missing = ["tag_column"]
    if missing:
        inside = [sign for sign in _USUAL_DELIMITERS if sign in row and sign != how.delimiter]
        way_out = f"give delimiter={inside[0]!r}" if inside else f"check the delimiter and {missing[0]}"
        raise file.error(
            f"has {_counted(width)} with delimiter={how.delimiter!r}, so there is none for {missing[0]}; "
            f'its rows look like "{shorten(row)}": {way_out}',
            code="missing-column",
            column=missing[0],
        )


def _check_tokens(file: TableFile, how: ConllFormat, rows: Sequence[str]) -> None:
    spaced = [row for row in rows if len(_cells(row, how)[how.token_column].split()) > 1]
    if len(spaced) * 2 > len(rows):
        # Without tags the file is to be predicted, and texts can be read from tables too.
        tables = "" if how.tag_columns else ', or name the column of the texts in a table: text_column_name="text"'
        raise file.error(
            f"is to hold one word a line, and most of its rows have several with delimiter={how.delimiter!r}, such as "
            f'"{shorten(spaced[0])}"; check the delimiter{tables}',
            code="several-words-a-line",
            value=spaced[0],
        )


def _counted(columns: int) -> str:
    return "1 column" if columns == 1 else f"{columns} columns"


def _lines(blocks: Iterable[Block]) -> Iterator[str | BadLine]:
    return (line for block in blocks for line in block.lines)


def _is_break(line: str) -> bool:
    return not line or line.isspace() or _DOCUMENT in line


def _cells(line: str, how: ConllFormat) -> list[str]:
    """The columns of a line without its end."""
    if how.delimiter == " ":
        return [cell for cell in line.split(" ") if cell]
    return [cell.strip(" ") for cell in line.split(how.delimiter)]


@dataclass(slots=True)
class _Open:
    """The sentence that is being read."""

    first: int
    """Line of its first row."""
    tokens: list[str] = field(default_factory=list)
    tags: list[list[str]] = field(default_factory=list)
    """For each row its tags."""
    chars: int = -1
    problem: Problem | None = None


class _Sentences:
    """Sentences from blocks of lines, and the tables made of them."""

    def __init__(self, file: TableFile, how: ConllFormat, width: int) -> None:
        self._file, self._how, self._width = file, how, width
        self._token = how.token_column % width
        self._tags = [column % width for column in how.tag_columns.values()]
        self._conversions = how.conversions()
        self._open: _Open | None = None
        self._numbers: list[int] = []
        self._texts: list[str | None] = []
        self._tag_lists: list[list[list[str] | None]] = [[] for _ in self._tags]
        self._found: dict[int, Problem] = {}

    def read(self, block: Block) -> None:
        """More lines."""
        if block.text is None:
            for number, line in enumerate(block.lines, block.first):
                self._read_line(number, line)
            return
        number = block.first
        *whole, rest = block.text.replace("\r\n", "\n").split("\n\n")
        for lines in whole:
            if self._open is not None or not self._read_sentence(number, lines):
                self._read_lines(number, lines)
            self.close()
            number += lines.count("\n") + 2
        if rest:
            self._read_lines(number, rest.removesuffix("\n"))

    def close(self) -> None:
        """Ends the sentence that is being read, if any."""
        sentence, self._open = self._open, None
        if sentence is None:
            return
        if sentence.problem is not None:
            self._found[len(self._numbers)] = sentence.problem
            self._add(sentence.first, None, [None] * len(self._tags))
        else:
            self._add(
                sentence.first, " ".join(sentence.tokens), [list(tags) for tags in zip(*sentence.tags, strict=True)]
            )

    def tables(self, *, rest: bool = False) -> Iterator[pa.Table]:
        """Tables of `rows_per_table` rows as far as there are rows for them; with `rest` the last, smaller one too."""
        size = self._file.rows_per_table
        while len(self._numbers) >= (1 if rest else size):
            yield self._table(size)

    def _read_sentence(self, first: int, lines: str) -> bool:
        """Takes lines that are one sentence of plain rows; False where they need a closer look."""
        cells = lines.split()
        if not self._how.delimiter.isspace() or not cells or _DOCUMENT in lines:
            return False
        # Put together again they are the lines only where each cell stands where it should.
        rows = zip(*[iter(cells)] * self._width, strict=False)
        if "\n".join(map(self._how.delimiter.join, rows)) != lines:
            return False
        text = " ".join(cells[self._token :: self._width])
        if len(text) > self._file.max_field_chars:
            return False
        self._add(first, text, [cells[column :: self._width] for column in self._tags])
        return True

    def _read_lines(self, first: int, lines: str) -> None:
        for number, line in enumerate(lines.split("\n"), first):
            self._read_line(number, line)

    def _read_line(self, number: int, line: str | BadLine) -> None:
        if isinstance(line, BadLine):
            self._fail(number, line.kind, line.reason, line.value)
            return
        row = line.rstrip("\r\n")
        cells = _cells(row, self._how)
        if row.startswith(_COMMENT) and (len(cells) != self._width or not _is_word(cells[self._token])):
            return
        if _is_break(row):
            self.close()
        else:
            self._read_row(number, row, cells)

    def _read_row(self, number: int, row: str, cells: list[str]) -> None:
        if len(cells) != self._width:
            reason = f"has {_counted(len(cells))} where most rows have {self._width}; fix it, or check the delimiter"
            self._fail(number, "wrong number of columns", reason, row)
            return
        token, tags = cells[self._token], [cells[column] for column in self._tags]
        if not _is_word(token):
            kind = "whitespace in a token" if token else "empty token"
            told = f"has whitespace in its token {shorten(token)!r}" if token else "has an empty token"
            self._fail(number, kind, f"{told}; fix the line", row)
        elif not all(tags):
            self._fail(number, "missing tag", "has no tag; fill it in, or take out the sentence", row)
        else:
            sentence = self._sentence(number)
            sentence.chars += len(token) + 1
            if sentence.chars > self._file.max_field_chars:
                limit = f"{self._file.max_field_chars:,} characters"
                reason = f"is in a sentence of more than {limit}; split it by blank lines, or raise max_text_chars"
                self._fail(number, "text too long", reason)
            if sentence.problem is None:
                sentence.tokens.append(token)
                sentence.tags.append(tags)

    def _sentence(self, number: int) -> _Open:
        if self._open is None:
            self._open = _Open(number)
        return self._open

    def _fail(self, number: int, kind: str, reason: str, value: object = None) -> None:
        sentence = self._sentence(number)
        if sentence.problem is None:
            sentence.problem = self._file.problem(number, kind, reason, value)
            sentence.tokens, sentence.tags = [], []

    def _add(self, number: int, text: str | None, tags: Sequence[list[str] | None]) -> None:
        self._numbers.append(number)
        self._texts.append(text)
        for lists, one in zip(self._tag_lists, tags, strict=True):
            converted = one
            for convert in self._conversions:
                converted = converted and convert(converted)
            lists.append(converted)

    def _table(self, size: int) -> pa.Table:
        columns = {
            "id": row_ids(self._file.name, self._numbers[:size]),
            "text": pa.array(self._texts[:size], pa.string()),
        }
        for name, lists in zip(self._how.tag_columns, self._tag_lists, strict=True):
            columns[name] = pa.array(lists[:size], TAGS)
            del lists[:size]
        here = len(self._numbers[:size])
        columns[problems.COLUMN] = (
            problems.column(self._found.get(row) for row in range(here)) if self._found else problems.none(here)
        )
        self._found = {row - here: problem for row, problem in self._found.items() if row >= here}
        del self._numbers[:size], self._texts[:size]
        return pa.table(columns)


def _is_word(token: str) -> bool:
    return token.split() == [token]
