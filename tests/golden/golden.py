"""Results as text beside the tests: a refactor shows here that it changed nothing.

To take over a change that is meant: `FARM_RAY_GOLDEN=write pytest tests/golden`, then read the diff.
"""

import os
from pathlib import Path

HERE = Path(__file__).parent


def check(name, lines):
    """Compares the lines with those in `{name}.txt`."""
    file, found = HERE / f"{name}.txt", list(lines)
    if os.environ.get("FARM_RAY_GOLDEN") == "write":
        file.write_text("\n".join(found) + "\n", encoding="utf-8")
    assert found == file.read_text(encoding="utf-8").splitlines()


def problem_of(row):
    """What is wrong with a row of features; None where nothing is."""
    return row["problem"] and f"{row['problem']['kind']}: {row['problem']['message']}"
