"""Evaluation of a language model: means over predicted tokens, beside a head on rows that has a mean over rows."""

import math

import numpy as np
import pytest
import torch

from farm_ray.eval import Evaluator, evaluate
from farm_ray.modeling.adaptive_model import AdaptiveModel
from farm_ray.modeling.language_model import LanguageModel
from farm_ray.modeling.optimization.precision import Precision
from farm_ray.modeling.prediction_head import BertLMHead, NextSentenceHead
from farm_ray.ranks import Ranks
from tests.modeling.tiny_models import save_tiny_model

TASKS = {
    "lm": {"task_type": "language_modelling", "label_list": [], "metric": ["acc"], "label_tensor_name": "lm_label_ids"},
    "nextsentence": {
        "task_type": "classification",
        "label_list": ["True", "False"],
        "metric": ["acc"],
        "label_tensor_name": "nextsentence_label_ids",
    },
}


class Rows:
    """Rows of 4 to 9 tokens as a feature set, every third token predicted in rows of even number, one in the others."""

    def __init__(self, rows=11):
        chance = torch.Generator().manual_seed(0)
        self.lengths = np.array([4 + number % 6 for number in range(rows)])
        self.ids = [torch.randint(6, 60, (int(length),), generator=chance) for length in self.lengths]

    def groups(self):
        return None

    def __len__(self):
        return len(self.lengths)

    def labels(self, number):
        gold = torch.full_like(self.ids[number], -1)
        hidden = slice(0, None, 3) if number % 2 == 0 else slice(1, 2)
        gold[hidden] = self.ids[number][hidden]
        return gold

    def batch(self, positions):
        pad = torch.nn.utils.rnn.pad_sequence
        own = [int(position) for position in positions]
        return {
            "input_ids": pad([self.ids[n] for n in own], batch_first=True),
            "padding_mask": pad([torch.ones_like(self.ids[n]) for n in own], batch_first=True),
            "lm_label_ids": pad([self.labels(n) for n in own], batch_first=True, padding_value=-1),
            "nextsentence_label_ids": torch.tensor([[n % 2] for n in own]),
        }


@pytest.fixture
def model(tmp_path):
    save_tiny_model("bert", tmp_path)
    language_model = LanguageModel.load(tmp_path)
    heads = [BertLMHead(32, 60), NextSentenceHead()]
    made = AdaptiveModel(language_model, heads, 0.0, ["per_token", "per_sequence"], "cpu").eval()
    with torch.no_grad():
        for weight in made.parameters():
            weight.add_(torch.randn(weight.shape, generator=torch.Generator().manual_seed(1)) * 0.05)
    made.connect_heads_with_processor(TASKS)
    return made


def score(model, rows, batch_size):
    options = {"ranks": Ranks(), "precision": Precision.resolve(None, "cpu"), "with_columns": True}
    return evaluate(model, rows, batch_size=batch_size, **options)


@torch.no_grad()
def test_the_loss_is_the_mean_over_predicted_tokens(model):
    rows = Rows()
    lm, next_sentence = score(model, rows, 4)
    losses, right, of_rows = [], [], []
    for number in range(len(rows)):
        one = rows.batch([number])
        logits, pair = model(**one)
        gold = one["lm_label_ids"][one["lm_label_ids"] >= 0]
        losses += torch.nn.functional.cross_entropy(logits, gold, reduction="none").tolist()
        right += (logits.argmax(dim=-1) == gold).tolist()
        of_rows += torch.nn.functional.cross_entropy(pair, torch.tensor([number % 2]), reduction="none").tolist()
        assert lm["labels"][number].tolist() == gold.tolist()
        assert lm["preds"][number].tolist() == logits.argmax(dim=-1).tolist()
    assert lm["loss"] == pytest.approx(np.mean(losses), rel=1e-5)
    assert lm["perplexity"] == pytest.approx(math.exp(np.mean(losses)), rel=1e-5)
    assert lm["acc"] == pytest.approx(np.mean(right))
    assert f"of {len(losses)} predicted tokens" in lm["report"]
    assert next_sentence["loss"] == pytest.approx(np.mean(of_rows), rel=1e-5)
    assert next_sentence["labels"] == ["True" if number % 2 == 0 else "False" for number in range(len(rows))]
    assert "perplexity" not in next_sentence


def test_results_do_not_depend_on_batches_or_on_the_way(model):
    rows = Rows()
    one, all_at_once = score(model, rows, 1)[0], score(model, rows, 64)[0]
    loader = [rows.batch(range(5)), rows.batch(range(5, 11))]
    by_loader = Evaluator(loader, TASKS, "cpu").eval(model, return_preds_and_labels=True)[0]
    for other in (all_at_once, by_loader):
        assert other["loss"] == pytest.approx(one["loss"], rel=1e-5)
        assert other["acc"] == one["acc"]
        assert [ids.tolist() for ids in other["preds"]] == [ids.tolist() for ids in one["preds"]]
    numbers = Evaluator.log_results([one], "dev", 3)
    assert sorted(numbers) == ["dev_acc_lm", "dev_loss_lm", "dev_perplexity_lm"]
