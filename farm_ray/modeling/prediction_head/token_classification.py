"""One label per word, such as the tags of named entities.

Shapes: B rows in the batch, T tokens of the longest row, C labels, W words of a row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - torch's own convention

from farm_ray.configuration import strict_arguments
from farm_ray.errors import ConfigError
from farm_ray.modeling.prediction_head.classification import ClassificationHead
from farm_ray.modeling.prediction_head.entities import Entity, Span, entities_of, in_iob2, is_iob
from farm_ray.modeling.tokenization.words import split_with_metadata
from farm_ray.tag_schemes import hyphenated

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt
    from torch import Tensor

    from farm_ray.plain import PlainDict, PlainMapping


class TokenClassificationHead(ClassificationHead):
    """Scores C labels for each token's vector; a word is answered at its first token.

    Which tokens those are says the batch's column `initial_mask`, 1 at the first token of each word that the row
    answers for; a long text's words are shared out among its windows.

    Args:
        layer_dims: Widths from the language model to the labels; the first is fitted to the language model. With more
            than two widths there is a GELU between the layers (FARM 0.8 had nothing there, and heads saved by it are
            loaded so).
        num_labels: C, in place of layer_dims: one layer.
        task_name: The processor's name for the task.
        class_weights: Weight of each label in the loss, in the order of the label list; None weighs all alike.
        loss_ignore_index: Tokens with this label id do not count.
        activation: What stands between layers; a name in transformers' table, or None.
        hidden_layers: `bias`, `norm_eps` and `norm_bias` of the layers before the last, see `FeedForwardBlock`.

    Raises:
        ValueError: When neither layer_dims nor num_labels is given, or class_weights is not one-dimensional.
        ConfigError: When the numbers of labels disagree, or a class weight is negative.
    """

    model_type: ClassVar[str] = "token_classification"
    farm_task: ClassVar[str] = "ner"
    ph_output_type: ClassVar[str] = "per_token"
    saved_settings: ClassVar[tuple[str, ...]] = ("loss_ignore_index", "hidden_layers")

    @strict_arguments
    def __init__(
        self,
        layer_dims: Sequence[int] | None = None,
        num_labels: int | None = None,
        task_name: str = "ner",
        class_weights: Sequence[float] | npt.NDArray[np.floating] | Tensor | None = None,
        *,
        loss_ignore_index: int = -100,
        activation: str | None = "gelu",
        hidden_layers: PlainMapping | None = None,
    ) -> None:
        super().__init__(
            layer_dims,
            num_labels,
            class_weights,
            task_name=task_name,
            activation=activation,
            hidden_layers=hidden_layers,
        )
        self.loss_ignore_index = loss_ignore_index

    def logits_to_loss(self, logits: Tensor, **batch: Tensor) -> Tensor:
        """Cross entropy of each row's tokens, their mean, float32 [B], also under mixed precision.

        Tokens count where `padding_mask` is 1 and the label is not `loss_ignore_index`; a row without any has loss 0.

        Args:
            logits: [B, T, C].
            batch: Holds the column `label_tensor_name`, label ids, int64 [B, T], and `padding_mask`, [B, T].
        """
        gold_BT = self.gold(batch).long()
        if "padding_mask" in batch:
            gold_BT = gold_BT.masked_fill(batch["padding_mask"] == 0, self.loss_ignore_index)
        losses_BT = F.cross_entropy(
            logits.float().transpose(1, 2),
            gold_BT,
            weight=self.label_weights,
            ignore_index=self.loss_ignore_index,
            reduction="none",
        )
        counted_B = (gold_BT != self.loss_ignore_index).sum(dim=1)
        return losses_BT.sum(dim=1) / counted_B.clamp(min=1)

    def logits_to_preds(self, logits: Tensor, **batch: Tensor) -> list[list[str]]:
        """The best label of each word that a row answers for, [B][W].

        Args:
            logits: [B, T, C].
            batch: Holds `initial_mask`, [B, T].
        """
        labels = self.labels()
        return [[labels[best] for best in best_W.tolist()] for best_W in self._words(logits.argmax(dim=-1), batch)]

    def logits_to_probs(self, logits: Tensor) -> npt.NDArray[np.float32]:
        """The probability of each label, of tokens [B, T, C] or words [W, C]."""
        return logits.detach().float().softmax(dim=-1).cpu().numpy()

    def prepare_labels(self, **batch: Tensor) -> list[list[str]]:
        """The gold label of each word that a row answers for, [B][W].

        Raises:
            DataProblemError: When a label id is outside of the label list.
        """
        return [self.label_names(gold_W.tolist()) for gold_W in self._words(self.gold(batch), batch)]

    def logits_per_row(self, logits: Tensor, **batch: Tensor) -> list[npt.NDArray[np.float32]]:
        """The logits of each word that a row answers for, float32 [W, C] per row.

        Args:
            logits: [B, T, C].
            batch: Holds `initial_mask`, [B, T].
        """
        return [words_WC.cpu().numpy() for words_WC in self._words(logits.detach().float(), batch)]

    def format_rows(
        self, rows: Sequence[npt.NDArray[np.float32]], contexts: Sequence[str], return_class_probs: bool = False
    ) -> PlainDict:
        """FARM's JSON: task, task_name and one list per text with its entities, see `entities_of` and `in_iob2`.

        An entity has `start`, `end` (characters of the text), `context` (the piece of text), `label` (its type) and
        `probability` (of its least certain word, float32).

        Args:
            rows: Logits, [W, C] per text, for every word of it: windows of one text joined.
            contexts: The texts, [B]; words are what stands between white space.
            return_class_probs: `probability` holds that of every label, float32 [C].

        Raises:
            ConfigError: When a text has another number of words than logits.
        """
        sizes = [len(words_WC) for words_WC in rows]
        words = [_words_of(text, size) for text, size in zip(contexts, sizes, strict=True)]
        logits_WC = torch.from_numpy(np.concatenate([np.zeros((0, self.num_labels), np.float32), *rows]))
        spelled = hyphenated(self.labels())
        labels = [spelled[label] for label in self.labels()]
        tags = [labels[best] for best in logits_WC.argmax(dim=-1).tolist()]
        probs_WC = self.logits_to_probs(logits_WC)
        probs = list(probs_WC if return_class_probs else probs_WC.max(axis=-1))
        ends = np.cumsum(sizes).tolist()
        own = [slice(end - size, end) for end, size in zip(ends, sizes, strict=True)]
        iob = is_iob(labels)
        found = [
            entities_of(in_iob2(tags[at], labels), spans, probs[at], iob=iob)
            for at, spans in zip(own, words, strict=True)
        ]
        return self.farm_json(
            [[_shown(entity, text) for entity in entities] for entities, text in zip(found, contexts, strict=True)]
        )

    def _words(self, values: Tensor, batch: Mapping[str, Tensor]) -> list[Tensor]:
        """The values, [B, T, ...], at the first token of each word, [W, ...] per row."""
        if "initial_mask" not in batch:
            raise ConfigError(
                f'the head of task "{self.task_name}" needs the column "initial_mask", 1 at the first token of each '
                "word; a NERProcessor makes it",
                code="missing-batch-column",
                column="initial_mask",
                task=self.task_name,
            )
        mask_BT = batch["initial_mask"].bool()
        return list(values[mask_BT].split(mask_BT.sum(dim=1).tolist()))


def _shown(entity: Entity, text: str) -> PlainDict:
    return {
        "start": entity.start,
        "end": entity.end,
        "context": text[entity.start : entity.end],
        "label": entity.label,
        "probability": entity.probability,
    }


def _words_of(text: str, expected: int) -> list[Span]:
    """Start and end of each word."""
    words, starts = split_with_metadata(text)
    if len(words) != expected:
        raise ConfigError(
            f'the text "{text[:40]}" has {len(words)} words, and there are logits for {expected}; join the windows of '
            "a text first (logits_per_row gives the words of each)",
            code="wrong-number-of-words",
            value=len(words),
        )
    return [(start, start + len(word)) for word, start in zip(words, starts, strict=True)]
