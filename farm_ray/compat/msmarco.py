"""MS MARCO's passage ranking files as files of text pairs, and predictions as its lists of scores."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING

from farm_ray.errors import DataProblemError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from farm_ray.data_handler.given_rows import Row

_RELEVANT = "1"


def reformat_msmarco_train(filename: str | Path, output_filename: str | Path) -> None:
    """Triples of a query, a relevant and another passage as pairs with the labels 1 and 0.

    Args:
        filename: TSV without a header: query, relevant passage, other passage.
        output_filename: TSV with the columns text, text_b, label; two rows per triple.

    Raises:
        DataProblemError: For a line without three columns; names it.
    """
    rows = (
        (query, passage, label)
        for query, relevant, other in _rows(filename, columns=3)
        for passage, label in ((relevant, _RELEVANT), (other, "0"))
    )
    _write(output_filename, ("text", "text_b", "label"), rows)


def reformat_msmarco_dev(
    queries_filename: str | Path,
    passages_filename: str | Path,
    qrels_filename: str | Path,
    top1000_filename: str | Path,
    output_filename: str | Path,
) -> None:
    """The passages that a retriever found for each query as pairs, with label 1 where they are relevant.

    Args:
        queries_filename: TSV without a header: query id, query.
        passages_filename: TSV without a header: passage id, passage.
        qrels_filename: TSV without a header: query id, 0, id of a relevant passage, 1.
        top1000_filename: TSV without a header, beginning with query id and passage id.
        output_filename: TSV with the columns qid, text, pid, text_b, label, a row for each line of the last file.

    Raises:
        DataProblemError: For a line with too few columns, or an id that is not in its file; names it.
    """
    queries = {name: text for name, text, *_ in _rows(queries_filename, columns=2)}
    passages = {name: text for name, text, *_ in _rows(passages_filename, columns=2)}
    relevant = {(query, passage) for query, _, passage, *_ in _rows(qrels_filename, columns=3)}

    def rows() -> Iterator[tuple[str, ...]]:
        for number, (query, passage, *_) in enumerate(_rows(top1000_filename, columns=2), start=1):
            for name, known, file in ((query, queries, queries_filename), (passage, passages, passages_filename)):
                if name not in known:
                    raise DataProblemError(
                        f'{top1000_filename}:{number}: the id "{name}" is not in {file}; give the files of one version',
                        code="unknown-id",
                        file=str(top1000_filename),
                        row=number,
                        value=name,
                    )
            label = str(int((query, passage) in relevant))
            yield query, queries[query], passage, passages[passage], label

    _write(output_filename, ("qid", "text", "pid", "text_b", "label"), rows())


def write_msmarco_results(results: Sequence[Row], output_filename: str | Path) -> None:
    """One line per pair: the probability that the passage is relevant, in the order of the pairs.

    Args:
        results: What `Inferencer.inference_from_file` gave for the file of `reformat_msmarco_dev`; of each prediction
            its label, "1" or "0", and the label's probability.
        output_filename: Where the numbers go.
    """
    with Path(output_filename).open("w", encoding="utf-8") as file:
        for result in results:
            for prediction in result["predictions"]:
                probability = float(prediction["probability"])
                score = probability if str(prediction["label"]) == _RELEVANT else 1 - probability
                file.write(f"{score}\n")


def _rows(filename: str | Path, *, columns: int) -> Iterator[list[str]]:
    """The cells of each line; nothing is quoted in these files."""
    with Path(filename).open(encoding="utf-8", newline="\n") as file:
        for number, line in enumerate(file, start=1):
            cells = line.rstrip("\r\n").split("\t")
            if len(cells) < columns:
                raise DataProblemError(
                    f"{filename}:{number} has {len(cells)} columns, and {columns} are needed; separate them by tabs",
                    code="missing-column",
                    file=str(filename),
                    row=number,
                )
            yield cells


def _write(filename: str | Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    with Path(filename).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter="\t", lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
