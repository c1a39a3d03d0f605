"""The silo: sets from files and dicts, dev split, problems, statistics, class weights, cache; on Ray as without."""

import gzip
import json
import pickle
import socket
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from farm_ray.artifacts import publish_folder
from farm_ray.data_handler import problems
from farm_ray.data_handler.data_silo import DataSilo, StreamingDataSilo
from farm_ray.data_handler.feature_schema import is_complete
from farm_ray.data_handler.processor import NERProcessor, RegressionProcessor, TextClassificationProcessor
from farm_ray.errors import ConfigError, DataProblemError
from tests.data_handler.data_silo.feature_tables import features
from tests.tiny import tiny_tokenizer

LABELS = ["OTHER", "OFFENSE"]


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    return tiny_tokenizer(tmp_path_factory.mktemp("tokenizer"))


def lines(n, *, label=lambda i: LABELS[i % 2]):
    return "text\tlabel\n" + "".join(f"a good film {'very ' * (i % 7)}\t{label(i)}\n" for i in range(n))


def processor(tokenizer, folder, **options):
    defaults = {"max_seq_len": 16, "label_list": LABELS, "metric": "acc", "quote_char": '"'}
    return TextClassificationProcessor(tokenizer=tokenizer, data_dir=str(folder), **(defaults | options))


def test_sets_from_files(tokenizer, tmp_path):
    (tmp_path / "train.tsv").write_text(lines(40))
    (tmp_path / "test.tsv").write_text(lines(6))
    silo = DataSilo(processor(tokenizer, tmp_path), batch_size=8)
    assert silo.counts == {"train": 36, "dev": 4, "test": 6}
    assert silo.n_samples("dev") == 4
    train, dev = set(silo.data["train"].ids()), set(silo.data["dev"].ids())
    assert not train & dev
    assert train | dev == {f"train.tsv:{n}" for n in range(2, 42)}
    batch = next(iter(silo.get_data_loader("train")))
    assert list(batch) == silo.tensor_names
    assert batch["input_ids"].shape[0] == 8
    assert silo.problem_counts() == {}


def test_a_loop_over_epochs_sees_another_order_in_each(tokenizer, tmp_path):
    (tmp_path / "train.tsv").write_text(lines(40))
    silo = DataSilo(processor(tokenizer, tmp_path), batch_size=8)
    rows = [[batch["input_ids"].tolist() for batch in silo.get_data_loader("train")] for _ in range(2)]
    rows.append([batch["input_ids"].tolist() for batch in silo.loaders["train"]])
    assert rows[0] != rows[1] != rows[2] != rows[0]
    again = DataSilo(processor(tokenizer, tmp_path), batch_size=8)
    assert [batch["input_ids"].tolist() for batch in again.loaders["train"]] == rows[0]
    silo.get_data_loader("train").set_epoch(1)
    assert [batch["input_ids"].tolist() for batch in silo.get_data_loader("train")] == rows[1]
    assert silo.get_data_loader("dev") is silo.loaders["dev"]
    silo.data["train"] = silo.data["train"].subset(np.arange(8))
    assert len(list(silo.get_data_loader("train"))) == 1


def test_empty_parts_of_a_folder_are_told_and_left_out(tokenizer, tmp_path, caplog):
    folder = tmp_path / "train"
    folder.mkdir()
    for number, content in enumerate([lines(20), "text\tlabel\n", "", lines(20)]):
        (folder / f"part-{number}.tsv").write_text(content)
    (folder / "_SUCCESS").touch()
    made = processor(tokenizer, tmp_path, train_filename="train")
    assert DataSilo(made, batch_size=8).counts == {"train": 36, "dev": 4, "test": 0}
    (told,) = [message for message in caplog.messages if "no rows" in message]
    assert told == f"{folder}/part-1.tsv, {folder}/part-2.tsv: no rows, left out"
    streamed = processor(tokenizer, tmp_path, train_filename="train", dev_split=0)
    assert [one.file for one in StreamingDataSilo(streamed, batch_size=8).stream.ranges] == [
        f"{folder}/part-{number}.tsv" for number in (0, 3)
    ]
    for number in (0, 3):
        (folder / f"part-{number}.tsv").write_text("text\tlabel\n")
    with pytest.raises(DataProblemError, match=r"part-0\.tsv has a header but no rows"):
        DataSilo(made, batch_size=8)


