"""A silo of texts with labelled words: splits keep windows together, one big file is read by many tasks."""

from farm_ray.data_handler.data_silo import DataSilo
from farm_ray.data_handler.processor import NERProcessor
from farm_ray.errors import ConfigError, DataProblemError
from tests.raised import raised

TAGS = ["O", "B-PER", "I-PER"]


def processor(tokenizer, folder, **settings):
    usual = {"label_list": TAGS, "metric": "seq_f1", "dev_filename": None, "dev_split": 0.25}
    return NERProcessor(tokenizer, 8, folder, **(usual | settings))


def sentences(n, bad=()):
    """Sentences of 1 to 17 words: many do not fit into one window."""
    words = ["the", "badly", "film", "was", "good"]
    blocks = [[f"{words[(i + k) % 5]}\t{TAGS[(i + k) % 3]}" for k in range(1 + i % 17)] for i in range(n)]
    for i in bad:
        blocks[i].append("lost")
    return "".join("# comment\n" + "\n".join(block) + "\n\n" for block in blocks)


def sources(rows):
    return set(rows.table.column("dict_id").take(rows.rows).to_pylist())


def test_windows_of_a_text_stay_together(tokenizer, tmp_path):
    (tmp_path / "train.txt").write_text(sentences(100))
    silo = DataSilo(processor(tokenizer, tmp_path), batch_size=4)
    train, dev = silo.data["train"], silo.data["dev"]
    assert silo.data["test"] is None
    assert len(train) + len(dev) > 200
    assert (len(sources(train)), len(sources(dev))) == (75, 25)
    assert not sources(train) & sources(dev)
    assert silo.tensor_names == ["input_ids", "padding_mask", "segment_ids", "initial_mask", "ner_label_ids"]


def test_the_split_does_not_depend_on_the_windows(tokenizer, tmp_path):
    (tmp_path / "train.txt").write_text(sentences(100))
    silos = [
        DataSilo(processor(tokenizer, tmp_path, window_overlap=overlap), batch_size=4, seed=seed)
        for overlap, seed in [(0, 1), (3, 1), (0, 2)]
    ]
    first, second, other = [sources(silo.data["dev"]) for silo in silos]
    assert first == second != other


def test_bad_sentences_are_quarantined_under_their_own_id(tokenizer, tmp_path):
    (tmp_path / "train.txt").write_text(sentences(40, bad=[3]))
    with raised(DataProblemError, "too-many-problems", rows=40, row="train.txt:14", problems=1):
        DataSilo(processor(tokenizer, tmp_path), batch_size=4)
    silo = DataSilo(processor(tokenizer, tmp_path), batch_size=4, max_problem_share=0.1)
    (problem,) = silo.problems.to_pylist()
    assert (problem["id"], problem["line"]) == ("train.txt:14", 18)


def test_batches_pad_labels_with_what_is_ignored(tokenizer, tmp_path):
    (tmp_path / "train.txt").write_text(sentences(40))
    for labels, fill in ((TAGS, -100), ([*TAGS, "X"], 3)):
        silo = DataSilo(processor(tokenizer, tmp_path, label_list=labels), batch_size=16)
        batch = next(iter(silo.loaders["train"]))
        padded = batch["padding_mask"] == 0
        assert padded.any()
        assert set(batch["ner_label_ids"][padded].tolist()) == {fill}
        assert batch["initial_mask"][padded].sum() == 0
        assert (batch["ner_label_ids"][batch["initial_mask"] == 1] >= 0).all()


def test_numbers_as_tags_are_refused_before_features_are_made(tokenizer, tmp_path):
    rows = ['{"tokens": ["Ada", "said"], "ner_tags": [1, 0]}', '{"tokens": ["EU", "rejects"], "ner_tags": [2, 0]}']
    (tmp_path / "train.jsonl").write_text("\n".join(rows * 4) + "\n")
    settings = {
        "label_list": ["0", "1", "2"],
        "train_filename": "train.jsonl",
        "test_filename": None,
        "text_column_name": "tokens",
        "label_column_name": "ner_tags",
    }
    with raised(ConfigError, "wrong-tags", metric="seq_f1", value=["0", "1", "2"]):
        DataSilo(processor(tokenizer, tmp_path, **settings), batch_size=4)
    assert DataSilo(processor(tokenizer, tmp_path, **settings, metric="acc"), batch_size=4).counts["train"] == 6
