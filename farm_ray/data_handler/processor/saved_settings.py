"""The schema of `processor_config.json`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from farm_ray.saved import Count, Finite, Labels, Number, Saved, Share, Width

_Character = Annotated[str, Field(max_length=1)] | None


class SavedTask(Saved):
    """An entry of `tasks`."""

    label_list: Labels | None = None
    label_name: str | None = None
    label_tensor_name: str | None = None
    label_column_name: str | None = None
    text_column_name: str | None = None
    task_type: str | None = None
    metric: str | list[object] | None = None


class SavedProcessor(Saved):
    """All of the file; the names are the arguments of our processors."""

    processor: str
    tokenizer: str | None = None
    tasks: dict[str, SavedTask] | None = None
    max_seq_len: Width | None = None
    data_dir: str | None = None
    train_filename: str | None = None
    dev_filename: str | None = None
    test_filename: str | None = None
    dev_split: Share | None = None
    seed: Number | None = None
    max_samples: Number | None = None
    max_docs: Number | None = None
    max_text_chars: Width | None = None
    label_list: Labels | None = None
    label_name: str | None = None
    label_column_name: str | None = None
    text_column_name: str | None = None
    text_b_column_name: str | None = None
    metric: str | list[object] | None = None
    delimiter: str | None = None
    quote_char: _Character = None
    encoding: str | None = None
    header: Count | None = None
    skiprows: Count | list[Count] | None = None
    proxies: dict[str, str] | None = None
    multilabel: bool | None = None
    multithreading_rust: bool | None = None
    next_sent_pred: bool | None = None
    whole_word_masking: bool | None = None
    packing: bool | None = None
    germeval14: bool | None = None
    iob1: bool | None = None
    masked_lm_prob: Share | None = None
    non_initial_token: str | None = None
    token_column: Number | None = None
    tag_column: Number | None = None
    window_overlap: Count | None = None
    scaler_mean: Finite | None = None
    scaler_scale: Finite | None = None
