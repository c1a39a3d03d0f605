"""Folds and hold-outs: every row tested once, nothing torn apart or mixed, shares kept, seeds, and clear refusals."""

import logging
import pickle
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest

from farm_ray.data_handler.data_silo import DataSilo, DataSiloForCrossVal, DataSiloForHoldout
from farm_ray.errors import ConfigError, DataProblemError
from tests.data_handler.data_silo.feature_tables import features, tags
from tests.raised import raised
from tests.runs import labelled_dicts, small_silo
from tests.stream_runs import text_stream, write_tables
from tests.tasks.making import make_task

NAMES = ("train", "dev", "test")


@pytest.fixture(scope="module")
def silo(tmp_path_factory):
    """60 rows: 40 to train and dev, 20 to test."""
    dicts = [{"id": f"row-{n}", **row} for n, row in enumerate(labelled_dicts(60))]
    return small_silo(tmp_path_factory.mktemp("tokenizer"), dicts=dicts[:40], test_dicts=dicts[40:])


def made_silo(rows, tasks, *, dev_split=0.0, **sets):
    """What folds need of a silo, around tables made by hand."""
    processor = SimpleNamespace(tasks=tasks, dev_split=dev_split, dev_stratification=False)
    processor.frozen = lambda: processor
    data = {"train": rows, "dev": None, "test": None} | sets
    return SimpleNamespace(
        processor=processor, seed=42, batch_size=8, eval_batch_size=8, data=data, problems=pa.table({})
    )


def one_label(labels):
    return {"task": make_task("task", task_type="classification", label_list=labels, label_name="label")}


def ids(silo, name):
    rows = silo.data[name]
    return set() if rows is None else set(rows.ids())


def check_folds(folds, everything):
    """Every fold has every row in exactly one of its sets."""
    for fold in folds:
        sets = [ids(fold, name) for name in NAMES]
        assert set.union(*sets) == everything
        assert sum(map(len, sets)) == len(everything)
        assert all(sets)


def test_plain(silo):
    folds = DataSiloForCrossVal.make(silo, n_splits=5)
    assert [fold.fold for fold in folds] == [1, 2, 3, 4, 5]
    everything = {f"row-{n}" for n in range(60)}
    check_folds(folds, everything)
    tested = [row for fold in folds for row in fold.data["test"].ids()]
    assert sorted(tested) == sorted(everything)
    assert [fold.counts for fold in folds] == [{"train": 38, "dev": 10, "test": 12}] * 5


def test_folds_are_silos_without_copies(silo):
    for fold in DataSiloForCrossVal.make(silo):
        assert isinstance(fold, DataSilo)
        assert (fold.processor, fold.batch_size, fold.eval_batch_size) == (silo.processor, 8, 8)
        assert fold.tensor_names == silo.tensor_names
        assert len({id(rows.table) for rows in fold.data.values()}) == 1
        assert fold.data["train"].table.num_rows == 60
        batches = [batch["input_ids"] for batch in fold.get_data_loader("train")]
        again = [batch["input_ids"] for batch in fold.get_data_loader("train")]
        assert [ids.tolist() for ids in again] != [ids.tolist() for ids in batches]
        assert sum(map(len, batches)) == fold.n_samples("train") == len(fold.loaders["train"].dataset)
        assert fold.statistics()["n_samples"] == 60
        assert fold.calculate_class_weights("text_classification").shape == (3,)


def test_a_fold_travels_without_the_rows_of_its_loaders(silo):
    fold = DataSiloForCrossVal.make(silo)[0]
    small = len(pickle.dumps(fold.emptied()))
    fold.get_data_loader("train")
    assert len(pickle.dumps(fold.emptied())) == small
    assert fold.emptied().counts == dict.fromkeys(NAMES, 0)
    assert sum(fold.counts.values()) == 60


def test_a_stream_has_no_folds(tiny_folder, tmp_path):
    stream = text_stream(tiny_folder, write_tables(tmp_path))
    with raised(ConfigError, "stream-has-no-folds"):
        DataSiloForCrossVal.make(stream)


def test_labels_keep_their_shares(silo):
    for fold in DataSiloForCrossVal.make(silo, n_splits=5):
        assert np.bincount(fold.data["test"].column("text_classification_label_ids").ravel()).tolist() == [4, 4, 4]
    spread = [
        np.ptp(np.bincount(fold.data["test"].column("text_classification_label_ids").ravel(), minlength=3))
        for fold in DataSiloForCrossVal.make(silo, n_splits=5, stratified=False)
    ]
    assert max(spread) > 1


def test_nested(silo):
    folds = DataSiloForCrossVal.make(silo, n_splits=3, n_inner_splits=3)
    assert len(folds) == 9
    everything = {f"row-{n}" for n in range(60)}
    check_folds(folds, everything)
    for outer in range(3):
        inner = folds[3 * outer : 3 * outer + 3]
        assert len({frozenset(ids(fold, "test")) for fold in inner}) == 1
        dev = [row for fold in inner for row in fold.data["dev"].ids()]
        assert sorted(dev) == sorted(everything - ids(inner[0], "test"))
    assert ids(folds[0], "dev") != ids(folds[1], "dev")
    assert len({sum(fold.counts.values()) for fold in folds}) == 1
    with pytest.raises(ValueError, match="n_inner_splits must be at least 2"):
        DataSiloForCrossVal.make(silo, n_inner_splits=1)


