"""Rows whose text the tokenizer refuses."""

import pyarrow as pa

from farm_ray.data_handler import problems
from farm_ray.data_handler.samples_to_features.refused import problems_of


def test_an_earlier_problem_of_a_refused_row_stays():
    earlier = problems.at("a.tsv:2", stage="s", kind="earlier", message="m")
    samples = pa.table({"id": ["a.tsv:2", "a.tsv:3", "a.tsv:4"], "problem": problems.column([earlier, None, None])})
    found = problems_of(samples, {0: "no", 2: "unknown token"}).to_pylist()
    assert [row and row["kind"] for row in found] == ["earlier", None, "cannot tokenize"]
    assert (found[2]["file"], found[2]["line"]) == ("a.tsv", 4)
    assert "a.tsv:4: the tokenizer refused the text: unknown token" in found[2]["message"]
    assert problems_of(samples, {}).to_pylist()[1:] == [None, None]
