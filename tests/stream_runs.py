"""Small runs that stream their training data: texts with labels in several files, or documents in one."""

from farm_ray.data_handler.data_silo import StreamingDataSilo
from farm_ray.data_handler.processor import BertStyleLMProcessor, TextClassificationProcessor
from farm_ray.modeling.adaptive_model import AdaptiveModel
from farm_ray.modeling.language_model import LanguageModel
from farm_ray.modeling.prediction_head import BertLMHead, NextSentenceHead
from farm_ray.reproducibility import set_all_seeds
from farm_ray.train import Trainer
from tests.runs import LABELS, labelled_dicts, small_trainer
from tests.tiny import tiny_tokenizer

SENTENCES = ["the film was good", "a very dull movie", "you are a fool", "what a nice day", "gut schlecht und ein satz"]


def write_tables(folder, *, files=7, rows=23):
    """Files part-0.tsv and so on, of different sizes; texts of 2 to 12 words."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(files):
        dicts = labelled_dicts(rows + 3 * number)[number:]
        lines = [f"{row['text']}\t{row['text_classification_label']}" for row in dicts]
        (folder / f"part-{number}.tsv").write_text("\n".join(["text\tlabel", *lines, ""]))
    return folder


def rows_in_tables(*, files, rows):
    """How many `write_tables` makes."""
    return sum(rows + 2 * number for number in range(files))


def text_stream(folder, data_dir, *, kind=TextClassificationProcessor, **options):
    """A silo that streams all files of `data_dir`, by a processor of this kind."""
    processor = kind(
        tokenizer=tiny_tokenizer(folder),
        max_seq_len=16,
        data_dir=data_dir,
        label_list=LABELS,
        metric="acc",
        train_filename=options.pop("train_filename", "*.tsv"),
        test_filename=None,
        dev_split=0.0,
    )
    return StreamingDataSilo(processor, **({"batch_size": 8, "lanes": 4} | options))


def stream_run(folder, data_dir, *, stream=None, **options):
    """The result and the weights of a whole run over a stream."""
    trainer = small_trainer(folder, silo=text_stream(folder, data_dir, **(stream or {})), **options)
    trained = trainer.train()
    return trainer.result, trained.state_dict()


def write_documents(path, documents=200):
    """Documents of 1 to 7 sentences."""
    texts = ["\n".join(SENTENCES[(n + k) % 5] for k in range(1 + n % 7)) for n in range(documents)]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n\n".join(texts) + "\n")
    return path


def documents_stream(folder, data_dir, *, processor=None, **options):
    made = BertStyleLMProcessor(
        tiny_tokenizer(folder), 24, data_dir, dev_filename=None, test_filename=None, **(processor or {})
    )
    return StreamingDataSilo(made, **({"batch_size": 8, "lanes": 4, "window_bytes": 1000} | options))


def small_lm_trainer(folder, silo, *, dropout=0.0, **options):
    """Hidden tokens and next sentences on a tiny BERT, always the same weights."""
    set_all_seeds(7)
    heads = [BertLMHead.load(folder), NextSentenceHead(num_labels=2)]
    language_model = LanguageModel.load(folder)
    language_model.set_dropout(dropout)
    model = AdaptiveModel(language_model, heads, dropout, ["per_token", "per_sequence"], "cpu")
    return Trainer(model=model, data_silo=silo, evaluate_every=0, learning_rate=1e-3, **options)
