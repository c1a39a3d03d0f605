"""FARM's loggers: what they are given lands where it can be read, also from a training, and failures only warn."""

import json
import logging

import pytest

from farm_ray import tracking
from farm_ray.errors import ConfigError
from farm_ray.utils import BaseMLLogger, MLFlowLogger, StdoutLogger, TensorBoardLogger
from tests.modeling.tiny_models import save_tiny_model
from tests.runs import small_trainer


@pytest.fixture(autouse=True)
def _as_before():
    yield
    tracking.use(None)
    for kind in (StdoutLogger, MLFlowLogger, TensorBoardLogger):
        kind._target, kind.disable_logging = None, False


def scalars(folder):
    """The values in TensorBoard's files by name: (step, value)."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    read = EventAccumulator(str(folder))
    read.Reload()
    return {tag: [(one.step, one.value) for one in read.Scalars(tag)] for tag in read.Tags()["scalars"]}


def test_lines_on_stderr(capsys):
    ml_logger = StdoutLogger(tracking_uri="")
    ml_logger.init_experiment("mine", run_name="first")
    StdoutLogger.log_params({"epochs": 2})
    ml_logger.log_metrics({"loss": 0.25}, step=3)
    ml_logger.log_artifacts("runs/mine")
    StdoutLogger.end_run()
    StdoutLogger.log_metrics({"loss": 1.0}, step=4)
    assert capsys.readouterr().err == "parameters: epochs=2\nstep 3: loss=0.25\nartifacts: runs/mine\n"


def test_a_training_logs_to_the_logger_that_was_begun(tmp_path):
    save_tiny_model("bert", tmp_path)
    TensorBoardLogger(log_dir=str(tmp_path / "board"))
    trainer = small_trainer(tmp_path, log_loss_every=1)
    trainer.train()
    TensorBoardLogger.end_run()
    found = scalars(tmp_path / "board")
    losses = found["Train_loss_total"]
    assert [step for step, _ in losses] == list(range(1, trainer.result.steps + 1))
    assert [value for _, value in losses] == pytest.approx(trainer.result.losses, rel=1e-5)
    assert any(name.startswith("dev_") for name in found)


def test_a_tracker_of_the_trainer_goes_first(tmp_path):
    save_tiny_model("bert", tmp_path)
    StdoutLogger().init_experiment("mine")
    mine = tracking.NullLogger()
    assert small_trainer(tmp_path, tracker=mine).tracker is mine
    assert small_trainer(tmp_path).tracker is StdoutLogger


def test_mlflow_in_a_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    ml_logger = MLFlowLogger(tracking_uri=f"file:{tmp_path / 'mlruns'}")
    ml_logger.init_experiment(experiment_name="mine", run_name="first")
    ml_logger.log_params({"long": "x" * 9000, "epochs": 2})
    MLFlowLogger.log_metrics({"dev_acc": 0.5, "report": "text"}, step=7)
    (tmp_path / "saved").mkdir()
    (tmp_path / "saved" / "model.json").write_text("{}")
    MLFlowLogger.log_artifacts(tmp_path / "saved", "model")
    MLFlowLogger.end_run()
    (params,) = (tmp_path / "mlruns").glob("*/*/params")
    assert (params / "epochs").read_text() == "2"
    assert len((params / "long").read_text()) == 500
    assert (params.parent / "metrics" / "dev_acc").read_text().split()[1:] == ["0.5", "7"]
    assert [file.name for file in params.parent.glob("artifacts/model/*")] == ["model.json"]


def test_a_server_that_does_not_answer_only_warns(monkeypatch, caplog):
    import mlflow

    def fails(*_, **__):
        raise ConnectionError("no\nroute")

    for name in ("set_tracking_uri", "set_experiment", "start_run", "log_metrics"):
        monkeypatch.setattr(mlflow, name, fails)
    with caplog.at_level(logging.WARNING):
        ml_logger = MLFlowLogger(tracking_uri="http://127.0.0.1:9")
        ml_logger.init_experiment("mine")
        ml_logger.log_metrics({"loss": 1.0}, step=1)
    assert "MLflow: start_run failed (no route)" in caplog.messages
    assert "MLflow: log_metrics failed (no route)" in caplog.messages


def test_disabled(capsys):
    StdoutLogger.disable()
    StdoutLogger().init_experiment("mine")
    StdoutLogger.log_metrics({"loss": 1.0}, step=1)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(("kind", "module"), [(MLFlowLogger, "mlflow"), (TensorBoardLogger, "tensorboard")])
def test_without_the_library(kind, module, monkeypatch):
    for name in (module, "torch.utils.tensorboard"):
        monkeypatch.setitem(__import__("sys").modules, name, None)
    with pytest.raises(ConfigError, match=r'pip install "farm_ray\[tracking\]"'):
        kind().init_experiment("mine")


def test_a_logger_of_ones_own():
    said = []

    class Own(BaseMLLogger):
        def init_experiment(self, experiment_name, run_name=None, nested=True):
            said.append(experiment_name)

        @classmethod
        def log_metrics(cls, metrics, step):
            said.append(json.dumps(metrics))

    own = Own(tracking_uri="x")
    own.init_experiment("mine")
    own.log_metrics({"a": 1}, 1)
    assert said == ["mine", '{"a": 1}']
    with pytest.raises(NotImplementedError):
        BaseMLLogger("x").init_experiment("mine")
