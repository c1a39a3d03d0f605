"""Vectors of texts from a pretrained model, without training: which strategy and layer say best what is alike?

    python -m pipelines.embeddings FILE --model MODEL [--layers -1 -2]

FILE has the columns text, text_b and score (TSV). For every strategy and layer: Spearman's correlation between the
cosine of the two vectors and the score, -1 to 1. The vectors of a file: python -m jobs.infer MODEL FILE vectors.parquet
--task-type embeddings --extraction-strategy reduce_mean.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import numpy as np

from farm_ray.errors import DataProblemError
from farm_ray.foreign import quoted
from jobs import command_line

if TYPE_CHECKING:
    import argparse

    from farm_ray.infer import Inferencer
    from farm_ray.plain import PlainDict
    from jobs.progress import ProgressPrinter

STRATEGIES = ("cls_token", "reduce_mean", "reduce_max")


def make_parser() -> command_line.Parser:
    """The flags."""
    parser = command_line.make_parser("pipelines.embeddings", __doc__)
    add = parser.add_argument
    add("file", metavar="FILE", help="TSV with the columns text, text_b and score")
    add("--model", required=True, help="folder or hub name of a language model")
    add("--layers", type=command_line.integer, nargs="+", default=[-1], help="layers to try; -1 is the last")
    add("--max-seq-len", type=command_line.positive_number, default=128, help="tokens per text")
    return parser


def work(arguments: argparse.Namespace, progress: ProgressPrinter) -> PlainDict:
    """Spearman's correlation per strategy and layer."""
    from farm_ray.data_handler.utils import read_tsv
    from farm_ray.evaluation.metrics import pearson_and_spearman
    from farm_ray.infer import Inferencer

    columns = {"text": "text", "text_b": "text_b", "score": "score"}
    rows = read_tsv(arguments.file, columns, quotechar=None)
    scores = _scores(arguments.file, [row["score"] for row in rows])
    texts = [{"text": row[name]} for name in ("text", "text_b") for row in rows]
    inferencer = Inferencer.load(
        arguments.model, task_type="embeddings", batch_size=64, max_seq_len=arguments.max_seq_len
    )
    found: dict[str, float] = {}
    tried = [(strategy, layer) for layer in arguments.layers for strategy in STRATEGIES]
    for number, (strategy, layer) in enumerate(tried):
        progress("embed", number, len(tried), f"{strategy}, layer {layer}")
        alike = _cosines(_vectors(inferencer, texts, strategy, layer))
        found[f"{strategy} {layer}"] = round(pearson_and_spearman(alike.tolist(), scores)["spearman"], 4)
    return {"spearman": found, "rows": len(rows), "model_dir": arguments.model}


def _scores(file: str, written: list[str]) -> list[float]:
    """The scores as numbers."""
    from farm_ray.data_handler.scaling import read_numbers, why_not

    scores = read_numbers(written)
    wrong = np.flatnonzero(~np.isfinite(scores))
    if len(wrong):
        row = int(wrong[0])
        raise DataProblemError(
            f"{file}: the score {quoted(written[row])} of row {row + 1} {why_not(written[row])}",
            code="score-not-a-number",
            file=file,
            row=row + 1,
            value=written[row],
        )
    found: list[float] = scores.tolist()
    return found


def _vectors(inferencer: Inferencer, texts: list[dict[str, str]], strategy: str, layer: int) -> np.ndarray:
    """All first texts, then all second texts, [2 * rows, H]."""
    answers = inferencer.extract_vectors(texts, extraction_strategy=strategy, extraction_layer=layer)
    refused = [answer["problem"]["message"] for answer in answers if answer["vec"] is None]
    if refused:
        raise DataProblemError(
            f"{len(refused)} texts have no vector, the first: {refused[0]}", code="no-vectors", value=len(refused)
        )
    return np.stack([answer["vec"] for answer in answers])


def _cosines(vectors: np.ndarray) -> np.ndarray:
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    first, second = np.split(unit, 2)
    cosines: np.ndarray = (first * second).sum(axis=1)
    return cosines


def main(argv: list[str] | None = None) -> int:
    """Runs the comparison; returns the exit code."""
    return command_line.run(make_parser(), work, argv)


if __name__ == "__main__":
    sys.exit(main())
