"""What tests of predictions read, and how they look at what came out."""

import json

WORDS = ["the", "a", "good", "bad", "dull", "film", "was", "and", "very", "not"]
TEXTS = [
    "the good film",
    "bad",
    "a very dull film and the film was very bad",
    "the film",
    "very good and very very bad",
]
DICTS = [{"text": text} for text in TEXTS]


def predictions(result):
    """Those of the only head."""
    (element,) = result
    return element["predictions"]


def texts(n):
    """Different ones of 2 to 10 words."""
    return [" ".join(WORDS[(i * k) % len(WORDS)] for k in range(1, 3 + i % 9)) for i in range(n)]


def write_tsv(path, rows, *, header="text\tlabel"):
    """The path, with these lines in it."""
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def read_jsonl(path):
    """The rows."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
