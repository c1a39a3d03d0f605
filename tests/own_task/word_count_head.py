"""A head that predicts the logarithm of a count."""

from farm_ray.modeling.prediction_head import PredictionHead
from farm_ray.modeling.prediction_head.base import stacked


class WordCountHead(PredictionHead):
    """One number per row."""

    model_type = "word_count"
    ph_output_type = "per_sequence_continuous"
    needs_labels = False

    def __init__(self, layer_dims, task_name="word_count"):
        super().__init__(layer_dims, task_name=task_name)

    def logits_to_loss(self, logits, **batch):
        """The squared error of the logarithm, [B]."""
        return (logits.float().reshape(-1) - self.gold(batch).float().reshape(-1).log1p()).square()

    def logits_to_preds(self, logits, **_):
        """Counts, [B]."""
        return logits.float().reshape(-1).expm1().clamp(min=0).round().long().tolist()

    def prepare_labels(self, **batch):
        """True counts, [B]."""
        return self.gold(batch).reshape(-1).tolist()

    def format_rows(self, rows, contexts, return_class_probs=False):
        """FARM's JSON."""
        counts = self.logits_to_preds(stacked(rows, 1))
        return self.farm_json([{"context": text, "words": count} for text, count in zip(contexts, counts, strict=True)])
