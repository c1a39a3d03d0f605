"""Tokenizers learnt from a corpus: the same texts in the same order give the same tokenizer, on any machine.

The trainers of `tokenizers` for word pieces and for unigrams do not: they number and sum up in the order of a hash
table. Byte pairs are counted exactly, so all kinds are built on that trainer.
"""

from __future__ import annotations

import itertools
import json
import math
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, cast

import numpy as np
from pydantic import PositiveInt

from farm_ray.configuration import Config, nearest
from farm_ray.errors import ConfigError, DataProblemError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    import numpy.typing as npt
    from tokenizers.normalizers import Normalizer
    from tokenizers.pre_tokenizers import PreTokenizer
    from transformers import BertTokenizer, PreTrainedTokenizerFast, RobertaTokenizer

    from farm_ray.modeling.tokenization.protocol import TokenizerLike

TokenizerKind = Literal["wordpiece", "byte_bpe", "unigram"]
KINDS = ("wordpiece", "byte_bpe", "unigram")

BERT_SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
ROBERTA_SPECIAL = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")

_WORD_BEGIN = "\u2581"
"""Stands before the first character of each word while pieces are learnt."""
_TEXTS_AT_ONCE = 1000
_WORDS_AT_ONCE = 10_000
_MOST_WORDS = 4_000_000
"""Different words that are counted at once; above that those that came once are forgotten."""
_COVERAGE = 0.9995
"""Share of a corpus's characters that are kept; the rarest ones become the unknown token."""
_FEW_CHARACTERS = 1000
"""So many different ones are always kept."""
_RARE = 20_000
"""Pieces to learn besides: rare characters may take up places, and characters at begins of words."""
_SHRINKING = (1.5, 1.3, 1.15, 1.0, 1.0)
"""Pieces in each round of learning unigrams, as multiples of what is wanted."""


class TokenizerTrainingConfig(Config):
    """A tokenizer learnt from the training files."""

    kind: TokenizerKind = "wordpiece"
    """`wordpiece` is BERT's (`BertTokenizer`), `byte_bpe` RoBERTa's (`RobertaTokenizer`), `unigram` XLM-RoBERTa's
    (`XLMRobertaTokenizer`, with `lowercase` a `PreTrainedTokenizerFast`, as that class knows no lower case): pieces of
    byte pairs from which those that a text needs least are taken away, with probabilities learnt from the texts."""
    vocab_size: PositiveInt = 30_000
    """Tokens at most, special ones included. Of a corpus with more than a thousand different characters those that make
    up 99.95 % of it become tokens."""
    lowercase: bool = True
    """Whether case and accents are taken off; byte_bpe keeps them."""
    max_bytes: PositiveInt | None = None
    """Bytes of text to learn from, about; of text files parts that lie evenly over all of them are taken, of others the
    begin. None takes all."""


DEFAULTS = TokenizerTrainingConfig()
"""What a training does that is given no options."""


def train_tokenizer(
    texts: Iterable[str | list[str]],
    *,
    kind: TokenizerKind = DEFAULTS.kind,
    vocab_size: int = DEFAULTS.vocab_size,
    lowercase: bool = DEFAULTS.lowercase,
    min_frequency: int = 2,
    model_max_length: int = 512,
) -> TokenizerLike:
    """A fast tokenizer of transformers, with a mask token and the special tokens around texts and pairs of texts.

    Args:
        texts: The corpus, read once: texts, or lists of sentences.
        kind: As in `TokenizerTrainingConfig`.
        vocab_size: As in `TokenizerTrainingConfig`.
        lowercase: As in `TokenizerTrainingConfig`.
        min_frequency: How often a piece must be found.
        model_max_length: Tokens of the longest row of the model that it is for.

    Raises:
        ConfigError: On a kind that is not known, or a `vocab_size` that does not hold all characters of the corpus.
        DataProblemError: When there is no text.
    """
    if kind not in KINDS:
        raise ConfigError(
            f'kind must be one of {", ".join(KINDS)}, not "{kind}"{nearest(str(kind), KINDS)}',
            code="invalid-value",
            option="kind",
            value=kind,
        )
    if vocab_size < 1 or min_frequency < 1:
        raise ConfigError(
            "vocab_size and min_frequency must be 1 or more",
            code="invalid-value",
            option="vocab_size",
            value=vocab_size,
        )
    batches = _batches(texts)
    first = next(batches, None)
    if first is None:
        raise DataProblemError("there is no text to learn a tokenizer from; give files with text", code="no-text")
    learn = {"wordpiece": _wordpiece, "byte_bpe": _byte_bpe, "unigram": _unigram}[kind]
    learnt: object = learn(itertools.chain([first], batches), vocab_size, lowercase, min_frequency, model_max_length)
    return cast("TokenizerLike", learnt)


