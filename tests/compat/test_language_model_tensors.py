"""Tensors of documents, as FARM makes them."""

import pytest

from tests.data_handler.processor.small_corpus import DOCS, maker


@pytest.fixture
def make(tokenizer, tmp_path):
    return maker(tokenizer, tmp_path)


@pytest.mark.parametrize("style", ["bert-style", "sentence", None])
def test_dataset_from_dicts(make, style):
    pairs = {"next_sent_pred": False, "packing": False} if style is None else {"next_sent_pred_style": style}
    processor = make(**pairs)
    dataset, names, problematic = processor.dataset_from_dicts([*DOCS, {"text": "a"}], indices=[3, 4, 5, 9])
    assert names == [
        "input_ids",
        "segment_ids",
        "padding_mask",
        "lm_label_ids",
        *["nextsentence_label_ids"] * bool(style),
    ]
    assert problematic == {9}
    tensors = dict(zip(names, dataset.tensors, strict=True))
    assert {str(tensor.dtype) for tensor in tensors.values()} == {"torch.int64"}
    assert {tensor.shape[1] for name, tensor in tensors.items() if name != "nextsentence_label_ids"} == {16}
    predicted = tensors["lm_label_ids"] >= 0
    assert predicted.any()
    assert not predicted[tensors["padding_mask"] == 0].any()
    if style == "sentence":
        # FARM makes 6 samples of 3 documents with 3 sentences each.
        assert len(dataset) == 6
    again = processor.dataset_from_dicts(DOCS, indices=[3, 4, 5])[0]
    assert all((one == two).all() for one, two in zip(dataset.tensors, again.tensors, strict=True))


def test_packed_tensors_and_baskets(make):
    processor = make(next_sent_pred=False)
    dataset, names, _, baskets = processor.dataset_from_dicts(DOCS, return_baskets=True, debug=True)
    assert names == ["input_ids", "segment_ids", "padding_mask", "lm_label_ids", "position_ids"]
    tensors = dict(zip(names, dataset.tensors, strict=True))
    assert tensors["padding_mask"].shape == (len(dataset), 16, 16)
    assert sum(len(basket.samples) for basket in baskets) == len(dataset)
    sample = baskets[0].samples[0]
    assert (sample.id, sample.clear_text, sample.tokenized["tokens"][0]) == ("0-0", DOCS[0], "[CLS]")


def test_a_single_document_is_told(make):
    dataset, names, problematic = make().dataset_from_dicts(DOCS[:1])
    assert (dataset, names, problematic) == (None, None, {0})
    features = make().featurize(make().dicts_to_table(DOCS[:1]))
    message = features["problem"][0]["message"].as_py()
    assert message.startswith("0: next-sentence prediction draws sentences from other documents")
    assert "blank lines" in message
    assert "next_sent_pred=False" in message
