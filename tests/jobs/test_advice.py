"""What a job advises can be typed: each flag is one of the job, each key of --set one of its experiment."""

import re
import shlex

import pytest

from farm_ray.configuration import dotted_names, parse_assignment, replace
from farm_ray.experiment.config import Experiment
from jobs import cross_validate, evaluate, infer, preprocess, train, train_tokenizer
from jobs.experiment_flags import experiment_from

JOBS = {"train": train, "preprocess": preprocess, "cross_validate": cross_validate, "evaluate": evaluate,
        "infer": infer, "train_tokenizer": train_tokenizer}  # fmt: skip
PYTHON = re.compile(r"\b[A-Za-z_][\w.]*\(|\b(?:Tokenizer|Trainer|DataSilo|Inferencer)\b")
ARGUMENT = re.compile(r"(?<![\w./\"'=-])[a-z]+(?:_[a-z]+)*=")
_SET = r"('[^']*'|[^\s']+(?:'[^']*')?)"
GOOD = "text\tlabel\n" + "a good film\tgood\na bad film\tbad\n" * 8


def table(data_dir, text, encoding="utf-8"):
    (data_dir / "train.tsv").write_bytes(text.encode(encoding))


TABLES = {
    "comma": ("text,label\n" + "a film,good\nno film,bad\n" * 8, "utf-8", "--delimiter ,"),
    "semicolon": ("text;label\n" + "a film;good\nno film;bad\n" * 8, "utf-8", "--delimiter ';'"),
    "bar": ("text|label\n" + "a film|good\nno film|bad\n" * 8, "utf-8", "--delimiter '|'"),
    "latin": ("text\tlabel\n" + "schön\tgood\nöde\tbad\n" * 8, "latin-1", "--encoding cp1252"),
    "renamed": ("sentence\tlabel\n" + "a film\tgood\nno film\tbad\n" * 8, "utf-8", "--text-column NAME"),
    "no label": ("text\tsentiment\n" + "a film\tgood\nno film\tbad\n" * 8, "utf-8", "--label-column NAME"),
    "half open quote": (GOOD + '"an open one\tgood\n', "utf-8", '--quote-char ""'),
    "few bad labels": (GOOD * 1 + "x\tgood\n" * 5 + "a film\tgod\n", "utf-8", "--set data.max_problem_share=0.0"),
    "other labels": ("text\tlabel\n" + "a film\tpos\nno film\tneg\n" * 8, "utf-8", "label_list"),
}  # fmt: skip

SETTINGS = {
    "train.lr=1": "train.learning_rate",
    "epochs=2": "train.epochs",
    "train.num_workers=2": "--num-workers",
    "processor.max_len=3": "processor.max_seq_len",
    "processor.max_seq_len=1": "processor.max_seq_len",
    "processor.max_seq_len=4000": "--set processor.max_seq_len=40",
    "processor.dev_split=0.001": "dev_split",
    "data.max_problem_share=2": "max_problem_share",
    "data.batch_size=0": "batch_size",
    "train.use_amp=bf61": "bf16",
    "processor.metric=f1_makro": "f1_macro",
    "processor.delimiter=ab": "delimiter",
    "processor.encoding=utf-99": "utf-8",
    "processor.skiprows=-1": "skiprows",
    "train.early_stopping={metric: x}": "metric",
    "model.class_weights=[1]": "class_weights",
    "train.optimizer_opts={name: Adamm}": "Adam",
    "train.schedule_opts={name: nope}": "schedule",
    "processor.metric=null": "metric",
    "data.streaming=true": "--set processor.dev_split=0",
}


def advised(line, main_module):
    """The flags and assignments in a message, checked against the job."""
    parser = main_module.make_parser()
    known = {option for action in parser._actions for option in action.option_strings}
    told = line.partition(": ")[2]
    for flag in re.findall(r"(?<![\w-])--[a-z][a-z-]*", told):
        assert flag in known, (flag, line)
    return re.findall(f"--set {_SET}", told)


def check(line, main_module):
    assert not PYTHON.search(line.partition(": ")[2]), line
    for given in advised(line, main_module):
        name, _, value = shlex.split(given.rstrip(".;,"))[0].partition("=")
        assert name in dotted_names(Experiment), line
        if value and value not in ("...", "[...]") and not value.startswith("["):
            replace(Experiment(name="x"), *parse_assignment(f"{name}={value}"))
    assert not ARGUMENT.findall(re.sub(f"--set {_SET}", "", line)), line


def last_line(call, main, flags):
    code, _, err = call(main, flags)
    assert code == 2, err
    assert "Traceback" not in err
    return err.strip().splitlines()[-1]


@pytest.mark.parametrize("case", TABLES)
def test_advice_about_files(call, train_flags, data_dir, case):
    text, encoding, expected = TABLES[case]
    table(data_dir, text, encoding)
    line = last_line(call, train.main, train_flags)
    assert expected in line
    check(line, train)
    assert "max_problem_share" not in line or case in ("few bad labels", "half open quote")


@pytest.mark.parametrize("case", ["comma", "semicolon", "bar", "latin"])
def test_advice_that_is_followed_is_enough(call, train_flags, data_dir, case):
    text, encoding, expected = TABLES[case]
    table(data_dir, text, encoding)
    code, _, err = call(train.main, [*train_flags, *shlex.split(expected)])
    assert code == 0, err


@pytest.mark.parametrize("setting", SETTINGS)
def test_advice_about_settings(call, train_flags, data_dir, setting):
    table(data_dir, GOOD)
    line = last_line(call, train.main, [*train_flags, "--set", setting])
    assert SETTINGS[setting] in line
    check(line, train)


@pytest.mark.parametrize("job", JOBS)
def test_the_data_flags_are_the_same_in_all_jobs(job):
    known = {option for action in JOBS[job].make_parser()._actions for option in action.option_strings}
    wanted = {"--encoding", "--text-column"}
    if job != "train_tokenizer":
        wanted |= {"--delimiter", "--quote-char", "--text-b-column"}
    if job not in ("infer", "train_tokenizer"):
        wanted |= {"--label-column"}
    assert wanted <= known


def test_a_key_that_is_proposed_is_taken(call, train_flags, data_dir):
    table(data_dir, GOOD)
    line = last_line(call, train.main, [*train_flags, "--set", "train.lr=1e-4"])
    meant = re.search(r'did you mean "(.*?)"', line)[1]
    arguments = train.make_parser().parse_args([*train_flags, "--set", f"{meant}=1e-4"])
    assert experiment_from(arguments).train.learning_rate == 1e-4


def test_advice_is_given_once(call, train_flags, data_dir):
    named = train_flags.index("processor.label_list=[good,bad]")
    not_named = [flag for place, flag in enumerate(train_flags) if place not in (named - 1, named)]
    table(data_dir, "text\tlabel\n" + "a film\ta,b\nno film\ta\nb\tb\n" * 8)
    line = last_line(call, train.main, not_named)
    told = "give --set processor.multilabel=true, or --set processor.label_list=[...] if these are names"
    assert line.endswith(told)
    table(data_dir, "text\tlabel\n" + 'a film\t["good", "bad"]\n' * 8)
    line = last_line(call, train.main, train_flags)
    assert line.count("processor.multilabel=true") == line.count("train.tsv:") == 5
