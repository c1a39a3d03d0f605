"""Inferencer: predictions and embeddings of dicts, in this process, and of files, in this process or on Ray."""

from __future__ import annotations

import itertools
import time
import warnings
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from farm_ray import farm_methods, storage
from farm_ray.artifacts import publish_folder
from farm_ray.configuration import strict_arguments
from farm_ray.data_handler.bounds import check_padding
from farm_ray.data_handler.file_to_dicts.empty_files import filled_files
from farm_ray.data_handler.given_rows import given_rows, given_tables
from farm_ray.devices import available_device
from farm_ray.errors import ConfigError
from farm_ray.infer import loading
from farm_ray.infer.answers import as_sent, flat
from farm_ray.infer.files import (
    ROWS_AT_ONCE,
    FilePredictions,
    Written,
    in_slices,
    predict_files,
    predict_nothing,
    predict_tables,
    rows_of_files,
    write_all,
    write_with_parts,
)
from farm_ray.infer.output import check_output, is_stream, prediction_file
from farm_ray.infer.predictions import problem_ids
from farm_ray.infer.predictor import Predictor
from farm_ray.infer.reading import reader_of, reading_processor
from farm_ray.infer.recipe import prediction_recipe
from farm_ray.infer.requests import request_tables
from farm_ray.modeling.language_model.extraction import Extraction, checked_extraction
from farm_ray.modeling.optimization.precision import check_use_amp
from farm_ray.overrides import is_own, refuse_uncalled
from farm_ray.parts import Parts, check_resume
from farm_ray.tasks.table import EMBEDDINGS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import pyarrow as pa

    from farm_ray.data_handler.data_silo.split_groups import SplitRows
    from farm_ray.data_handler.processor import Processor
    from farm_ray.infer.answers import Form
    from farm_ray.modeling.adaptive_model import AdaptiveModel
    from farm_ray.parts import Recipe
    from farm_ray.plain import PlainDict
    from farm_ray.progress import Progress

_STREAMING_ROWS = 20
"""Inputs read before the first streamed result, as in FARM."""


