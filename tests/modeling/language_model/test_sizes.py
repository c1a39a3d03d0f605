"""Sizes of models, before anything is built."""

import pytest

from farm_ray.errors import ConfigError
from farm_ray.modeling.language_model import LanguageModel

TINY = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ({"hidden_size": 10**9, "num_attention_heads": 1}, "a model of .* weights does not fit this machine's memory"),
        ({"max_position_embeddings": 10**12}, "a model of .* weights does not fit this machine's memory"),
        ({"intermediate_size": 10**15}, "intermediate_size is 1000000000000000, which no model on this machine"),
        ({"num_hidden_layers": 10**8}, "num_hidden_layers is 100000000, which no model"),
        ({"num_attention_heads": 0}, "num_attention_heads is 0, which no model"),
        ({"hidden_size": -5}, "hidden_size is -5, which no model"),
        ({"hidden_size": 0}, "a bert model cannot be built so"),
    ],
)
def test_sizes_that_no_machine_has_are_refused_before_anything_is_built(setting, told):
    with pytest.raises(ConfigError, match=told):
        LanguageModel.from_scratch("bert", 60, **TINY | setting)
