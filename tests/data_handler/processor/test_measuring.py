import pyarrow as pa
import pytest

from farm_ray.data_handler import problems
from farm_ray.data_handler.processor.measuring import measured_tasks, without_texts
from tests.tasks.making import make_task


def regression(name="stars", label_list=()):
    return make_task(name, metric="mse", label_list=list(label_list), task_type="regression")


CLASSES = make_task("sent", metric="acc", label_list=["a", "b"], task_type="classification")


def table(labels, texts=None, bad=(), name="stars_label"):
    found = [problems.at("x:1", stage="s", kind="k", message="m") if row in bad else None for row in range(len(labels))]
    columns = {
        "id": [str(row) for row in range(len(labels))],
        "text": pa.array(texts or ["a"] * len(labels), pa.string()),
    }
    return pa.table({**columns, name: pa.array(labels, pa.string()), "problem": problems.column(found)})


def test_measured_over_all_tables():
    tasks = measured_tasks({"stars": regression()}, [table(["4", "5"]), table(["5"]), table([]), table(["5.0"])])
    assert tasks["stars"]["label_list"] == pytest.approx([4.75, 0.4330127018922193], abs=1e-15)


def test_only_sound_labels_count():
    given = table(["1", "x", "3", "100", "200", "nan", None, "inf"], ["a", "b", "c", "d", " ", "f", "g", "h"], bad=[3])
    assert measured_tasks({"stars": regression()}, [given])["stars"]["label_list"] == [2.0, 1.0]


def test_texts_can_be_left_out():
    given = table(["1", "3", "100", "50"], ["a", "b", " ", "d"], bad=[3])
    given = given.append_column("text_b", pa.array(["x", "y", "z", "z"]))
    bare = without_texts(given)
    assert bare.column_names == ["id", "stars_label", "problem"]
    assert measured_tasks({"stars": regression()}, [bare])["stars"]["label_list"] == [2.0, 1.0]


def test_the_cut_does_not_count():
    labels = [str(number * 0.1) for number in range(100)]
    whole = measured_tasks({"stars": regression()}, [table(labels)])
    parts = measured_tasks({"stars": regression()}, [table(labels[:7]), table(labels[7:])])
    assert whole == parts


def test_tables_are_not_touched_where_nothing_is_measured():
    tasks = {"stars": regression(label_list=[1, 2]), "sent": CLASSES}
    never = iter([table(["1"])])
    assert measured_tasks(tasks, never) is tasks
    assert next(never).num_rows == 1


def test_several_tasks_in_one_pass():
    given = table(["1", "3"]).append_column("price_label", pa.array(["10", "x"]))
    tasks = {"stars": regression(), "sent": CLASSES, "price": regression("price"), "known": regression("known", [5, 2])}
    made = measured_tasks(tasks, [given])
    assert list(made) == list(tasks)
    assert [made[name]["label_list"] for name in ("stars", "price", "known")] == [[2.0, 1.0], [10.0, 1.0], [5.0, 2.0]]
    assert tasks["stars"]["label_list"] == []


def test_no_label_at_all():
    assert measured_tasks({"stars": regression()}, [])["stars"]["label_list"] == [0.0, 1.0]
