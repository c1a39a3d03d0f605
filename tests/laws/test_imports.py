"""One way: who may import whom, what stays free of torch and ray, and that importing does nothing."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "farm_ray"
FOUNDATIONS = (
    "credentials",
    "devices",
    "errors",
    "foreign",
    "plain",
    "nearest_key",
    "yaml_text",
    "farm_methods",
    "saved",
    "overrides",
    "configuration",
    "options",
    "reproducibility",
    "tracking",
    "storage",
    "artifacts",
    "claim_file",
    "claims",
    "leftovers",
    "process_identity",
    "parts",
    "cluster",
    "ranks",
    "tag_schemes",
)
FARM_DOORS = ("data_handler.processor.base", "data_handler.processor.language_model", "data_handler.data_silo.silo")
"""Classes that take methods from `compat`, because FARM programs subclass or call these."""
FARM_PATHS = (
    "conversion",
    "conversion.transformers",
    "data_handler.dataloader",
    "data_handler.dataset",
    "data_handler.input_features",
    "data_handler.samples",
    "data_handler.utils",
    "file_utils",
    "utils",
    "visual.ascii.images",
)
"""Modules that are there because FARM has them, and only re-export from `compat`."""
DATA_WAY = ("file_to_dicts", "dicts_to_samples", "samples_to_features", "processor", "order")

LABELS = ("columns", "label_cells", "problems", "clean_text", "scaling")

ALLOWED = {
    "evaluation": (),
    "tasks": ("modeling.tokenization", *(f"data_handler.{part}" for part in LABELS)),
    "modeling": ("tasks",),
    "compat": ("modeling", "data_handler", "tasks", "experiment"),
    "file_utils": ("compat",),
    "conversion": ("compat",),
    "utils": ("compat",),
    "visual": ("compat",),
    "data_handler": ("modeling.tokenization", "evaluation", "tasks", "compat"),
    "eval": ("data_handler", "modeling", "evaluation"),
    "registrations": ("evaluation", "tasks"),
    "train": ("registrations", "eval", "data_handler", "modeling", "evaluation"),
    "infer": ("registrations", "eval", "data_handler", "modeling", "evaluation", "conversion", "tasks"),
    "experiment": (
        "registrations",
        "train",
        "infer",
        "eval",
        "data_handler",
        "modeling",
        "evaluation",
        "conversion",
        "tasks",
    ),
}
"""Part of the package -> the parts it may import besides itself and the foundations."""

MAY_IMPORT_RAY = ("cluster", "data_handler.data_silo", "train", "infer", "experiment")
NO_TORCH_ON_IMPORT = (
    *(name for name in FOUNDATIONS if name != "ranks"),
    "evaluation",
    "modeling.tokenization",
    "tasks",
    *(f"data_handler.{part}" for part in DATA_WAY),
)


def modules() -> list[str]:
    files = PACKAGE.rglob("*.py")
    names = [".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for file in files]
    return sorted(name for name in names if name != "farm_ray")


def imports(module: str, *, on_import_only: bool = False) -> set[str]:
    """Dotted names a module imports; type-checking blocks do not count, they never run."""
    path = ROOT / Path(*module.split("."))
    tree = ast.parse((path / "__init__.py" if path.is_dir() else path.with_suffix(".py")).read_text())
    found: set[str] = set()

    def visit(node: ast.AST) -> None:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            return
        if on_import_only and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            return
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports relatively"
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
        for child in ast.iter_child_nodes(node):
            visit(child)

    visit(tree)
    return found


def within(name: str, parts: tuple[str, ...]) -> bool:
    return any(name == f"farm_ray.{part}" or name.startswith(f"farm_ray.{part}.") for part in parts)


@pytest.mark.parametrize("module", modules())
def test_imports_go_one_way(module):
    part = module.split(".")[1]
    own = [name for name in imports(module) if name.startswith("farm_ray.")]
    allowed = (*FOUNDATIONS, *((part, *ALLOWED[part]) if part in ALLOWED else ()))
    wrong = sorted(name for name in own if not within(name, allowed))
    assert not wrong, f"{module} may not import {wrong}"


@pytest.mark.parametrize("module", modules())
def test_the_core_knows_nothing_of_farm_s_names(module):
    if module.removeprefix("farm_ray.") in (*FARM_DOORS, *FARM_PATHS) or within(module, ("compat",)):
        return
    assert not {name for name in imports(module) if within(name, ("compat", *FARM_PATHS))}


@pytest.mark.parametrize("path", FARM_PATHS)
def test_farm_s_paths_only_re_export(path):
    file = PACKAGE / Path(*path.split("."))
    tree = ast.parse((file / "__init__.py" if file.is_dir() else file.with_suffix(".py")).read_text())
    kinds = [type(node) for node in tree.body]
    assert kinds == [ast.Expr, *[ast.ImportFrom] * (len(kinds) - 2), ast.Assign]


@pytest.mark.parametrize("module", modules())
def test_ray_stays_behind_its_wall(module):
    used = {name.split(".")[0] for name in imports(module)}
    assert "ray" not in used or within(module, MAY_IMPORT_RAY)


@pytest.mark.parametrize("module", [name for name in modules() if within(name, NO_TORCH_ON_IMPORT)])
def test_the_data_way_needs_no_torch(module):
    used = {name.split(".")[0] for name in imports(module, on_import_only=True)}
    assert not used & {"torch", "ray"}


@pytest.mark.parametrize("module", [name for name in modules() if (ROOT / Path(*name.split("."))).is_dir()])
def test_packages_only_re_export(module):
    tree = ast.parse((ROOT / Path(*module.split(".")) / "__init__.py").read_text())
    kinds = (ast.Import, ast.ImportFrom, ast.Assign, ast.AnnAssign, ast.Expr, ast.If)
    assert all(isinstance(node, kinds) for node in tree.body), f"{module}/__init__.py holds more than re-exports"


@pytest.mark.parametrize(
    ("module", "absent"),
    [
        ("farm_ray", ("torch", "ray", "transformers", "pandas", "pyarrow")),
        ("farm_ray.data_handler.processor", ("torch", "ray")),
        ("farm_ray.evaluation.metrics", ("torch", "ray")),
        ("farm_ray.infer", ("ray",)),
        ("farm_ray.modeling.adaptive_model", ("ray",)),
    ],
)
def test_importing_loads_nothing_heavy_and_changes_nothing(module, absent, tmp_path):
    program = (
        "import sys, os, logging; before = dict(os.environ), list(logging.root.handlers)\n"
        f"import {module}\n"
        "assert (dict(os.environ), list(logging.root.handlers)) == before, 'importing changed the process'\n"
        f"print([name for name in {absent!r} if name in sys.modules])"
    )
    # torch sets this one, if it is not set, when transformers imports its compiler.
    known = {"TORCHINDUCTOR_CACHE_DIR": str(tmp_path), **os.environ}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=ROOT, env=known
    )
    assert done.stdout.strip() == "[]", done.stdout + done.stderr
