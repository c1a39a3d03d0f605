"""Tags become label ids, one per word; what is invalid is told with row, word and the nearest tag."""

import pyarrow as pa
import pytest

from farm_ray.data_handler import problems
from farm_ray.data_handler.dicts_to_samples.text import text_samples
from tests.tasks.making import make_task

TAGS = ["O", "B-PER", "I-PER"]
NER = make_task("ner", metric="seq_f1", label_list=TAGS, task_type="token_classification")
TOPIC = make_task("topic", metric="acc", label_list=["news", "sport"], task_type="classification")


def dicts(*rows, problem_at=()):
    ids = [f"train.txt:{number}" for number in range(1, len(rows) + 1)]
    found = [
        problems.at(i, stage="s", kind="earlier", message="m") if n in problem_at else None for n, i in enumerate(ids)
    ]
    return pa.table(
        {
            "id": pa.array(ids, pa.string()),
            "text": pa.array([row[0] for row in rows], pa.string()),
            "ner_label": pa.array([row[1] for row in rows], pa.list_(pa.string())),
            "topic_label": pa.array([row[2] if len(row) > 2 else "news" for row in rows], pa.string()),
            "problem": problems.column(found),
        }
    )


def samples(table, tasks=None, inference=False):
    return text_samples(table, tasks={"ner": NER} if tasks is None else tasks, inference=inference)


def told(table):
    return [row and (row["kind"], row["message"], row["value"]) for row in table["problem"].to_pylist()]


def test_one_id_per_word():
    made = samples(dicts(("Anna lacht", ["B-PER", "O"]), (" Anna\tvon  Au\n", ["B-PER", "I-PER", "I-PER"])))
    assert made.column_names == ["id", "text", "ner_label_ids", "problem"]
    assert made.schema.field("ner_label_ids").type == pa.list_(pa.int32())
    assert made["ner_label_ids"].to_pylist() == [[1, 0], [1, 2, 2]]
    assert told(made) == [None, None]


@pytest.mark.parametrize(
    ("text", "tags", "kind", "message", "value"),
    [
        ("Anna lacht", ["O", "B-PR"], "unknown tag", r'tag "B-PR" of word 2 "lacht" is not in label_list [O, B-PER, I-PER]; correct the row (did you mean "B-PER"?) or add the tag to label_list', "B-PR"),
        ("Anna lacht", ["MISC", "LOC"], "unknown tag", 'tag "MISC" of word 1 "Anna"', "MISC"),
        ("Anna lacht", ["O", None], "missing tag", 'no tag for word 2 "lacht"', None),
        ("Anna lacht", ["O"], "wrong number of tags", '1 tags for 2 words of "Anna lacht"', "1"),
        ("Anna", [], "wrong number of tags", '0 tags for 1 words of "Anna"', "0"),
        ("Anna", None, "missing tags", 'no tags in "ner_label"', None),
        (" \n", [], "empty text", "the text is empty", None),
        (None, ["O"], "empty text", "the text is empty", None),
    ],
)  # fmt: skip
def test_rows_that_cannot_be_meant(text, tags, kind, message, value):
    made = samples(dicts(("Anna", ["O"]), (text, tags), ("Anna", ["B-PER"])))
    assert made["ner_label_ids"].to_pylist() == [[0], None, [1]]
    (problem,) = [row for row in made["problem"].to_pylist() if row]
    assert (problem["kind"], problem["value"], problem["line"]) == (kind, value, 2)
    assert problem["message"].startswith(f"train.txt:2: {message}")


def test_an_earlier_problem_is_kept():
    made = samples(dicts(("Anna", ["B-PR"]), problem_at=[0]))
    assert told(made) == [("earlier", "m", None)]
    assert made["ner_label_ids"].to_pylist() == [None]


def test_labels_of_the_row_beside_those_of_its_words():
    rows = dicts(("Anna", ["O"], "sport"), ("Anna", ["O"], "sprot"), ("Anna", ["Q"], "news"))
    made = samples(rows, {"ner": NER, "topic": TOPIC})
    assert made.column_names == ["id", "text", "ner_label_ids", "topic_label_ids", "problem"]
    assert made["topic_label_ids"].to_pylist() == [[1], None, None]
    assert made["ner_label_ids"].to_pylist() == [[0], None, None]
    assert [problem and problem[0] for problem in told(made)] == [None, "unknown label", "unknown tag"]


def test_inference_needs_no_tags():
    made = samples(dicts(("Anna", None)).select(["id", "text", "problem"]), inference=True)
    assert made.column_names == ["id", "text", "problem"]
    assert told(made) == [None]


@pytest.mark.parametrize("cut", range(5))
def test_cut_anywhere(cut):
    table = dicts(("Anna lacht", ["B-PER", "O"]), ("Anna", ["Q"]), ("Anna", None), ("a b c", ["O", "O", "I-PER"]))
    parts = [samples(table.slice(0, cut)), samples(table.slice(cut))]
    assert pa.concat_tables(parts).equals(samples(table))
