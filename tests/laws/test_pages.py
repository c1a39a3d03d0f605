"""The pages are true: links resolve, and the commands, flags, settings, paths and imports that they name are there."""

import ast
import importlib
import itertools
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from farm_ray.configuration import dotted_names
from farm_ray.experiment.config import Experiment
from jobs.experiment_flags import experiment_from

ROOT = Path(__file__).parents[2]
FOLDERS = (".github", "farm_ray", "jobs", "pipelines", "tests")
PAGES = sorted([*ROOT.glob("*.md"), *(page for folder in FOLDERS for page in (ROOT / folder).rglob("*.md"))])
JOBS = sorted(path.stem for path in (ROOT / "jobs").glob("*.py") if "def main(" in path.read_text(encoding="utf-8"))
SETTINGS = dotted_names(Experiment)

FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
COMMAND = re.compile(r"python -m ((?:jobs|pipelines|tests|farm_ray)[\w.]*)([^;|&\n]*)")
FLAG = re.compile(r"--[a-z][\w-]*")
SETTING = re.compile(r"(?:processor|data|model|train)(?:\.[a-z_]+)+")
FILE = re.compile(r"[\w/]+\.(?:tsv|csv|txt|jsonl?|parquet|safetensors)")
PARTS = sorted(path.name for path in (ROOT / "farm_ray").iterdir() if (path / "__init__.py").is_file())
OUR_PATH = re.compile(rf"(?:{'|'.join(map(re.escape, (*FOLDERS, *PARTS)))})/[\w./*-]*")
"""From the top, or, as pages about the library have it, from `farm_ray`."""


def wrong_in(text: str, page: Path) -> list[str]:
    """What the page names that is not there."""
    prose, blocks = FENCED.sub("", text), FENCED.findall(text)
    spans = INLINE.findall(prose)
    lines = [line for kind, block in blocks if kind == "bash" for line in shell_lines(block)]
    drawn = [line for kind, block in blocks if kind == "text" for line in block.splitlines()]
    return [
        *wrong_links(prose, page),
        *(problem for one in (*spans, *lines) for problem in wrong_code(one)),
        *(f"no such path: {path}" for path in our_paths((*spans, *lines, *drawn)) if not is_there(path)),
        *(problem for kind, block in blocks if kind == "python" for problem in wrong_imports(block)),
    ]


def shell_lines(block: str) -> list[str]:
    """The commands of a block, continued lines joined, comments left out."""
    return [re.sub(r"(^|\s)#.*", "", line).strip() for line in block.replace("\\\n", " ").splitlines()]


