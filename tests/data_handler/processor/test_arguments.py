import pytest

from farm_ray.data_handler.processor import RegressionProcessor, TextPairClassificationProcessor
from farm_ray.data_handler.processor.arguments import arguments_of, defaults_of, refuse_unknown
from tests.data_handler.processor.user_processors import LineProcessor


def test_through_kwargs_to_the_bases():
    assert {"text_b_column_name", "tokenizer", "multilabel", "seed"} <= set(
        arguments_of(TextPairClassificationProcessor)
    )
    assert {"data_dir", "proxies"} <= set(arguments_of(LineProcessor))
    assert not {"self", "args", "kwargs"} & set(arguments_of(TextPairClassificationProcessor))


def test_a_class_that_takes_no_more_hides_its_bases():
    assert "label_list" not in arguments_of(RegressionProcessor)


def test_defaults():
    defaults = defaults_of(TextPairClassificationProcessor)
    assert (defaults["test_filename"], defaults["text_b_column_name"]) == ("test.tsv", "text_b")
    assert "tokenizer" not in defaults


def test_unknown_names():
    refuse_unknown(TextPairClassificationProcessor, ["label_list"])
    with pytest.raises(TypeError, match='TextPairClassificationProcessor has no argument "lables"; did you mean'):
        refuse_unknown(TextPairClassificationProcessor, ["label_list", "lables"])
