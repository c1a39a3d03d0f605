from farm_ray.data_handler.samples import (
    Sample,
    SampleBasket,
    create_sample_ner,
    create_sample_one_label_one_text,
)


def test_sample_prints_all_its_parts_cut_short():
    sample = Sample("3-0", {"text": "x" * 20_000}, {"tokens": ["x"]}, [{"input_ids": [2, 6, 3]}])
    shown = str(sample)
    assert "3-0" in shown
    assert "input_ids: [2, 6, 3]" in shown
    assert "tokens: ['x']" in shown
    assert 10_000 < len(shown) < 10_300
    assert "None" in str(Sample("0-0", {}))


def test_samples_of_a_row():
    (sample,) = create_sample_one_label_one_text(["0", "a text", "OTHER"], text_index=1, label_index=2, basket_id="7")
    assert (sample.id, sample.clear_text) == ("7-0", {"text": "a text", "label": "OTHER"})
    (sample,) = create_sample_ner(["Anna", "lacht"], ["B-PER", "O"], "8")
    assert (sample.id, sample.clear_text) == ("8-0", {"text": "Anna lacht", "label": ["B-PER", "O"]})


def test_basket_holds_what_it_is_given():
    basket = SampleBasket("1", {"text": "a"}, id_external="q-1")
    assert (basket.id_internal, basket.raw, basket.id_external, basket.samples) == ("1", {"text": "a"}, "q-1", None)
