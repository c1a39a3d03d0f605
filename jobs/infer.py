"""Predict the texts of a file with a saved model.

    python -m jobs.infer MODEL_DIR INPUT OUTPUT
    python -m jobs.infer MODEL_DIR --text "one text"
    cat texts | python -m jobs.infer MODEL_DIR - -

INPUT is TSV, CSV, JSONL or Parquet: a file, a folder, a glob, s3:// or https://; only the text column is needed. `-`
reads one text per line from standard input. OUTPUT ends in .jsonl, .jsonl.gz or .parquet; `-` prints JSON lines.
One row out per row in, in the same order; a row that cannot be predicted says why in `problem`. No row at all is an
error.
"""

from __future__ import annotations

import itertools
import sys
import time
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from farm_ray.data_handler import problems
from farm_ray.errors import ConfigError, DataProblemError
from jobs import command_line

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator

    from farm_ray.infer import FilePredictions, Inferencer
    from jobs.progress import ProgressPrinter

STANDARD = "-"
"""As INPUT standard input, as OUTPUT standard output."""

_LINES_AT_ONCE = 1000
_DEFAULT_BATCH_SIZE = 32


def make_parser() -> command_line.Parser:
    """The job's flags."""
    parser = command_line.make_parser("jobs.infer", __doc__)
    add = parser.add_argument
    add("model_dir", metavar="MODEL_DIR", help="a saved model, or a transformers classifier (folder or hub name)")
    add("input", metavar="INPUT", nargs="?", help="file, folder, glob, s3://, https://, or - for standard input")
    add("output", metavar="OUTPUT", nargs="?", help="file to write (.jsonl, .jsonl.gz, .parquet; s3://), or -")
    add("--task-type", help="what a transformers model is for, which its folder does not say: text_classification")
    add("--text", action="append", help="predict this text and print it, instead of INPUT and OUTPUT; repeatable")
    add("--text-column", dest="text_column_name", metavar="NAME", help="name of the text column (default: the model's)")
    add("--delimiter", type=_delimiter, help="of TSV and CSV (default: the model's)")
    add("--quote-char", help='of TSV and CSV; "" switches quoting off (default: the model\'s)')
    add("--batch-size", type=command_line.positive_number, default=_DEFAULT_BATCH_SIZE, help="rows per forward pass")
    add("--max-seq-len", type=command_line.positive_number, help="tokens per text (default: the model's)")
    add("--return-class-probs", action="store_true", help="add the probability of every label")
    add("--num-actors", type=command_line.whole_number, help="Ray actors; 0: this process; default: by number of rows")
    add("--use-gpu", dest="gpu", action="store_true", help="predict on GPU")
    add("--use-amp", metavar="LEVEL", help="bf16 and the like; default: float32")
    add("--address", help="host:port of a Ray cluster; default: the running one, else a local one")
    return parser


def _delimiter(text: str) -> str:
    r"""A tab may be written as `\t`."""
    return text.replace("\\t", "\t")


def work(arguments: argparse.Namespace, progress: ProgressPrinter) -> dict[str, Any]:
    """Loads the model, predicts, and says how many rows there were."""
    _check_places(arguments)
    from farm_ray.infer import Inferencer

    started = time.perf_counter()
    inferencer = Inferencer.load(
        arguments.model_dir,
        batch_size=arguments.batch_size,
        gpu=arguments.gpu,
        task_type=arguments.task_type,
        return_class_probs=arguments.return_class_probs,
        max_seq_len=arguments.max_seq_len,
        use_amp=arguments.use_amp,
    )
    loaded = time.perf_counter() - started
    done = _predict(inferencer, arguments, progress)
    return {
        "rows": done.rows,
        "problems": done.problems,
        "seconds": {"load": round(loaded, 3), "predict": round(done.seconds, 3)},
        "rows_per_second": round(done.rows_per_second, 1),
        "output": done.output,
        "model_dir": arguments.model_dir,
    }


def _check_places(arguments: argparse.Namespace) -> None:
    given = [place for place in (arguments.input, arguments.output) if place is not None]
    if arguments.text and given:
        raise ConfigError("give --text, or INPUT and OUTPUT, not both")
    if not arguments.text and len(given) < 2:  # noqa: PLR2004 - INPUT and OUTPUT
        raise ConfigError('give INPUT and OUTPUT (- for standard input and output), or --text "one text"')


def _predict(inferencer: Inferencer, arguments: argparse.Namespace, progress: ProgressPrinter) -> FilePredictions:
    if arguments.text:
        texts = pa.table({"id": [str(n) for n in range(len(arguments.text))], "text": arguments.text})
        return inferencer.predict_file([texts], STANDARD)
    if arguments.input == STANDARD:
        return inferencer.predict_file(text_lines(sys.stdin.buffer), arguments.output, progress=progress)
    return inferencer.predict_file(
        arguments.input,
        arguments.output,
        text_column=arguments.text_column_name,
        delimiter=arguments.delimiter,
        quote_char=arguments.quote_char,
        num_actors=arguments.num_actors,
        address=arguments.address,
        progress=progress,
    )


def text_lines(stream: Iterable[bytes]) -> Iterator[pa.Table]:
    """Tables with an id (`stdin:7`) and a text per line; a line that is not UTF-8 becomes a row with a problem.

    Raises:
        DataProblemError: When there is no line.
    """
    numbered = enumerate(stream, start=1)
    first = next(numbered, None)
    if first is None:
        raise DataProblemError("standard input is empty; give at least one line")
    numbered_lines = itertools.chain([first], numbered)
    while lines := list(itertools.islice(numbered_lines, _LINES_AT_ONCE)):
        ids = [f"stdin:{number}" for number, _ in lines]
        texts = [_decoded(line) for _, line in lines]
        found = [None if text is not None else _undecodable(row_id) for row_id, text in zip(ids, texts, strict=True)]
        yield pa.table({"id": ids, "text": pa.array(texts, pa.string()), problems.COLUMN: problems.column(found)})


def _decoded(line: bytes) -> str | None:
    try:
        return line.decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError:
        return None


def _undecodable(row_id: str) -> problems.Problem:
    message = f"{row_id}: the line is not UTF-8; convert it first"
    return problems.at(row_id, stage="read", kind="undecodable text", message=message)


def main(argv: list[str] | None = None) -> int:
    """Runs the job; returns the exit code."""
    return command_line.run(make_parser(), work, argv)


if __name__ == "__main__":
    sys.exit(main())