def test_holdout(silo):
    folds = DataSiloForHoldout.make(silo, n_splits=4, train_split=0.7)
    assert [fold.fold for fold in folds] == [1, 2, 3, 4]
    check_folds(folds, {f"row-{n}" for n in range(60)})
    assert {fold.counts["test"] for fold in folds} == {18}
    assert len({frozenset(ids(fold, "test")) for fold in folds}) == 4
    for fold in folds:
        assert np.bincount(fold.data["test"].column("text_classification_label_ids").ravel()).tolist() == [6, 6, 6]


def test_holdout_by_a_function(silo):
    def first_rows(rows, *, train_split):
        border = int(len(rows) * train_split)
        return rows.subset(np.arange(border)), rows.subset(np.arange(border, len(rows)))

    folds = DataSiloForHoldout.make(silo, n_splits=2, train_split=0.9, stratification=first_rows)
    assert [sorted(ids(fold, "test")) for fold in folds] == [[f"row-{n}" for n in range(54, 60)]] * 2
    with raised(ConfigError, "split-leaves-nothing", option="train_split", set="test"):
        DataSiloForHoldout.make(silo, train_split=0.9, stratification=lambda rows, **_: (rows, rows.subset([])))


@pytest.mark.parametrize("make", [DataSiloForCrossVal.make, DataSiloForHoldout.make])
def test_the_seed_decides(silo, make):
    def tested(**options):
        return [sorted(ids(fold, "test")) for fold in make(silo, **options)]

    assert tested() == tested() == tested(random_state=silo.seed)
    assert tested(random_state=7) == tested(random_state=np.int64(7)) != tested()
    folds = make(silo)
    # Of dev splits and training orders: a row that is dev in one fold is not so in all.
    assert len({fold.seed for fold in folds}) == 5
    dev = [ids(fold, "dev") for fold in folds]
    assert len(set.intersection(*dev)) == 0


def test_folds_do_not_depend_on_the_order_of_the_rows_nor_on_the_files(tmp_path):
    dicts = [{"id": f"row-{n}", **row} for n, row in enumerate(labelled_dicts(60))]
    turned = dicts[::-1]
    one = DataSiloForCrossVal.make(small_silo(tmp_path, dicts=dicts))
    other = DataSiloForCrossVal.make(small_silo(tmp_path, dicts=turned[:25], test_dicts=turned[25:]))
    for name in NAMES:
        assert [ids(fold, name) for fold in one] == [ids(fold, name) for fold in other]


def test_without_shuffling_the_rows_are_cut_in_their_order(silo):
    folds = DataSiloForCrossVal.make(silo, n_splits=3, shuffle=False, stratification=False)
    assert folds[0].data["test"].ids() == [f"row-{n}" for n in range(20)]
    by_label = DataSiloForCrossVal.make(silo, n_splits=2, shuffle=False)
    assert by_label[0].data["test"].ids() == [f"row-{n}" for n in range(30)]


def test_only_some_sets_and_sets_that_are_not_there(silo, tmp_path):
    folds = DataSiloForCrossVal.make(silo, sets=["dev", "train"], n_splits=4)
    check_folds(folds, {f"row-{n}" for n in range(40)})
    check_folds(DataSiloForCrossVal.make(silo, sets="test", n_splits=2), {f"row-{n}" for n in range(40, 60)})
    without_test = small_silo(tmp_path, dev_split=0)
    folds = DataSiloForCrossVal.make(without_test)
    assert sum(fold.counts["test"] for fold in folds) == 53
    assert {fold.data["dev"] for fold in folds} == {None}
    assert folds[0].get_data_loader("dev") is None


def test_rows_with_one_id_are_rows_of_their_own(tmp_path):
    """Dicts are numbered by list, so train and test of two lists share ids."""
    folds = DataSiloForCrossVal.make(small_silo(tmp_path, dicts=labelled_dicts(40), test_dicts=labelled_dicts(40)))
    assert [sum(fold.counts.values()) for fold in folds] == [80] * 5
    assert {fold.counts["test"] for fold in folds} == {16}
    positions = np.concatenate([fold.data["test"].rows for fold in folds])
    assert sorted(positions) == list(range(80))


