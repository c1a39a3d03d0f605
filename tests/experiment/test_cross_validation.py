"""An experiment in folds: every fold's model starts from the same weights and knows its own training rows only."""

import pytest
import torch

from farm_ray.configuration import replace
from farm_ray.data_handler.data_silo import DataSilo
from farm_ray.errors import ConfigError
from farm_ray.experiment import cross_validation
from farm_ray.experiment.cross_validation import cross_validate_experiment
from pipelines.text_classification import text_classification


@pytest.fixture
def experiment(tiny_folder, tmp_path):
    rows = "".join(f"a {word} film {number}\t{word}\n" for number in range(12) for word in ("good", "good", "bad"))
    (tmp_path / "train.tsv").write_text("text\tlabel\n" + rows)
    made = text_classification()
    settings = {
        "processor.data_dir": str(tmp_path),
        "processor.label_list": ["good", "bad"],
        "processor.max_seq_len": 16,
        "model.language_model": str(tiny_folder),
        "model.class_weights": "balanced",
        "train.epochs": 1,
        "train.learning_rate": 1e-2,
    }
    for name, value in settings.items():
        made = replace(made, name, value)
    return made


def run(experiment, folder, **options):
    return cross_validate_experiment(experiment, parallel=1, output_dir=folder, bootstrap_samples=0, **options)


def test_each_fold_starts_anew_and_weighs_the_classes_of_its_own_rows(experiment, tmp_path, monkeypatch):
    made = []
    make_model = cross_validation.make_model

    def recorded(experiment, silo, language_model):
        model = make_model(experiment, silo, language_model)
        weights = torch.cat([weight.detach().ravel() for weight in model.language_model.parameters()])
        made.append((weights.clone(), model.prediction_heads[0].class_weights, silo))
        return model

    monkeypatch.setattr(cross_validation, "make_model", recorded)
    run(experiment, tmp_path / "out", n_splits=3, stratification=False)
    first = made[0][0]
    assert all(torch.equal(weights, first) for weights, _, _ in made)
    for _, class_weights, silo in made:
        expected = silo.calculate_class_weights("text_classification")
        assert torch.as_tensor(class_weights).tolist() == pytest.approx(expected.tolist())


def test_features_are_made_once(experiment, tmp_path, monkeypatch):
    loaded = []
    load = DataSilo._load_data
    monkeypatch.setattr(DataSilo, "_load_data", lambda self, *args, **kw: loaded.append(1) or load(self, *args, **kw))
    told = run(experiment, tmp_path / "out", n_splits=3)
    assert len(loaded) == 1
    assert [fold["rows"]["test"] for fold in told["folds"]] == [12, 12, 12]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"n_splits": 1}, "n_splits must be at least 2"),
        ({"n_inner_splits": 1}, "n_inner_splits must be at least 2"),
        ({"train_split": 2.0}, "train_split"),
        ({"train_split": 0.5, "n_inner_splits": 2}, "not nested"),
        ({"sets": ["valid"]}, "valid"),
        ({"use_gpu": True}, "no GPU"),
    ],
)
def test_found_before_any_work(experiment, tmp_path, monkeypatch, options, told):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr(DataSilo, "_accept", lambda *_: pytest.fail("data was read"))
    with pytest.raises(ConfigError, match=told):
        run(experiment, tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()


def test_results_of_other_folds_are_not_replaced(experiment, tmp_path):
    first = run(experiment, tmp_path / "out", n_splits=2)
    before = {path: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    for other, told in (
        ({"n_splits": 3}, "n_splits is 2 there and 3 here"),
        ({"n_splits": 2, "train_split": 0.5}, "train_split is None there and 0.5 here"),
        ({"n_splits": 2, "random_state": 7, "sets": ["train"]}, "random_state is None there and 7 here, sets is"),
    ):
        with pytest.raises(ConfigError, match=rf"out holds another cross-validation \({told}.*another --output-dir"):
            run(experiment, tmp_path / "out", **other)
    assert {path: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before
    assert run(experiment, tmp_path / "out", n_splits=2)["metrics"] == first["metrics"]