def _wordpiece(batches: Iterator[list[str]], size: int, lowercase: bool, often: int, max_length: int) -> BertTokenizer:
    from tokenizers import normalizers, pre_tokenizers
    from transformers import BertTokenizer

    normalizer = normalizers.BertNormalizer(lowercase=lowercase)
    words = pre_tokenizers.BertPreTokenizer()
    begun = pre_tokenizers.Sequence([words, pre_tokenizers.Metaspace(replacement=_WORD_BEGIN, split=False)])
    census = _Census(normalizer)
    pieces, _ = _byte_pairs(census.counting(batches), begun, size + _RARE, often)
    vocabulary = census.usual(pieces)
    characters = [piece for piece in vocabulary if len(piece) == 1 and piece != _WORD_BEGIN]
    _refuse_no_text(characters)
    inner = [f"##{one}" for one in characters if len(words.pre_tokenize_str(normalizer.normalize_str(f"a{one}a"))) == 1]
    _check_size(size, len(characters), len(BERT_SPECIAL) + len(characters) + len(inner))
    learnt = (
        piece.removeprefix(_WORD_BEGIN) if piece.startswith(_WORD_BEGIN) else f"##{piece}"
        for piece in vocabulary
        if len(piece) > 1
    )
    tokens = list(dict.fromkeys([*BERT_SPECIAL, *characters, *inner, *learnt]))[:size]
    return BertTokenizer(vocab=_numbered(tokens), do_lower_case=lowercase, model_max_length=max_length)


def _byte_bpe(
    batches: Iterator[list[str]],
    size: int,
    lowercase: bool,  # noqa: ARG001 - bytes have no case
    often: int,
    max_length: int,
) -> RobertaTokenizer:
    from tokenizers import pre_tokenizers
    from transformers import RobertaTokenizer

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    if size < len(alphabet) + len(ROBERTA_SPECIAL):
        fewest = len(alphabet) + len(ROBERTA_SPECIAL)
        raise ConfigError(
            f"vocab_size={size} is too small for all bytes and special tokens; give {fewest} or more",
            code="vocabulary-too-small",
            option="vocab_size",
            value=size,
        )
    level = pre_tokenizers.ByteLevel(add_prefix_space=False)
    vocabulary, merges = _byte_pairs(batches, level, size - len(ROBERTA_SPECIAL), often, alphabet)
    tokens = [*ROBERTA_SPECIAL, *vocabulary]
    return RobertaTokenizer(vocab=_numbered(tokens), merges=merges, model_max_length=max_length)  # type: ignore[arg-type] # pairs too


def _unigram(
    batches: Iterator[list[str]], size: int, lowercase: bool, often: int, max_length: int
) -> PreTrainedTokenizerFast:
    from tokenizers import normalizers, pre_tokenizers
    from transformers import PreTrainedTokenizerFast, XLMRobertaTokenizer

    plain = [normalizers.NFKD(), normalizers.StripAccents(), normalizers.NFKC(), normalizers.Lowercase()]
    normalizer = normalizers.Sequence(plain) if lowercase else None
    begun = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace(_WORD_BEGIN)])
    census = _Census(normalizer, with_words=True)
    pairs, _ = _byte_pairs(census.counting(batches), begun, math.ceil(_SHRINKING[0] * size) + _RARE, often)
    vocabulary = census.usual(pairs)
    characters = {piece for piece in vocabulary if len(piece) == 1}
    _refuse_no_text(characters)
    room = size - len(ROBERTA_SPECIAL)
    _check_size(size, len(characters), len(ROBERTA_SPECIAL) + len(characters))
    pieces = [(name, 0.0) for name in ROBERTA_SPECIAL] + _probable_pieces(census.words, vocabulary, room)
    tokenizer = XLMRobertaTokenizer(vocab=pieces, unk_id=ROBERTA_SPECIAL.index("<unk>"), model_max_length=max_length)
    if normalizer is None:
        return tokenizer
    backend = tokenizer.backend_tokenizer
    backend.normalizer = normalizer
    names = {name: value for name, value in tokenizer.special_tokens_map.items() if isinstance(value, str)}
    return PreTrainedTokenizerFast(tokenizer_object=backend, **names, model_max_length=max_length)


def _byte_pairs(
    batches: Iterable[list[str]],
    pre_tokenizer: PreTokenizer,
    size: int,
    often: int,
    alphabet: Sequence[str] = (),
) -> tuple[list[str], list[tuple[str, str]]]:
    """Pieces in the order in which they were learnt, characters first; and which two each longer one is made of."""
    from tokenizers import Tokenizer, models, trainers

    learner = Tokenizer(models.BPE())
    learner.pre_tokenizer = pre_tokenizer
    trainer = trainers.BpeTrainer(
        vocab_size=size, min_frequency=often, initial_alphabet=list(alphabet), show_progress=False
    )
    learner.train_from_iterator(batches, trainer)
    model = json.loads(learner.to_str())["model"]
    vocabulary: dict[str, int] = model["vocab"]
    return sorted(vocabulary, key=vocabulary.__getitem__), [(left, right) for left, right in model["merges"]]


