"""Each kind of head: FARM's JSON and flat columns say the same, whole or saved and loaded, in batches of any size."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from farm_ray.errors import ConfigError
from farm_ray.infer import Inferencer
from farm_ray.infer.head_forms import form_of
from tests.infer.models import KINDS, LABELS, SCALING, make_inferencer, make_kind
from tests.raised import raised

TEXTS = ["the good film", "bad", "a very dull film and the film was very bad", "what a nice day you are fool"]


def dicts_for(kind):
    if "pair" in kind:
        return [{"text": pair} for pair in zip(TEXTS, TEXTS[::-1], strict=True)]
    return [{"text": text} for text in TEXTS]


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Folders with saved models by kind, made on first use."""
    made = {}

    def folder(kind):
        if kind not in made:
            made[kind] = tmp_path_factory.mktemp(kind) / "model"
            make_kind(tmp_path_factory.mktemp("encoder"), kind).save(made[kind])
        return made[kind]

    return folder


def close(one, other):
    """Equal but for rounding in the numbers."""
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(close(one[name], other[name]) for name in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(close, one, other))
    return one == pytest.approx(other, abs=1e-5) if isinstance(one, float) else one == other


@pytest.mark.parametrize("kind", KINDS)
def test_saved_and_loaded_gives_the_same_for_any_batch_size(saved, kind, tmp_path):
    first = Inferencer.load(saved(kind), batch_size=1)
    expected = first.inference_from_dicts(dicts_for(kind))
    json.dumps(expected)
    first.save(tmp_path / "again")
    for batch_size in (2, 64):
        found = Inferencer.load(tmp_path / "again", batch_size=batch_size).inference_from_dicts(dicts_for(kind))
        assert close(found, expected)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "ner"])
def test_a_bad_input_keeps_its_place(saved, kind):
    inferencer = Inferencer.load(saved(kind))
    first, *others = dicts_for(kind)
    (element,) = inferencer.inference_from_dicts([first, {"text": ""}, *others, None])
    _, empty, *_, nothing = element["predictions"]
    for one, problem in ((empty, "not a pair" if "pair" in kind else "empty text"), (nothing, "not a dict")):
        assert one["problem"]["kind"] == problem
        assert {one[name] for name in one if name in {"pred", "label", "labels", "probability"}} == {None}
    (expected,) = inferencer.inference_from_dicts([first, *others])
    sound = [one for one in element["predictions"] if one["problem"] is None]
    assert close([{**one, "id": 0} for one in sound], [{**one, "id": 0} for one in expected["predictions"]])


@pytest.mark.parametrize("kind", KINDS)
def test_files_and_chunks_say_what_one_call_says(saved, kind, tmp_path):
    inferencer = Inferencer.load(saved(kind))
    names = ("text", "text_b") if "pair" in kind else ("text",)
    texts = [row["text"] if "pair" in kind else (row["text"],) for row in dicts_for(kind)]
    rows = [{"id": f"q-{n}"} | dict(zip(names, row, strict=True)) for n, row in enumerate([*texts, ("",) * len(names)])]
    table = pa.Table.from_pylist(rows)
    (whole,) = inferencer.inference_from_dicts(rows)
    (in_chunks,) = inferencer.inference_from_dicts(rows, multiprocessing_chunksize=2)
    assert close(in_chunks, whole)
    inferencer.predict_file([table], tmp_path / "out.jsonl")
    inferencer.predict_file([table.slice(0, 2), table.slice(2)], tmp_path / "out.parquet")
    flat = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()]
    assert close(pq.read_table(tmp_path / "out.parquet").to_pylist(), flat)
    assert [row["id"] for row in flat] == [row["id"] for row in rows]
    assert [{name: row[name] for name in names} for row in flat] == [
        {name: row[name] for name in names} for row in rows
    ]
    assert [row["problem"] and row["problem"]["kind"] for row in flat] == [None] * 4 + ["empty text"]
    for row, one in zip(flat, whole["predictions"], strict=True):
        assert close(ANSWERS[kind](row), FLAT_ANSWERS_OF_JSON[kind](one))


