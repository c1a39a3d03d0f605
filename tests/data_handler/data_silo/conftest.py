"""One tokenizer for all tests of this folder."""

import pytest

from tests.tiny import tiny_tokenizer


@pytest.fixture(scope="session")
def tokenizer(tmp_path_factory):
    return tiny_tokenizer(tmp_path_factory.mktemp("tokenizer"))
