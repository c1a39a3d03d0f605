"""Evaluation: every rank scores its share, then losses, predictions and labels are brought together once.

Heads whose loss is a mean over units, such as predicted tokens, are measured over all units of the set alike.

Metrics are about source rows. Where a long text was cut into windows, each a feature row, the tags of its words are
joined over the windows, and heads that answer whole rows are heard at the first window.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from farm_ray import storage
from farm_ray.artifacts import verify_folder
from farm_ray.data_handler.bounds import Bounds, check_beyond
from farm_ray.data_handler.order import FeatureLoader, evaluation_batches
from farm_ray.devices import checked_device, explaining
from farm_ray.errors import ConfigError
from farm_ray.evaluation.counted import CountedColumns
from farm_ray.evaluation.metrics import compute_metrics, compute_report_metrics
from farm_ray.modeling.optimization.precision import Precision
from farm_ray.modeling.prediction_head import PredictionHead
from farm_ray.ranks import Ranks

if TYPE_CHECKING:
    from pathlib import Path

    from farm_ray.data_handler.batches import FeatureSet
    from farm_ray.data_handler.feature_columns import Positions
    from farm_ray.data_handler.processor import Processor
    from farm_ray.evaluation.results import HeadResult
    from farm_ray.modeling.adaptive_model import AdaptiveModel
    from farm_ray.plain import PlainDict
    from farm_ray.tracking import RunLogger

Batch = Mapping[str, torch.Tensor]

_ANSWERS_WORDS = "per_token"
"""Output type of heads that answer each word; the others answer each row."""


@dataclass
class _HeadColumns:
    """What one head said about the rows seen so far."""

    positions: list[int] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    predictions: list[Any] = field(default_factory=list)
    labels: list[Any] = field(default_factory=list)

    def add(
        self, positions: Positions, losses: Any, predictions: Sequence[Any], labels: Sequence[Any], _: None = None
    ) -> None:
        """Takes in a batch."""
        self.positions += positions.tolist()
        self.losses += losses.tolist()
        self.predictions += list(predictions)
        self.labels += list(labels)

    @classmethod
    def joined(cls, parts: Sequence[_HeadColumns]) -> _HeadColumns:
        """The ranks' columns as one, in row order."""
        positions = np.concatenate([np.array(part.positions, np.int64) for part in parts])
        order = np.argsort(positions, kind="stable").tolist()

        def column(name: str) -> list[Any]:
            values = [value for part in parts for value in getattr(part, name)]
            return [values[index] for index in order]

        return cls(**{name: column(name) for name in ("positions", "losses", "predictions", "labels")})


_Columns = _HeadColumns | CountedColumns


class Evaluator:
    """Evaluates a model on the batches of a loader, in this process.

    Args:
        data_loader: Yields dicts of tensors, for example `silo.get_data_loader("dev")`. Only a silo's loader knows
            which windows are of one row; with another each row of a batch stands for itself.
        tasks: The processor's tasks; label lists and metrics are taken from there.
        device: Where the model is.
        report: Add the text report of each head.
    """

    def __init__(
        self, data_loader: Iterable[Batch], tasks: HeadResult, device: torch.device | str, report: bool = True
    ) -> None:
        self.data_loader = data_loader
        self.tasks = tasks
        self.device = checked_device(device)
        self.report = report

    def eval(
        self, model: AdaptiveModel, return_preds_and_labels: bool = False, calibrate_conf_scores: bool = False
    ) -> list[HeadResult]:
        """One dict per head: `task_name`, `loss` (mean over feature rows), the task's metrics, `report`.

        For a language model's head the loss is the mean over predicted tokens, `perplexity` stands beside it, and
        metrics are about predicted tokens.

        Args:
            model: Is put into eval mode for the pass and back into the mode it was in.
            return_preds_and_labels: Add `preds` and `labels`, one entry per source row in the loader's order.
            calibrate_conf_scores: Only question answering has confidences to calibrate.
        """
        if calibrate_conf_scores:
            raise NotImplementedError("calibrate_conf_scores needs a question answering head")
        model.connect_heads_with_processor(dict(self.tasks))
        sources = None
        if isinstance(self.data_loader, FeatureLoader):
            sources = _source_rows(self.data_loader.dataset, np.concatenate(self.data_loader.positions()))
        counted = _count_positions(self.data_loader)
        columns = _score(model, counted, device=self.device, precision=Precision.resolve(None, self.device))
        return _summarise(model, columns, sources, report=self.report, with_columns=return_preds_and_labels)

    @staticmethod
    def log_results(
        results: list[HeadResult], dataset_name: str, steps: int, *, tracker: RunLogger | None = None
    ) -> dict[str, float]:
        """Numbers under FARM's keys `{dataset}_{metric}_{task}`; also sent to `tracker` where one is given."""
        numbers = {
            f"{dataset_name}_{metric}_{head['task_name']}": value
            for head in results
            for metric, value in _numbers(head).items()
        }
        if tracker is not None:
            tracker.log_metrics(numbers, steps)
        return numbers


