"""The Rust tokenizer below a transformers tokenizer: private copies to encode with, and the bytes that identify it."""

from __future__ import annotations

import json
import weakref
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from farm_ray.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_TEXTS_PER_CALL = 1000  # encodings take a hundred times the memory of their ids

_copies: weakref.WeakKeyDictionary[Any, dict[tuple[int, int | None], Any]] = weakref.WeakKeyDictionary()


@dataclass(frozen=True, slots=True)
class Encoded:
    """Texts as token ids, one text after the other."""

    ids: npt.NDArray[np.int32]
    """[sum of lengths], special tokens included."""
    segments: npt.NDArray[np.int8] | None
    """[sum of lengths]; None where the tokenizer gives zeros for every single text."""
    lengths: npt.NDArray[np.int32]
    """[texts]"""
    clipped: npt.NDArray[np.bool_]
    """[texts]: true where tokens were cut off."""


def encode_texts(texts: Sequence[str], *, tokenizer: Any, max_seq_len: int) -> Encoded:
    """Encodes texts with special tokens and cuts their right ends at `max_seq_len` tokens; no padding.

    The ids are those of `tokenizer(text, truncation=True, max_length=max_seq_len)`. The tokenizer is not touched:
    where it has a Rust part, a copy of that does the work (made once per tokenizer and length).

    Raises:
        ConfigError: When `max_seq_len` leaves no room for text.
    """
    check_room(tokenizer, max_seq_len)
    with_segments = gives_segments(tokenizer)
    encode = _encode_fast if has_backend(tokenizer) else _encode_slow
    parts = [
        encode(texts[start : start + _TEXTS_PER_CALL], tokenizer, max_seq_len, with_segments)
        for start in range(0, max(len(texts), 1), _TEXTS_PER_CALL)
    ]
    return Encoded(
        np.concatenate([part.ids for part in parts]),
        np.concatenate([part.segments for part in parts if part.segments is not None]) if with_segments else None,
        np.concatenate([part.lengths for part in parts]),
        np.concatenate([part.clipped for part in parts]),
    )


def has_backend(tokenizer: Any) -> bool:
    """True for tokenizers that run in Rust."""
    return getattr(tokenizer, "backend_tokenizer", None) is not None


def private_copy(tokenizer: Any, max_seq_len: int | None = None) -> Any:
    """A `tokenizers.Tokenizer` that encodes as this tokenizer does, without padding.

    Tokens added to the tokenizer later are seen; other changes to a tokenizer that has been used are not.

    Args:
        tokenizer: A transformers tokenizer with a Rust part.
        max_seq_len: Cut right ends at so many tokens; None does not cut.
    """
    from tokenizers import Tokenizer

    copies = _copies.setdefault(tokenizer, {})
    key = (len(tokenizer), max_seq_len)
    if key not in copies:
        copy = Tokenizer.from_str(tokenizer.backend_tokenizer.to_str())
        copy.encode_special_tokens = bool(getattr(tokenizer, "split_special_tokens", False))
        copy.no_padding()
        copy.no_truncation()
        if max_seq_len is not None:
            copy.enable_truncation(max_seq_len, strategy="longest_first", direction="right")
        copies[key] = copy
    return copies[key]


def gives_segments(tokenizer: Any) -> bool:
    """True where a single text gets segment ids other than 0 (XLNet's class token, for example)."""
    if has_backend(tokenizer):
        return any(private_copy(tokenizer).encode("a").type_ids)
    return any(tokenizer("a").get("token_type_ids", []))


def check_room(tokenizer: Any, max_seq_len: int) -> None:
    """Raises ConfigError when the special tokens leave no room for text."""
    special = tokenizer.num_special_tokens_to_add(pair=False)
    if max_seq_len <= special:
        raise ConfigError(
            f"max_seq_len={max_seq_len} leaves no room for text: this tokenizer adds {special} special tokens; "
            f"use at least {special + 1}",
            value=max_seq_len,
        )


def tokenizer_bytes(tokenizer: Any) -> bytes:
    """What decides about the ids of any text, as bytes: equal bytes, equal ids."""
    state: dict[str, Any] = {
        "class": type(tokenizer).__name__,
        "pad_token_id": tokenizer.pad_token_id,
        "padding_side": tokenizer.padding_side,
        "split_special_tokens": bool(getattr(tokenizer, "split_special_tokens", False)),
    }
    if has_backend(tokenizer):
        backend = json.loads(tokenizer.backend_tokenizer.to_str())
        # These two change with every call of the tokenizer and are set anew for every use of ours.
        state["backend"] = {name: part for name, part in backend.items() if name not in {"truncation", "padding"}}
    else:
        state["vocabulary"] = tokenizer.get_vocab()
        state["settings"] = {name: repr(value) for name, value in tokenizer.init_kwargs.items()}
    return json.dumps(state, sort_keys=True, ensure_ascii=False, default=repr).encode()


def _encode_fast(texts: Sequence[str], tokenizer: Any, max_seq_len: int, with_segments: bool) -> Encoded:
    encodings = private_copy(tokenizer, max_seq_len).encode_batch_fast(list(texts))
    ids: list[int] = []
    for encoding in encodings:
        ids += encoding.ids
    segments = [kind for encoding in encodings for kind in encoding.type_ids] if with_segments else None
    lengths = [len(encoding) for encoding in encodings]
    full = [length == max_seq_len for length in lengths]
    clipped = [is_full and bool(e.overflowing) for is_full, e in zip(full, encodings, strict=True)]
    return _arrays(ids, segments, lengths, clipped)


def _encode_slow(texts: Sequence[str], tokenizer: Any, max_seq_len: int, with_segments: bool) -> Encoded:
    cut = list(_one_by_one(texts, tokenizer, truncation=True, max_length=max_seq_len))
    ids = [token for encoding in cut for token in encoding["input_ids"]]
    segments = [kind for encoding in cut for kind in encoding["token_type_ids"]] if with_segments else None
    lengths = [len(encoding["input_ids"]) for encoding in cut]
    whole = _one_by_one(texts, tokenizer)
    clipped = [len(encoding["input_ids"]) > max_seq_len for encoding in whole]
    return _arrays(ids, segments, lengths, clipped)


def _one_by_one(texts: Sequence[str], tokenizer: Any, **how: Any) -> Iterator[Any]:
    return (tokenizer(text, verbose=False, **how) for text in texts)


def _arrays(ids: list[int], segments: list[int] | None, lengths: list[int], clipped: list[bool]) -> Encoded:
    return Encoded(
        np.array(ids, np.int32),
        None if segments is None else np.array(segments, np.int8),
        np.array(lengths, np.int32),
        np.array(clipped, np.bool_),
    )
