"""What a run is asked to do: invalid settings are refused."""

import pytest

from farm_ray.errors import ConfigError
from tests.runs import small_trainer


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"epochs": 0}, "epochs"),
        ({"grad_acc_steps": 0}, "grad_acc_steps"),
        ({"checkpoint_every": 5}, "checkpoint_root_dir"),
    ],
)
def test_senseless_arguments(tiny_folder, options, told):
    with pytest.raises(ConfigError, match=told):
        small_trainer(tiny_folder, **options)


def test_unknown_argument_names_the_nearest(tiny_folder):
    with pytest.raises(TypeError, match="learning_rate"):
        small_trainer(tiny_folder, learning_rat=1)
