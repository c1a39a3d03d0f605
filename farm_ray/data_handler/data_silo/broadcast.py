"""A processor on its way to Ray tasks: pickled once, sent once to each machine, unpickled once in each process."""

from __future__ import annotations

import os
import pickle
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

    from farm_ray.data_handler.given_rows import RowDict
    from farm_ray.data_handler.processor import Processor

_processors: RowDict = {}
"""Processors of this worker process by fingerprint: unpickling a tokenizer per task would cost more than its work."""


class BroadcastProcessor:
    """A frozen processor that tasks hold a reference to, as its tokenizer may weigh more than all that one reads."""

    def __init__(self, processor: Processor) -> None:
        import ray
        from ray import cloudpickle

        self._here: Processor | None = processor
        self.key = processor.fingerprint()
        # Ray's pickle also takes classes and functions of the user's main program.
        self.payload = ray.put(cloudpickle.dumps(processor))

    def __getstate__(self) -> dict[str, object]:
        return {"key": self.key, "payload": self.payload, "_here": None}

    def processor(self) -> Processor:
        """The processor in this process."""
        if self._here is not None:
            return self._here
        if self.key not in _processors:
            import ray

            # One tokenizer thread per task: the tasks themselves run in parallel.
            os.environ.setdefault("RAYON_NUM_THREADS", "1")
            os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
            _processors[self.key] = pickle.loads(ray.get(self.payload))  # noqa: S301 - our own bytes, from this job's driver
        return _processors[self.key]

    def featurize(self, dicts: pa.Table) -> pa.Table:
        """Stages 2 and 3."""
        return self.processor().featurize(dicts)
