"""A call of predict_file that was stopped, given again: nothing twice, and the same file as if nothing had happened."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from farm_ray import parts, storage
from farm_ray.infer import Inferencer, files
from farm_ray.infer.predictor import Predictor
from farm_ray.infer.recipe import model_checksum
from tests.infer.models import make_inferencer, make_kind
from tests.infer.small_inputs import WORDS
from tests.raised import raised


class StoppedError(RuntimeError):
    """What the test stops a call with."""


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch):
    """Tables of 4 rows, a part for each."""
    monkeypatch.setattr(files, "ROWS_AT_ONCE", 4)
    monkeypatch.setattr(parts, "_SECONDS_PER_PART", 0.0)
    monkeypatch.setattr(parts, "_WORK_PER_WRITING", 0.0)


@pytest.fixture(autouse=True)
def _one_thread():
    """For so few rows more of them are slower."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def folder(tmp_path):
    """Files of 12, 3 and 15 rows; some have no text."""
    place = tmp_path / "in"
    place.mkdir()
    for name, rows in {"a.tsv": 12, "b.tsv": 3, "c.tsv": 15}.items():
        texts = ["" if n % 9 == 4 else " ".join(WORDS[(n * k) % 10] for k in range(1, 3 + n % 9)) for n in range(rows)]
        (place / name).write_text("text\tlabel\n" + "".join(f"{text}\tgood\n" for text in texts))
    return place


@pytest.fixture
def predicted(monkeypatch):
    """Ids of the rows that the model has seen; after `predicted.stop_after` more tables it raises."""

    class Calls(list):
        stop_after = None

    calls = Calls()
    predict = Predictor.predict

    def counted(self, dicts):
        if dicts.num_rows:
            if calls.stop_after == 0:
                raise StoppedError
            if calls.stop_after is not None:
                calls.stop_after -= 1
            calls.extend(dicts["id"].to_pylist())
        return predict(self, dicts)

    monkeypatch.setattr(Predictor, "predict", counted)
    return calls


def stop(predicted, tables, call):
    predicted.stop_after = tables
    with pytest.raises(StoppedError):
        call()
    predicted.stop_after = None


@pytest.mark.parametrize("name", ["out.jsonl", "out.jsonl.gz", "out.parquet"])
def test_stopped_twice_and_still_the_same_file(inferencer, folder, tmp_path, predicted, name):
    whole, output = tmp_path / f"whole-{name}", tmp_path / name
    unbroken = inferencer.predict_file(folder, whole)
    everything = list(predicted)
    predicted.clear()
    for tables in (2, 3):
        stop(predicted, tables, lambda: inferencer.predict_file(folder, output))
        assert not output.exists()
    done = inferencer.predict_file(folder, output)
    assert predicted == everything
    assert (done.rows, done.rows_resumed, done.problems) == (unbroken.rows, 20, unbroken.problems)
    assert sum(done.problems.values()) == 3
    if name.endswith("parquet"):
        assert pq.read_table(output).equals(pq.read_table(whole))
    else:
        assert output.read_bytes() == whole.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["in", whole.name, name])


@pytest.mark.parametrize("kind", ["multilabel", "ner", "per_token"])
def test_answers_of_all_kinds_come_back_as_they_were(folder, tmp_path, predicted, kind):
    if kind == "per_token":
        model = make_inferencer(tmp_path / "encoder", task_type="embeddings", extraction_strategy="per_token")
    else:
        model = make_kind(tmp_path / "encoder", kind, return_class_probs=True)
    reads = {"text_column": "text"} if kind == "ner" else {}
    model.predict_file(folder, tmp_path / "whole.jsonl", **reads)
    stop(predicted, 4, lambda: model.predict_file(folder, tmp_path / "out.jsonl", **reads))
    assert model.predict_file(folder, tmp_path / "out.jsonl", **reads).rows_resumed == 16
    assert (tmp_path / "out.jsonl").read_bytes() == (tmp_path / "whole.jsonl").read_bytes()


def test_a_later_file_that_was_mended_costs_no_earlier_row(
    inferencer, folder, tmp_path, predicted, caplog, monkeypatch
):
    monkeypatch.setattr("farm_ray.data_handler.data_silo.split_groups.GROUP_BYTES", 100)
    stop(predicted, 5, lambda: inferencer.predict_file(folder, tmp_path / "out.jsonl"))
    (folder / "c.tsv").write_text("text\n" + "the good film\n" * 10)
    done = inferencer.predict_file(folder, tmp_path / "out.jsonl")
    assert (done.rows, done.rows_resumed) == (25, 15)
    assert "c.tsv (changed)" in caplog.text
    inferencer.predict_file(folder, tmp_path / "whole.jsonl")
    assert (tmp_path / "out.jsonl").read_bytes() == (tmp_path / "whole.jsonl").read_bytes()