def _probable_pieces(words: Counter[str], vocabulary: Sequence[str], room: int) -> list[tuple[str, float]]:
    """Pieces with the logarithm of their probability: each round splits all words at best, and counts the pieces."""
    names = sorted(words)
    counts = np.array([words[name] for name in names], np.float64)
    needed = [piece for piece in vocabulary if len(piece) == 1]
    # Before anything is counted: what was learnt early is frequent.
    pieces = [(piece, -math.log(rank + 2.0)) for rank, piece in enumerate(vocabulary)]
    for share in _SHRINKING:
        used = _uses(names, counts, pieces)
        ranked = sorted(range(len(pieces)), key=lambda place: (-used[place], place))
        others = [place for place in ranked if len(pieces[place][0]) > 1][: max(0, int(share * room) - len(needed))]
        kept = sorted([*others, *(place for place in ranked if len(pieces[place][0]) == 1)])
        total = float(used[kept].sum()) + len(kept)
        pieces = [(pieces[place][0], math.log((used[place] + 0.5) / total)) for place in kept]
    return sorted(pieces, key=lambda piece: (-piece[1], piece[0]))


def _uses(
    names: Sequence[str], counts: npt.NDArray[np.float64], pieces: Sequence[tuple[str, float]]
) -> npt.NDArray[np.float64]:
    """How often each piece is used where all words are split in the most probable way, [pieces]."""
    from tokenizers import Tokenizer, models

    unknown = len(pieces)
    splitter = Tokenizer(models.Unigram([*pieces, ("<unk>", -100.0)], unk_id=unknown))
    used = np.zeros(len(pieces) + 1)
    for at in range(0, len(names), _WORDS_AT_ONCE):
        encoded = splitter.encode_batch_fast(names[at : at + _WORDS_AT_ONCE], add_special_tokens=False)
        lengths = [len(one.ids) for one in encoded]
        ids = np.fromiter(itertools.chain.from_iterable(one.ids for one in encoded), np.int64, sum(lengths))
        used += np.bincount(ids, np.repeat(counts[at : at + len(encoded)], lengths), minlength=len(used))
    return used[:unknown]


@dataclass(slots=True)
class _Census:
    """What the texts that went through `counting` hold, normalized."""

    normalizer: Normalizer | None
    with_words: bool = False
    characters: Counter[str] = field(default_factory=Counter)
    words: Counter[str] = field(default_factory=Counter)
    """Each behind the sign that a word begins."""

    def counting(self, batches: Iterable[list[str]]) -> Iterator[list[str]]:
        """The batches, normalized; counts what is in them as it goes."""
        for batch in batches:
            # Words end at line ends: one text is as good as many, and faster.
            text = "\n".join(batch)
            if self.normalizer is not None:
                text = self.normalizer.normalize_str(text)
            self.characters.update(text)
            if self.with_words:
                self._count_words(text)
            yield [text]

    def usual(self, pieces: Sequence[str]) -> list[str]:
        """The pieces without rare characters: a large corpus holds thousands, and each would take up a token."""
        ranked = sorted(self.characters, key=lambda one: (-self.characters[one], one))
        covered = np.cumsum([self.characters[one] for one in ranked])
        enough = int(np.searchsorted(covered, _COVERAGE * covered[-1])) + 1 if len(covered) else 0
        kept = {_WORD_BEGIN, *ranked[: max(enough, _FEW_CHARACTERS)]}
        return [piece for piece in pieces if kept.issuperset(piece)]

    def _count_words(self, text: str) -> None:
        self.words.update(_WORD_BEGIN + word for word in text.split())
        if len(self.words) > _MOST_WORDS:
            for word in [word for word, count in self.words.items() if count == 1]:
                del self.words[word]


def _batches(texts: Iterable[str | list[str]]) -> Iterator[list[str]]:
    """Lists of texts that are not blank."""
    flat = (one for text in texts for one in ([text] if isinstance(text, str) else text) if one.strip())
    while batch := list(itertools.islice(flat, _TEXTS_AT_ONCE)):
        yield batch


def _numbered(tokens: Sequence[str]) -> dict[str, int]:
    return {token: number for number, token in enumerate(tokens)}


def _refuse_no_text(characters: Collection[str]) -> None:
    if not characters:
        raise DataProblemError(
            "there is no text to learn a tokenizer from: nothing but control characters", code="no-text"
        )


def _check_size(size: int, characters: int, fewest: int) -> None:
    if size < fewest:
        raise ConfigError(
            f"vocab_size={size} is too small: the corpus holds {characters} different characters, which need {fewest} "
            f"tokens with the special ones; give vocab_size={fewest} or more, or a cleaner corpus",
            code="vocabulary-too-small",
            option="vocab_size",
            value=size,
        )
