"""Pipelines by name."""

import sys

import pytest

from farm_ray.errors import ConfigError
from farm_ray.experiment import load_experiment


@pytest.fixture
def modules(tmp_path, monkeypatch):
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows" / "__init__.py").write_text("")
    head = "from farm_ray.experiment import Experiment\n"
    (tmp_path / "flows" / "one.py").write_text(head + "def only() -> Experiment:\n    return Experiment(name='1')\n")
    (tmp_path / "flows" / "own.py").write_text(
        head
        + "def own():\n    return Experiment(name='own')\n\ndef other() -> Experiment:\n    return Experiment(name='o')\n"
    )
    (tmp_path / "flows" / "two.py").write_text(
        "from __future__ import annotations\n" + head + "def a() -> Experiment: ...\ndef b() -> Experiment: ...\n"
    )
    (tmp_path / "flows" / "broken.py").write_text("import no_such_package\n")
    (tmp_path / "flows" / "syntax.py").write_text("def a(:\n")
    (tmp_path / "flows" / "needy.py").write_text("def needy(folder, *more, key=1): ...\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield
    for name in [name for name in sys.modules if name.split(".")[0] == "flows"]:
        del sys.modules[name]


@pytest.mark.parametrize(("name", "expected"), [("flows.one", "1"), ("flows.own", "own"), ("flows.own:other", "o")])
def test_a_pipeline_is_found_by_name(modules, name, expected):
    assert load_experiment(name).name == expected


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("flows.onne", 'did you mean "flows.one"'),
        ("pipelines.quikstart", 'did you mean "pipelines.quickstart"'),
        ("quickstart", "pipelines.quickstart"),
        ("flows.own:othr", 'did you mean "other"'),
        ("flows.two", "flows.two:a, flows.two:b"),
        ("flows.two:a", "must return an Experiment"),
        ("flows.broken", "no_such_package"),
        ("flows/one.py", "module:function"),
        ("flows.syntax", "no valid Python"),
        ("flows.needy", "needs the arguments folder"),
        ("n" * 300, "unknown pipeline"),
        ("", "module:function"),
        (":quickstart", "module:function"),
        ("flows.", "module:function"),
        ("flows.one:", 'no function ""'),
        ("shutil:rmtree", "needs the arguments path"),
    ],
)
def test_an_unknown_pipeline_is_one_line_with_the_nearest(modules, name, message):
    with pytest.raises(ConfigError, match=message):
        load_experiment(name)
