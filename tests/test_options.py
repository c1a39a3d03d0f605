"""Defaults, checks and values of an option, from the one place where it is declared."""

from typing import Annotated, Literal

import pytest
from pydantic import Field, NonNegativeFloat, PositiveInt

from farm_ray.configuration import Config
from farm_ray.errors import ConfigError
from farm_ray.options import arguments_checked, fields_for


class OvenConfig(Config):
    shelves: PositiveInt = 2
    degrees: NonNegativeFloat = 20.0
    power: Annotated[float, Field(gt=0, le=9)] = 1.0
    heat: Literal["top", "bottom"] = "top"
    lamp: bool = True


class Oven:
    def __init__(self, kitchen, shelves=2, degrees=20.0):
        self.all = kitchen, shelves, degrees


def test_a_component_gets_the_fields_that_it_takes():
    assert fields_for(Oven, OvenConfig(shelves=3)) == {"shelves": 3, "degrees": 20.0}
    assert fields_for(lambda lamp: lamp, OvenConfig()) == {"lamp": True}


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"shelves": 0}, "Oven: shelves must be at least 1, not 0"),
        ({"degrees": -1}, "Oven: degrees must be at least 0, not -1"),
        ({"power": 0.0}, "Oven: power must be greater than 0, not 0.0"),
        ({"power": 0}, "Oven: power must be greater than 0, not 0"),
        ({"power": 10}, "Oven: power must be at most 9, not 10"),
        ({"heat": "left"}, """Oven: heat must be "top" or "bottom", not 'left'"""),
        ({"shelves": 1.5}, "Oven: shelves must be a valid integer, got a number with a fractional part, not 1.5"),
        ({"degrees": float("nan")}, "Oven: degrees must be a finite number, not nan"),
        ({"shelves": True}, "Oven: shelves must be a number, not True"),
        ({"degrees": "20"}, "Oven: degrees must be a number, not '20'"),
    ],
)
def test_what_is_invalid_is_told_by_the_argument(wrong, told):
    with pytest.raises(ConfigError) as raised, arguments_checked("Oven: "):
        OvenConfig(**wrong)
    assert str(raised.value).startswith(told)
    assert raised.value.facts["option"] == next(iter(wrong))


def test_a_file_may_write_a_number_as_a_text():
    assert OvenConfig.model_validate({"shelves": "3"}).shelves == 3
