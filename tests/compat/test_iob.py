"""FARM's way from tags to entities."""

from farm_ray import utils


def test_entities_of_dicts_of_spans():
    spans = [{"start": 0, "end": 4}, {"start": 5, "end": 9}, {"start": 10, "end": 12}, {"start": 13, "end": 17}]
    tags, merged, probs = utils.convert_iob_to_simple_tags(
        ["B-PER", "I-PER", "O", "B-LOC"], spans, [0.9, 0.8, 0.1, 0.7]
    )
    assert (tags, probs) == (["PER", "LOC"], [0.8, 0.7])
    assert merged == [{"start": 0, "end": 9}, {"start": 13, "end": 17}]
    assert spans[0] == {"start": 0, "end": 4}
