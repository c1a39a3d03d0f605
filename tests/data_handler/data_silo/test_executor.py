"""Tasks on Ray Data."""

import pytest

from farm_ray.data_handler.data_silo import DataSilo
from farm_ray.errors import DataProblemError
from tests.data_handler.data_silo.small_files import lines, processor


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