@pytest.mark.parametrize("stratification", [True, False])
def test_windows_of_a_text_stay_together(stratification):
    windows = [n % 3 for n in range(90)]
    rows = features(
        [f"text-{n // 3}-{n % 3}" for n in range(90)],
        windows=windows,
        label_ids=tags([[1, 2 + n // 30] for n in range(90)]),
    )
    labels = ["X", "O", "B-A", "B-B", "B-C"]
    tags_of_words = make_task("ner", task_type="token_classification", label_list=labels, label_tensor_name="label_ids")
    silo = made_silo(rows, {"ner": tags_of_words}, dev_split=0.2)
    for kind in (DataSiloForCrossVal, DataSiloForHoldout):
        for fold in kind.make(silo, stratification=stratification):
            texts = [{row.rpartition("-")[0] for row in ids(fold, name)} for name in NAMES]
            assert sum(map(len, texts)) == len(set.union(*texts)) == 30
            assert [fold.counts[name] for name in NAMES] == [3 * len(one) for one in texts]
            if stratification:
                tested = fold.data["test"].values("label_ids")
                assert [np.count_nonzero(tested == tag) for tag in (2, 3, 4)] == [6, 6, 6]


def test_labels_are_those_of_the_task_wherever_they_stand():
    """The column of labels need not be the fourth."""
    rows = features(
        [str(n) for n in range(40)], other_ids=range(40), more_ids=range(40), label_ids=[n % 4 for n in range(40)]
    )
    for fold in DataSiloForCrossVal.make(made_silo(rows, one_label(list("abcd"))), n_splits=2):
        assert np.bincount(fold.data["test"].column("label_ids").ravel()).tolist() == [5, 5, 5, 5]


def test_a_rare_label_is_told_and_works(caplog):
    rows = features([str(n) for n in range(40)], label_ids=[0] * 20 + [1] * 18 + [2] * 2)
    with caplog.at_level(logging.WARNING):
        folds = DataSiloForCrossVal.make(made_silo(rows, one_label(["many", "more", "few"])))
        DataSiloForCrossVal.make(made_silo(rows, one_label(["many", "more", "few"])), n_inner_splits=3)
    assert len(caplog.records) == 2
    assert "the labels [few (2)] have fewer rows than the 5 folds" in caplog.text
    tested = [fold.data["test"].column("label_ids").ravel() for fold in folds]
    assert sorted(np.count_nonzero(labels == 2) for labels in tested) == [0, 0, 0, 1, 1]


def test_without_labels_rows_are_split_all_the_same():
    folds = DataSiloForCrossVal.make(made_silo(features([str(n) for n in range(40)]), {}))
    assert {fold.counts["test"] for fold in folds} == {8}


def test_a_fold_that_cannot_be_trained_is_named():
    rows = features([str(n) for n in range(10)], label_ids=[0] * 9 + [1])
    with pytest.raises(
        DataProblemError, match=r'fold \d of 5: task task: all 8 training rows have the same label "many"'
    ):
        DataSiloForCrossVal.make(made_silo(rows, one_label(["many", "one"])))
    few = features([str(n) for n in range(6)], label_ids=[0, 1] * 3)
    with pytest.raises(ConfigError, match=r"fold 1 of 3: dev_split=0\.1 of 4 rows leaves 0 for dev"):
        DataSiloForCrossVal.make(made_silo(few, one_label(["a", "b"]), dev_split=0.1), n_splits=3)


@pytest.mark.parametrize(
    ("kind", "options", "told"),
    [
        (DataSiloForCrossVal, {"n_splits": 61}, "n_splits=61 needs a source row for each fold, and there are 60"),
        (DataSiloForCrossVal, {"n_splits": 1}, "n_splits must be at least 2, not 1"),
        (DataSiloForCrossVal, {"sets": ["train", "valid"]}, 'no data set "valid"; there are train, dev, test'),
        (DataSiloForCrossVal, {"sets": []}, "no rows in sets"),
        (DataSiloForCrossVal, {"random_state": 0.5}, "random_state is a whole number"),
        (DataSiloForCrossVal, {"stratification": print}, "stratification is True or False"),
        (DataSiloForHoldout, {"train_split": 1.0}, "train_split is a share between 0 and 1"),
        (DataSiloForHoldout, {"train_split": 0.999}, r"train_split=0\.999 of 60 rows leaves nothing for test"),
        (DataSiloForHoldout, {"n_splits": 0}, "n_splits must be at least 1"),
    ],
)
def test_senseless_arguments(silo, kind, options, told):
    with pytest.raises(ConfigError, match=told):
        kind.make(silo, **options)


def test_unknown_arguments_name_the_nearest(silo):
    with pytest.raises(TypeError, match="n_splits"):
        DataSiloForCrossVal.make(silo, n_split=3)


def test_question_answering_is_refused(silo):
    processor = type("SquadProcessor", (), {"tasks": {}})()
    with raised(ConfigError, "not-available-yet"):
        DataSiloForCrossVal.make(SimpleNamespace(processor=processor, data=silo.data, seed=1))


def test_an_unloaded_silo_is_refused(tmp_path):
    empty = small_silo(tmp_path)
    empty.data = dict.fromkeys(NAMES)
    with raised(ConfigError, "no-rows-loaded"):
        DataSiloForHoldout.make(empty)


def test_random_split_by_the_seed_of_the_silo(silo):
    parts = silo.random_split_ConcatDataset(range(30), [20, 10])
    assert [len(part) for part in parts] == [20, 10]
    assert parts[0].indices == silo.random_split_ConcatDataset(range(30), [20, 10])[0].indices
