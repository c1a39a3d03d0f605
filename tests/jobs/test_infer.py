"""`python -m jobs.infer`: exit codes, the last line of stdout, standard input and output."""

import io
import json
import sys
from pathlib import Path

import pytest

from jobs import infer
from tests.infer.models import make_inferencer, make_kind, save_language_model
from tests.modeling.tiny_models import WIDTH

TEXTS = ["the good film", "", "bad"]


@pytest.fixture(scope="module")
def model_dir(tmp_path_factory):
    saved = tmp_path_factory.mktemp("job") / "model"
    make_inferencer(tmp_path_factory.mktemp("encoder")).save(saved)
    return str(saved)


@pytest.fixture(scope="module")
def pair_dir(tmp_path_factory):
    saved = tmp_path_factory.mktemp("job") / "pairs"
    make_kind(tmp_path_factory.mktemp("encoder"), "pair").save(saved)
    return str(saved)


@pytest.fixture
def tsv(tmp_path):
    path = tmp_path / "in.tsv"
    path.write_text("text\n" + "".join(f"{text}\n" for text in ("the good film", "bad")), encoding="utf-8")
    return str(path)


def lines_of(text):
    return [json.loads(line) for line in text.splitlines()]


def test_a_file(model_dir, tsv, tmp_path, capsys):
    output = str(tmp_path / "out.jsonl")
    assert infer.main([model_dir, tsv, output]) == 0
    last = lines_of(capsys.readouterr().out)[-1]
    assert (last["status"], last["rows"], last["problems"], last["output"]) == ("ok", 2, {}, output)
    assert last["rows_per_second"] > 0
    assert set(last["seconds"]) == {"load", "predict"}
    written = lines_of(Path(output).read_text(encoding="utf-8"))
    assert [row["text"] for row in written] == ["the good film", "bad"]


def test_standard_input_and_output(model_dir, capsysbinary, monkeypatch):
    data = "\n".join(TEXTS).encode() + b"\nno utf-8: \xff\n"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    assert infer.main([model_dir, "-", "-", "--return-class-probs"]) == 0
    *rows, last = lines_of(capsysbinary.readouterr().out.decode())
    assert [row["id"] for row in rows] == ["stdin:1", "stdin:2", "stdin:3", "stdin:4"]
    assert [row["text"] for row in rows] == [*TEXTS, None]
    assert [row["problem"] and row["problem"]["kind"] for row in rows] == [None, "empty text", None, "undecodable"]
    assert set(rows[0]["class_probabilities"]) == {"good", "bad", "dull"}
    assert (last["rows"], last["problems"]) == (4, {"empty text": 1, "undecodable": 1})


