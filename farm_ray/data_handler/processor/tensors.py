"""FARM's object layer on the arrows: dicts to a torch data set padded to `max_seq_len`, and baskets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from farm_ray.data_handler import problems
from farm_ray.data_handler.columns import one_array
from farm_ray.data_handler.processor.dicts import external_id
from farm_ray.data_handler.samples import Sample, SampleBasket
from farm_ray.data_handler.samples_to_features.padding import Padding, pad_ragged, token_mask

if TYPE_CHECKING:
    from collections.abc import Sequence

    from farm_ray.data_handler.processor.base import Processor


def dataset_from_dicts(
    processor: Processor, dicts: Sequence[Any], indices: Sequence[int] | None, *, return_baskets: bool, debug: bool
) -> tuple[Any, ...]:
    """See `Processor.dataset_from_dicts`."""
    import torch
    from torch.utils.data import TensorDataset

    processor = processor.for_inference() if return_baskets else processor
    numbers = list(range(len(dicts)) if indices is None else indices)
    features = processor.featurize(processor.dicts_to_table(dicts, numbers))
    sound = problems.sound(features)
    kept = np.flatnonzero(sound.to_numpy(zero_copy_only=False)).tolist()
    problematic = {numbers[row] for row in set(range(len(dicts))) - set(kept)}
    arrays = padded_arrays(features.filter(sound), processor.padding(), processor.max_seq_len)
    dataset = TensorDataset(*(torch.from_numpy(array) for array in arrays.values())) if kept else None
    names = list(arrays) if kept else None
    if not return_baskets:
        return dataset, names, problematic
    baskets = [_basket(processor, dicts[row], numbers[row], arrays, place, debug) for place, row in enumerate(kept)]
    return dataset, names, problematic, baskets


def padded_arrays(features: pa.Table, padding: Padding, width: int) -> dict[str, np.ndarray]:
    """The features as arrays [rows, width] (labels [rows, n]): ids, mask, segments, then the labels."""
    lengths = one_array(features.column("n_tokens")).to_numpy()
    mask = token_mask(lengths, width, side=padding.side)
    segments = np.where(mask, 0, padding.segment_pad).astype(np.int64)
    if "segment_ids" in features.column_names:
        segments = _padded(features, "segment_ids", mask, padding)
    arrays = {
        "input_ids": _padded(features, "input_ids", mask, padding),
        "padding_mask": mask.astype(np.int64),
        "segment_ids": segments,
    }
    for field in features.schema:
        if pa.types.is_fixed_size_list(field.type):
            values = one_array(features.column(field.name)).flatten().to_numpy()
            arrays[field.name] = values.reshape(-1, field.type.list_size)
    return {name: np.array(values) for name, values in arrays.items()}


def _padded(features: pa.Table, column: str, mask: np.ndarray, padding: Padding) -> np.ndarray:
    values = one_array(features.column(column)).flatten().to_numpy()
    return pad_ragged(values, mask, fill=padding.value_for(column))


def _basket(
    processor: Processor,
    dictionary: dict[str, Any],
    number: int,
    arrays: dict[str, np.ndarray],
    place: int,
    debug: bool,
) -> SampleBasket:
    features = {name: values[place].tolist() for name, values in arrays.items()}
    ids = [token for token, real in zip(features["input_ids"], features["padding_mask"], strict=True) if real]
    tokenized = {"tokens": processor.tokenizer.convert_ids_to_tokens(ids)} if debug else {}
    sample = Sample(id=f"{number}-0", clear_text=dictionary, tokenized=tokenized, features=[features])
    return SampleBasket(id_internal=str(number), raw=dictionary, id_external=external_id(dictionary), samples=[sample])
