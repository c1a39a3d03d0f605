"""Silence for a while, and back."""

import pytest
from huggingface_hub.utils import are_progress_bars_disabled
from transformers.utils import logging

from farm_ray.modeling.language_model.quiet import quiet_transformers


def state():
    return logging.get_verbosity(), logging.is_progress_bar_enabled(), are_progress_bars_disabled()


def fail_quietly():
    with quiet_transformers():
        assert state() == (logging.ERROR, False, True)
        raise KeyError


def test_everything_is_put_back():
    logging.set_verbosity_info()
    before = state()
    with pytest.raises(KeyError):
        fail_quietly()
    assert state() == before
    logging.set_verbosity_warning()
