"""The laws for documents: nothing vanishes, rows are a function of the table, the seed and the epoch."""

import itertools
from collections import Counter

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from farm_ray.data_handler.processor import BertStyleLMProcessor
from tests.tiny import tiny_roberta, tiny_tokenizer, tiny_xlnet

WORDS = ["the", "badly", "dull,", "e\u0301", "👩‍👩‍👧", "中文", "naïve", "film", "[MASK]", "\u200d", "x" * 9]
sentences = st.lists(st.sampled_from(WORDS), min_size=1, max_size=14).map(" ".join)
documents = st.lists(
    st.one_of(st.lists(sentences, max_size=6), st.just(None), st.just(["one", 2]), st.just(["\u200d"])), max_size=7
)
KINDS = ["bert", "roberta", "xlnet"]


@pytest.fixture(scope="module")
def tokenizers(tmp_path_factory):
    return {
        "bert": tiny_tokenizer(tmp_path_factory.mktemp("bert")),
        "roberta": tiny_roberta(),
        "xlnet": tiny_xlnet(),
    }


def table(processor, docs):
    return processor.dicts_to_table([{"doc": doc} for doc in docs])


def tokens_of(tokenizer, doc):
    """Of a document as words each by itself; None where it is none."""
    if doc is None or not doc or 2 in doc:
        return None
    prefix = " " if "ByteLevel" in str(tokenizer.backend_tokenizer.pre_tokenizer) else ""
    words = [prefix + word for sentence in doc for word in sentence.split()]
    return [token for word in words for token in tokenizer(word, add_special_tokens=False)["input_ids"]]


def texts_of(row, special):
    """The tokens of each text in a row: what stands between special tokens of its frame."""
    texts, last = [], None
    keys = row.get("text_numbers") or [0] * len(row["input_ids"])
    segments = row.get("segment_ids") or keys
    for token, start, text, segment in zip(row["input_ids"], row["word_starts"], keys, segments, strict=True):
        if start < 0 and token in special:
            last = None
            continue
        if last != (text, segment):
            texts.append([])
        last = (text, segment)
        texts[-1].append(token)
    return texts


