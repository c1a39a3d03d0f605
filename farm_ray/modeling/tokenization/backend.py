"""The Rust tokenizer below a transformers tokenizer: private copies to encode with, and the bytes that identify it."""

from __future__ import annotations

import json
import weakref
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from farm_ray.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tokenizers import Tokenizer as RustTokenizer

    from farm_ray.modeling.tokenization.protocol import TokenizerLike

_TEXTS_PER_CALL = 1000  # encodings take a hundred times the memory of their ids

Text = str | tuple[str, str]
"""One text, or a pair that is encoded together."""

_copies: weakref.WeakKeyDictionary[TokenizerLike, dict[tuple[int, int | None], RustTokenizer]]
_copies = weakref.WeakKeyDictionary()


@dataclass(frozen=True, slots=True)
class Encoded:
    """Texts as token ids, one text after the other."""

    ids: npt.NDArray[np.int32]
    """[sum of lengths], special tokens included."""
    segments: npt.NDArray[np.int8] | None
    """[sum of lengths]; None where the tokenizer gives zeros for every text (or every pair)."""
    lengths: npt.NDArray[np.int32]
    """[texts]"""
    clipped: npt.NDArray[np.bool_]
    """[texts]: true where tokens were cut off."""


def encode_texts(texts: Sequence[Text], *, tokenizer: TokenizerLike, max_seq_len: int, pairs: bool = False) -> Encoded:
    """Encodes texts with special tokens and cuts their right ends at `max_seq_len` tokens; no padding.

    The ids are those of `tokenizer(text, truncation=True, max_length=max_seq_len)`, for pairs of
    `tokenizer(*pair, ...)`: the longer one of a pair is cut first. The tokenizer is not touched: where it has a Rust
    part, a copy of that does the work (made once per tokenizer and length).

    Args:
        texts: Texts, or pairs of texts.
        tokenizer: A transformers tokenizer.
        max_seq_len: Tokens per text or pair.
        pairs: Whether `texts` holds pairs.

    Raises:
        ConfigError: When `max_seq_len` leaves no room for text.
    """
    check_room(tokenizer, max_seq_len, pairs=pairs)
    with_segments = gives_segments(tokenizer, pairs=pairs)
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


def backend_of(tokenizer: TokenizerLike) -> RustTokenizer | None:
    """The Rust part of a tokenizer; None for those that run in Python."""
    backend: RustTokenizer | None = getattr(tokenizer, "backend_tokenizer", None)
    return backend


def has_backend(tokenizer: TokenizerLike) -> bool:
    """True for tokenizers that run in Rust."""
    return backend_of(tokenizer) is not None


def private_copy(tokenizer: TokenizerLike, max_seq_len: int | None = None) -> RustTokenizer:
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
        backend = backend_of(tokenizer)
        assert backend is not None
        copy = Tokenizer.from_str(backend.to_str())
        copy.encode_special_tokens = bool(getattr(tokenizer, "split_special_tokens", False))
        copy.no_padding()
        copy.no_truncation()
        if max_seq_len is not None:
            copy.enable_truncation(max_seq_len, strategy="longest_first", direction="right")
        copies[key] = copy
    return copies[key]


def gives_segments(tokenizer: TokenizerLike, *, pairs: bool = False) -> bool:
    """True where a text gets segment ids other than 0: XLNet's class token, the second text of BERT's pairs."""
    text = ("a", "a") if pairs else ("a",)
    if has_backend(tokenizer):
        return any(private_copy(tokenizer).encode(*text).type_ids)
    return any(tokenizer(*text).get("token_type_ids", []))


def check_room(tokenizer: TokenizerLike, max_seq_len: int, *, pairs: bool = False) -> None:
    """Raises ConfigError when the special tokens leave no room for a token of each text."""
    special = tokenizer.num_special_tokens_to_add(pair=pairs)
    texts, of_what = (2, "a pair of texts") if pairs else (1, "text")
    if max_seq_len < special + texts:
        raise ConfigError(
            f"max_seq_len={max_seq_len} leaves no room for {of_what}: this tokenizer adds {special} special tokens; "
            f"use at least {special + texts}",
            code="no-room-for-text",
            option="max_seq_len",
            value=max_seq_len,
        )


def tokenizer_bytes(tokenizer: TokenizerLike) -> bytes:
    """What decides about the ids of any text, as bytes: equal bytes, equal ids."""
    state: dict[str, object] = {
        "class": type(tokenizer).__name__,
        "pad_token_id": tokenizer.pad_token_id,
        "padding_side": tokenizer.padding_side,
        "split_special_tokens": bool(getattr(tokenizer, "split_special_tokens", False)),
    }
    backend = backend_of(tokenizer)
    if backend is not None:
        parts = json.loads(backend.to_str())
        # These two change with every call of the tokenizer and are set again for every use of ours.
        state["backend"] = {name: part for name, part in parts.items() if name not in {"truncation", "padding"}}
    else:
        state["vocabulary"] = tokenizer.get_vocab()
        state["settings"] = {name: repr(value) for name, value in tokenizer.init_kwargs.items()}
    return json.dumps(state, sort_keys=True, ensure_ascii=False, default=repr).encode()


def _encode_fast(texts: Sequence[Text], tokenizer: TokenizerLike, max_seq_len: int, with_segments: bool) -> Encoded:
    encodings = private_copy(tokenizer, max_seq_len).encode_batch_fast(list(texts))
    ids: list[int] = []
    for encoding in encodings:
        ids += encoding.ids
    segments = [kind for encoding in encodings for kind in encoding.type_ids] if with_segments else None
    lengths = [len(encoding) for encoding in encodings]
    full = [length == max_seq_len for length in lengths]
    clipped = [is_full and bool(e.overflowing) for is_full, e in zip(full, encodings, strict=True)]
    return _arrays(ids, segments, lengths, clipped)


def _encode_slow(texts: Sequence[Text], tokenizer: TokenizerLike, max_seq_len: int, with_segments: bool) -> Encoded:
    cut = list(_one_by_one(texts, tokenizer, truncation=True, max_length=max_seq_len))
    ids = [token for encoding in cut for token in encoding["input_ids"]]
    segments = [kind for encoding in cut for kind in encoding["token_type_ids"]] if with_segments else None
    lengths = [len(encoding["input_ids"]) for encoding in cut]
    whole = _one_by_one(texts, tokenizer)
    clipped = [len(encoding["input_ids"]) > max_seq_len for encoding in whole]
    return _arrays(ids, segments, lengths, clipped)


def _one_by_one(texts: Sequence[Text], tokenizer: TokenizerLike, **how: object) -> Iterator[Mapping[str, list[int]]]:
    pairs = (text if isinstance(text, tuple) else (text,) for text in texts)
    return (tokenizer(*pair, verbose=False, **how) for pair in pairs)


def _arrays(ids: list[int], segments: list[int] | None, lengths: list[int], clipped: list[bool]) -> Encoded:
    return Encoded(
        np.array(ids, np.int32),
        None if segments is None else np.array(segments, np.int8),
        np.array(lengths, np.int32),
        np.array(clipped, np.bool_),
    )
