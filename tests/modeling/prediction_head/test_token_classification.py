"""One label per word: which tokens count, which answer, entities as JSON, files."""

import numpy as np
import pytest
import torch

from farm_ray.errors import ConfigError, DataProblemError
from farm_ray.modeling.prediction_head import PredictionHead, TokenClassificationHead
from tests.modeling.tiny_models import save_farm_head
from tests.raised import raised

TAGS = ["O", "B-PER", "I-PER", "B-LOC"]
TASK = {
    "label_list": TAGS,
    "metric": "seq_f1",
    "label_tensor_name": "ner_label_ids",
    "task_type": "token_classification",
}
BEST = torch.tensor([[0, 1, 3, 2, 0, 0], [0, 3, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0]])
LOGITS = torch.nn.functional.one_hot(BEST, 4) * torch.tensor([3.0, 2.0, 1.0, 4.0])
ROWS = {
    "padding_mask": torch.tensor([[1, 1, 1, 1, 1, 0], [1, 1, 1, 0, 0, 0], [1, 1, 0, 0, 0, 0]]),
    "initial_mask": torch.tensor([[0, 1, 0, 1, 0, 0], [0, 1, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0]]),
    "ner_label_ids": torch.tensor(
        [[-100, 1, -100, 2, -100, -100], [-100, 0, -100, -100, -100, -100], [-100, -100, -100, -100, -100, -100]]
    ),
}
"""Two words of which the first has two tokens; one word; none."""


def head(**settings):
    made = TokenClassificationHead(**({"layer_dims": [4, 4]} | settings))
    made.connect(TASK)
    return made


def token_loss(row, token, gold):
    return -torch.log_softmax(LOGITS[row, token], dim=-1)[gold].item()


def test_mean_over_the_tokens_of_each_row_that_count():
    losses = head().logits_to_loss(LOGITS, **ROWS)
    assert (losses.dtype, losses.shape) == (torch.float32, (3,))
    assert losses.tolist() == pytest.approx([(token_loss(0, 1, 1) + token_loss(0, 3, 2)) / 2, token_loss(1, 1, 0), 0.0])


def test_padding_does_not_count_whatever_its_label():
    """FARM's scheme: every other token is X and counts, but for padding."""
    gold = torch.tensor([[3, 1, 3, 2, 3, 3], [3, 0, 3, 3, 3, 3], [3, 3, 3, 3, 3, 3]])
    losses = head().logits_to_loss(LOGITS, **(ROWS | {"ner_label_ids": gold}))
    assert losses.tolist() == pytest.approx(
        [sum(token_loss(row, t, gold[row, t]) for t in range(length)) / length for row, length in enumerate((5, 3, 2))]
    )


def test_padding_and_ignored_tokens_have_no_gradient():
    logits = LOGITS.clone().requires_grad_()
    head(class_weights=[1.0, 2.0, 3.0, 4.0]).logits_to_loss(logits, **ROWS).sum().backward()
    counted = (ROWS["ner_label_ids"] != -100) & (ROWS["padding_mask"] == 1)
    assert torch.equal(logits.grad.abs().sum(dim=-1) > 0, counted)


@pytest.mark.parametrize("weights", [[1.0, 3.0, 5.0, 1.0], np.array([1.0, 3.0, 5.0, 1.0], np.float32)])
def test_class_weights_count_per_tag(weights):
    losses = head(class_weights=weights).logits_to_loss(LOGITS, **ROWS)
    expected = [(3 * token_loss(0, 1, 1) + 5 * token_loss(0, 3, 2)) / 2, token_loss(1, 1, 0), 0.0]
    assert losses.tolist() == pytest.approx(expected)


def test_words_are_answered_at_their_first_token():
    assert head().logits_to_preds(LOGITS, **ROWS) == [["B-PER", "I-PER"], ["B-LOC"], []]
    assert head().prepare_labels(**ROWS) == [["B-PER", "I-PER"], ["O"], []]
    rows = head().logits_per_row(LOGITS, **ROWS)
    assert [(row.dtype, row.shape) for row in rows] == [
        (np.float32, (2, 4)),
        (np.float32, (1, 4)),
        (np.float32, (0, 4)),
    ]
    assert rows[0].tolist() == LOGITS[0, [1, 3]].tolist()


def test_a_word_without_a_label_is_told():
    gold = {"ner_label_ids": torch.full((3, 6), -100)}
    with raised(DataProblemError, "no-such-label-id", value=-100):
        head().prepare_labels(**(ROWS | gold))


def test_the_column_that_tells_the_words_is_asked_for():
    with raised(ConfigError, "missing-batch-column", column="initial_mask"):
        head().logits_to_preds(LOGITS, ner_label_ids=ROWS["ner_label_ids"])


