"""pipelines.text_pair: trained, saved, loaded, evaluated."""

from farm_ray.eval import evaluate_folder
from farm_ray.infer import Inferencer
from tests.pipelines.small_pipelines import TEXTS, run, write_table


def test_text_pair(tiny_folder, tmp_path):
    write_table(tmp_path, ("text", "text_b", "label"), [(t, t[::-1], str(n % 2)) for n, t in enumerate(TEXTS)])
    result = run("pipelines.text_pair", tmp_path, tiny_folder, **{"processor.label_list": ["0", "1"]})
    (element,) = Inferencer.load(result.model_dir).inference_from_dicts([{"text": ("a film", "the film")}])
    assert element["predictions"][0]["context"] == "a film|the film"
    assert evaluate_folder(result.model_dir, tmp_path / "train.tsv")["rows"] == 24
