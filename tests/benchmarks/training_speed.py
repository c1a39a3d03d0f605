"""Training rows per second: farm_ray against a bare PyTorch loop over the same batches, turn and turn about.

    python -m tests.benchmarks.training_speed --data FILE.tsv [--rows 1600] [--rounds 3] [--workers 0|1|2] [--amp bf16]

The bare loop holds what nobody can leave out: batches padded beforehand, transformers' own classification model,
autocast, backward, clipping, torch's AdamW, a schedule. With several workers it is plain DDP over gloo. Ratios
travel between machines, rows per second do not.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import torch

from farm_ray.data_handler.data_silo import DataSilo
from farm_ray.data_handler.order import InMemoryOrder, share
from farm_ray.data_handler.processor import TextClassificationProcessor
from farm_ray.modeling.adaptive_model import AdaptiveModel
from farm_ray.modeling.language_model import LanguageModel
from farm_ray.modeling.prediction_head import TextClassificationHead
from farm_ray.modeling.tokenization import Tokenizer
from farm_ray.reproducibility import set_all_seeds
from farm_ray.train import Trainer

BATCH_SIZE, LEARNING_RATE, MAX_GRAD_NORM = 32, 5e-5, 1.0


def main() -> None:
    """Runs the rounds and prints one line each and the median ratio."""
    args = _arguments()
    silo, labels = make_silo(args)
    batches = _batches(silo, workers=max(1, args.workers))
    ratios = []
    for number in range(args.rounds):
        bare = _bare(args, batches, len(labels))
        ours = _ours(args, silo, labels)
        ratios.append(ours / bare)
        print(f"round {number + 1}: bare {bare:.1f} rows/s, farm_ray {ours:.1f} rows/s, ratio {ratios[-1]:.3f}")
    print(f"workers {args.workers}, {args.amp or 'fp32'}: median ratio {statistics.median(ratios):.3f}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="TSV with the columns text and label")
    parser.add_argument("--model", default=None, help="model folder; default: the quickstart's all-MiniLM-L6-v2")
    parser.add_argument("--rows", type=int, default=1600)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--amp", default=None, help="bf16 or nothing")
    args = parser.parse_args()
    if args.model is None:
        from pipelines.quickstart import model_folder

        args.model = str(model_folder())
    return args


def make_silo(args: argparse.Namespace) -> tuple[DataSilo, list[str]]:
    lines = Path(args.data).read_text(encoding="utf-8").splitlines()
    names = lines[0].split("\t")
    text, label = names.index("text"), names.index("label")
    rows = [line.split("\t") for line in lines[1 : args.rows + 1]]
    dicts = [{"text": row[text], "text_classification_label": row[label]} for row in rows]
    labels = sorted({row[label] for row in rows})
    processor = TextClassificationProcessor(
        tokenizer=Tokenizer.load(args.model),
        max_seq_len=128,
        data_dir=None,
        label_list=labels,
        metric="acc",
        train_filename=None,
        test_filename=None,
        dev_split=0,
    )
    silo = DataSilo(processor, batch_size=BATCH_SIZE, automatic_loading=False)
    silo._load_data(train_dicts=dicts)
    return silo, labels


def _batches(silo: DataSilo, *, workers: int) -> list[list[dict[str, torch.Tensor]]]:
    """Per rank, the padded batches of the first epoch."""
    train = silo.data["train"]
    assert train is not None
    order = InMemoryOrder(lengths=train.lengths, row_hashes=train.row_hashes, seed=silo.seed, batch_size=BATCH_SIZE)
    return [[train.batch(share(rows, rank, workers)) for rows in order.batches(0)] for rank in range(workers)]


def _ours(args: argparse.Namespace, silo: DataSilo, labels: list[str]) -> float:
    set_all_seeds(1)
    language_model = LanguageModel.load(args.model)
    head = TextClassificationHead(num_labels=len(labels))
    model = AdaptiveModel(language_model, [head], 0.1, ["per_sequence"], "cpu")
    trainer = Trainer(
        model=model,
        data_silo=silo,
        epochs=1,
        learning_rate=LEARNING_RATE,
        use_amp=args.amp,
        num_workers=args.workers,
        optimizer_opts={"name": "AdamW", "weight_decay": 0.01},
        evaluate_every=0,
        evaluator_test=False,
    )
    trainer.train()
    return trainer.result.rows_per_second


def _bare(args: argparse.Namespace, batches: list[list[dict[str, torch.Tensor]]], n_labels: int) -> float:
    if args.workers < 2:
        return _bare_loop(args.model, batches[0], n_labels, args.amp, ranks=1)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "rate"
        torch.multiprocessing.spawn(
            _bare_rank, (args.model, batches, n_labels, args.amp, str(out)), nprocs=args.workers
        )
        return float(out.read_text())


def _bare_rank(rank: int, model: str, batches: Any, n_labels: int, amp: str | None, out: str) -> None:
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "29631"}
    torch.distributed.init_process_group("gloo", rank=rank, world_size=len(batches))
    torch.set_num_threads(max(1, len(os.sched_getaffinity(0)) // len(batches)))
    rate = _bare_loop(model, batches[rank], n_labels, amp, ranks=len(batches))
    if rank == 0:
        Path(out).write_text(str(rate))
    torch.distributed.destroy_process_group()


def _bare_loop(
    folder: str, batches: list[dict[str, torch.Tensor]], n_labels: int, amp: str | None, ranks: int
) -> float:
    from transformers import AutoModelForSequenceClassification, get_linear_schedule_with_warmup

    set_all_seeds(1)
    model: Any = AutoModelForSequenceClassification.from_pretrained(folder, num_labels=n_labels, dtype=torch.float32)
    model.train()
    called = torch.nn.parallel.DistributedDataParallel(model) if ranks > 1 else model
    optimizer = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE, weight_decay=0.01)
    schedule = get_linear_schedule_with_warmup(optimizer, len(batches) // 10, len(batches))
    started = time.perf_counter()
    for batch in batches:
        with torch.autocast("cpu", torch.bfloat16, enabled=amp == "bf16"):
            logits = called(
                input_ids=batch["input_ids"],
                attention_mask=batch["padding_mask"],
                token_type_ids=batch["segment_ids"],
            ).logits
        labels = batch["text_classification_label_ids"].view(-1)
        torch.nn.functional.cross_entropy(logits.float(), labels).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), MAX_GRAD_NORM)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad(set_to_none=True)
    seconds = time.perf_counter() - started
    return ranks * sum(len(batch["input_ids"]) for batch in batches) / seconds


if __name__ == "__main__":
    main()
