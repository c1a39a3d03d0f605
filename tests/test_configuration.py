"""Configuration values: strict, replaced by dotted name, through YAML and back."""

from typing import Literal

import pytest

from farm_ray.configuration import (
    Config,
    build,
    nearest,
    parse_assignment,
    read_yaml,
    replace,
    strict_arguments,
    to_yaml,
)
from farm_ray.errors import ConfigError
from tests.raised import raised


class Inner(Config):
    epochs: int = 1
    rate: float = 2e-5
    options: dict[str, object] | None = None


class Outer(Config):
    name: str
    train: Inner = Inner()
    labels: tuple[str, ...] = ()
    spare: Inner | None = None
    many: tuple[Inner, ...] = ()
    either: int | Literal["all"] | None = None


def test_replace_reaches_any_field_and_leaves_the_original():
    run = Outer(name="a")
    changed = replace(replace(run, "train.epochs", 3), "labels", ["x", "y"])
    assert (changed.train.epochs, changed.labels, run.train.epochs) == (3, ("x", "y"), 1)
    assert replace(run, "train.options.weight_decay", 0.1).train.options == {"weight_decay": 0.1}


def test_replace_fills_a_part_that_is_not_there_yet():
    run = replace(Outer(name="a"), "spare.epochs", 3)
    assert run.spare == Inner(epochs=3)
    assert replace(run, "spare.rate", 0.1).spare == Inner(epochs=3, rate=0.1)


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("train.epoch", 3, 'unknown key "train.epoch"; did you mean "train.epochs"?'),
        ("trian", 3, "did you mean"),
        ("zzz", 3, "known are: either, labels, many, name, spare, train"),
        ("spare.epoch", 3, 'unknown key "spare.epoch"; did you mean "spare.epochs"'),
        ("name.first", 3, "name has no parts"),
        ("train.epochs", "many", r"train\.epochs: .*integer.*'many'"),
        ("train.epochs", 1.5, r"train\.epochs: .*1\.5"),
        ("train.epochs", True, r"train\.epochs: a number is needed; YAML reads .* as switches \(got True\)"),
        ("train.rate", False, r"train\.rate: a number is needed"),
        ("either", True, r"^either: a number is needed"),
        ("either", "x", r"^either: .*integer"),
        ("train.rate", "inf", r"train\.rate: .*finite number \(got 'inf'\)"),
        ("train.rate", ".nan", r"train\.rate: .*number"),
        ("many", [{"rate": 1}, {"epochs": "x"}], r"^many\.1\.epochs: .*integer.*'x'"),
        ("train", {"epoch": 3}, r'unknown key "train\.epoch"; did you mean "train.epochs"'),
    ],
)
def test_what_cannot_be_meant_names_the_way_out(name, value, told):
    with pytest.raises(ConfigError, match=told) as error:
        replace(Outer(name="a"), name, value)
    assert "\n" not in str(error.value)


def test_a_missing_field_is_named():
    with pytest.raises(ConfigError, match="name is missing; give it with --set name="):
        build(Outer, {})


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a.b=2", 2),
        ("a.b=5e-5", 5e-5),
        ("a.b=true", True),
        ("a.b=null", None),
        ("a.b=None", None),
        ("a.b=[x, y]", ["x", "y"]),
        ("a.b=s3://bucket/x=1", "s3://bucket/x=1"),
        ("a.b=", ""),
        ("a.b={unclosed", "{unclosed"),
    ],
)
def test_assignments_are_read_as_yaml(text, value):
    assert parse_assignment(text) == ("a.b", value)


@pytest.mark.parametrize("text", ["epochs", "=3", ""])
def test_an_assignment_needs_a_key_and_a_value(text):
    with raised(ConfigError, "invalid-assignment"):
        parse_assignment(text)


def test_yaml_and_back(tmp_path):
    run = Outer(name="ä", train=Inner(rate=1e-7, options={"no_decay": ["bias"]}), labels=("x",))
    (tmp_path / "run.yaml").write_text(to_yaml(run))
    assert build(Outer, read_yaml(tmp_path / "run.yaml")) == run


@pytest.mark.parametrize("text", ["- a\n- b\n", "a: [1\n", ""])
def test_a_file_that_is_no_mapping(tmp_path, text):
    path = tmp_path / "run.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=r"run\.yaml") as told:
        read_yaml(path)
    assert "\n" not in str(told.value)
    with raised(ConfigError, "cannot-read-config"):
        read_yaml(tmp_path / "other.yaml")


def test_files_that_hold_other_things(tmp_path):
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\x00")
    with raised(ConfigError, "cannot-read-config", file="bytes.yaml"):
        read_yaml(tmp_path / "bytes.yaml")
    (tmp_path / "numbers.yaml").write_text("1: 2\nname: x\n")
    with raised(ConfigError, "invalid-value", option="1", value=1):
        build(Outer, read_yaml(tmp_path / "numbers.yaml"))


def test_configurations_are_frozen():
    with pytest.raises(ValueError, match="frozen"):
        Outer(name="a").name = "b"


def test_unknown_arguments_name_the_nearest():
    class Thing:
        @strict_arguments
        def __init__(self, learning_rate=1):
            self.learning_rate = learning_rate

    assert Thing(learning_rate=2).learning_rate == 2
    with pytest.raises(TypeError, match=r'Thing has no argument "learningrate"; did you mean "learning_rate"'):
        Thing(learningrate=2)
    assert nearest("x", []) == ""


def test_exponents_are_numbers_also_inside_and_in_files(tmp_path):
    name, value = parse_assignment("train.optimizer_opts={head_lr: 1e-3, betas: [.5e-1, 1E-2]}")
    assert (name, value) == ("train.optimizer_opts", {"head_lr": 0.001, "betas": [0.05, 0.01]})
    (tmp_path / "x.yaml").write_text("a: 5e-5\nb: '5e-5'\n")
    assert read_yaml(tmp_path / "x.yaml") == {"a": 5e-5, "b": "5e-5"}


def test_a_text_that_looks_like_a_number_comes_back_as_text(tmp_path):
    class Labels(Config):
        names: tuple[str, ...]

    (tmp_path / "x.yaml").write_text(to_yaml(Labels(names=("1e-3", "2E5", "1e"))))
    assert read_yaml(tmp_path / "x.yaml") == {"names": ["1e-3", "2E5", "1e"]}


def test_a_blank_stays_a_blank():
    assert parse_assignment("processor.delimiter= ") == ("processor.delimiter", " ")
    assert parse_assignment("name=") == ("name", "")


def test_yaml_holds_no_credentials():
    class Labels(Config):
        names: tuple[str, ...]

    assert "secret" not in to_yaml(Labels(names=("s3://key:secret@bucket/a", "https://h/a?token=secret")))


@pytest.mark.parametrize("value", ["False", "no", ""])
def test_a_text_is_no_switch(value):
    class Thing:
        @strict_arguments
        def __init__(self, name: str, gpu: "bool" = False, split: "bool | list[int] | None" = None) -> None:
            self.gpu, self.split = gpu, split

    for arguments in ({"gpu": value}, {"split": value}):
        with raised(ConfigError, "invalid-value"):
            Thing("x", **arguments)
    with raised(ConfigError, "invalid-value", option="gpu"):
        Thing("x", value)
    assert Thing("False", gpu=1).gpu == 1
