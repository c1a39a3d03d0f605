"""What others wrote: texts and JSON with bounds, folders with links, and one border for what foreign readers raise.

Imports nothing but the standard library.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from farm_ray.errors import FarmRayError, ModelFolderError

if TYPE_CHECKING:
    from io import BufferedReader

    from farm_ray.plain import PlainDict

JSON_BYTES = 256 << 20
"""No JSON file of a model is larger: the largest tokenizers have some tens of MB."""
_LONGEST_SHOWN = 100
_LONGEST_REASON = 300

Told = Callable[[str], FarmRayError]
"""From the reason to the error that names file and hint."""


@contextlib.contextmanager
def told(tell: Told) -> Iterator[None]:
    """Turns whatever a foreign reader raises on what it reads into one of our errors; ours pass.

    Only foreign calls belong inside. Their errors are of any kind: Rust's panics are no `Exception` even.
    """
    try:
        yield
    except FarmRayError:
        raise
    except Exception as error:
        raise tell(reason(error)) from error
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        raise tell(reason(error)) from None


def reason(error: BaseException) -> str:
    """A foreign error in a few words, on one line."""
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if isinstance(error, MemoryError):
        return "it takes more memory than there is"
    if isinstance(error, KeyError):
        return f"there is no {shown(error.args[0] if error.args else '')}"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = _printable(lines[0] if lines else type(error).__name__).rstrip(".")
    return text if len(text) <= _LONGEST_REASON else text[: _LONGEST_REASON - 1] + "…"


def shown(value: object) -> str:
    """A value for a message: as Python writes it, on one line, shortened."""
    try:
        text = repr(value) if not isinstance(value, str) else repr(value[: 2 * _LONGEST_SHOWN])
    except (ValueError, RecursionError):
        # Python refuses to write integers of more than 4,300 digits.
        text = f"a {type(value).__name__} that is too large to show"
    text = _printable(" ".join(text.split()))
    return text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 1] + "…"


def quoted(text: str) -> str:
    """A text from a file or flag in double quotes for a message, on one line, shortened."""
    plain = _printable(text[: _LONGEST_SHOWN + 1])
    return f'"{plain}"' if len(plain) <= _LONGEST_SHOWN else f'"{plain[: _LONGEST_SHOWN - 1]}…"'


def read_text(path: str | Path, most_bytes: int) -> str:
    """The text of a file.

    Raises:
        OSError: When it cannot be read.
        ValueError: When it is larger than `most_bytes`, or not UTF-8.
    """
    with Path(path).open("rb") as opened:
        return decoded(_bounded(opened, most_bytes))


def decoded(data: bytes) -> str:
    """The bytes as text.

    Raises:
        ValueError: When they are not UTF-8.
    """
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"it is not UTF-8 text ({error.reason} at byte {error.start + 1})") from None


def parse_json(text: str) -> Any:
    """A JSON value.

    Raises:
        ValueError: When it is none, is nested too deeply, or holds half of a surrogate pair.
    """
    try:
        values = json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if "\\ud" in text or "\\uD" in text:
        try:
            json.dumps(values, ensure_ascii=False).encode("utf-8")
        except UnicodeEncodeError:
            raise ValueError("it holds half of a surrogate pair (such as \\ud83d), which is no character") from None
    return values


def read_json(path: Path, *, hint: str = "copy the model folder again") -> PlainDict:
    """The mapping in a JSON file of a model folder.

    Raises:
        ModelFolderError: When the file cannot be read or holds something else.
    """

    def tell(why: str) -> ModelFolderError:
        return ModelFolderError(f"{path} is not valid JSON: {why}; {hint}", code="damaged-json", file=str(path))

    with told(tell):
        values = parse_json(read_text(path, JSON_BYTES))
    if not isinstance(values, dict):
        raise ModelFolderError(f"{path} does not hold a JSON mapping; {hint}", code="damaged-json", file=str(path))
    return values


def text_problem(text: str) -> str | None:
    """What is wrong with a text that no file name, label or other option can hold; None for all others."""
    if "\0" in text:
        return f"{shown(text)} holds a NUL character"
    if not text.isascii():
        try:
            text.encode("utf-8")
        except UnicodeEncodeError:
            return f"{shown(text)} holds half of a surrogate pair, which is no character"
    return None


def is_folder(path: str | Path) -> bool:
    """As `Path.is_dir`, which fails for names that are too long; so does `is_file`."""
    return os.path.isdir(path)  # noqa: PTH112


def is_file(path: str | Path) -> bool:
    """As `Path.is_file`; see `is_folder`."""
    return os.path.isfile(path)  # noqa: PTH113


def refuse_links(folder: Path) -> None:
    """Refuses a model folder in which a symbolic link leads out of it; the folder itself may be one.

    The Hugging Face cache keeps a model's files as links to its own `blobs` beside `snapshots`.

    Raises:
        ModelFolderError: Names the link and where it leads.
    """
    root = folder.resolve()
    inside = [root, root.parent.parent / "blobs"] if root.parent.name == "snapshots" else [root]
    for path, folders, files in os.walk(root):
        for name in (*folders, *files):
            entry = Path(path, name)
            if not entry.is_symlink():
                continue
            target = Path(os.path.realpath(entry))
            if not any(target.is_relative_to(place) for place in inside):
                raise ModelFolderError(
                    f"{entry} is a link to {target}, and a model is read from its own folder alone; "
                    f"copy the files themselves: cp -rL {folder} COPY",
                    code="link-out-of-folder",
                    file=str(entry),
                )


def _bounded(opened: BufferedReader, most_bytes: int) -> bytes:
    data = opened.read(most_bytes + 1)
    if len(data) > most_bytes:
        raise ValueError(f"it has more than {most_bytes >> 20} MB")
    return data


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)
