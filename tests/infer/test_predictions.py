"""Models that tag words: entities with exact places in the text, whatever its length and white space."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from farm_ray.errors import ConfigError
from farm_ray.infer import Inferencer
from tests.infer.models import LABELS, TAGS, make_kind, make_tagger_with_tone
from tests.modeling.tiny_models import WIDTH, tiny_config
from tests.raised import raised
from tests.tiny import tiny_tokenizer

ODD_TEXTS = [
    "the  good\tfilm\nwas   bad ",
    "\n the\U0001f600 \U0001f469\u200d\U0001f469\u200d\U0001f467 film e\u0301te\u0301 \u00fcber\u3000dull",
    "bad",
    "\u200b good \ufeff \u0007 film",
    " ".join(["the good film was very dull and bad !"] * 9),
]
PLAIN = ["X1", "X2", "X3"]
"""A scheme in which every word is answered: tags are no parts of entities, and none is O."""


@pytest.fixture(scope="module")
def tagger_dir(tmp_path_factory):
    saved = tmp_path_factory.mktemp("tagger") / "model"
    make_kind(tmp_path_factory.mktemp("encoder"), "ner").save(saved)
    return saved


@pytest.fixture(scope="module")
def every_word(tmp_path_factory):
    return make_kind(tmp_path_factory.mktemp("encoder"), "ner", labels=PLAIN, batch_size=2)


def words_of(text):
    """(start, end) of each word."""
    spans, at = [], 0
    for word in text.split():
        start = text.index(word, at)
        at = start + len(word)
        spans.append((start, at))
    return spans


def test_every_word_has_its_exact_place_in_the_text(every_word):
    (element,) = every_word.inference_from_dicts([{"text": text} for text in ODD_TEXTS])
    assert (element["task"], element["task_name"]) == ("ner", "ner")
    assert element["problems"] == [None] * len(ODD_TEXTS)
    for text, entities in zip(ODD_TEXTS, element["predictions"], strict=True):
        assert [(one["start"], one["end"]) for one in entities] == words_of(text)
        assert [one["context"] for one in entities] == text.split()
        assert all(one["label"] in PLAIN and type(one["probability"]) is float for one in entities)
    json.dumps(element)


def test_windows_of_a_long_text_are_one_answer(every_word):
    short, long = ODD_TEXTS[2], ODD_TEXTS[4]
    features = every_word.processor.for_inference().featurize(every_word.processor.dicts_to_table([{"text": long}]))
    assert features.num_rows > 3, "the text fits into few windows: a weak test"
    (element,) = every_word.inference_from_dicts([{"text": text} for text in (short, long, short, long)])
    first, one, second, other = element["predictions"]
    assert (len(first), len(one)) == (1, len(long.split()))
    for entities, again in ((first, second), (one, other)):
        assert [(word["start"], word["label"]) for word in entities] == [(w["start"], w["label"]) for w in again]
    assert element["clipped"] == [False] * 4, "every word of a long text is read"


def test_tags_are_those_of_the_models_first_tokens(tagger_dir):
    inferencer = Inferencer.load(tagger_dir, return_class_probs=True)
    text = "the fools was verys dull"
    encoded = inferencer.processor.tokenizer(text.split(), is_split_into_words=True, return_tensors="pt")
    places = [encoded.word_ids().index(word) for word in range(5)]
    assert places != list(range(1, 6)), "every word is one token: a weak test"
    with torch.inference_mode():
        (logits,) = inferencer.model(
            input_ids=encoded["input_ids"],
            segment_ids=encoded["token_type_ids"],
            padding_mask=encoded["attention_mask"],
        )
    expected = logits[0, places].softmax(-1)
    (element,) = inferencer.inference_from_dicts([{"text": text}])
    begun = [place for place, best in enumerate(expected.argmax(-1).tolist()) if TAGS[best].startswith("B-")]
    (entities,) = element["predictions"]
    assert [one["start"] for one in entities] == [words_of(text)[place][0] for place in begun]
    assert begun, "no entity: a weak test"
    for one in entities:
        found = [probs for probs in expected.tolist() if probs == pytest.approx(one["probability"], abs=1e-5)]
        assert found, "the probabilities are those of one of its words"


def test_the_label_of_inner_tokens_is_no_entity(tmp_path):
    inferencer = make_kind(tmp_path, "ner", labels=["[PAD]", "X", "O", "B-PER", "I-PER"])
    with torch.no_grad():
        inferencer.model.prediction_heads[0].feed_forward.feed_forward[0].bias[1] = 1000.0
    (element,) = inferencer.inference_from_dicts([{"text": "the film"}])
    assert element["predictions"] == [[]]


def test_a_bad_input_is_no_list_and_says_why(tagger_dir):
    inferencer = Inferencer.load(tagger_dir)
    dicts = [{"text": "the film", "id": "a"}, {"text": " "}, "bad", {"text": ["good", "film"]}, {"text": ODD_TEXTS[4]}]
    (element,) = inferencer.inference_from_dicts(dicts)
    assert [entities is None for entities in element["predictions"]] == [False, True, True, False, False]
    assert [p and p["kind"] for p in element["problems"]] == [None, "empty text", "not a dict", None, None]
    assert element["ids"] == ["a", "1", "2", "3", "4"]
    assert inferencer.problematic_sample_ids == {"1", "2"}
    (in_chunks,) = inferencer.inference_from_dicts(dicts, multiprocessing_chunksize=2)
    assert {name: in_chunks[name] for name in ("ids", "clipped", "problems")} == {
        name: element[name] for name in ("ids", "clipped", "problems")
    }
    assert len(in_chunks["predictions"]) == 5


def test_flat_entities(tagger_dir):
    inferencer = Inferencer.load(tagger_dir, return_class_probs=True)
    texts = [*ODD_TEXTS, ""]
    (element,) = inferencer.inference_from_dicts([{"text": text} for text in texts])
    table = next(inferencer.predict_tables([pa.table({"id": list("abcdef"), "text": texts})]))
    kind = table.schema.field("entities").type.value_type
    assert [field.name for field in kind][:5] == ["label", "start", "end", "text", "probability"]
    for row, entities in zip(table.to_pylist(), element["predictions"], strict=True):
        if entities is None:
            assert (row["entities"], row["problem"]["kind"]) == (None, "empty text")
            continue
        for flat, one in zip(row["entities"], entities, strict=True):
            assert [flat["label"], flat["start"], flat["end"], flat["text"]] == [
                one["label"],
                one["start"],
                one["end"],
                one["context"],
            ]
            assert list(flat["class_probabilities"]) == TAGS
            assert list(flat["class_probabilities"].values()) == pytest.approx(one["probability"], abs=1e-5)
            assert flat["probability"] == pytest.approx(max(one["probability"]), abs=1e-5)


def test_files_of_words_and_files_of_texts(every_word, tmp_path):
    (tmp_path / "words.txt").write_text("the\tO\ngood\tO\n\nbad\tO\n", encoding="utf-8")
    (element,) = every_word.inference_from_file(tmp_path / "words.txt")
    assert [[one["context"] for one in entities] for entities in element["predictions"]] == [["the", "good"], ["bad"]]
    assert element["ids"] == ["words.txt:1", "words.txt:4"]
    rows = [{"id": "q", "text": "the good"}, {"text": ["bad", "film"]}, {"text": ""}]
    (tmp_path / "in.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n", encoding="utf-8")
    done = every_word.predict_file(tmp_path / "in.jsonl", tmp_path / "out.parquet")
    assert (done.rows, done.problems) == (3, {"empty text": 1})
    found = pq.read_table(tmp_path / "out.parquet").to_pylist()
    assert [row["id"] for row in found] == ["q", "in.jsonl:2", "in.jsonl:3"]
    assert [row["entities"] and [one["text"] for one in row["entities"]] for row in found] == [
        ["the", "good"],
        ["bad", "film"],
        None,
    ]
    (tmp_path / "in.csv").write_text('n,tweet\n1,"the good, film"\n2,bad\n', encoding="utf-8")
    done = every_word.predict_file(
        tmp_path / "in.csv", tmp_path / "out.jsonl", text_column="tweet", delimiter=",", quote_char='"'
    )
    found = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [[one["text"] for one in row["entities"]] for row in found] == [["the", "good,", "film"], ["bad"]]
    with raised(ConfigError, "option-without-effect", option="quote_char"):
        every_word.predict_file(tmp_path / "words.txt", tmp_path / "out.jsonl", quote_char='"')


def test_words_and_whole_texts_from_one_model(tmp_path):
    both = make_tagger_with_tone(tmp_path / "encoder")
    long = ODD_TEXTS[4]
    words, tone = both.inference_from_dicts([{"text": "the good film"}, {"text": long}, {"text": ""}])
    assert (words["task_name"], tone["task_name"]) == ("ner", "tone")
    assert len(words["predictions"]) == len(tone["predictions"]) == 3
    assert [one["context"] for one in tone["predictions"]] == ["the good film", long, ""]
    assert tone["predictions"][0]["label"] in LABELS
    assert words["predictions"][2] is tone["predictions"][2]["label"] is None
    assert words["clipped"] == [one["clipped"] for one in tone["predictions"]] == [False, True, False]
    both.save(tmp_path / "model")
    assert (
        Inferencer.load(tmp_path / "model").inference_from_dicts([{"text": long}])[1]["predictions"][0]["label"]
        == tone["predictions"][1]["label"]
    )
    table = next(both.predict_tables([pa.table({"id": ["a"], "text": [long]})]))
    assert table.column_names == ["id", "text", "ner_entities", "tone_label", "tone_probability", "clipped", "problem"]


def test_vectors_of_a_tagger_are_of_whole_texts(tagger_dir, tmp_path):
    dicts = [{"text": "the film"}, {"text": ODD_TEXTS[4]}]
    embedder = Inferencer.load(tagger_dir, task_type="embeddings")
    found = embedder.inference_from_dicts(dicts)
    assert [(one["vec"].shape, one["clipped"]) for one in found] == [((WIDTH,), False), ((WIDTH,), True)]
    for one, other in zip(Inferencer.load(tagger_dir).extract_vectors(dicts), found, strict=True):
        np.testing.assert_allclose(one["vec"], other["vec"], atol=1e-6)
    (tmp_path / "in.tsv").write_text("".join(f"{row['text']}\n" for row in [{"text": "text"}, *dicts]))
    for one, other in zip(embedder.inference_from_file(tmp_path / "in.tsv"), found, strict=True):
        np.testing.assert_allclose(one["vec"], other["vec"], atol=1e-6)


def test_a_transformers_folder(tmp_path):
    from transformers import AutoModelForTokenClassification

    torch.manual_seed(0)
    names = {"id2label": dict(enumerate(TAGS)), "label2id": {tag: number for number, tag in enumerate(TAGS)}}
    theirs = AutoModelForTokenClassification.from_config(tiny_config("bert", num_labels=len(TAGS), **names)).eval()
    theirs.save_pretrained(tmp_path)
    tokenizer = tiny_tokenizer(tmp_path)
    text = "the fools was verys dull"
    encoded = tokenizer(text.split(), is_split_into_words=True, return_tensors="pt")
    with torch.inference_mode():
        expected = theirs(**encoded).logits[0].softmax(-1)[[encoded.word_ids().index(word) for word in range(5)]]
    for task_type in (None, "ner"):
        inferencer = Inferencer.load(tmp_path, task_type=task_type)
        assert inferencer.task_type == "ner"
        table = inferencer._predictor.processor.dicts_to_table([{"text": text}])
        (answers,) = inferencer._predictor.predict(table).logits
        found = torch.from_numpy(answers[0]).softmax(-1)
        torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


@pytest.mark.cluster
@pytest.mark.usefixtures("ray_cluster")
def test_ray_gives_what_this_process_gives(tagger_dir, tmp_path):
    inferencer = Inferencer.load(tagger_dir)
    rows = [{"text": ODD_TEXTS[number % 5] if number % 7 else ""} for number in range(40)]
    (tmp_path / "in.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n", encoding="utf-8")
    (here,) = inferencer.inference_from_file(tmp_path / "in.jsonl", num_actors=0)
    (there,) = inferencer.inference_from_file(tmp_path / "in.jsonl", num_actors=1)
    for name in ("ids", "clipped", "problems"):
        assert here[name] == there[name]
    for one, other in zip(here["predictions"], there["predictions"], strict=True):
        assert (one is None) == (other is None)
        for entity, same in zip(one or [], other or [], strict=True):
            assert same.pop("probability") == pytest.approx(entity.pop("probability"), abs=1e-5)
            assert entity == same
