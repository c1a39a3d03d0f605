"""The head for the next sentence: its ids are BERT's, and its names say what they mean."""

import pytest
import torch

from farm_ray.errors import ConfigError
from farm_ray.modeling.adaptive_model import AdaptiveModel
from farm_ray.modeling.language_model import LanguageModel
from farm_ray.modeling.prediction_head import BertLMHead, NextSentenceHead, PredictionHead
from tests.modeling.tiny_models import batch, save_tiny_model
from tests.raised import raised

TASK = {
    "task_type": "classification",
    "label_list": ["True", "False"],
    "metric": "acc",
    "label_tensor_name": "nextsentence_label_ids",
}


def test_id_0_is_the_next_sentence():
    head = NextSentenceHead()
    assert (head.layer_dims, head.task_name, head.loss_ignore_index) == ([768, 2], "nextsentence", -1)
    assert head.logits_to_preds(torch.tensor([[2.0, 1.0], [0.0, 1.0]])) == ["True", "False"]
    assert head.prepare_labels(nextsentence_label_ids=torch.tensor([[0], [1]])) == ["True", "False"]
    assert head.ph_output_type == "per_sequence"


@pytest.mark.parametrize("labels", [["True", "False"], ["False", "True"]])
def test_farm_s_names_are_read_as_what_their_ids_mean(labels, caplog):
    head = NextSentenceHead()
    head.connect({**TASK, "label_list": labels})
    assert (head.label_list, head.metric) == (["True", "False"], "acc")
    assert caplog.text == ""


def test_rows_without_a_label_have_loss_0():
    logits, labels = torch.randn(2, 2), torch.tensor([[-1], [1]])
    losses = NextSentenceHead().logits_to_loss(logits, nextsentence_label_ids=labels)
    assert losses[0] == 0
    assert losses[1] > 0


def test_there_are_two_labels():
    with raised(ConfigError, "wrong-number-of-labels", value=3):
        NextSentenceHead(num_labels=3)


def test_saved_and_loaded(tmp_path):
    head = PredictionHead.create("NextSentenceHead", [32, 2])
    head.save(tmp_path)
    for place in (tmp_path, tmp_path / "prediction_head_0_config.json"):
        loaded = NextSentenceHead.load(place)
        assert type(loaded) is NextSentenceHead
        assert loaded.describe() == head.describe()
        assert torch.equal(loaded.feed_forward.feed_forward[0].weight, head.feed_forward.feed_forward[0].weight)


def test_without_the_task_only_this_head_leaves(tmp_path):
    save_tiny_model("bert", tmp_path)
    heads = [NextSentenceHead(), BertLMHead(32, 60)]
    model = AdaptiveModel(LanguageModel.load(tmp_path), heads, 0.0, ["per_sequence", "per_token"], "cpu")
    lm = {"task_type": "language_modelling", "label_list": [], "metric": "acc", "label_tensor_name": "lm_label_ids"}
    model.connect_heads_with_processor({"lm": lm, "nextsentence": TASK})
    assert len(model(**batch())) == 2
    model.connect_heads_with_processor({"lm": lm})
    assert [type(head) for head in model.prediction_heads] == [BertLMHead]
    assert not model.language_model.model.pooler.dense.weight.requires_grad
