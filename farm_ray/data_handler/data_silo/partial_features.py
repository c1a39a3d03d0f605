"""Features that are kept in parts while they are made, so that a killed run resumes after them."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING

import farm_ray
from farm_ray import storage
from farm_ray.data_handler.columns import joined
from farm_ray.data_handler.data_silo.featurize import featurized, split_rows_of
from farm_ray.parts import Parts, Recipe, check_resume

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

    from farm_ray.data_handler.processor import Processor
    from farm_ray.progress import Progress


logger = logging.getLogger(__name__)

_FOLDER = re.compile(r"(train|dev|test)(-\d+)?\.parquet\.parts")


class PartialFeatures:
    """The finished parts of some sets, each in a folder `SET.parquet.parts`.

    Args:
        folder: Holds these folders; local or s3://.
        resume: `auto` resumes after the parts that fit, `never` makes all features again.

    Raises:
        ConfigError: On another `resume`.
    """

    def __init__(self, folder: str, *, resume: str = "auto") -> None:
        check_resume(resume)
        self.rows_resumed = 0
        """Rows of features that an earlier run had made."""
        self._folder = folder
        self._resume = resume
        self._sets: list[Parts] = []

    def features(
        self,
        name: str,
        processor: Processor,
        files: Sequence[str],
        *,
        seed: int,
        rows_at_once: int,
        max_tasks: int,
        on_ray: bool,
        progress: Progress | None,
    ) -> pa.Table:
        """The features of all rows of these files, in file order; what is there already is not made again.

        Args:
            name: Of the set, or of a part of it: `train`, `train-3`.
            processor: Brings the stages.
            files: The files.
            seed: For processors that draw.
            rows_at_once: Rows that are featurised at a time.
            max_tasks: Most Ray tasks at once.
            on_ray: Whether Ray makes them; it must be connected.
            progress: Called with (stage, rows of features, None, "").

        Raises:
            FarmRayError: What a stage raised, with its own type.
            ConfigError: When the parts cannot be written, or another run writes the same set.
        """
        states = storage.file_states(files)
        parts = Parts(
            storage.join(self._folder, f"{name}.parquet"),
            lambda: _recipe(processor, files, states, seed),
            resume=self._resume,
        )
        self._sets.append(parts)
        tables = list(parts.tables())
        rows = self._count_resumed(name, tables)
        source = split_rows_of(processor, files, states, seed=seed, rows_per_table=rows_at_once, on_ray=on_ray)
        made = featurized(source, parts.cursor, on_ray=on_ray, max_tasks=max_tasks)
        with parts:
            for cursor, table in made:
                tables.append(table)
                parts.keep(table, cursor)
                rows += table.num_rows
                if progress is not None:
                    progress("preprocess rows", rows, None, "")
        return joined(tables) if tables else processor.featurize(processor.dicts_to_table([]))

    def check(self) -> None:
        """Raises ConfigError when another run has begun to make the same features."""
        for parts in self._sets:
            parts.check()

    def remove(self) -> None:
        """Removes all parts, those of sets that are no longer made too; call it when the features are stored."""
        for name in storage.folder_names(self._folder):
            if _FOLDER.fullmatch(name):
                storage.remove_folder(storage.join(self._folder, name))

    def _count_resumed(self, name: str, tables: Sequence[pa.Table]) -> int:
        rows = sum(table.num_rows for table in tables)
        self.rows_resumed += rows
        if rows:
            logger.info("%s: %d rows of features were made by an earlier run", name, rows)
        return rows


def _recipe(processor: Processor, files: Sequence[str], states: Sequence[storage.FileState], seed: int) -> Recipe:
    return Recipe(
        settings={
            "farm_ray": farm_ray.__version__,
            "max_seq_len": processor.max_seq_len,
            "seed": seed,
            "processor": f"{type(processor).__name__} {processor.fingerprint()[:12]}",
        },
        files=[(storage.redacted(file), state.stamp) for file, state in zip(files, states, strict=True)],
        each_file_alone=not processor.rows_of_whole_tables,
    )
