"""The features of files that are kept whole."""

import pytest

from farm_ray import storage
from farm_ray.data_handler.data_silo import DataSilo, featurize
from farm_ray.data_handler.data_silo.input_files import planned_splits
from tests.data_handler.data_silo.test_ner_silo import processor, sentences


@pytest.mark.cluster
@pytest.mark.usefixtures("ray_cluster")
def test_one_big_file_is_read_by_many_tasks(tokenizer, tmp_path, monkeypatch):
    (tmp_path / "train.txt").write_text(sentences(6000, bad=[17, 5000]))
    alone = DataSilo(processor(tokenizer, tmp_path), batch_size=4, max_processes=1, max_problem_share=0.01)
    monkeypatch.setattr(featurize, "SPLIT_BYTES", 100_000)
    parallel = DataSilo(processor(tokenizer, tmp_path), batch_size=4, max_problem_share=0.01)
    assert len(planned_splits(parallel.processor, [str(tmp_path / "train.txt")], 100_000)) == 5
    assert parallel.data["train"].table.combine_chunks().equals(alone.data["train"].table.combine_chunks())
    assert parallel.data["dev"].ids() == alone.data["dev"].ids()
    assert [row["line"] for row in parallel.problems.to_pylist()] == [row["line"] for row in alone.problems.to_pylist()]
    # As if it lay where all nodes can read it.
    files = [f"file://{tmp_path}/train.txt"]
    states = storage.file_states(files)
    rows = featurize.split_rows_of(parallel.processor, files, states, seed=1, rows_per_table=999, on_ray=True)
    assert len(rows.splits) == 5
    (features, _) = featurize.feature_blocks(rows, max_tasks=2, note=lambda _: None)
    assert features.combine_chunks().equals(alone.data["train"].table.combine_chunks())