def evaluate_folder(
    model_dir: str | Path,
    file: str | Path,
    *,
    batch_size: int = 32,
    max_problem_share: float = 0.0,
    use_gpu: bool = False,
    use_amp: str | None = None,
    text_column: str | None = None,
    text_b_column: str | None = None,
    label_column: str | None = None,
    delimiter: str | None = None,
    quote_char: str | None = None,
    encoding: str | None = None,
) -> PlainDict:
    """Scores a saved model on a labelled file, folder or glob, in this process.

    Args:
        model_dir: A folder with model and processor, as a training run saves it.
        file: Texts with labels.
        batch_size: Rows per forward pass; the results do not depend on it.
        max_problem_share: Share of the rows that may be quarantined.
        use_gpu: Score on this process's GPU.
        use_amp: As for `Trainer`.
        text_column: Column with the text; this and the following are the processor's where they are None.
        text_b_column: Column with the second text of a pair.
        label_column: Column with the labels, of a model with a single one.
        delimiter: Of TSV and CSV; without it another usual one is taken with which the file's header has the columns.
        quote_char: Of TSV and CSV; "" switches quoting off.
        encoding: Of text files that are not UTF-8.

    Returns:
        `metrics` (numbers per task), `reports` (text per task), source `rows` scored, and `problems` (rows quarantined
        by kind).

    Raises:
        ConfigError: When `use_gpu` is asked for where there is no GPU, or `use_amp` is not known.
        ModelFolderError: When the folder is missing or damaged.
        DataProblemError: When the file cannot be used.
    """
    from farm_ray.data_handler.data_silo import DataSilo
    from farm_ray.data_handler.processor import Processor
    from farm_ray.data_handler.processor.reading import with_reading
    from farm_ray.modeling.adaptive_model import AdaptiveModel

    if use_gpu and not torch.cuda.is_available():
        raise ConfigError(
            "use_gpu was asked for, and torch sees no GPU here; leave it out", code="no-gpu-here", option="use_gpu"
        )
    device = torch.device("cuda" if use_gpu else "cpu")
    precision = Precision.resolve(use_amp, device)
    verify_folder(model_dir)
    processor = Processor.load_from_dir(model_dir)
    # A silo does without a test file of the processor's default name; this one was asked for.
    processor = with_reading(
        processor,
        storage.list_files(str(file)),
        text_column_name=text_column,
        text_b_column_name=text_b_column,
        label_column_name=label_column,
        delimiter=delimiter,
        quote_char=quote_char,
        encoding=encoding,
    )
    _read_only(processor, str(file))
    model = AdaptiveModel.load(model_dir, device=device)
    model.connect_heads_with_processor(processor.tasks)
    silo = DataSilo(processor, batch_size, max_processes=1, max_problem_share=max_problem_share)
    rows = silo.data["test"]
    assert rows is not None, "the file is there"
    groups = rows.groups()
    check_beyond(rows.table, Bounds.of(model.language_model))
    with explaining():
        results = evaluate(model, rows, batch_size=batch_size, ranks=Ranks(device=device), precision=precision)
    return {
        "metrics": {head["task_name"]: _numbers(head) for head in results},
        "reports": {head["task_name"]: head["report"] for head in results},
        "rows": len(rows) if groups is None else len(np.unique(groups)),
        "problems": silo.problem_counts(),
    }


def _read_only(processor: Processor, file: str) -> None:
    """Makes the processor read all of this file, as test set, and nothing else."""
    processor.train_filename = processor.dev_filename = processor.data_dir = None
    processor.test_filename = file
    if hasattr(processor, "max_samples"):
        # Trained on a sample, scored on all rows.
        processor.max_samples = None


def _numbers(head: HeadResult) -> dict[str, float]:
    return {
        name: float(value)
        for name, value in head.items()
        if isinstance(value, int | float | np.number) and not name.startswith("_")
    }


