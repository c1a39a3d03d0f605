"""pipelines.regression: trained, saved, loaded, evaluated."""

import pytest

from farm_ray.eval import evaluate_folder
from farm_ray.infer import Inferencer
from tests.pipelines.small_pipelines import TEXTS, run, write_table


@pytest.mark.parametrize("name", ["pipelines.regression", "pipelines.regression:text_pair_regression"])
def test_regression(tiny_folder, tmp_path, name):
    columns = ("text", "text_b", "label")
    write_table(tmp_path, columns, [(t, t, f"{100 + n % 5}.5") for n, t in enumerate(TEXTS)])
    result = run(name, tmp_path, tiny_folder)
    assert {"mse", "pearson", "spearman"} < set(result.metrics["dev"])
    given = {"text": "a good film"} | ({"text_b": "a film"} if "pair" in name else {})
    (element,) = Inferencer.load(result.model_dir).inference_from_dicts([given])
    # In the units of the file, not of the scaled labels.
    assert 80 < element["predictions"][0]["pred"] < 130
    assert evaluate_folder(result.model_dir, tmp_path / "train.tsv")["rows"] == 24