@pytest.mark.parametrize(
    ("options", "told"),
    [({"use_amp": "bf16"}, 'use_amp (was null, is "bf16")'), ({"max_seq_len": 12}, "max_seq_len (was 16, is 12)")],
)
def test_other_settings_begin_anew_and_say_so(
    model_dir, inferencer, folder, tmp_path, predicted, caplog, options, told
):
    stop(predicted, 2, lambda: inferencer.predict_file(folder, tmp_path / "out.jsonl"))
    done = Inferencer.load(model_dir, **options).predict_file(folder, tmp_path / "out.jsonl")
    assert (done.rows, done.rows_resumed) == (30, 0)
    assert told in caplog.text


def test_what_changes_the_speed_only_goes_on(model_dir, inferencer, folder, tmp_path, predicted):
    stop(predicted, 2, lambda: inferencer.predict_file(folder, tmp_path / "out.jsonl"))
    other = Inferencer.load(model_dir, batch_size=7)
    assert other.predict_file(folder, tmp_path / "out.jsonl").rows_resumed == 8


def test_never_begins_anew(inferencer, folder, tmp_path, predicted):
    stop(predicted, 2, lambda: inferencer.predict_file(folder, tmp_path / "out.jsonl"))
    assert inferencer.predict_file(folder, tmp_path / "out.jsonl", resume="never").rows_resumed == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "out.jsonl"]


def test_streams_and_tables_keep_no_parts(inferencer, folder, tmp_path, capsysbinary, monkeypatch):
    monkeypatch.setattr("farm_ray.infer.inferencer.Parts", lambda *_, **__: pytest.fail("parts are kept"))
    inferencer.predict_file(folder, "-")
    assert len(capsysbinary.readouterr().out.splitlines()) == 30
    tables = [pa.table({"id": ["0"], "text": ["the film"]})]
    assert inferencer.predict_file(tables, tmp_path / "out.jsonl").rows == 1


def test_a_call_that_is_overtaken_leaves_the_output_alone(inferencer, folder, tmp_path, monkeypatch):
    """Both write the same output at once: the later one goes on with the parts of both."""
    predict, started = Predictor.predict, []

    def overtaken(self, dicts):
        if len(started) == 3:
            started.append(None)
            later.append(inferencer.predict_file(folder, tmp_path / "out.jsonl"))
        if dicts.num_rows:
            started.append(None)
        return predict(self, dicts)

    later = []
    monkeypatch.setattr(Predictor, "predict", overtaken)
    with raised(parts.ConfigError, "folder-taken-over", file="out.jsonl"):
        inferencer.predict_file(folder, tmp_path / "out.jsonl")
    assert (later[0].rows, later[0].rows_resumed) == (30, 12)
    ids = [json.loads(line)["id"] for line in Path(tmp_path / "out.jsonl").read_text().splitlines()]
    assert len(ids) == len(set(ids)) == 30
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "out.jsonl"]


@pytest.mark.usefixtures("bucket")
def test_on_s3(inferencer, folder, tmp_path, predicted):
    inferencer.predict_file(folder, tmp_path / "whole.jsonl")
    stop(predicted, 3, lambda: inferencer.predict_file(folder, "s3://data/out/out.jsonl"))
    assert len(storage.file_names("s3://data/out/out.jsonl.parts")) == 4
    done = inferencer.predict_file(folder, "s3://data/out/out.jsonl")
    assert (done.rows, done.rows_resumed) == (30, 12)
    with storage.open_binary("s3://data/out/out.jsonl") as file:
        assert file.read() == (tmp_path / "whole.jsonl").read_bytes()
    assert storage.file_names("s3://data/out") == ["out.jsonl"]
    assert storage.folder_names("s3://data/out") == []


def test_the_checksum_is_of_weights_and_settings(model_dir, tmp_path):
    first, second = (Inferencer.load(model_dir).model for _ in range(2))
    assert model_checksum(first) == model_checksum(second)
    second.prediction_heads[0].label_list = ["good", "bad", "other"]
    assert model_checksum(first) != model_checksum(second)
    next(first.parameters()).data[0] += 1
    assert model_checksum(first) != model_checksum(Inferencer.load(model_dir).model)