def evaluate(
    model: AdaptiveModel,
    rows: FeatureSet,
    *,
    batch_size: int,
    ranks: Ranks,
    precision: Precision,
    report: bool = True,
    with_columns: bool = False,
    beat: Callable[[], None] = lambda: None,
) -> list[HeadResult]:
    """The results of `Evaluator.eval` for a feature set, computed by all ranks together; the same on every rank.

    `beat` is called before every batch.
    """
    positions = evaluation_batches(rows.lengths, batch_size, rank=ranks.rank, world_size=ranks.world_size)

    def batches() -> Iterator[tuple[Positions, Batch]]:
        for at in positions:
            beat()
            yield at, rows.batch(at)

    own = _score(model, batches(), device=ranks.device, precision=precision)
    gathered = ranks.gather(own)

    def summarise() -> list[HeadResult]:
        joined = [_join([columns[head] for columns in gathered]) for head in range(len(own))]
        sources = _source_rows(rows, np.arange(len(rows)))
        return _summarise(model, joined, sources, report=report, with_columns=with_columns)

    return ranks.done_by_first(summarise)


def _source_rows(rows: FeatureSet, order: Positions) -> list[Positions] | None:
    """For each source row where its windows are, in their order; None where every row is a source row.

    Args:
        rows: The feature rows.
        order: The positions in `rows` of the feature rows as they come, [n].

    Returns:
        Places in `order`; source rows as they come first.
    """
    groups = rows.groups()
    if groups is None:
        return None
    # The table holds the windows of a row in their order.
    by_window = np.lexsort((rows.rows[order], groups[order]))
    borders = np.flatnonzero(np.diff(groups[order][by_window])) + 1
    return sorted(np.split(by_window, borders), key=lambda places: int(places.min()))


def _per_source(values: list[Any], sources: list[Positions] | None, *, per_token: bool) -> list[Any]:
    """A head's answers for source rows from those for feature rows."""
    if sources is None:
        return values
    if per_token:
        return [[tag for place in places.tolist() for tag in values[place]] for places in sources]
    return [values[int(places[0])] for places in sources]


@torch.no_grad()
def _score(
    model: AdaptiveModel,
    batches: Iterable[tuple[Positions, Batch]],
    *,
    device: torch.device,
    precision: Precision,
) -> list[_Columns]:
    was_training = model.training
    model.eval()
    columns = [CountedColumns() if head.has_loss_units else _HeadColumns() for head in model.prediction_heads]
    try:
        for positions, batch in batches:
            tensors = {name: tensor.to(device, non_blocking=True) for name, tensor in batch.items()}
            # Divided by 1 the loss of a row is the sum over its units.
            ones = {head.loss_units_column: tensors["input_ids"].new_ones(()) for head in _counted(model)}
            with precision.autocast():
                logits_per_head = model(**tensors)
            losses_per_head = model.logits_to_loss_per_head(logits_per_head, **(tensors | ones))
            heads = zip(columns, model.prediction_heads, logits_per_head, losses_per_head, strict=True)
            for column, head, logits, losses in heads:
                preds, labels = head.logits_to_preds(logits, **tensors), head.prepare_labels(**tensors)
                column.add(positions, _array(losses.float()), preds, labels, _array(head.loss_units(**tensors)))
    finally:
        model.train(was_training)
    return columns


def _counted(model: AdaptiveModel) -> list[PredictionHead]:
    """The heads whose loss is a mean over units."""
    return [head for head in model.prediction_heads if isinstance(head, PredictionHead) and head.has_loss_units]


def _array(tensor: torch.Tensor | None) -> Any:
    return None if tensor is None else tensor.cpu().numpy()


def _count_positions(batches: Iterable[Batch]) -> Iterator[tuple[Positions, Batch]]:
    start = 0
    for batch in batches:
        rows = len(next(iter(batch.values())))
        yield np.arange(start, start + rows), batch
        start += rows


def _join(parts: Sequence[Any]) -> Any:
    """The ranks' columns of one head as one, in row order."""
    return type(parts[0]).joined(parts)


def _summarise(
    model: AdaptiveModel,
    columns: list[_Columns],
    sources: list[Positions] | None,
    *,
    report: bool,
    with_columns: bool,
) -> list[HeadResult]:
    results = []
    for head, column in zip(model.prediction_heads, [_join([one]) for one in columns], strict=True):
        if isinstance(column, CountedColumns):
            counted = column.results(head.metric, report=report, with_columns=with_columns)
            results.append({"task_name": head.task_name, **counted})
            continue
        result: HeadResult = {"task_name": head.task_name, "loss": float(np.mean(column.losses))}
        per_token = head.ph_output_type == _ANSWERS_WORDS
        preds, labels = (
            _per_source(answers, sources, per_token=per_token) for answers in (column.predictions, column.labels)
        )
        result |= compute_metrics(head.metric, preds, labels)
        if report:
            result["report"] = compute_report_metrics(head, preds, labels)
        if with_columns:
            result |= {"preds": preds, "labels": labels}
        results.append(result)
    return results
