"""A pipeline on a handful of rows, in this process."""

from farm_ray.configuration import replace
from farm_ray.experiment import load_experiment, run_experiment

WORDS = ["good", "bad"]
TEXTS = [f"a {WORDS[number % 2]} film {number}" for number in range(24)]


def write_table(folder, columns, rows, name="train.tsv"):
    lines = ["\t".join(columns), *("\t".join(row) for row in rows)]
    (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")


def run(name, folder, tiny_folder, **settings):
    experiment = load_experiment(name)
    given = {
        "processor.data_dir": str(folder),
        "processor.max_seq_len": 16,
        "model.language_model": str(tiny_folder),
        "train.epochs": 1,
        "train.use_amp": None,
    }
    for key, value in {**given, **settings}.items():
        experiment = replace(experiment, key, value)
    return run_experiment(experiment, output_dir=folder / "out", num_workers=0)


def write_sentences(folder, name, sentences):
    blocks = ["".join(f"{word}\t{tag}\n" for word, tag in sentence) for sentence in sentences]
    (folder / name).write_text("\n".join(blocks), encoding="utf-8")


SENTENCES = [[("a", "O"), (word, "B-" + word.upper()), ("film", "O")] for word in WORDS] * 10
TAGS = ["O", "B-GOOD", "B-BAD"]
