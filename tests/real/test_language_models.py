"""MiniLM goes on learning from the Brown corpus. Needs FARM_RAY_DATA, a folder with brown; some fifteen minutes.

Run with `FARM_RAY_DATA=folder pytest -m real tests/real/test_language_models.py`.
"""

import pytest

from tests.real.training import DATA, scored, train

pytestmark = [pytest.mark.real, pytest.mark.timeout(3600)]


def test_adapted_to_the_brown_corpus(tmp_path):
    """The package has no head for masked tokens: a fresh one begins at the size of the vocabulary, 30,522."""
    result = train("pipelines.lm_finetuning", DATA / "brown", tmp_path / "out")
    dev = result["metrics"]["dev"]
    assert dev["lm"]["perplexity"] <= 180
    assert dev["lm"]["acc"] >= 0.22
    assert dev["nextsentence"]["acc"] >= 0.6
    again = scored(result, DATA / "brown" / "dev.txt")["metrics"]
    assert again["lm"]["loss"] == pytest.approx(dev["lm"]["loss"], abs=2e-2)