def test_farm_s_json():
    made = head().formatted_preds(LOGITS, ["Ada  Lovelace", "Rome", ""], **ROWS)
    assert (made["task"], made["task_name"]) == ("ner", "ner")
    [ada], [rome], nothing = made["predictions"]
    probability = {"PER": torch.softmax(LOGITS[0, 3], dim=-1).max().item(), "LOC": LOGITS[1, 1].softmax(-1)[3].item()}
    assert ada == {
        "start": 0,
        "end": 13,
        "context": "Ada  Lovelace",
        "label": "PER",
        "probability": pytest.approx(probability["PER"]),
    }
    assert isinstance(ada["probability"], np.float32)
    assert (rome["label"], rome["probability"]) == ("LOC", pytest.approx(probability["LOC"]))
    assert nothing == []


def test_last_words_belong_to_entities_of_bioes():
    made = TokenClassificationHead(num_labels=5)
    made.connect({"label_list": ["O", "B-PER", "I-PER", "E-PER", "S-PER"]})
    [found] = made.format_rows([np.eye(5, dtype=np.float32)[[1, 2, 3, 0, 4]]], ["Anna von Berg trifft Otto"])[
        "predictions"
    ]
    assert [entity["context"] for entity in found] == ["Anna von Berg", "Otto"]


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (["O", "B_PER", "I_PER"], [("Anna von Berg", "PER"), ("Otto", "PER")]),
        (["O", "B", "I"], [("Anna von Berg", "entity"), ("Otto", "entity")]),
        (["O", "b-per", "i-per"], [("Anna von Berg", "per"), ("Otto", "per")]),
    ],
)
def test_other_spellings_are_read_as_the_metrics_read_them(labels, expected):
    made = TokenClassificationHead(num_labels=3)
    made.connect({"label_list": labels})
    [found] = made.format_rows([np.eye(3, dtype=np.float32)[[1, 2, 2, 0, 1]]], ["Anna von Berg trifft Otto"])[
        "predictions"
    ]
    assert [(entity["context"], entity["label"]) for entity in found] == expected


def test_probabilities_of_all_labels():
    [[ada], *_] = head().formatted_preds(LOGITS, ["Ada L", "Rome", ""], return_class_probs=True, **ROWS)["predictions"]
    assert ada["label"] == "PER"
    assert ada["probability"].tolist() == pytest.approx(LOGITS[0, 3].softmax(-1).tolist())


def test_windows_of_one_text_are_joined_first():
    rows = head().logits_per_row(LOGITS, **ROWS)
    [found] = head().format_rows([np.concatenate(rows)], ["Ada Lovelace Rome"])["predictions"]
    assert [(one["context"], one["label"]) for one in found] == [("Ada Lovelace", "PER"), ("Rome", "LOC")]
    with pytest.raises(ConfigError, match=r'"Ada Lovelace Rome" has 3 words.*logits for 2; join the windows'):
        head().format_rows(rows[:1], ["Ada Lovelace Rome"])


def test_hidden_layers_are_saved(tmp_path):
    hidden = {"bias": False, "norm_eps": 1e-3, "norm_bias": False}
    made = head(layer_dims=[4, 6, 4], hidden_layers=hidden, class_weights=[1.0, 2.0, 3.0, 4.0])
    assert [type(layer).__name__ for layer in made.feed_forward.feed_forward][2:] == ["LayerNorm", "Linear"]
    made.save(tmp_path)
    again = PredictionHead.load(tmp_path / "prediction_head_0_config.json")
    inputs = torch.randn(3, 6, 4)
    assert torch.equal(again.logits_to_loss(again(inputs), **ROWS), made.logits_to_loss(made(inputs), **ROWS))
    assert again.logits_to_preds(again(inputs), **ROWS) == made.logits_to_preds(made(inputs), **ROWS)
    assert again.describe() == made.describe()
    made.resize_input(8)
    assert made(torch.randn(3, 6, 8)).shape == (3, 6, 4)
    assert made.feed_forward.feed_forward[0].bias is None
    with pytest.raises(TypeError, match='did you mean "norm_bias"'):
        head(hidden_layers={"norm_bais": False})


def test_a_farm_head(tmp_path):
    names = {"name": "TokenClassificationHead", "task": "ner", "model_type": "token_classification"}
    save_farm_head(tmp_path, **names, output_type="per_token", layer_dims=(4, 4), labels=TAGS)
    made = PredictionHead.load(tmp_path / "prediction_head_0_config.json")
    assert (type(made), made.label_list, made.label_tensor_name) == (TokenClassificationHead, TAGS, "ner_label_ids")
    weights = torch.load(tmp_path / "prediction_head_0.bin", weights_only=True)
    assert torch.equal(made.feed_forward.feed_forward[0].weight, weights["feed_forward.feed_forward.0.weight"])
