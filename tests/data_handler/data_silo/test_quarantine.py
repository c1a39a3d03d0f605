"""Rows with problems: quarantined, counted, stored, and refused above the allowed share."""

import pyarrow.parquet as pq
import pytest

from farm_ray.data_handler import problems
from farm_ray.data_handler.data_silo import DataSilo
from farm_ray.errors import DataProblemError
from tests.data_handler.data_silo.feature_tables import features
from tests.data_handler.data_silo.small_files import LABELS, lines, processor
from tests.raised import raised


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


def test_the_share_of_bad_rows_is_one_of_source_rows(tokenizer):
    """1 bad one of 4, however many windows the others have."""
    silo = DataSilo(processor(tokenizer, ""), batch_size=4, automatic_loading=False, max_problem_share=0.2)
    table = features(["a-0", "a-1", "a-2", "b-0", "c-0", "d-0"], windows=[0, 1, 2, 0, 0, 0]).table
    bad = problems.at("d", stage="stage 2", kind="bad", message="d: it is bad")
    found = problems.first_of_each(problems.none(6), [None] * 5 + [bad])
    with raised(DataProblemError, "too-many-problems", problems=1, rows=4):
        silo._accept("train", (table.append_column("problem", found), ()))
