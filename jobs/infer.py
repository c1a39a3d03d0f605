"""Predict the texts of a file with a saved model.

    python -m jobs.infer MODEL_DIR INPUT OUTPUT
    python -m jobs.infer MODEL_DIR --text "one text"
    cat texts | python -m jobs.infer MODEL_DIR - -

INPUT is TSV, CSV, JSONL or Parquet: a file, a folder, a glob, s3:// or https://; only the text column is needed. `-`
reads one text per line from standard input. OUTPUT ends in .jsonl, .jsonl.gz or .parquet; `-` prints JSON lines.
One row out per row in, in the same order; a row that cannot be predicted says why in `problem`.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from farm_ray.data_handler import problems
from farm_ray.errors import ConfigError
from jobs import command_line

if TYPE_CHECKING:
    from farm_ray.infer import Inferencer
    from jobs.progress import ProgressPrinter

STANDARD = "-"
_LINES_AT_ONCE = 1000
