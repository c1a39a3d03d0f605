"""Opening language models: our folders, FARM 0.8's, transformers'; and what half-copied folders say."""

import json
import pickle

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModel, BertForMaskedLM

from farm_ray.errors import ConfigError, ModelFolderError
from farm_ray.modeling.language_model import LanguageModel
from tests.modeling.tiny_models import (
    MODEL_TYPES,
    batch,
    save_farm_language_model,
    save_tiny_classifier,
    save_tiny_model,
    tiny_config,
    transformers_inputs,
)
from tests.raised import raised


def outputs(language_model, rows):
    with torch.no_grad():
        return language_model(**rows)


@pytest.mark.parametrize("model_type", MODEL_TYPES)
def test_transformers_folder_and_our_own(model_type, tmp_path):
    """Token vectors are the encoder's; what we save loads to the same; AutoModel opens what we save."""
    hf = save_tiny_model(model_type, tmp_path / "hf")
    rows = batch(left=model_type == "xlnet")
    with torch.no_grad():
        expected = hf(**transformers_inputs(hf, rows)).last_hidden_state

    loaded = LanguageModel.load(tmp_path / "hf")
    loaded.language = "german"
    loaded.save(tmp_path / "ours")
    again = LanguageModel.load(tmp_path / "ours")

    tokens, pooled = outputs(loaded, rows)
    tokens_again, pooled_again = outputs(again, rows)
    assert torch.equal(tokens, expected)
    assert torch.equal(tokens_again, tokens)
    assert torch.equal(pooled_again, pooled)
    assert pooled.shape == (2, 32)
    assert (type(again), again.language, again.pooling) == (type(loaded), "german", loaded.pooling)
    opened = AutoModel.from_pretrained(tmp_path / "ours")
    with torch.no_grad():
        assert torch.equal(opened(**transformers_inputs(opened, rows)).last_hidden_state, expected)


def test_an_unknown_argument_is_no_silent_wish(tmp_path):
    with pytest.raises(TypeError, match=r'"n_added_token".*did you mean "n_added_tokens"'):
        LanguageModel.load(tmp_path, n_added_token=3)


def test_half_precision_checkpoints_become_float32(tmp_path):
    save_tiny_model("bert", tmp_path, dtype=torch.bfloat16)
    assert {weight.dtype for weight in LanguageModel.load(tmp_path).parameters()} == {torch.float32}


def test_added_tokens_grow_the_embeddings_and_keep_the_old_rows(tmp_path):
    hf = save_tiny_model("bert", tmp_path)
    grown = LanguageModel.load(tmp_path, n_added_tokens=5)
    embeddings = grown.model.get_input_embeddings().weight
    assert grown.vocab_size == 65
    assert torch.equal(embeddings[:60], hf.get_input_embeddings().weight)
    assert embeddings[60:].abs().max() > 0


def test_a_checkpoint_without_pooler_gets_a_fresh_one_from_the_seed(tmp_path):
    BertForMaskedLM(tiny_config("bert")).save_pretrained(tmp_path)
    poolers = []
    for seed in (3, 3, 4):
        torch.manual_seed(seed)
        poolers.append(LanguageModel.load(tmp_path).model.pooler.dense)
    assert torch.equal(poolers[0].weight, poolers[1].weight)
    assert not torch.equal(poolers[0].weight, poolers[2].weight)
    assert poolers[0].weight.std().item() == pytest.approx(0.02, rel=0.2)
    assert not poolers[0].bias.any()


def test_a_classifier_s_projection_comes_along(tmp_path):
    hf = save_tiny_classifier("distilbert", tmp_path)
    assert torch.equal(LanguageModel.load(tmp_path).pooler.dense.weight, hf.pre_classifier.weight)


def test_loading_is_silent(tmp_path, capfd, caplog):
    BertForMaskedLM(tiny_config("bert")).save_pretrained(tmp_path)
    capfd.readouterr()
    LanguageModel.load(tmp_path).save(tmp_path / "again")
    assert capfd.readouterr() == ("", "")
    assert not caplog.records


@pytest.mark.parametrize("name", ["Bert", "Roberta", "DistilBert", "Electra", "XLNet"])
def test_farm_folders(name, tmp_path):
    """FARM 0.8's own pooling: the encoder's pooler, or tanh or gelu of the first token as it is."""
    hf = save_farm_language_model(name, tmp_path, language="german")
    loaded = LanguageModel.load(tmp_path)
    tokens, pooled = outputs(loaded, batch())
    with torch.no_grad():
        theirs = hf(**transformers_inputs(hf, batch()))
    assert torch.equal(tokens, theirs.last_hidden_state)
    assert (type(loaded).__name__, loaded.language) == (name, "german")
    first = tokens[:, 0]
    if name in {"Bert", "Roberta"}:
        assert torch.equal(pooled, theirs.pooler_output)
    elif name != "XLNet":
        expected = first.tanh() if name == "DistilBert" else torch.nn.functional.gelu(first)
        assert torch.equal(pooled, expected)


def test_a_farm_xlnet_says_that_its_projection_is_lost(tmp_path, caplog):
    save_farm_language_model("XLNet", tmp_path)
    LanguageModel.load(tmp_path)
    assert "FARM did not save the projection" in caplog.text


def test_farm_pooling_survives_our_own_save(tmp_path):
    save_farm_language_model("Roberta", tmp_path)
    loaded = LanguageModel.load(tmp_path)
    loaded.save(tmp_path)
    again = LanguageModel.load(tmp_path)
    assert not (tmp_path / "language_model.bin").exists()
    assert torch.equal(outputs(again, batch())[1], outputs(loaded, batch())[1])


class Evil:
    def __reduce__(self):
        return (open, ("evil_was_here", "w"))


