"""Words and their tokens: splitting texts at whitespace, and encoding word by word."""

from __future__ import annotations

import itertools
import re
import weakref
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from farm_ray.modeling.tokenization.backend import has_backend, private_copy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenizers import Tokenizer as RustTokenizer

    from farm_ray.modeling.tokenization.protocol import TokenizerLike

_WORD = re.compile(r"\S+")
_WORDS_PER_CALL = 20_000

_copies: weakref.WeakKeyDictionary[TokenizerLike, dict[int, RustTokenizer]] = weakref.WeakKeyDictionary()


@dataclass(frozen=True, slots=True)
class EncodedWords:
    """Texts as words and the words as tokens, one after the other; without special tokens."""

    ids: npt.NDArray[np.int32]
    """[tokens]"""
    tokens_per_word: npt.NDArray[np.int64]
    """[words], 1 or more."""
    words_per_text: npt.NDArray[np.int64]
    """[texts]; 0 where the text was refused."""
    refused: dict[int, str]
    """Number of a text that cannot be encoded -> what is wrong with which word."""

    @property
    def word_of_token(self) -> npt.NDArray[np.int64]:
        """Each token's word, counted from 0 within its text, [tokens]."""
        firsts = np.repeat(np.cumsum(self.words_per_text) - self.words_per_text, self.words_per_text)
        return np.repeat(np.arange(len(self.tokens_per_word)) - firsts, self.tokens_per_word)


def split_with_metadata(text: str) -> tuple[list[str], list[int]]:
    """The words of a text (as `text.split()` gives them), and the character at which each begins."""
    matches = list(_WORD.finditer(text))
    return [match.group() for match in matches], [match.start() for match in matches]


def split_texts(texts: pa.Array) -> pa.ListArray:
    """The words of each text, list<string> [texts]: what `text.split()` gives, without making Python strings."""
    trimmed = pc.utf8_trim_whitespace(texts)
    words = pc.utf8_split_whitespace(trimmed)
    if not pc.any(pc.equal(trimmed, "")).as_py():
        return words
    # An empty text splits into one empty word.
    lengths = pc.if_else(pc.equal(trimmed, ""), 0, pc.list_value_length(words)).to_numpy()
    flat = pc.list_flatten(words)
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), flat.filter(pc.not_equal(flat, "")))


def encode_words(words: pa.ListArray, *, tokenizer: TokenizerLike) -> EncodedWords:
    """Encodes every word by itself, as `tokenizer(words, is_split_into_words=True)` does; cuts nothing.

    Byte-level tokenizers (RoBERTa's kind) see a space before every word, as with `add_prefix_space=True`. A word of
    which the tokenizer makes nothing (invisible characters) is read as its unknown token; where it has none, or fails
    at a word, the text is refused. The tokenizer is not touched.

    Args:
        words: The words of each text, list<string> [texts], without nulls.
        tokenizer: From `Tokenizer.load`, fast or slow.
    """
    # A word has the same tokens wherever it stands, so each distinct one is encoded once.
    distinct = pc.list_flatten(words).dictionary_encode()
    encoded = _encode(distinct.dictionary.to_pylist(), tokenizer)
    kinds = distinct.indices.to_numpy()
    words_per_text = pc.list_value_length(words).to_numpy().astype(np.int64)
    refused: dict[int, str] = {}
    if encoded.failed:
        text_of_word = np.repeat(np.arange(len(words_per_text)), words_per_text)
        bad = np.isin(kinds, list(encoded.failed))
        for text, kind in zip(text_of_word[bad].tolist(), kinds[bad].tolist(), strict=True):
            refused.setdefault(text, encoded.failed[kind])
        kinds = kinds[~np.isin(text_of_word, list(refused))]
        words_per_text[list(refused)] = 0
    lengths = encoded.lengths[kinds]
    starts = (np.cumsum(encoded.lengths) - encoded.lengths)[kinds]
    return EncodedWords(encoded.ids[ranges(starts, lengths)], lengths, words_per_text, refused)


def ranges(starts: npt.NDArray[np.integer], lengths: npt.NDArray[np.integer]) -> npt.NDArray[np.int64]:
    """The numbers start, start + 1, ... of each range, one range after the other, [sum of lengths]."""
    shift = np.asarray(starts, np.int64) - (np.cumsum(lengths) - lengths)
    return np.repeat(shift, lengths) + np.arange(int(np.sum(lengths)))


@dataclass(frozen=True, slots=True)
class _Distinct:
    """Words and their tokens, one after the other."""

    ids: npt.NDArray[np.int32]
    lengths: npt.NDArray[np.int64]
    failed: dict[int, str]


def _encode(words: list[str], tokenizer: TokenizerLike) -> _Distinct:
    ids: list[list[int]] = []
    failed: dict[int, str] = {}
    for start in range(0, len(words), _WORDS_PER_CALL):
        ids += _ids_of(words[start : start + _WORDS_PER_CALL], tokenizer, failed, start)
    unknown = tokenizer.unk_token_id
    for number in [number for number, tokens in enumerate(ids) if not tokens and number not in failed]:
        if unknown is None:
            failed[number] = f"it makes no token of the word {words[number]!r} and has no unknown token"
        else:
            ids[number] = [unknown]
    lengths = np.fromiter(map(len, ids), np.int64, len(ids))
    return _Distinct(np.fromiter(itertools.chain.from_iterable(ids), np.int32, lengths.sum()), lengths, failed)


def _ids_of(words: list[str], tokenizer: TokenizerLike, failed: dict[int, str], first: int) -> list[list[int]]:
    """The tokens of each word, none where the tokenizer fails; then the reason goes into `failed`."""
    try:
        return _batch(words, tokenizer)
    except Exception:  # noqa: BLE001 - the Rust tokenizer raises bare Exceptions
        found: list[list[int]] = []
        for number, word in enumerate(words, first):
            try:
                found += _batch([word], tokenizer)
            except Exception as error:  # noqa: BLE001 - see above
                found.append([])
                failed[number] = f"it fails at the word {word!r}: {error}"
        return found


def _batch(words: Sequence[str], tokenizer: TokenizerLike) -> list[list[int]]:
    if has_backend(tokenizer):
        encodings = word_copy(tokenizer).encode_batch_fast(words, add_special_tokens=False)
        return [encoding.ids for encoding in encodings]
    return [tokenizer.convert_tokens_to_ids(tokenizer.tokenize(word)) for word in words]


def word_copy(tokenizer: TokenizerLike) -> RustTokenizer:
    """As `private_copy`, with a space before every word where the tokenizer is byte-level."""
    copies = _copies.setdefault(tokenizer, {})
    if len(tokenizer) not in copies:
        copies[len(tokenizer)] = _with_prefix_space(private_copy(tokenizer))
    return copies[len(tokenizer)]


def _with_prefix_space(backend: RustTokenizer) -> RustTokenizer:
    from tokenizers import Tokenizer, pre_tokenizers

    copy = Tokenizer.from_str(backend.to_str())
    copy.encode_special_tokens = backend.encode_special_tokens
    if copy.pre_tokenizer is not None and "ByteLevel" in str(copy.pre_tokenizer):
        space = pre_tokenizers.Metaspace(replacement=" ", prepend_scheme="always", split=False)
        copy.pre_tokenizer = pre_tokenizers.Sequence([space, copy.pre_tokenizer])
    return copy
