"""The language of a model, guessed from its name."""

import pytest

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
