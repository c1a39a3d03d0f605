"""Which experiment the flags mean."""

import pytest

from farm_ray.configuration import to_yaml
from farm_ray.errors import ConfigError
from jobs import train
from jobs.experiment_flags import experiment_from
from tests.raised import raised


def read(*flags):
    return experiment_from(train.make_parser().parse_args(list(flags)))


def test_flags_go_over_the_pipeline_and_set_goes_over_all():
    experiment = read(
        *("pipelines.text_classification", "--data-dir", "d", "--model", "m"),
        *("--set", "train.epochs=7", "--set", "model.language_model=other", "--set", "train.learning_rate=1e-4"),
    )
    assert experiment.processor.data_dir == "d"
    assert experiment.model.language_model == "other"
    assert (experiment.train.epochs, experiment.train.learning_rate) == (7, 1e-4)


def test_a_config_file_goes_between(tmp_path):
    (tmp_path / "c.yaml").write_text("train: {epochs: 5}\nseed: 3\nprocessor: {label_list: [a, b]}\n")
    experiment = read("pipelines.text_classification", "--config", str(tmp_path / "c.yaml"), "--set", "seed=4")
    assert (experiment.train.epochs, experiment.train.learning_rate, experiment.seed) == (5, 5e-5, 4)
    assert experiment.processor.label_list == ("a", "b")


def test_a_whole_experiment_needs_no_pipeline(tmp_path):
    given = read("pipelines.text_classification", "--data-dir", "d")
    (tmp_path / "c.yaml").write_text(to_yaml(given))
    assert read("--config", str(tmp_path / "c.yaml")) == given


def test_a_grid_is_refused(tmp_path):
    (tmp_path / "c.json").write_text('{"task": {"name": "x"}, "parameter": {"epochs": {"value": [1, 2]}}}')
    with raised(ConfigError, "too-many-runs", value=2):
        read("--config", str(tmp_path / "c.json"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("train: {epohcs: 5}", 'did you mean "train.epochs"'),
        ("trian: {}", "unknown key"),
        ("- 1", "mapping"),
        ("{", "YAML"),
    ],
)
def test_a_wrong_config_file(tmp_path, text, message):
    (tmp_path / "c.yaml").write_text(text)
    with pytest.raises(ConfigError, match=message):
        read("pipelines.text_classification", "--config", str(tmp_path / "c.yaml"))


def test_nothing_to_run():
    with pytest.raises(ConfigError, match="PIPELINE"):
        read()


def test_a_file_names_the_function_that_the_pipeline_declares(tmp_path):
    given = read("pipelines.quickstart")
    (tmp_path / "c.yaml").write_text(to_yaml(given))
    again = read("pipelines.quickstart", "--config", str(tmp_path / "c.yaml"))
    assert again.prepare.function is given.prepare.function is not None
    assert read("--config", str(tmp_path / "c.yaml")).prepare.function is None
    assert read("pipelines.quickstart", "--set", "prepare=null").prepare is None


@pytest.mark.parametrize("pipeline", ["pipelines.quickstart", "pipelines.text_classification"])
@pytest.mark.parametrize("name", ["shutil:rmtree", "site:addsitedir", "pipelines.quickstart:model_folder", "x"])
def test_no_other_name_in_a_file_or_flag_stands_for_a_function(tmp_path, pipeline, name):
    (tmp_path / "c.yaml").write_text(f'prepare: "{name}"\n')
    for flags in (("--config", str(tmp_path / "c.yaml")), ("--set", f"prepare={name}")):
        with raised(ConfigError, "unknown-function", value=name):
            read(pipeline, *flags)


def test_a_name_in_a_file_alone_imports_and_runs_nothing(tmp_path, monkeypatch, capsys):
    (tmp_path / "hostile.py").write_text("raise SystemExit(99)")
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "data").mkdir()
    for name in ("hostile:gather", "shutil:rmtree"):
        (tmp_path / "c.yaml").write_text(f"name: x\nprepare: {name}\nmodel: {{language_model: m}}\n")
        flags = ["--config", str(tmp_path / "c.yaml"), "--data-dir", str(tmp_path / "data"), "--num-workers", "0"]
        assert train.main([*flags, "--output-dir", str(tmp_path / "run")]) == 2
        assert f'prepare "{name}" is only a name' in capsys.readouterr().err
    assert (tmp_path / "data").is_dir()
    assert not (tmp_path / "run").exists()
