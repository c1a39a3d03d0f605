"""A tokenizer is learnt in a folder that is its own meanwhile."""

from farm_ray.errors import ConfigError
from farm_ray.experiment.tokenizer import train_tokenizer_on
from tests.experiment.small_runs import run
from tests.raised import raised


def test_two_tokenizers_at_once(tmp_path):
    (tmp_path / "corpus.txt").write_text("a small corpus\n" * 50)
    refused = []

    def start_another(*_told):
        if not refused:
            refused.append(None)
            with raised(ConfigError, "folder-in-use"):
                train_tokenizer_on(tmp_path / "corpus.txt", tmp_path / "tok", vocab_size=60)

    told = train_tokenizer_on(tmp_path / "corpus.txt", tmp_path / "tok", vocab_size=50, progress=start_another)
    assert refused
    assert told["output_dir"] == str(tmp_path / "tok")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["corpus.txt", "tok"]


def test_a_run_that_starts_where_a_tokenizer_is_learnt_is_refused(experiment, tmp_path):
    (tmp_path / "corpus.txt").write_text("a small corpus\n" * 50)
    refused = []

    def start_another(*_told):
        if not refused:
            refused.append(None)
            with raised(ConfigError, "folder-in-use"):
                run(experiment, tmp_path / "tok")

    train_tokenizer_on(tmp_path / "corpus.txt", tmp_path / "tok", vocab_size=50, progress=start_another)
    assert refused
    assert sorted(path.name for path in (tmp_path / "tok").iterdir()) == [
        "checksums.json",
        "tokenizer.json",
        "tokenizer_config.json",
    ]


def test_a_tokenizer_does_not_replace_what_came_meanwhile(tmp_path):
    (tmp_path / "corpus.txt").write_text("a small corpus\n" * 50)

    def come(*_told):
        (tmp_path / "tok" / "precious.txt").write_text("x")

    with raised(ConfigError, "folder-of-others", value="precious.txt"):
        train_tokenizer_on(tmp_path / "corpus.txt", tmp_path / "tok", vocab_size=50, progress=come)
    assert [path.name for path in (tmp_path / "tok").iterdir()] == ["precious.txt"]
