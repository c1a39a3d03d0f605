"""What every prediction head keeps to: a loss per row that no other row changes, answers and labels per row, files."""

import json

import pytest
import torch

from farm_ray.errors import ConfigError
from farm_ray.modeling.prediction_head import (
    BertLMHead,
    MultiLabelTextClassificationHead,
    NextSentenceHead,
    PredictionHead,
    RegressionHead,
    TextClassificationHead,
    TokenClassificationHead,
)
from farm_ray.tasks.table import all_specs, spec_of_head
from tests.raised import raised
from tests.tasks.making import make_task

ROWS, TOKENS, WIDTH, VOCABULARY = 3, 5, 4, 7
IDS = torch.tensor([[0], [1], [1]])
WORD_STARTS = torch.tensor([[0, 1, 0, 1, 0], [0, 1, 1, 1, 0], [0, 1, 0, 0, 0]])
TAGS = torch.where(WORD_STARTS == 1, torch.tensor([[0, 2, 0, 1, 0], [0, 1, 0, 2, 0], [0, 2, 0, 0, 0]]), -100)
SHOWN = torch.tensor([[0, 1, 1, 1, 0], [1, 1, 1, 1, 1], [0, 1, 1, 0, 0]])
HIDDEN = torch.where(SHOWN == 1, torch.arange(ROWS * TOKENS).reshape(ROWS, TOKENS) % VOCABULARY, -100)
TAGGED = {"initial_mask": WORD_STARTS, "padding_mask": torch.ones(ROWS, TOKENS, dtype=torch.long)}

CASES = {
    TextClassificationHead: (
        {"layer_dims": [WIDTH, 3, 2], "class_weights": [1.0, 2.5]},
        {"task_type": "classification", "label_list": ["a", "b"]},
        IDS,
        {},
    ),
    NextSentenceHead: ({"layer_dims": [WIDTH, 2]}, {"task_type": "classification", "label_list": ["True", "False"]}, IDS, {}),
    MultiLabelTextClassificationHead: (
        {"layer_dims": [WIDTH, 2, 3], "class_weights": [1.0, 2.0, 3.0], "pred_threshold": 0.4},
        {"task_type": "multilabel_classification", "label_list": ["a", "b", "c"]},
        torch.tensor([[0, 1, 1], [0, 0, 0], [1, 0, 0]]),
        {},
    ),
    RegressionHead: (
        {"layer_dims": [WIDTH, 3, 1]},
        {"task_type": "regression", "label_list": [4.75, 0.5]},
        torch.tensor([[0.5], [-1.0], [0.0]]),
        {},
    ),
    TokenClassificationHead: (
        {"layer_dims": [WIDTH, 6, 3], "hidden_layers": {"bias": False, "norm_eps": 1e-3, "norm_bias": False}},
        {"task_type": "token_classification", "label_list": ["O", "B-PER", "I-PER"]},
        TAGS,
        TAGGED,
    ),
    BertLMHead: ({"hidden_size": WIDTH, "vocab_size": VOCABULARY}, {"task_type": "language_modelling"}, HIDDEN, {}),
}  # fmt: skip
"""Class of the head -> its arguments, its task, the labels of three rows, and other columns of the batch."""
OF_TOKENS = ("per_token",)


@pytest.fixture(params=CASES, ids=lambda kind: kind.__name__)
def kind(request):
    return request.param


def made(kind):
    """The head, connected to its task; weights from a fixed seed."""
    torch.manual_seed(0)
    arguments, task, _, _ = CASES[kind]
    head = kind(**arguments, task_name="tone")
    head.connect(make_task("tone", **task))
    return head


def batch_of(kind, rows=slice(None)):
    _, _, labels, columns = CASES[kind]
    return {name: column[rows] for name, column in {"tone_label_ids": labels, **columns}.items()}


def vectors(kind):
    torch.manual_seed(1)
    shape = (ROWS, TOKENS, WIDTH) if kind.ph_output_type in OF_TOKENS else (ROWS, WIDTH)
    return torch.randn(shape)


def logits_of(head, inputs):
    """Logits; of a language model's head, whose last layer is the language model's, made ones."""
    if isinstance(head, BertLMHead):
        return inputs @ torch.linspace(-1, 1, WIDTH * VOCABULARY).reshape(WIDTH, VOCABULARY)
    return head(inputs)


def losses_of(head, logits, batch):
    units = head.loss_units(**batch)
    per_row = {} if units is None else {head.loss_units_column: torch.ones(())}
    return head.logits_to_loss(logits=logits, **batch, **per_row)


def preds_of(head, logits, batch):
    return [one.tolist() if hasattr(one, "tolist") else one for one in head.logits_to_preds(logits, **batch)]


