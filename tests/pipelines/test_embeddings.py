"""pipelines.embeddings: every strategy and layer is measured, and texts without a vector are told."""

import json

import pytest

from pipelines import embeddings
from tests.pipelines.small_pipelines import TEXTS, write_table


def test_each_strategy_and_layer_has_a_number(tiny_folder, tmp_path, capsys):
    write_table(tmp_path, ("text", "text_b", "score"), [(t, t[::-1], str(n % 5)) for n, t in enumerate(TEXTS)])
    file = str(tmp_path / "train.tsv")
    assert embeddings.main([file, "--model", str(tiny_folder), "--layers", "-1", "-2", "--max-seq-len", "16"]) == 0
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert result["rows"] == len(TEXTS)
    assert result["spearman"].keys() == {f"{name} {layer}" for name in embeddings.STRATEGIES for layer in (-1, -2)}
    assert all(-1 <= number <= 1 for number in result["spearman"].values())


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (("bad", " ", "2"), "1 texts have no vector, the first: "),
        (("bad", "good", "much"), 'the score "much" of row 2 is not a number; correct the row or remove it'),
        (
            ("bad", "good", "0,5"),
            'the score "0,5" of row 2 is not a number; if the comma is a decimal comma, write "0.5"',
        ),
        (("bad", "good", "inf"), 'the score "inf" of row 2 is not a finite number'),
    ],
)
def test_a_row_that_cannot_be_used_is_told(tiny_folder, tmp_path, capsys, row, told):
    write_table(tmp_path, ("text", "text_b", "score"), [("a film", "a fool", "1"), row])
    flags = ["--model", str(tiny_folder), "--max-seq-len", "16"]
    assert embeddings.main([str(tmp_path / "train.tsv"), *flags]) == 2
    err = capsys.readouterr().err.splitlines()
    assert told in err[-1]
    assert not any("Traceback" in line for line in err)
