"""Sentences as tokens, and where words begin in the tokenizer's own sense: what language models learn from."""

from __future__ import annotations

import itertools
import weakref
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from farm_ray.modeling.tokenization.backend import private_copy
from farm_ray.modeling.tokenization.words import ranges, split_texts, word_copy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenizers import Tokenizer as RustTokenizer

    from farm_ray.modeling.tokenization.protocol import TokenizerLike

_TEXTS_PER_CALL = 5000
_PROBE = ["the quick brown fox, jumps over it", "a 12th (lazy) dog's co-op!", "schöne Straße 中文 ok", "x y z xy xyz"]

_IdsAndWords = tuple[list[int], list[int]]
"""Of one text: its tokens, and the word of each."""

_separable: weakref.WeakKeyDictionary[TokenizerLike, dict[int, bool]] = weakref.WeakKeyDictionary()


@dataclass(frozen=True, slots=True)
class EncodedSentences:
    """Sentences as tokens, one after the other; without special tokens around them."""

    ids: npt.NDArray[np.int32]
    """[tokens]"""
    word_starts: npt.NDArray[np.int8]
    """1 on the first token of a word, 0 inside a word, -1 on special tokens that stand in the text, [tokens]."""
    tokens_per_sentence: npt.NDArray[np.int64]
    """[sentences]; 0 where the sentence was refused, or the tokenizer makes nothing of it."""
    refused: dict[int, str]
    """Number of a sentence that cannot be encoded -> what the tokenizer says."""


def encode_sentences(sentences: pa.StringArray, *, tokenizer: TokenizerLike) -> EncodedSentences:
    """The tokens of each sentence as `tokenizer(sentence, add_special_tokens=False)` makes them; cuts nothing.

    What differs: whitespace (control characters that Python takes for it, too) between words counts as one space, and
    byte-level tokenizers (RoBERTa's kind) see a space before the first word too, as with `add_prefix_space=True`, and
    make no token of a space before a special token that stands in a text. A word of which the tokenizer makes nothing
    (invisible characters) gives nothing.

    Where words do not depend on their neighbours, which is so for all but tokenizers without a pre-tokenizer, every
    distinct word is encoded once. What a word is for `word_starts` the tokenizer says: BERT's kind takes punctuation
    for words of its own, SentencePiece's kind what stands between spaces.

    Args:
        sentences: Without nulls, [sentences].
        tokenizer: A fast one from `Tokenizer.load`; it is not touched.
    """
    if _is_word_separable(tokenizer):
        texts = split_texts(sentences)
        distinct = pc.list_flatten(texts).dictionary_encode()
        encoded = _encode(distinct.dictionary.to_pylist(), word_copy(tokenizer), tokenizer)
        kinds, counts = distinct.indices.to_numpy(), pc.list_value_length(texts).to_numpy().astype(np.int64)
    else:
        encoded = _encode(sentences.to_pylist(), private_copy(tokenizer), tokenizer)
        kinds, counts = np.arange(len(sentences)), np.ones(len(sentences), np.int64)
    refused: dict[int, str] = {}
    if encoded.refused:
        owner = np.repeat(np.arange(len(counts)), counts)
        bad = np.isin(kinds, list(encoded.refused))
        for sentence, kind in zip(owner[bad].tolist(), kinds[bad].tolist(), strict=True):
            refused.setdefault(sentence, encoded.refused[kind])
        kinds = kinds[~np.isin(owner, list(refused))]
        counts[list(refused)] = 0
    lengths = encoded.tokens_per_sentence[kinds]
    starts = (np.cumsum(encoded.tokens_per_sentence) - encoded.tokens_per_sentence)[kinds]
    tokens = ranges(starts, lengths)
    ends = np.concatenate([[0], np.cumsum(lengths)])[np.concatenate([[0], np.cumsum(counts)])]
    return EncodedSentences(encoded.ids[tokens], encoded.word_starts[tokens], np.diff(ends), refused)


def never_masked_ids(tokenizer: TokenizerLike) -> list[int]:
    """Ids of special tokens but the unknown token, ascending."""
    return sorted(set(tokenizer.all_special_ids) - {tokenizer.unk_token_id})


def _is_word_separable(tokenizer: TokenizerLike) -> bool:
    """Whether a text's tokens are those of its words."""
    known = _separable.setdefault(tokenizer, {})
    if len(tokenizer) not in known:
        copy = word_copy(tokenizer)
        known[len(tokenizer)] = copy.pre_tokenizer is not None and _agrees(copy)
    return known[len(tokenizer)]


def _agrees(backend: RustTokenizer) -> bool:
    """Whether some texts come out alike as a whole and word by word; False where the tokenizer fails at them."""
    try:
        whole = backend.encode_batch_fast(_PROBE, add_special_tokens=False)
        words = [backend.encode_batch_fast(text.split(), add_special_tokens=False) for text in _PROBE]
    except Exception:  # noqa: BLE001 - the Rust tokenizer raises bare Exceptions
        return False
    return [one.ids for one in whole] == [[token for one in of_text for token in one.ids] for of_text in words]


def _encode(texts: list[str], backend: RustTokenizer, tokenizer: TokenizerLike) -> EncodedSentences:
    """Each text by itself; one by one where the tokenizer fails."""
    encodings: list[_IdsAndWords] = []
    refused: dict[int, str] = {}
    for start in range(0, len(texts), _TEXTS_PER_CALL):
        part = texts[start : start + _TEXTS_PER_CALL]
        try:
            encodings += _plain(backend, part)
        except Exception:  # noqa: BLE001 - the Rust tokenizer raises bare Exceptions
            encodings += _one_by_one(backend, part, refused, start)
    lengths = np.fromiter((len(ids) for ids, _ in encodings), np.int64, len(encodings))
    total = int(lengths.sum())
    ids = np.fromiter(itertools.chain.from_iterable(ids for ids, _ in encodings), np.int32, total)
    words = np.fromiter(itertools.chain.from_iterable(words for _, words in encodings), np.int64, total)
    firsts = np.ones(total, np.bool_)
    firsts[1:] = words[1:] != words[:-1]
    firsts[(np.cumsum(lengths) - lengths)[lengths > 0]] = True
    word_starts = firsts.astype(np.int8)
    word_starts[np.isin(ids, never_masked_ids(tokenizer))] = -1
    return EncodedSentences(ids, word_starts, lengths, refused)


def _plain(backend: RustTokenizer, texts: Sequence[str]) -> list[_IdsAndWords]:
    """Ids and words of each text, [tokens] each."""
    encodings = backend.encode_batch(list(texts), add_special_tokens=False)
    return [(one.ids, [-1 if word is None else word for word in one.word_ids]) for one in encodings]


def _one_by_one(
    backend: RustTokenizer, texts: Sequence[str], refused: dict[int, str], first: int
) -> list[_IdsAndWords]:
    found: list[_IdsAndWords] = []
    for number, text in enumerate(texts, first):
        try:
            found += _plain(backend, [text])
        except Exception as error:  # noqa: BLE001 - see above
            found.append(([], []))
            refused[number] = f"it fails at {text[:80]!r}: {error}"
    return found
