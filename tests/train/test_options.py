"""The options of a training: one declaration for experiments, `Trainer` and the ranks."""

import inspect
import pickle

import pytest

from farm_ray.train import Trainer
from farm_ray.train.options import DEFAULTS, TrainConfig, TrainerOptions
from farm_ray.train.settings import TrainSettings

FARMS = [
    *("model", "optimizer", "data_silo", "epochs", "n_gpu", "device", "lr_schedule", "evaluate_every", "eval_report"),
    *("use_amp", "grad_acc_steps", "local_rank", "early_stopping", "log_learning_rate", "log_loss_every"),
    *("checkpoint_on_sigterm", "checkpoint_every", "checkpoint_root_dir", "checkpoints_to_keep"),
    *("evaluator_test", "disable_tqdm", "max_grad_norm"),
]


def test_a_trainer_takes_farms_positions():
    taken = inspect.signature(Trainer).parameters.values()
    assert [one.name for one in taken if one.kind is one.POSITIONAL_OR_KEYWORD] == FARMS


def test_a_program_differs_from_an_experiment_in_two_defaults():
    experiment = TrainConfig()
    different = {
        name: (getattr(experiment, name), getattr(DEFAULTS, name))
        for name in TrainConfig.model_fields
        if getattr(experiment, name) != getattr(DEFAULTS, name)
    }
    assert different == {"use_amp": ("auto", None), "checkpoint_every_seconds": (600.0, None)}


def test_all_options_of_an_experiment_are_arguments_of_a_trainer():
    assert set(TrainerOptions.model_fields) <= set(inspect.signature(Trainer).parameters)


def test_settings_travel():
    settings = TrainSettings(batch_size=8, eval_batch_size=4, epochs=3, hang_timeout=float("inf"))
    assert pickle.loads(pickle.dumps(settings)) == settings


@pytest.mark.parametrize("twice", ["epochs", "use_amp", "hang_timeout"])
def test_settings_add_to_the_options(twice):
    assert twice not in vars(TrainSettings)["__annotations__"]