def _flat_entities(entities):
    if entities is None:
        return None
    return [{"text" if name == "context" else name: value for name, value in one.items()} for one in entities]


def _chosen(one):
    if one["labels"] is None:
        return None, None
    return one["labels"], [one["probability"][LABELS.index(label)] for label in one["labels"]]


ANSWERS = {
    "multilabel": lambda row: [row["labels"], row["probability"]],
    "regression": lambda row: row["prediction"],
    "pair_regression": lambda row: row["prediction"],
    "pair": lambda row: [row["label"], row["probability"]],
    "ner": lambda row: row["entities"],
}
FLAT_ANSWERS_OF_JSON = {
    "multilabel": lambda one: list(_chosen(one)),
    "regression": lambda one: one["pred"],
    "pair_regression": lambda one: one["pred"],
    "pair": lambda one: [one["label"], one["probability"]],
    "ner": _flat_entities,
}


def logits(inferencer, text, *more):
    ids = inferencer.processor.tokenizer(text, *more, return_tensors="pt")
    with torch.inference_mode():
        (found,) = inferencer.model(
            input_ids=ids["input_ids"], segment_ids=ids["token_type_ids"], padding_mask=ids["attention_mask"]
        )
    return found[0]


def test_several_labels(saved):
    inferencer = Inferencer.load(saved("multilabel"))
    (element,) = inferencer.inference_from_dicts(dicts_for("multilabel"))
    assert (element["task"], element["task_name"]) == ("text_classification", "text_classification")
    for one in element["predictions"]:
        expected = logits(inferencer, one["context"]).sigmoid().tolist()
        assert one["probability"] == pytest.approx(expected, abs=1e-5)
        assert one["labels"] == [label for label, value in zip(LABELS, expected, strict=True) if value > 0.5]
        assert one["label"] == str(one["labels"])
    assert len({len(one["labels"]) for one in element["predictions"]}) > 1, "all texts alike: a weak test"


def test_several_labels_by_name(saved):
    table = pa.table({"id": ["0", "1"], "text": [TEXTS[0], ""]})
    inferencer = Inferencer.load(saved("multilabel"), return_class_probs=True)
    first, empty = next(inferencer.predict_tables([table])).to_pylist()
    assert list(first["class_probabilities"]) == LABELS
    assert [first["class_probabilities"][label] for label in first["labels"]] == first["probability"]
    assert (empty["labels"], empty["class_probabilities"]) == (None, None)


def test_a_number_in_the_labels_own_unit(saved):
    inferencer = Inferencer.load(saved("regression"))
    (element,) = inferencer.inference_from_dicts(dicts_for("regression"))
    assert (element["task"], element["task_name"]) == ("regression", "regression")
    for one in element["predictions"]:
        expected = logits(inferencer, one["context"]).item() * SCALING["scaler_scale"] + SCALING["scaler_mean"]
        assert one["pred"] == pytest.approx(expected, abs=1e-4)
        assert set(one) == {"context", "pred", "id", "clipped", "problem"}


@pytest.mark.parametrize("kind", ["pair", "pair_regression"])
def test_pairs_as_tuples_and_under_text_b(saved, kind):
    inferencer = Inferencer.load(saved(kind))
    assert inferencer.takes_pairs
    tuples = dicts_for(kind)
    named = [{"text": row["text"][0], "text_b": row["text"][1]} for row in tuples]
    expected = inferencer.inference_from_dicts(tuples)
    assert inferencer.inference_from_dicts(named) == expected
    one = expected[0]["predictions"][0]
    assert one["context"] == f"{TEXTS[0]}|{TEXTS[3]}"
    found = logits(inferencer, TEXTS[0], TEXTS[3])
    assert one.get("pred") == (pytest.approx(found.item() * 2 + 3, abs=1e-4) if kind == "pair_regression" else None)
    assert one.get("label") == (LABELS[int(found.argmax())] if kind == "pair" else None)


