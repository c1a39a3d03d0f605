import json
import shutil

import pytest

from farm_ray.errors import ModelFolderError
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


def test_unknown_setting_names_the_nearest(tmp_path):
    tiny_tokenizer(tmp_path)
    with pytest.raises(TypeError, match='no argument "do_lowercase"; did you mean "do_lower_case"'):
        Tokenizer.load(tmp_path, do_lowercase=False)
    with pytest.raises(TypeError, match='no argument "tokenizer_clas"; did you mean "tokenizer_class"'):
        Tokenizer.load(tmp_path, tokenizer_clas="BertTokenizer")


def test_folder_without_tokenizer_names_what_it_needs(tmp_path):
    (tmp_path / "notes.md").write_text("no tokenizer here")
    with raised(ModelFolderError, "no-usable-tokenizer"):
        Tokenizer.load(tmp_path)
    shutil.rmtree(tmp_path)
    tmp_path.mkdir()
    with raised(ModelFolderError, "empty-model-folder"):
        Tokenizer.load(tmp_path)


def test_unknown_name_says_that_it_is_no_folder():
    with raised(ModelFolderError, "no-such-model", value="no/such-model"):
        Tokenizer.load("no/such-model", local_files_only=True)
