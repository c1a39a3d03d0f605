"""Language model and heads together: logits, losses, tasks, files."""

import pickle
from types import SimpleNamespace

import pytest
import torch

from farm_ray.errors import ConfigError, ModelFolderError
from farm_ray.modeling.adaptive_model import AdaptiveModel, loss_per_head_sum
from farm_ray.modeling.language_model import LanguageModel
from farm_ray.modeling.prediction_head import (
    MultiLabelTextClassificationHead,
    RegressionHead,
    TextClassificationHead,
    TokenClassificationHead,
)
from tests.modeling.tiny_models import (
    batch,
    save_farm_head,
    save_farm_language_model,
    save_farm_model,
    save_tiny_model,
)
from tests.raised import raised

TASKS = {
    "tone": {"label_list": ["good", "bad"], "metric": "acc", "label_tensor_name": "tone_label_ids"},
    "topic": {"label_list": ["a", "b", "c"], "metric": "f1_macro", "label_tensor_name": "topic_label_ids"},
}
LABELS = {"tone_label_ids": torch.tensor([[0], [1]]), "topic_label_ids": torch.tensor([[2], [0]])}


@pytest.fixture
def encoder(tmp_path):
    save_tiny_model("bert", tmp_path / "encoder")
    return tmp_path / "encoder"


def two_heads(encoder, **settings):
    heads = [
        TextClassificationHead(num_labels=2, task_name="tone"),
        TextClassificationHead(layer_dims=[32, 16, 3], task_name="topic", class_weights=[1.0, 2.0, 3.0]),
    ]
    arguments = {"embeds_dropout_prob": 0.2, "lm_output_types": "per_sequence", "device": "cpu"} | settings
    model = AdaptiveModel(LanguageModel.load(encoder), heads, **arguments)
    model.connect_heads_with_processor(TASKS)
    return model


def test_logits_and_losses_per_head(encoder):
    model = two_heads(encoder).eval()
    rows = batch() | LABELS
    logits = model(**rows)
    assert [one.shape for one in logits] == [(2, 2), (2, 3)]
    losses = model.logits_to_loss_per_head(logits, **rows)
    assert [one.shape for one in losses] == [(2,), (2,)]
    assert torch.equal(model.logits_to_loss(logits, **rows), losses[0] + losses[1])
    assert model.prepare_labels(**rows) == [["good", "bad"], ["c", "a"]]
    assert [len(one) for one in model.logits_to_preds(logits, **rows)] == [2, 2]
    assert [one["task_name"] for one in model.formatted_preds(logits, ["x", "y"])] == ["tone", "topic"]


def test_dropout_before_the_heads_in_training_only(encoder):
    model = two_heads(encoder, embeds_dropout_prob=1.0)
    assert model.training
    assert not model(**batch())[0].any(), "all is dropped, and fresh biases are zero"
    assert model.eval()(**batch())[0].any()


def test_the_user_s_loss_aggregation_gets_step_and_batch(encoder):
    def in_turn(loss_per_head, global_step=None, batch=None):
        assert "tone_label_ids" in batch
        return loss_per_head[global_step % 2]

    model = two_heads(encoder, loss_aggregation_fn=in_turn).eval()
    rows = batch() | LABELS
    logits = model(**rows)
    losses = model.logits_to_loss_per_head(logits, **rows)
    assert torch.equal(model.logits_to_loss(logits, global_step=3, **rows), losses[1])


def test_losses_of_different_shapes_are_not_summed():
    with pytest.raises(ConfigError, match="loss_aggregation_fn"):
        loss_per_head_sum([torch.zeros(2), torch.zeros(())])


def mixed_heads(encoder, **settings):
    """One head on tokens, three on rows, each of another kind."""
    heads = [
        TokenClassificationHead(num_labels=3),
        TextClassificationHead(num_labels=2, task_name="tone"),
        MultiLabelTextClassificationHead(num_labels=3, task_name="topic"),
        RegressionHead(),
    ]
    types = [head.ph_output_type for head in heads]
    model = AdaptiveModel(LanguageModel.load(encoder), heads, 0.0, types, "cpu", **settings)
    model.connect_heads_with_processor(MIXED_TASKS)
    return model.eval()


