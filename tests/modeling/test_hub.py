"""The model hub, when it cannot be asked."""

import socket

import pytest

from farm_ray.errors import ModelFolderError
from farm_ray.modeling.language_model import Bert, LanguageModel


def test_a_name_that_is_nowhere_fails_fast(monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.is_offline_mode", lambda: False)

    def unknown_host(*_):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown_host)
    monkeypatch.setattr("farm_ray.modeling.hub.getproxies", dict)
    with pytest.raises(ModelFolderError, match=r'no model "no-such/model".*cannot be reached.*HF_HOME'):
        LanguageModel.load("no-such/model")


def test_offline_is_said(monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.is_offline_mode", lambda: True)
    with pytest.raises(
        ModelFolderError, match=r'no model "no-such-model".*HF_HUB_OFFLINE=1.*local model folder'
    ) as told:
        Bert.load("no-such-model")
    assert "\n" not in str(told.value)
