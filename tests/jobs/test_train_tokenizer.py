"""jobs.train_tokenizer: a folder from a corpus, whole or not at all."""

import gzip
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from transformers import AutoTokenizer

from farm_ray.experiment import tokenizer as training
from farm_ray.modeling.tokenization import Tokenizer
from jobs import train_tokenizer

DOCUMENTS = [[f"the film number {n % 17} was good", "a very dull movie"] for n in range(200)]
TEXT = "\n\n".join("\n".join(document) for document in DOCUMENTS) + "\n"


@pytest.fixture
def corpus(tmp_path):
    path = tmp_path / "corpus.txt"
    path.write_text(TEXT)
    return path


def tokenizer_bytes(folder):
    return (folder / "tokenizer.json").read_bytes()


@pytest.mark.parametrize("kind", ["wordpiece", "byte_bpe", "unigram"])
def test_a_tokenizer_that_both_open(call, corpus, tmp_path, kind):
    out = tmp_path / "out"
    code, told, err = call(train_tokenizer.main, [str(corpus), str(out), "--kind", kind, "--vocab-size", "320"])
    assert code == 0, err
    assert (told["status"], told["kind"], told["documents"]) == ("ok", kind, 200)
    assert told["bytes"] == len(TEXT) - TEXT.count("\n")
    assert told["problems"] == {}
    for loaded in (Tokenizer.load(out), AutoTokenizer.from_pretrained(out)):
        assert len(loaded) == told["vocab_size"] <= 320
        assert loaded.mask_token_id is not None
        assert len(loaded.tokenize("the film was good")) == 4


def test_the_same_from_any_kind_of_file(call, corpus, tmp_path):
    (tmp_path / "a.txt.gz").write_bytes(gzip.compress(TEXT.encode()))
    rows = [{"body": "\n".join(document)} for document in DOCUMENTS]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet")
    for number, part in enumerate((DOCUMENTS[:70], DOCUMENTS[70:])):
        (tmp_path / f"part-{number}.txt").write_text("\n\n".join("\n".join(document) for document in part))
    written = set()
    for place, name in enumerate(("corpus.txt", "a.txt.gz", "a.jsonl", "a.parquet", "part-*.txt")):
        out = tmp_path / f"out-{place}"
        flags = ["--vocab-size", "200", "--text-column-name", "body"]
        code, told, err = call(train_tokenizer.main, [str(tmp_path / name), str(out), *flags])
        assert code == 0, err
        assert told["documents"] == 200
        written.add(tokenizer_bytes(out))
    assert len(written) == 1


@pytest.mark.cluster
def test_the_same_from_ray_tasks(ray_cluster, corpus, tmp_path, monkeypatch):
    training.train_tokenizer_on(corpus, tmp_path / "here", vocab_size=200)
    monkeypatch.setattr(training, "SPLIT_BYTES", 700)
    monkeypatch.setattr(training, "LARGE_BYTES", 1)
    told = training.train_tokenizer_on(corpus, tmp_path / "ray", vocab_size=200)
    assert told["documents"] == 200
    assert tokenizer_bytes(tmp_path / "ray") == tokenizer_bytes(tmp_path / "here")


def test_a_part_of_a_corpus(corpus, tmp_path, monkeypatch):
    monkeypatch.setattr(training, "SPLIT_BYTES", 500)
    told = training.train_tokenizer_on(corpus, tmp_path / "out", vocab_size=200, max_bytes=2000)
    assert 1900 <= told["bytes"] <= 3000


def test_cased(call, corpus, tmp_path):
    corpus.write_text(TEXT.replace("film", "Film"))
    flags = [str(corpus), str(tmp_path / "out"), "--vocab-size", "200", "--cased"]
    assert call(train_tokenizer.main, flags)[0] == 0
    assert Tokenizer.load(tmp_path / "out").tokenize("Film") == ["Film"]


def test_bad_documents_are_left_out_and_counted(call, corpus, tmp_path):
    corpus.write_bytes(TEXT.encode() + b"\n\xff\xfe\n")
    code, told, err = call(train_tokenizer.main, [str(corpus), str(tmp_path / "out"), "--vocab-size", "200"])
    assert (code, told["documents"], sum(told["problems"].values())) == (0, 200, 1)
    assert "1 documents were left out; the first: corpus.txt@" in err


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (["--vocab-size", "20"], r"--vocab-size 20 is too small"),
        (["--vocab-size", "0"], "must be 1 or more"),
        (["--kind", "word"], "invalid choice"),
        (["--encoding", "utf-99"], "utf-99"),
    ],
)
def test_mistakes_are_told_in_flags_and_leave_nothing(call, corpus, tmp_path, flags, told):
    code, result, err = call(train_tokenizer.main, [str(corpus), str(tmp_path / "out"), *flags])
    assert (code, result) == (2, None)
    assert told in err
    assert err.count("\n") <= 3
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("content", ["", "\n\n \n"])
def test_an_empty_corpus(call, corpus, tmp_path, content):
    corpus.write_text(content)
    code, _, err = call(train_tokenizer.main, [str(corpus), str(tmp_path / "out")])
    assert code == 2
    assert "corpus.txt" in err


def test_a_missing_corpus(call, corpus, tmp_path):
    code, _, err = call(train_tokenizer.main, [str(tmp_path / "corpsu.txt"), str(tmp_path / "out")])
    assert code == 2
    assert "near it are: corpus.txt" in err


@pytest.mark.parametrize("place", ["s3://data/out", "/proc/no/such", "{tmp}"])
def test_an_output_that_cannot_be_written_is_found_first(call, corpus, tmp_path, monkeypatch, place):
    monkeypatch.setattr(training, "train_tokenizer", lambda *_, **__: pytest.fail("the corpus was read"))
    code, _, err = call(train_tokenizer.main, [str(corpus), place.format(tmp=tmp_path)])
    assert code == 2
    assert "give another folder" in err
    assert corpus.exists()


def test_an_earlier_tokenizer_is_replaced_or_stays_whole(call, corpus, tmp_path, monkeypatch):
    flags = [str(corpus), str(tmp_path / "out"), "--vocab-size"]
    assert call(train_tokenizer.main, [*flags, "200"])[0] == 0
    first = tokenizer_bytes(tmp_path / "out")
    monkeypatch.setattr(training, "publish_folder", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    code, told, err = call(train_tokenizer.main, [*flags, "100"])
    assert (code, told) == (130, None)
    assert "stopped by Ctrl-C" in err
    assert tokenizer_bytes(tmp_path / "out") == first
    monkeypatch.undo()
    assert call(train_tokenizer.main, [*flags, "100"])[0] == 0
    assert len(Tokenizer.load(tmp_path / "out")) == 100