MIXED_TASKS = {
    "ner": {"label_list": ["O", "B-PER", "I-PER"], "metric": "seq_f1", "label_tensor_name": "ner_label_ids"},
    "tone": TASKS["tone"],
    "topic": TASKS["topic"],
    "regression": {"label_list": [2.0, 0.5], "metric": "mse", "label_tensor_name": "regression_label_ids"},
}
MIXED_LABELS = {
    "initial_mask": torch.tensor([[0, 1, 1, 0, 1, 0], [0, 1, 1, 0, 0, 0]]),
    "ner_label_ids": torch.tensor([[-100, 0, 1, -100, 2, -100], [-100, 1, 0, -100, -100, -100]]),
    "tone_label_ids": torch.tensor([[0], [1]]),
    "topic_label_ids": torch.tensor([[1, 0, 1], [0, 0, 0]]),
    "regression_label_ids": torch.tensor([[1.0], [-1.0]]),
}


def test_heads_on_tokens_and_on_rows_together(encoder):
    model = mixed_heads(encoder)
    rows = batch() | MIXED_LABELS
    logits = model(**rows)
    assert [one.shape for one in logits] == [(2, 6, 3), (2, 2), (2, 3), (2, 1)]
    losses = model.logits_to_loss_per_head(logits, **rows)
    assert [(one.shape, one.dtype) for one in losses] == [((2,), torch.float32)] * 4
    torch.testing.assert_close(model.logits_to_loss(logits, **rows), sum(losses))
    assert model.prepare_labels(**rows) == [
        [["O", "B-PER", "I-PER"], ["B-PER", "O"]],
        ["good", "bad"],
        [[1, 0, 1], [0, 0, 0]],
        [2.5, 1.5],
    ]
    assert [len(words) for words in model.logits_to_preds(logits, **rows)[0]] == [3, 2]
    made = model.formatted_preds(logits, ["Ada of Bath", "so what"], **rows)
    assert [one["task"] for one in made] == ["ner", "text_classification", "text_classification", "regression"]
    assert [len(one["predictions"]) for one in made] == [2, 2, 2, 2]


def test_mixed_heads_are_saved_and_loaded(encoder, tmp_path):
    model = mixed_heads(encoder)
    model.save(tmp_path / "saved")
    again = AdaptiveModel.load(tmp_path / "saved", "cpu")
    rows = batch() | MIXED_LABELS
    assert again.lm_output_types == ["per_token", "per_sequence", "per_sequence", "per_sequence_continuous"]
    assert torch.equal(again.logits_to_loss(again(**rows), **rows), model.logits_to_loss(model(**rows), **rows))
    assert again.logits_to_preds(again(**rows), **rows) == model.logits_to_preds(model(**rows), **rows)


def test_losses_of_all_kinds_can_be_taken_in_turn(encoder):
    def in_turn(loss_per_head, global_step=None, batch=None):
        return loss_per_head[global_step % len(loss_per_head)] * len(batch["input_ids"])

    model = mixed_heads(encoder, loss_aggregation_fn=in_turn)
    rows = batch() | MIXED_LABELS
    logits = model(**rows)
    losses = model.logits_to_loss_per_head(logits, **rows)
    for step in range(5):
        assert torch.equal(model.logits_to_loss(logits, global_step=step, **rows), losses[step % 4] * 2)


@pytest.mark.parametrize(
    ("head", "output_type"), [(TokenClassificationHead, "per_sequence"), (TextClassificationHead, "per_token")]
)
def test_a_head_that_cannot_read_its_vectors_is_told(head, output_type, encoder):
    with pytest.raises(ConfigError, match=f'cannot read .*"{output_type}"; give it "{head.ph_output_type}"'):
        AdaptiveModel(LanguageModel.load(encoder), [head(num_labels=2)], 0.0, output_type, "cpu")


@pytest.mark.parametrize(
    ("types", "error", "message"),
    [
        ("per_sequnce", ValueError, 'did you mean "per_sequence"'),
        (["per_sequence"], ConfigError, "1 entries for 2 prediction heads"),
    ],
)
def test_wrong_output_types(types, error, message, encoder):
    with pytest.raises(error, match=message):
        two_heads(encoder, lm_output_types=types)


def test_a_batch_without_token_ids(encoder):
    with raised(ConfigError, "missing-batch-column", column="input_ids"):
        two_heads(encoder)(padding_mask=torch.ones(1, 1))


def test_an_unknown_task_is_named_with_those_there(encoder):
    model = two_heads(encoder)
    with pytest.raises(ConfigError, match=r'"tone", which the processor does not have; did you mean "tones".*topic'):
        model.connect_heads_with_processor({"tones": {}, "topic": TASKS["topic"]})


