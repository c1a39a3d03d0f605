"""Every module has its test file: `farm_ray/a/b.py` is tested by `tests/a/test_b.py`."""

import ast
from pathlib import Path

import pytest

from tests.laws.test_imports import FARM_PATHS, ROOT

TESTED_IN = {
    # Declarations: what they declare is tested where it is used.
    "farm_ray.progress": "tests/jobs/test_progress.py",
    "farm_ray.data_handler.feed.base": "tests/data_handler/feed/test_in_memory.py",
    "farm_ray.infer.answers": "tests/infer/test_head_forms.py",
    "farm_ray.modeling.conversion.architectures": "tests/modeling/conversion/test_heads.py",
    "farm_ray.modeling.language_model.masked_lm": "tests/modeling/conversion/test_masked_lm.py",
    "farm_ray.modeling.saved_model": "tests/laws/test_garbage_model_folder.py",
    "farm_ray.train.stopper": "tests/train/test_early_stopping.py",
    # The Ray side, which only a cluster exercises.
    "farm_ray.data_handler.data_silo.broadcast": "tests/data_handler/data_silo/test_split_groups.py",
    "farm_ray.train.one_machine": "tests/train/test_on_ray.py",
    # Another door to what has tests behind it.
    "farm_ray.compat.converter": "tests/modeling/conversion/test_to_transformers.py",
    "pipelines.text_classification": "tests/jobs/test_train.py",
}
"""Modules without a test file of their own, and the file that exercises them."""


def modules() -> dict[str, Path]:
    """What is to be tested, and the file that should do it."""
    found = {}
    for folder in ("farm_ray", "jobs", "pipelines"):
        for file in (ROOT / folder).rglob("*.py"):
            name = ".".join(file.relative_to(ROOT).with_suffix("").parts)
            if file.name == "__init__.py" or name.removeprefix("farm_ray.") in FARM_PATHS or only_names(file):
                continue
            place = file.relative_to(ROOT / "farm_ray" if folder == "farm_ray" else ROOT)
            found[name] = ROOT / "tests" / place.with_name(f"test_{file.name}")
    return found


def only_names(file: Path) -> bool:
    """Whether a module gives values or types a name and does nothing."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return not any(isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) for node in ast.walk(tree))


def test_every_module_has_its_test_file():
    lacking = {name: str(file.relative_to(ROOT)) for name, file in modules().items() if not file.is_file()}
    assert sorted(lacking.keys() - TESTED_IN.keys()) == [], "add the test file, or say in TESTED_IN what tests it"


@pytest.mark.parametrize("module", TESTED_IN)
def test_every_exception_is_one(module):
    known = modules()
    assert module in known, "there is no such module to be tested"
    assert not known[module].exists(), f"{known[module].name} is there: take the module out of TESTED_IN"
    assert (ROOT / TESTED_IN[module]).is_file()


def test_a_test_file_is_no_empty_one():
    files = {*modules().values(), *(ROOT / file for file in TESTED_IN.values())}
    assert [file.name for file in files if file.is_file() and "\ndef test_" not in file.read_text()] == []
