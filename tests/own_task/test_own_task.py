"""A kind of task that farm_ray does not know, in three files beside this one, goes through all jobs."""

import json
import random
import sys
from pathlib import Path

import pytest

from farm_ray.data_handler.processor import Processor
from farm_ray.evaluation import metrics
from farm_ray.tasks import table
from jobs import evaluate, infer, train
from tests.modeling.tiny_models import save_tiny_model
from tests.tiny import tiny_tokenizer

HERE = Path(__file__).parent
FILES = ("word_count_task.py", "word_count_head.py", "word_count.py")
WORDS = ["a", "good", "film", "bad", "very", "nice", "day"]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A folder with a tiny model, and files of lines such as `3 | a good film`."""
    folder = tmp_path_factory.mktemp("counts")
    save_tiny_model("bert", folder / "bert")
    tiny_tokenizer(folder / "bert")
    draw = random.Random(0)
    for name, rows in (("train", 160), ("test", 40)):
        counts = [draw.randint(1, 9) for _ in range(rows)]
        lines = [f"{count} | {' '.join(draw.choices(WORDS, k=count))}" for count in counts]
        (folder / f"{name}.count").write_text("\n".join(lines) + "\n")
    return folder


@pytest.fixture(scope="module")
def own_modules():
    """The three files can be imported, and what they register is gone afterwards."""
    tables = (table._specs, metrics._registered_metrics)
    known = [dict(one) for one in tables]
    sys.path.insert(0, str(HERE))
    yield
    sys.path.remove(str(HERE))
    # Other tests' workers cannot import these.
    for one, before in zip(tables, known, strict=True):
        one.clear()
        one.update(before)


def result_of(job, capsys, *flags):
    code = job.main([str(flag) for flag in flags])
    printed = capsys.readouterr()
    assert code == 0, printed.err
    return json.loads(printed.out.splitlines()[-1]), printed


def test_three_files_of_at_most_250_lines():
    assert sum(len((HERE / name).read_text().splitlines()) for name in FILES) <= 250


def test_trained_saved_loaded_evaluated_and_predicted_through_the_jobs(data, own_modules, tmp_path, capsys):
    told, printed = result_of(
        train, capsys, "word_count", "--data-dir", data, "--model", data / "bert", "--output-dir", tmp_path / "run",
        "--num-workers", 0,
    )  # fmt: skip
    test = told["metrics"]["test"]
    # The mean count is off by 2.2 words.
    assert test["off_by"] < 1
    assert "python -m jobs.infer --import word_count" in printed.err
    model = tmp_path / "run" / "model"
    flags = ("--import", "word_count", model)

    scored, _ = result_of(evaluate, capsys, *flags, data / "test.count")
    assert scored["metrics"] == pytest.approx(test)

    predicted, _ = result_of(infer, capsys, *flags, data / "test.count", tmp_path / "out.jsonl")
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert predicted["rows"] == len(rows) == 40
    true = [int(line.partition("|")[0]) for line in (data / "test.count").read_text().splitlines()]
    assert sum(abs(row["words"] - count) for row, count in zip(rows, true, strict=True)) / 40 == test["off_by"]

    assert type(Processor.load_from_dir(model)).__name__ == "WordCountProcessor"


def test_a_label_that_is_none_names_its_row(data, own_modules, tmp_path, capsys):
    (tmp_path / "train.count").write_text("3 | a good film\nmany | a bad film\n")
    flags = ["word_count", "--data-dir", str(tmp_path), "--model", str(data / "bert"), "--num-workers", "0"]
    assert train.main([*flags, "--output-dir", str(tmp_path / "run")]) == 2
    assert 'train.count:2: the label in word_count_label cannot be converted ("many" is no' in capsys.readouterr().err
