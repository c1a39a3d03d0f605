"""The processor of language models: files of any kind, settings, tensors, what is saved."""

import gzip
import itertools
import json
import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from transformers import BertTokenizerLegacy as SlowTokenizer

from farm_ray.data_handler.batches import FeatureSet
from farm_ray.data_handler.data_silo.input_files import planned_splits
from farm_ray.data_handler.file_to_dicts.splits import Split
from farm_ray.data_handler.processor import BertStyleLMProcessor, InferenceProcessor, Processor
from farm_ray.errors import ConfigError, DataProblemError
from tests.data_handler.processor.small_corpus import DOCS, TRAIN, maker
from tests.raised import raised
from tests.tiny import tiny_tokenizer, tiny_xlnet


@pytest.fixture
def make(tokenizer, tmp_path):
    return maker(tokenizer, tmp_path)


def ids(tables):
    return [row for table in tables for row in table["id"].to_pylist()]


def docs(tables):
    return [row for table in tables for row in table["doc"].to_pylist()]


def test_tasks(make):
    lm = {"task_type": "language_modelling", "label_list": [], "metric": "acc", "label_tensor_name": "lm_label_ids"}
    assert {name: make().tasks["lm"][name] for name in lm} == lm
    pairs = make().tasks["nextsentence"]
    assert (pairs["label_list"], pairs["label_tensor_name"]) == (["True", "False"], "nextsentence_label_ids")
    assert list(make(next_sent_pred=False).tasks) == ["lm"]
    make().check_ready_for_training()


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"next_sent_pred_style": "pairs"}, 'must be "bert-style" or "sentence"'),
        ({"mask_count_rule": "all"}, 'must be "real_tokens" or "farm"'),
        ({"masked_lm_prob": 0.0}, "must be a share above 0"),
        ({"max_docs": 0}, "max_docs must be a number of documents"),
        ({"max_seq_len": 4}, "leaves no room for a pair of texts"),
    ],
)
def test_settings_that_cannot_be_meant(make, wrong, told):
    with pytest.raises(ConfigError, match=told):
        make(**wrong)


def test_tokenizers_that_do_not_fit(make, tmp_path, tokenizer):
    without = type(tokenizer).from_pretrained(tokenizer.name_or_path, mask_token=None)
    without.mask_token = None
    with raised(ConfigError, "no-mask-token"):
        make(tokenizer=without)
    (tmp_path / "vocab.txt").write_text("\n".join(tokenizer.get_vocab()))
    with pytest.raises(ValueError, match="is a slow tokenizer"):
        make(tokenizer=SlowTokenizer(str(tmp_path / "vocab.txt")))


