import pytest

from farm_ray.errors import ConfigError


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"max_seq_len": 2}, "at least 3"),
        ({"max_seq_len": "128"}, "whole number"),
        ({"max_seq_len": 0}, "whole number"),
        ({"dev_split": 1.0}, "dev_split must be a share"),
        ({"dev_split": -0.1}, "dev_split must be a share"),
        ({"tokenizer": "bert-base-cased"}, r"use Tokenizer\.load"),
        ({"train_filename": ["a.tsv", "b.tsv"]}, r"train_filename must be the name of one file, .* not \['a.tsv'"),
    ],
)
def test_invalid_settings(make, settings, told):
    with pytest.raises(ConfigError, match=told):
        make(**settings)
