"""Tokens together with where they begin in the text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypedDict

from farm_ray.modeling.tokenization.backend import has_backend, private_copy

if TYPE_CHECKING:
    from farm_ray.modeling.tokenization.protocol import TokenizerLike

_WORD = re.compile(r"\S+")
_MARKERS = ("##", "Ġ", "▁")


class TokensWithMetadata(TypedDict):
    """Three lists of equal length, one element per token."""

    tokens: list[str]
    offsets: list[int]
    start_of_word: list[bool]


def tokenize_with_metadata(text: str, tokenizer: TokenizerLike) -> TokensWithMetadata:
    """Tokens of a text without special tokens, and metadata: three lists of equal length.

    Runs of whitespace (tabs, line breaks, several spaces) count as one space and whitespace at the ends as none;
    offsets are still positions in `text` as it was given.

    Args:
        text: object text; the empty one gives empty lists.
        tokenizer: From `Tokenizer.load`, fast or slow.

    Returns:
        `tokens` (strings), `offsets` (character in `text` where the token begins), `start_of_word` (bool). With a
        fast tokenizer a word is what its pre-tokenizer takes for one (punctuation stands alone in BERT's); with a
        slow one, what stands between whitespace.
    """
    words = [(match.start(), match.group()) for match in _WORD.finditer(text)]
    if has_backend(tokenizer):
        return _fast(words, tokenizer)
    return _slow(words, tokenizer)


def _fast(words: list[tuple[int, str]], tokenizer: TokenizerLike) -> TokensWithMetadata:
    squeezed = " ".join(word for _, word in words)
    places = _places(words)
    encoding = private_copy(tokenizer).encode(squeezed, add_special_tokens=False)
    offsets = [places[_skip_space(squeezed, start, end)] for start, end in encoding.offsets]
    begins = {start for start, _ in words}
    start_of_word: list[bool] = []
    last_offset, last_word = -1, None
    for offset, word in zip(offsets, encoding.word_ids, strict=True):
        # Some pre-tokenizers do not cut at whitespace: a token at the start of a word is one in any case.
        start_of_word.append(word != last_word or (offset in begins and offset > last_offset))
        last_offset, last_word = offset, word
    return {"tokens": encoding.tokens, "offsets": offsets, "start_of_word": start_of_word}


def _places(words: list[tuple[int, str]]) -> list[int]:
    """For each character of the squeezed text its position in the text as given."""
    places: list[int] = []
    for start, word in words:
        if places:
            places.append(places[-1] + 1)
        places.extend(range(start, start + len(word)))
    return [*places, places[-1] + 1] if places else [0]


def _skip_space(text: str, start: int, end: int) -> int:
    while start < end and text[start] == " ":
        start += 1
    return start


def _slow(words: list[tuple[int, str]], tokenizer: TokenizerLike) -> TokensWithMetadata:
    tokens: list[str] = []
    offsets: list[int] = []
    start_of_word: list[bool] = []
    for start, word in words:
        offset = start
        parts = tokenizer.tokenize(word) if not tokens else _tokenize_inner(word, tokenizer)
        for position, token in enumerate(parts):
            tokens.append(token)
            offsets.append(offset)
            start_of_word.append(position == 0)
            offset += 1 if token == tokenizer.unk_token else len(_bare(token))
    return {"tokens": tokens, "offsets": offsets, "start_of_word": start_of_word}


def _tokenize_inner(word: str, tokenizer: TokenizerLike) -> list[str]:
    """A word that is not the first; byte-pair tokenizers of RoBERTa's kind mark the space before it."""
    if "roberta" in type(tokenizer).__name__.lower():
        return tokenizer.tokenize(word, add_prefix_space=True)
    return tokenizer.tokenize(word)


def _bare(token: str) -> str:
    for marker in _MARKERS:
        if token.startswith(marker) and token != marker:
            return token.removeprefix(marker)
    return "" if token in _MARKERS[1:] else token