@pytest.mark.parametrize(
    ("bad", "kind", "context"),
    [
        ({"text": "one"}, "not a pair", "one"),
        ({"text": ("one",)}, "not a pair", None),
        ({"text": ("one", None)}, "empty text", "one"),
        ({"text": "one", "text_b": " "}, "empty text", "one| "),
    ],
)
def test_half_a_pair_keeps_its_place(saved, bad, kind, context):
    (element,) = Inferencer.load(saved("pair")).inference_from_dicts([*dicts_for("pair")[:1], bad])
    good, one = element["predictions"]
    assert good["label"] in LABELS
    assert (one["label"], one["problem"]["kind"], one["context"]) == (None, kind, context)


def test_a_file_of_pairs(saved, tmp_path):
    inferencer = Inferencer.load(saved("pair"))
    rows = [*zip(TEXTS, TEXTS[::-1], strict=True), ("the film", "")]
    text = "".join(f"{one}\t{other}\tgood\n" for one, other in rows)
    (tmp_path / "in.tsv").write_text("text\ttext_b\tlabel\n" + text, encoding="utf-8")
    (element,) = inferencer.inference_from_file(tmp_path / "in.tsv")
    dicts = [{"text": row, "id": f"in.tsv:{line}"} for line, row in enumerate(rows, start=2)]
    (expected,) = inferencer.inference_from_dicts(dicts)
    kinds = [one.pop("problem") and "problem" for one in element["predictions"]]
    assert kinds == [one.pop("problem") and "problem" for one in expected["predictions"]] == [None] * 4 + ["problem"]
    assert close(element, expected)
    (tmp_path / "other.tsv").write_text("premise\thypothesis\tlabel\n" + text, encoding="utf-8")
    done = inferencer.predict_file(
        tmp_path / "other.tsv", tmp_path / "out.jsonl", text_column="premise", text_b_column="hypothesis"
    )
    assert (done.rows, done.problems) == (5, {"empty text": 1})


def test_a_second_text_column_is_for_pairs(saved, tmp_path):
    (tmp_path / "in.tsv").write_text("text\nbad\n")
    with raised(ConfigError, "option-without-effect", option="text_b_column_name", value="text_b"):
        Inferencer.load(saved("regression")).predict_file(
            tmp_path / "in.tsv", tmp_path / "out.jsonl", text_b_column="text_b"
        )


@pytest.mark.cluster
@pytest.mark.usefixtures("ray_cluster")
def test_ray_gives_pairs_what_this_process_gives(saved, tmp_path):
    inferencer = Inferencer.load(saved("pair_regression"))
    rows = [(TEXTS[n % 4], TEXTS[n % 3] if n % 7 else "") for n in range(40)]
    text = "".join(f"{one}\t{other}\n" for one, other in rows)
    (tmp_path / "in.tsv").write_text("text\ttext_b\n" + text, encoding="utf-8")
    found = []
    for name, actors in (("here.parquet", 0), ("there.parquet", 1)):
        done = inferencer.predict_file(tmp_path / "in.tsv", tmp_path / name, num_actors=actors)
        assert (done.rows, done.problems) == (40, {"empty text": 6})
        found.append(pq.read_table(tmp_path / name).to_pylist())
    assert close(found[0], found[1])


def test_an_unknown_kind_of_head_is_refused(tmp_path):
    inferencer = make_inferencer(tmp_path)
    (head,) = inferencer.model.prediction_heads
    head.model_type = "span_classification"
    with raised(ConfigError, "head-without-answers", value="span_classification"):
        form_of(head)


def test_the_task_is_that_of_the_heads(saved):
    assert Inferencer.load(saved("multilabel")).task_type == "text_classification"
    assert Inferencer.load(saved("multilabel"), task_type="multilabel_text_classification").name == "model"
    assert Inferencer.load(saved("regression")).task_type == "regression"
    with pytest.raises(ConfigError, match='task_type="ner", but the model has a head for regression'):
        Inferencer.load(saved("regression"), task_type="ner")