def test_texts_on_the_command_line(model_dir, capsysbinary):
    assert infer.main([model_dir, "--text", "the good film", "--text", "bad"]) == 0
    *rows, last = lines_of(capsysbinary.readouterr().out.decode())
    assert [row["text"] for row in rows] == ["the good film", "bad"]
    assert last["status"] == "ok"


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (["{model}"], "INPUT"),
        (["{model}", "{tsv}"], "OUTPUT"),
        (["{model}", "{tsv}", "{tmp}/out.jsonl", "--text", "x"], "--text"),
        (["{model}", "{tsv}", "{tmp}/out.txt"], ".parquet"),
        (["{model}", "{tmp}/none.tsv", "{tmp}/out.jsonl"], "none.tsv"),
        (["{model}", "{tsv}", "{tmp}/out.jsonl", "--text-column", "tweet"], "tweet"),
        (["{model}", "{empty}", "{tmp}/out.jsonl"], "header.tsv has a header but no rows"),
        (["{tmp}/none", "{tsv}", "{tmp}/out.jsonl"], "none"),
        (["{model}", "{tsv}", "{tmp}/out.jsonl", "--batch-size", "0"], "--batch-size"),
        (["{model}", "{tsv}", "{tmp}/out.jsonl", "--task-type", "ner"], "--task-type ner"),
        (["{plain}", "{tsv}", "{tmp}/out.jsonl"], "--task-type embeddings"),
        (["{model}", "{tsv}", "{tmp}/out.jsonl", "--max-seq-len", "9999"], "--max-seq-len 9999"),
        (["{model}", "{tsv}", "{tmp}/out.jsonl", "--use-amp", "bf61"], "--use-amp bf61"),
        (["{model}", "--text", "a", "--text-b", "b"], "--text-b"),
        (["{pairs}", "--text", "a"], "--text-b"),
        (["{pairs}", "--text", "a", "--text", "b", "--text-b", "c"], "2 --text and 1 --text-b"),
        (["{model}", "{tsv}", "{tmp}/out.jsonl", "--text-b", "b"], "0 --text and 1 --text-b"),
        (["{model}", "{tsv}", "{tmp}/out.jsonl", "--text-b-column", "b"], "--text-b-column b"),
        (["{model}", "{tsv}", "{tmp}/out.jsonl", "--extraction-layer", "0"], "--task-type embeddings"),
        (["{model}", "{tsv}", "{tmp}/out.jsonl", "--extraction-layer", "x"], "--extraction-layer"),
        (
            ["{model}", "{tsv}", "{tmp}/out.jsonl", "--task-type", "embeddings", "--extraction-strategy", "mean"],
            '--extraction-strategy "mean"',
        ),
        (
            [
                *("{model}", "{tsv}", "{tmp}/out.jsonl", "--task-type", "embeddings"),
                *("--extraction-strategy", "pooled", "--extraction-layer", "1"),
            ],
            "--extraction-layer -1, not 1",
        ),
    ],
)
def test_usage_and_data_problems_are_one_line_and_exit_2(
    model_dir, pair_dir, tiny_folder, tsv, tmp_path, capsys, arguments, names
):
    (tmp_path / "header.tsv").write_text("text\n")
    places = {"model": model_dir, "pairs": pair_dir, "plain": tiny_folder, "tsv": tsv}
    places |= {"empty": tmp_path / "header.tsv", "tmp": tmp_path}
    given = [argument.format(**places) for argument in arguments]
    try:
        code = infer.main(given)
    except SystemExit as stopped:
        code = stopped.code
    output = capsys.readouterr()
    assert code == 2
    assert output.err.count("\n") == 1
    assert output.err.startswith("jobs.infer: ")
    assert names in output.err
    assert output.out == ""
    assert not (tmp_path / "out.jsonl").exists()


@pytest.mark.parametrize("output", ["-", "{tmp}/out.jsonl", "{tmp}/out.parquet"])
def test_empty_standard_input_is_an_error_as_an_empty_file_is(model_dir, tmp_path, capsys, monkeypatch, output):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"")))
    assert infer.main([model_dir, "-", output.format(tmp=tmp_path)]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err == "jobs.infer: standard input is empty; give at least one line\n"
    assert list(tmp_path.iterdir()) == []


def test_a_missing_gpu_is_said_in_words_of_the_job(model_dir, capsysbinary, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert infer.main([model_dir, "--text", "the good film", "--use-gpu"]) == 0
    assert b"warning: --use-gpu, but torch sees no GPU: computing on the CPU" in capsysbinary.readouterr().err


def test_an_output_that_cannot_be_written_is_told(model_dir, tsv, capsys):
    assert infer.main([model_dir, tsv, "/proc/none/out.jsonl"]) == 2
    assert "/proc/none" in capsys.readouterr().err


def test_a_tab_may_be_written_as_backslash_t(model_dir, tmp_path, capsys):
    table = tmp_path / "in.csv"
    table.write_text("text\tn\nthe good film\t1\n")
    assert infer.main([model_dir, str(table), "-", "--delimiter", r"\t"]) == 0
    assert lines_of(capsys.readouterr().out)[0]["text"] == "the good film"


def test_a_file_of_pairs(pair_dir, tmp_path, capsys):
    table = tmp_path / "in.tsv"
    table.write_text("text\ttext_b\tn\nthe good film\tbad\t1\nthe film\t\t2\n", encoding="utf-8")
    assert infer.main([pair_dir, str(table), "-"]) == 0
    first, second, last = lines_of(capsys.readouterr().out)
    assert (first["text"], first["text_b"], first["problem"]) == ("the good film", "bad", None)
    assert first["label"] in {"good", "bad", "dull"}
    assert (second["text"], second["label"], second["problem"]["kind"]) == ("the film", None, "empty text")
    assert (last["rows"], last["problems"]) == (2, {"empty text": 1})


def test_pairs_on_the_command_line_and_on_standard_input(pair_dir, capsysbinary, monkeypatch):
    assert infer.main([pair_dir, "--text", "the good film", "--text-b", "bad"]) == 0
    row, _ = lines_of(capsysbinary.readouterr().out.decode())
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"the good film\tbad\nno tab\n\xff\tx\n")))
    assert infer.main([pair_dir, "-", "-"]) == 0
    again, no_tab, broken, last = lines_of(capsysbinary.readouterr().out.decode())
    assert {**again, "id": 0, "probability": 0} == {**row, "id": 0, "probability": 0}
    assert (no_tab["text"], no_tab["text_b"], no_tab["label"]) == ("no tab", None, None)
    assert broken["problem"]["kind"] == "undecodable"
    assert last["rows"] == 3
    assert sum(last["problems"].values()) == 2


