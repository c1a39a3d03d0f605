"""The options of both silos, each declared here once: those of an experiment, and those of a program."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, PositiveInt

from farm_ray.configuration import Config
from farm_ray.data_handler.data_silo.featurize import WINDOW_BYTES


class DataConfig(Config):
    """How features are kept and cut into batches."""

    batch_size: PositiveInt = 32
    """Rows per micro-batch, over all workers together."""
    eval_batch_size: PositiveInt | None = None
    """Rows per batch of an evaluation; None takes `batch_size`."""
    max_problem_share: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Share of a set's rows that may be quarantined before the run stops; 0 stops at the first bad row."""
    caching: bool = False
    """Keep features on disk and reuse them while file contents and processor stay the same."""
    cache_path: str = "cache/data_silo"
    """Folder of that cache."""
    max_processes: PositiveInt = 128
    """Most Ray tasks at once; 1 works in this process without Ray."""
    streaming: bool = False
    """Read the training data while training, and never hold all of it; for corpora of any size."""
    lanes: PositiveInt | None = None
    """Of a stream: sequences of windows that a batch takes its rows from: more mix better, and it is the most workers
    there can be. Part of the order: a run goes on with the lanes it began with. None is 8, or as many as there are
    splits of the corpus or rows in a batch."""
    window_bytes: PositiveInt = WINDOW_BYTES
    """Of a stream: bytes of text that are shuffled, paired and sorted by length together."""


class SiloOptions(DataConfig):
    """The options of a silo in a program, with those that no experiment's `data` holds."""

    distributed: bool = False
    """Ignored, kept for FARM compatibility; Ray Train knows."""
    automatic_loading: bool = True
    """Load the processor's files now; False waits for `_load_data` with dicts."""
    max_multiprocessing_chunksize: PositiveInt = 2000
    """Rows that a Ray task featurises at a time."""
    dataloader_workers: PositiveInt = 8
    """Of a stream: most Ray tasks at once that read ahead."""
    seed: int = 42
    """Of the dev split, the training order, masks and other random choices."""


DEFAULTS = SiloOptions()
"""What a silo does that is given no options."""
