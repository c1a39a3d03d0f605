"""The library's messages in the words of a job."""

import pytest

from jobs.wording import with_flags

FLAGS = {
    "task_type": "--task-type",
    "gpu": "--use-gpu",
    "use_gpu": "--use-gpu",
    "quote_char": "--quote-char",
    "delimiter": "--delimiter",
    "model": "--model",
}
FIELDS = {"max_problem_share": "data.max_problem_share", "skip": "processor.skip"}


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ('say it with task_type="text_classification"', "say it with --task-type text_classification"),
        ("give delimiter=','", "give --delimiter ,"),
        ("with delimiter='\\t': give delimiter=';'", r"with --delimiter '\t': give --delimiter ';'"),
        ("give skip='a b'", "give --set 'processor.skip=a b'"),
        ("give skip=None", "give --set processor.skip=null"),
        ("split it, or allow longer ones with max_text_chars=9", "split it"),
        (
            "take another, or Tokenizer.load(..., mask_token='x') with n=1, or skip=3",
            "take another, or --set processor.skip=3",
        ),
        ("choose another dev_split or give a skip", "choose another dev_split or give a skip"),
        ("max_problem_share is a share", "data.max_problem_share is a share"),
        ('task_type "ner" is not known', '--task-type "ner" is not known'),
        ("gpu=True, but there is none", "--use-gpu, but there is none"),
        ("load it with gpu=False or not", "load it with no --use-gpu or not"),
        ("use_gpu was asked for", "--use-gpu was asked for"),
        ("check delimiter and quote_char. All of them", "check delimiter and --quote-char. All of them"),
        ("or quote_char=None, where quotes are plain", 'or --quote-char "", where quotes are plain'),
        ("allow it: max_problem_share=0.05", "allow it: --set data.max_problem_share=0.05"),
    ],
)
def test_arguments_become_flags(message, told):
    assert with_flags(message, FLAGS, FIELDS) == told


@pytest.mark.parametrize(
    "message",
    [
        "the model has no delimiter and no gpu",
        "cannot read /data/task_type/use_gpu.tsv: there is no such file",
        'there is no column "task_type"; there are: "use_gpu"',
        "train.quote_char=x is unknown",
        "cannot read quote_char.tsv",
        "--task_type=x",
        "my_task_type and task_types",
    ],
)
def test_all_else_stays(message):
    assert with_flags(message, FLAGS, FIELDS) == message
