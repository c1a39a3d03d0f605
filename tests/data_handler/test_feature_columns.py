"""What is in the columns of features, told by hashes."""

import numpy as np
import pyarrow as pa
import pytest

from farm_ray.data_handler.batches import FeatureSet
from farm_ray.data_handler.samples_to_features.masking import Masking
from farm_ray.data_handler.samples_to_features.padding import Padding
from tests.data_handler.test_batches import table, word_table


def content(features, rows=(0, 1)):
    return FeatureSet(table=features, rows=np.array(rows, np.int64), padding=Padding(pad_token_id=0)).content()


@pytest.mark.parametrize(
    "changed",
    [
        {"tags": ((-100, 1, 3), (-100, 0))},
        {"tags": ((-100, 2, 1), (-100, 0))},
        {"tags": ((-100, 1, 2), (0, -100))},
        {"sequence": (0, 0)},
        {"sequence": (1, 0)},
    ],
)
def test_content_tells_labels_apart(changed):
    before, after = content(word_table()), content(word_table(**changed))
    assert [name for name in before if before[name] != after[name]] == ["labels"]


@pytest.mark.parametrize("ids", [((2, 8, 3), (2, 3)), ((2, 3, 7), (2, 3)), ((2, 7), (3, 2, 3)), ((3, 2, 7), (3, 2))])
def test_content_tells_other_tokens_of_equal_number_apart(ids):
    before, after = content(word_table()), content(word_table(ids=ids))
    assert [name for name in before if before[name] != after[name]] == ["tokens"]


def test_content_does_not_depend_on_order_and_chunks(monkeypatch):
    whole = content(word_table())
    assert content(word_table(), rows=(1, 0)) == whole
    assert content(word_table(), rows=(0,)) != whole
    cut = pa.concat_tables([word_table().slice(0, 1), word_table().slice(1)])
    monkeypatch.setattr("farm_ray.data_handler.feature_columns._ROWS_HASHED", 1)
    assert content(cut) == whole
    assert content(pa.concat_tables([word_table(), word_table()]), rows=(2, 3)) == whole
    assert set(content(table().drop_columns(["task_label_ids"]), rows=(0, 2))) == {"rows", "tokens", "labels"}


def test_content_covers_how_tokens_are_masked():
    def masked_by(share):
        masking = Masking(mask_token_id=4, vocab_size=30, masked_lm_prob=share)
        rows = np.array([0, 1])
        return FeatureSet(table=word_table(), rows=rows, padding=Padding(pad_token_id=0), masking=masking).content()

    assert masked_by(0.15) == masked_by(0.15) != masked_by(0.2)
