"""A small model to predict with: fresh weights, large enough that labels differ between texts."""

import torch

from farm_ray.data_handler.processor import TextClassificationProcessor
from farm_ray.infer import Inferencer
from farm_ray.modeling.adaptive_model import AdaptiveModel
from farm_ray.modeling.language_model import LanguageModel
from farm_ray.modeling.prediction_head import TextClassificationHead
from tests.modeling.tiny_models import save_tiny_model
from tests.tiny import tiny_tokenizer

LABELS = ["good", "bad", "dull"]


def make_inferencer(folder, *, tasks=("text_classification",), max_seq_len=16, **options):
    """An inferencer around a new model; the same weights each time."""
    save_tiny_model("bert", folder, seed=3)
    processor = TextClassificationProcessor(tokenizer=tiny_tokenizer(folder), max_seq_len=max_seq_len, data_dir=None)
    for task in tasks:
        processor.add_task(task, "acc", LABELS, label_column_name="label")
    torch.manual_seed(7)
    heads = [TextClassificationHead(num_labels=len(LABELS), task_name=task) for task in tasks]
    model = AdaptiveModel(LanguageModel.load(folder), heads, 0.1, "per_sequence", "cpu")
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "norm" not in name.lower():
                weight.copy_(torch.randn_like(weight) * 0.4)
    return Inferencer(model, processor, **options)