def test_the_next_sentence_head_leaves_and_no_other(encoder):
    heads = [
        TextClassificationHead(num_labels=2, task_name="nextsentence"),
        TextClassificationHead(num_labels=2, task_name="tone"),
    ]
    types = ["per_sequence", "per_sequence_continuous"]
    model = AdaptiveModel(LanguageModel.load(encoder), heads, 0.1, types, "cpu")
    model.connect_heads_with_processor(TASKS)
    assert [head.task_name for head in model.prediction_heads] == ["tone"]
    assert model.lm_output_types == ["per_sequence_continuous"]


def test_the_pooling_leaves_training_with_the_last_head_on_rows(encoder):
    heads = [
        TextClassificationHead(num_labels=2, task_name="nextsentence"),
        TokenClassificationHead(num_labels=3),
    ]
    model = AdaptiveModel(LanguageModel.load(encoder), heads, 0.1, ["per_sequence", "per_token"], "cpu")
    pooler = model.language_model.model.pooler.dense.weight
    assert pooler.requires_grad
    model.connect_heads_with_processor(MIXED_TASKS)
    assert not pooler.requires_grad
    AdaptiveModel(model.language_model, [TextClassificationHead(num_labels=2)], 0.1, "per_sequence", "cpu")
    assert pooler.requires_grad


def test_round_trip(encoder, tmp_path):
    model = two_heads(encoder, lm_output_types=["per_sequence", "per_sequence_continuous"]).eval()
    model.language_model.language = "german"
    model.save(tmp_path / "saved")
    again = AdaptiveModel.load(tmp_path / "saved", device="cpu", lm_name="mine")
    rows = batch() | LABELS
    assert not again.training
    for ours, theirs in zip(model(**rows), again(**rows), strict=True):
        assert torch.equal(ours, theirs)
    assert torch.equal(
        model.logits_to_loss(model(**rows), **rows),
        again.logits_to_loss(again(**rows), **rows),
    )
    assert (again.embeds_dropout_prob, again.dropout.p) == (0.2, 0.2)
    assert again.lm_output_types == ["per_sequence", "per_sequence_continuous"]
    assert (again.get_language(), again.language_model.name) == ("german", "mine")
    assert [head.label_list for head in again.prediction_heads] == [["good", "bad"], ["a", "b", "c"]]
    assert sorted(file.name for file in (tmp_path / "saved").iterdir() if file.is_file()) == [
        "adaptive_model_config.json",
        "config.json",
        "language_model_config.json",
        "model.safetensors",
        "prediction_head_0.safetensors",
        "prediction_head_0_config.json",
        "prediction_head_1.safetensors",
        "prediction_head_1_config.json",
    ]


def test_more_than_nine_heads_load_in_order(encoder, tmp_path):
    heads = [TextClassificationHead(num_labels=2, task_name=f"task_{n}") for n in range(11)]
    AdaptiveModel(LanguageModel.load(encoder), heads, 0.1, "per_sequence", "cpu").save(tmp_path)
    again = AdaptiveModel.load(tmp_path, "cpu")
    assert [head.task_name for head in again.prediction_heads] == [f"task_{n}" for n in range(11)]


def test_saving_over_another_model_leaves_nothing_of_it(encoder, tmp_path):
    two_heads(encoder).save(tmp_path / "saved")
    one = AdaptiveModel(LanguageModel.load(encoder), [TextClassificationHead(num_labels=2)], 0.1, "per_sequence", "cpu")
    one.save(tmp_path / "saved")
    assert len(AdaptiveModel.load(tmp_path / "saved", "cpu").prediction_heads) == 1
    assert not (tmp_path / "saved" / "prediction_head_1.safetensors").exists()


@torch.no_grad()
def test_a_farm_folder(tmp_path):
    save_farm_model(tmp_path, heads=11)
    model = AdaptiveModel.load(tmp_path, "cpu")
    assert [head.task_name for head in model.prediction_heads] == [f"task_{n}" for n in range(11)]
    assert (model.embeds_dropout_prob, model.get_language()) == (0.1, "german")
    _, pooled = model.forward_lm(**batch())
    weights = torch.load(tmp_path / "prediction_head_10.bin", weights_only=True)
    expected = pooled @ weights["feed_forward.feed_forward.0.weight"].T + weights["feed_forward.feed_forward.0.bias"]
    torch.testing.assert_close(model(**batch())[10], expected)


