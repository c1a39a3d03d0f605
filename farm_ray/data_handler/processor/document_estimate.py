"""How many rows a corpus will give, from its first documents."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from farm_ray.data_handler import problems
from farm_ray.data_handler.file_to_dicts.documents import Counts, DocumentFile, count_documents
from farm_ray.data_handler.file_to_dicts.objects import read_objects
from farm_ray.data_handler.file_to_dicts.splits import Split
from farm_ray.storage import data_suffix, file_name

if TYPE_CHECKING:
    from farm_ray.data_handler.processor.language_model import BertStyleLMProcessor

OBJECT_SUFFIXES = (".json", ".jsonl", ".parquet")
"""Files that hold a document in each row."""

_TABLE_BYTES = 256 << 10


def estimated_rows(processor: BertStyleLMProcessor, address: str, max_docs: int) -> int:
    """See `BertStyleLMProcessor.estimate_n_samples`; of one file."""
    counts = _counts(processor, address)
    single_sentences = processor.next_sent_pred and processor.next_sent_pred_style == "sentence"
    if single_sentences and data_suffix(address) not in OBJECT_SUFFIXES and processor.max_docs is None:
        return max(1, counts.lines - 2 * counts.blank)
    first = _first_documents(processor, address, max_docs)
    rows = np.count_nonzero(problems.sound(processor.featurize(first)).to_numpy(zero_copy_only=False))
    documents = counts.documents if processor.max_docs is None else min(counts.documents, processor.max_docs)
    return max(1, int(rows) * documents // max(1, first.num_rows))


def _first_documents(processor: BertStyleLMProcessor, address: str, max_docs: int) -> pa.Table:
    tables: list[pa.Table] = []
    for table in processor.read(Split(address, table_bytes=_TABLE_BYTES)):
        tables.append(table)
        if sum(one.num_rows for one in tables) >= max_docs:
            break
    return pa.concat_tables(tables).slice(0, max_docs)


def _counts(processor: BertStyleLMProcessor, address: str) -> Counts:
    """Of a file whose rows are documents only these are known."""
    suffix, name = data_suffix(address), file_name(address)
    if suffix not in OBJECT_SUFFIXES:
        return count_documents(processor.document_file(address, name))
    if suffix == ".jsonl":
        lines = count_documents(DocumentFile(uri=address, name=name, proxies=processor.proxies))
        return Counts(0, 0, lines.lines - lines.blank)
    return Counts(0, 0, sum(len(rows) for rows in read_objects(processor.table_file(address, name))))