@pytest.mark.parametrize("file", ["language_model.bin", "pytorch_model.bin"])
def test_nothing_is_unpickled(file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "model"
    folder.mkdir()
    if file == "language_model.bin":
        save_farm_language_model("Bert", folder)
    else:
        tiny_config("bert").save_pretrained(folder)
    (folder / file).write_bytes(pickle.dumps({"embeddings": Evil()}, protocol=2))
    with raised(ModelFolderError, "pickled-objects", file=file):
        LanguageModel.load(folder)
    assert not (tmp_path / "evil_was_here").exists()


@pytest.mark.parametrize("share", [0.0, 0.3, 0.99])
def test_a_truncated_file_is_named(share, tmp_path):
    save_tiny_model("bert", tmp_path)
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[: int(share * weights.stat().st_size)])
    with pytest.raises(ModelFolderError, match=r"model\.safetensors cannot be read.*copy it again"):
        LanguageModel.load(tmp_path)


def test_a_git_lfs_pointer_is_no_weights_file(tmp_path):
    save_tiny_model("bert", tmp_path)
    (tmp_path / "model.safetensors").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n")
    with raised(ModelFolderError, "cannot-read-model", file="model.safetensors"):
        LanguageModel.load(tmp_path)


def test_a_missing_shard(tmp_path):
    save_tiny_model("bert", tmp_path / "whole").save_pretrained(tmp_path / "shards", max_shard_size="40KB")
    LanguageModel.load(tmp_path / "shards")
    next((tmp_path / "shards").glob("model-00002-*")).unlink()
    with pytest.raises(ModelFolderError, match=r"model-00002"):
        LanguageModel.load(tmp_path / "shards")


def test_missing_weights_are_named(tmp_path):
    save_tiny_model("bert", tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    del weights["encoder.layer.1.output.dense.weight"]
    save_file(weights, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(
        ModelFolderError, match=r"model\.safetensors lacks 1 .*encoder\.layer\.1\.output\.dense\.weight"
    ):
        LanguageModel.load(tmp_path)


def test_missing_farm_weights_are_named(tmp_path):
    save_farm_language_model("Bert", tmp_path)
    weights = torch.load(tmp_path / "language_model.bin", weights_only=True)
    del weights["encoder.layer.0.output.dense.bias"]
    torch.save(weights, tmp_path / "language_model.bin")
    with pytest.raises(ModelFolderError, match=r"language_model\.bin lacks 1 .*encoder\.layer\.0\.output\.dense\.bias"):
        LanguageModel.load(tmp_path)


@pytest.mark.parametrize(
    ("model_type", "gone"),
    [
        ("bert", "config.json"),
        ("bert", "model.safetensors"),
        ("distilbert", "pooler.safetensors"),
    ],
)
def test_half_copied_folders_name_the_missing_file(model_type, gone, tmp_path):
    save_tiny_model(model_type, tmp_path / "hf")
    LanguageModel.load(tmp_path / "hf").save(tmp_path / "ours")
    (tmp_path / "ours" / gone).unlink()
    with pytest.raises(ModelFolderError, match=rf"has no {gone}.*it holds .*Copy the folder again"):
        LanguageModel.load(tmp_path / "ours")


@pytest.mark.parametrize("gone", ["language_model.bin", "language_model_config.json"])
def test_half_copied_farm_folders_name_the_missing_file(gone, tmp_path):
    save_farm_language_model("Bert", tmp_path)
    (tmp_path / gone).unlink()
    with raised(ModelFolderError, "missing-model-file", file=gone):
        LanguageModel.load(tmp_path)


def test_weights_of_another_width(tmp_path):
    save_tiny_model("bert", tmp_path)
    described = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(described | {"intermediate_size": 64}))
    with raised(ModelFolderError, "weights-of-other-size", file="model.safetensors", value=6):
        LanguageModel.load(tmp_path)


@pytest.mark.parametrize("text", ["{", "[]", "{}"])
def test_a_broken_config(text, tmp_path):
    save_tiny_model("bert", tmp_path)
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(ModelFolderError, match=r"config\.json"):
        LanguageModel.load(tmp_path)


def test_a_model_with_a_decoder_is_refused(tmp_path):
    save_tiny_model("t5", tmp_path, d_model=16, d_kv=8, d_ff=16, num_layers=1, num_heads=2)
    with raised(ConfigError, "not-an-encoder"):
        LanguageModel.load(tmp_path)


def test_any_other_encoder_works(tmp_path):
    save_tiny_model("gpt2", tmp_path / "causal", n_embd=32, n_layer=1, n_head=2)
    rows = batch()
    tokens, pooled = outputs(LanguageModel.load(tmp_path / "causal"), rows)
    assert torch.equal(pooled, torch.stack([tokens[0, 5], tokens[1, 3]])), "the last real token"


@pytest.mark.parametrize("place", ["../outside.safetensors", "{}/outside.safetensors"])
def test_weights_come_from_the_model_folder_alone(place, tmp_path):
    save_tiny_model("bert", tmp_path / "m")
    weights = (tmp_path / "m" / "model.safetensors").rename(tmp_path / "outside.safetensors")
    index = {"metadata": {}, "weight_map": dict.fromkeys(load_file(weights), place.format(tmp_path))}
    (tmp_path / "m" / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(ModelFolderError, match=r"index\.json names .*outside\.safetensors.*model folder alone"):
        LanguageModel.load(tmp_path / "m")


def test_code_of_a_hub_is_never_run(tmp_path):
    save_tiny_model("bert", tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | {"attn_implementation": "someone/attention"}))
    with pytest.raises(ModelFolderError, match="never run: take out its attn_implementation"):
        LanguageModel.load(tmp_path)
