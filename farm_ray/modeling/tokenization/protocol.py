"""What farm_ray needs of a tokenizer of transformers; `prepare_for_model` is there on slow ones only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping
    from os import PathLike


class TokenizerLike(Protocol):
    """A tokenizer, as `Tokenizer.load` gives it.

    Fast ones also have a Rust part; `backend_of` in `farm_ray.modeling.tokenization.backend` finds it.
    """

    model_max_length: int
    padding_side: Literal["left", "right"]
    init_kwargs: dict[str, object]

    @property
    def pad_token_id(self) -> int | None:
        """The token that fills rows up."""

    @property
    def pad_token_type_id(self) -> int:
        """The segment of padding."""

    @property
    def cls_token_id(self) -> int | None:
        """The token that stands for a whole text."""

    @property
    def mask_token_id(self) -> int | None:
        """The token that hides another one."""

    @property
    def unk_token(self) -> str | None:
        """What stands for text that the vocabulary lacks."""

    @property
    def unk_token_id(self) -> int | None:
        """The id of `unk_token`."""

    @property
    def vocab_size(self) -> int:
        """Tokens, without those that were added later."""

    @property
    def all_special_ids(self) -> list[int]:
        """The ids of `all_special_tokens`."""

    @property
    def all_special_tokens(self) -> list[str]:
        """Tokens that no text holds: padding, mask, separators."""

    @property
    def special_tokens_map(self) -> Mapping[str, object]:
        """The special tokens by what they are for."""

    def __len__(self) -> int:
        """Tokens, with those that were added later."""

    def __call__(self, *texts: object, **how: object) -> Mapping[str, list[int]]:
        """A text or a pair of texts as ids, segments and masks."""

    def tokenize(self, text: str, **how: object) -> list[str]:
        """The tokens of a text."""

    def convert_tokens_to_ids(self, tokens: list[str]) -> list[int]:
        """The id of each token."""

    def convert_ids_to_tokens(self, ids: list[int]) -> list[str]:
        """The token of each id."""

    def prepare_for_model(self, ids: list[int], **how: object) -> Mapping[str, list[int]]:
        """Ids with the special tokens around them; slow tokenizers only."""

    def num_special_tokens_to_add(self, pair: bool = False) -> int:
        """The special tokens around a text, or around and between two."""

    def get_vocab(self) -> dict[str, int]:
        """The id of every token."""

    def get_added_vocab(self) -> dict[str, int]:
        """The id of every token that was added later."""

    def save_pretrained(self, save_directory: str | PathLike[str]) -> object:
        """Writes the tokenizer's files."""
