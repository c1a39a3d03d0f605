"""The options of silos: invalid ones are refused by name."""

import pytest

from farm_ray.data_handler.data_silo import DataSilo
from farm_ray.errors import ConfigError
from tests.data_handler.data_silo.small_files import processor
from tests.raised import raised


@pytest.mark.parametrize("numbers", [{"batch_size": 0}, {"batch_size": 4, "max_problem_share": 2}])
def test_senseless_numbers(tokenizer, tmp_path, numbers):
    with raised(ConfigError, "invalid-value", option=next(reversed(numbers))):
        DataSilo(processor(tokenizer, tmp_path), **numbers)


def test_unknown_argument_names_the_nearest(tokenizer, tmp_path):
    with pytest.raises(TypeError, match="eval_batch_size"):
        DataSilo(processor(tokenizer, tmp_path), batch_size=4, eval_batchsize=8)


@pytest.mark.parametrize(
    "given", [{"batch_size": "4"}, {"batch_size": True}, {"max_processes": None}, {"max_problem_share": "0.1"}]
)
def test_numbers_of_other_kinds_are_refused(tokenizer, tmp_path, given):
    [[name, value]] = given.items()
    with raised(ConfigError, "invalid-value", option=name, value=value):
        DataSilo(processor(tokenizer, tmp_path), **{"batch_size": 4} | given)
