"""How data files are written: the same flags in every job, what the header or the bytes show, and advice to type."""

import json

import pytest

from jobs import cross_validate, evaluate, infer, preprocess, train, train_tokenizer

ROWS = [("schöne Größe", "good"), ("a bad film", "bad"), ("für schöne Tage", "good"), ("what a fool", "bad")] * 4


def table(columns=("text", "label"), sign="\t"):
    return "".join(f"{sign.join(row)}\n" for row in [columns, *ROWS])


@pytest.fixture
def model_dir(call, train_flags, data_dir, tmp_path):
    """A model trained on cp1252, separated by tabs."""
    (data_dir / "train.tsv").write_bytes(table().encode("cp1252"))
    code, _, err = call(train.main, [*train_flags, "--encoding", "cp1252"])
    assert code == 0, err
    return str(tmp_path / "out" / "model")


def predicted(call, tmp_path, model_dir, path, *flags):
    code, told, err = call(infer.main, [model_dir, str(path), str(tmp_path / "p.jsonl"), *flags])
    rows = [json.loads(line) for line in (tmp_path / "p.jsonl").read_text().splitlines()] if code == 0 else []
    return [row["text"] if row["problem"] is None else row["problem"] for row in rows], told, err


def test_a_model_of_cp1252_reads_utf8_and_reports_it_once(call, model_dir, tmp_path):
    texts = [text for text, _ in ROWS]
    for encoding, reports in (("utf-8", 1), ("utf-8-sig", 1), ("cp1252", 0)):
        path = tmp_path / f"{encoding}.tsv"
        path.write_bytes(table().encode(encoding))
        found, _, err = predicted(call, tmp_path, model_dir, path)
        assert found == texts
        assert err.count("is written in UTF-8, not in cp1252") == reports
        code, told, err = call(evaluate.main, [model_dir, str(path)])
        assert (code, told["rows"], told["problems"]) == (0, len(ROWS), {}), err


def test_a_model_of_utf8_names_the_flag_for_cp1252(call, train_flags, data_dir, tmp_path):
    (data_dir / "train.tsv").write_bytes(table().encode("cp1252"))
    code, _, err = call(train.main, train_flags)
    assert code == 2
    (line,) = [line for line in err.splitlines() if line.startswith("jobs.train: ")][-1:]
    assert "train.tsv:2 is not utf-8: byte 0xf6 at position 4; give the file's encoding, such as" in line
    assert "--encoding cp1252" in line
    assert "max" not in line.partition("--encoding")[2]
    (data_dir / "train.tsv").write_bytes(table().encode())
    assert call(train.main, train_flags)[0] == 0
    path, model_dir = tmp_path / "new.tsv", str(tmp_path / "out" / "model")
    path.write_bytes(table().encode("cp1252"))
    found, told, err = predicted(call, tmp_path, model_dir, path)
    assert told["problems"] == {"undecodable": 8}
    assert "encoding='cp1252'" in found[0]["message"]
    assert "16 rows have a problem; the first: new.tsv:2 is not utf-8" in err
    assert "--encoding cp1252" in err
    assert predicted(call, tmp_path, model_dir, path, "--encoding", "cp1252")[0] == [text for text, _ in ROWS]
    code, _, err = call(evaluate.main, [model_dir, str(path)])
    assert code == 2
    assert "--encoding cp1252" in err.splitlines()[-1]
    code, told, err = call(evaluate.main, [model_dir, str(path), "--encoding", "cp1252"])
    assert (code, told["rows"]) == (0, len(ROWS)), err


