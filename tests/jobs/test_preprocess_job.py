"""jobs.preprocess: features on disk, with a recipe that says what they are."""

import json

import pyarrow.parquet as pq
import pytest

from jobs import preprocess


@pytest.fixture
def flags(tiny_folder, data_dir, tmp_path):
    return [
        *("pipelines.text_classification", "--in-process", "--model", str(tiny_folder), "--data-dir", str(data_dir)),
        *("--output-dir", str(tmp_path / "features"), "--set", "processor.label_list=[good,bad]"),
        *("--set", "processor.max_seq_len=16"),
    ]


def test_features_and_recipe(call, flags, tmp_path):
    code, told, err = call(preprocess.main, flags)
    assert code == 0, err
    assert told["rows"] == {"train": 29, "dev": 3}
    features = {name: pq.read_table(tmp_path / "features" / f"{name}.parquet") for name in ("train", "dev")}
    assert features["train"].num_rows == 29
    assert {"id", "input_ids", "n_tokens", "text_classification_label_ids"} <= set(features["train"].column_names)
    ids = features["train"]["id"].to_pylist() + features["dev"]["id"].to_pylist()
    assert len(set(ids)) == 32
    assert all(
        len(row) == n
        for row, n in zip(*(features["dev"][c].to_pylist() for c in ("input_ids", "n_tokens")), strict=True)
    )
    recipe = json.loads((tmp_path / "features" / "recipe.json").read_text())
    assert recipe["rows"] == told["rows"]
    assert recipe["fingerprint"] == told["fingerprint"]
    assert recipe["experiment"]["processor"]["max_seq_len"] == 16


def test_bad_data_leaves_no_recipe(call, flags, data_dir, tmp_path):
    with (data_dir / "train.tsv").open("a") as file:
        file.write("a film\tgod\n")
    code, told, err = call(preprocess.main, flags)
    assert (code, told) == (2, None)
    assert "train.tsv:34" in err
    assert not (tmp_path / "features" / "recipe.json").exists()


def test_an_output_that_cannot_be_written(call, flags):
    code, _, err = call(preprocess.main, [*flags, "--output-dir", "/proc/no/such"])
    assert code == 2
    assert "/proc/no/such" in err
    assert "Traceback" not in err
