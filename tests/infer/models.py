"""Small models to predict with: fresh weights, large enough that answers differ between texts."""

import torch

from farm_ray.data_handler.processor import (
    BertStyleLMProcessor,
    NERProcessor,
    RegressionProcessor,
    TextClassificationProcessor,
    TextPairClassificationProcessor,
    TextPairRegressionProcessor,
)
from farm_ray.infer import Inferencer
from farm_ray.modeling.adaptive_model import AdaptiveModel
from farm_ray.modeling.language_model import LanguageModel
from farm_ray.modeling.prediction_head import (
    BertLMHead,
    MultiLabelTextClassificationHead,
    NextSentenceHead,
    RegressionHead,
    TextClassificationHead,
    TokenClassificationHead,
)
from tests.modeling.tiny_models import save_tiny_model
from tests.tiny import tiny_tokenizer

LABELS = ["good", "bad", "dull"]
TAGS = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]
SCALING = {"scaler_mean": 3.0, "scaler_scale": 2.0}
KINDS = ("multilabel", "regression", "ner", "pair", "pair_regression")


def make_inferencer(folder, *, tasks=("text_classification",), max_seq_len=16, **options):
    """An inferencer around a new model with classification heads; the same weights each time."""
    processor = TextClassificationProcessor(tokenizer=tiny_tokenizer(folder), max_seq_len=max_seq_len, data_dir=None)
    for task in tasks:
        processor.add_task(task, "acc", LABELS, label_column_name="label")
    return _inferencer(folder, processor, lambda: [_classifier(task) for task in tasks], **options)


def make_kind(folder, kind, *, max_seq_len=16, labels=None, **options):
    """An inferencer for one of `KINDS`, with one head."""
    labels = labels or (TAGS if kind == "ner" else LABELS)
    processor_class, settings, head = {
        "multilabel": (
            TextClassificationProcessor,
            {"label_list": labels, "metric": "f1_macro", "multilabel": True},
            lambda: MultiLabelTextClassificationHead(num_labels=len(labels)),
        ),
        "regression": (RegressionProcessor, SCALING, RegressionHead),
        "ner": (
            NERProcessor,
            {"label_list": labels, "metric": "seq_f1"},
            lambda: TokenClassificationHead(num_labels=len(labels)),
        ),
        "pair": (
            TextPairClassificationProcessor,
            {"label_list": labels, "metric": "acc"},
            lambda: _classifier("text_classification"),
        ),
        "pair_regression": (TextPairRegressionProcessor, SCALING, RegressionHead),
    }[kind]
    processor = processor_class(tokenizer=tiny_tokenizer(folder), max_seq_len=max_seq_len, data_dir=None, **settings)
    return _inferencer(folder, processor, lambda: [head()], **options)


def make_tagger_with_tone(folder, *, max_seq_len=16, **options):
    """Tags for the words and a label for the text, from one model."""
    processor = NERProcessor(tiny_tokenizer(folder), max_seq_len, None, label_list=TAGS, metric="seq_f1")
    processor.add_task("tone", "acc", LABELS, task_type="classification")
    return _inferencer(
        folder, processor, lambda: [TokenClassificationHead(num_labels=len(TAGS)), _classifier("tone")], **options
    )


def save_language_model(folder, *, next_sent_pred=True):
    """A folder with a tiny masked language model, as training one leaves it; returns its path."""
    tokenizer = tiny_tokenizer(folder)
    save_tiny_model("bert", folder, vocab_size=len(tokenizer), initializer_range=0.3)
    language_model = LanguageModel.load(folder)
    heads = [BertLMHead.for_language_model(language_model), *([NextSentenceHead()] if next_sent_pred else [])]
    outputs = [head.ph_output_type for head in heads]
    AdaptiveModel(language_model, heads, 0.1, outputs, "cpu").save(folder / "model")
    BertStyleLMProcessor(tokenizer, 16, None, next_sent_pred=next_sent_pred).save(folder / "model")
    return folder / "model"


def _classifier(task):
    return TextClassificationHead(num_labels=len(LABELS), task_name=task)


def _inferencer(folder, processor, make_heads, **options):
    save_tiny_model("bert", folder, seed=3)
    torch.manual_seed(7)
    heads = make_heads()
    model = AdaptiveModel(
        LanguageModel.load(folder), heads, 0.1, [head.ph_output_type for head in heads] or "per_sequence", "cpu"
    )
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "norm" not in name.lower():
                weight.copy_(torch.randn_like(weight) * 0.4)
    return Inferencer(model, processor, **options)
