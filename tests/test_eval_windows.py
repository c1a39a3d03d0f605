"""Evaluation of long texts that were cut into windows: results are about source rows, on any number of ranks."""

import numpy as np
import pyarrow as pa
import pytest
import torch
import torch.distributed as dist

import farm_ray.eval
from farm_ray.data_handler.batches import FeatureSet
from farm_ray.data_handler.order import FeatureLoader
from farm_ray.data_handler.samples_to_features.padding import Padding
from farm_ray.eval import Evaluator, evaluate
from farm_ray.modeling.adaptive_model import AdaptiveModel
from farm_ray.modeling.language_model import LanguageModel
from farm_ray.modeling.optimization.precision import Precision
from farm_ray.modeling.prediction_head import TextClassificationHead, TokenClassificationHead
from farm_ray.ranks import Ranks
from farm_ray.reproducibility import set_all_seeds
from tests.data_handler.data_silo.feature_tables import feature_table
from tests.several_ranks import on_several_ranks

TAGS, KINDS = ["O", "B-PER", "I-PER"], ["good", "bad", "dull"]
TASKS = {
    "ner": {"label_list": TAGS, "metric": ["seq_f1", "acc"], "label_tensor_name": "ner_label_ids"},
    "kind": {"label_list": KINDS, "metric": "acc", "label_tensor_name": "kind_label_ids"},
}
WINDOWS = [1, 3, 1, 2, 1, 2, 4]
"""Windows of each source row."""


def windowed():
    """Texts of 1 to 4 windows; the words of a window that it does not own have no tags."""
    rng = np.random.default_rng(5)
    rows = []
    for source, windows in enumerate(WINDOWS):
        for window in range(windows):
            length = int(rng.integers(3, 12))
            owned = (rng.random(length) < 0.6).astype(int)
            owned[[0, -1]] = 0
            rows.append(
                {
                    "id": f"t.txt:{source}-{window}",
                    "dict_id": f"t.txt:{source}",
                    "window": window,
                    "input_ids": rng.integers(5, 60, length).tolist(),
                    "initial_mask": owned.tolist(),
                    "ner_label_ids": np.where(owned, rng.integers(0, 3, length), -100).tolist(),
                    "kind_label_ids": [source % 3],
                    "n_tokens": length,
                }
            )
    types = {
        "window": pa.int32(),
        "initial_mask": pa.list_(pa.int8()),
        "kind_label_ids": pa.list_(pa.int32(), 1),
        **dict.fromkeys(("input_ids", "ner_label_ids"), pa.list_(pa.int32())),
        "n_tokens": pa.int32(),
    }
    table = feature_table({name: pa.array([row[name] for row in rows], types.get(name)) for name in rows[0]})
    padding = Padding(pad_token_id=0, fills={"ner_label_ids": -100})
    return FeatureSet(table=table, rows=np.arange(table.num_rows), padding=padding)


def two_heads(folder):
    set_all_seeds(7)
    heads = [
        TokenClassificationHead(num_labels=3, task_name="ner"),
        TextClassificationHead(num_labels=3, task_name="kind"),
    ]
    model = AdaptiveModel(LanguageModel.load(folder), heads, 0.1, ["per_token", "per_sequence"], "cpu")
    with torch.no_grad():
        for head in model.prediction_heads:
            for weight in head.parameters():
                weight.mul_(40)
    model.connect_heads_with_processor(TASKS)
    return model


def score(model, rows, batch_size=4, ranks=None):
    precision = Precision.resolve(None, "cpu")
    return evaluate(model, rows, batch_size=batch_size, ranks=ranks or Ranks(), precision=precision, with_columns=True)


def by_hand(model, rows):
    """Tags and kinds of every feature row, and the losses of both heads."""
    model.eval()
    tags, kinds, losses = [], [], []
    for position in range(len(rows)):
        batch = rows.batch(np.array([position]))
        with torch.no_grad():
            logits = model(**batch)
            (tags_of_row,), (kind,) = model.logits_to_preds(logits, **batch)
            losses.append([loss.item() for loss in model.logits_to_loss_per_head(logits, **batch)])
        tags.append(tags_of_row)
        kinds.append(kind)
    return tags, kinds, np.mean(losses, axis=0)