def test_a_table_with_other_columns_and_another_delimiter(call, model_dir, tmp_path):
    path = tmp_path / "test.csv"
    for sign, word in ((",", "','"), (";", "';'"), ("|", "'|'")):
        path.write_text(table(sign=sign))
        for main, more in ((evaluate.main, []), (infer.main, [str(tmp_path / "p.jsonl")])):
            code, told, err = call(main, [model_dir, str(path), *more])
            assert (code, told["rows"], told["problems"]) == (0, len(ROWS), {}), err
            assert f"test.csv: its columns are separated by {word}, not by '\\t'" in err
    path.write_text(table(columns=("sentence", "sentiment"), sign=";"))
    code, _, err = call(evaluate.main, [model_dir, str(path)])
    assert code == 2
    assert err.splitlines()[-1].endswith("looks like one column with --delimiter '\\t': give --delimiter ';'")
    code, _, err = call(evaluate.main, [model_dir, str(path), "--delimiter", ";"])
    assert code == 2
    assert err.splitlines()[-1].endswith("; give --text-column NAME and --label-column NAME")
    names = ["--delimiter", ";", "--text-column", "sentence", "--label-column", "sentiment"]
    code, told, err = call(evaluate.main, [model_dir, str(path), *names])
    assert (code, told["rows"]) == (0, len(ROWS)), err


def test_a_delimiter_that_is_given_is_not_replaced(call, model_dir, tmp_path):
    path = tmp_path / "test.csv"
    path.write_text(table(sign=","))
    code, _, err = call(evaluate.main, [model_dir, str(path), "--delimiter", "\\t"])
    assert code == 2
    assert err.splitlines()[-1].endswith("give --delimiter ,")


@pytest.mark.parametrize("main", [train.main, preprocess.main, cross_validate.main])
def test_jobs_that_take_a_pipeline_have_the_flags_too(call, train_flags, data_dir, tmp_path, main):
    (data_dir / "train.tsv").write_bytes(table(("sentence", "sentiment"), ";").encode("cp1252"))
    flags = [flag for flag in train_flags if main is train.main or flag not in ("--num-workers", "0")]
    more = {preprocess.main: ["--in-process"], cross_validate.main: ["--parallel", "1", "--folds", "2"]}.get(main, [])
    written = ["--encoding", "cp1252", "--delimiter", ";", "--text-column", "sentence", "--label-column", "sentiment"]
    code, told, err = call(main, [*flags, *more, *written, "--quote-char", ""])
    assert code == 0, err
    assert not told.get("problems")


def test_tasks_with_columns_of_their_own(call, train_flags, data_dir):
    task = '{"name": "mood", "label_list": ["good", "bad"], "label_column_name": "label", "text_column_name": "text"}'
    flags = [flag for flag in train_flags if flag != "processor.label_list=[good,bad]"]
    flags.remove("--set")
    (data_dir / "train.tsv").write_text(table(("sentence", "sentiment")))
    names = ["--text-column", "sentence", "--label-column", "sentiment"]
    (data_dir / "tasks.yaml").write_text(f"processor: {{tasks: [{task}]}}")
    with_task = [*flags, "--config", str(data_dir / "tasks.yaml")]
    assert call(train.main, with_task)[0] == 2
    code, _, err = call(train.main, [*with_task, *names])
    assert code == 0, err
    (data_dir / "tasks.yaml").write_text(f"processor: {{tasks: [{task}, {task.replace('mood', 'tone')}]}}")
    code, _, err = call(train.main, [*with_task, *names])
    assert code == 2
    assert err.splitlines()[-1].startswith("jobs.train: --label-column names one column")


def test_flags_that_a_model_has_no_use_for(call, model_dir, data_dir):
    code, _, err = call(evaluate.main, [model_dir, str(data_dir / "train.tsv"), "--text-b-column", "b"])
    assert code == 2
    assert "--text-b-column" in err.splitlines()[-1]


def test_the_tokenizer_job_names_the_encoding_too(call, tmp_path):
    (tmp_path / "a.txt").write_bytes("schöne Größe\n\nfür Tage\n".encode("cp1252") * 50)
    flags = [str(tmp_path / "a.txt"), str(tmp_path / "tokenizer"), "--vocab-size", "60"]
    code, told, err = call(train_tokenizer.main, flags)
    assert "--encoding cp1252" in err
    code, told, err = call(train_tokenizer.main, [*flags, "--encoding", "cp1252"])
    assert (code, told["problems"]) == (0, {}), err
