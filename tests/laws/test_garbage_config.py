"""Whatever a configuration file or a flag holds: exit 2 and one line. No Ray, no model is loaded."""

import json

import pytest

from jobs import train

BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
MERGED = "a: &a {x: 1}\n" + "".join(
    f"{name}: &{name} {{<<: [{', '.join([f'*{before}'] * 10)}]}}\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
SCALARS = {
    "no date": "2024-13-45",
    "a date": "2024-01-02",
    "no number": "0x_",
    "a number of 5,000 digits": "1" * 5000,
    "a number of 30 digits": "1" * 30,
    "sexagesimal": "1:99:99",
    "NaN": ".nan",
    "infinity": "-.inf",
    "an object": "!!python/object/apply:os.getcwd []",
    "a name": "!!python/name:os.system",
    "bytes": "!!binary aGVsbG8=",
    "no bytes": "!!binary 0",
    "a set": "!!set {a, b}",
    "a wrong set": "!!set [a]",
    "a wrong timestamp": "!!timestamp [a]",
    "a wrong int": "!!int x",
    "pairs": "!!pairs [a]",
    "omap": "!!omap x",
    "a list as a key": "{[a]: 1}",
    "an alias to nothing": "*a",
    "a value in itself": "&a [*a]",
    "a directive": "%YAML 9.9",
    "tab": "\t\t- x",
    "a colon": "a: b: c",
    "a bell": "\x07",
    "merge": "{<<: 1}",
}
YAML = {
    "3,000 brackets": "name: " + "[" * 3000,
    "3,000 braces": "{a: " * 3000,
    "200 brackets": "name: x\nmodel: {from_scratch: {settings: {x: " + "[" * 200 + "]" * 200 + "}}}\n",
    "billion laughs": BOMB,
    "billion merges": MERGED,
    "nothing": "",
    "comments": "# a\n# b\n",
    "two documents": "name: a\n---\nname: b\n",
    "a key twice": "name: a\nname: b\n",
    "a nested key twice": "name: a\ntrain: {epochs: 1, epochs: 2}\n",
    "wrong sections": "name: x\ntrain: 5\nmodel: [a]\nprocessor: null\n",
    "an unknown kind": "name: x\nprocessor: {kind: [a]}\n",
    "names that are no text": "name: x\n1: 2\nnull: 3\n2024-01-01: 4\n",
    "a text with NUL": 'name: "a\\0b"\n',
    "a text with half a character": 'name: "a\\ud83d"\n',
    "too large": "# " + "x" * (3 << 20),
    "NUL bytes": "\0" * 100,
    "a null": "~",
    "a prepare that is no text": "name: x\nprepare: [shutil, rmtree]\n",
}
BYTES = {
    "UTF-16": "name: x\n".encode("utf-16"),
    "Latin-1": "name: ü\n".encode("latin-1"),
    "gzip": b"\x1f\x8b\x08\x00\x00\x00\x00\x00",
    "half a character": b"name: \xed\xa0\x80\n",
    "Parquet": b"PAR1\x00\x00\x00\x00PAR1",
}
JSON = {
    "cut off": '{"task": {"name": "x"',
    "nothing": "",
    "a number": "7",
    "no sections": '{"task": 5}',
    "deep": '{"task": ' * 3000,
    "deep list": '{"task": {"name": ' + "[" * 100_000,
    "NaN": '{"parameter": {"epochs": NaN}}',
    "infinity": '{"optimizer": {"learning_rate": Infinity}}',
    "1e999": '{"optimizer": {"learning_rate": 1e999}}',
    "a number of 5,000 digits": '{"general": {"seed": ' + "1" * 5000 + "}}",
    "a number of 30 digits": '{"general": {"seed": ' + "1" * 30 + "}}",
    "half a character": '{"task": {"name": "\\ud83d"}}',
    "NUL": '{"task": {"name": "a\\u0000"}}',
    "lists for names": '{"task": {"name": ["x"], "processor_name": ["y"]}, "parameter": {"prediction_head": {"a": 1}}}',
    "a dict for a name": '{"task": {"processor_name": {"a": 1}}}',
    "odd amp": '{"general": {"use_amp": {"value": {"a": 1}}}}',
    "deep layer_dims": '{"parameter": {"layer_dims": "' + "[" * 3000 + '"}}',
    "wrong layer_dims": '{"parameter": {"layer_dims": [1, "x", 2]}}',
    "negative steps": '{"parameter": {"gradient_accumulation_steps": -1}}',
    "a huge grid": json.dumps({"parameter": {k: [1] * 200 for k in ("epochs", "batch_size", "max_seq_len", "model")}}),
    "an empty grid": '{"parameter": {"epochs": []}}',
    "lists where one value stands": json.dumps(
        {
            s: {k: [[1]] for k in ks}
            for s, ks in {
                "general": ["cuda", "use_amp", "output_dir"],
                "task": ["language", "do_train", "do_eval", "metric"],
                "parameter": ["lm_output_type", "lower_case"],
                "logging": ["level", "mlflow_url"],
            }.items()
        }
    ),
    "wrong types": '{"task": {"name": 1, "label_list": 5}, "early_stopping": {"mode": 3, "patience": "x"}}',
}


def fails_in_one_line(capsys, argv):
    assert train.main(["--num-workers", "0", *argv]) == 2
    err = capsys.readouterr().err
    line = err.strip()
    assert line.count("\n") == 0, err
    assert line.startswith("jobs.train: ")
    assert len(line) < 1000
    assert "Traceback" not in err
    return line


@pytest.mark.parametrize("name", YAML)
def test_a_yaml_file(tmp_path, capsys, name):
    (tmp_path / "c.yaml").write_text(YAML[name], encoding="utf-8")
    fails_in_one_line(capsys, ["--config", str(tmp_path / "c.yaml")])
    fails_in_one_line(capsys, ["pipelines.text_classification", "--config", str(tmp_path / "c.yaml")])


@pytest.mark.parametrize("field", ["train.epochs", "seed", "processor.label_list", "model.from_scratch"])
def test_a_value_in_a_file_or_flag(tmp_path, capsys, field):
    section, _, key = field.rpartition(".")
    for value in SCALARS.values():
        line = f"{key}: {value}\n"
        (tmp_path / "c.yaml").write_text(f"name: x\n{section}:\n  {line}" if section else f"name: x\n{line}")
        fails_in_one_line(capsys, ["--config", str(tmp_path / "c.yaml")])
        fails_in_one_line(capsys, ["pipelines.text_classification", "--set", f"{field}={value}"])


def test_a_value_where_anything_may_stand(tmp_path, capsys):
    """Options of optimizers and models are dictionaries without a schema of ours."""
    for value in SCALARS.values():
        for field in ("train.optimizer_opts.lr", "model.from_scratch.settings.hidden_size", "train.schedule_opts.name"):
            fails_in_one_line(capsys, ["pipelines.text_classification", "--set", f"{field}={value}"])


@pytest.mark.parametrize("name", BYTES)
@pytest.mark.parametrize("suffix", ["yaml", "json"])
def test_a_file_of_another_kind(tmp_path, capsys, name, suffix):
    (tmp_path / f"c.{suffix}").write_bytes(BYTES[name])
    fails_in_one_line(capsys, ["--config", str(tmp_path / f"c.{suffix}")])


@pytest.mark.parametrize("name", JSON)
def test_a_farm_configuration(tmp_path, capsys, name):
    (tmp_path / "c.json").write_text(JSON[name])
    fails_in_one_line(capsys, ["--config", str(tmp_path / "c.json")])


@pytest.mark.parametrize("place", ["", ".", "/dev/zero", "/dev/null", "no/such", "n" * 300])
def test_a_place_that_holds_no_configuration(capsys, place):
    fails_in_one_line(capsys, ["--config", place])
    fails_in_one_line(capsys, ["--config", f"{place}.json"])


@pytest.mark.parametrize("pipeline", ["", ".", "..", "/", "a" * 300, "a:b:c", "ß", "os", "os:getcwd", "pipelines", "1", "jobs.train:work", "--", "pipelines.x\ny"])  # fmt: skip
def test_a_pipeline_that_is_none(capsys, pipeline):
    fails_in_one_line(capsys, [pipeline] if pipeline != "--" else ["--data-dir", "x"])


@pytest.mark.parametrize("text", ["", "=", "a", "=1", ".=1", "train.=1", "train..epochs=1", "train.epochs.x=1", "seed.x=1", "\0=1", "name=a\0b", "model.heads.0.task=x", "seed=" + "[" * 3000])  # fmt: skip
def test_an_assignment_that_is_none(capsys, text):
    fails_in_one_line(capsys, ["pipelines.text_classification", "--set", text])
