"""Small training runs that several tests share: a tiny BERT, a few dozen rows, whole runs in under a second."""

import torch

from farm_ray.data_handler.data_silo import DataSilo
from farm_ray.data_handler.processor import TextClassificationProcessor
from farm_ray.modeling.adaptive_model import AdaptiveModel
from farm_ray.modeling.language_model import LanguageModel
from farm_ray.modeling.prediction_head import TextClassificationHead
from farm_ray.reproducibility import set_all_seeds
from farm_ray.train import Trainer
from tests.tiny import tiny_tokenizer

LABELS = ["good", "bad", "dull"]
WORDS = ["the", "a", "good", "bad", "dull", "film", "was", "and", "very"]


def labelled_dicts(n=53):
    """Texts of 2 to 12 words; the label follows from the text's number."""
    texts = [" ".join(WORDS[(i * k) % len(WORDS)] for k in range(1, 3 + i % 11)) for i in range(n)]
    return [{"text": text, "text_classification_label": LABELS[i % 3]} for i, text in enumerate(texts)]


def small_silo(folder, *, batch_size=8, dicts=None, test_dicts=None, dev_split=0.2, metric="acc"):
    processor = TextClassificationProcessor(
        tokenizer=tiny_tokenizer(folder),
        max_seq_len=16,
        data_dir=None,
        label_list=LABELS,
        metric=metric,
        train_filename=None,
        test_filename=None,
        dev_split=dev_split,
    )
    silo = DataSilo(processor, batch_size=batch_size, automatic_loading=False)
    silo._load_data(train_dicts=labelled_dicts() if dicts is None else dicts, test_dicts=test_dicts)
    return silo


def small_model(folder, *, dropout=0.0, heads=1, class_weights=None):
    set_all_seeds(7)
    language_model = LanguageModel.load(folder)
    for module in language_model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = dropout
    made = [TextClassificationHead(num_labels=3, class_weights=class_weights) for _ in range(heads)]
    return AdaptiveModel(language_model, made, dropout, ["per_sequence"] * heads, "cpu")


def small_trainer(folder, *, dropout=0.0, silo=None, **options):
    defaults = {"epochs": 2, "learning_rate": 1e-3, "evaluate_every": 0, "grad_acc_steps": 2}
    return Trainer(
        model=small_model(folder, dropout=dropout), data_silo=silo or small_silo(folder), **(defaults | options)
    )


def small_run(folder, **options):
    """The result and the weights of a whole run."""
    trainer = small_trainer(folder, **options)
    trained = trainer.train()
    return trainer.result, trained.state_dict()


class BrokenOffError(Exception):
    """Ends a run from outside, as a crash would."""


def break_off_after(steps):
    """A `progress` that breaks the run off in the step after this many."""

    def progress(stage, done, _total, _note):
        if stage == "train" and done == steps + 1:
            raise BrokenOffError

    return progress


class Silent:
    """A listener that hears and asks nothing."""

    def progress(self, *_news):
        pass

    def metrics(self, *_news):
        pass

    def stop_requested(self):
        return False

    def resumed(self, *_):
        pass

    def checkpoint_known(self, *_):
        pass
