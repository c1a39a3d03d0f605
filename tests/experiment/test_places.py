"""Where a run writes: `~` is the home folder, and Ray's copy of the code is no place for what shall stay."""

import pytest

from farm_ray.configuration import replace
from farm_ray.data_handler.data_silo import DataSilo
from farm_ray.data_handler.processor import Processor
from farm_ray.errors import ConfigError
from farm_ray.experiment import cross_validate_experiment, run_experiment
from farm_ray.experiment.preprocess import preprocess_experiment
from farm_ray.experiment.tokenizer import train_tokenizer_on
from farm_ray.infer import Inferencer
from farm_ray.modeling.adaptive_model import AdaptiveModel
from farm_ray.modeling.tokenization import Tokenizer
from farm_ray.train.trainer import Trainer
from jobs import train
from pipelines.text_classification import text_classification
from tests.experiment.small_runs import ROWS
from tests.raised import raised


@pytest.fixture
def home(tmp_path, tiny_folder, monkeypatch):
    """A home folder with data and a model, elsewhere than where we are."""
    home, here = tmp_path / "home", tmp_path / "here"
    (home / "data").mkdir(parents=True)
    here.mkdir()
    (home / "data" / "train.tsv").write_text("\n".join(["text\tlabel", *ROWS, ""]))
    (home / "bert").symlink_to(tiny_folder, target_is_directory=True)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(here)
    return home


@pytest.fixture
def experiment(home):
    made = text_classification()
    settings = {
        "processor.data_dir": "~/data",
        "processor.label_list": ["good", "bad"],
        "processor.max_seq_len": 16,
        "model.language_model": "~/bert",
        "train.epochs": 1,
    }
    for name, value in settings.items():
        made = replace(made, name, value)
    return made


def test_a_job_reads_and_writes_in_the_home_folder(home, tmp_path, monkeypatch):
    flags = ["--data-dir=~/data", "--model=~/bert", "--output-dir=~/run", "--num-workers=0"]
    sets = ["processor.label_list=[good, bad]", "processor.max_seq_len=16", "train.checkpoint_root_dir=~/ck"]
    cache = ["data.caching=true", "data.cache_path=~/cache", "train.checkpoint_every=2", "train.epochs=1"]
    code = train.main(["pipelines.text_classification", *flags, *(f"--set={one}" for one in sets + cache)])
    assert code == 0
    assert {path.name for path in home.iterdir()} == {"bert", "cache", "ck", "data", "run"}
    assert list((tmp_path / "here").iterdir()) == []
    Inferencer.load("~/run/model").predict_file("~/data/train.tsv", "~/predicted.jsonl")
    assert len((home / "predicted.jsonl").read_text().splitlines()) == len(ROWS)


def test_the_library_saves_and_loads_in_the_home_folder(home, experiment, tmp_path):
    result = run_experiment(experiment, output_dir="~/run", num_workers=0)
    model, processor = AdaptiveModel.load("~/run/model", device="cpu"), Processor.load_from_dir("~/run/model")
    model.save("~/again")
    processor.save("~/again")
    model.prediction_heads[0].save("~/head")
    model.language_model.save("~/lm")
    Tokenizer.load("~/again")
    silo = DataSilo(processor, batch_size=8, caching=True, cache_path="~/cache")
    assert Trainer(model, data_silo=silo, checkpoint_root_dir="~/ck").settings.checkpoint_root_dir == str(home / "ck")
    assert result.model_dir == str(home / "run" / "model")
    assert {path.name for path in home.iterdir()} == {"again", "bert", "cache", "data", "head", "lm", "run"}
    assert list((tmp_path / "here").iterdir()) == []


@pytest.mark.parametrize(
    ("job", "setting", "hint"),
    [
        (run_experiment, {}, "runs/text_classification lies in .* give an absolute --output-dir"),
        (cross_validate_experiment, {}, "runs/text_classification-folds lies in .* give an absolute --output-dir"),
        (run_experiment, {"train.checkpoint_root_dir": "ck"}, "ck lies in .* an absolute checkpoint_root_dir="),
        (run_experiment, {"data.caching": True}, "cache/.* lies in .* an absolute cache_path="),
    ],
)
def test_nothing_goes_into_rays_copy_of_the_code(experiment, tmp_path, monkeypatch, job, setting, hint):
    copy = tmp_path / "runtime_resources" / "working_dir_files" / "_ray_pkg_0123"
    copy.mkdir(parents=True)
    monkeypatch.chdir(copy)
    for name, value in setting.items():
        experiment = replace(experiment, name, value)
    with pytest.raises(ConfigError, match=hint):
        job(experiment)
    with raised(ConfigError, "folder-of-short-life"):
        preprocess_experiment(experiment, output_dir="features")
    with raised(ConfigError, "folder-of-short-life", file="tok"):
        train_tokenizer_on("~/data/train.tsv", "tok")
    assert list(copy.iterdir()) == []
