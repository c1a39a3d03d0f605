"""The silo: sets from files and dicts, dev split, problems, statistics, class weights, cache; on Ray as without."""

import numpy as np
import pytest

from farm_ray.data_handler.data_silo import DataSilo
from farm_ray.data_handler.processor import NERProcessor, RegressionProcessor
from farm_ray.errors import ConfigError, DataProblemError
from tests.data_handler.data_silo.feature_tables import features
from tests.data_handler.data_silo.small_files import LABELS, lines, processor
from tests.raised import raised


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
    with raised(ConfigError, "split-leaves-nothing", option="dev_split"):
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


def test_stratification_needs_labels(tokenizer):
    silo = DataSilo(processor(tokenizer, "", dev_stratification=True), batch_size=4, automatic_loading=False)
    silo.data["train"] = features([str(n) for n in range(20)])
    with raised(ConfigError, "no-labels-to-stratify", option="dev_stratification"):
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
    with raised(ConfigError, "unknown-task", value="nertask"):
        silo.calculate_class_weights("nertask")
    with raised(ConfigError, "no-rows-loaded", value="train"):
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
    with raised(ConfigError, "no-classes", task="regression"):
        silo.calculate_class_weights("regression")


def test_numbers_that_are_all_the_same_are_refused(tokenizer, tmp_path):
    (tmp_path / "train.tsv").write_text(lines(20, label=lambda _: 4.5))
    with raised(DataProblemError, "single-label", task="regression", column="label"):
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
