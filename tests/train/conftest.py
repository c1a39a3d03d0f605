"""One small silo for all tests of folds."""

import pytest

from tests.runs import labelled_dicts, small_silo


@pytest.fixture(scope="module")
def silo(tiny_folder):
    return small_silo(tiny_folder, dicts=labelled_dicts(42), metric=["acc", "f1_macro"])
