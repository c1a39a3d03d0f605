"""pipelines.lm_finetuning: trained, saved, evaluated."""

import pytest

from farm_ray.eval import evaluate_folder
from tests.pipelines.small_pipelines import TEXTS, run


@pytest.mark.parametrize("name", ["pipelines.lm_finetuning", "pipelines.lm_finetuning:tokens_only"])
def test_lm_finetuning(tiny_folder, tmp_path, name):
    for file in ("train.txt", "dev.txt"):
        (tmp_path / file).write_text("\n\n".join("\n".join(TEXTS[at : at + 4]) for at in range(0, 24, 4)))
    result = run(name, tmp_path, tiny_folder, **{"train.checkpoint_every": None})
    dev = result.metrics["dev"]
    evaluated = evaluate_folder(result.model_dir, tmp_path / "dev.txt")["metrics"]
    assert evaluated["lm"] == pytest.approx(dev if "tokens_only" in name else dev["lm"], rel=1e-4)
