"""A pretrained language model goes on learning from plain text of your own, before it learns a task.

    python -m jobs.train pipelines.lm_finetuning --data-dir DIR --model MODEL --output-dir runs/adapted
    python -m jobs.train pipelines.lm_finetuning --data-dir s3://bucket/corpus --set processor.train_filename='*.txt.gz'
    python -m jobs.train pipelines.text_classification --data-dir MY_DATA --model runs/adapted/model ...

DIR (or the prefix) holds train.txt and dev.txt: one sentence a line, an empty line between documents; plain, .gz or
.zst; or JSON lines and Parquet with a text column. The text is read where it lies, while the model trains, so it may be
of any size. The model learns to find masked tokens (`lm`) and which texts follow each other (`nextsentence`);
`lm_finetuning:tokens_only` leaves the second out and packs texts so that no row is padded.
"""

from __future__ import annotations

from farm_ray.experiment.config import BertStyleLMProcessorConfig, DataConfig, Experiment, ModelConfig, TrainConfig


def lm_finetuning() -> Experiment:
    """One pass over the corpus, tokens and next sentences."""
    return Experiment(
        name="lm_finetuning",
        processor=BertStyleLMProcessorConfig(max_seq_len=128, test_filename=None),
        data=DataConfig(batch_size=32, streaming=True),
        # Language models know no dropout in front of their heads.
        model=ModelConfig(embeds_dropout_prob=0.0),
        train=TrainConfig(epochs=1, learning_rate=5e-5, evaluate_every=0, checkpoint_every=1000),
    )


def tokens_only() -> Experiment:
    """Hidden tokens alone: for encoders that were not pretrained on pairs, such as RoBERTa."""
    processor = BertStyleLMProcessorConfig(max_seq_len=128, test_filename=None, next_sent_pred=False)
    return lm_finetuning().model_copy(update={"name": "lm_finetuning_tokens_only", "processor": processor})
