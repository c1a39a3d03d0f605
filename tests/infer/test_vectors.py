"""Embeddings: one vector per input, in input order, whatever the batch size and however bad the input."""

import json
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from farm_ray.errors import ConfigError, DataProblemError
from farm_ray.infer import Inferencer
from farm_ray.modeling.adaptive_model import AdaptiveModel
from farm_ray.modeling.language_model import LanguageModel
from tests.infer.models import make_kind, make_tagger_with_tone, save_language_model
from tests.modeling.tiny_models import WIDTH, save_tiny_classifier, save_tiny_model
from tests.raised import raised
from tests.tiny import tiny_tokenizer

TEXTS = ["the good film", "bad", "a very dull film and the film was very bad", "the film"]
DICTS = [{"text": text} for text in TEXTS]


def embedder(folder, **options):
    return Inferencer.load(folder, task_type="embeddings", **options)


def hidden_states(inferencer, text, layer=-1):
    """The vectors of a text's tokens, [T, H], straight from transformers."""
    encoded = inferencer.processor.tokenizer(text, return_tensors="pt")
    with torch.inference_mode():
        output = inferencer.model.language_model.model(**encoded, output_hidden_states=True)
    return output.hidden_states[layer][0].numpy()


def test_a_flat_list_with_one_vector_per_input(model_dir):
    found = embedder(model_dir).inference_from_dicts([*DICTS[:2], {"text": "", "id": "q"}, DICTS[2]])
    assert [set(one) for one in found] == [{"context", "vec", "id", "clipped", "problem"}] * 4
    assert [one["context"] for one in found] == [TEXTS[0], TEXTS[1], "", TEXTS[2]]
    assert [one["id"] for one in found] == ["0", "1", "q", "3"]
    assert (found[2]["vec"], found[2]["problem"]["kind"]) == (None, "empty text")
    for one in (found[0], found[1], found[3]):
        assert one["vec"].shape == (WIDTH,)
        assert one["vec"].dtype == np.float32


@pytest.mark.parametrize("layer", [0, 1, 2, -1, -2])
def test_strategies_and_layers(model_dir, layer):
    for strategy, take in {
        "cls_token": lambda tokens: tokens[0],
        "reduce_mean": lambda tokens: tokens[1:].mean(axis=0),
        "reduce_max": lambda tokens: tokens[1:].max(axis=0),
        "per_token": lambda tokens: tokens,
    }.items():
        inferencer = embedder(model_dir, extraction_strategy=strategy, extraction_layer=layer, batch_size=3)
        for one in inferencer.inference_from_dicts(DICTS):
            expected = take(hidden_states(inferencer, one["context"], layer))
            np.testing.assert_allclose(one["vec"], expected, atol=1e-5)


def test_pooled_is_what_heads_read(model_dir):
    inferencer = embedder(model_dir, extraction_strategy="pooled")
    encoded = inferencer.processor.tokenizer(TEXTS[0], return_tensors="pt")
    with torch.inference_mode():
        expected = inferencer.model.language_model.model(**encoded).pooler_output[0].numpy()
    np.testing.assert_allclose(inferencer.inference_from_dicts(DICTS)[0]["vec"], expected, atol=1e-5)


@pytest.mark.parametrize("strategy", ["pooled", "per_token", "cls_token", "reduce_mean", "reduce_max"])
def test_batch_size_changes_nothing(model_dir, strategy):
    expected = embedder(model_dir, batch_size=1, extraction_strategy=strategy).inference_from_dicts(DICTS)
    found = embedder(model_dir, batch_size=64, extraction_strategy=strategy).inference_from_dicts(DICTS)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one["vec"], other["vec"], atol=1e-5)
    assert not np.allclose(found[0]["vec"][:1], found[3]["vec"][:1]), "all texts alike: a weak test"


def test_extract_vectors_of_a_model_with_heads(inferencer):
    found = inferencer.extract_vectors(DICTS)
    for one in found:
        np.testing.assert_allclose(one["vec"], hidden_states(inferencer, one["context"])[0], atol=1e-5)
    (mean,) = inferencer.extract_vectors(DICTS[:1], extraction_strategy="reduce_mean", extraction_layer=-2)
    np.testing.assert_allclose(mean["vec"], hidden_states(inferencer, TEXTS[0], -2)[1:].mean(axis=0), atol=1e-5)
    (every,) = inferencer.extract_vectors(DICTS[:1], extraction_strategy="reduce_max", ignore_first_token=False)
    np.testing.assert_allclose(every["vec"], hidden_states(inferencer, TEXTS[0]).max(axis=0), atol=1e-5)
    assert inferencer.task_type == "text_classification"
    assert "predictions" in inferencer.inference_from_dicts(DICTS)[0]


