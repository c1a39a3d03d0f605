"""pipelines.multitask: trained, saved, loaded, evaluated."""

from farm_ray.eval import evaluate_folder
from farm_ray.infer import Inferencer
from tests.pipelines.small_pipelines import SENTENCES, TAGS, run, write_sentences


def test_multitask_makes_its_rows_from_tagged_words(tiny_folder, tmp_path):
    write_sentences(tmp_path, "train.txt", [*SENTENCES, [("the", "O"), ("film", "O")]])
    write_sentences(tmp_path, "dev.txt", SENTENCES[:4])
    result = run("pipelines.multitask", tmp_path, tiny_folder, **{"processor.label_list": TAGS})
    assert {task: set(numbers) for task, numbers in result.metrics["dev"].items()} == {
        "ner": {"loss", "seq_f1"},
        "mentions": {"loss", "acc", "f1_macro"},
    }
    tags, mentions = Inferencer.load(result.model_dir).inference_from_dicts([{"text": "a good film"}] * 2)
    assert (tags["task_name"], mentions["task_name"]) == ("ner", "mentions")
    assert len(tags["predictions"]) == len(mentions["predictions"]) == 2
    assert mentions["predictions"][0]["label"] in {"nothing", "something"}
    assert evaluate_folder(result.model_dir, tmp_path / "dev.jsonl")["rows"] == 4