def joined(tags, groups):
    return [[tag for row, group in zip(tags, groups, strict=True) if group == one for tag in row] for one in range(7)]


def test_tags_are_joined_and_rows_are_answered_at_their_first_window(tiny_folder):
    model, rows = two_heads(tiny_folder), windowed()
    ner, kind = score(model, rows)
    tags, kinds, losses = by_hand(model, rows)
    groups = np.repeat(np.arange(7), WINDOWS).tolist()
    firsts = np.cumsum([0, *WINDOWS[:-1]])
    assert ner["preds"] == joined(tags, groups)
    assert [len(row) for row in ner["labels"]] == [len(row) for row in ner["preds"]]
    assert kind["preds"] == [kinds[first] for first in firsts]
    assert kind["labels"] == [KINDS[source % 3] for source in range(7)]
    assert [ner["loss"], kind["loss"]] == pytest.approx(losses.tolist(), rel=1e-5)
    words = [
        (p, label)
        for preds, labels in zip(ner["preds"], ner["labels"], strict=True)
        for p, label in zip(preds, labels, strict=True)
    ]
    assert ner["acc"] == pytest.approx(np.mean([p == label for p, label in words]))
    assert kind["acc"] == pytest.approx(
        np.mean([p == label for p, label in zip(kind["preds"], kind["labels"], strict=True)])
    )
    assert len({*kind["preds"]}) > 1, "a model that says one thing proves nothing"
    assert "PER" in ner["report"]


@pytest.mark.parametrize("batch_size", [1, 3, 100])
def test_results_do_not_depend_on_the_batches(tiny_folder, batch_size):
    model, rows = two_heads(tiny_folder), windowed()
    for found, expected in zip(score(model, rows, batch_size), score(model, rows), strict=True):
        assert found == expected | {"loss": pytest.approx(expected["loss"], rel=1e-5)}


def test_a_part_of_the_rows_in_another_order(tiny_folder):
    """Source rows come as they come first; their words stay in the order of the text."""
    model, rows = two_heads(tiny_folder), windowed()
    whole, _ = score(model, rows)
    part, _ = score(model, rows.subset(np.array([6, 3, 2, 1, 5])))
    assert part["preds"] == [whole["preds"][3], whole["preds"][1]]


@pytest.mark.parametrize("seed", [None, 3])
def test_a_silos_loader_knows_the_windows(tiny_folder, seed):
    model, rows = two_heads(tiny_folder), windowed()
    expected = score(model, rows)
    loader = FeatureLoader(rows, 3, seed=seed)
    order = list(dict.fromkeys(rows.groups()[np.concatenate(loader.positions())].tolist()))
    found = Evaluator(loader, TASKS, "cpu").eval(model, return_preds_and_labels=True)
    assert (order == list(range(7))) == (seed is None)
    for ours, theirs in zip(found, expected, strict=True):
        for name in ("preds", "labels"):
            assert ours[name] == [theirs[name][source] for source in order]
        assert ours["acc"] == pytest.approx(theirs["acc"])
        assert ours["loss"] == pytest.approx(theirs["loss"], rel=1e-5)


def test_batches_of_another_loader_are_taken_as_they_are(tiny_folder):
    model, rows = two_heads(tiny_folder), windowed()
    found = Evaluator(list(FeatureLoader(rows, 3)), TASKS, "cpu").eval(model, return_preds_and_labels=True)
    assert [len(head["preds"]) for head in found] == [sum(WINDOWS)] * 2


def on_ranks(rank, world_size, folder, out):
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{out}/meet", rank=rank, world_size=world_size)
    if rank:
        farm_ray.eval.compute_metrics = farm_ray.eval.compute_report_metrics = None
    results = score(two_heads(folder), windowed(), 2, ranks=Ranks(rank=rank, world_size=world_size))
    torch.save(results, out / f"rank-{rank}")
    dist.destroy_process_group()


def test_two_ranks_find_what_one_finds(tiny_folder, tmp_path):
    """To the last bit: batches are the same, and only rank 0 computes metrics."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    one = score(two_heads(tiny_folder), windowed(), 2)
    torch.set_num_threads(threads)
    on_several_ranks(on_ranks, (2, tiny_folder, tmp_path), ranks=2)
    assert torch.load(tmp_path / "rank-0") == torch.load(tmp_path / "rank-1") == one
