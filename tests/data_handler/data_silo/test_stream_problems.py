"""Rows of a stream that cannot be used are noted once, and refused above the allowed share."""

import pytest

from farm_ray.errors import DataProblemError
from tests.runs import BrokenOffError, break_off_after, small_trainer
from tests.stream_runs import (
    stream_run,
    text_stream,
    write_tables,
)


def test_bad_rows_are_quarantined_and_told(tiny_folder, tmp_path):
    data = write_tables(tmp_path / "data")
    with (data / "part-3.tsv").open("a") as file:
        file.write("a film\tunknown\n")
    with pytest.raises(DataProblemError, match=r'part-3\.tsv:\d+.*"unknown".*max_problem_share'):
        stream_run(tiny_folder, data)
    silo = text_stream(tiny_folder, data, max_problem_share=0.1, problems_dir=tmp_path)
    trainer = small_trainer(tiny_folder, silo=silo)
    trainer.train()
    assert trainer.result.problems.num_rows == 1
    assert silo.problem_counts() == {"unknown label": 1}
    assert (tmp_path / "problems.parquet").is_file()


def test_bad_rows_before_and_after_a_stop_are_told_once(tiny_folder, tmp_path):
    data = write_tables(tmp_path / "data")
    for number in (1, 4, 5):
        with (data / f"part-{number}.tsv").open("a") as file:
            file.write("a film\tunknown\n")
    stream = {"max_problem_share": 3 / 200}
    unbroken, _ = stream_run(tiny_folder, data, stream=stream, epochs=1)
    # The windows of all three have begun by then.
    for stop_after in (3, 12):
        with pytest.raises(BrokenOffError):
            stream_run(
                tiny_folder,
                data,
                stream=stream,
                epochs=1,
                checkpoint_every=1,
                checkpoint_root_dir=tmp_path / str(stop_after),
                progress=break_off_after(stop_after),
            )
        resumed, _ = stream_run(
            tiny_folder, data, stream=stream, epochs=1, checkpoint_root_dir=tmp_path / str(stop_after)
        )
        assert resumed.resumed_from is not None
        assert sorted(resumed.problems["id"].to_pylist()) == sorted(unbroken.problems["id"].to_pylist())
        assert resumed.problems.num_rows == 3
