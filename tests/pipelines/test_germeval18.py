"""pipelines.germeval18: two label columns, two heads."""

from tests.pipelines.small_pipelines import TEXTS, run, write_table

FINE = ["OTHER", "ABUSE", "INSULT", "PROFANITY"]


def test_coarse_and_fine_labels_have_a_head_each(tiny_folder, tmp_path):
    rows = [(t, "OFFENSE" if n % 4 else "OTHER", FINE[n % 4]) for n, t in enumerate(TEXTS)]
    write_table(tmp_path, ("text", "coarse_label", "fine_label"), rows)
    metrics = run("pipelines.germeval18", tmp_path, tiny_folder).metrics["dev"]
    assert {task: set(found) for task, found in metrics.items()} == {
        "coarse": {"loss", "f1_macro"},
        "fine": {"loss", "f1_macro"},
    }
