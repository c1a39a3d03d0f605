"""FARM's object layer for language models: documents to a torch data set padded to `max_seq_len`, and baskets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from farm_ray.compat.samples import Sample, SampleBasket
from farm_ray.data_handler import problems
from farm_ray.data_handler.batches import FeatureSet
from farm_ray.data_handler.given_rows import RowDict, given_list
from farm_ray.data_handler.processor.dicts import external_id

if TYPE_CHECKING:
    from collections.abc import Sequence

    from farm_ray.data_handler.processor.language_model import BertStyleLMProcessor

_ORDER = ("input_ids", "segment_ids", "padding_mask", "lm_label_ids", "nextsentence_label_ids", "position_ids")


def dataset_from_documents(
    processor: BertStyleLMProcessor,
    dicts: Sequence[RowDict],
    indices: Sequence[int] | None,
    *,
    return_baskets: bool,
    debug: bool,
) -> tuple[object, ...]:
    """See `BertStyleLMProcessor.dataset_from_dicts`."""
    from torch.utils.data import TensorDataset

    dicts = given_list(dicts, name="dicts")
    numbers = list(range(len(dicts)) if indices is None else indices)
    table = processor.dicts_to_table(dicts, numbers)
    # Rows are known by their document's number, whatever ids the dicts bring along.
    table = table.set_column(0, "id", pa.array([str(number) for number in numbers], pa.string()))
    features = processor.featurize(table)
    sound = problems.sound(features).to_numpy(zero_copy_only=False)
    problematic = {int(number) for number in features.filter(pa.array(~sound)).column("id").to_pylist()}
    rows = FeatureSet(
        table=features,
        rows=np.flatnonzero(sound),
        padding=processor.padding(),
        pad_to_multiple_of=processor.max_seq_len,
        masking=processor.masking(processor.seed),
    )
    batch = rows.batch(np.arange(len(rows))) if len(rows) else {}
    tensors = {name: batch[name] for name in _ORDER if name in batch}
    dataset = TensorDataset(*tensors.values()) if tensors else None
    names = list(tensors) or None
    if not return_baskets:
        return dataset, names, problematic
    owners = [row_id.rpartition("-")[0] for row_id in rows.ids()]
    baskets = []
    for number, dictionary in zip(numbers, dicts, strict=True):
        own = [place for place, owner in enumerate(owners) if owner == str(number)]
        samples = []
        for count, place in enumerate(own):
            values = {name: tensor[place].tolist() for name, tensor in tensors.items()}
            ids = values["input_ids"][: int(rows.lengths[place])]
            if processor.padding().side == "left":
                ids = values["input_ids"][processor.max_seq_len - int(rows.lengths[place]) :]
            tokenized = {"tokens": processor.tokenizer.convert_ids_to_tokens(ids)} if debug else {}
            samples.append(Sample(f"{number}-{count}", dictionary, tokenized, [values]))
        if own:
            baskets.append(SampleBasket(str(number), dictionary, external_id(dictionary), samples))
    return dataset, names, problematic, baskets
