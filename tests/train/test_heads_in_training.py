"""Every kind of head in the training loop: alone, together, with frozen layers, on one rank and on two."""

import numpy as np
import pyarrow as pa
import pytest
import torch
import torch.distributed as dist

from farm_ray.data_handler.batches import FeatureSet
from farm_ray.data_handler.run_sets import RunSets
from farm_ray.data_handler.samples_to_features.padding import Padding
from farm_ray.modeling.adaptive_model import AdaptiveModel
from farm_ray.modeling.language_model import LanguageModel
from farm_ray.modeling.prediction_head import (
    MultiLabelTextClassificationHead,
    RegressionHead,
    TextClassificationHead,
    TokenClassificationHead,
)
from farm_ray.ranks import Ranks
from farm_ray.reproducibility import set_all_seeds
from farm_ray.train.settings import TrainSettings
from farm_ray.train.worker import Worker
from tests.data_handler.data_silo.feature_tables import feature_table
from tests.runs import Silent
from tests.several_ranks import on_several_ranks

TAGS = ["O", "B-X", "I-X"]
ROWS = 14


def features():
    """Rows of 4 to 8 tokens whose labels all follow from the tokens."""
    lengths = [4 + row % 5 for row in range(ROWS)]
    tokens = [[10 + (row * 7 + place * place) % 40 for place in range(n)] for row, n in enumerate(lengths)]
    tags = [[-100, *(token % 3 for token in row[1:-1]), -100] for row in tokens]
    table = feature_table(
        {
            "id": [f"made.tsv:{row}" for row in range(ROWS)],
            "input_ids": pa.array(tokens, pa.list_(pa.int32())),
            "initial_mask": pa.array([[int(tag >= 0) for tag in row] for row in tags], pa.list_(pa.int8())),
            "ner_label_ids": pa.array(tags, pa.list_(pa.int32())),
            "text_classification_label_ids": pa.array([[row[1] % 2] for row in tokens], pa.list_(pa.int32(), 1)),
            "several_label_ids": pa.array([[row[1] % 2, row[2] % 2] for row in tokens], pa.list_(pa.int32(), 2)),
            "regression_label_ids": pa.array([[row[1] / 25 - 1] for row in tokens], pa.list_(pa.float32(), 1)),
            "n_tokens": pa.array(lengths, pa.int32()),
        }
    )
    return FeatureSet(table=table, rows=np.arange(ROWS), padding=Padding(pad_token_id=0, fills={"ner_label_ids": -100}))


def token_head():
    return TokenClassificationHead(num_labels=3, class_weights=[1.0, 2.0, 3.0])


def row_head():
    return TextClassificationHead(num_labels=2)


def several_head():
    return MultiLabelTextClassificationHead(num_labels=2, task_name="several", class_weights=[1.0, 2.0])


def model_with(folder, heads, *, loss_aggregation_fn=None, frozen_layers=None):
    set_all_seeds(7)
    language_model = LanguageModel.load(folder)
    language_model.set_dropout(0.0)
    if frozen_layers is not None:
        language_model.freeze(frozen_layers)
    types = [head.ph_output_type for head in heads]
    return AdaptiveModel(language_model, heads, 0.0, types, "cpu", loss_aggregation_fn)


def run(model, *, ranks=None, **settings):
    """Losses of a run of the loop."""
    usual = {"epochs": 2, "batch_size": 4, "eval_batch_size": 4, "learning_rate": 1e-3, "grad_acc_steps": 2}
    settings = TrainSettings(**(usual | settings))
    worker = Worker(lambda: model, RunSets(train=features()), settings, ranks=ranks or Ranks(), listener=Silent())
    return worker.run().losses


@pytest.mark.parametrize(
    "heads",
    [[token_head], [row_head], [several_head], [RegressionHead], [token_head, row_head, several_head, RegressionHead]],
)
def test_the_loss_falls(heads, tiny_folder):
    losses = run(model_with(tiny_folder, [head() for head in heads]), epochs=20, batch_size=7, learning_rate=3e-3)
    assert np.mean(losses[-3:]) < 0.5 * np.mean(losses[:3])