def test_vectors(model_dir, tsv, tmp_path, capsys):
    output = str(tmp_path / "out.jsonl")
    flags = ["--task-type", "embeddings", "--extraction-strategy", "reduce_mean", "--extraction-layer", "-2"]
    assert infer.main([model_dir, tsv, output, *flags]) == 0
    written = lines_of(Path(output).read_text(encoding="utf-8"))
    assert [len(row["vec"]) for row in written] == [WIDTH] * 2
    assert infer.main([model_dir, "--text", "bad", *flags[:2]]) == 0
    row = lines_of(capsys.readouterr().out)[-2]
    assert (row["text"], len(row["vec"])) == ("bad", WIDTH)


def test_texts_in_a_table_for_a_tagger(tmp_path, capsys):
    make_kind(tmp_path / "encoder", "ner", labels=["A", "B"]).save(tmp_path / "model")
    table = tmp_path / "in.tsv"
    table.write_text("text\tn\nthe good film\t1\nbad\t2\n", encoding="utf-8")
    assert infer.main([str(tmp_path / "model"), str(table), "-", "--text-column", "text"]) == 0
    *rows, last = lines_of(capsys.readouterr().out)
    assert [[one["text"] for one in row["entities"]] for row in rows] == [["the", "good", "film"], ["bad"]]
    assert last["rows"] == 2


def test_the_folder_of_a_run_names_its_model(model_dir, capsys):
    run_folder = Path(model_dir).parent
    assert infer.main([str(run_folder), "--text", "x"]) == 2
    assert f"{run_folder} is the folder of a run; its model is in {run_folder / 'model'}" in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["lm", "pair", "ner"])
def test_vectors_of_any_model_on_the_command_line(tmp_path, capsysbinary, kind):
    if kind == "lm":
        folder = save_language_model(tmp_path / "made")
    else:
        folder = tmp_path / "model"
        make_kind(tmp_path / "encoder", kind).save(folder)
    assert infer.main([str(folder), "--task-type", "embeddings", "--text", "a good film"]) == 0
    printed = json.loads(capsysbinary.readouterr().out.splitlines()[0])
    assert (printed["text"], len(printed["vec"]), printed["problem"]) == ("a good film", 32, None)
    (tmp_path / "in.tsv").write_text("text\na good film\nbad\n")
    arguments = [str(folder), str(tmp_path / "in.tsv"), str(tmp_path / "out.jsonl"), "--task-type", "embeddings"]
    assert infer.main(arguments) == 0
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [row["problem"] for row in rows] == [None, None]
    assert rows[0]["vec"] == pytest.approx(printed["vec"], abs=1e-5)
