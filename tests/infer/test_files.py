"""predict_file: rows in = rows out, in input order, atomic; on Ray the same as in this process."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from farm_ray.errors import ConfigError, DataProblemError
from farm_ray.infer import Inferencer, actors, files
from farm_ray.parts import START
from tests.infer.models import LABELS, make_inferencer
from tests.infer.small_inputs import read_jsonl, texts, write_tsv
from tests.raised import raised


def test_class_probabilities_by_label_name(model_dir, tsv, tmp_path):
    Inferencer.load(model_dir, return_class_probs=True).predict_file(tsv, tmp_path / "out.parquet")
    for row in pq.read_table(tmp_path / "out.parquet").to_pylist():
        assert list(row["class_probabilities"]) == LABELS
        assert row["class_probabilities"][row["label"]] == row["probability"]


def test_two_heads_have_columns_of_their_own(tsv, tmp_path):
    both = make_inferencer(tmp_path / "encoder", tasks=("text_classification", "tone"))
    both.predict_file(tsv, tmp_path / "out.jsonl")
    row = read_jsonl(tmp_path / "out.jsonl")[0]
    assert row["text_classification_label"] in LABELS
    assert row["tone_label"] in LABELS
    assert {"text_classification_probability", "tone_probability"} < set(row)


def test_bad_rows_keep_their_place(inferencer, tmp_path):
    tsv = write_tsv(tmp_path / "in.tsv", ["the film\tgood", "\tgood", "bad\tbad\tbad\tbad", "very dull\t"])
    done = inferencer.predict_file(tsv, tmp_path / "out.jsonl")
    rows = read_jsonl(tmp_path / "out.jsonl")
    assert [row["id"] for row in rows] == ["in.tsv:2", "in.tsv:3", "in.tsv:4", "in.tsv:5"]
    assert [row["label"] is None for row in rows] == [False, True, True, False]
    assert rows[1]["problem"]["kind"] == "empty text"
    assert rows[1]["problem"]["line"] == 3
    assert sum(done.problems.values()) == 2
    parquet = tmp_path / "out.parquet"
    inferencer.predict_file(tsv, parquet)
    assert pq.read_table(parquet).to_pylist() == rows


@pytest.mark.parametrize("name", ["in.jsonl", "in.parquet"])
def test_other_formats(inferencer, tmp_path, name):
    rows = [{"text": text, "number": n} for n, text in enumerate(texts(4))]
    if name == "in.jsonl":
        (tmp_path / name).write_text("\n".join(map(json.dumps, rows)) + "\n", encoding="utf-8")
    else:
        pq.write_table(pa.Table.from_pylist(rows), tmp_path / name)
    inferencer.predict_file(tmp_path / name, tmp_path / "out.jsonl")
    assert [row["id"] for row in read_jsonl(tmp_path / "out.jsonl")] == [f"{name}:{n}" for n in range(1, 5)]


@pytest.mark.parametrize("name", ["in.jsonl", "in.parquet", "in.tsv"])
def test_ids_of_the_data_ride_along(inferencer, tmp_path, name):
    rows = [
        {"id": "q-1", "text": "the film"},
        {"id": "q-2", "text": ""},
        {"id": None, "text": "bad"},
        {"id": "q-1", "text": "dull"},
    ]
    if name == "in.jsonl":
        (tmp_path / name).write_text("\n".join(map(json.dumps, rows)) + "\n", encoding="utf-8")
    elif name == "in.parquet":
        pq.write_table(pa.Table.from_pylist(rows), tmp_path / name)
    else:
        write_tsv(tmp_path / name, [f"{row['id'] or ''}\t{row['text']}" for row in rows], header="id\ttext")
    first = 2 if name == "in.tsv" else 1
    inferencer.predict_file(tmp_path / name, tmp_path / "out.jsonl")
    found = read_jsonl(tmp_path / "out.jsonl")
    assert [row["id"] for row in found] == ["q-1", "q-2", f"{name}:{first + 2}", "q-1"]
    assert (found[1]["problem"]["file"], found[1]["problem"]["line"]) == (name, first + 1)
    assert found[1]["problem"]["message"].startswith(f"{name}:{first + 1}: ")
    (element,) = inferencer.inference_from_file(tmp_path / name)
    assert [one["id"] for one in element["predictions"]] == [row["id"] for row in found]
    assert inferencer.problematic_sample_ids == {"q-2"}


def test_an_id_that_is_a_number_or_of_another_name(inferencer, tmp_path):
    rows = [{"id": 0, "text": "the film"}, {"example_id": "e", "id": 7, "text": "bad"}]
    (tmp_path / "in.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n", encoding="utf-8")
    inferencer.predict_file(tmp_path / "in.jsonl", tmp_path / "out.jsonl")
    assert [row["id"] for row in read_jsonl(tmp_path / "out.jsonl")] == ["0", "e"]


def test_a_folder_in_the_order_of_its_names(inferencer, tmp_path):
    folder = tmp_path / "many"
    folder.mkdir()
    for name in ("b.tsv", "a.tsv"):
        write_tsv(folder / name, ["the film\tgood", "bad\tbad"])
    inferencer.predict_file(folder, tmp_path / "out.jsonl")
    assert [row["id"] for row in read_jsonl(tmp_path / "out.jsonl")] == ["a.tsv:2", "a.tsv:3", "b.tsv:2", "b.tsv:3"]


def test_empty_parts_of_a_folder_are_told_and_left_out(inferencer, tmp_path, caplog):
    folder = tmp_path / "new"
    folder.mkdir()
    write_tsv(folder / "a.tsv", [])
    write_tsv(folder / "b.tsv", ["good film\tA", "\t", "bad film\tB"])
    assert inferencer.predict_file(folder, tmp_path / "out.jsonl").rows == 2
    assert [row["id"] for row in read_jsonl(tmp_path / "out.jsonl")] == ["b.tsv:2", "b.tsv:4"]
    assert [len(result["predictions"]) for result in inferencer.inference_from_file(folder)] == [2]
    assert caplog.messages.count(f"{folder}/a.tsv: no rows, left out") == 2


def test_inference_from_file_is_farms_form(inferencer, tsv):
    (element,) = inferencer.inference_from_file(tsv)
    assert [one["context"] for one in element["predictions"]] == texts(12)
    parts = list(inferencer.inference_from_file(tsv, multiprocessing_chunksize=5, streaming=True))
    assert [len(part["predictions"]) for part in parts] == [5, 5, 2]
    assert [one["label"] for part in parts for one in part["predictions"]] == [
        one["label"] for one in element["predictions"]
    ]


def test_inference_from_file_says_what_inference_from_dicts_says(model_dir, tmp_path):
    tsv = write_tsv(tmp_path / "in.tsv", ["the film\tgood", "\tgood", "very dull\t"])
    for class_probs in (False, True):
        inferencer = Inferencer.load(model_dir, return_class_probs=class_probs)
        dicts = [{"id": f"in.tsv:{line}", "text": text} for line, text in ((2, "the film"), (3, ""), (4, "very dull"))]
        assert inferencer.inference_from_file(tsv) == inferencer.inference_from_dicts(dicts)
        assert inferencer.problematic_sample_ids == {"in.tsv:3"}


def test_chunks_below_one_are_refused_from_files_too(inferencer, tsv):
    with raised(ConfigError, "invalid-value", option="multiprocessing_chunksize"):
        inferencer.inference_from_file(tsv, multiprocessing_chunksize=0)


def test_few_rows_start_no_ray(inferencer, tsv, tmp_path, monkeypatch):
    monkeypatch.setattr("farm_ray.cluster.connect", lambda *_: pytest.fail("Ray was started"))
    inferencer.predict_file(tsv, tmp_path / "out.jsonl")


def test_read_ahead_stops_when_it_knows_enough():
    tables = ((START, pa.table({"id": ["x"] * 3})) for _ in range(10))
    start, rest = files._read_ahead(tables, 5)
    assert [table.num_rows for _, table in start] == [3, 3]
    assert sum(table.num_rows for _, table in rest) == 24
    start, rest = files._read_ahead(iter([(START, pa.table({"id": ["x"] * 3}))]), 5)
    assert (len(start), rest) == (1, None)


@pytest.mark.cluster
@pytest.mark.usefixtures("ray_cluster")
def test_ray_gives_what_this_process_gives(inferencer, tmp_path, monkeypatch):
    monkeypatch.setattr("farm_ray.infer.files.ROWS_AT_ONCE", 7)
    for name, n in (("a.tsv", 40), ("b.tsv", 25), ("c.tsv", 1)):
        write_tsv(tmp_path / name, ["\tgood" if k % 10 == 3 else f"{text}\tgood" for k, text in enumerate(texts(n))])
    pattern = str(tmp_path / "*.tsv")
    alone = inferencer.predict_file(pattern, tmp_path / "alone.jsonl", num_actors=0)
    spread = inferencer.predict_file(pattern, tmp_path / "spread.jsonl", num_actors=2)
    assert (spread.rows, spread.problems) == (alone.rows, alone.problems) == (66, {"empty text": 7})
    expected, found = read_jsonl(tmp_path / "alone.jsonl"), read_jsonl(tmp_path / "spread.jsonl")
    assert [row["id"] for row in found] == [row["id"] for row in expected]
    assert [row["label"] for row in found] == [row["label"] for row in expected]
    assert [row["probability"] for row in found if row["label"]] == pytest.approx(
        [row["probability"] for row in expected if row["label"]], abs=1e-5
    )


@pytest.mark.cluster
@pytest.mark.usefixtures("ray_cluster")
def test_many_rows_in_farms_form_come_from_ray(inferencer, tmp_path, monkeypatch):
    tsv = write_tsv(tmp_path / "in.tsv", ["\tgood" if k % 10 == 3 else f"{t}\tgood" for k, t in enumerate(texts(40))])
    (here,) = inferencer.inference_from_file(tsv)
    monkeypatch.setattr("farm_ray.infer.files.RAY_FROM_ROWS", 20)
    calls = []
    predict_on_ray = actors.predict_on_ray
    monkeypatch.setattr(actors, "predict_on_ray", lambda *a, **k: calls.append(1) or predict_on_ray(*a, **k))
    parts = list(inferencer.inference_from_file(tsv, multiprocessing_chunksize=15, streaming=True, num_actors=2))
    assert [len(part["predictions"]) for part in parts] == [15, 15, 10]
    (there,) = inferencer.inference_from_file(tsv)
    assert len(calls) == 2
    for one, other, streamed in zip(
        here["predictions"], there["predictions"], [p for part in parts for p in part["predictions"]], strict=True
    ):
        assert other["probability"] == pytest.approx(one["probability"], abs=1e-5)
        assert {**other, "probability": 0} == {**one, "probability": 0} == {**streamed, "probability": 0}


@pytest.mark.cluster
@pytest.mark.usefixtures("ray_cluster")
def test_a_column_missing_in_a_later_file_is_told_from_ray(inferencer, tmp_path):
    write_tsv(tmp_path / "a.tsv", ["the film\tgood"] * 3)
    write_tsv(tmp_path / "b.tsv", ["the film\tgood"] * 3, header="tweet\tlabel")
    with pytest.raises(DataProblemError, match=r"b\.tsv.*tweet"):
        inferencer.predict_file(tmp_path / "*.tsv", tmp_path / "out.jsonl", num_actors=1)
    assert not (tmp_path / "out.jsonl").exists()
