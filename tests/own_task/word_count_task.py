"""How many words has a text? What it reads, what a label is, and how answers are shown."""

from pathlib import Path

import pyarrow as pa

from farm_ray.data_handler.processor import Processor
from farm_ray.errors import DataProblemError
from farm_ray.evaluation.metrics import register_metrics
from farm_ray.tasks import AnswerForm, Labels, TaskSpec, register_task

NAME = "word_count"


class WordCountProcessor(Processor):
    """Reads files with a count, a bar and a text a line: `3 | a good film`."""

    usual_task_type = NAME

    def __init__(
        self,
        tokenizer,
        max_seq_len,
        data_dir,
        metric="off_by",
        train_filename="train.count",
        dev_filename=None,
        test_filename="test.count",
        dev_split=0.2,
    ):
        super().__init__(tokenizer, max_seq_len, train_filename, dev_filename, test_filename, dev_split, data_dir)
        self.add_task(NAME, metric)

    def file_to_dicts(self, file):
        """A dict per line."""
        with Path(file).open(encoding="utf-8") as lines:
            for line in lines:
                count, bar, text = line.partition("|")
                yield {"text": text.strip(), "word_count_label": count.strip()} if bar else {"text": line.strip()}


class Count(Labels):
    """A whole number of words, learned as its logarithm."""

    def arrow_type(self, task):
        """One number."""
        return pa.list_(pa.int64(), 1)

    def ids(self, task, label):
        """The number; what is none is the row's problem."""
        if not str(label).isdecimal():
            raise DataProblemError(f'"{label}" is no number of words', value=label)
        return [int(label)]

    def trial(self, label_list):
        """Some counts."""
        return [1, 5]

    def outputs(self, task):
        """One number."""
        return 1


def off_by(preds, labels):
    """Words that a prediction is off by, the mean over rows."""
    return sum(abs(pred - label) for pred, label in zip(preds, labels, strict=True)) / len(labels)


def columns(head, answers, texts, return_class_probs):
    """The column words."""
    found = head.format_rows(answers, texts)["predictions"]
    return {"words": pa.array([one["words"] for one in found], pa.int64())}


WORD_COUNT = TaskSpec(
    name=NAME,
    farm_name=NAME,
    processor="WordCountProcessor",
    head="WordCountHead",
    head_type=NAME,
    metric="off_by",
    labels=Count(),
    answers=AnswerForm(keys=("context", "words"), columns=columns),
)
register_task(WORD_COUNT)
register_metrics("off_by", off_by)
