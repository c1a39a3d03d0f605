"""What is hidden and which texts are paired, over a million masked tokens of the Brown corpus. Needs FARM_RAY_DATA.

Run with `FARM_RAY_DATA=folder pytest -m real tests/real/test_masks_and_pairs.py`; some minutes, no training.
"""

import itertools

import numpy as np
import pyarrow as pa
import pytest

from farm_ray.data_handler.batches import FeatureSet
from farm_ray.data_handler.processor import BertStyleLMProcessor
from farm_ray.modeling.tokenization import Tokenizer
from tests.real.training import DATA

pytestmark = [pytest.mark.real, pytest.mark.timeout(1800)]

SEED = 11
EPOCHS = 5
"""Some 220,000 tokens are hidden in each."""
WINDOW = 1_000_000


@pytest.fixture(scope="module")
def tokenizer():
    from pipelines.quickstart import model_folder

    assert DATA.is_dir(), "set FARM_RAY_DATA to the folder with the data sets"
    return Tokenizer.load(model_folder())


@pytest.fixture(scope="module")
def processor(tokenizer):
    return BertStyleLMProcessor(tokenizer, 128, DATA / "brown")


@pytest.fixture(scope="module")
def documents(processor):
    """The text of each document of the corpus by its id, as tokens."""
    found = {}
    for part in processor.splits(str(DATA / "brown" / "train.txt"), WINDOW):
        for table in processor.read(part):
            for name, doc in zip(table["id"].to_pylist(), table["doc"].to_pylist(), strict=True):
                encoded = processor.tokenizer(doc, add_special_tokens=False)["input_ids"]
                found[name] = np.array(list(itertools.chain.from_iterable(encoded)), np.int32)
    return found


@pytest.fixture(scope="module")
def epochs(processor):
    """The rows of each epoch, read as a stream reads them."""

    def rows(epoch):
        here = processor.for_pass(SEED, epoch)
        parts = here.splits(str(DATA / "brown" / "train.txt"), WINDOW)
        table = pa.concat_tables(here.featurize(dicts) for part in parts for dicts in here.read(part))
        return FeatureSet(
            table=table, rows=np.arange(table.num_rows), padding=here.padding(), masking=here.masking(SEED)
        )

    return [rows(epoch) for epoch in range(EPOCHS)]


def test_a_million_hidden_tokens(epochs, tokenizer):
    special = np.array(tokenizer.all_special_ids)
    counts = dict.fromkeys(("text", "hidden", "masked", "kept", "other", "special", "torn"), 0)
    for epoch, rows in enumerate(epochs):
        for first in range(0, len(rows), 512):
            positions = np.arange(first, min(first + 512, len(rows)))
            batch = {name: tensor.numpy() for name, tensor in rows.batch(positions, epoch).items()}
            starts = padded(rows.table["word_starts"].slice(first, len(positions)), batch["input_ids"].shape[1], -1)
            labels, seen = batch["lm_label_ids"], batch["input_ids"]
            hidden = labels >= 0
            masked, kept = seen == tokenizer.mask_token_id, seen == labels
            # The rest of a word that the row before began stands behind a special token.
            begins = (starts == 1) | ((starts == 0) & (np.roll(starts, 1, axis=1) < 0))
            words = np.cumsum(begins, axis=1) + np.arange(len(starts))[:, None] * 1000
            torn = np.intersect1d(words[hidden], words[~hidden & (starts >= 0)])
            told = ((starts >= 0).sum(), hidden.sum(), masked[hidden].sum(), kept[hidden].sum())
            told += ((hidden & ~masked & ~kept).sum(), (hidden & (starts < 0)).sum(), len(torn))
            counts = {name: counts[name] + int(count) for name, count in zip(counts, told, strict=True)}
            replaced = seen[hidden & ~masked & ~kept]
            assert not np.isin(replaced, special).any()
    hidden = counts["hidden"]
    assert hidden >= 1_000_000
    assert counts["special"] == counts["torn"] == 0
    # Counts are whole: of a full row's 125 tokens of text 19 are hidden, not 18.75.
    assert hidden / counts["text"] == pytest.approx(0.15, abs=0.002)
    # Four standard deviations of a million draws, and the one in 30,000 that is replaced by itself.
    assert counts["masked"] / hidden == pytest.approx(0.8, abs=0.002)
    assert counts["kept"] / hidden == pytest.approx(0.1, abs=0.002)
    assert counts["other"] / hidden == pytest.approx(0.1, abs=0.002)


def test_another_mask_in_each_epoch_and_the_same_for_a_seed(epochs):
    """Of the same rows: two masks have as much in common as chance gives."""
    rows, positions = epochs[0], np.arange(2000)
    first, second = (rows.batch(positions, epoch)["lm_label_ids"].numpy() >= 0 for epoch in (0, 1))
    assert 0.12 < (first & second).sum() / first.sum() < 0.18
    assert (rows.batch(positions, 0)["lm_label_ids"].numpy() >= 0).tolist() == first.tolist()


def test_random_texts_are_of_other_documents(epochs, documents):
    """Every pair of two epochs is looked up in the corpus; second texts that are "next" stand right behind."""
    everything = Corpus(documents)
    for rows in epochs[:2]:
        labels = rows.column("nextsentence_label_ids")[:, 0]
        assert labels.mean() == pytest.approx(0.5, abs=4 * 0.5 / np.sqrt(len(labels)))
        ids, segments, owners = (rows.table[name].to_pylist() for name in ("input_ids", "segment_ids", "id"))
        for row in range(len(rows)):
            tokens, side = np.array(ids[row], np.int32), np.array(segments[row])
            a, b = tokens[side == 0][1:-1], tokens[side == 1][:-1]
            owner = owners[row].rpartition("-")[0]
            follows = np.concatenate([a, b]).tobytes()
            assert everything.has(owner, a.tobytes()), owners[row]
            if labels[row] == 0:
                assert everything.has(owner, follows), owners[row]
            else:
                assert everything.elsewhere(owner, b.tobytes()), owners[row]
    first, second = ({tuple(row) for row in rows.table["input_ids"].to_pylist()} for rows in epochs[:2])
    assert len(first & second) < 0.05 * len(first)


class Corpus:
    """Finds stretches of tokens in documents."""

    def __init__(self, documents):
        self.text = b"".join(tokens.tobytes() for tokens in documents.values())
        ends = np.cumsum([tokens.nbytes for tokens in documents.values()])
        self.places = {name: (end - documents[name].nbytes, end) for name, end in zip(documents, ends, strict=True)}

    def has(self, name, tokens):
        """Whether the document has them, one after the other."""
        return self._find(tokens, *self.places[name])

    def elsewhere(self, name, tokens):
        """Whether another one has."""
        start, end = self.places[name]
        return self._find(tokens, 0, start) or self._find(tokens, end, len(self.text))

    def _find(self, tokens, start, end):
        at = self.text.find(tokens, start, end)
        while at >= 0 and at % 4:
            at = self.text.find(tokens, at + 1, end)
        return at >= 0


def padded(column, width, fill):
    """Lists of a column as an array, [rows, width]."""
    array = np.full((len(column), width), fill)
    for row, values in enumerate(column.to_pylist()):
        array[row, : len(values)] = values
    return array
