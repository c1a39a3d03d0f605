import pytest

from farm_ray.data_handler import processor as processors
from farm_ray.data_handler.processor import InferenceProcessor, TextClassificationProcessor, processor_class
from farm_ray.errors import ConfigError
from tests.raised import raised


class OfAUser(InferenceProcessor):
    pass


def test_ours_and_imported_ones():
    ours = [name for name in processors.__all__ if name.endswith("Processor") and name != "Processor"]
    assert len(ours) == 7
    assert [processor_class(name) for name in ours] == [getattr(processors, name) for name in ours]
    assert processor_class("OfAUser") is OfAUser


def test_a_class_of_ours_is_not_replaced_by_its_name():
    type("TextClassificationProcessor", (InferenceProcessor,), {"__module__": "mine"})
    assert processor_class("TextClassificationProcessor") is TextClassificationProcessor


@pytest.mark.parametrize("name", ["Processor", "_TextPairs"])
def test_no_bases(name):
    with raised(ConfigError, "unknown-class"):
        processor_class(name)


def test_unknown_names():
    with raised(ConfigError, "not-available-yet", value="SquadProcessor"):
        processor_class("SquadProcessor")
    with pytest.raises(ConfigError, match='did you mean "OfAUser"'):
        processor_class("OfUser")
