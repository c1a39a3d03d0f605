"""What a run begins with: a pretrained language model and its tokenizer, or both made from the training files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from farm_ray import storage
from farm_ray.errors import ConfigError
from farm_ray.experiment.assemble import make_processor
from farm_ray.experiment.folder import TOKENIZER
from farm_ray.options import fields_for

if TYPE_CHECKING:
    from pathlib import Path

    from farm_ray.data_handler.processor import Processor
    from farm_ray.experiment.config import Experiment, FromScratchConfig
    from farm_ray.experiment.folder import OutputFolder
    from farm_ray.modeling.language_model import LanguageModel
    from farm_ray.progress import Progress


def load_pretrained(experiment: Experiment) -> tuple[Processor, LanguageModel]:
    """The processor with the tokenizer of the language model, and the language model.

    Raises:
        ModelFolderError: When the model is missing or damaged.
        ConfigError: When its positions do not reach for `max_seq_len`, or the processor's settings do not fit.
    """
    from farm_ray.modeling.language_model import LanguageModel
    from farm_ray.modeling.tokenization import Tokenizer
    from farm_ray.reproducibility import set_all_seeds

    # A checkpoint without a pooler gets a fresh one.
    set_all_seeds(experiment.seed)
    name, revision = str(experiment.model.language_model), experiment.model.revision
    tokenizer = Tokenizer.load(name, revision=revision)
    processor = make_processor(experiment.processor, tokenizer, seed=experiment.seed)
    language_model = LanguageModel.load(name, revision=revision)
    language_model.verify_max_seq_len(experiment.processor.max_seq_len)
    return processor, language_model


def begin_from_scratch(
    experiment: Experiment, output: OutputFolder, *, in_process: bool, progress: Progress | None
) -> tuple[Processor, LanguageModel]:
    """The processor and a language model with fresh weights from the experiment's seed.

    The tokenizer is learnt from the training files and kept in the run's folder, where a run that resumes finds it. One
    that lies in a folder with nothing to resume may be of other files or settings, and is learnt again.

    Raises:
        DataProblemError: When there is no text to learn from.
        ConfigError: On settings that no model of this type has, or that do not fit.
    """
    from farm_ray.modeling.language_model import LanguageModel
    from farm_ray.modeling.tokenization import Tokenizer
    from farm_ray.reproducibility import set_all_seeds

    scratch = experiment.model.from_scratch
    assert scratch is not None
    for name in {"vocab_size", "model_type", "tokenizer", "language"} & set(scratch.settings):
        raise ConfigError(
            f"model.from_scratch.settings.{name} is known from elsewhere; leave it out",
            code="option-without-effect",
            option=f"model.from_scratch.settings.{name}",
        )
    folder = scratch.tokenizer_dir or str(output.path / TOKENIZER)
    if scratch.tokenizer_dir is None and not (output.resumes and (output.path / TOKENIZER).is_dir()):
        _learn_tokenizer(experiment, scratch, output.path, in_process=in_process, progress=progress)
    tokenizer = Tokenizer.load(folder)
    processor = make_processor(experiment.processor, tokenizer, seed=experiment.seed)
    set_all_seeds(experiment.seed)
    language_model = LanguageModel.from_scratch(
        scratch.model_type, len(tokenizer), tokenizer=tokenizer, **scratch.settings
    )
    language_model.verify_max_seq_len(experiment.processor.max_seq_len)
    return processor, language_model


def _learn_tokenizer(
    experiment: Experiment,
    scratch: FromScratchConfig,
    output_dir: Path,
    *,
    in_process: bool,
    progress: Progress | None,
) -> None:
    from farm_ray.experiment.tokenizer import train_tokenizer_on

    files = experiment.processor
    train_tokenizer_on(
        storage.join(files.data_dir, str(files.train_filename)),
        output_dir / TOKENIZER,
        **fields_for(train_tokenizer_on, scratch.tokenizer),
        text_column_name=getattr(files, "text_column_name", "text"),
        encoding=getattr(files, "encoding", "utf-8"),
        in_process=in_process,
        progress=progress,
    )
