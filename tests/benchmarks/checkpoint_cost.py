"""What checkpoints cost a run: the same training with and without them, turn and turn about.

    python -m tests.benchmarks.checkpoint_cost --data FILE.tsv [--steps 200] [--every 50] [--rounds 3] [--root s3://...]

Seconds are wall time of the whole `train()` without its evaluation, so what a checkpoint does in the background beside
the steps counts too, and the wait for the last one.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from typing import Any

from farm_ray.modeling.adaptive_model import AdaptiveModel
from farm_ray.modeling.language_model import LanguageModel
from farm_ray.modeling.prediction_head import TextClassificationHead
from farm_ray.reproducibility import set_all_seeds
from farm_ray.train import Trainer
from tests.benchmarks.training_speed import BATCH_SIZE, LEARNING_RATE, make_silo


def main() -> None:
    """Runs the rounds and prints one line each and the median cost."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="TSV with the columns text and label")
    parser.add_argument("--model", default=None, help="model folder; default: the quickstart's all-MiniLM-L6-v2")
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--every", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--root", default=None, help="of the checkpoints; default: a temporary folder")
    arguments = parser.parse_args()
    if arguments.model is None:
        from pipelines.quickstart import model_folder

        arguments.model = str(model_folder())
    arguments.rows = arguments.steps * BATCH_SIZE
    silo, labels = make_silo(arguments)
    costs = []
    for number in range(arguments.rounds):
        without, _ = run(arguments, silo, labels, root=None)
        with tempfile.TemporaryDirectory() as folder:
            seconds, result = run(arguments, silo, labels, root=arguments.root or folder)
        costs.append(seconds / without - 1)
        print(
            f"round {number + 1}: {without:.1f} s without, {seconds:.1f} s with a checkpoint every {arguments.every} of "
            f"{result.steps} steps ({result.seconds['checkpoint']:.2f} s of it at a standstill): {costs[-1]:+.1%}",
            flush=True,
        )
    print(f"median {statistics.median(costs):+.1%}")


def run(arguments: argparse.Namespace, silo: Any, labels: list[str], *, root: str | None) -> tuple[float, Any]:
    """Seconds of one training, and its result."""
    set_all_seeds(1)
    language_model = LanguageModel.load(arguments.model)
    head = TextClassificationHead(num_labels=len(labels))
    model = AdaptiveModel(language_model, [head], 0.1, ["per_sequence"], "cpu")
    trainer = Trainer(
        model=model,
        data_silo=silo,
        learning_rate=LEARNING_RATE,
        evaluate_every=0,
        use_amp="bf16",
        resume="never",
        checkpoint_every=arguments.every if root else None,
        checkpoint_root_dir=root,
    )
    started = time.perf_counter()
    trainer.train()
    return time.perf_counter() - started - trainer.result.seconds["eval"], trainer.result


if __name__ == "__main__":
    main()
