"""Data that a function gathers where files are missing."""

from farm_ray.configuration import replace
from farm_ray.errors import ConfigError
from farm_ray.experiment import Experiment, assemble
from tests.raised import raised

READY = replace(replace(Experiment(name="x"), "processor.data_dir", "d"), "model.language_model", "m")


CALLS = []


def note_call(data_dir):
    CALLS.append(data_dir)


def test_prepare_is_called_only_when_files_are_missing(tmp_path):
    CALLS.clear()
    experiment = replace(replace(READY, "prepare", note_call), "processor.data_dir", str(tmp_path))
    assemble.prepare_data(experiment)
    assert [tmp_path] == CALLS
    (tmp_path / "train.tsv").write_text("x")
    assemble.prepare_data(experiment)
    assert [tmp_path] == CALLS
    assemble.prepare_data(replace(experiment, "processor.dev_filename", "dev.tsv"))
    assert [tmp_path] * 2 == CALLS


def test_data_at_an_address_is_not_gathered():
    CALLS.clear()
    experiment = replace(replace(READY, "prepare", note_call), "processor.data_dir", "s3://bucket/texts")
    assemble.prepare_data(experiment)
    assert CALLS == []


def test_a_pattern_of_files_that_are_there_needs_no_gathering(tmp_path):
    (tmp_path / "a.tsv").write_text("x")
    experiment = replace(replace(READY, "prepare", "gone:away"), "processor.data_dir", str(tmp_path))
    assemble.prepare_data(replace(experiment, "processor.train_filename", "*.tsv"))


def test_a_name_alone_prepares_nothing_and_is_refused_before_any_work(tmp_path):
    experiment = replace(replace(READY, "prepare", "shutil:rmtree"), "processor.data_dir", str(tmp_path))
    for check in (assemble.check_experiment, assemble.prepare_data):
        with raised(ConfigError, "data-not-prepared", value="shutil:rmtree"):
            check(experiment)
    assert tmp_path.is_dir()
    (tmp_path / "train.tsv").write_text("x")
    assemble.prepare_data(experiment)
    assemble.check_experiment(experiment)
