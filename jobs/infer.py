"""Predict the texts of a file with a saved model, or turn them into vectors.

    python -m jobs.infer MODEL_DIR INPUT OUTPUT
    python -m jobs.infer MODEL_DIR --text "one text"
    python -m jobs.infer MODEL_DIR --text "one" --text-b "and the other"
    cat texts | python -m jobs.infer MODEL_DIR - -
    python -m jobs.infer MODEL_DIR INPUT vectors.parquet --task-type embeddings --extraction-strategy reduce_mean

INPUT is TSV, CSV, JSONL or Parquet (for ner also one word a line): a file, a folder, a glob, s3:// or https://; only
the text is needed, for a model of pairs both texts. `-` reads one text per line from standard input, of a pair both
with a tab between. OUTPUT ends in .jsonl, .jsonl.gz or .parquet; `-` prints JSON lines.

One row out per row in, in the same order; a row that cannot be predicted says why in `problem`. No row at all is an
error. Columns are id, text, clipped, problem and the answer: label and probability; labels (several) and probability;
prediction (a number); entities (label, start, end, text, probability); vec. A model with several heads has these
columns with the name of the task in front.

A run that is killed leaves its finished rows in OUTPUT.parts; the same command resumes after them.
"""

from __future__ import annotations

import codecs
import itertools
import sys
import time
from typing import TYPE_CHECKING

import pyarrow as pa

from farm_ray.data_handler import problems
from farm_ray.data_handler.file_to_dicts.encodings import check_encoding, plain_name
from farm_ray.data_handler.file_to_dicts.lines import BadLine, one_line
from farm_ray.data_handler.sample_columns import TEXT_B
from farm_ray.errors import ConfigError, DataProblemError
from farm_ray.parts import RESUME
from jobs import command_line
from jobs.data_flags import add_data_flags

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator

    from farm_ray.infer import FilePredictions, Inferencer
    from farm_ray.plain import PlainDict
    from jobs.progress import ProgressPrinter

STANDARD = "-"
"""As INPUT standard input, as OUTPUT standard output."""

_STRATEGIES = ("cls_token", "reduce_mean", "reduce_max", "per_token", "pooled")
_LINES_AT_ONCE = 1000
_DEFAULT_BATCH_SIZE = 32


def make_parser() -> command_line.Parser:
    """The job's flags."""
    parser = command_line.make_parser("jobs.infer", __doc__)
    add = parser.add_argument
    add("model_dir", metavar="MODEL_DIR", help="a saved model, or one of transformers (folder or hub name)")
    add("input", metavar="INPUT", nargs="?", help="file, folder, glob, s3://, https://, or - for standard input")
    add("output", metavar="OUTPUT", nargs="?", help="file to write (.jsonl, .jsonl.gz, .parquet; s3://), or -")
    add(
        "--task-type",
        help="what a transformers model is for, which its folder does not say: text_classification, "
        "multilabel_text_classification, regression, ner; or embeddings, for vectors from any model",
    )
    add(
        "--extraction-strategy",
        metavar="STRATEGY",
        help=f"of embeddings: {', '.join(_STRATEGIES)} (default: cls_token)",
    )
    add(
        "--extraction-layer",
        type=command_line.integer,
        metavar="N",
        help="of embeddings: 0 the embeddings, 1 and more the layers, -1 the last one (default)",
    )
    add("--text", action="append", help="predict this text and print it, instead of INPUT and OUTPUT; repeatable")
    add("--text-b", action="append", help="the second text of a pair, one for each --text")
    add_data_flags(parser, default="the model's", labels=False)
    add("--batch-size", type=command_line.positive_number, default=_DEFAULT_BATCH_SIZE, help="rows per forward pass")
    add("--max-seq-len", type=command_line.positive_number, help="tokens per text (default: the model's)")
    add("--return-class-probs", action="store_true", help="add the probability of every label")
    add("--num-actors", type=command_line.whole_number, help="Ray actors; 0: this process; default: by number of rows")
    add("--use-gpu", dest="gpu", action="store_true", help="predict on GPU")
    add("--use-amp", metavar="LEVEL", help="bf16 and the like; default: float32")
    add("--resume", choices=RESUME, default="auto", help="resume after finished rows (default), or start from scratch")
    add("--address", help="host:port of a Ray cluster; default: the running one, else a local one")
    return parser


def work(arguments: argparse.Namespace, progress: ProgressPrinter) -> PlainDict:
    """Loads the model, predicts, and says how many rows there were."""
    _check_places(arguments)
    from farm_ray.infer import Inferencer

    started = time.perf_counter()
    inferencer = Inferencer.load(
        arguments.model_dir,
        batch_size=arguments.batch_size,
        gpu=arguments.gpu,
        task_type=arguments.task_type,
        extraction_strategy=arguments.extraction_strategy,
        extraction_layer=arguments.extraction_layer,
        return_class_probs=arguments.return_class_probs,
        max_seq_len=arguments.max_seq_len,
        use_amp=arguments.use_amp,
    )
    loaded = time.perf_counter() - started
    done = _predict(inferencer, arguments, progress)
    return {
        "rows": done.rows,
        "rows_resumed": done.rows_resumed,
        "problems": done.problems,
        "seconds": {"load": round(loaded, 3), "predict": round(done.seconds, 3)},
        "rows_per_second": round(done.rows_per_second, 1),
        "output": done.output,
        "model_dir": arguments.model_dir,
    }


