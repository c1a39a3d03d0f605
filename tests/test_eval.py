"""Evaluation: every row once, means over rows, results that do not depend on batches or on the way."""

import pytest
import torch

from farm_ray.data_handler.order import FeatureLoader
from farm_ray.errors import DataProblemError, ModelFolderError
from farm_ray.eval import Evaluator, evaluate, evaluate_folder
from farm_ray.modeling.optimization.precision import Precision
from farm_ray.ranks import Ranks
from tests.runs import labelled_dicts, small_model, small_silo


@pytest.fixture
def silo(tiny_folder):
    return small_silo(tiny_folder, test_dicts=labelled_dicts(23))


@pytest.fixture
def model(tiny_folder, silo):
    made = small_model(tiny_folder, dropout=0.5)
    made.connect_heads_with_processor(silo.processor.tasks)
    return made


def score(model, rows, batch_size):
    precision = Precision.resolve(None, "cpu")
    return evaluate(model, rows, batch_size=batch_size, ranks=Ranks(), precision=precision, with_columns=True)


def test_results_do_not_depend_on_the_batches(model, silo):
    one, all_at_once = score(model, silo.data["test"], 1)[0], score(model, silo.data["test"], 64)[0]
    assert one["loss"] == pytest.approx(all_at_once["loss"], rel=1e-5)
    assert one["preds"] == all_at_once["preds"]
    assert one["labels"] == [row["text_classification_label"] for row in labelled_dicts(23)]
    right = sum(p == label for p, label in zip(one["preds"], one["labels"], strict=True))
    assert one["acc"] == pytest.approx(right / 23)
    assert "precision" in one["report"]


def test_the_evaluator_gives_the_same(model, silo):
    loader = FeatureLoader(silo.data["test"], 5)
    result = Evaluator(loader, silo.processor.tasks, "cpu").eval(model, return_preds_and_labels=True)[0]
    ours = score(model, silo.data["test"], 8)[0]
    assert result["preds"] == ours["preds"]
    assert result["loss"] == pytest.approx(ours["loss"], rel=1e-5)
    assert "report" not in Evaluator(loader, silo.processor.tasks, "cpu", report=False).eval(model)[0]


def test_the_mode_is_put_back(model, silo):
    model.train()
    score(model, silo.data["test"], 8)
    assert model.training
    model.eval()
    score(model, silo.data["test"], 8)
    assert not model.training


def test_results_under_farms_keys(model, silo):
    results = score(model, silo.data["test"], 8)
    numbers = Evaluator.log_results(results, "test", 7)
    assert set(numbers) == {"test_loss_text_classification", "test_acc_text_classification"}


def test_a_saved_model_on_a_file(model, silo, tmp_path):
    folder = tmp_path / "model"
    model.save(folder)
    silo.processor.save(folder)
    lines = [f"{row['text']}\t{row['text_classification_label']}" for row in labelled_dicts(23)]
    (tmp_path / "new.tsv").write_text("\n".join(["text\tlabel", *lines]))
    result = evaluate_folder(folder, tmp_path / "new.tsv")
    assert result["rows"] == 23
    ours = score(model, silo.data["test"], 8)[0]
    assert result["metrics"]["text_classification"]["acc"] == pytest.approx(ours["acc"])
    (tmp_path / "new.tsv").write_text("\n".join(["text\tlabel", *lines, "a film\tnew"]))
    with pytest.raises(DataProblemError, match=r"new\.tsv:25"):
        evaluate_folder(folder, tmp_path / "new.tsv")
    assert evaluate_folder(folder, tmp_path / "new.tsv", max_problem_share=0.1)["problems"] == {"unknown label": 1}
    with pytest.raises(ModelFolderError, match="nowhere"):
        evaluate_folder(tmp_path / "nowhere", tmp_path / "new.tsv")


def test_no_gradients_are_kept(model, silo):
    score(model, silo.data["test"], 8)
    assert all(parameter.grad is None for parameter in model.parameters())
    assert torch.is_grad_enabled()
