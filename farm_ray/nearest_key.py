"""Which key of a configuration was meant by one that there is not."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_OTHER_NAMES = {
    "learning_rate": ("lr", "base_lr", "max_lr"),
    "epochs": ("n_epochs", "num_epochs", "num_train_epochs", "max_epochs"),
    "batch_size": ("bs", "train_batch_size", "per_device_train_batch_size"),
    "eval_batch_size": ("per_device_eval_batch_size", "test_batch_size", "dev_batch_size"),
    "max_seq_len": ("max_len", "max_length", "max_seq_length", "max_sequence_length", "seq_len", "sequence_length"),
    "grad_acc_steps": ("gradient_accumulation_steps", "accumulate_grad_batches", "accumulation_steps"),
    "max_grad_norm": ("clip", "grad_clip", "clip_grad_norm", "gradient_clip_val", "gradient_clipping"),
    "optimizer_opts": ("optimizer", "weight_decay", "optim"),
    "schedule_opts": ("schedule", "scheduler", "warmup", "warmup_steps", "warmup_ratio", "warmup_proportion"),
    "use_amp": ("amp", "fp16", "bf16", "precision", "mixed_precision"),
    "evaluate_every": ("eval_every", "eval_steps", "eval_interval"),
    "checkpoint_every": ("save_every", "save_steps", "checkpoint_steps"),
    "checkpoints_to_keep": ("save_total_limit", "keep_checkpoints"),
    "log_loss_every": ("logging_steps", "log_every", "log_interval"),
    "seed": ("random_seed", "random_state"),
    "label_list": ("labels", "label_names", "classes", "class_names"),
    "metric": ("metrics",),
    "text_column_name": ("text_column", "text_col", "text_field"),
    "text_b_column_name": ("text_b_column", "text_b_col"),
    "label_column_name": ("label_column", "label_col", "target_column"),
    "delimiter": ("sep", "separator", "delim"),
    "quote_char": ("quotechar", "quote"),
    "train_filename": ("train_file", "train_path"),
    "dev_filename": ("dev_file", "val_file", "validation_file", "eval_file"),
    "test_filename": ("test_file", "test_path"),
    "data_dir": ("data_path", "data_folder", "dataset"),
    "language_model": ("model_name", "model_name_or_path", "lang_model", "base_model", "pretrained_model"),
    "output_dir": ("out_dir", "output", "save_dir", "output_path"),
}
_USUAL = {other: name for name, others in _OTHER_NAMES.items() for other in others}
_OF_THE_RUN = ("num_workers", "use_gpu", "resume", "address", "max_restarts", "hang_timeout")
"""Arguments of `run_experiment`, and flags of its job, that are no part of an experiment."""
_MOST_NAMES = 30


def nearest_key(name: str, known: Sequence[str]) -> str:
    """A hint to append to an error: `; did you mean "train.learning_rate"?`, or the names at the place of the mistake.

    Args:
        name: The dotted name that there is not.
        known: All dotted names.
    """
    parts = name.split(".")
    right = _right_parts(parts, known)
    above, wrong, rest = parts[:right], parts[min(right, len(parts) - 1)], parts[right + 1 :]
    if parts[-1] in _OF_THE_RUN:
        return f"; give {parts[-1]}=..."
    here = {key.rpartition(".")[2]: key for key in known if key.split(".")[:-1] == above}
    everywhere: dict[str, str] = {}
    for key in known:
        everywhere.setdefault(key.rpartition(".")[2], key)
    usual = _USUAL.get(wrong, wrong)
    meant = here.get(usual) or everywhere.get(usual if not rest else _USUAL.get(parts[-1], parts[-1]))
    if meant is None:
        close = difflib.get_close_matches(wrong, here, n=1, cutoff=0.6)
        meant = ".".join([here[close[0]], *rest]) if close else None
    if meant is None:
        close = difflib.get_close_matches(parts[-1], everywhere, n=1, cutoff=0.8)
        meant = everywhere[close[0]] if close else None
    return f'; did you mean "{meant}"?' if meant is not None else _listed(sorted(here.values()))


def _right_parts(parts: Sequence[str], known: Sequence[str]) -> int:
    """How many of the first parts name something."""
    right = 0
    while right < len(parts) and ".".join(parts[: right + 1]) in known:
        right += 1
    return right


def _listed(names: Sequence[str]) -> str:
    more = f", ... ({len(names)} in all)" if len(names) > _MOST_NAMES else ""
    return f"; known are: {', '.join(names[:_MOST_NAMES])}{more}" if names else ""
