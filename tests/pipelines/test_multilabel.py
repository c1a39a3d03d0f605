"""pipelines.multilabel: trained, saved, loaded, evaluated."""

from farm_ray.eval import evaluate_folder
from farm_ray.infer import Inferencer
from tests.pipelines.small_pipelines import TEXTS, WORDS, run, write_table


def test_multilabel(tiny_folder, tmp_path):
    labels = ["good", "", "good,bad", "bad"]
    write_table(tmp_path, ("text", "label"), [(text, labels[n % 4]) for n, text in enumerate(TEXTS)])
    result = run("pipelines.multilabel", tmp_path, tiny_folder, **{"processor.label_list": WORDS})
    assert set(result.metrics["dev"]) == {"loss", "f1_micro", "f1_macro"}
    (element,) = Inferencer.load(result.model_dir).inference_from_dicts([{"text": "a good film"}])
    assert len(element["predictions"][0]["probability"]) == 2
    assert evaluate_folder(result.model_dir, tmp_path / "train.tsv")["rows"] == 24
