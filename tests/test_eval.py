"""Evaluation: every row once, means over rows, results that do not depend on batches or on the way."""

import pytest
import torch

from farm_ray.data_handler.data_silo import DataSilo
from farm_ray.data_handler.order import FeatureLoader
from farm_ray.data_handler.processor import NERProcessor, RegressionProcessor, TextClassificationProcessor
from farm_ray.errors import DataProblemError, ModelFolderError
from farm_ray.eval import Evaluator, evaluate, evaluate_folder
from farm_ray.modeling.adaptive_model import AdaptiveModel
from farm_ray.modeling.language_model import LanguageModel
from farm_ray.modeling.optimization.precision import Precision
from farm_ray.modeling.prediction_head import MultiLabelTextClassificationHead, RegressionHead, TokenClassificationHead
from farm_ray.ranks import Ranks
from tests.raised import raised
from tests.runs import labelled_dicts, small_model, small_silo
from tests.tiny import tiny_tokenizer


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
    with raised(DataProblemError, "too-many-problems", row="new.tsv:25", file="new.tsv", value="new"):
        evaluate_folder(folder, tmp_path / "new.tsv")
    assert evaluate_folder(folder, tmp_path / "new.tsv", max_problem_share=0.1)["problems"] == {"unknown label": 1}
    with raised(ModelFolderError, "no-processor-there"):
        evaluate_folder(tmp_path / "nowhere", tmp_path / "new.tsv")


def test_no_gradients_are_kept(model, silo):
    score(model, silo.data["test"], 8)
    assert all(parameter.grad is None for parameter in model.parameters())
    assert torch.is_grad_enabled()


def test_a_file_of_the_default_name_that_is_not_there(model, silo, tmp_path, monkeypatch):
    """A silo does without it; an evaluation cannot."""
    model.save(tmp_path / "model")
    silo.processor.save(tmp_path / "model")
    monkeypatch.chdir(tmp_path)
    with raised(DataProblemError, "file-not-found", file="test.tsv"):
        evaluate_folder(tmp_path / "model", "test.tsv")


def saved(processor, head, tiny_folder, folder):
    """A model of fresh weights, saved with the processor of a silo of its training file."""
    processor = DataSilo(processor, batch_size=8).processor
    made = AdaptiveModel(LanguageModel.load(tiny_folder), [head], 0.0, [head.ph_output_type], "cpu")
    made.connect_heads_with_processor(processor.tasks)
    made.save(folder)
    processor.save(folder)
    return folder


def test_a_regression_on_a_file(tiny_folder, tmp_path):
    """Scaled as in training; metrics are in the unit of the file."""
    numbers = [100.0, 200.0, 300.0, 400.0] * 5
    (tmp_path / "train.tsv").write_text("text\tlabel\n" + "".join(f"a good film\t{n}\n" for n in numbers))
    (tmp_path / "new.tsv").write_text("text\tlabel\na good film\t250\nnot very good\t1250\n")
    processor = RegressionProcessor(tiny_tokenizer(tiny_folder), 16, tmp_path, metric=["mse", "r2", "pear_spear"])
    folder = saved(processor, RegressionHead(), tiny_folder, tmp_path / "model")
    result = evaluate_folder(folder, tmp_path / "new.tsv")
    assert result["rows"] == 2
    assert set(result["metrics"]["regression"]) == {"loss", "mse", "r2", "pearson", "spearman", "corr"}
    scale = 12500**0.5
    assert result["metrics"]["regression"]["mse"] == pytest.approx(result["metrics"]["regression"]["loss"] * scale**2)
    assert 100_000 < result["metrics"]["regression"]["mse"] < 1_000_000
    assert "pearson" in result["reports"]["regression"]


def test_several_labels_on_a_file(tiny_folder, tmp_path):
    lines = "a film\tgood,dull\na day\t\na fool\tbad\nnice text\tgood\n" * 5
    (tmp_path / "train.tsv").write_text(f"text\tlabel\n{lines}")
    processor = TextClassificationProcessor(
        tiny_tokenizer(tiny_folder),
        16,
        tmp_path,
        label_list=["good", "bad", "dull"],
        metric=["acc", "f1_macro", "f1_micro", "f1_samples", "exact_match"],
        multilabel=True,
        max_samples=10,
    )
    head = MultiLabelTextClassificationHead(num_labels=3, pred_threshold=0.0)
    result = evaluate_folder(saved(processor, head, tiny_folder, tmp_path / "model"), tmp_path / "train.tsv")
    assert result["rows"] == 20
    values = result["metrics"]["text_classification"]
    # All labels are predicted for every row: 4 of 12 cells are right, of the true ones all.
    assert values["acc"] == pytest.approx(4 / 12)
    assert values["f1_micro"] == pytest.approx(0.5)
    assert values["exact_match"] == 0.0
    assert "dull" in result["reports"]["text_classification"]


def test_tags_on_a_file(tiny_folder, tmp_path):
    """One text fits into a window, the other needs several; rows are texts."""
    long = "".join(f"{word}\t{tag}\n" for word, tag in [("the", "O"), ("good", "B-PER"), ("film", "I-PER")] * 6)
    (tmp_path / "train.txt").write_text(f"a\tO\nfool\tB-PER\n\n{long}")
    (tmp_path / "new.txt").write_text(f"a\tO\nnice\tO\nday\tB-PER\n\n{long}")
    metric = ["seq_f1", "seq_precision", "seq_recall", "acc"]
    processor = NERProcessor(
        tiny_tokenizer(tiny_folder), 12, tmp_path, ["X", "O", "B-PER", "I-PER"], metric, dev_filename=None
    )
    folder = saved(processor, TokenClassificationHead(num_labels=4), tiny_folder, tmp_path / "model")
    result = evaluate_folder(folder, tmp_path / "new.txt")
    assert result["rows"] == 2
    assert set(result["metrics"]["ner"]) == {"loss", "seq_f1", "seq_precision", "seq_recall", "acc"}
    assert "PER" in result["reports"]["ner"]
    assert f"{7:>9}\n" in result["reports"]["ner"], "seven entities, one of them in the short text"