def test_every_kind_of_head_is_here():
    assert {head.__name__ for head in CASES} >= {spec.head for spec in all_specs()}


def test_a_loss_per_row_in_float32(kind):
    head = made(kind)
    losses = losses_of(head, logits_of(head, vectors(kind)), batch_of(kind))
    assert (losses.shape, losses.dtype) == ((ROWS,), torch.float32)
    assert torch.isfinite(losses).all()
    assert (losses > 0).all()


def test_the_loss_is_float32_under_mixed_precision(kind):
    head = made(kind)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        logits = logits_of(head, vectors(kind))
    assert logits.dtype == torch.bfloat16
    assert losses_of(head, logits, batch_of(kind)).dtype == torch.float32


def test_no_row_changes_what_is_said_of_another(kind):
    head, inputs = made(kind), vectors(kind)
    together = losses_of(head, logits_of(head, inputs), batch_of(kind))
    preds = preds_of(head, logits_of(head, inputs), batch_of(kind))
    for row in range(ROWS):
        alone = logits_of(head, inputs[row : row + 1])
        own = batch_of(kind, slice(row, row + 1))
        assert losses_of(head, alone, own).item() == pytest.approx(together[row].item(), rel=1e-5)
        assert preds_of(head, alone, own) == preds[row : row + 1]


def test_predictions_and_labels_are_comparable(kind):
    head = made(kind)
    logits, batch = logits_of(head, vectors(kind)), batch_of(kind)
    preds, labels = head.logits_to_preds(logits, **batch), head.prepare_labels(**batch)
    assert len(preds) == len(labels) == ROWS
    assert [type(one) for one in preds] == [type(one) for one in labels]
    assert [len(one) for one in preds if isinstance(one, list)] == [len(one) for one in labels if isinstance(one, list)]


def test_the_layers_learn(kind):
    if kind is BertLMHead:
        pytest.skip("its last layer is the language model's; see test_masked_language_model")
    head = made(kind)
    losses_of(head, head(vectors(kind)), batch_of(kind)).mean().backward()
    assert all(weight.grad is not None and weight.grad.abs().sum() > 0 for weight in head.parameters())


def test_the_label_column_is_asked_for(kind):
    head = made(kind)
    without = {name: column for name, column in batch_of(kind).items() if name != "tone_label_ids"}
    with raised(ConfigError, "missing-batch-column", column="tone_label_ids", task="tone"):
        losses_of(head, logits_of(head, vectors(kind)), without)


def test_saved_and_loaded(kind, tmp_path):
    head = made(kind)
    head.metric = "f1_macro"
    head.save(tmp_path, 3)
    again = PredictionHead.load(tmp_path / "prediction_head_3_config.json")
    assert type(again) is kind
    assert again.describe() == head.describe()
    assert {name: weight.tolist() for name, weight in again.state_dict().items()} == {
        name: weight.tolist() for name, weight in head.state_dict().items()
    }
    logits, batch = logits_of(head, vectors(kind)), batch_of(kind)
    assert torch.equal(losses_of(again, logits, batch), losses_of(head, logits, batch))
    assert preds_of(again, logits, batch) == preds_of(head, logits, batch)


def test_files_have_farm_s_keys_and_no_functions(kind, tmp_path):
    head = made(kind)
    head.metric = len
    head.save(tmp_path)
    described = json.loads((tmp_path / "prediction_head_0_config.json").read_text())
    assert described["name"] == kind.__name__
    assert described["metric"] is None
    assert {"layer_dims", "num_labels", "ph_output_type", "model_type", "class_weights", "label_list"} <= set(described)
    assert (described["task_name"], described["label_tensor_name"]) == ("tone", "tone_label_ids")


def test_a_task_of_another_kind_is_refused_with_the_head_that_fits(kind):
    head, answered = made(kind), spec_of_head(kind.model_type)
    for spec in all_specs():
        if spec != answered:
            task = {"task_type": spec.name, "label_list": ["a", "b"], "metric": "acc"}
            with pytest.raises(ConfigError, match=rf"is a {spec.name}, and {kind.__name__} .*; take a {spec.head}"):
                head.connect(task)


def test_a_text_gets_one_answer(kind):
    spec = spec_of_head(kind.model_type)
    if spec.answers is None or kind is NextSentenceHead:
        return
    head, contexts = made(kind), ["aa bb", "aa bb cc", "aa"]
    rows = head.logits_per_row(logits_of(head, vectors(kind)), **batch_of(kind))
    answered = head.format_rows(rows, contexts)
    assert (answered["task_name"], len(answered["predictions"])) == ("tone", ROWS)
    columns = spec.answers.columns(head, rows, contexts, False)
    assert {len(column) for column in columns.values()} == {ROWS}
