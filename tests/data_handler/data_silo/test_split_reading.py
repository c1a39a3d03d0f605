"""Ranges of a corpus in a store that fails, changes, or holds damaged files."""

import gzip
import io
import itertools
import random
from dataclasses import replace
from unittest import mock

import pyarrow as pa
import pytest
from pyarrow import fs

from farm_ray import storage
from farm_ray.data_handler import problems
from farm_ray.data_handler.data_silo import StreamingDataSilo
from farm_ray.data_handler.data_silo.input_files import planned_splits
from farm_ray.data_handler.data_silo.split_reading import KIND, split_tables
from farm_ray.data_handler.data_silo.stream import featurized_windows
from farm_ray.data_handler.file_to_dicts import documents
from farm_ray.data_handler.file_to_dicts.splits import Split
from farm_ray.data_handler.order import Reading
from farm_ray.data_handler.processor import (
    BertStyleLMProcessor,
    NERProcessor,
    RegressionProcessor,
    TextClassificationProcessor,
    TextPairClassificationProcessor,
)
from farm_ray.errors import DataProblemError
from tests.misbehaving import misbehaving
from tests.raised import raised

DOCUMENTS = "".join(f"a good film was {number}\nvery dull text\n\n" for number in range(2000)).encode()
_ONCE = fs.AwsStandardS3RetryStrategy(max_attempts=1)


@pytest.fixture
def processor(tokenizer):
    return BertStyleLMProcessor(tokenizer, 32, None, next_sent_pred=False)


