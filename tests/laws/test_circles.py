"""No circles: a module never comes back to itself along its imports, those inside of functions counted."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("farm_ray", "jobs", "pipelines")


def modules() -> dict[str, Path]:
    files = [file for package in PACKAGES for file in (ROOT / package).rglob("*.py")]
    return {".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): file for file in files}


def imported(file: Path) -> set[str]:
    """Dotted names that a file imports anywhere; type-checking blocks do not count, they never run."""
    found: set[str] = set()

    def visit(node: ast.AST) -> None:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            return
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom) and node.module:
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
        for child in ast.iter_child_nodes(node):
            visit(child)

    visit(ast.parse(file.read_text()))
    return found


def graph(files: dict[str, Path]) -> dict[str, set[str]]:
    """Module -> modules that it imports: the longest part of each imported name that is a module."""

    def module_of(name: str) -> str:
        while name and name not in files:
            name = name.rpartition(".")[0]
        return name

    return {module: {module_of(name) for name in imported(file)} - {"", module} for module, file in files.items()}


def circles(edges: dict[str, set[str]]) -> list[set[str]]:
    """Sets of modules that all reach each other."""
    reached: dict[str, set[str]] = {}
    for start, first in edges.items():
        seen: set[str] = set()
        ahead = [*first]
        while ahead:
            module = ahead.pop()
            if module not in seen:
                seen.add(module)
                ahead += edges[module]
        reached[start] = seen
    found = {
        frozenset(other for other in reached[one] if one in reached[other]) for one in edges if one in reached[one]
    }
    return [set(circle) for circle in found]


def test_circles_are_found():
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a", "d"}, "d": set()}) == [{"a", "b", "c"}]


def test_no_module_comes_back_to_itself():
    found = circles(graph(modules()))
    assert not found, f"these import each other: {sorted(min(found, key=len))}"
