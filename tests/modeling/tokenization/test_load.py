import json
import shutil

import pytest

from farm_ray.errors import ConfigError, ModelFolderError
from farm_ray.modeling.tokenization import Tokenizer
from tests.raised import raised
from tests.tiny import VOCABULARY, tiny_roberta, tiny_tokenizer, tiny_unigram


def test_saved_padding_and_truncation_are_switched_off(tmp_path):
    tokenizer = tiny_tokenizer(tmp_path)
    tokenizer.backend_tokenizer.enable_padding(length=40)
    tokenizer.backend_tokenizer.enable_truncation(5)
    tokenizer.save_pretrained(str(tmp_path))
    assert json.loads((tmp_path / "tokenizer.json").read_text())["padding"]
    loaded = Tokenizer.load(tmp_path)
    assert loaded.backend_tokenizer.encode("the good bad dull film was and").ids == [2, 5, 7, 8, 9, 10, 11, 12, 3]


@pytest.mark.parametrize("make", [tiny_roberta, tiny_unigram])
def test_other_kinds_survive_saving(make, tmp_path):
    tokenizer = make()
    tokenizer.save_pretrained(str(tmp_path))
    text = "Über a film, 12.50!"
    assert Tokenizer.load(tmp_path)(text).input_ids == tokenizer(text).input_ids
    assert (
        Tokenizer.load(tmp_path, tokenizer_class=type(tokenizer).__name__)(text).input_ids == tokenizer(text).input_ids
    )


def test_added_tokens_survive_saving(tmp_path):
    tokenizer = tiny_tokenizer(tmp_path)
    tokenizer.add_tokens(["neverseentokens"])
    tokenizer.save_pretrained(str(tmp_path))
    assert Tokenizer.load(tmp_path).tokenize("a neverseentokens film") == ["a", "neverseentokens", "film"]


@pytest.mark.parametrize("config", [{"model_type": "bert"}, {"name": "Bert", "language": "german"}])
def test_folder_of_farm(config, tmp_path):
    """FARM 0.8 folders have no config.json."""
    (tmp_path / "vocab.txt").write_text("\n".join(VOCABULARY))
    (tmp_path / "language_model_config.json").write_text(json.dumps(config))
    assert Tokenizer.load(tmp_path).tokenize("a films") == ["a", "film", "##s"]


def test_class_by_folder_name(tmp_path):
    folder = tmp_path / "my-bert-cased"
    folder.mkdir()
    (folder / "vocab.txt").write_text("\n".join(VOCABULARY))
    assert type(Tokenizer.load(folder)).__name__ == "BertTokenizer"


def test_old_class_names_and_settings(tmp_path):
    tiny_tokenizer(tmp_path)
    tokenizer = Tokenizer.load(str(tmp_path), tokenizer_class="BertTokenizerFast", do_lower_case=False, use_fast=False)
    assert tokenizer.tokenize("the The") == ["the", "[UNK]"]


def test_unknown_setting_names_the_nearest(tmp_path):
    tiny_tokenizer(tmp_path)
    with pytest.raises(TypeError, match='no argument "do_lowercase"; did you mean "do_lower_case"'):
        Tokenizer.load(tmp_path, do_lowercase=False)
    with pytest.raises(TypeError, match='no argument "tokenizer_clas"; did you mean "tokenizer_class"'):
        Tokenizer.load(tmp_path, tokenizer_clas="BertTokenizer")


def test_unknown_class_names_the_nearest(tmp_path):
    tiny_tokenizer(tmp_path)
    with pytest.raises(ConfigError, match='"BertTokeniser"; did you mean "BertTokenizer"'):
        Tokenizer.load(tmp_path, tokenizer_class="BertTokeniser")


def test_folder_without_tokenizer_names_what_it_needs(tmp_path):
    (tmp_path / "notes.md").write_text("no tokenizer here")
    with pytest.raises(ModelFolderError, match=r"no usable tokenizer in .*it needs tokenizer\.json"):
        Tokenizer.load(tmp_path)
    shutil.rmtree(tmp_path)
    tmp_path.mkdir()
    with raised(ModelFolderError, "empty-model-folder"):
        Tokenizer.load(tmp_path)


def test_unknown_name_says_that_it_is_no_folder():
    with raised(ModelFolderError, "no-such-model", value="no/such-model"):
        Tokenizer.load("no/such-model", local_files_only=True)


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
    with pytest.raises(ModelFolderError, match=rf"tokenizer_config\.json: {name} cannot be "):
        Tokenizer.load(folder)


def save_with_entries(folder, entries):
    tiny_tokenizer(folder)
    path = folder / "tokenizer_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | entries))
