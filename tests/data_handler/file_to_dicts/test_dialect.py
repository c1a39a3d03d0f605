"""How a delimited file is written."""

import csv

import pytest

from farm_ray.data_handler.file_to_dicts.dialect import Dialect
from farm_ray.errors import ConfigError
from tests.raised import raised


def test_options_for_the_csv_module():
    assert list(csv.reader(["'a''b'|\"c\n"], **Dialect(delimiter="|", quote_char="'").reader_options())) == [
        ["a'b", '"c']
    ]
    assert list(csv.reader(["'a'\t\"c\n"], **Dialect(quote_char=None).reader_options())) == [["'a'", '"c']]


@pytest.mark.parametrize("sign", ["", "ab", "\n", "\0"])
def test_signs_are_one_character(sign):
    with raised(ConfigError, "invalid-value", option="delimiter"):
        Dialect(delimiter=sign)
    with raised(ConfigError, "invalid-value", option="quote_char"):
        Dialect(quote_char=sign)
