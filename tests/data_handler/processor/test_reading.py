"""A saved processor that reads files written in another way."""

import pytest

from farm_ray.data_handler.processor import NERProcessor, TextPairClassificationProcessor
from farm_ray.data_handler.processor.reading import with_reading
from farm_ray.errors import ConfigError
from tests.data_handler.processor.user_processors import LineProcessor
from tests.raised import raised


def test_what_is_given_changes_a_copy_and_nothing_else(make):
    processor = make(quote_char='"')
    changed = with_reading(processor, [], text_column_name="tweet", label_column_name="kind", quote_char="")
    (task,) = changed.tasks.values()
    assert (task.text_column_name, task.label_column_name, changed.quote_char) == ("tweet", "kind", None)
    (task,) = processor.tasks.values()
    assert (task.text_column_name, task.label_column_name, processor.quote_char) == ("text", "label", '"')


@pytest.mark.parametrize(
    ("header", "given", "delimiter"),
    [("text,label", {}, ","), ("text\tlabel", {}, "\t"), ("text,label", {"delimiter": ";"}, ";"), ("a,b", {}, "\t")],
)
def test_the_header_shows_the_delimiter_where_none_is_given(make, tmp_path, caplog, header, given, delimiter):
    (tmp_path / "a.csv").write_text(f"{header}\na film,OTHER\n")
    assert with_reading(make(), [str(tmp_path / "a.csv")], **given).delimiter == delimiter
    assert ("its columns are separated by ','" in caplog.text) == (delimiter == ",")


def test_what_would_have_no_effect_is_refused(make, tokenizer):
    with raised(ConfigError, "option-without-effect", option="text_b_column_name"):
        with_reading(make(), [], text_b_column_name="b")
    with raised(ConfigError, "option-without-effect", option="quote_char"):
        with_reading(make(NERProcessor, metric="seq_f1", label_list=["O", "B-PER"]), [], quote_char="'")
    own = LineProcessor(tokenizer, 8, None)
    with raised(ConfigError, "option-without-effect", option="delimiter"):
        with_reading(own, [], delimiter=",")
    assert with_reading(make(TextPairClassificationProcessor), [], text_b_column_name="b").text_b_column_name == "b"


def test_one_name_is_not_enough_for_several_label_columns(make):
    processor = make()
    processor.add_task("tone", "acc", ["a", "b"], label_column_name="tone", task_type="classification")
    with raised(ConfigError, "one-of-several-columns", option="label_column_name", match='"label" and "tone"'):
        with_reading(processor, [], label_column_name="kind")
