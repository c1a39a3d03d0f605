"""Tokenizer folders from elsewhere: which classes they may name, and which entries they may hold."""

import json

import pytest

from farm_ray.errors import ConfigError, ModelFolderError
from farm_ray.modeling.tokenization import Tokenizer
from tests.raised import raised
from tests.tiny import VOCABULARY, tiny_tokenizer


def test_class_by_folder_name(tmp_path):
    folder = tmp_path / "my-bert-cased"
    folder.mkdir()
    (folder / "vocab.txt").write_text("\n".join(VOCABULARY))
    assert type(Tokenizer.load(folder)).__name__ == "BertTokenizer"


def test_old_class_names_and_settings(tmp_path):
    tiny_tokenizer(tmp_path)
    tokenizer = Tokenizer.load(str(tmp_path), tokenizer_class="BertTokenizerFast", do_lower_case=False, use_fast=False)
    assert tokenizer.tokenize("the The") == ["the", "[UNK]"]


def test_unknown_class_names_the_nearest(tmp_path):
    tiny_tokenizer(tmp_path)
    with pytest.raises(ConfigError, match='"BertTokeniser"; did you mean "BertTokenizer"'):
        Tokenizer.load(tmp_path, tokenizer_class="BertTokeniser")


@pytest.mark.parametrize("entry", [{"vocab": "../other.txt"}, {"fast_tokenizer_files": ["../tokenizer.4.0.0.json"]}])
def test_a_tokenizer_comes_from_its_own_folder_alone(entry, tmp_path):
    tiny_tokenizer(tmp_path).save_pretrained(str(tmp_path))
    told = json.loads((tmp_path / "tokenizer_config.json").read_text())
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(told | entry))
    with raised(ModelFolderError, "file-out-of-folder", file="tokenizer_config.json"):
        Tokenizer.load(tmp_path)


def test_the_code_of_a_folder_is_not_even_asked_for(tmp_path, monkeypatch):
    """transformers would ask on the terminal, where a file piped to a job may begin with `y`."""
    monkeypatch.setattr("builtins.input", lambda *_: pytest.fail("asked"))
    tiny_tokenizer(tmp_path).save_pretrained(str(tmp_path))
    told = json.loads((tmp_path / "tokenizer_config.json").read_text())
    told |= {"tokenizer_class": "Own", "auto_map": {"AutoTokenizer": ["own.Own", "own.Own"]}}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(told))
    (tmp_path / "own.py").write_text("raise SystemExit('it ran')")
    with raised(ModelFolderError, "no-usable-tokenizer"):
        Tokenizer.load(tmp_path)


@pytest.mark.parametrize("length", ["", "x", [1], {"a": 1}, True, 0, -1, float("nan")])
def test_a_length_that_is_no_number_of_tokens(tmp_path, length):
    check_refused_entry(tmp_path, "model_max_length", length)


@pytest.mark.parametrize("template", [{"a": 1}, [1], 5, True, [{"name": "a", "template": 1}]])
def test_a_chat_template_that_could_not_be_saved(tmp_path, template):
    check_refused_entry(tmp_path, "chat_template", template)


@pytest.mark.parametrize("entry", [{"model_max_length": 1e30}, {"model_max_length": None}, {"chat_template": "a"}])
def test_entries_as_transformers_writes_them(tmp_path, entry):
    save_with_entries(tmp_path, entry)
    Tokenizer.load(tmp_path)


def check_refused_entry(folder, name, value):
    save_with_entries(folder, {name: value})
    with raised(ModelFolderError, "damaged-entry", entry=name, file="tokenizer_config.json"):
        Tokenizer.load(folder)


def save_with_entries(folder, entries):
    tiny_tokenizer(folder)
    path = folder / "tokenizer_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | entries))
