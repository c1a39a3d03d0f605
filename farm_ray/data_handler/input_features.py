"""What the model reads: the columns of the features table, and FARM's features of one sample."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from farm_ray.data_handler.problems import COLUMN, PROBLEM
from farm_ray.errors import DataProblemError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from farm_ray.data_handler.samples import Sample
    from farm_ray.tasks.task import Tasks

_ROBERTA_SEPARATOR = 2
_CAMEMBERT_SEPARATOR = 6


def text_schema(label_fields: Sequence[pa.Field], *, segments: bool) -> pa.Schema:
    """Features of text tasks, one row per sample.

    id; input_ids with special tokens, not padded; segment_ids of the same length where the tokenizer makes any;
    the labels as in the samples; n_tokens, the length of input_ids; clipped, true where tokens were cut off; problem.

    Args:
        label_fields: The label columns of the samples.
        segments: Whether there is a column `segment_ids`.
    """
    tokens = [pa.field("input_ids", pa.list_(pa.int32()))]
    if segments:
        tokens.append(pa.field("segment_ids", pa.list_(pa.int8())))
    rest = [("n_tokens", pa.int32()), ("clipped", pa.bool_()), (COLUMN, PROBLEM)]
    return pa.schema([("id", pa.string()), *tokens, *label_fields, *rest])


def token_schema(label_fields: Sequence[pa.Field], *, segments: bool) -> pa.Schema:
    """Features of tasks on words, one row per window of a text.

    id (`{dict_id}-{window}`); dict_id, the id of the source row; window, its number from 0; input_ids with special
    tokens, not padded; segment_ids where the tokenizer makes any; initial_mask, 1 on the first token of each word that
    this window owns; the labels: one per token where words have labels; n_tokens; clipped, true where tokens were cut
    off a word; problem.

    Args:
        label_fields: The label columns, in order.
        segments: Whether there is a column `segment_ids`.
    """
    source = [("id", pa.string()), ("dict_id", pa.string()), ("window", pa.int32())]
    tokens = [("input_ids", pa.list_(pa.int32())), ("initial_mask", pa.list_(pa.int8()))]
    if segments:
        tokens.insert(1, ("segment_ids", pa.list_(pa.int8())))
    rest = [("n_tokens", pa.int32()), ("clipped", pa.bool_()), (COLUMN, PROBLEM)]
    return pa.schema([*source, *tokens, *label_fields, *rest])


def lm_schema(*, segments: bool, packing: bool, next_sentence: bool) -> pa.Schema:
    """Features of language models, one row per sequence; a document gives one or more, or one with its problem.

    id (`{document id}-{number}`, beside a problem the document's id); input_ids with special tokens, not padded and not
    masked; segment_ids; word_starts, 1 on the first token of a word, 0 inside a word, -1 on special tokens, which are
    never masked; text_numbers, 0, 0, ..., 1, 1, ...: which of the texts packed into the row a token is of;
    nextsentence_label_ids, 0 where the second text follows the first one, 1 where it is another document's; n_tokens;
    clipped, true where tokens were cut off; problem. Lists are null beside a problem.

    Args:
        segments: Whether there is a column `segment_ids`.
        packing: Whether there is a column `text_numbers`.
        next_sentence: Whether there is a column `nextsentence_label_ids`.
    """
    fields: list[tuple[str, pa.DataType]] = [("id", pa.string()), ("input_ids", pa.list_(pa.int32()))]
    if segments:
        fields.append(("segment_ids", pa.list_(pa.int8())))
    fields.append(("word_starts", pa.list_(pa.int8())))
    if packing:
        fields.append(("text_numbers", pa.list_(pa.int16())))
    if next_sentence:
        fields.append(("nextsentence_label_ids", pa.list_(pa.int64(), 1)))
    return pa.schema([*fields, ("n_tokens", pa.int32()), ("clipped", pa.bool_()), (COLUMN, PROBLEM)])


def sample_to_features_text(sample: Sample, tasks: Tasks, max_seq_len: int, tokenizer: Any) -> list[dict[str, Any]]:
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
    features: dict[str, Any] = {
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
        raise DataProblemError(f"the ids hold {len(places)} separators (id {separator}), not the two of a text pair")
    return places[1] + 1


def _encode(sample: Sample, max_seq_len: int, tokenizer: Any) -> Mapping[str, Any]:
    how = {"truncation": True, "max_length": max_seq_len, "return_token_type_ids": True, "verbose": False}
    if getattr(tokenizer, "is_fast", False) or not sample.tokenized:
        text = sample.clear_text["text"]
        return tokenizer(*text, **how) if isinstance(text, tuple | list) else tokenizer(text, **how)
    ids = tokenizer.convert_tokens_to_ids(sample.tokenized["tokens"])
    return tokenizer.prepare_for_model(ids, **how)


def _pad(values: list[int], missing: int, fill: int, side: str) -> list[int]:
    padding = [fill] * missing
    return padding + values if side == "left" else values + padding
