"""A language model from nothing but raw text: first its tokenizer, then the model.

    python -m jobs.train pipelines.lm_from_scratch --data-dir DIR --output-dir runs/scratch

DIR holds train.txt and dev.txt as for pipelines.lm_finetuning. The tokenizer is learnt from the training text and kept
in the output folder; the model is a BERT that begins with fresh weights.
"""

from __future__ import annotations

from farm_ray.experiment.config import (
    BertStyleLMProcessorConfig,
    DataConfig,
    Experiment,
    FromScratchConfig,
    ModelConfig,
    TokenizerTrainingConfig,
    TrainConfig,
)


def lm_from_scratch() -> Experiment:
    """BERT of the usual size; hundreds of GPU hours on a corpus that deserves it."""
    return Experiment(
        name="lm_from_scratch",
        processor=BertStyleLMProcessorConfig(max_seq_len=128, test_filename=None),
        data=DataConfig(batch_size=256, streaming=True),
        model=ModelConfig(
            from_scratch=FromScratchConfig(
                model_type="bert", tokenizer=TokenizerTrainingConfig(kind="wordpiece", vocab_size=30_000)
            ),
            embeds_dropout_prob=0.0,
        ),
        train=TrainConfig(epochs=1, learning_rate=1e-4, evaluate_every=0, checkpoint_every=1000),
    )


def small() -> Experiment:
    """The same in small: a BERT of four narrow layers and 8,000 tokens, for a laptop and some megabytes of text."""
    large = lm_from_scratch()
    scratch = FromScratchConfig(
        model_type="bert",
        settings={"hidden_size": 256, "num_hidden_layers": 4, "num_attention_heads": 4, "intermediate_size": 1024},
        tokenizer=TokenizerTrainingConfig(kind="wordpiece", vocab_size=8_000),
    )
    return large.model_copy(
        update={
            "name": "lm_from_scratch_small",
            "data": DataConfig(batch_size=32, streaming=True),
            "model": large.model.model_copy(update={"from_scratch": scratch}),
            "train": large.train.model_copy(update={"learning_rate": 5e-4}),
        }
    )