def test_a_farm_folder_with_heads_of_several_kinds(tmp_path):
    save_farm_language_model("Bert", tmp_path)
    save_farm_head(
        tmp_path,
        0,
        "TokenClassificationHead",
        task="ner",
        output_type="per_token",
        model_type="token_classification",
        layer_dims=(32, 3),
        labels=MIXED_TASKS["ner"]["label_list"],
    )
    save_farm_head(
        tmp_path,
        1,
        "RegressionHead",
        task="regression",
        output_type="per_sequence_continuous",
        model_type="regression",
        layer_dims=(32, 1),
        labels=(2.0, 0.5),
    )
    model = AdaptiveModel.load(tmp_path, "cpu")
    assert model.lm_output_types == ["per_token", "per_sequence_continuous"]
    rows = batch() | MIXED_LABELS
    logits = model(**rows)
    assert [one.shape for one in logits] == [(2, 6, 3), (2, 1)]
    assert model.prepare_labels(**rows) == [[["O", "B-PER", "I-PER"], ["B-PER", "O"]], [2.5, 1.5]]
    assert model.logits_to_loss(logits, **rows).shape == (2,)


@pytest.mark.parametrize(
    "gone", ["prediction_head_1_config.json", "prediction_head_1.safetensors", "model.safetensors", "config.json"]
)
def test_half_copied_folders_name_the_missing_file(gone, encoder, tmp_path):
    two_heads(encoder).save(tmp_path / "saved")
    (tmp_path / "saved" / gone).unlink()
    with raised(ModelFolderError, "missing-model-file", file=gone):
        AdaptiveModel.load(tmp_path / "saved", "cpu")


def test_a_head_that_is_missing_altogether(encoder, tmp_path):
    two_heads(encoder).save(tmp_path / "saved")
    for file in (tmp_path / "saved").glob("prediction_head_1*"):
        file.unlink()
    with raised(ModelFolderError, "missing-model-file", file="prediction_head_1_config.json"):
        AdaptiveModel.load(tmp_path / "saved", "cpu")


def test_a_head_of_another_model_is_not_made_to_fit(encoder, tmp_path):
    two_heads(encoder).save(tmp_path / "saved")
    TextClassificationHead(layer_dims=[48, 2]).save(tmp_path / "saved", 1)
    with raised(ModelFolderError, "folder-of-two-models"):
        AdaptiveModel.load(tmp_path / "saved", "cpu")


def test_a_missing_folder_is_not_looked_up_on_the_hub():
    with raised(ModelFolderError, "no-model-folder", file="no_such_model"):
        AdaptiveModel.load("no_such_model", "cpu")


def test_loading_connects_a_processor(encoder, tmp_path):
    two_heads(encoder).save(tmp_path / "saved")

    processor = SimpleNamespace(tasks={name: task | {"metric": "mcc"} for name, task in TASKS.items()})
    model = AdaptiveModel.load(tmp_path / "saved", "cpu", processor=processor)
    assert [head.metric for head in model.prediction_heads] == ["mcc", "mcc"]


def test_vocabulary(encoder):
    model = two_heads(encoder)
    model.verify_vocab_size(60)
    model.verify_vocab_size(58)
    with pytest.raises(ConfigError, match=r"61 tokens.* 60 embeddings; load it with n_added_tokens=1"):
        model.verify_vocab_size(61)


@pytest.mark.parametrize("kind", [TextClassificationHead, TokenClassificationHead])
def test_every_weight_in_training_has_a_gradient(kind, encoder):
    """So that DDP need not search for weights without one."""
    head = kind(num_labels=3, task_name="tone" if kind is TextClassificationHead else "ner")
    model = AdaptiveModel(LanguageModel.load(encoder), [head], 0.0, head.ph_output_type, "cpu")
    rows = batch() | MIXED_LABELS
    torch.nn.init.normal_(model.prediction_heads[0].feed_forward.feed_forward[0].bias)
    model.logits_to_loss(model(**rows), **rows).sum().backward()
    assert [name for name, weight in model.named_parameters() if weight.requires_grad and weight.grad is None] == []


def test_it_can_be_pickled(encoder):
    model = two_heads(encoder).eval()
    again = pickle.loads(pickle.dumps(model))
    assert torch.equal(again(**batch())[1], model(**batch())[1])


def test_unknown_arguments(encoder):
    with pytest.raises(TypeError, match='did you mean "embeds_dropout_prob"'):
        AdaptiveModel(LanguageModel.load(encoder), [], embed_dropout_prob=0.1, lm_output_types=[], device="cpu")
    with pytest.raises(TypeError, match='did you mean "strict"'):
        AdaptiveModel.load("x", "cpu", strct=True)
