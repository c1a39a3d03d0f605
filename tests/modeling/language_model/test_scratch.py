"""Language models from nothing: any type of encoder, its configuration's own names, the tokenizer's special tokens."""

import pytest
import torch

from farm_ray.errors import ConfigError
from farm_ray.modeling.adaptive_model import AdaptiveModel
from farm_ray.modeling.language_model import Bert, Encoder, LanguageModel, Roberta
from farm_ray.modeling.prediction_head import BertLMHead
from tests.modeling.tiny_models import MODEL_TYPES, batch
from tests.raised import raised
from tests.tiny import tiny_tokenizer

TINY = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
BY_TYPE = {
    "albert": {"embedding_size": 16, "intermediate_size": 48},
    "electra": {"embedding_size": 16, "intermediate_size": 48},
    "distilbert": {"hidden_dim": 48},
    "xlnet": {"d_inner": 48},
    "modernbert": {"intermediate_size": 48, "pad_token_id": 0},
    "big_bird": {"intermediate_size": 48, "attention_type": "original_full"},
}


@pytest.mark.parametrize("model_type", [*MODEL_TYPES, "mpnet"])
def test_every_type_trains_and_is_saved(model_type, tmp_path):
    torch.manual_seed(0)
    settings = TINY | BY_TYPE.get(model_type, {"intermediate_size": 48})
    made = LanguageModel.from_scratch(model_type, 60, language="german", **settings)
    assert (made.get_output_dims(), made.vocab_size, made.num_layers) == (32, 60, 2)
    assert (made.language, made.training) == ("german", True)
    assert made.model.dtype == torch.float32
    made.save(tmp_path)
    loaded = LanguageModel.load(tmp_path)
    assert type(loaded) is type(made)
    with torch.no_grad():
        rows = batch(left=model_type == "xlnet")
        assert torch.equal(loaded(**rows)[0], made.eval()(**rows)[0])
    model = AdaptiveModel(made, [BertLMHead.for_language_model(made)], 0.1, "per_token", "cpu")
    rows["lm_label_ids"] = rows["input_ids"]
    model.logits_to_loss(model(**rows), **rows).sum().backward()
    assert all(weight.grad is not None for weight in model.parameters() if weight.requires_grad)


def test_the_seed_decides_the_weights():
    def made(seed):
        torch.manual_seed(seed)
        return LanguageModel.from_scratch("bert", 60, **TINY).state_dict()

    one, again, other = made(1), made(1), made(2)
    name = "model.embeddings.word_embeddings.weight"
    assert all(torch.equal(one[key], again[key]) for key in one)
    assert not torch.equal(one[name], other[name])


def test_a_class_of_its_own():
    assert type(LanguageModel.from_scratch("roberta", 60, **TINY)) is Roberta
    assert type(LanguageModel.from_scratch("deberta-v2", 60, **TINY)) is Encoder
    assert type(Bert.from_scratch("bert", 60, **TINY)) is Bert
    with raised(ConfigError, "wrong-model-type", value="roberta"):
        Bert.from_scratch("roberta", 60)


def test_special_tokens_come_from_the_tokenizer(tmp_path):
    tokenizer = tiny_tokenizer(tmp_path)
    made = LanguageModel.from_scratch("modernbert", len(tokenizer) + 5, tokenizer=tokenizer, **TINY)
    config = made.model.config
    assert config.pad_token_id == tokenizer.pad_token_id
    assert (config.cls_token_id, config.sep_token_id) == (tokenizer.cls_token_id, tokenizer.sep_token_id)
    with pytest.raises(
        ConfigError, match=rf"the tokenizer has {len(tokenizer)} tokens; give vocab_size={len(tokenizer)}"
    ):
        LanguageModel.from_scratch("bert", 7, tokenizer=tokenizer)


def test_what_cannot_be_meant():
    with pytest.raises(ConfigError, match='no model type "robrta"; did you mean "roberta"'):
        LanguageModel.from_scratch("robrta", 60)
    with raised(ConfigError, "unknown-model-type"):
        LanguageModel.from_scratch("t5-nothing", 60)
    with pytest.raises(ConfigError, match='has no "hiden_size"; did you mean "hidden_size"'):
        LanguageModel.from_scratch("bert", 60, hiden_size=32)
    with raised(ConfigError, "unknown-option", option="n_token"):
        LanguageModel.from_scratch("xlnet", 60, n_token=70)
    with raised(ConfigError, "impossible-model", value="bert"):
        LanguageModel.from_scratch("bert", 60, hidden_size=33, num_attention_heads=2)
    with raised(ConfigError, "impossible-model", value="bert"):
        LanguageModel.from_scratch("bert", 60, hidden_size="wide")
    with pytest.raises(ConfigError, match=r"pad_token_id is 50283, outside of vocab_size=60; give tokenizer="):
        LanguageModel.from_scratch("modernbert", 60)
    with raised(ConfigError, "impossible-model", value="bert"):
        LanguageModel.from_scratch("bert", 60, dtype="x")
    with raised(ConfigError, "impossible-model", value="bert"):
        LanguageModel.from_scratch("bert", 60, **TINY | {"hidden_act": "foo"})
    with raised(ConfigError, "not-an-encoder"):
        LanguageModel.from_scratch("bart", 60)
