"""jobs.evaluate on a model that jobs.train saved."""

import shutil

import pytest

from jobs import evaluate, train


def test_metrics_are_those_of_training(call, train_flags, data_dir, tmp_path):
    shutil.copy(data_dir / "train.tsv", data_dir / "test.tsv")
    _, trained, _ = call(train.main, train_flags)
    model_dir = tmp_path / "out" / "model"
    code, told, err = call(evaluate.main, [str(model_dir), str(data_dir / "test.tsv")])
    assert code == 0, err
    assert told["status"] == "ok"
    assert told["metrics"]["acc"] == pytest.approx(trained["metrics"]["test"]["acc"])
    assert told["metrics"]["loss"] == pytest.approx(trained["metrics"]["test"]["loss"], abs=1e-3)


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (["--use-gpu"], "--use-gpu was asked for"),
        (["--use-amp", "bf61"], '--use-amp bf61 is unknown; did you mean "bf16"'),
        ([], "--max-problem-share 0.0304"),
    ],
)
def test_errors_name_the_flags(call, train_flags, data_dir, tmp_path, monkeypatch, flags, told):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    call(train.main, train_flags)
    with (data_dir / "train.tsv").open("a") as file:
        file.write("a film\tgod\n")
    code, _, err = call(evaluate.main, [str(tmp_path / "out" / "model"), str(data_dir / "train.tsv"), *flags])
    assert code == 2
    assert told in err.strip().splitlines()[-1]


def test_rows_that_are_quarantined_are_told(call, train_flags, data_dir, tmp_path):
    call(train.main, train_flags)
    with (data_dir / "train.tsv").open("a") as file:
        file.write("a film\tgod\n")
    flags = [str(tmp_path / "out" / "model"), str(data_dir / "train.tsv"), "--max-problem-share", "0.1"]
    code, told, err = call(evaluate.main, flags)
    assert (code, told["rows"], told["problems"]) == (0, 32, {"unknown label": 1}), err
    assert 'test: 1 of 33 rows are quarantined (1 x unknown label): train.tsv:34: label "god" is not in' in err


@pytest.mark.parametrize("missing", ["model", "file"])
def test_missing_input_is_one_line(call, train_flags, data_dir, tmp_path, missing):
    if missing == "file":
        call(train.main, train_flags)
    code, told, err = call(evaluate.main, [str(tmp_path / "out" / "model"), str(data_dir / "no.tsv")])
    assert (code, told) == (2, None)
    assert "Traceback" not in err
    assert ("no.tsv" if missing == "file" else "out/model") in err.strip().splitlines()[-1]
