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


@pytest.mark.parametrize("missing", ["model", "file"])
def test_missing_input_is_one_line(call, train_flags, data_dir, tmp_path, missing):
    if missing == "file":
        call(train.main, train_flags)
    code, told, err = call(evaluate.main, [str(tmp_path / "out" / "model"), str(data_dir / "no.tsv")])
    assert (code, told) == (2, None)
    assert "Traceback" not in err
    assert ("no.tsv" if missing == "file" else "out/model") in err.strip().splitlines()[-1]