def test_a_path_that_is_there_is_not_looked_for_in_the_data_folder(tokenizer, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    for place in ("mine.tsv", "data/only.tsv"):
        (tmp_path / place).write_text(lines(20))
    for filename, rows in ((Path("mine.tsv"), 20), (Path("data/only.tsv"), 20), (Path("only.tsv"), 20)):
        made = processor(tokenizer, "data", train_filename=filename, dev_split=0)
        assert DataSilo(made, batch_size=8).n_samples("train") == rows
    (tmp_path / "data/mine.tsv").write_text(lines(10))
    both = processor(tokenizer, "data", train_filename=Path("mine.tsv"), dev_split=0)
    assert DataSilo(both, batch_size=8).n_samples("train") == 10
    with pytest.raises(DataProblemError, match="data/data/only"):
        DataSilo(processor(tokenizer, "data", train_filename="data/only.tsv", dev_split=0), batch_size=8)
    made.save(tmp_path / "saved")
    assert TextClassificationProcessor.load_from_dir(str(tmp_path / "saved")).train_filename == "only.tsv"


def test_no_test_file_is_fine_only_under_its_default_name(tokenizer, tmp_path):
    (tmp_path / "train.tsv").write_text(lines(40))
    assert DataSilo(processor(tokenizer, tmp_path), batch_size=8).get_data_loader("test") is None
    with pytest.raises(DataProblemError, match=r"mine\.tsv"):
        DataSilo(processor(tokenizer, tmp_path, test_filename="mine.tsv"), batch_size=8)


@pytest.mark.parametrize("missing", ["dev", "test"])
def test_a_missing_file_is_found_before_any_work(tokenizer, tmp_path, missing, monkeypatch):
    (tmp_path / "train.tsv").write_text(lines(40))
    made = processor(tokenizer, tmp_path, **{f"{missing}_filename": "mine.tsv"})
    monkeypatch.setattr(type(made), "read", lambda *_: pytest.fail("the training data was read"))
    with pytest.raises(DataProblemError, match=r"mine\.tsv: there is no such file"):
        DataSilo(made, batch_size=8)


def test_a_missing_web_page_is_found_before_any_work(tokenizer, tmp_path, monkeypatch):
    (tmp_path / "train.tsv").write_text(lines(40))
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{sock.getsockname()[1]}/dev.tsv"
    made = processor(tokenizer, tmp_path, dev_filename=address)
    monkeypatch.setattr(type(made), "read", lambda *_: pytest.fail("the training data was read"))
    with pytest.raises(DataProblemError, match=address):
        DataSilo(made, batch_size=8)


def test_sets_from_dicts(tokenizer):
    silo = DataSilo(processor(tokenizer, "", dev_split=0), batch_size=4, automatic_loading=False)
    dicts = [{"text": "good film", "text_classification_label": LABELS[i % 2]} for i in range(6)]
    silo._load_data(train_dicts=dicts, test_dicts=dicts[:2])
    assert silo.counts == {"train": 6, "dev": 0, "test": 2}


def test_the_first_bad_row_stops_and_tells_the_way_out(tokenizer, tmp_path):
    (tmp_path / "train.tsv").write_text(lines(20, label=lambda i: "OFENSE" if i == 5 else LABELS[i % 2]))
    with pytest.raises(DataProblemError) as told:
        DataSilo(processor(tokenizer, tmp_path), batch_size=4, problems_dir=tmp_path / "run")
    message = str(told.value)
    for part in ("1 of 20 rows", "train.tsv:7", "OFENSE", "OTHER", "max_problem_share=0.05", "problems.parquet"):
        assert part in message, message
    assert "\n" not in message
    stored = pq.read_table(tmp_path / "run" / "problems.parquet").to_pylist()
    assert [(row["set"], row["id"], row["kind"]) for row in stored] == [("train", "train.tsv:7", "unknown label")]


def test_some_bad_rows_may_be_quarantined(tokenizer, tmp_path):
    (tmp_path / "train.tsv").write_text(lines(20, label=lambda i: "OFENSE" if i == 5 else LABELS[i % 2]))
    silo = DataSilo(processor(tokenizer, tmp_path), batch_size=4, max_problem_share=0.05)
    assert silo.counts["train"] + silo.counts["dev"] == 19
    assert silo.problem_counts() == {"unknown label": 1}
    assert "train.tsv:7" not in silo.data["train"].ids() + silo.data["dev"].ids()


def test_what_is_quarantined_is_told(tokenizer, tmp_path, caplog):
    (tmp_path / "train.tsv").write_text(lines(20, label=lambda i: "OFENSE" if i == 5 else LABELS[i % 2]))
    DataSilo(processor(tokenizer, tmp_path), batch_size=4, max_problem_share=0.05)
    (told,) = [record.getMessage() for record in caplog.records if "quarantined" in record.getMessage()]
    assert told.startswith("train: 1 of 20 rows are quarantined (1 x unknown label): train.tsv:7: label ")


def test_a_set_without_any_usable_row_tells_why(tokenizer, tmp_path):
    (tmp_path / "train.tsv").write_text(lines(8, label=lambda _: "OFENSE"))
    with pytest.raises(DataProblemError, match=r"train set has no usable row: 8 of 8 .*train\.tsv:2: .*and 3 more"):
        DataSilo(processor(tokenizer, tmp_path), batch_size=4, max_problem_share=1.0)


def test_the_share_that_the_message_names_is_enough(tokenizer, tmp_path):
    """1 of 30 is more than 0.0333."""
    (tmp_path / "train.tsv").write_text(lines(30, label=lambda i: "OFENSE" if i < 1 else LABELS[i % 2]))
    with pytest.raises(DataProblemError) as told:
        DataSilo(processor(tokenizer, tmp_path), batch_size=4)
    share = float(str(told.value).rpartition("max_problem_share=")[2])
    assert DataSilo(processor(tokenizer, tmp_path), batch_size=4, max_problem_share=share).problem_counts()


@pytest.mark.parametrize(("bad", "proposed"), [(3, True), (4, False), (30, False)])
def test_a_share_above_a_tenth_is_never_proposed(tokenizer, tmp_path, bad, proposed):
    (tmp_path / "train.tsv").write_text(lines(30, label=lambda i: "OFENSE" if i < bad else LABELS[i % 2]))
    with pytest.raises(DataProblemError) as told:
        DataSilo(processor(tokenizer, tmp_path), batch_size=4)
    assert ("max_problem_share=0.1000" in str(told.value)) == proposed
    assert str(told.value).endswith("max_problem_share=0.1000" if proposed else "Fix them")


def test_loading_again_counts_problems_anew(tokenizer, tmp_path):
    (tmp_path / "train.tsv").write_text(lines(20, label=lambda i: "OFENSE" if i == 5 else LABELS[i % 2]))
    silo = DataSilo(processor(tokenizer, tmp_path), batch_size=4, max_problem_share=0.05)
    silo._load_data()
    assert silo.problem_counts() == {"unknown label": 1}


def test_problems_of_several_sets_are_stored_together(tokenizer, tmp_path):
    for name in ("train", "test"):
        (tmp_path / f"{name}.tsv").write_text(lines(20, label=lambda i: "OFENSE" if i == 5 else LABELS[i % 2]))
    DataSilo(processor(tokenizer, tmp_path), batch_size=4, max_problem_share=0.05, problems_dir=tmp_path / "run")
    stored = pq.read_table(tmp_path / "run" / "problems.parquet").to_pylist()
    assert [(row["set"], row["id"]) for row in stored] == [("train", "train.tsv:7"), ("test", "test.tsv:7")]


def test_an_empty_file_does_not_start_ray(tokenizer, tmp_path, monkeypatch):
    (tmp_path / "train.tsv").write_text("")
    monkeypatch.setattr("farm_ray.cluster.connect", lambda: pytest.fail("Ray was to be started"))
    with pytest.raises(DataProblemError, match="is empty"):
        DataSilo(processor(tokenizer, tmp_path), batch_size=4)


def test_one_class_is_refused(tokenizer, tmp_path):
    (tmp_path / "train.tsv").write_text(lines(20, label=lambda _: "OTHER"))
    with pytest.raises(DataProblemError, match='the same label "OTHER" in column "label"'):
        DataSilo(processor(tokenizer, tmp_path), batch_size=4)


def test_labels_without_a_training_row_are_told(tokenizer, tmp_path, caplog):
    (tmp_path / "train.tsv").write_text(lines(20))
    DataSilo(processor(tokenizer, tmp_path), batch_size=4)
    assert caplog.text == ""
    DataSilo(processor(tokenizer, tmp_path, label_list=["ABUSE", *LABELS, "INSULT"]), batch_size=4)
    told = "task text_classification: the labels [ABUSE, INSULT] have no training row"
    assert [told in record.getMessage() for record in caplog.records] == [True]


def test_labels_without_a_training_row_are_told_where_rows_have_several(tokenizer, tmp_path, caplog):
    (tmp_path / "train.tsv").write_text("text\tlabel\n" + "a film\ta,c\na day\t\na fool\tc\n" * 5)
    DataSilo(processor(tokenizer, tmp_path, label_list=["a", "b", "c"], multilabel=True), batch_size=4)
    assert [record.getMessage()[:63] for record in caplog.records] == [
        "task text_classification: the labels [b] have no training row, "
    ]


@pytest.mark.parametrize("share", [0.001, 0.999])
def test_a_dev_split_that_leaves_nothing(tokenizer, tmp_path, share):
    (tmp_path / "train.tsv").write_text(lines(20))
    with pytest.raises(ConfigError, match="dev_split"):
        DataSilo(processor(tokenizer, tmp_path, dev_split=share), batch_size=4)


def test_stratified_dev_split(tokenizer, tmp_path):
    (tmp_path / "train.tsv").write_text(lines(100, label=lambda i: LABELS[i % 10 == 0]))
    silo = DataSilo(processor(tokenizer, tmp_path, dev_split=0.2, dev_stratification=True), batch_size=4)
    labels = silo.data["dev"].column("text_classification_label_ids").ravel()
    assert np.bincount(labels).tolist() == [18, 2]


def test_stratified_dev_split_of_several_labels(tokenizer, tmp_path):
    """Also where most combinations of labels are there once."""
    names = [f"l{n}" for n in range(8)]
    several = [",".join(name for bit, name in enumerate(names) if n % 256 >> bit & 1) for n in range(240)]
    (tmp_path / "train.tsv").write_text(lines(240, label=several.__getitem__))
    made = processor(tokenizer, tmp_path, label_list=names, multilabel=True, dev_split=0.25, dev_stratification=True)
    silo = DataSilo(made, batch_size=4)
    labels = silo.data["dev"].column("text_classification_label_ids")
    assert silo.counts == {"train": 180, "dev": 60, "test": 0}
    whole = [sum(name in labels.split(",") for labels in several) for name in names]
    assert np.abs(labels.sum(axis=0) - np.array(whole) / 4).max() <= 3


def test_stratified_dev_split_of_numbers(tokenizer, tmp_path):
    """Ten bins of a tenth each."""
    (tmp_path / "train.tsv").write_text(lines(200, label=lambda i: (i * 37) % 200))
    made = RegressionProcessor(tokenizer, 16, str(tmp_path), dev_split=0.1, dev_stratification=True)
    silo = DataSilo(made, batch_size=4)
    mean, scale = silo.processor.tasks["regression"]["label_list"]
    values = silo.data["dev"].column("regression_label_ids").ravel() * scale + mean
    assert np.bincount((values.round() // 20).astype(int)).tolist() == [2] * 10


@pytest.mark.parametrize("stratify", [False, True])
def test_windows_of_one_text_stay_together_in_the_dev_split(tokenizer, stratify):
    made = processor(tokenizer, "", dev_split=0.25, dev_stratification=stratify)
    silo = DataSilo(made, batch_size=4, automatic_loading=False)
    numbers = [(source, window) for source in range(40) for window in range(1 + source % 3)]
    silo.data["train"] = features(
        [f"t.txt:{source}-{window}" for source, window in numbers],
        windows=[window for _, window in numbers],
        text_classification_label_ids=[source % 2 for source, _ in numbers],
    )
    silo._split_dev_from_train()
    train, dev = ({one.rpartition("-")[0] for one in silo.data[name].ids()} for name in ("train", "dev"))
    assert not train & dev
    assert (len(train), len(dev)) == (30, 10)
    assert sum(silo.counts.values()) == len(numbers)


def test_the_share_of_bad_rows_is_one_of_source_rows(tokenizer):
    """1 bad one of 4, however many windows the others have."""
    silo = DataSilo(processor(tokenizer, ""), batch_size=4, automatic_loading=False, max_problem_share=0.2)
    table = features(["a-0", "a-1", "a-2", "b-0", "c-0", "d-0"], windows=[0, 1, 2, 0, 0, 0]).table
    bad = problems.at("d", stage="stage 2", kind="bad", message="d: it is bad")
    found = problems.first_of_each(problems.none(6), [None] * 5 + [bad])
    with pytest.raises(DataProblemError, match="1 of 4 rows have problems"):
        silo._accept("train", (table.append_column("problem", found), ()))


def test_stratification_needs_labels(tokenizer):
    silo = DataSilo(processor(tokenizer, "", dev_stratification=True), batch_size=4, automatic_loading=False)
    silo.data["train"] = features([str(n) for n in range(20)])
    with pytest.raises(ConfigError, match="dev_stratification needs labels"):
        silo._split_dev_from_train()


def test_own_split_function(tokenizer, tmp_path):
    (tmp_path / "train.tsv").write_text(lines(20))

    def first_ones(train, dev_split):
        cut = int(len(train) * dev_split)
        return train.subset(np.arange(cut, len(train))), train.subset(np.arange(cut))

    made = processor(tokenizer, tmp_path, dev_split=0.25, dev_stratification=first_ones)
    assert DataSilo(made, batch_size=4).data["dev"].ids() == [f"train.tsv:{n}" for n in range(2, 7)]


def test_class_weights(tokenizer):
    """Three OTHER and one OFFENSE, one of each added: 6 / (2 * 4) and 6 / (2 * 2)."""
    silo = DataSilo(processor(tokenizer, "", dev_split=0), batch_size=4, automatic_loading=False)
    train = ["OTHER", "OTHER", "OFFENSE", "OTHER"]
    silo._load_data(train_dicts=[{"text": "good", "text_classification_label": label} for label in train])
    weights = silo.calculate_class_weights("text_classification")
    assert weights.tolist() == [0.75, 1.5]
    assert weights.dtype == np.float32
    with pytest.raises(ConfigError, match="text_classification"):
        silo.calculate_class_weights("nertask")
    with pytest.raises(ConfigError, match="no train set"):
        DataSilo(processor(tokenizer, ""), 4, automatic_loading=False).calculate_class_weights("text_classification")


@pytest.mark.parametrize("labels", [["O", "B-PER", "I-PER"], ["[PAD]", "X", "O", "B-PER", "I-PER"]])
def test_class_weights_of_tags(tokenizer, tmp_path, caplog, labels):
    """Words count once, in whatever window; with X the special tokens are learned, and count as X."""
    words = [("the", "O"), ("good", "B-PER"), ("film", "O"), ("was", "O")] * 5
    (tmp_path / "train.txt").write_text("".join(f"{word}\t{tag}\n" for word, tag in words))
    made = NERProcessor(tokenizer, 12, str(tmp_path), labels, "seq_f1", dev_filename=None)
    silo = DataSilo(made, batch_size=4)
    assert silo.counts["train"] > 1
    weights = dict(zip(labels, silo.calculate_class_weights("ner").tolist(), strict=True))
    # One more of each: 16 O, 6 B-PER, 1 I-PER.
    assert weights["B-PER"] / weights["O"] == pytest.approx(16 / 6)
    assert weights["I-PER"] / weights["O"] == pytest.approx(16)
    if "X" in labels:
        assert weights["O"] / weights["X"] == pytest.approx((1 + 2 * silo.counts["train"]) / 16)
    assert "task ner: the labels [I-PER] have no training row" in caplog.text


def test_numbers_have_no_class_weights(tokenizer, tmp_path):
    (tmp_path / "train.tsv").write_text(lines(20, label=lambda i: i))
    silo = DataSilo(RegressionProcessor(tokenizer, 16, str(tmp_path)), batch_size=4)
    with pytest.raises(ConfigError, match='labels of task "regression" are numbers'):
        silo.calculate_class_weights("regression")


def test_numbers_that_are_all_the_same_are_refused(tokenizer, tmp_path):
    (tmp_path / "train.tsv").write_text(lines(20, label=lambda _: 4.5))
    with pytest.raises(DataProblemError, match=r'training rows have the same number 4\.5 in column "label"'):
        DataSilo(RegressionProcessor(tokenizer, 16, str(tmp_path)), batch_size=4)


def test_a_set_of_four_training_rows_and_two_test_rows(tokenizer, tmp_path):
    """A column of texts under another name; weights of all sets together are those of 3 OFFENSE and 3 OTHER."""
    (tmp_path / "train.tsv").write_text("comment\tlabel\na\tOTHER\nb\tOTHER\nc\tOTHER\nd\tOFFENSE\n")
    (tmp_path / "test.tsv").write_text("comment\tlabel\ne\tOFFENSE\nf\tOFFENSE\n")
    silo = DataSilo(processor(tokenizer, tmp_path, dev_split=0, text_column_name="comment"), batch_size=2)
    assert silo.counts == {"train": 4, "dev": 0, "test": 2}
    assert silo.calculate_class_weights("text_classification").tolist() == [0.75, 1.5]
    assert silo.calculate_class_weights("text_classification", source="all").tolist() == [1.0, 1.0]


def test_statistics_and_clipping_tip(tokenizer, tmp_path, caplog):
    (tmp_path / "train.tsv").write_text(lines(20))
    silo = DataSilo(processor(tokenizer, tmp_path, max_seq_len=5), batch_size=4)
    facts = silo.statistics()
    assert (facts["n_samples_train"], facts["n_samples_dev"], facts["max_seq_len_seen"]) == (18, 2, 5)
    assert facts["clipped"] > 0.5
    assert "max_seq_len=5" in caplog.text


def test_cache_is_keyed_by_contents_and_settings(tokenizer, tmp_path):
    (tmp_path / "train.tsv").write_text(lines(20))
    cache = tmp_path / "cache"

    def entries(**options):
        silo = DataSilo(processor(tokenizer, tmp_path, **options), batch_size=4, caching=True, cache_path=cache)
        return len(list(cache.iterdir())), silo

    made, first = entries()
    again, second = entries()
    assert made == again == 1
    assert first.data["train"].table.equals(second.data["train"].table)
    assert entries(max_seq_len=8)[0] == 2
    (tmp_path / "train.tsv").write_text(lines(21))
    assert entries()[0] == 3
    recipe = json.loads(next(cache.iterdir()).joinpath("recipe.json").read_text())
    assert recipe["file"] == "train.tsv"


def test_a_damaged_cache_entry_is_made_anew(tokenizer, tmp_path):
    (tmp_path / "train.tsv").write_text(lines(20))
    options = {"batch_size": 4, "caching": True, "cache_path": tmp_path / "cache"}
    DataSilo(processor(tokenizer, tmp_path), **options)
    file = next((tmp_path / "cache").glob("*/features.parquet"))
    file.write_bytes(file.read_bytes()[:-10])
    assert DataSilo(processor(tokenizer, tmp_path), **options).n_samples("train") == 18


def test_a_cache_entry_without_a_schema_is_made_again(tokenizer, tmp_path):
    """As versions wrote it whose columns did not say what they are."""
    (tmp_path / "train.tsv").write_text(lines(20))
    options = {"batch_size": 4, "caching": True, "cache_path": tmp_path / "cache"}
    DataSilo(processor(tokenizer, tmp_path), **options)
    file = next((tmp_path / "cache").glob("*/features.parquet"))
    table = pq.read_table(file)
    bare = pa.table({name: table.column(name) for name in table.column_names})
    publish_folder(file.parent, lambda aside: pq.write_table(bare, aside / file.name))
    silo = DataSilo(processor(tokenizer, tmp_path), **options)
    assert silo.tensor_names[-1] == "text_classification_label_ids"
    assert is_complete(pq.read_schema(file))


class Evil:
    def __reduce__(self):
        return open, ("evil_was_here", "w")


def test_a_cache_is_never_unpickled(tokenizer, tmp_path, monkeypatch):
    import ray.data  # noqa: F401 - it registers the type whose values are unpickled

    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.tsv").write_text(lines(20))
    options = {"batch_size": 4, "caching": True, "cache_path": tmp_path / "cache"}
    DataSilo(processor(tokenizer, tmp_path), **options)
    file = next((tmp_path / "cache").glob("*/features.parquet"))
    (file.parent / "checksums.json").unlink()
    table = pq.read_table(file)
    told = {b"ARROW:extension:name": b"ray.data.arrow_pickled_object", b"ARROW:extension:metadata": b""}
    ids = pa.array([pickle.dumps(Evil())] * len(table), pa.large_binary())
    place = table.schema.get_field_index("id")
    pq.write_table(table.set_column(place, pa.field("id", ids.type, metadata=told), ids), file)
    assert DataSilo(processor(tokenizer, tmp_path), **options).n_samples("train") == 18
    assert not (tmp_path / "evil_was_here").exists()


def test_a_cache_must_be_a_folder(tokenizer, tmp_path):
    (tmp_path / "train.tsv").write_text(lines(20))
    place = {"caching": True, "cache_path": "s3://key:secret@bucket/cache"}
    with pytest.raises(ConfigError, match=r"not s3://\*\*\*@bucket/cache; give another cache_path"):
        DataSilo(processor(tokenizer, tmp_path), batch_size=4, **place)


@pytest.mark.parametrize("numbers", [{"batch_size": 0}, {"batch_size": 4, "max_problem_share": 2}])
def test_senseless_numbers(tokenizer, tmp_path, numbers):
    with pytest.raises(ConfigError, match=next(reversed(numbers))):
        DataSilo(processor(tokenizer, tmp_path), **numbers)


def test_unknown_argument_names_the_nearest(tokenizer, tmp_path):
    with pytest.raises(TypeError, match="eval_batch_size"):
        DataSilo(processor(tokenizer, tmp_path), batch_size=4, eval_batchsize=8)


@pytest.mark.cluster
@pytest.mark.usefixtures("ray_cluster")
def test_on_ray_as_in_this_process(tokenizer, tmp_path):
    """Several files, one gzipped, cut into many tasks: the same table, row for row."""
    folder = tmp_path / "train"
    folder.mkdir()
    for name, rows in {"a.tsv": 9000, "b.tsv": 1, "c.tsv": 3000}.items():
        (folder / name).write_text(lines(rows, label=lambda i: "OFENSE" if i == 17 else LABELS[i % 2]))
    with gzip.open(folder / "d.tsv.gz", "wt") as file:
        file.write(lines(2500))
    options = {"train_filename": "train", "test_filename": None, "dev_split": 0.1}

    def silo(**how):
        return DataSilo(processor(tokenizer, tmp_path, **options), batch_size=4, max_problem_share=0.01, **how)

    alone, parallel = silo(max_processes=1), silo(max_multiprocessing_chunksize=700)
    assert parallel.data["train"].blocks
    assert len(parallel.data["train"].table.column("id").chunks) > 5
    for name in ("train", "dev"):
        assert parallel.data[name].ids() == alone.data[name].ids()
    assert parallel.data["train"].table.combine_chunks().equals(alone.data["train"].table.combine_chunks())
    assert parallel.problem_counts() == {"unknown label": 2}


@pytest.mark.cluster
@pytest.mark.usefixtures("ray_cluster")
def test_errors_come_back_from_ray_as_they_are(tokenizer, tmp_path):
    folder = tmp_path / "train"
    folder.mkdir()
    (folder / "a.tsv").write_text(lines(20000))
    (folder / "b.tsv").write_text(lines(9).replace("label", "lable"))
    with pytest.raises(DataProblemError, match="lable") as told:
        DataSilo(processor(tokenizer, tmp_path, train_filename="train"), batch_size=4)
    assert "\n" not in str(told.value)


def test_dicts_may_be_a_frame_and_are_never_its_columns(tokenizer):
    rows = [{"text": "a good film", "text_classification_label": label} for label in LABELS]
    for given in (pd.DataFrame(rows), (row for row in rows)):
        silo = DataSilo(processor(tokenizer, "", dev_split=0.0), batch_size=8, automatic_loading=False)
        silo._load_data(train_dicts=given, test_dicts=pd.DataFrame(rows[:1]))
        assert silo.counts == {"train": 2, "dev": 0, "test": 1}
    with pytest.raises(ConfigError, match="test_dicts must be a list"):
        silo._load_data(train_dicts=rows, test_dicts={"text": ["a"]})
    dataset, _, problematic = silo.processor.dataset_from_dicts(pd.DataFrame(rows))
    assert (len(dataset), problematic) == (2, set())
    with pytest.raises(ConfigError, match="not one str"):
        silo.processor.dataset_from_dicts("a good film")


@pytest.mark.parametrize(
    "given", [{"batch_size": "4"}, {"batch_size": True}, {"max_processes": None}, {"max_problem_share": "0.1"}]
)
def test_numbers_of_other_kinds_are_refused(tokenizer, tmp_path, given):
    [[name, value]] = given.items()
    with pytest.raises(ConfigError, match=rf"^{name} .*not {value!r}$"):
        DataSilo(processor(tokenizer, tmp_path), **{"batch_size": 4} | given)
