"""FARM's methods on single rows."""

import torch

from farm_ray.data_handler.processor import (
    TextClassificationProcessor,
)
from farm_ray.data_handler.samples import Sample
from tests.compat.test_own_features import ROWS


class Upper(TextClassificationProcessor):
    def _dict_to_samples(self, dictionary, **kwargs):
        assert not kwargs
        return [Sample(id=None, clear_text={**dictionary, "text": "the " + dictionary["text"]})]


def test_samples_of_ones_own_go_the_usual_way(make):
    dataset, names, problematic = make(Upper).dataset_from_dicts(ROWS)
    usual, _, _ = make().dataset_from_dicts([{**row, "text": "the " + row["text"]} for row in ROWS])
    assert problematic == set()
    assert torch.equal(dataset.tensors[names.index("input_ids")], usual.tensors[0])


def test_a_default_sample_has_tokens(make):
    (sample,) = make()._dict_to_samples({"text": "a good film was very dull and bad"})
    assert sample.tokenized["tokens"] == ["a", "good", "film", "was", "very", "dull"]


def test_several_samples_per_dict(make):
    class Halves(TextClassificationProcessor):
        def _dict_to_samples(self, dictionary, **_):
            words = dictionary["text"].split()
            parts = [" ".join(words[:2]), " ".join(words[2:])]
            return [Sample(None, {**dictionary, "text": part}) for part in parts]

    processor = make(Halves)
    features = processor.featurize(processor.dicts_to_table(ROWS))
    assert features["id"].to_pylist() == ["0-0", "0-1", "1-0", "1-1"]
    assert features["dict_id"].to_pylist() == ["0", "0", "1", "1"]
    assert features["window"].to_pylist() == [0, 1, 0, 1]
    answered = processor.for_inference().featurize(processor.dicts_to_table(ROWS))
    assert ["inference answers each dict once" in row["problem"]["message"] for row in answered.to_pylist()] == [
        True
    ] * 2