def test_files_of_any_kind_hold_the_same_documents(make, tmp_path):
    processor = make(next_sent_pred=False)
    wanted = [row["doc"] for row in DOCS]
    (tmp_path / "a.txt.gz").write_bytes(gzip.compress(TRAIN.encode()))
    rows = [{"text": wanted[0]}, {"text": "\n".join(wanted[1])}, {"text": "\r\n".join([*wanted[2], "", " "])}]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    pq.write_table(pa.table({"text": wanted}), tmp_path / "a.parquet")
    names = {
        "train.txt": ["train.txt@0", "train.txt@45", "train.txt@81"],
        "a.txt.gz": ["a.txt.gz@0", "a.txt.gz@45", "a.txt.gz@81"],
        "a.jsonl": ["a.jsonl:1", "a.jsonl:2", "a.jsonl:3"],
        "a.parquet": ["a.parquet:1", "a.parquet:2", "a.parquet:3"],
    }
    for name, rows in names.items():
        path = str(tmp_path / name)
        tables = list(processor.read(Split(path)))
        assert (ids(tables), docs(tables)) == (rows, wanted)
        for window in (10, 50, 1000):
            parts = planned_splits(processor, [path], window)
            windows = [list(processor.read(part)) for part in parts]
            assert ids(itertools.chain(*windows)) == rows
            assert docs(itertools.chain(*windows)) == wanted
            if name == "train.txt":
                assert all(len(one) == 1 for one in windows)
                assert [(part.start, part.end) for part in parts] == {
                    10: [(n * 106 // 10, (n + 1) * 106 // 10) for n in range(10)],
                    50: [(0, 53), (53, 106)],
                    1000: [(0, 106)],
                }[window]
            elif name != "a.jsonl":
                assert [(part.start, part.end) for part in parts] == [(0, None)]
        assert list(processor.file_to_dicts(path)) == DOCS
    assert list(processor.file_to_dicts(str(tmp_path / "a.*"))) == 3 * DOCS


def test_files_read_as_a_whole_give_no_table_of_one_document(make, tmp_path):
    """Whatever the size of tables: there is something to draw from."""
    (tmp_path / "a.txt.gz").write_bytes(gzip.compress(TRAIN.encode()))
    for window in (1, 30, 60, 90, 200):
        (part,) = make().splits(str(tmp_path / "a.txt.gz"), window)
        tables = list(make().read(part))
        assert min(table.num_rows for table in tables) > 1
        assert ids(tables) == ["a.txt.gz@0", "a.txt.gz@45", "a.txt.gz@81"]
        assert len(tables) == 1
    (tmp_path / "c.txt.gz").write_bytes(gzip.compress(b"one\n\ntwo\n\n" * 50 + b"three"))
    (part,) = make().splits(str(tmp_path / "c.txt.gz"), 3)
    assert [table.num_rows for table in make().read(part)] == [2] * 49 + [3]
    (tmp_path / "b.txt.gz").write_bytes(gzip.compress(b"one\n"))
    assert [table.num_rows for table in make().read(Split(str(tmp_path / "b.txt.gz")))] == [1]


def test_a_file_that_breaks_off_gives_its_documents_before(make, tmp_path):
    content = b"".join(b"document %d\nwith lines %x\n\n" % (n, n * 7919 % 10007) for n in range(20_000))
    packed = gzip.compress(content)
    (tmp_path / "a.txt.gz").write_bytes(packed[: len(packed) // 2])
    (part,) = make().splits(str(tmp_path / "a.txt.gz"), 50_000)
    found = []
    with pytest.raises(DataProblemError, match=r"a\.txt\.gz: .*breaks off.* up to byte") as told:
        found.extend(make().read(part))
    assert told.value.facts["byte"] - int(ids(found)[-1].partition("@")[2]) < 100


def test_another_text_column_and_rows_that_are_no_document(make, tmp_path):
    rows = [
        '{"body": "one\\ntwo"}',
        '{"body": null}',
        "{",
        '{"body": ["a", 3]}',
        '{"body": " "}',
        '{"body": "half \\ud83d"}',
    ]
    (tmp_path / "a.jsonl").write_text("\n".join(rows))
    table = pa.concat_tables(make(text_column_name="body").read(Split(str(tmp_path / "a.jsonl"))))
    assert table["doc"].to_pylist() == [["one", "two"], None, None, None, None, ["half \\ud83d"]]
    kinds = [problem and problem["kind"] for problem in table["problem"].to_pylist()]
    assert kinds == [None, "missing document", "broken JSON", "not a document", "empty document", None]
    messages = [problem and problem["message"] for problem in table["problem"].to_pylist()]
    assert messages[1] == 'a.jsonl:2 has no "body"; fill it in, or remove the row'
    with raised(DataProblemError, "missing-column", column="text"):
        list(make().read(Split(str(tmp_path / "a.jsonl"))))
    pq.write_table(pa.table({"text": [7]}), tmp_path / "a.parquet")
    (table,) = make().read(Split(str(tmp_path / "a.parquet")))
    (problem,) = table["problem"].to_pylist()
    assert problem["message"] == 'a.parquet:1 has "text" of type int; give a text, or a list of sentences'
    assert (problem["kind"], problem["value"]) == ("not a document", "7")


def test_a_line_of_a_megabyte_is_cut_into_rows(make, tmp_path):
    (tmp_path / "a.txt").write_text("good day\n\n" + "a good film " * 90_000 + "\n\ndull\n")
    processor = make(max_seq_len=128)
    table = pa.concat_tables(processor.read(Split(str(tmp_path / "a.txt"))))
    features = processor.featurize(table)
    assert features["problem"].null_count == features.num_rows > 270_000 // 128
    plain = make(max_seq_len=128, next_sent_pred=False)
    lengths = plain.featurize(table)["n_tokens"].to_numpy()
    assert lengths.sum() == 270_000 + 3 + 2 * (2143 + 2)
    assert (lengths == 128).sum() > 2000


def test_max_docs(make, tmp_path):
    processor = make(max_docs=2)
    path = str(tmp_path / "train.txt")
    assert ids(processor.read(Split(path))) == ["train.txt@0", "train.txt@45"]
    (part,) = processor.splits(path, 10)
    assert ids(processor.read(part)) == ["train.txt@0", "train.txt@45"]


def test_ranges_of_a_processor_of_ones_own(make, tmp_path, tokenizer):
    class Poems(BertStyleLMProcessor):
        def file_to_dicts(self, file):
            return [{"doc": ["a good", "day"]}, {"doc": ["a dull film", "was bad"]}]

    make()
    processor = Poems(tokenizer, 16, tmp_path)
    path = str(tmp_path / "train.txt")
    (part,) = processor.splits(path, 10)
    assert ids(processor.read(part)) == ["train.txt:1", "train.txt:2"]


def test_each_pass_draws_others(make):
    processor = make()
    table = processor.dicts_to_table(DOCS * 20)
    first = processor.featurize(table)
    assert processor.for_pass(42, 0).featurize(table).equals(first)
    other = processor.for_pass(42, 1)
    assert not other.featurize(table).equals(first)
    assert not processor.for_pass(43, 0).featurize(table).equals(first)
    assert len({processor.fingerprint(), other.fingerprint(), processor.for_pass(43, 0).fingerprint()}) == 3
    assert processor.fingerprint() == processor.for_pass(42, 0).fingerprint()
    plain = make(next_sent_pred=False)
    assert plain.for_pass(7, 3) is plain


def test_masking_of_the_processor(make, tokenizer):
    masking = make(masked_lm_prob=0.2, whole_word_masking=False).masking(3)
    assert (masking.mask_token_id, masking.vocab_size, masking.seed) == (tokenizer.mask_token_id, len(tokenizer), 3)
    assert (masking.masked_lm_prob, masking.whole_words, masking.max_predictions) == (0.2, False, None)
    assert make(mask_count_rule="farm").masking(3).max_predictions == 20
    assert Processor.masking(make(), 3) is None


def test_features_batch_with_padding_on_the_left(make):
    """XLNet's kind: what is masked does not depend on the padding."""
    processor = make(tokenizer=tiny_xlnet(), next_sent_pred=False, packing=False, whole_word_masking=False)
    features = processor.featurize(processor.dicts_to_table(DOCS))
    rows = FeatureSet(
        table=features, rows=np.arange(features.num_rows), padding=processor.padding(), masking=processor.masking(1)
    )
    assert rows.tensor_names == ["input_ids", "padding_mask", "segment_ids", "lm_label_ids"]
    batch = rows.batch(np.arange(len(rows)), epoch=2)
    for position in range(len(rows)):
        alone = rows.batch(np.array([position]), epoch=2)
        width = alone["input_ids"].shape[1]
        for name, tensor in alone.items():
            assert tensor[0].tolist() == batch[name][position, -width:].tolist()
        assert (batch["lm_label_ids"][position, :-width] == -1).all()
    other = rows.batch(np.arange(len(rows)), epoch=3)
    assert (other["lm_label_ids"] != batch["lm_label_ids"]).any()
    assert (rows.subset(np.array([1])).batch(np.array([0]), 2)["lm_label_ids"][0] >= 0).sum() == (
        batch["lm_label_ids"][1] >= 0
    ).sum()


def test_save_and_load_without_the_vocabulary(make, tmp_path):
    processor = make(next_sent_pred_style="sentence", masked_lm_prob=0.3, packing=False, mask_count_rule="farm")
    processor.save(tmp_path / "saved")
    text = (tmp_path / "saved" / "processor_config.json").read_text()
    assert "schlecht" not in text
    again = Processor.load_from_dir(tmp_path / "saved")
    assert type(again) is BertStyleLMProcessor
    assert again.fingerprint() == processor.fingerprint()
    table = processor.dicts_to_table(DOCS)
    assert again.featurize(table).equals(processor.featurize(table))
    loaded = Processor.load("BertStyleLMProcessor", None, processor.tokenizer, 16, "t.txt", None, None, 0.1, max_docs=5)
    assert (loaded.max_docs, loaded.train_filename) == (5, "t.txt")
    assert list(InferenceProcessor.load_from_dir(tmp_path / "saved").tasks) == ["lm", "nextsentence"]


def test_a_processor_that_farm_saved(make, tmp_path, tokenizer):
    """FARM wrote the vocabulary into the file, and named the labels of pairs the wrong way round."""
    make().save(tmp_path / "saved")
    path = tmp_path / "saved" / "processor_config.json"
    settings = json.loads(path.read_text())
    settings["tasks"]["lm"] |= {"label_list": list(tokenizer.get_vocab()), "task_type": None}
    settings["tasks"]["nextsentence"] |= {"label_list": ["False", "True"], "task_type": None}
    path.write_text(json.dumps(settings))
    again = Processor.load_from_dir(tmp_path / "saved")
    assert again.tasks == make().tasks


def test_added_tokens(make, tmp_path, tokenizer):
    assert make().get_added_tokens() == []
    own = type(tokenizer).from_pretrained(tokenizer.name_or_path)
    own.add_tokens(["aardvark", "zebra"])
    assert make(tokenizer=own).get_added_tokens() == ["aardvark", "zebra"]


def test_a_range_with_one_document_borrows_from_its_neighbours(tiny_folder, tmp_path):
    """Long documents, short ranges: half of the pairs are random, and every document gives its own rows once."""
    words = ["the film was good", "a very dull movie", "you are a fool"]
    texts = ["\n".join([words[number]] * 60) for number in range(3)]
    path = tmp_path / "train.txt"
    path.write_text("\n\n".join(texts))
    made = BertStyleLMProcessor(tiny_tokenizer(tiny_folder), 24, tmp_path)
    total = path.stat().st_size
    parts = [Split(str(path), start, min(start + 500, total)) for start in range(0, total, 500)]
    features = [made.featurize(table) for part in parts for table in made.read(part)]
    rows = pa.concat_tables(features)
    assert rows["problem"].null_count == rows.num_rows
    assert len(set(rows["id"].to_pylist())) == rows.num_rows
    assert {name.split("-")[0] for name in rows["id"].to_pylist()} == starts(path)
    labels = pc.list_flatten(rows["nextsentence_label_ids"]).to_numpy()
    assert 0.3 < labels.mean() < 0.7


def starts(path):
    """The ids of all documents of a file."""
    text = path.read_text()
    return {f"{path.name}@{0 if at == 0 else at + 2}" for at in [0, *(m.start() for m in re.finditer("\n\n", text))]}
