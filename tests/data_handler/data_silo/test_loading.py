"""Features of a set in memory: where they are made, the same rows on Ray as in this process."""

import gzip

import pytest

from farm_ray.data_handler.data_silo import DataSilo
from farm_ray.errors import DataProblemError
from tests.data_handler.data_silo.small_files import LABELS, lines, processor
from tests.raised import raised


def test_an_empty_file_does_not_start_ray(tokenizer, tmp_path, monkeypatch):
    (tmp_path / "train.tsv").write_text("")
    monkeypatch.setattr("farm_ray.cluster.connect", lambda: pytest.fail("Ray was to be started"))
    with raised(DataProblemError, "empty-file"):
        DataSilo(processor(tokenizer, tmp_path), batch_size=4)


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
