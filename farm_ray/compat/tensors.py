"""FARM's object layer on the stages: dicts to a torch data set padded to `max_seq_len`, and baskets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from farm_ray.compat import own_features
from farm_ray.compat.samples import Sample, SampleBasket
from farm_ray.data_handler import problems
from farm_ray.data_handler.columns import one_array
from farm_ray.data_handler.feature_columns import fixed_to_numpy
from farm_ray.data_handler.feature_schema import features_of
from farm_ray.data_handler.given_rows import RowDict, given_list
from farm_ray.data_handler.processor.dicts import external_id
from farm_ray.data_handler.samples_to_features.padding import Padding, pad_ragged, token_mask
from farm_ray.farm_methods import DATASET

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa

    from farm_ray.data_handler.processor.base import Processor


def dataset_from_dicts(
    processor: Processor, dicts: Sequence[RowDict], indices: Sequence[int] | None, *, return_baskets: bool, debug: bool
) -> tuple[object, ...]:
    """See `Processor.dataset_from_dicts`."""
    import torch
    from torch.utils.data import TensorDataset

    dicts = given_list(dicts, name="dicts")
    processor = processor.for_inference() if return_baskets else processor
    numbers = list(range(len(dicts)) if indices is None else indices)
    table, features = _features(processor, dicts, numbers)
    sound = problems.sound(features)
    kept = _source_rows(features)[sound.to_numpy(zero_copy_only=False)]
    problematic = {numbers[row] for row in set(range(len(dicts))) - set(kept.tolist())}
    arrays = padded_arrays(features.filter(sound), processor.padding(), processor.max_seq_len)
    dataset = TensorDataset(*(torch.from_numpy(array) for array in arrays.values())) if len(kept) else None
    names = list(arrays) if len(kept) else None
    if not return_baskets:
        return dataset, names, problematic
    texts = table.column("text")
    baskets = []
    for row in np.unique(kept).tolist():
        details = processor.sample_details(texts[row].as_py())
        samples = [
            _sample(
                processor,
                f"{numbers[row]}-{number}",
                dicts[row],
                arrays,
                int(place),
                details[number : number + 1],
                debug,
            )
            for number, place in enumerate(np.flatnonzero(kept == row))
        ]
        baskets.append(
            SampleBasket(
                id_internal=str(numbers[row]), raw=dicts[row], id_external=external_id(dicts[row]), samples=samples
            )
        )
    return dataset, names, problematic, baskets


def _features(processor: Processor, dicts: Sequence[RowDict], numbers: Sequence[int]) -> tuple[pa.Table, pa.Table]:
    """The dicts as a table, and their features: not by an own `dataset_from_dicts`, which may be what asks for them."""
    if own_features.made_by(type(processor)) == (DATASET,):
        table = processor.texts_to_table(dicts, [str(number) for number in numbers])
        return table, processor.samples_to_features(processor.dicts_to_samples(table))
    table = processor.dicts_to_table(dicts, numbers)
    if own_features.made_by(type(processor)):
        return table, own_features.featurize(processor, table, through_dataset=False)
    return table, processor.featurize(table)


def padded_arrays(features: pa.Table, padding: Padding, width: int) -> dict[str, np.ndarray]:
    """The features as arrays [rows, width] (labels of rows [rows, n]): ids, mask, segments, other tokens, labels."""
    if "padding_mask" in features.column_names:
        return _given_arrays(features)
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
    for feature in features_of(features.schema):
        if not feature.is_tensor or feature.name in arrays:
            continue
        if feature.ragged:
            arrays[feature.name] = _padded(features, feature.name, mask, padding)
        else:
            arrays[feature.name] = fixed_to_numpy(one_array(features.column(feature.name)))
    return {name: np.array(values) for name, values in arrays.items()}


def _given_arrays(features: pa.Table) -> dict[str, np.ndarray]:
    """Features that came padded."""
    names = [feature.name for feature in features_of(features.schema) if feature.is_tensor]
    return {name: np.array(fixed_to_numpy(one_array(features.column(name)))) for name in names}


def _padded(features: pa.Table, column: str, mask: np.ndarray, padding: Padding) -> np.ndarray:
    values = one_array(features.column(column)).flatten().to_numpy()
    return pad_ragged(values, mask, fill=padding.value_for(column))


def _source_rows(features: pa.Table) -> np.ndarray:
    """The row that each feature row was made of, [feature rows]."""
    if "window" not in features.column_names:
        return np.arange(features.num_rows)
    return np.cumsum(one_array(features.column("window")).to_numpy() == 0) - 1


def _sample(
    processor: Processor,
    sample_id: str,
    dictionary: RowDict,
    arrays: dict[str, np.ndarray],
    place: int,
    details: Sequence[Mapping[str, object]],
    debug: bool,
) -> Sample:
    features = {name: values[place].tolist() for name, values in arrays.items()}
    real = np.flatnonzero(features["padding_mask"]).tolist()
    tokenized: RowDict = {}
    if debug or details:
        tokenized["tokens"] = processor.tokenizer.convert_ids_to_tokens(
            [features["input_ids"][place] for place in real]
        )
    if "initial_mask" in features:
        tokenized["start_of_word"] = [bool(features["initial_mask"][place]) for place in real]
    for detail in details:
        tokenized |= detail
    return Sample(id=sample_id, clear_text=dictionary, tokenized=tokenized, features=[features])
