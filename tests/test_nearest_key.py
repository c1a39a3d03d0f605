"""What was meant by a key that there is not: at the level of the mistake, under names that others use."""

import pytest

from farm_ray.configuration import dotted_names
from farm_ray.experiment.config import Experiment
from farm_ray.nearest_key import _OTHER_NAMES, nearest_key

KNOWN = dotted_names(Experiment)


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("train.lr", "train.learning_rate"),
        ("lr", "train.learning_rate"),
        ("learning_rate", "train.learning_rate"),
        ("train.learning_rat", "train.learning_rate"),
        ("trian.learning_rate", "train.learning_rate"),
        ("trian.lr", "train.learning_rate"),
        ("model.lr", "train.learning_rate"),
        ("train.batch_size", "data.batch_size"),
        ("batchsize", "data.batch_size"),
        ("processor.max_len", "processor.max_seq_len"),
        ("processor.max_seq_length", "processor.max_seq_len"),
        ("epochs", "train.epochs"),
        ("train.n_epochs", "train.epochs"),
        ("processor.sep", "processor.delimiter"),
        ("processor.label_lst", "processor.label_list"),
        ("labels", "processor.label_list"),
        ("train.early_stoping.patience", "train.early_stopping.patience"),
        ("train.early_stopping.patiense", "train.early_stopping.patience"),
        ("train.early_stopping.metrics", "train.early_stopping.metric"),
        ("train.patience", "train.early_stopping.patience"),
        ("model.model_name_or_path", "model.language_model"),
    ],
)
def test_the_key_that_was_meant(key, meant):
    assert nearest_key(key, KNOWN) == f'; did you mean "{meant}"?'
    assert meant in KNOWN


def test_where_nothing_is_near_the_keys_of_that_level_are_named():
    told = nearest_key("train.qqqqqq", KNOWN)
    assert told.startswith("; known are: ")
    assert all(name.startswith("train.") for name in told.removeprefix("; known are: ").split(", "))


def test_arguments_of_the_run_are_no_keys():
    assert nearest_key("train.num_workers", KNOWN) == "; give num_workers=..."


def test_other_names_stand_for_keys_that_there_are_and_are_none_themselves():
    last = {key.rpartition(".")[2] for key in KNOWN}
    assert set(_OTHER_NAMES) <= last
    assert not last & {other for others in _OTHER_NAMES.values() for other in others}