def wrong_links(prose: str, page: Path) -> Iterator[str]:
    for target in LINK.findall(prose):
        if re.match(r"\w+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        if not file.exists():
            yield f"no such file: {target}"
        elif anchor and anchor not in anchors(file.read_text(encoding="utf-8")):
            yield f"no such heading: {target}"


def anchors(text: str) -> set[str]:
    """Headings as GitHub links to them."""
    headings = re.findall(r"^#+ (.*)$", FENCED.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def wrong_code(code: str) -> Iterator[str]:
    """What is wrong with one line of a shell, or with one span of code in a sentence."""
    for module, arguments in COMMAND.findall(code):
        yield from wrong_command(module, shlex.split(arguments))
    if code.startswith("--"):
        given = shlex.split(code)
        yield from (f"no job has the flag {word}" for word in flags(given) if word not in all_flags())
        yield from wrong_settings([words for word, words in itertools.pairwise(given) if word == "--set"])
    elif SETTING.match(code) and not FILE.match(code):
        yield from wrong_settings([code])


def wrong_command(module: str, arguments: list[str]) -> Iterator[str]:
    path = ROOT / Path(*module.split(".")).with_suffix(".py")
    if not path.is_file():
        yield f"no such module: {module}"
    elif module.startswith("tests."):
        source = path.read_text(encoding="utf-8")
        yield from (f"{module} has no {word}" for word in flags(arguments) if f'"{word}"' not in source)
    else:
        yield from wrong_arguments(module, arguments)


def wrong_arguments(module: str, arguments: list[str]) -> Iterator[str]:
    """Parses them as the program does; of a pipeline that is there the whole experiment is built."""
    try:
        parsed = importlib.import_module(module).make_parser().parse_args(arguments)
    except SystemExit:
        yield f"{module} refuses {shlex.join(arguments)}"
        return
    if not hasattr(parsed, "assignments"):
        return
    yield from wrong_settings(parsed.assignments)
    if (parsed.pipeline or "").startswith("pipelines."):
        try:
            experiment_from(parsed)
        except Exception as error:
            yield f"{module} {shlex.join(arguments)}: {error}"


def wrong_settings(assignments: list[str]) -> Iterator[str]:
    names = [text.partition("=")[0] for text in assignments]
    yield from (f"no such setting: {name}" for name in names if name not in SETTINGS and name != "key")


def flags(words: list[str]) -> list[str]:
    return [found[0] for word in words if (found := FLAG.match(word))]


def all_flags() -> set[str]:
    parsers = [importlib.import_module(f"jobs.{job}").make_parser() for job in JOBS]
    return {flag for parser in parsers for action in parser._actions for flag in action.option_strings}


def our_paths(codes: tuple[str, ...]) -> list[str]:
    return [word for code in codes for part in code.split() if OUR_PATH.fullmatch(word := part.rstrip(",:;"))]


def is_there(path: str) -> bool:
    return any(any(folder.glob(path.rstrip("/"))) for folder in (ROOT, ROOT / "farm_ray"))


def wrong_imports(block: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(block)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("farm_ray"):
            module = importlib.import_module(str(node.module))
            yield from (f"no {node.module}.{one.name}" for one in node.names if not hasattr(module, one.name))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_what_a_page_names_is_there(page):
    assert wrong_in(page.read_text(encoding="utf-8"), page) == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[a](nowhere.md)", "no such file: nowhere.md"),
        ("[a](jobs/README.md#nowhere)", "no such heading: jobs/README.md#nowhere"),
        ("`python -m jobs.trian pipelines.ner`", "no such module: jobs.trian"),
        ("`python -m jobs.train pipelines.ner --workers 2`", "jobs.train refuses pipelines.ner --workers 2"),
        ("```bash\nray job submit -- python -m jobs.infer \\\n    M I O --gpu\n```", "jobs.infer refuses M I O --gpu"),
        ("`python -m jobs.train pipelines.nre`", 'jobs.train pipelines.nre: unknown pipeline "pipelines.nre"'),
        ("`python -m jobs.train mine:x --set train.epoch=2`", "no such setting: train.epoch"),
        ("`python -m tests.benchmarks.streaming --texts F`", "tests.benchmarks.streaming has no --texts"),
        ("`--hang-time`", "no job has the flag --hang-time"),
        ("```bash\n--set model.frozen=4\n```", "no such setting: model.frozen"),
        ("`data.streeming=true`", "no such setting: data.streeming"),
        ("`farm_ray/trane`", "no such path: farm_ray/trane"),
        ("`train/stepp.py`", "no such path: train/stepp.py"),
        ("```text\nfiles  data_handler/file_to_dict, tests/laws\n```", "no such path: data_handler/file_to_dict"),
        ("```python\nfrom farm_ray.train import TrainState\n```", "no farm_ray.train.TrainState"),
    ],
)
def test_what_is_not_there_is_found(text, problem):
    found = wrong_in(text, ROOT / "README.md")
    assert len(found) == 1
    assert found[0].startswith(problem)


@pytest.mark.parametrize(
    "text",
    [
        "[a](https://example.org) [b](jobs/README.md#claims)",
        "`ray start --head` and `pip install --upgrade x`",
        "`python -m jobs.train PIPELINE --data-dir D --set key=value`",
        "`--resume auto|never` and `--set train.epochs=2`",
        "`python -m venv .venv` and `s3://bucket/farm_ray/nowhere`",
        "```python\nfrom farm_ray.train import Trainer\nimport torch\n```",
    ],
)
def test_what_is_right_or_another_programs_is_no_problem(text):
    assert wrong_in(text, ROOT / "README.md") == []


def test_the_pipeline_that_the_page_writes_is_one():
    text = (ROOT / "pipelines" / "README.md").read_text(encoding="utf-8")
    made: dict[str, object] = {}
    for kind, block in FENCED.findall(text):
        if kind == "python":
            exec(block, made)  # our own page
    experiments = [value() for name, value in made.items() if name in {"reviews", "longer"} and callable(value)]
    assert [type(one) for one in experiments] == [Experiment, Experiment]
    assert [one.train.epochs for one in experiments] == [3, 6]


def test_decision_records_have_their_parts_and_are_listed_in_order():
    folder = ROOT / "farm_ray" / "decisions"
    records = sorted(folder.glob("[0-9]*.md"))
    parts = ["Context.", "Decision.", "Why.", "What it costs.", "When to look again."]
    for record in records:
        text = record.read_text(encoding="utf-8")
        assert text.startswith(f"# {record.name[:4]} "), record.name
        assert re.findall(r"^\*\*(.+?)\*\*", text, re.MULTILINE) == parts, record.name
    listed = re.findall(r"\((\d{4}-[\w-]+\.md)\)", (folder / "README.md").read_text(encoding="utf-8"))
    assert listed == [record.name for record in records]
    assert [int(record.name[:4]) for record in records] == list(range(1, len(records) + 1))
