"""The standard words of the field: what was replaced does not come back."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("farm_ray", "jobs", "pipelines", "tests", "README.md", ".github")

REPLACED = {
    "cannot be meant": "invalid",
    "hears of": "follows, receives",
    "goes on behind": "resumes after",
    "go on behind": "resume after",
    r"\banew\b": "again, from scratch",
    "set[ _]aside": "quarantined",
    "way out": "hint",
    r"\b[Aa]rrow [123]\b": "stage 1, 2, 3",
    r"three arrows|the arrows\b": "stages, transforms",
    "data way": "data pipeline",
    "put up with": "tolerate",
    r"was broken off and|broken off and gone on": "interruption, resume",
    "whole or not there": "atomic",
    r"\bat the begin\b": "at the start",
    r"\b[Mm]end\b": "fix",
    "hidden tokens": "masked tokens",
    "knows no segments": "has no token_type_ids",
    "FARM's sake": "ignored; kept for FARM compatibility",
    r"\btells\b": "reports, says",
    r"\bbeginnings\b": "initial_model",
    r"\bTrainee\b": "TrainState",
    r"FeatureParts|feature_parts": "PartialFeatures",
    r"\binside_boxes\b|\bboxes\b": "serialized",
    "Travelling|travelling": "broadcast",
    "StepBoard": "RunStatusActor",
    r"\blender|\blent\b": "donor, borrowed",
    "_gradients_meet": "sync_on_last_microbatch",
}
"""What is not written any more, as a pattern -> what is."""


def written() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", *FOLDERS], cwd=ROOT, capture_output=True, text=True, check=False)
    files = [ROOT / name for name in listed.stdout.splitlines()] or [
        file for folder in FOLDERS for file in (ROOT / folder).rglob("*")
    ]
    return [file for file in files if file.suffix in {".py", ".md"} and file.is_file() and file != Path(__file__)]


@pytest.fixture(scope="module")
def texts():
    return {file.relative_to(ROOT).as_posix(): file.read_text(encoding="utf-8") for file in written()}


@pytest.mark.parametrize("pattern", REPLACED)
def test_no_replaced_word_comes_back(texts, pattern):
    found = [
        f"{name}:{text.count(chr(10), 0, match.start()) + 1}: {match[0]}"
        for name, text in texts.items()
        for match in re.finditer(pattern, text)
    ]
    assert not found, f"write {REPLACED[pattern]} in place of: {'; '.join(found[:9])}"