def test_frozen_layers_have_no_gradient_and_stay_as_they_are(tiny_folder):
    model = model_with(tiny_folder, [token_head(), row_head()], frozen_layers=1)
    before = {name: weight.clone() for name, weight in model.state_dict().items()}
    kept = {name for name, weight in model.named_parameters() if not weight.requires_grad}
    assert {name.split(".")[2] for name in kept} == {"embeddings", "encoder"}
    rows = features().batch(np.arange(4))
    model.logits_to_loss(model(**rows), **rows).sum().backward()
    assert {name for name, weight in model.named_parameters() if weight.grad is None} == kept
    run(model, optimizer_opts={"name": "AdamW", "weight_decay": 0.5})
    same = {name for name, weight in model.named_parameters() if torch.equal(weight, before[name])}
    assert same == kept


def test_with_everything_frozen_the_head_alone_learns(tiny_folder):
    model = model_with(tiny_folder, [token_head()])
    model.language_model.freeze()
    before = {name: weight.clone() for name, weight in model.language_model.state_dict().items()}
    losses = run(model, epochs=20, learning_rate=1e-2)
    assert losses[-1] < losses[0]
    assert all(torch.equal(weight, before[name]) for name, weight in model.language_model.state_dict().items())


class Rates(Silent):
    """Keeps the learning rates of all groups after each step."""

    def __init__(self):
        self.seen = []
        self.optimizer = None

    def metrics(self, *_news):
        self.seen.append([group["lr"] for group in self.optimizer.param_groups])


def test_layers_and_heads_keep_their_own_rates_through_the_schedule(tiny_folder):
    opts = {"name": "AdamW", "layer_decay": 0.5, "head_lr": 0.02, "no_decay": ["bias"]}
    given = dict(opts)
    usual = {"epochs": 2, "batch_size": 4, "eval_batch_size": 4, "learning_rate": 1e-3, "log_loss_every": 1}
    rates = Rates()
    worker = Worker(
        lambda: model_with(tiny_folder, [token_head()]),
        RunSets(train=features()),
        TrainSettings(**usual, optimizer_opts=opts),
        ranks=Ranks(),
        listener=rates,
    )
    rates.optimizer = worker.trainee.optimizer
    result = worker.run()
    assert opts == given
    assert len(rates.seen) == result.steps == 8
    for seen in rates.seen:
        assert seen == pytest.approx([seen[0] * factor for factor in (1, 1, 0.5, 0.5, 0.25, 0.25, 20, 20)])
    assert 9e-4 < max(result.learning_rates) <= 1e-3, "a run reports the full rate"


def in_turn(loss_per_head, global_step=None, batch=None):
    assert "input_ids" in batch
    return loss_per_head[global_step % len(loss_per_head)]


CASES = {
    "words alone": ([token_head], {}),
    "words and rows summed": ([token_head, row_head, several_head, RegressionHead], {"frozen_layers": 1}),
    "words and rows in turn": ([token_head, row_head], {"loss_aggregation_fn": in_turn, "frozen_layers": 1}),
}


def on_a_rank(rank, world_size, folder, out):
    torch.set_num_threads(1)
    if world_size > 1:
        meeting = f"file://{out}.meeting"
        dist.init_process_group("gloo", init_method=meeting, rank=rank, world_size=world_size)
    found = {}
    for case, (heads, settings) in CASES.items():
        model = model_with(folder, [head() for head in heads], **settings)
        losses = run(model, ranks=Ranks(rank=rank, world_size=world_size))
        found[case] = {"losses": losses, "weights": model.state_dict()}
    if rank == 0:
        torch.save(found, out)
    if world_size > 1:
        dist.destroy_process_group()


def test_two_ranks_do_what_one_does(tiny_folder, tmp_path):
    on_a_rank(0, 1, tiny_folder, tmp_path / "one")
    on_several_ranks(on_a_rank, (2, tiny_folder, tmp_path / "two"), ranks=2)
    one, two = (torch.load(tmp_path / name) for name in ("one", "two"))
    for case in CASES:
        assert two[case]["losses"] == pytest.approx(one[case]["losses"], rel=1e-4), case
        for name, weight in one[case]["weights"].items():
            torch.testing.assert_close(two[case]["weights"][name], weight, rtol=1e-2, atol=1e-4)
