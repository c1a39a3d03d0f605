"""Several texts in one row: each has the vectors it has by itself, for every type of encoder that packs."""

import pytest
import torch

from farm_ray.errors import ConfigError
from farm_ray.modeling.adaptive_model import AdaptiveModel
from farm_ray.modeling.language_model import LanguageModel
from farm_ray.modeling.language_model.packing import PACKS
from farm_ray.modeling.prediction_head import BertLMHead, TextClassificationHead
from tests.modeling.tiny_models import MODEL_TYPES, save_tiny_model
from tests.raised import raised

TEXTS = [torch.randint(6, 60, (length,), generator=torch.Generator().manual_seed(length)) for length in (5, 3, 1, 7, 4)]
ROWS = [[0, 1, 2], [3], [4, 1]]
"""Which texts are in which row: 9, 7 and 7 tokens."""


def packed():
    """The rows with what a packing processor makes of them."""
    longest = 11
    shape = (len(ROWS), longest)
    input_ids, positions, numbers = torch.ones(shape, dtype=torch.long), torch.zeros(shape, dtype=torch.long), None
    numbers = torch.full(shape, -1)
    for row, texts in enumerate(ROWS):
        start = 0
        for number, text in enumerate(texts):
            own = slice(start, start + len(TEXTS[text]))
            input_ids[row, own], numbers[row, own] = TEXTS[text], number
            positions[row, own] = torch.arange(len(TEXTS[text]))
            start = own.stop
    same = (numbers.unsqueeze(1) == numbers.unsqueeze(2)) & (numbers >= 0).unsqueeze(1)
    mask = same | torch.eye(longest, dtype=torch.bool)
    segments = torch.zeros(shape, dtype=torch.long)
    return {"input_ids": input_ids, "padding_mask": mask, "position_ids": positions, "segment_ids": segments}


def alone(language_model, number):
    return language_model(TEXTS[number].unsqueeze(0), segment_ids=torch.zeros(1, len(TEXTS[number]), dtype=torch.long))


def check(language_model):
    vectors, pooled = language_model(**packed())
    assert vectors.isfinite().all()
    for row, texts in enumerate(ROWS):
        start = 0
        for number in texts:
            length = len(TEXTS[number])
            expected = alone(language_model, number)[0][0]
            assert torch.allclose(vectors[row, start : start + length], expected, atol=1e-5)
            start += length
        assert torch.allclose(pooled[row], alone(language_model, texts[0])[1][0], atol=1e-5)


def loaded(model_type, folder, **settings):
    model = save_tiny_model(model_type, folder, **settings)
    language_model = LanguageModel.load(folder)
    with torch.no_grad():
        for name, weight in language_model.model.named_parameters():
            if "norm" not in name.lower():
                weight.add_(torch.randn(weight.shape, generator=torch.Generator().manual_seed(len(name))) * 0.2)
    del model
    return language_model


@pytest.mark.parametrize("model_type", PACKS)
@torch.no_grad()
def test_each_text_is_as_by_itself(model_type, tmp_path):
    language_model = loaded(model_type, tmp_path)
    assert language_model.can_pack
    check(language_model)


@torch.no_grad()
def test_a_window_of_attention_stays_a_window(tmp_path):
    narrow = loaded("modernbert", tmp_path, local_attention=4, global_attn_every_n_layers=2)
    assert set(narrow.model.config.layer_types) == {"full_attention", "sliding_attention"}
    check(narrow)


@torch.no_grad()
def test_plain_attention_and_pooling_by_mean(tmp_path):
    model = loaded("modernbert", tmp_path, classifier_pooling="mean", local_attention=4)
    model.model.set_attn_implementation("eager")
    check(model)


@pytest.mark.parametrize("model_type", sorted(set(MODEL_TYPES) - set(PACKS)))
def test_other_types_refuse_packed_rows(model_type, tmp_path):
    save_tiny_model(model_type, tmp_path)
    language_model = LanguageModel.load(tmp_path)
    assert not language_model.can_pack
    with raised(ConfigError, "packed-rows", value=model_type):
        language_model(**packed())


def test_sparse_attention_refuses_packed_rows(tmp_path):
    save_tiny_model("big_bird", tmp_path, attention_type="block_sparse")
    assert not LanguageModel.load(tmp_path).can_pack


@torch.no_grad()
def test_an_lm_head_reads_packed_rows_and_a_head_on_rows_does_not(tmp_path):
    save_tiny_model("roberta", tmp_path)
    language_model = LanguageModel.load(tmp_path)
    model = AdaptiveModel(language_model, [BertLMHead(32, 60)], 0.0, "per_token", "cpu").eval()
    rows = packed()
    logits = model(**rows)[0]
    alone_logits = model(input_ids=TEXTS[1].unsqueeze(0))[0]
    assert torch.allclose(logits[0, 5:8], alone_logits[0], atol=1e-5)
    on_rows = AdaptiveModel(language_model, [TextClassificationHead(num_labels=2)], 0.0, "per_sequence", "cpu")
    with pytest.raises(ConfigError, match=r"a head answers whole rows.*packing=False"):
        on_rows(**rows)
