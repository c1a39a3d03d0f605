"""A tiny model, a tiny data set, and a job called in this process."""

import json

import pytest

GOOD_ROWS = [("a good film", "good"), ("a bad film", "bad"), ("very good day", "good"), ("what a fool", "bad")] * 8


@pytest.fixture
def data_dir(tmp_path):
    """A folder with train.tsv: 32 rows, two labels."""
    folder = tmp_path / "data"
    folder.mkdir()
    rows = "".join(f"{text} {number % 7}\t{label}\n" for number, (text, label) in enumerate(GOOD_ROWS))
    (folder / "train.tsv").write_text("text\tlabel\n" + rows)
    return folder


@pytest.fixture
def train_flags(tmp_path, tiny_folder, data_dir):
    """Flags of a run that works, in this process, written to `tmp_path/out`."""
    return [
        *("pipelines.text_classification", "--num-workers", "0", "--model", str(tiny_folder)),
        *("--data-dir", str(data_dir), "--output-dir", str(tmp_path / "out")),
        *("--set", "processor.label_list=[good,bad]", "--set", "processor.max_seq_len=16", "--set", "train.epochs=1"),
    ]


@pytest.fixture
def call(capfd):
    """Calls a job's `main` and returns exit code, the JSON of the last stdout line (None without), and stderr."""

    def run(main, flags):
        try:
            code = main(flags)
        except SystemExit as stop:
            code = stop.code
        out, err = capfd.readouterr()
        lines = out.strip().splitlines()
        return code, json.loads(lines[-1]) if lines else None, err

    return run
