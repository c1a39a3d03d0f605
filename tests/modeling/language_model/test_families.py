"""Names of classes and languages."""

import pytest

from farm_ray.modeling.language_model import LanguageModel
from farm_ray.modeling.language_model.class_names import class_by_model_type
from farm_ray.modeling.language_model.language import guess_language


@pytest.mark.parametrize(
    ("name", "language"),
    [
        ("bert-base-german-cased", "german"),
        ("deepset/gbert-base", "english"),
        ("bert-base-chinese", "chinese"),
        ("camembert-base", "french"),
        ("Musixmatch/umberto-commoncrawl-cased-v1", "italian"),
        ("bert-base-MULTILINGUAL-cased", "multilingual"),
        ("dkleczek/bert-base-polish", "polish"),
    ],
)
def test_the_language_is_guessed_from_the_name(name, language):
    assert guess_language(name) == language


@pytest.mark.parametrize(("model_type", "name"), [("xlnet", "XLNet"), ("big_bird", "BigBird"), ("mpnet", "Encoder")])
def test_the_class_of_a_model_type(model_type, name):
    assert class_by_model_type(LanguageModel, model_type).__name__ == name