def test_streaming_gives_one_dict_per_input(model_dir):
    taken = []

    def endless():
        for number in range(10**9):
            taken.append(number)
            yield DICTS[number % len(DICTS)]

    results = embedder(model_dir).inference_from_dicts(endless(), multiprocessing_chunksize=3, streaming=True)
    assert [next(results)["id"] for _ in range(4)] == ["0", "1", "2", "3"]
    assert len(taken) == 6


def test_a_long_text_is_cut(model_dir):
    whole, cut = embedder(model_dir).inference_from_dicts([{"text": "the film"}, {"text": "film " * 40}])
    assert (whole["clipped"], cut["clipped"]) == (False, True)
    assert cut["vec"].shape == (WIDTH,)


@pytest.mark.parametrize("strategy", ["reduce_mean", "per_token"])
def test_files(model_dir, tmp_path, strategy):
    inferencer = embedder(model_dir, extraction_strategy=strategy)
    (tmp_path / "in.tsv").write_text("text\tlabel\n" + "".join(f"{text}\tgood\n" for text in [*TEXTS, ""]))
    dicts = [{"text": text, "id": f"in.tsv:{line}"} for line, text in enumerate([*TEXTS, ""], start=2)]
    expected = inferencer.inference_from_dicts(dicts)
    found = inferencer.inference_from_file(tmp_path / "in.tsv")
    assert [{**one, "vec": 0} for one in found] == [{**one, "vec": 0} for one in expected]
    done = inferencer.predict_file(tmp_path / "in.tsv", tmp_path / "out.parquet")
    inferencer.predict_file(tmp_path / "in.tsv", tmp_path / "out.jsonl")
    assert (done.rows, done.problems) == (5, {"empty text": 1})
    table = pq.read_table(tmp_path / "out.parquet")
    numbers = pa.list_(pa.float32())
    assert table.schema.field("vec").type.equals(pa.list_(numbers) if strategy == "per_token" else numbers)
    assert table.column_names == ["id", "text", "vec", "clipped", "problem"]
    assert table.to_pylist() == [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    for one, other, row in zip(found, expected, table.to_pylist(), strict=True):
        if other["vec"] is None:
            assert one["vec"] is row["vec"] is None
        else:
            np.testing.assert_allclose(one["vec"], other["vec"], atol=1e-5)
            np.testing.assert_allclose(np.array(row["vec"]), other["vec"], atol=1e-5)


def test_vectors_per_token_come_in_small_tables(model_dir, monkeypatch):
    monkeypatch.setattr("farm_ray.infer.predictor._ROWS_AT_ONCE_PER_TOKEN", 3)
    table = pa.table({"id": list("abcd"), "text": TEXTS})
    for strategy, rows in (("per_token", [3, 1]), ("reduce_mean", [4])):
        tables = list(embedder(model_dir, extraction_strategy=strategy).predict_tables([table]))
        assert [part.num_rows for part in tables] == rows


def test_no_rows_are_a_valid_file(model_dir, tmp_path):
    inferencer = embedder(model_dir)
    assert inferencer.inference_from_dicts([]) == []
    inferencer.predict_file([], tmp_path / "out.parquet")
    assert pq.read_schema(tmp_path / "out.parquet").field("vec").type.equals(pa.list_(pa.float32()))


def test_a_model_without_heads(tmp_path, model_dir):
    inferencer = embedder(model_dir)
    headless = Inferencer(
        AdaptiveModel(inferencer.model.language_model, [], 0.1, "per_token", "cpu"),
        inferencer.processor,
        task_type="embeddings",
    )
    headless.save(tmp_path / "model")
    with pytest.raises(ConfigError, match=r'no prediction head.*task_type="embeddings"'):
        Inferencer.load(tmp_path / "model")
    found = embedder(tmp_path / "model").inference_from_dicts(DICTS)
    for one, other in zip(found, inferencer.inference_from_dicts(DICTS), strict=True):
        np.testing.assert_allclose(one["vec"], other["vec"], atol=1e-6)


def test_the_heads_are_still_there_when_saved(model_dir, tmp_path):
    embedder(model_dir).save(tmp_path / "again")
    dicts = DICTS[:2]
    assert Inferencer.load(tmp_path / "again").inference_from_dicts(dicts) == Inferencer.load(
        model_dir
    ).inference_from_dicts(dicts)


@pytest.mark.parametrize("model_type", ["bert", "distilbert", "electra"])
def test_a_transformers_folder(tmp_path, model_type):
    save_tiny_model(model_type, tmp_path)
    tiny_tokenizer(tmp_path)
    inferencer = embedder(tmp_path, extraction_strategy="reduce_mean", extraction_layer=-2)
    for one in inferencer.inference_from_dicts(DICTS):
        expected = hidden_states(inferencer, one["context"], -2)[1:].mean(axis=0)
        np.testing.assert_allclose(one["vec"], expected, atol=1e-5)


def test_a_transformers_classifier_gives_vectors_too(tmp_path):
    save_tiny_classifier("distilbert", tmp_path)
    tiny_tokenizer(tmp_path)
    inferencer = embedder(tmp_path, extraction_strategy="cls_token")
    (one,) = inferencer.inference_from_dicts(DICTS[:1])
    np.testing.assert_allclose(one["vec"], hidden_states(inferencer, TEXTS[0])[0], atol=1e-5)


def test_a_saved_language_model_with_its_tokenizer(tmp_path, model_dir):
    LanguageModel.load(model_dir).save(tmp_path)
    tiny_tokenizer(tmp_path)
    (one,) = embedder(tmp_path).inference_from_dicts(DICTS[:1])
    np.testing.assert_allclose(one["vec"], embedder(model_dir).inference_from_dicts(DICTS[:1])[0]["vec"], atol=1e-6)


def test_xlnets_class_token_stands_at_the_end(tmp_path):
    from tests.tiny import tiny_xlnet

    tokenizer = tiny_xlnet()
    save_tiny_model("xlnet", tmp_path, vocab_size=len(tokenizer))
    tokenizer.save_pretrained(str(tmp_path))
    texts = [{"text": "the quick brown fox"}, {"text": "dog"}]
    tokens = embedder(tmp_path, extraction_strategy="per_token").inference_from_dicts(texts)
    for batch_size in (1, 2):
        first = embedder(tmp_path, batch_size=batch_size).inference_from_dicts(texts)
        means = embedder(tmp_path, batch_size=batch_size, extraction_strategy="reduce_mean").inference_from_dicts(texts)
        for one, mean, whole in zip(first, means, tokens, strict=True):
            np.testing.assert_allclose(one["vec"], whole["vec"][-1], atol=1e-5)
            np.testing.assert_allclose(mean["vec"], whole["vec"][:-1].mean(axis=0), atol=1e-5)


@pytest.mark.parametrize("kind", ["regression", "multilabel"])
def test_any_saved_model_gives_vectors(tmp_path, kind):
    make_kind(tmp_path / "encoder", kind).save(tmp_path / "model")
    (one,) = embedder(tmp_path / "model").inference_from_dicts(DICTS[:1])
    assert one["vec"].shape == (WIDTH,)


EVERY = [(strategy, -1) for strategy in ("cls_token", "per_token", "reduce_mean", "reduce_max", "pooled")] + [
    ("reduce_mean", 0),
    ("per_token", 1),
]
SINGLE = {"text": "a good film"}


@pytest.mark.parametrize("kind", ["lm", "lm with pairs", "pair", "pair_regression", "ner", "several", "regression"])
def test_every_saved_model_gives_its_language_model_s_vectors(tmp_path, kind):
    """A language model's rows hold several texts, a pair model's two, a tagger's a window: vectors are of a text."""
    if kind.startswith("lm"):
        folder = save_language_model(tmp_path, next_sent_pred=kind != "lm")
    else:
        folder = tmp_path / "model"
        make = make_tagger_with_tone if kind == "several" else partial(make_kind, kind=kind)
        make(tmp_path / "encoder").save(folder)
    inferencer = embedder(folder)
    long = {"text": "a good dull film " * 9}
    tokens = inferencer.processor.tokenizer(SINGLE["text"], return_tensors="pt")["input_ids"]
    with torch.no_grad():
        expected = inferencer.model.language_model(tokens)[0][0, 0].numpy()
    for strategy, layer in EVERY:
        found = inferencer.extract_vectors([SINGLE, {"text": ""}, long, SINGLE], strategy, layer)
        assert [one["problem"] is None for one in found] == [True, False, True, True]
        assert [one["clipped"] for one in found] == [False, False, True, False]
        rows = [tokens.shape[1]] if strategy == "per_token" else []
        assert found[0]["vec"].shape == (*rows, WIDTH)
        np.testing.assert_allclose(found[0]["vec"], found[3]["vec"], atol=1e-6)
        if strategy == "cls_token":
            np.testing.assert_allclose(found[0]["vec"], expected, atol=1e-5)
        assert inferencer.extract_vectors([], strategy, layer) == []


def test_a_model_of_pairs_takes_pairs_and_single_texts(tmp_path):
    make_kind(tmp_path / "encoder", "pair").save(tmp_path / "model")
    inferencer = embedder(tmp_path / "model")
    pair, halves = {"text": ("a good film", "a bad day")}, {"text": "a good film", "text_b": "a bad day"}
    found = inferencer.inference_from_dicts([SINGLE, pair, {"text": ("a", "")}, halves, {"text": ("a", "b", "c")}])
    assert [None if one["problem"] is None else one["problem"]["kind"] for one in found] == [
        None,
        None,
        "empty text",
        None,
        "not a pair",
    ]
    np.testing.assert_allclose(found[1]["vec"], found[3]["vec"], atol=1e-6)
    assert not np.allclose(found[0]["vec"], found[1]["vec"], atol=1e-3)
    assert (found[0]["context"], found[1]["context"]) == ("a good film", "a good film|a bad day")
    (alone,) = inferencer.inference_from_dicts([pair])
    np.testing.assert_allclose(alone["vec"], found[1]["vec"], atol=1e-5)


@pytest.mark.parametrize(
    ("name", "content", "pairs"),
    [
        ("single.tsv", "text\na good film\nbad\n", [False, False]),
        ("pairs.tsv", "text\ttext_b\na good film\ta bad day\n", [True]),
        ("both.jsonl", '{"text": "a good film"}\n{"text": "a", "text_b": "bad"}\n', [False, True]),
    ],
)
def test_files_for_a_model_of_pairs(tmp_path, name, content, pairs):
    make_kind(tmp_path / "encoder", "pair").save(tmp_path / "model")
    (tmp_path / name).write_text(content)
    inferencer = embedder(tmp_path / "model")
    done = inferencer.predict_file(tmp_path / name, tmp_path / "out.parquet", num_actors=0)
    assert (done.rows, done.problems) == (len(pairs), {})
    written = pq.read_table(tmp_path / "out.parquet").to_pylist()
    assert [row["text_b"] is not None for row in written] == pairs
    own = [{"text": row["text"], "text_b": row["text_b"]} for row in written]
    for one, row in zip(inferencer.inference_from_dicts(own), written, strict=True):
        np.testing.assert_allclose(one["vec"], row["vec"], atol=1e-5)
    if not any(pairs):
        with raised(DataProblemError, "missing-column", column="other"):
            inferencer.predict_file(tmp_path / name, tmp_path / "out.jsonl", text_b_column="other", num_actors=0)


def test_a_vector_that_is_no_number_is_a_problem(model_dir):
    inferencer = embedder(model_dir)
    with torch.no_grad():
        inferencer.model.language_model.model.embeddings.LayerNorm.bias.fill_(float("nan"))
    found = inferencer.inference_from_dicts(DICTS)
    assert {one["problem"]["kind"] for one in found} == {"not finite"}
    assert {one["vec"] for one in found} == {None}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"extraction_strategy": "s3e"}, "s3e.*not available yet"),
        ({"extraction_strategy": "mean"}, "unknown extraction_strategy"),
        ({"extraction_layer": 7}, "extraction_layer=7"),
        ({"return_class_probs": True}, "return_class_probs.*no meaning for embeddings"),
        ({"s3e_stats": {"a": 1}}, "s3e_stats"),
    ],
)
def test_what_cannot_be_meant_is_refused(model_dir, options, message):
    with pytest.raises(ConfigError, match=message):
        embedder(model_dir, **options)


