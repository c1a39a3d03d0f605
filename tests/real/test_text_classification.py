"""Real data with a real model through the job a user calls. Needs FARM_RAY_DATA, a folder with qc, sst2, germeval18.

Run with `FARM_RAY_DATA=folder pytest -m real`; some ten minutes on two cores.
"""

import json
from pathlib import Path

import pytest

from tests.real.training import DATA, train

pytestmark = [pytest.mark.real, pytest.mark.timeout(1800)]


def test_question_classification(tmp_path):
    result = train(
        "pipelines.text_classification",
        DATA / "qc",
        tmp_path / "qc",
        workers=1,
        processor__label_list="[ABBR, DESC, ENTY, HUM, LOC, NUM]",
        train__epochs="3",
    )
    assert result["metrics"]["test"]["acc"] >= 0.95
    assert result["rows"] == 3 * 4907


def test_sentiment(tmp_path):
    result = train(
        "pipelines.text_classification",
        DATA / "sst2",
        tmp_path / "sst2",
        processor__label_list="[negative, positive]",
        processor__dev_filename="dev.tsv",
        train__epochs="2",
    )
    assert result["metrics"]["dev"]["acc"] >= 0.86
    assert result["rows"] == 2 * 6920


def test_two_tasks_on_one_encoder(tmp_path):
    """German tweets with an English model; who always says OTHER gets 0.40 and 0.20."""
    result = train(
        "pipelines.germeval18",
        DATA / "germeval18",
        tmp_path / "germeval18",
        train__epochs="3",
        train__optimizer_opts="{name: AdamW, head_lr: 1e-3}",
    )
    assert result["metrics"]["test"].keys() == {"coarse", "fine"}
    assert result["metrics"]["test"]["coarse"]["f1_macro"] >= 0.55
    assert result["metrics"]["test"]["fine"]["f1_macro"] >= 0.24


def test_workers_change_the_speed_not_the_run(tmp_path):
    """Dropout off, float32: same order hash, losses equal within float tolerance."""
    settings = {
        "processor__label_list": "[ABBR, DESC, ENTY, HUM, LOC, NUM]",
        "processor__max_samples": "600",
        "processor__test_filename": "null",
        "model__embeds_dropout_prob": "0",
        "model__dropout": "0",
        "train__use_amp": "null",
    }
    runs = [
        train("pipelines.text_classification", DATA / "qc", tmp_path / str(n), workers=n, **settings) for n in (0, 1, 2)
    ]
    assert len({run["order_hash"] for run in runs}) == 1
    losses = [json.loads((Path(run["model_dir"]) / "metrics.json").read_text())["losses"] for run in runs]
    assert losses[1] == pytest.approx(losses[0], rel=2e-3)
    assert losses[2] == pytest.approx(losses[0], rel=2e-3)
