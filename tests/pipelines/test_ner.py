"""pipelines.ner: trained, saved, loaded, evaluated."""

from farm_ray.eval import evaluate_folder
from farm_ray.experiment import load_experiment
from farm_ray.infer import Inferencer
from tests.pipelines.small_pipelines import SENTENCES, TAGS, run, write_sentences


def test_ner(tiny_folder, tmp_path):
    for name in ("train.txt", "dev.txt"):
        write_sentences(tmp_path, name, SENTENCES)
    settings = {"processor.label_list": TAGS, "processor.test_filename": None}
    result = run("pipelines.ner", tmp_path, tiny_folder, **settings)
    assert "seq_f1" in result.metrics["dev"]
    (element,) = Inferencer.load(result.model_dir).inference_from_dicts([{"text": "a good film"}] * 2)
    assert len(element["predictions"]) == 2
    assert evaluate_folder(result.model_dir, tmp_path / "dev.txt")["rows"] == 20


def test_wnut17_names_all_tags(tmp_path):
    tags = load_experiment("pipelines.ner:wnut17").processor.label_list
    assert len(tags) == len(set(tags)) == 13