@pytest.mark.parametrize("option", [{"extraction_layer": 0}, {"extraction_strategy": "pooled"}])
def test_options_of_embeddings_need_the_task(model_dir, option):
    with pytest.raises(ConfigError, match='task_type="embeddings"'):
        Inferencer.load(model_dir, **option)


def test_another_layer_cannot_be_pooled(inferencer):
    with pytest.raises(ValueError, match="pooled"):
        inferencer.extract_vectors(DICTS, extraction_strategy="pooled", extraction_layer=-2)


@pytest.mark.cluster
@pytest.mark.usefixtures("ray_cluster")
def test_ray_gives_what_this_process_gives(model_dir, tmp_path):
    inferencer = embedder(model_dir, extraction_strategy="reduce_max", extraction_layer=1)
    rows = [TEXTS[number % 4] if number % 7 else "" for number in range(40)]
    (tmp_path / "in.tsv").write_text("text\n" + "".join(f"{text}\n" for text in rows))
    here = inferencer.inference_from_file(tmp_path / "in.tsv", num_actors=0)
    there = inferencer.inference_from_file(tmp_path / "in.tsv", num_actors=1)
    inferencer.predict_file(tmp_path / "in.tsv", tmp_path / "out.parquet", num_actors=1)
    written = pq.read_table(tmp_path / "out.parquet").to_pylist()
    for one, other, row in zip(here, there, written, strict=True):
        assert {**one, "vec": 0} == {**other, "vec": 0}
        assert (one["vec"] is None) == (other["vec"] is None) == (row["vec"] is None) == (one["problem"] is not None)
        if one["vec"] is not None:
            np.testing.assert_allclose(other["vec"], one["vec"], atol=1e-5)
            np.testing.assert_allclose(np.array(row["vec"]), one["vec"], atol=1e-5)