class Inferencer:
    """A model that predicts or embeds: every input gets exactly one answer of each head, in input order.

    An input that cannot be predicted (no text, wrong type) keeps its place and says why in `problem`.

    Args:
        model: Put on the device; in eval mode only while it predicts.
        processor: A copy in inference mode is used; labels are not needed.
        task_type: `text_classification`, `multilabel_text_classification`, `regression` or `ner`, or None to take it
            from the model's heads; `embeddings` for the language model's vectors, whatever the heads.
        batch_size: Rows per forward pass; changes the speed, not the predictions.
        gpu: Use CUDA; without a GPU this process falls back to the CPU with a warning. Actors of `predict_file` have
            the GPUs of the Ray cluster, whether or not there is one here.
        name: For logs; None takes `anonymous-{task_type}`.
        return_class_probs: Give the probability of every label instead of the best one only.
        extraction_strategy: For embeddings: `cls_token` (the default), `reduce_mean` or `reduce_max` over the tokens,
            `per_token`, or `pooled`, what classifiers read. Padding never counts.
        extraction_layer: For embeddings: 0 the embeddings, 1 and more the layers, -1 (the default) the last one.
        s3e_stats: Not available.
        num_processes: Ignored, kept for FARM compatibility; dicts are predicted in this process, files on Ray.
        disable_tqdm: Ignored, kept for FARM compatibility; there is no bar unless `predict_file` gets a `progress`.
        benchmarking: Collect wall times in `timings`.
        dummy_ph: Not available.
        use_amp: None is float32; "bf16" and the other levels of training trade accuracy for speed.
        ignore_first_token: For embeddings: `reduce_mean` and `reduce_max` leave out the class token.

    Raises:
        ConfigError: For arguments that the task does not have, or heads that cannot be predicted with.
        ValueError: When `pooled` is asked for another layer than the last one.
    """

    @strict_arguments
    def __init__(
        self,
        model: AdaptiveModel,
        processor: Processor,
        task_type: str | None = None,
        batch_size: int = 4,
        gpu: bool = False,
        name: str | None = None,
        return_class_probs: bool = False,
        extraction_strategy: str | None = None,
        extraction_layer: int | None = None,
        s3e_stats: Mapping[str, object] | None = None,
        num_processes: int | None = None,
        disable_tqdm: bool = False,
        benchmarking: bool = False,
        dummy_ph: bool = False,
        *,
        use_amp: str | None = None,
        ignore_first_token: bool | None = None,
    ) -> None:
        refuse_uncalled(type(self), farm_methods.INFERENCER)
        refuse_uncalled(type(model), farm_methods.ADAPTIVE_MODEL)
        loading.check_task_type(task_type)
        extracted = {
            "extraction_strategy": extraction_strategy,
            "extraction_layer": extraction_layer,
            "ignore_first_token": ignore_first_token,
        }
        loading.check_options(
            task_type, **extracted, return_class_probs=return_class_probs, s3e_stats=s3e_stats, dummy_ph=dummy_ph
        )
        if batch_size < 1:
            raise ConfigError(
                f"batch_size must be 1 or more, not {batch_size}",
                code="invalid-value",
                option="batch_size",
                value=batch_size,
            )
        if num_processes is not None and num_processes > 1:
            message = "num_processes has no effect: dicts are predicted in this process, files on Ray (predict_file)"
            warnings.warn(message, stacklevel=3)
        task_type = loading.task_of_heads(model, task_type)
        model.verify_max_seq_len(processor.max_seq_len)
        if task_type != EMBEDDINGS:
            model.connect_heads_with_processor(dict(processor.tasks), require_labels=False)
        device = available_device(gpu=gpu)
        check_use_amp(use_amp, "cuda" if gpu else device)
        self.model = model
        self.processor = processor.frozen()
        self.task_type = task_type
        self.name = name or f"anonymous-{self.task_type}"
        self.return_class_probs = return_class_probs
        self.benchmarking = benchmarking
        self.disable_tqdm = disable_tqdm
        self.timings: dict[str, float] = {}
        """Seconds by stage (`predict`, `format`), summed over calls; filled with `benchmarking=True`."""
        self.problematic_sample_ids: set[str] = set()
        """Ids of the inputs of the last call that have a problem instead of a prediction."""
        predictor = Predictor(
            model=model,
            processor=reading_processor(self.processor),
            batch_size=batch_size,
            use_amp=use_amp,
            gpu_on_ray=gpu,
        ).on(device)
        if task_type == EMBEDDINGS:
            predictor = _embedder(predictor, extraction_strategy, extraction_layer, ignore_first_token)
        check_padding(predictor.processor.padding(), predictor.bounds)
        self._predictor = predictor

    @classmethod
    @strict_arguments
    def load(
        cls,
        model_name_or_path: str | Path,
        revision: str | None = None,
        batch_size: int = 4,
        gpu: bool = False,
        task_type: str | None = None,
        return_class_probs: bool = False,
        strict: bool = True,
        max_seq_len: int | None = None,
        doc_stride: int | None = None,
        extraction_layer: int | None = None,
        extraction_strategy: str | None = None,
        s3e_stats: Mapping[str, object] | None = None,
        num_processes: int | None = None,
        disable_tqdm: bool = False,
        tokenizer_class: str | None = None,
        use_fast: bool = True,
        tokenizer_args: Mapping[str, object] | None = None,
        multithreading_rust: bool = True,
        dummy_ph: bool = False,
        benchmarking: bool = False,
        *,
        use_amp: str | None = None,
        ignore_first_token: bool | None = None,
    ) -> Inferencer:
        """An inferencer from a folder of ours, a FARM 0.8 folder, or a transformers folder or hub name.

        A transformers model without a head does not say what it is for and needs `task_type`. `revision` (branch, tag
        or commit), `tokenizer_class` and `tokenizer_args` (for example `{"do_lower_case": False}`) are for models of
        transformers only. `max_seq_len` None keeps what was saved (256 tokens for a transformers model, less where it
        has fewer positions). `strict` refuses weights files that lack weights. `multithreading_rust=False` tokenizes
        with one thread in Ray actors. `doc_stride` is for question answering, which this version does not have. The
        other arguments are those of the class.

        Raises:
            ModelFolderError: When the folder is missing or not whole; names the file.
            ConfigError: For arguments of tasks this version does not have, or a missing `task_type`.
        """
        loading.check_task_type(task_type)
        loading.check_options(task_type, doc_stride=doc_stride)
        model, processor = loading.load(
            model_name_or_path,
            revision=revision,
            task_type=task_type,
            strict=strict,
            max_seq_len=max_seq_len,
            tokenizer_class=tokenizer_class,
            use_fast=use_fast,
            tokenizer_args=tokenizer_args,
        )
        if not multithreading_rust:
            processor.multithreading_rust = False
        return cls(
            model,
            processor,
            task_type,
            batch_size=batch_size,
            gpu=gpu,
            name=storage.local_path(model_name_or_path).name,
            return_class_probs=return_class_probs,
            extraction_strategy=extraction_strategy,
            extraction_layer=extraction_layer,
            s3e_stats=s3e_stats,
            num_processes=num_processes,
            disable_tqdm=disable_tqdm,
            benchmarking=benchmarking,
            dummy_ph=dummy_ph,
            use_amp=use_amp,
            ignore_first_token=ignore_first_token,
        )

    @property
    def batch_size(self) -> int:
        """Rows per forward pass."""
        return self._predictor.batch_size

    @property
    def takes_pairs(self) -> bool:
        """Whether an input is a pair of texts."""
        return self._predictor.processor.text_b_column_name is not None

    @property
    def takes_single_texts(self) -> bool:
        """Whether an input may be one text; a model of pairs takes both for embeddings."""
        return not self.takes_pairs or self._predictor.processor.text_b_is_optional

    def inference_from_dicts(
        self,
        dicts: Iterable[Mapping[str, object]],
        return_json: bool = True,  # noqa: ARG002 - one form for both
        multiprocessing_chunksize: int | None = None,
        streaming: bool = False,
    ) -> list[PlainDict] | Iterator[PlainDict]:
        """Answers for dicts such as `{"text": "..."}`, in this process.

        Args:
            dicts: One element per text, of a pair `{"text": (a, b)}` or `{"text": a, "text_b": b}`, or a DataFrame or
                Arrow table, for its rows; with `streaming` also a generator, which is read as results are asked for.
            return_json: The tasks of this version have one form only, so both values give the same.
            multiprocessing_chunksize: Inputs computed at once; None takes 10,000 (of vectors per token 128), with
                `streaming` at least 20.
            streaming: Return an iterator that gives the results chunk by chunk instead of one list.

        Returns:
            One dict per head (not per batch as in FARM, so it does not depend on the batch size): `task`,
            `task_name` and `predictions`, a list with one element per input, in input order. An element is a dict
            with `context` (the text, of a pair `a|b`), `id`, `clipped` (the text was longer than max_seq_len),
            `problem` (None, or what is wrong with the input: the answer is None then), and the answer:

            - classification: `label` and `probability`, `start` and `end` (None). With `return_class_probs` the label
              is "class_probabilities" and `probability` the list over all labels.
            - several labels: `label` (FARM's string, "['a', 'b']"), `labels` (the list), `probability` of all labels.
            - regression: `pred`, in the labels' own unit.
            - ner: the element is a list with a dict per entity: `start` and `end` in the text, `context` (that piece),
              `label`, `probability` (with `return_class_probs` the list over all labels). It is None beside a
              problem; `ids`, `clipped` and `problems` stand beside `predictions`, one value per input each.

            With several heads a text that is longer than max_seq_len is read in windows: every word has its tag, and
            heads on whole texts answer for the beginning (`clipped`).

            For embeddings one dict per input: `context`, `vec` (a numpy array [H], with `per_token` [tokens, H]; None
            beside a problem), `id`, `clipped`, `problem`. A model of pairs takes single texts too.

        Raises:
            ConfigError: When `dicts` is no list of inputs, or the chunk size is below 1.
        """
        return self._from_dicts(self._predictor, dicts, multiprocessing_chunksize, streaming=streaming)

    def extract_vectors(
        self,
        dicts: Iterable[Mapping[str, object]],
        extraction_strategy: str = "cls_token",
        extraction_layer: int = -1,
        *,
        ignore_first_token: bool | None = None,
    ) -> list[PlainDict]:
        """Embeddings as `inference_from_dicts` gives them with `task_type="embeddings"`, whatever the task.

        The arguments are those of the class.

        Raises:
            ConfigError: On an unknown strategy or layer.
            ValueError: When `pooled` is asked for another layer than the last one.
        """
        embedder = _embedder(self._predictor, extraction_strategy, extraction_layer, ignore_first_token)
        return list(self._from_dicts(embedder, dicts, None, streaming=False))

    def inference_from_file(
        self,
        file: str | Path,
        multiprocessing_chunksize: int | None = None,
        streaming: bool = False,
        return_json: bool = True,  # noqa: ARG002 - one form for both
        *,
        num_actors: int | None = None,
        address: str | None = None,
    ) -> list[PlainDict] | Iterator[PlainDict]:
        """As `inference_from_dicts` for the rows of a file in the processor's format; labels need not be there.

        Up to some thousand rows are predicted in this process, more through Ray by actors that hold the model. The
        results are held in memory unless `streaming`; `predict_file` writes them to JSON lines or Parquet instead.

        Args:
            file: File, folder or glob; local, `s3://` or `https://`; compressed or not.
            multiprocessing_chunksize: Rows per streamed result; None leaves that to the reader.
            streaming: Return an iterator that gives the results chunk by chunk instead of one list.
            return_json: As for `inference_from_dicts`.
            num_actors: Ray actors, each with a copy of the model; 0 stays in this process, None decides by rows.
            address: Of a Ray cluster; None joins the running one or starts one here.

        Raises:
            DataProblemError: When the file or its text column is missing.
            ConfigError: When the chunk size is below 1.
            ClusterError: When Ray cannot be reached or lost its actors.
        """
        if not is_own(type(self), "inference_from_file"):
            refuse_uncalled(type(self), {"inference_from_dicts": "override inference_from_file for files"})
        _check_chunks(multiprocessing_chunksize)
        files = filled_files(storage.list_files(str(file)), self._predictor.processor.read)
        self.problematic_sample_ids = set()
        rows_at_once = min(multiprocessing_chunksize or ROWS_AT_ONCE, self._predictor.rows_at_once)
        predictions = predict_files(
            self._predictor,
            rows_of_files(
                self._predictor.processor,
                files,
                storage.file_states(files),
                rows_at_once,
                num_actors=num_actors,
                address=address,
            ),
            partial(as_sent, return_class_probs=self.return_class_probs),
            num_actors=num_actors,
            address=address,
        )
        results = self._file_results(in_slices((table for _, table in predictions), multiprocessing_chunksize))
        return itertools.chain.from_iterable(results) if streaming else self._predictor.answers_type.joined(results)

    def predict_tables(self, tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
        """Flat answers for tables with the columns id and text (and text_b for pairs), in their order, as asked for.

        Columns: id, text, for pairs text_b, the answers, clipped and problem. Answers of

        - classification: `label` and `probability`;
        - several labels: `labels` and `probability`, lists of equal length;
        - regression: `prediction`;
        - ner: `entities`, a list of structs: label, start, end, text, probability;
        - embeddings: `vec`, a list of numbers, with `per_token` a list of such lists.

        `return_class_probs` adds `class_probabilities`, a number per label (for ner in each entity). With several heads
        their columns have the prefix `{task_name}_`.
        """
        return predict_tables(self._predictor, given_tables(tables), self._flat_form())

    def predict_file(
        self,
        input: str | Path | Iterable[pa.Table],  # noqa: A002 - the word users expect
        output: str | Path,
        *,
        text_column: str | None = None,
        text_b_column: str | None = None,
        delimiter: str | None = None,
        quote_char: str | None = None,
        encoding: str | None = None,
        num_actors: int | None = None,
        address: str | None = None,
        progress: Progress | None = None,
        resume: str = "auto",
    ) -> FilePredictions:
        """Predicts (or embeds) every row of a file, folder or glob and writes one row per row, in input order.

        Up to some thousand rows are predicted in this process, more through Ray by actors that hold the model.

        When the call is killed, what it has finished stays beside the output, in `OUTPUT.parts`, and the same call goes
        on behind it; the output is the same as if nothing had happened. Of rows whose file, model or settings have
        changed since, a warning says that they are made again. The folder goes when the output is whole.

        Args:
            input: TSV, CSV, JSONL or Parquet; for ner also one word a line, and TSV and CSV where `text_column` is
                given; local, `s3://` or `https://`; compressed or not. Or tables with the columns id and text (and
                text_b for pairs), which are predicted in this process as they come.
            output: Ends in .jsonl (.gz, .bz2, .zst) or .parquet; local or `s3://`. Appears, or is replaced, when all
                is done. `-` prints JSON lines on standard output. Columns as for `predict_tables`; `id` is the
                row's own (`example_id`, `external_id`, `doc_id` or `id`), else its file and line (`new.tsv:7`).
            text_column: Column with the text; None takes the processor's.
            text_b_column: Column with the second text of a pair; None takes the processor's.
            delimiter: Of TSV and CSV; None takes the processor's, or another usual one with which the first file's
                header has the columns.
            quote_char: Of TSV and CSV; "" switches quoting off, None takes the processor's.
            encoding: Of text files that are not UTF-8; None takes the processor's.
            num_actors: Ray actors, each with a copy of the model; 0 stays in this process, None decides by rows.
            address: Of a Ray cluster; None joins the running one or starts one here.
            progress: Called with (stage, rows done, None, "").
            resume: `auto`, or `never` to start from scratch. Tables as input, and pipes and `-` as output, always do.

        Raises:
            DataProblemError: When the input or its text column is missing.
            ConfigError: When the output cannot be written, its format is not known, or another call writes it.
            ClusterError: When Ray cannot be reached or lost its actors.
        """
        started, output = time.perf_counter(), str(output)
        check_resume(resume)
        resumed = 0
        if not isinstance(input, str | Path):
            check_output(output)
            written = self._write(self.predict_tables(input), output, progress)
        else:
            files = storage.list_files(input)
            check_output(output, files)
            reader = reader_of(
                self._predictor.processor,
                files,
                text_column_name=text_column,
                text_b_column_name=text_b_column,
                delimiter=delimiter,
                quote_char=quote_char,
                encoding=encoding,
            )
            files = filled_files(files, reader.read)
            states = storage.file_states(files)
            source = rows_of_files(
                reader, files, states, self._predictor.rows_at_once, num_actors=num_actors, address=address
            )
            predict = partial(
                predict_files, self._predictor, source, self._flat_form(), num_actors=num_actors, address=address
            )
            if is_stream(output):
                written = self._write((table for _, table in predict()), output, progress)
            else:
                parts = Parts(output, lambda: self._recipe(source, states), resume=resume)
                written, resumed = write_with_parts(parts, output, self._schema(), predict, progress=progress)
        written.report(output)
        return FilePredictions(
            output=output,
            rows=written.rows,
            rows_resumed=resumed,
            problems=dict(written.problems),
            seconds=time.perf_counter() - started,
        )

    def save(self, path: str | Path) -> None:
        """Writes model and processor into one folder, which appears when it is whole; `load` reads it back."""

        def write(folder: Path) -> None:
            self.model.save(folder)
            self.processor.save(folder)

        publish_folder(path, write)

    def close_multiprocessing_pool(self, join: bool = False) -> None:
        """Nothing to close: kept for FARM compatibility."""

    def _from_dicts(
        self, predictor: Predictor, dicts: Iterable[object], rows: int | None, *, streaming: bool
    ) -> list[PlainDict] | Iterator[PlainDict]:
        rows_given = given_rows(dicts)
        _check_chunks(rows)
        if rows is None:
            rows = max(_STREAMING_ROWS, self.batch_size) if streaming else predictor.rows_at_once
        self.problematic_sample_ids = set()
        results = self._results(predictor, request_tables(rows_given, predictor.processor, rows=rows))
        return itertools.chain.from_iterable(results) if streaming else predictor.answers_type.joined(results)

    def _results(self, predictor: Predictor, tables: Iterable[pa.Table]) -> Iterator[list[PlainDict]]:
        """FARM's JSON form for each table."""
        for table in tables:
            started = time.perf_counter()
            answers = predictor.predict(table)
            predicted = time.perf_counter()
            result = answers.to_json(return_class_probs=self.return_class_probs)
            self._note(answers.table, predict=predicted - started, format=time.perf_counter() - predicted)
            yield result

    def _file_results(self, tables: Iterator[pa.Table]) -> Iterator[list[PlainDict]]:
        """FARM's JSON form from tables of JSON, which may have been made elsewhere."""
        nothing = predict_nothing(self._predictor)
        started = time.perf_counter()
        for table in tables:
            predicted = time.perf_counter()
            result = nothing.read_json_table(table, return_class_probs=self.return_class_probs)
            self._note(table, predict=predicted - started, format=time.perf_counter() - predicted)
            yield result
            started = time.perf_counter()

    def _flat_form(self) -> Form:
        return partial(flat, return_class_probs=self.return_class_probs)

    def _write(self, predictions: Iterable[pa.Table], output: str, progress: Progress | None) -> Written:
        """Writes predictions that are not kept in parts."""
        written = Written()
        with prediction_file(output, self._schema()) as writer:
            write_all(predictions, writer, progress=progress, written=written)
        return written

    def _schema(self) -> pa.Schema:
        """Of prediction files."""
        return self._flat_form()(predict_nothing(self._predictor)).schema

    def _recipe(self, source: SplitRows, states: Sequence[storage.FileState]) -> Recipe:
        return prediction_recipe(
            self._predictor,
            source,
            states,
            task_type=self.task_type,
            return_class_probs=self.return_class_probs,
        )

    def _note(self, predicted: pa.Table, **seconds: float) -> None:
        self.problematic_sample_ids.update(problem_ids(predicted))
        if self.benchmarking:
            for stage, spent in seconds.items():
                self.timings[stage] = self.timings.get(stage, 0.0) + spent


def _embedder(
    predictor: Predictor, strategy: str | None, layer: int | None, ignore_first_token: bool | None
) -> Predictor:
    """The same model and processor, giving vectors."""
    if strategy != "pooled" and not is_own(type(predictor.model.language_model), "token_vectors"):
        refuse_uncalled(type(predictor.model.language_model), {"forward": "vectors are made by token_vectors"})
    language_model, processor = predictor.model.language_model, loading.whole_texts(predictor.processor)
    how = checked_extraction(
        language_model,
        predictor.extraction or Extraction(class_token_last=loading.class_token_is_last(processor.tokenizer)),
        strategy=strategy,
        layer=layer,
        ignore_first_token=ignore_first_token,
    )
    return replace(predictor, processor=processor, extraction=how)


def _check_chunks(rows: int | None) -> None:
    if rows is not None and rows < 1:
        raise ConfigError(
            f"multiprocessing_chunksize must be 1 or more, not {rows}",
            code="invalid-value",
            option="multiprocessing_chunksize",
            value=rows,
        )