@pytest.fixture
def store(monkeypatch):
    """A store whose clients do not wait for long."""
    monkeypatch.setattr(fs, "AwsStandardS3RetryStrategy", lambda max_attempts: _ONCE)
    monkeypatch.setattr("farm_ray.storage.patience.FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr("farm_ray.storage.patience.PATIENCE_S", 10.0)
    monkeypatch.setattr("farm_ray.storage.systems.S3_TIMEOUT_S", 0.2)
    monkeypatch.setattr("farm_ray.storage.web.TIMEOUT_S", 0.2)
    with misbehaving() as one:
        one.body = DOCUMENTS
        yield one


def whole(uri, **options):
    return Split(uri, table_bytes=4096, **options)


def ids(tables):
    return [table.column("id").to_pylist() for table in tables]


def windows(processor, reading, source):
    return list(featurized_windows(lambda: processor, reading, source, seed=1, keep_going=True))


def local_windows(processor, tmp_path, body=DOCUMENTS):
    path = tmp_path / "corpus"
    path.write_bytes(body)
    return ids(split_tables(processor, whole(str(path))))


@pytest.mark.parametrize("kind", ["s3", "web"])
@pytest.mark.parametrize("behaviour", [503, "drop", "cut"])
def test_a_quarter_of_the_requests_fail(processor, store, tmp_path, kind, behaviour):
    drawn = random.Random(1)
    uri = getattr(store, kind)
    source = whole(uri, stamp=storage.change_stamp(uri))
    store.answers = lambda number, method: behaviour if drawn.random() < 0.25 else None
    assert ids(split_tables(processor, source)) == local_windows(processor, tmp_path)
    if kind == "s3":
        parts = [
            replace(source, start=at, end=min(at + 20000, len(DOCUMENTS))) for at in range(0, len(DOCUMENTS), 20000)
        ]
        found = [name for part in parts for table in ids(split_tables(processor, part)) for name in table]
        assert found == list(itertools.chain.from_iterable(local_windows(processor, tmp_path)))
        assert len(store.requests) > 2 * len(parts)


@pytest.mark.parametrize("breaks", range(1, 5))
def test_windows_are_those_of_a_file_that_is_read_at_once(processor, tmp_path, breaks, monkeypatch):
    """Whatever the number of documents in a table: windows of several rows are made of more than one."""
    monkeypatch.setattr("farm_ray.storage.patience.FIRST_PAUSE_S", 0.01)
    sizes = [4100, 4100, 20, 4100, 20, 4100, 4100]
    body = b"".join(b"film " * (size // 5) + b"\n\n" for size in sizes)
    windows = local_windows(processor, tmp_path, body)
    assert sum(map(len, windows)) == len(sizes)
    breaking = _BreaksOff(processor, breaks)
    assert ids(split_tables(breaking, whole(str(tmp_path / "corpus")))) == windows
    assert breaking.left == 0


class _BreaksOff:
    """The processor with a store whose connection breaks some times, each time a block earlier."""

    def __init__(self, processor, breaks):
        self.processor, self.left = processor, breaks

    def read(self, part):
        with mock.patch.object(documents, "open_binary", self.opened), mock.patch.object(documents, "_BLOCK", 3000):
            yield from self.processor.read(part)

    def opened(self, uri, **options):
        file = storage.open_binary(uri, **options)
        blocks = itertools.count(1)

        class Broken(io.BytesIO):
            def read1(_, size):  # noqa: N805 - `self` is the one around it
                if self.left and next(blocks) == self.left + 1:
                    self.left -= 1
                    raise DataProblemError("cannot read: the connection broke", transient=True)
                return file.read1(size)

        return Broken()


@pytest.mark.parametrize("kind", ["s3", "web"])
def test_a_store_that_is_silent_for_a_while(processor, store, tmp_path, kind):
    uri = getattr(store, kind)
    source = whole(uri, stamp=storage.change_stamp(uri))
    store.answers = lambda number, method: "silent" if number == 3 else None
    assert ids(split_tables(processor, source)) == local_windows(processor, tmp_path)


@pytest.mark.parametrize("keep_going", [False, True])
def test_a_store_that_fails_for_long_ends_the_run(processor, store, keep_going, monkeypatch):
    monkeypatch.setattr("farm_ray.storage.patience.PATIENCE_S", 0.1)
    store.answers = lambda number, method: 503
    with pytest.raises(DataProblemError, match=r"^cannot read s3://data/corpus: .*\(HTTP 503\); tried \d+ times") as e:
        list(split_tables(processor, whole(store.s3), keep_going=keep_going))
    assert len(store.requests) >= 2
    assert e.value.facts["transient"]


@pytest.mark.parametrize("kind", ["s3", "web"])
@pytest.mark.parametrize("keep_going", [False, True])
def test_an_object_that_changes_ends_the_run(processor, store, kind, keep_going):
    uri = getattr(store, kind)
    source = Split(uri, 0, 5000, stamp=storage.change_stamp(uri))
    if kind == "web":
        source = replace(source, end=None, table_bytes=4096)
    assert list(split_tables(processor, source))
    store.etag = '"two"'
    with pytest.raises(DataProblemError, match=r"/corpus has changed since the run began \(.*\): start from scratch$"):
        list(split_tables(processor, source, keep_going=keep_going))


def test_an_object_that_changes_while_it_is_read(processor, store):
    source = whole(store.s3, stamp=storage.change_stamp(store.s3))
    tables = split_tables(processor, source)
    next(tables)
    store.etag = '"two"'
    with raised(DataProblemError, "file-changed"):
        list(tables)


def test_a_local_file_that_grows(processor, tmp_path):
    path = tmp_path / "corpus.txt"
    path.write_bytes(DOCUMENTS)
    source = Split(str(path), 0, 100, stamp=storage.change_stamp(path))
    assert list(split_tables(processor, source))
    path.write_bytes(DOCUMENTS + b"more\n")
    with raised(DataProblemError, "file-changed", file="corpus.txt"):
        list(split_tables(processor, source))


def test_a_denied_object_ends_the_run(processor, store):
    store.answers = lambda number, method: 403
    with pytest.raises(DataProblemError, match="access denied"):
        list(split_tables(processor, whole(store.s3), keep_going=True))
    assert len(store.requests) == 1


@pytest.mark.parametrize("name", ["corpus.gz", "gone"])
def test_an_unreadable_range_is_quarantined_with_its_reason(processor, tmp_path, name):
    path = tmp_path / name
    packed = gzip.compress(10 * DOCUMENTS)
    if name != "gone":
        path.write_bytes(packed[: len(packed) * 4 // 5])
    source = whole(str(path))
    with pytest.raises(DataProblemError, match=name):
        list(split_tables(processor, source))
    *sound, last = split_tables(processor, source, keep_going=True)
    assert bool(sound) == (name != "gone")
    (row,) = last.to_pylist()
    assert row["problem"]["kind"] == KIND
    assert (row["problem"]["stage"], row["problem"]["file"]) == ("file_to_dicts", name)
    assert row["problem"]["message"].startswith(f"cannot read {path}: ")
    reading = Reading(0, 0, 0, 0, len(sound))
    ((mark, features),) = windows(processor, reading, source)
    assert (mark, features.num_rows) == ((0, 0, 0, len(sound)), 1)
    assert windows(processor, replace(reading, first_window=len(sound) + 1), source) == []


class OwnLabels(TextClassificationProcessor):
    """Converts its labels itself."""

    def convert_labels(self, dictionary):
        return {"text_classification_label_ids": [len(dictionary["text"]) % 2]}


def processors(tokenizer):
    files = {"tokenizer": tokenizer, "max_seq_len": 16, "data_dir": None}
    labels = {"label_list": ["good", "bad"], "metric": "acc"}
    text = ("text\tlabel\na good film\tgood\n", "a.tsv")
    pair = ("text\ttext_b\tlabel\na good film\ta film\tgood\n", "a.tsv")
    number = ("text\tlabel\na good film\t0.5\n", "a.tsv")
    return {
        "text": (TextClassificationProcessor(**files, **labels), *text),
        "own labels": (OwnLabels(**files, **labels), *text),
        "pair": (TextPairClassificationProcessor(**files, **labels), *pair),
        "number": (RegressionProcessor(**files, scaler_mean=0.0, scaler_scale=1.0), *number),
        "words": (NERProcessor(**files, label_list=["O", "B-X"], metric="seq_f1"), "film\tO\n", "a.txt"),
        "documents": (BertStyleLMProcessor(**files, next_sent_pred=False), "a film\n", "a.txt"),
        "pairs of documents": (BertStyleLMProcessor(**files), "a film\n\nnice\nday\n", "a.txt"),
    }


@pytest.mark.parametrize("name", ["text", "own labels", "pair", "number", "words", "documents", "pairs of documents"])
def test_every_processor_has_rows_for_unreadable_ranges(tokenizer, tmp_path, name):
    processor, content, file = processors(tokenizer)[name]
    path = tmp_path / file
    path.write_text(content)
    reading = Reading(0, 0, 0, 0, 0)
    ((_, sound),) = windows(processor, reading, Split(str(path)))
    path.unlink()
    ((_, bad),) = windows(processor, reading, Split(str(path)))
    assert bad.num_rows == 1
    assert problems.of(bad).to_pylist()[0]["kind"] == KIND
    assert pa.concat_tables([sound, bad]).num_rows == sound.num_rows + 1


def test_a_stream_goes_on_without_a_damaged_file(tokenizer, tmp_path):
    packed = gzip.compress(DOCUMENTS[:3000])
    for number in range(4):
        (tmp_path / f"part-{number}.txt.gz").write_bytes(packed if number else packed[:-30])
    processor = BertStyleLMProcessor(
        tokenizer, 32, tmp_path, "*.gz", dev_filename=None, test_filename=None, next_sent_pred=False
    )
    with pytest.raises(DataProblemError, match=r"part-0.txt.gz: the compressed file breaks off"):
        list(StreamingDataSilo(processor, 8).get_data_loader("train"))
    silo = StreamingDataSilo(processor, 8, max_problem_share=0.1)
    rows = sum(len(batch["input_ids"]) for batch in silo.get_data_loader("train"))
    assert rows > 0.7 * len(silo.stream)


@pytest.mark.parametrize("behaviour", [503, "drop"])
def test_a_table_is_looked_through_in_spite_of_a_store_that_fails(tokenizer, store, tmp_path, behaviour):
    """Every ninth request: splits, their borders and lines are those of the file on a disk."""
    store.body = b"text\n" + b"".join(b'the film %d\n"was\ngood"\n' % number for number in range(300))
    path = tmp_path / "corpus"
    path.write_bytes(store.body)
    made = TextClassificationProcessor(tokenizer, 16, None, quote_char='"').for_inference().frozen()
    store.answers = lambda number, method: behaviour if number % 9 == 4 else None
    found = planned_splits(made, [store.s3], 2000)
    expected = planned_splits(made, [str(path)], 2000)
    assert len(found) > 2
    assert [(one.start, one.end, one.first_line) for one in found] == [
        (one.start, one.end, one.first_line) for one in expected
    ]
