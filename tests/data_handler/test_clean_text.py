"""Texts that Arrow can hold."""

import pyarrow as pa
import pytest

from farm_ray.data_handler.clean_text import clean, is_unicode


@pytest.mark.parametrize(("text", "cleaned"), [("über \U0001f600", "über \U0001f600"), ("bad \ud83d!", "bad \\ud83d!")])
def test_halves_of_surrogate_pairs_are_written_out(text, cleaned):
    assert clean(text) == cleaned
    assert is_unicode(text) == (text == cleaned)
    assert pa.array([cleaned], pa.string())[0].as_py() == cleaned
