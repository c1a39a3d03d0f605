"""What is a path, what is a name on the hub."""

import socket
from pathlib import Path

import pytest

from farm_ray.errors import ModelFolderError
from farm_ray.modeling.language_model import sources
from tests.raised import raised


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    def refuse(*_):
        raise AssertionError("asked the network")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.mark.parametrize("path", ["/no/such", "./model", "../model", "~/no_such_model", "a/b/c", "model/"])
def test_paths_are_never_looked_up_on_the_hub(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with raised(ModelFolderError, "no-model-folder"):
        sources.find_folder(path)


def test_an_empty_name_is_not_the_current_folder():
    with raised(ModelFolderError, "empty-name"):
        sources.find_folder("")


def test_a_name_below_a_local_folder_is_a_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert sources.find_folder("saved/model") is None
    (tmp_path / "saved").mkdir()
    with raised(ModelFolderError, "no-model-folder", file="saved/model"):
        sources.find_folder("saved/model")


def test_a_path_object_is_a_path():
    with raised(ModelFolderError, "no-model-folder", file="bert-base-cased"):
        sources.find_folder(Path("bert-base-cased"))
    assert sources.find_folder("bert-base-cased") is None


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "model.safetensors").touch()
    with raised(ModelFolderError, "model-folder-is-file"):
        sources.find_folder(tmp_path / "model.safetensors")


def test_tensors_only(tmp_path):
    import torch

    torch.save({"weight": torch.ones(2), "epoch": 3}, tmp_path / "head.bin")
    with raised(ModelFolderError, "not-named-tensors", file="head.bin"):
        sources.read_tensors(tmp_path / "head.bin")
