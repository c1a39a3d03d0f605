"""FARM's features of one sample, and where the second text of a pair begins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from farm_ray.errors import DataProblemError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from farm_ray.compat.samples import Sample
    from farm_ray.data_handler.given_rows import Row, RowDict
    from farm_ray.modeling.tokenization.protocol import TokenizerLike
    from farm_ray.tasks.task import Tasks

_ROBERTA_SEPARATOR = 2
_CAMEMBERT_SEPARATOR = 6


def sample_to_features_text(sample: Sample, tasks: Tasks, max_seq_len: int, tokenizer: TokenizerLike) -> list[RowDict]:
    """Padded features of one sample: a list of one dict with input_ids, padding_mask, segment_ids and label ids.

    Args:
        sample: Brings `clear_text["text"]`, a text or a pair of texts, or ready tokens in `tokenized["tokens"]` for a
            slow tokenizer.
        tasks: Whose labels to convert; labels that are not in `clear_text` are left out (inference).
        max_seq_len: Length of each list, [max_seq_len].
        tokenizer: From `Tokenizer.load`.

    Raises:
        DataProblemError: When a label is not in its task's label list.
    """
    encoded = _encode(sample, max_seq_len, tokenizer)
    ids = list(encoded["input_ids"])
    segments = list(encoded.get("token_type_ids") or [0] * len(ids))
    missing = max_seq_len - len(ids)
    side = tokenizer.padding_side
    features: RowDict = {
        "input_ids": _pad(ids, missing, tokenizer.pad_token_id, side),
        "padding_mask": _pad([1] * len(ids), missing, 0, side),
        "segment_ids": _pad(segments, missing, tokenizer.pad_token_type_id, side),
    }
    for task in tasks.values():
        if task.label_name in sample.clear_text:
            features[task.label_tensor_name] = task.labels.ids(task, sample.clear_text[task.label_name])
    return [features]


def get_roberta_seq_2_start(input_ids: Sequence[int]) -> int:
    """Position of the second text in a RoBERTa pair: after the second separator (id 2)."""
    return _after_second(input_ids, _ROBERTA_SEPARATOR)


def get_camembert_seq_2_start(input_ids: Sequence[int]) -> int:
    """Position of the second text in a CamemBERT pair: after the second separator (id 6)."""
    return _after_second(input_ids, _CAMEMBERT_SEPARATOR)


def _after_second(input_ids: Sequence[int], separator: int) -> int:
    places = [place for place, token in enumerate(input_ids) if token == separator]
    if len(places) < 2:  # noqa: PLR2004
        raise DataProblemError(
            f"the ids hold {len(places)} separators (id {separator}), not the two of a text pair",
            code="no-text-pair",
            value=len(places),
        )
    return places[1] + 1


def _encode(sample: Sample, max_seq_len: int, tokenizer: TokenizerLike) -> Row:
    how = {"truncation": True, "max_length": max_seq_len, "return_token_type_ids": True, "verbose": False}
    if getattr(tokenizer, "is_fast", False) or not sample.tokenized:
        text = sample.clear_text["text"]
        return tokenizer(*text, **how) if isinstance(text, tuple | list) else tokenizer(text, **how)
    ids = tokenizer.convert_tokens_to_ids(sample.tokenized["tokens"])
    return tokenizer.prepare_for_model(ids, **how)


def _pad(values: Sequence[int | None], missing: int, fill: int | None, side: str) -> list[int | None]:
    padding = [fill] * missing
    return [*padding, *values] if side == "left" else [*values, *padding]
