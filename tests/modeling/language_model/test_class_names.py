"""Which language model class a model type stands for."""

import pytest

from farm_ray.errors import ConfigError
from farm_ray.modeling.language_model import Encoder, LanguageModel, Roberta
from tests.modeling.tiny_models import (
    save_tiny_model,
)


@pytest.mark.parametrize(
    ("model_type", "name"), [("bert", "Bert"), ("xlm-roberta", "XLMRoberta"), ("deberta-v2", "Encoder")]
)
def test_the_class_follows_the_model_type(model_type, name, tmp_path):
    save_tiny_model(model_type, tmp_path)
    assert type(LanguageModel.load(tmp_path)).__name__ == name


def test_the_class_can_be_chosen(tmp_path):
    save_tiny_model("bert", tmp_path)
    assert type(LanguageModel.load(tmp_path, language_model_class="Encoder")) is Encoder
    assert type(Roberta.load(tmp_path)) is Roberta
    with pytest.raises(ConfigError, match=r'"Robert".*did you mean "Roberta"'):
        LanguageModel.load(tmp_path, language_model_class="Robert")
