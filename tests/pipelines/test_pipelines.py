"""Every pipeline on a handful of rows: trained, saved, loaded in a new Inferencer, evaluated, all in this process."""

import pytest

from farm_ray.configuration import replace
from farm_ray.eval import evaluate_folder
from farm_ray.experiment import load_experiment, run_experiment
from farm_ray.infer import Inferencer

WORDS = ["good", "bad"]
TEXTS = [f"a {WORDS[number % 2]} film {number}" for number in range(24)]


def write_table(folder, columns, rows, name="train.tsv"):
    lines = ["\t".join(columns), *("\t".join(row) for row in rows)]
    (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")


def run(name, folder, tiny_folder, **settings):
    experiment = load_experiment(name)
    given = {
        "processor.data_dir": str(folder),
        "processor.max_seq_len": 16,
        "model.language_model": str(tiny_folder),
        "train.epochs": 1,
        "train.use_amp": None,
    }
    for key, value in {**given, **settings}.items():
        experiment = replace(experiment, key, value)
    return run_experiment(experiment, output_dir=folder / "out", num_workers=0)


def test_multilabel(tiny_folder, tmp_path):
    labels = ["good", "", "good,bad", "bad"]
    write_table(tmp_path, ("text", "label"), [(text, labels[n % 4]) for n, text in enumerate(TEXTS)])
    result = run("pipelines.multilabel", tmp_path, tiny_folder, **{"processor.label_list": WORDS})
    assert set(result.metrics["dev"]) == {"loss", "f1_micro", "f1_macro"}
    (element,) = Inferencer.load(result.model_dir).inference_from_dicts([{"text": "a good film"}])
    assert len(element["predictions"][0]["probability"]) == 2
    assert evaluate_folder(result.model_dir, tmp_path / "train.tsv")["rows"] == 24


def test_text_pair(tiny_folder, tmp_path):
    write_table(tmp_path, ("text", "text_b", "label"), [(t, t[::-1], str(n % 2)) for n, t in enumerate(TEXTS)])
    result = run("pipelines.text_pair", tmp_path, tiny_folder, **{"processor.label_list": ["0", "1"]})
    (element,) = Inferencer.load(result.model_dir).inference_from_dicts([{"text": ("a film", "the film")}])
    assert element["predictions"][0]["context"] == "a film|the film"
    assert evaluate_folder(result.model_dir, tmp_path / "train.tsv")["rows"] == 24


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


def write_sentences(folder, name, sentences):
    blocks = ["".join(f"{word}\t{tag}\n" for word, tag in sentence) for sentence in sentences]
    (folder / name).write_text("\n".join(blocks), encoding="utf-8")


SENTENCES = [[("a", "O"), (word, "B-" + word.upper()), ("film", "O")] for word in WORDS] * 10
TAGS = ["O", "B-GOOD", "B-BAD"]


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


def test_cross_validation_trains_on_all_that_is_not_tested():
    processor = load_experiment("pipelines.cross_validation").processor
    assert (processor.dev_split, processor.dev_filename) == (0.0, None)


@pytest.mark.parametrize("name", ["pipelines.lm_finetuning", "pipelines.lm_finetuning:tokens_only"])
def test_lm_finetuning(tiny_folder, tmp_path, name):
    for file in ("train.txt", "dev.txt"):
        (tmp_path / file).write_text("\n\n".join("\n".join(TEXTS[at : at + 4]) for at in range(0, 24, 4)))
    result = run(name, tmp_path, tiny_folder, **{"train.checkpoint_every": None})
    dev = result.metrics["dev"]
    evaluated = evaluate_folder(result.model_dir, tmp_path / "dev.txt")["metrics"]
    assert evaluated["lm"] == pytest.approx(dev if "tokens_only" in name else dev["lm"], rel=1e-4)
