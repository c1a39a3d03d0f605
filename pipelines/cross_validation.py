"""How good is a classifier on rows it has not seen, and how sure is that? A model per fold, trained at once.

    python -m jobs.cross_validate pipelines.cross_validation --folds 5 --data-dir DIR --model MODEL

DIR holds train.tsv as for pipelines.text_classification; the rows of test.tsv, if there is one, are split again with
the others. Every row is tested once, by the model of the fold that did not train on it; the result has mean and
standard deviation over the folds, and the metrics of all tested rows together with a bootstrap interval. Any other
pipeline can be cross-validated by the same job.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.text_classification import text_classification

if TYPE_CHECKING:
    from farm_ray.experiment.config import Experiment


def cross_validation() -> Experiment:
    """Text classification without a dev set: a fold trains on all rows that it is not tested on."""
    made = text_classification()
    processor = made.processor.model_copy(update={"dev_split": 0.0})
    return made.model_copy(update={"name": "cross_validation", "processor": processor})
