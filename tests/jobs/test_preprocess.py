"""jobs.preprocess: features on disk, with a recipe that says what they are."""

import contextlib
import json
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from farm_ray import storage
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
    assert recipe["label_lists"] == {"text_classification": ["good", "bad"]}


def test_bad_data_leaves_no_recipe(call, flags, data_dir, tmp_path):
    with (data_dir / "train.tsv").open("a") as file:
        file.write("a film\tgod\n")
    code, told, err = call(preprocess.main, flags)
    assert (code, told) == (2, None)
    assert "train.tsv:34" in err
    assert not (tmp_path / "features" / "recipe.json").exists()


@pytest.mark.parametrize("place", ["/proc/no/such", "{tmp}/file", "s3://", "https://host/out"])
def test_an_output_that_cannot_be_written_is_found_before_any_work(call, flags, tmp_path, monkeypatch, place):
    (tmp_path / "file").touch()
    monkeypatch.setattr(
        "farm_ray.experiment.preprocess.make_silo_in_memory", lambda *_, **__: pytest.fail("data was read")
    )
    code, told, err = call(preprocess.main, [*flags, "--output-dir", place.format(tmp=tmp_path)])
    assert (code, told) == (2, None)
    assert err.count("\n") == 1
    assert place.format(tmp=tmp_path) in err
    assert "give another --output-dir" in err


def written(tmp_path):
    return {path.name: path.read_bytes() for path in (tmp_path / "features").iterdir()}


def test_a_second_run_replaces_the_first(call, flags, data_dir, tmp_path):
    shutil.copy(data_dir / "train.tsv", data_dir / "test.tsv")
    assert call(preprocess.main, flags)[0] == 0
    assert set(written(tmp_path)) == {"recipe.json", "train.parquet", "dev.parquet", "test.parquet"}
    more = ["--set", "processor.test_filename=null", "--set", "processor.dev_split=0"]
    assert call(preprocess.main, [*flags, *more])[0] == 0
    assert set(written(tmp_path)) == {"recipe.json", "train.parquet"}
    assert json.loads(written(tmp_path)["recipe.json"])["rows"] == {"train": 32}


def test_bad_data_leaves_older_features_whole(call, flags, data_dir, tmp_path):
    assert call(preprocess.main, flags)[0] == 0
    before = written(tmp_path)
    with (data_dir / "train.tsv").open("a") as file:
        file.write("a film\tgod\n")
    assert call(preprocess.main, flags)[0] == 2
    assert written(tmp_path) == before


@pytest.mark.parametrize("name", ["train", "dev"])
def test_a_failure_while_writing_leaves_no_older_recipe(call, flags, tmp_path, monkeypatch, name):
    """Neither at the first byte nor later: a recipe beside features of another run would be believed."""
    assert call(preprocess.main, flags)[0] == 0

    def full(table, out, **_):
        assert "recipe.json" not in written(tmp_path)
        if out.name.endswith(name):
            raise OSError(28, "No space left on device")
        out.write(b"features")

    class Named:
        def __init__(self, out, uri):
            self.out, self.name = out, Path(uri).stem

        def write(self, data):
            self.out.write(data)

    @contextlib.contextmanager
    def named_output(uri):
        with open_output(uri) as out:
            yield Named(out, uri)

    open_output = storage.open_output
    monkeypatch.setattr(storage, "open_output", named_output)
    monkeypatch.setattr(pq, "write_table", full)
    code, _, err = call(preprocess.main, flags)
    assert code == 2
    assert "No space left" in err
    assert set(written(tmp_path)) == set()


def test_an_input_is_never_replaced(call, flags, data_dir):
    rows = pa.table({"text": ["a good film", "a bad film"] * 8, "label": ["good", "bad"] * 8})
    pq.write_table(rows, data_dir / "train.parquet")
    more = ["--set", "processor.train_filename=train.parquet", "--output-dir", f"{data_dir}/../{data_dir.name}"]
    code, _, err = call(preprocess.main, [*flags, *more])
    assert code == 2
    assert f"{data_dir / 'train.parquet'} is an input and would be replaced; give another --output-dir" in err
    assert pq.read_table(data_dir / "train.parquet").equals(rows)


def test_problems_name_what_set_takes(call, flags, data_dir):
    with (data_dir / "train.tsv").open("a") as file:
        file.write("a film\tgod\n")
    _, _, err = call(preprocess.main, flags)
    assert err.rstrip().endswith("--set data.max_problem_share=0.0304")
