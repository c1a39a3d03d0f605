"""Language models from configuration to a saved model: adapted, from scratch, and as the start of another task."""

import pytest

from farm_ray.errors import ConfigError
from farm_ray.experiment import run_experiment
from farm_ray.experiment.config import (
    BertStyleLMProcessorConfig,
    DataConfig,
    Experiment,
    FromScratchConfig,
    ModelConfig,
    TextClassificationProcessorConfig,
    TokenizerTrainingConfig,
    TrainConfig,
    read_experiment,
)
from tests.stream_runs import write_documents, write_tables


@pytest.fixture
def corpus(tmp_path):
    write_documents(tmp_path / "corpus" / "train.txt", documents=80)
    write_documents(tmp_path / "corpus" / "dev.txt", documents=15)
    return tmp_path / "corpus"


def experiment(corpus, *, streaming=True, model=None, **processor):
    return Experiment(
        name="lm",
        processor=BertStyleLMProcessorConfig(max_seq_len=24, data_dir=str(corpus), test_filename=None, **processor),
        data=DataConfig(batch_size=8, streaming=streaming, window_bytes=1500, lanes=2 if streaming else None),
        model=model or ModelConfig(),
        train=TrainConfig(epochs=2, learning_rate=1e-3, evaluate_every=0, use_amp=None),
    )


@pytest.mark.parametrize("streaming", [True, False])
def test_adapted_and_used_for_another_task(tiny_folder, corpus, tmp_path, streaming):
    model = ModelConfig(language_model=str(tiny_folder), embeds_dropout_prob=0.0)
    result = run_experiment(
        experiment(corpus, streaming=streaming, model=model), output_dir=tmp_path / "lm", num_workers=0
    )
    assert result.metrics["dev"]["lm"].keys() == {"loss", "perplexity", "acc"}
    assert result.metrics["dev"]["nextsentence"].keys() == {"loss", "acc"}
    assert result.rows > 80
    tables = write_tables(tmp_path / "tables", files=1)
    task = Experiment(
        name="task",
        processor=TextClassificationProcessorConfig(
            max_seq_len=16,
            data_dir=str(tables),
            train_filename="part-0.tsv",
            label_list=("good", "bad", "dull"),
            test_filename=None,
        ),
        model=ModelConfig(language_model=result.model_dir),
        train=TrainConfig(use_amp=None),
    )
    assert run_experiment(task, output_dir=tmp_path / "task", num_workers=0).metrics["dev"].keys() == {"loss", "acc"}


def test_packed_rows_without_next_sentences(tiny_folder, corpus, tmp_path):
    model = ModelConfig(language_model=str(tiny_folder))
    made = experiment(corpus, model=model, next_sent_pred=False)
    result = run_experiment(made, output_dir=tmp_path / "lm", num_workers=0)
    assert result.metrics["dev"].keys() == {"loss", "perplexity", "acc"}
    assert read_experiment(tmp_path / "lm" / "experiment.yaml") == made


def test_from_raw_text_alone(corpus, tmp_path):
    small = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    scratch = FromScratchConfig(settings=small, tokenizer=TokenizerTrainingConfig(vocab_size=80))
    made = experiment(corpus, model=ModelConfig(from_scratch=scratch))
    first = run_experiment(made, output_dir=tmp_path / "one", num_workers=0)
    assert (tmp_path / "one" / "tokenizer" / "tokenizer.json").is_file()
    second = run_experiment(made, output_dir=tmp_path / "two", num_workers=0)
    assert (first.order_hash, first.metrics) == (second.order_hash, second.metrics)
    wrong = FromScratchConfig(settings={"hidden_sizes": 16}, tokenizer=TokenizerTrainingConfig(vocab_size=80))
    with pytest.raises(ConfigError, match=r'"hidden_sizes".*did you mean "hidden_size"'):
        run_experiment(
            experiment(corpus, model=ModelConfig(from_scratch=wrong)), output_dir=tmp_path / "x", num_workers=0
        )


@pytest.mark.parametrize(
    ("model", "data", "told"),
    [
        (ModelConfig(), DataConfig(), "no language model is given"),
        (ModelConfig(language_model="a", from_scratch=FromScratchConfig()), DataConfig(), "are both given"),
        (ModelConfig(language_model="a"), DataConfig(streaming=True, caching=True), "leave one out"),
    ],
)
def test_what_does_not_fit_together_is_refused(corpus, tmp_path, model, data, told):
    made = experiment(corpus, model=model).model_copy(update={"data": data})
    with pytest.raises(ConfigError, match=told):
        run_experiment(made, output_dir=tmp_path / "out", num_workers=0)