def _check_places(arguments: argparse.Namespace) -> None:
    given = [place for place in (arguments.input, arguments.output) if place is not None]
    if arguments.text and given:
        raise ConfigError("give --text, or INPUT and OUTPUT, not both", code="conflicting-options", option="text")
    if not arguments.text and len(given) < 2:  # noqa: PLR2004 - INPUT and OUTPUT
        raise ConfigError(
            'give INPUT and OUTPUT (- for standard input and output), or --text "one text"',
            code="missing-option",
            option="input",
        )
    texts, second = len(arguments.text or ()), len(arguments.text_b or ())
    if second and second != texts:
        raise ConfigError(
            f"there are {texts} --text and {second} --text-b; give one --text-b for each --text",
            code="unequal-numbers",
            option="text_b",
            value=second,
        )


def _predict(inferencer: Inferencer, arguments: argparse.Namespace, progress: ProgressPrinter) -> FilePredictions:
    if arguments.text:
        return inferencer.predict_file([_given_texts(inferencer, arguments)], STANDARD)
    if arguments.input == STANDARD:
        lines = text_lines(sys.stdin.buffer, pairs=inferencer.takes_pairs, encoding=arguments.encoding or "utf-8")
        return inferencer.predict_file(lines, arguments.output, progress=progress)
    return inferencer.predict_file(
        arguments.input,
        arguments.output,
        text_column=arguments.text_column_name,
        text_b_column=arguments.text_b_column_name,
        delimiter=arguments.delimiter,
        quote_char=arguments.quote_char,
        encoding=arguments.encoding,
        num_actors=arguments.num_actors,
        address=arguments.address,
        progress=progress,
        resume=arguments.resume,
    )


def _given_texts(inferencer: Inferencer, arguments: argparse.Namespace) -> pa.Table:
    """The texts of the command line, numbered from 0."""
    if inferencer.takes_pairs and not inferencer.takes_single_texts and not arguments.text_b:
        raise ConfigError(
            "this model reads pairs of texts; give the second one with --text-b", code="missing-option", option="text_b"
        )
    if arguments.text_b and not inferencer.takes_pairs:
        raise ConfigError(
            "this model reads single texts; leave --text-b out", code="option-without-effect", option="text_b"
        )
    columns = {"id": [str(n) for n in range(len(arguments.text))], "text": arguments.text}
    return pa.table(columns | ({TEXT_B: arguments.text_b} if arguments.text_b else {}))


def text_lines(stream: Iterable[bytes], *, pairs: bool = False, encoding: str = "utf-8") -> Iterator[pa.Table]:
    """Tables with an id (`stdin:7`) and a text per line; a line that cannot be decoded becomes a row with a problem.

    With `pairs` the first tab of a line divides the text from `text_b`, which is null where there is no tab.

    Raises:
        ConfigError: On an encoding that is not known.
        DataProblemError: When there is no line.
    """
    check_encoding(encoding)
    numbered = enumerate(stream, start=1)
    first = next(numbered, None)
    if first is None:
        raise DataProblemError("standard input is empty; give at least one line", code="empty-standard-input")
    numbered_lines = itertools.chain([first], numbered)
    while lines := list(itertools.islice(numbered_lines, _LINES_AT_ONCE)):
        ids = [f"stdin:{number}" for number, _ in lines]
        read = [one_line(_unmarked(line, number), plain_name(encoding)) for number, line in lines]
        texts = [None if isinstance(line, BadLine) else line.rstrip("\r\n") for line in read]
        found = [
            _problem(row_id, line) if isinstance(line, BadLine) else None
            for row_id, line in zip(ids, read, strict=True)
        ]
        columns = _text_columns(texts, pairs=pairs)
        yield pa.table({"id": ids, **columns, problems.COLUMN: problems.column(found)})


def _text_columns(lines: list[str | None], *, pairs: bool) -> dict[str, pa.Array]:
    if not pairs:
        return {"text": pa.array(lines, pa.string())}
    parts = [("" if line is None else line).partition("\t") for line in lines]
    first = [None if line is None else text for line, (text, _, _) in zip(lines, parts, strict=True)]
    second = [text_b if tab else None for _, tab, text_b in parts]
    return {"text": pa.array(first, pa.string()), TEXT_B: pa.array(second, pa.string())}


def _unmarked(line: bytes, number: int) -> bytes:
    return line.removeprefix(codecs.BOM_UTF8) if number == 1 else line


def _problem(row_id: str, line: BadLine) -> problems.Problem:
    return problems.at(row_id, stage="read", kind=line.kind, message=f"{row_id} {line.reason}", value=line.value)


def _keeps_parts(arguments: argparse.Namespace) -> bool:
    """Whether what is finished stays when the run is stopped: not where rows come or go by standard streams."""
    return not arguments.text and STANDARD not in (arguments.input, arguments.output)


def main(argv: list[str] | None = None) -> int:
    """Runs the job; returns the exit code."""
    return command_line.run(make_parser(), work, argv, resumable=_keeps_parts)


if __name__ == "__main__":
    sys.exit(main())
