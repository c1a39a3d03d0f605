import pytest

from farm_ray.data_handler.processor import (
    PROCESSORS,
    InferenceProcessor,
    TextClassificationProcessor,
    processor_class,
)
from farm_ray.errors import ConfigError


class OfAUser(InferenceProcessor):
    pass


def test_ours_and_imported_ones():
    assert {processor_class(name).__name__ for name in PROCESSORS} == set(PROCESSORS)
    assert processor_class("TextClassificationProcessor") is TextClassificationProcessor
    assert processor_class("OfAUser") is OfAUser


def test_unknown_names():
    with pytest.raises(ConfigError, match="SquadProcessor is not available yet"):
        processor_class("SquadProcessor")
    with pytest.raises(ConfigError, match='did you mean "OfAUser"'):
        processor_class("OfUser")
