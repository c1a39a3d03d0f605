"""The language of a pretrained model, read off its name."""

from __future__ import annotations

_LANGUAGES = ("german", "english", "chinese", "indian", "french", "polish", "spanish", "multilingual")


def guess_language(name: str) -> str:
    """The language a model's name hints at: a language's own name, camembert (french), umberto (italian), else english.

    A guess only: set `language_model.language` where it is wrong.
    """
    lowered = name.lower()
    for hint, language in (("camembert", "french"), ("umberto", "italian")):
        if hint in lowered:
            return language
    return next((language for language in _LANGUAGES if language in lowered), "english")
