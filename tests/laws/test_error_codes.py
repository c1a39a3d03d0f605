"""Each error raised here has a literal code of its own: what programs and tests match, in place of a sentence."""

import ast
import functools
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
FOLDERS = ("farm_ray", "jobs", "pipelines")
BASE = "FarmRayError"
ERRORS_FILE = "farm_ray/errors.py"
FORM = re.compile(r"[a-z0-9]+(-[a-z0-9]+){0,3}")


class Site(NamedTuple):
    """A call that makes an error."""

    where: str
    error: str
    code: str | None
    """None where it is not a literal."""


Call = tuple[ast.FunctionDef | None, ast.Call]
"""With the function it is in."""


@functools.cache
def trees() -> dict[str, ast.Module]:
    files = [file for folder in FOLDERS for file in (ROOT / folder).rglob("*.py")]
    return {str(file.relative_to(ROOT)): ast.parse(file.read_text()) for file in files}


def error_classes(modules: dict[str, ast.Module]) -> set[str]:
    """Our error classes, those that derive from others included."""
    bases = {
        node.name: {_last_name(base) for base in node.bases}
        for tree in modules.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    }
    found = {BASE}
    while new := {name for name, above in bases.items() if above & found} - found:
        found |= new
    return found


def sites(modules: dict[str, ast.Module]) -> Iterator[Site]:
    """Where errors are made: calls of their classes, and of functions that hand a `code` on to one of them."""
    kinds = error_classes(modules)
    calls = {file: list(_calls(tree)) for file, tree in modules.items()}
    makers = dict(_makers(calls, kinds))
    for file, found in calls.items():
        for function, call in found:
            name = _last_name(call.func)
            error = name if name in kinds else makers.get(name)
            code = next((keyword.value for keyword in call.keywords if keyword.arg == "code"), None)
            if error is None or (name not in kinds and code is None) or file == ERRORS_FILE:
                continue
            if _is_handed_on(code, function):
                continue
            literal = code.value if isinstance(code, ast.Constant) and isinstance(code.value, str) else None
            yield Site(f"{file}:{call.lineno}", error, literal)


def _makers(calls: dict[str, list[Call]], kinds: set[str]) -> Iterator[tuple[str, str]]:
    for found in calls.values():
        for function, call in found:
            code = next((keyword.value for keyword in call.keywords if keyword.arg == "code"), None)
            if _last_name(call.func) in kinds and function is not None and _is_handed_on(code, function):
                yield function.name, _last_name(call.func)


def _calls(tree: ast.Module) -> Iterator[Call]:
    """Each call with the function it is in."""
    waiting: list[tuple[ast.FunctionDef | None, ast.AST]] = [(None, tree)]
    while waiting:
        function, node = waiting.pop()
        if isinstance(node, ast.Call):
            yield function, node
        inside = node if isinstance(node, ast.FunctionDef) else function
        waiting += [(inside, child) for child in ast.iter_child_nodes(node)]


def _is_handed_on(code: ast.expr | None, function: ast.FunctionDef | None) -> bool:
    """Whether the code is a required argument of the function, so that who calls it says which."""
    if function is None or not isinstance(code, ast.Name):
        return False
    arguments = function.args
    required = [name for name, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if not default]
    return code.id == "code" and "code" in [argument.arg for argument in required]


def _last_name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def faults(modules: dict[str, ast.Module], made: list[Site]) -> list[str]:
    """What is wrong with the codes of errors that are made, a line each."""
    of_code: dict[str, dict[str, str]] = defaultdict(dict)
    found = [
        f"{file}:{node.lineno}: loses the code; use reworded()"
        for file, tree in modules.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and isinstance(node.exc.func, ast.Call)
    ]
    for where, error, code in made:
        if code is None:
            found.append(f"{where}: {error} without a literal code")
        elif not FORM.fullmatch(code):
            found.append(f"{where}: {code} is not one to four words in kebab-case")
        else:
            of_code[code].setdefault(error, where)
    clashes = {code: errors for code, errors in of_code.items() if len(errors) > 1}
    return found + [f"{code} is used by {errors}" for code, errors in clashes.items()]


def test_every_error_has_a_literal_code_of_its_own_class():
    modules = trees()
    made = list(sites(modules))
    assert not faults(modules, made)
    assert len(made) > 500


def test_no_class_of_an_error_is_a_parameter():
    """Then nobody could say which code belongs to which class."""
    found = [
        f"{file}:{argument.lineno}"
        for file, tree in trees().items()
        if file != ERRORS_FILE
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
        for argument in [*node.args.args, *node.args.kwonlyargs]
        if argument.annotation is not None and re.search(r"type\[\w*Error\]", ast.unparse(argument.annotation))
    ]
    assert not found


def test_the_law_finds_what_it_is_for():
    lines = [
        'ConfigError("no code")',
        'ConfigError("code of a name", code=NAME)',
        'errors.DataProblemError("taken", code="taken")',
        'ConfigError("taken", code="taken")',
        'OwnError("five words", code="a-b-c-d-e")',
        'ConfigError("spelling", code="Bad_Spelling")',
        "def refusal(told, *, code):\n    return ConfigError(told, code=code)",
        "def anything(code=None):\n    return ConfigError('optional', code=code)",
        'self.refusal("handed on", code=f"a-{b}")',
        'self.refusal("fine", code="fine-here")',
        "parser.error('no error of ours')",
        "raise type(error)(f'more: {error}')",
    ]
    classes = "class ConfigError(FarmRayError): ...\nclass DataProblemError(FarmRayError): ..."
    modules = {"a.py": ast.parse("\n".join([classes, "class OwnError(ConfigError): ...", *lines]))}
    assert len(faults(modules, list(sites(modules)))) == 8
