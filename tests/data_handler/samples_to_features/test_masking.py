"""Masked tokens: how many, which, what stands in their place; the same in any batch, others in each epoch."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from farm_ray.data_handler.samples_to_features.masking import Masking, masked, positions_in_text, same_text
from farm_ray.errors import ConfigError
from farm_ray.reproducibility import splitmix64

MASK, SPECIAL, VOCAB = 4, (0, 1, 2, 3, 4), 1000
MASKING = Masking(mask_token_id=MASK, vocab_size=VOCAB, special_ids=SPECIAL, seed=7)


def rows(count, width, *, seed=0, padded=True):
    """Ids, word starts, hashes of random rows: [CLS] words of 1 to 4 tokens [SEP], padding."""
    draw = np.random.default_rng(seed)
    ids = draw.integers(5, VOCAB, (count, width))
    starts = (draw.random((count, width)) < 0.7).astype(np.int8)
    ids[:, 0], starts[:, 0], starts[:, 1] = 2, -1, 1
    lengths = draw.integers(3, width + 1, count) if padded else np.full(count, width)
    behind = np.arange(width) >= lengths[:, None] - 1
    ids[behind], starts[behind] = 0, -1
    ids[np.arange(count), lengths - 1] = 3
    return ids, starts, splitmix64(np.arange(count, dtype=np.uint64))


def words(starts):
    """Number of the word of each token, [B, T]; -1 where there is none."""
    return np.where(starts >= 0, np.cumsum(starts == 1, axis=1), -1)


def test_shares_over_many_tokens():
    """Of 400,000 tokens: 15 % are predicted, 80/10/10 of them; nothing special is."""
    ids, starts, hashes = rows(4000, 128)
    seen, labels = masked(ids, starts, hashes, MASKING, 0)
    predicted = labels >= 0
    real = (starts >= 0).sum()
    assert real > 200_000
    assert not (predicted & (starts < 0)).any()
    assert predicted.sum() / real == pytest.approx(0.15, abs=0.002)
    assert (labels[predicted] == ids[predicted]).all()
    assert (seen[~predicted] == ids[~predicted]).all()
    to_mask = (seen == MASK)[predicted].mean()
    kept = (seen == ids)[predicted].mean()
    assert to_mask == pytest.approx(0.8, abs=0.01)
    assert kept == pytest.approx(0.1 + 0.1 / VOCAB, abs=0.01)
    replaced = seen[predicted & (seen != MASK) & (seen != ids)]
    assert not np.isin(replaced, SPECIAL).any()
    assert np.bincount(replaced, minlength=VOCAB)[5:].max() < 40
    counts = np.maximum(1, np.rint(0.15 * (starts >= 0).sum(axis=1)))
    assert (predicted.sum(axis=1) <= counts).all()
    # Each place of a row is as likely as any other.
    by_place = predicted[:, 1:60].sum(axis=0) / (starts >= 0)[:, 1:60].sum(axis=0)
    assert by_place == pytest.approx(0.15, abs=0.04)


def test_whole_words_or_none():
    ids, starts, hashes = rows(500, 60)
    _, labels = masked(ids, starts, hashes, MASKING, 0)
    word = words(starts)
    for row in range(500):
        taken = labels[row] >= 0
        assert not set(word[row][taken]) & set(word[row][~taken])
    _, single = masked(ids, starts, hashes, dataclasses.replace(MASKING, whole_words=False), 0)
    assert ((single >= 0).sum(axis=1) == np.maximum(1, np.rint(0.15 * (starts >= 0).sum(axis=1)))).all()


def test_farm_counts_the_padded_row_and_stops_at_20():
    ids, starts, hashes = rows(300, 40)
    farm = dataclasses.replace(MASKING, count_rule="farm", max_predictions=20, max_seq_len=64, whole_words=False)
    _, labels = masked(ids, starts, hashes, farm, 0)
    assert ((labels >= 0).sum(axis=1) == np.minimum(10, (starts >= 0).sum(axis=1))).all()
    _, labels = masked(ids, starts, hashes, dataclasses.replace(farm, max_seq_len=512), 0)
    assert ((labels >= 0).sum(axis=1) == np.minimum(20, (starts >= 0).sum(axis=1))).all()


def test_a_word_that_would_overshoot_is_left_out():
    """One token may be predicted of seven: never one of the words of three."""
    ids = np.array([[2, 10, 11, 12, 13, 14, 15, 16, 3]])
    starts = np.array([[-1, 1, 0, 0, 1, 1, 0, 0, -1]], np.int8)
    for epoch in range(30):
        _, labels = masked(ids, starts, np.array([5], np.uint64), MASKING, epoch)
        assert labels.tolist() == [[-1, -1, -1, -1, 13, -1, -1, -1, -1]]


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 99), count=st.integers(1, 9), wider=st.integers(0, 9), left=st.booleans())
def test_a_row_is_masked_alike_in_any_batch(seed, count, wider, left):
    ids, starts, hashes = rows(12, 20, seed=seed)
    seen, labels = masked(ids, starts, hashes, MASKING, 3)
    some = np.random.default_rng(seed).permutation(12)[:count]
    sides = ((0, 0), (wider, 0) if left else (0, wider))
    wide = [np.pad(part[some], sides, constant_values=fill) for part, fill in ((ids, 0), (starts, -1))]
    again, other = masked(wide[0], wide[1], hashes[some], MASKING, 3)
    inside = slice(wider, None) if left else slice(0, 20)
    assert (again[:, inside] == seen[some]).all()
    assert (other[:, inside] == labels[some]).all()
    assert (other >= 0).sum() == (labels[some] >= 0).sum()


def test_each_epoch_and_seed_masks_others():
    ids, starts, hashes = rows(200, 64)
    first = masked(ids, starts, hashes, MASKING, 0)
    assert all((one == two).all() for one, two in zip(first, masked(ids, starts, hashes, MASKING, 0), strict=True))
    for other in (
        masked(ids, starts, hashes, MASKING, 1),
        masked(ids, starts, hashes, dataclasses.replace(MASKING, seed=8), 0),
        masked(ids, starts, splitmix64(hashes), MASKING, 0),
    ):
        both = ((first[1] >= 0) & (other[1] >= 0)).sum() / (first[1] >= 0).sum()
        assert both == pytest.approx(0.15, abs=0.05)


def test_rows_without_text():
    ids, starts = np.array([[2, 3]]), np.array([[-1, -1]], np.int8)
    seen, labels = masked(ids, starts, np.zeros(1, np.uint64), MASKING, 0)
    assert (seen.tolist(), labels.tolist()) == ([[2, 3]], [[-1, -1]])
    with_text = masked(
        np.array([[2, 3, 0], [2, 9, 3]]), np.array([[-1] * 3, [-1, 1, -1]]), np.zeros(2, np.uint64), MASKING, 0
    )
    assert with_text[1].tolist() == [[-1] * 3, [-1, 9, -1]]


@pytest.mark.parametrize(
    "wrong", [{"masked_lm_prob": 0}, {"masked_lm_prob": 1.5}, {"count_rule": "all"}, {"count_rule": "farm"}]
)
def test_settings_that_cannot_be_meant(wrong):
    with pytest.raises(ConfigError):
        dataclasses.replace(MASKING, **wrong)


def test_texts_of_a_row_see_themselves():
    numbers = np.array([[0, 0, 1, -1, -1]])
    assert same_text(numbers)[0].tolist() == [
        [1, 1, 0, 0, 0],
        [1, 1, 0, 0, 0],
        [0, 0, 1, 0, 0],
        [0, 0, 0, 1, 0],
        [0, 0, 0, 0, 1],
    ]
    assert positions_in_text(numbers).tolist() == [[0, 1, 0, 0, 0]]
    assert positions_in_text(np.array([[-1, 0, 0, 1, 1]])).tolist() == [[0, 0, 1, 0, 1]]
