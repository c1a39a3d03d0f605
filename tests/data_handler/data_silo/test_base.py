"""What all silos have: sets from dicts, and loaders of their batches."""

import numpy as np
import pandas as pd

from farm_ray.data_handler.data_silo import DataSilo
from farm_ray.errors import ConfigError
from tests.data_handler.data_silo.small_files import LABELS, lines, processor
from tests.raised import raised


def test_a_loop_over_epochs_sees_another_order_in_each(tokenizer, tmp_path):
    (tmp_path / "train.tsv").write_text(lines(40))
    silo = DataSilo(processor(tokenizer, tmp_path), batch_size=8)
    rows = [[batch["input_ids"].tolist() for batch in silo.get_data_loader("train")] for _ in range(2)]
    rows.append([batch["input_ids"].tolist() for batch in silo.loaders["train"]])
    assert rows[0] != rows[1] != rows[2] != rows[0]
    again = DataSilo(processor(tokenizer, tmp_path), batch_size=8)
    assert [batch["input_ids"].tolist() for batch in again.loaders["train"]] == rows[0]
    silo.get_data_loader("train").set_epoch(1)
    assert [batch["input_ids"].tolist() for batch in silo.get_data_loader("train")] == rows[1]
    assert silo.get_data_loader("dev") is silo.loaders["dev"]
    silo.data["train"] = silo.data["train"].subset(np.arange(8))
    assert len(list(silo.get_data_loader("train"))) == 1


def test_sets_from_dicts(tokenizer):
    silo = DataSilo(processor(tokenizer, "", dev_split=0), batch_size=4, automatic_loading=False)
    dicts = [{"text": "good film", "text_classification_label": LABELS[i % 2]} for i in range(6)]
    silo._load_data(train_dicts=dicts, test_dicts=dicts[:2])
    assert silo.counts == {"train": 6, "dev": 0, "test": 2}


def test_dicts_may_be_a_frame_and_are_never_its_columns(tokenizer):
    rows = [{"text": "a good film", "text_classification_label": label} for label in LABELS]
    for given in (pd.DataFrame(rows), (row for row in rows)):
        silo = DataSilo(processor(tokenizer, "", dev_split=0.0), batch_size=8, automatic_loading=False)
        silo._load_data(train_dicts=given, test_dicts=pd.DataFrame(rows[:1]))
        assert silo.counts == {"train": 2, "dev": 0, "test": 1}
    with raised(ConfigError, "invalid-value", option="test_dicts"):
        silo._load_data(train_dicts=rows, test_dicts={"text": ["a"]})
    dataset, _, problematic = silo.processor.dataset_from_dicts(pd.DataFrame(rows))
    assert (len(dataset), problematic) == (2, set())
    with raised(ConfigError, "invalid-value", option="dicts"):
        silo.processor.dataset_from_dicts("a good film")
