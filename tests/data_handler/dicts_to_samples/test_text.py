import pyarrow as pa
import pytest

from farm_ray.data_handler import problems, sample_columns
from farm_ray.data_handler.dicts_to_samples.text import text_samples
from tests.tasks.making import make_task

SINGLE = {"sent": make_task("sent", metric="acc", label_list=["bad", "good"], task_type="classification")}
SEVERAL = {
    "tox": make_task(
        "tox", metric="acc", label_list=["toxic", "insult", "threat"], task_type="multilabel_classification"
    )
}


def table(texts, labels=None, name="sent_label", problem=None):
    columns = {"id": [f"train.tsv:{line}" for line in range(2, 2 + len(texts))], "text": pa.array(texts, pa.string())}
    if labels is not None:
        columns[name] = pa.array(labels, pa.string())
    return pa.table({**columns, "problem": problem or problems.none(len(texts))})


def kinds(made):
    return [None if one is None else one["kind"] for one in made["problem"].to_pylist()]


def test_labels_become_ids():
    made = text_samples(table(["a", "b"], ["good", "bad"]), tasks=SINGLE, inference=False)
    assert made.schema == sample_columns.text_schema(SINGLE)
    assert made["sent_label_ids"].to_pylist() == [[1], [0]]
    assert made["sent_label_ids"].type == pa.list_(pa.int64(), 1)
    assert made["id"].to_pylist() == ["train.tsv:2", "train.tsv:3"]


def test_bad_rows_keep_their_place_and_tell_why():
    texts = ["a", "", " \t", None, "b", "c", "d"]
    labels = ["good", "good", "bad", "bad", "god", "", None]
    made = text_samples(table(texts, labels), tasks=SINGLE, inference=False)
    assert kinds(made) == [None] + ["empty text"] * 3 + ["unknown label"] + ["missing label"] * 2
    assert made["sent_label_ids"].to_pylist() == [[1]] + [None] * 6
    unknown = made["problem"].to_pylist()[4]
    assert unknown == {
        "stage": "dicts_to_samples",
        "kind": "unknown label",
        "file": "train.tsv",
        "line": 6,
        "value": "god",
        "message": 'train.tsv:6: label "god" is not in label_list [bad, good]; '
        'correct the row (did you mean "good"?) or add the label to label_list',
    }


def test_an_earlier_problem_stays():
    earlier = problems.column(
        [problems.at("train.tsv:2", stage="file_to_dicts", kind="broken quote", message="x"), None]
    )
    made = text_samples(table([None, "b"], [None, "good"], problem=earlier), tasks=SINGLE, inference=False)
    assert kinds(made) == ["broken quote", None]
    assert made["sent_label_ids"].to_pylist() == [None, [1]]


def test_inference_makes_no_labels():
    for given in (table(["a", ""]), table(["a", ""], ["good", "nonsense"])):
        made = text_samples(given, tasks=SINGLE, inference=True)
        assert made.column_names == ["id", "text", "problem"]
        assert kinds(made) == [None, "empty text"]


def test_an_empty_label_can_be_one_of_the_list():
    tasks = {"sent": make_task("sent", metric="acc", label_list=["", "good"], task_type="classification")}
    assert text_samples(table(["a"], [""]), tasks=tasks, inference=False)["sent_label_ids"].to_pylist() == [[0]]


def test_several_labels_per_row():
    given = table(["a", "b", "c", "d", "e"], ["insult,toxic", "", "threat", "toxic,hate", None], "tox_label")
    made = text_samples(given, tasks=SEVERAL, inference=False)
    assert made["tox_label_ids"].to_pylist() == [[1, 1, 0], [0, 0, 0], [0, 0, 1], None, None]
    assert kinds(made) == [None, None, None, "unknown label", "missing label"]
    assert '"hate" is not in label_list [toxic, insult, threat]' in made["problem"].to_pylist()[3]["message"]


def test_several_tasks():
    given = table(["a", "b"], ["good", "bad"]).append_column("tox_label", pa.array(["toxic", "hate"]))
    made = text_samples(given, tasks={**SINGLE, **SEVERAL}, inference=False)
    assert made.column_names == ["id", "text", "sent_label_ids", "tox_label_ids", "problem"]
    assert made["sent_label_ids"].to_pylist() == [[1], None]
    assert made["tox_label_ids"].to_pylist() == [[1, 0, 0], None]


def test_regression_reads_and_scales_numbers():
    tasks = {"stars": make_task("stars", metric="mse", label_list=[3.0, 1.0], task_type="regression")}
    made = text_samples(table(["a", "b"], ["4.5", "many"], "stars_label"), tasks=tasks, inference=False)
    assert made["stars_label_ids"].to_pylist() == [[1.5], None]
    assert made["stars_label_ids"].type == pa.list_(pa.float32(), 1)
    assert kinds(made) == [None, "bad label"]


def test_several_labels_in_another_form():
    labels = ["insult, toxic", " ", "toxic;threat", '["toxic", "threat"]', "toxic, hate"]
    made = text_samples(table(["a"] * 5, labels, "tox_label"), tasks=SEVERAL, inference=False)
    assert made["tox_label_ids"].to_pylist() == [None, None, None, [1, 0, 1], None]
    told = [problem and problem["message"].rpartition("; ")[2] for problem in made["problem"].to_pylist()]
    assert told == [
        'labels are joined by commas without spaces: write "insult,toxic"',
        "leave the cell empty where a row has no label",
        'labels are joined by commas without spaces: write "toxic,threat"',
        None,
        "correct the row or add the label to label_list",
    ]
    assert made["problem"].to_pylist()[0]["value"] == " toxic"


def test_pairs():
    given = table(["a", "b", " ", "d"], ["good"] * 4).append_column("text_b", pa.array(["x", "", "y", None]))
    made = text_samples(given, tasks=SINGLE, inference=False)
    assert made.schema == sample_columns.text_schema(SINGLE, pairs=True)
    assert made["text_b"].to_pylist() == ["x", "", "y", None]
    assert kinds(made) == [None, "empty text", "empty text", "empty text"]
    told = [problem and problem["message"].partition(";")[0] for problem in made["problem"].to_pylist()]
    assert told[1:] == [
        "train.tsv:3: the second text (text_b) is empty",
        "train.tsv:4: the text is empty",
        "train.tsv:5: the second text (text_b) is empty",
    ]


@pytest.mark.parametrize("tasks", [SINGLE, SEVERAL])
@pytest.mark.parametrize("cut", [0, 1, 3, 5])
def test_cut_anywhere(tasks, cut):
    (name,) = (task["label_name"] for task in tasks.values())
    given = table(["a", "", "c", "d", "e"], ["good", "bad", "toxic", "", "toxic,bad"], name)
    parts = [text_samples(part, tasks=tasks, inference=False) for part in (given.slice(0, cut), given.slice(cut))]
    assert pa.concat_tables(parts).equals(text_samples(given, tasks=tasks, inference=False))
