"""Processors as users write them."""

from pathlib import Path

from farm_ray.data_handler.processor import Processor, TextClassificationProcessor


class LineProcessor(Processor):
    """One line per row, the label in brackets before the text."""

    def __init__(self, tokenizer, max_seq_len, data_dir, **kwargs):
        names = {"train_filename": "train.txt", "dev_filename": None, "test_filename": None, "dev_split": 0.0}
        super().__init__(tokenizer=tokenizer, max_seq_len=max_seq_len, data_dir=data_dir, **(names | kwargs))

    def file_to_dicts(self, file):
        with Path(file).open(encoding="utf-8") as lines:
            for line in lines:
                label, _, text = line.strip().partition("]")
                yield {"text": text.strip(), "mood_label": label.removeprefix("[")}


class StarsProcessor(LineProcessor):
    def convert_labels(self, dictionary):
        return {"mood_label_ids": [int(float(dictionary["stars"]) > 2)]}


class ThirdPartyReader(TextClassificationProcessor):
    def file_to_dicts(self, file):
        return [row for row in super().file_to_dicts(file) if "skip" not in row["text"]]
