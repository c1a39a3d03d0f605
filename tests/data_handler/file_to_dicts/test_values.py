"""Values as text."""

import pytest

from farm_ray.data_handler.file_to_dicts.values import cell_text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("ü", "ü"),
        (1, "1"),
        (1.0, "1.0"),
        (False, "False"),
        (None, None),
        (float("nan"), None),
        (["ü"], '["ü"]'),
        (b"a", "a"),
    ],
)
def test_as_python_writes_it(value, text):
    assert cell_text(value) == text


@pytest.mark.parametrize("value", ["\ud83d", ["\ud83d"], b"\xff"])
def test_what_is_no_text_raises(value):
    with pytest.raises(UnicodeError):
        cell_text(value)