def check_rows(rows, docs, max_seq_len):
    sound = [row for row in rows if row["problem"] is None]
    assert all(0 < row["n_tokens"] == len(row["input_ids"]) == len(row["word_starts"]) <= max_seq_len for row in sound)
    assert len({row["id"] for row in rows}) == len(rows)
    for row in rows:
        if row["problem"] is not None:
            assert (row["n_tokens"], row["input_ids"], row["word_starts"]) == (0, None, None)
            assert len(row["problem"]["message"]) > 20
            assert "\n" not in row["problem"]["message"]
    return sound


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=60, deadline=None)
@given(docs=documents, cut=st.integers(0, 7), width=st.sampled_from([5, 9, 30]))
def test_rows_of_one_document_each(tokenizers, kind, docs, cut, width):
    """Cut anywhere; each document's tokens in order, or its problem, in its place."""
    tokenizer = tokenizers[kind]
    processor = BertStyleLMProcessor(tokenizer, width, None, next_sent_pred=False, packing=False)
    whole = table(processor, docs)
    features = processor.featurize(whole)
    parts = [processor.featurize(whole.slice(0, cut)), processor.featurize(whole.slice(cut))]
    assert pa.concat_tables(parts).equals(features)
    rows = features.to_pylist()
    check_rows(rows, docs, width)
    assert list(dict.fromkeys(row["id"].partition("-")[0] for row in rows)) == [str(n) for n in range(len(docs))]
    for number, doc in enumerate(docs):
        own = [row for row in rows if row["id"].partition("-")[0] == str(number)]
        wanted = tokens_of(tokenizer, doc)
        if not wanted:
            assert [row["id"] for row in own if row["problem"]] == [str(number)]
            continue
        assert [row["id"] for row in own] == [f"{number}-{n}" for n in range(len(own))]
        frame = processor.tokenizer.num_special_tokens_to_add()
        before = 0 if kind == "xlnet" else 1
        inside = [row["input_ids"][before : len(row["input_ids"]) - frame + before] for row in own]
        assert list(itertools.chain(*inside)) == wanted


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=60, deadline=None)
@given(docs=documents, width=st.sampled_from([5, 9, 30]))
def test_packed_rows_hold_the_same_texts(tokenizers, kind, docs, width):
    tokenizer = tokenizers[kind]
    packed = BertStyleLMProcessor(tokenizer, width, None, next_sent_pred=False)
    single = BertStyleLMProcessor(tokenizer, width, None, next_sent_pred=False, packing=False)
    rows = check_rows(packed.featurize(table(packed, docs)).to_pylist(), docs, width)
    others = check_rows(single.featurize(table(single, docs)).to_pylist(), docs, width)
    found = Counter()
    for row in rows:
        numbers = row["text_numbers"]
        assert sorted(numbers) == numbers
        assert set(numbers) == set(range(numbers[-1] + 1))
        texts = [
            tuple(token for token, of in zip(row["input_ids"], numbers, strict=True) if of == number)
            for number in range(numbers[-1] + 1)
        ]
        found.update(texts)
    assert found == Counter(tuple(row["input_ids"]) for row in others)
    assert len(rows) <= len(others)
    # No two rows fit into one.
    lengths = sorted(row["n_tokens"] for row in rows)
    assert len(lengths) < 2 or lengths[0] + lengths[1] > width or len(lengths) == 1


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("style", ["bert-style", "sentence"])
@settings(max_examples=60, deadline=None)
@given(docs=documents, width=st.sampled_from([6, 9, 30]), epoch=st.integers(0, 3))
def test_pairs(tokenizers, kind, style, docs, width, epoch):
    """The rows of a document hold its tokens once, in order, besides those borrowed from others."""
    tokenizer = tokenizers[kind]
    processor = BertStyleLMProcessor(tokenizer, width, None, next_sent_pred_style=style).for_pass(5, epoch)
    given_docs = table(processor, docs)
    features = processor.featurize(given_docs)
    assert features.equals(processor.featurize(given_docs))
    rows = features.to_pylist()
    sound = check_rows(rows, docs, width)
    wanted = [tokens_of(tokenizer, doc) or [] for doc in docs]
    assert list(dict.fromkeys(row["id"].partition("-")[0] for row in rows)) == [str(n) for n in range(len(docs))]
    if sum(bool(tokens) for tokens in wanted) < 2:
        assert sound == []
        kinds = [row["problem"]["kind"] for row, tokens in zip(rows, wanted, strict=True) if tokens]
        assert set(kinds) <= {"single document"}
        return
    for number, tokens in enumerate(wanted):
        own = [row for row in sound if row["id"].partition("-")[0] == str(number)]
        assert bool(own) == bool(tokens)
        read = []
        for row in own:
            a, b = halves(tokenizer, row)
            assert min(len(a), len(b)) > 0
            is_next = row["nextsentence_label_ids"] == [0]
            if style == "bert-style":
                read += a + (b if is_next else [])
            if not is_next:
                others = [other for n, other in enumerate(wanted) if n != number]
                assert any(contains(other, b) for other in others)
            elif not row["clipped"]:
                assert contains(tokens, a + b)
        if style == "bert-style":
            assert read == tokens


def halves(tokenizer, row):
    """A and B of a row."""
    frame = tokenizer("a", "a")["input_ids"]
    one = tokenizer("a", add_special_tokens=False)["input_ids"]
    size = len(frame) - 2 * len(one)
    before = next(n for n in range(len(frame)) if frame[n : n + len(one)] == one)
    between = frame[before + len(one) :]
    gap = next(n for n in range(len(between)) if between[n : n + len(one)] == one)
    ids, starts = row["input_ids"], row["word_starts"]
    after = size - before - gap
    inside = ids[before : len(ids) - after]
    marks = starts[before : len(ids) - after]
    separator = between[:gap]
    for n in range(1, len(inside)):
        if inside[n : n + gap] == separator and set(marks[n : n + gap]) == {-1}:
            return inside[:n], inside[n + gap :]
    raise AssertionError(row)


def contains(tokens, part):
    return any(tokens[n : n + len(part)] == part for n in range(len(tokens) - len(part) + 1))
