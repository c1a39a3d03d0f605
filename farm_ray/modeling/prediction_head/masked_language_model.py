"""Predicting masked tokens.

Shapes: B rows in the batch, T tokens of the longest row, N predicted tokens of the batch, H width of the language
model, V tokens of the vocabulary.
"""

from __future__ import annotations

import inspect
import logging
from typing import TYPE_CHECKING, Any, ClassVar, cast

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - torch's own convention
from torch import Tensor, nn

from farm_ray.configuration import strict_arguments
from farm_ray.errors import ConfigError
from farm_ray.modeling.language_model.pooling import activation_by_name, fresh_linear
from farm_ray.modeling.prediction_head.base import PredictionHead, saved_head_file

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from farm_ray.modeling.language_model import LanguageModel
    from farm_ray.plain import PlainDict, PlainMapping

logger = logging.getLogger(__name__)

_TWO_WIDTHS = 2
_PER_TOKEN = 3
"""Dimensions of logits [B, T, V]."""


class BertLMHead(PredictionHead):
    """Scores all tokens of the vocabulary for each token that was hidden; any architecture's head, not BERT's alone.

    The matrix in front of the vocabulary is that of the language model's word embeddings, which the head holds no copy
    of: it works inside an AdaptiveModel, or after `fit_to(language_model)`. Where a batch has labels, only the tokens
    with a label are scored, in the order of the rows: logits are [N, V]; without labels [B, T, V].

    Args:
        hidden_size: H; fitted to the language model.
        vocab_size: V, rows of the language model's word embeddings.
        hidden_act: Name of the activation in transformers' table.
        task_name: The processor's name for the task.
        embedding_size: Width of the word embeddings; None: H. Fitted to the language model.
        layer_norm_eps: Epsilon of the layer norm behind the activation.
        dense_bias: The layer before the activation has a bias.
        norm_bias: The layer norm has a bias.
    """

    model_type: ClassVar[str] = "language_modelling"
    ph_output_type: ClassVar[str] = "per_token"
    needs_labels: ClassVar[bool] = False
    has_loss_units: ClassVar[bool] = True
    saved_settings: ClassVar[tuple[str, ...]] = (
        "hidden_size",
        "vocab_size",
        "hidden_act",
        "embedding_size",
        "layer_norm_eps",
        "dense_bias",
        "norm_bias",
    )

    @strict_arguments
    def __init__(
        self,
        hidden_size: int,
        vocab_size: int,
        hidden_act: str = "gelu",
        task_name: str = "lm",
        *,
        embedding_size: int | None = None,
        layer_norm_eps: float = 1e-12,
        dense_bias: bool = True,
        norm_bias: bool = True,
    ) -> None:
        # In a tuple, so that torch does not take the language model for a part of the head.
        self._tied_to: tuple[LanguageModel, ...] = ()
        super().__init__(
            [hidden_size, embedding_size or hidden_size, vocab_size],
            task_name=task_name,
            activation=hidden_act,
            hidden_layers={"bias": dense_bias, "norm_eps": layer_norm_eps, "norm_bias": norm_bias},
        )

    @classmethod
    def from_layer_dims(cls, layer_dims: Sequence[int], **arguments: Any) -> BertLMHead:
        """A new head from [H, V], or [H, width of the word embeddings, V]."""
        hidden_size, *width, vocab_size = layer_dims
        if len(width) >= _TWO_WIDTHS:
            raise ConfigError(
                f"layer_dims={list(layer_dims)}: a {cls.__name__} has [hidden_size, vocab_size]",
                code="wrong-widths",
                option="layer_dims",
                value=list(layer_dims),
            )
        return cls(hidden_size, vocab_size, embedding_size=width[0] if width else None, **arguments)

    @classmethod
    def for_language_model(cls, language_model: LanguageModel, task_name: str = "lm") -> BertLMHead:
        """A new head with fresh weights, built as transformers builds it for this type of model."""
        from farm_ray.modeling.language_model.masked_lm import MASKED_LMS

        config = language_model.model.config
        settings = MASKED_LMS[config.model_type](config).settings() if config.model_type in MASKED_LMS else {}
        head = cls(language_model.get_output_dims(), language_model.vocab_size, task_name=task_name, **settings)
        head.fit_to(language_model)
        return head

    @classmethod
    def load(  # type: ignore[override]
        cls,
        pretrained_model_name_or_path: str | Path,
        revision: str | None = None,
        n_added_tokens: int = 0,
        *,
        strict: bool = True,
        load_weights: bool = True,
    ) -> PredictionHead:
        """A saved head, or the head of a transformers model; a fresh one where that has none, which is logged.

        Args:
            pretrained_model_name_or_path: A `prediction_head_{i}_config.json`, a folder of a saved AdaptiveModel, or
                the folder or hub name of a transformers model.
            revision: Branch, tag or commit on the hub.
            n_added_tokens: As many as for `LanguageModel.load`.
            strict: Refuse a weights file that lacks weights.
            load_weights: Read the weights of a saved head.

        Raises:
            ModelFolderError: When a file is missing or damaged.
            ConfigError: When transformers has no masked language model of this type.
        """
        file = saved_head_file(pretrained_model_name_or_path, cls.__name__)
        if file is not None:
            head: Any = super().load(file, strict=strict, load_weights=load_weights)
        else:
            from farm_ray.modeling.conversion.masked_lm import load_lm_head

            head = load_lm_head(cls, pretrained_model_name_or_path, revision=revision)
        if n_added_tokens:
            head.resize_vocab(head.vocab_size + n_added_tokens)
        return head

    @property
    def hidden_size(self) -> int:
        """H, the width of the vectors the head reads."""
        return self.layer_dims[0]

    @property
    def embedding_size(self) -> int:
        """The width of the word embeddings."""
        return self.layer_dims[1]

    @property
    def vocab_size(self) -> int:
        """V, the tokens the head predicts."""
        return self.layer_dims[-1]

    @property
    def hidden_act(self) -> str | None:
        """Name of the activation."""
        return self.activation

    @property
    def layer_norm_eps(self) -> float:
        """Epsilon of the layer norm."""
        return self.hidden_layers["norm_eps"]

    @property
    def dense_bias(self) -> bool:
        """The layer before the activation has a bias."""
        return self.hidden_layers["bias"]

    @property
    def norm_bias(self) -> bool:
        """The layer norm has a bias."""
        return self.hidden_layers["norm_bias"]

    @property
    def decoder(self) -> nn.Module:
        """The language model's word embeddings, whose weight [V, width] stands in front of the vocabulary.

        Raises:
            ConfigError: When the head stands alone.
        """
        if not self._tied_to:
            raise ConfigError(
                f'the head of task "{self.task_name}" predicts tokens with the word embeddings of a language model; '
                "put it into an AdaptiveModel, or call fit_to(language_model)",
                code="head-stands-alone",
                task=self.task_name,
            )
        return self._tied_to[0].model.get_input_embeddings()

    def fit_to(self, language_model: LanguageModel) -> None:
        """Reads this language model's vectors and shares its word embeddings: fresh layers where widths differ.

        Where the language model has more embeddings than the head, tokens were added: their bias starts at 0.

        Raises:
            ConfigError: When the language model has fewer embeddings than the head predicts tokens.
        """
        embeddings = cast("nn.Embedding", language_model.model.get_input_embeddings())
        rows, width = embeddings.weight.shape
        if rows < self.vocab_size:
            raise ConfigError(
                f'the head of task "{self.task_name}" predicts {self.vocab_size} tokens, but the language model has '
                f"{rows} embeddings; load both from one checkpoint and with the same n_added_tokens",
                code="head-of-other-vocabulary",
                task=self.task_name,
                value=self.vocab_size,
                embeddings=rows,
            )
        if rows > self.vocab_size:
            logger.warning(
                'task "%s": the language model has %d embeddings and its head %d tokens; the bias of the last %d '
                "starts at 0",
                self.task_name,
                rows,
                self.vocab_size,
                rows - self.vocab_size,
            )
            self.resize_vocab(rows)
        widths = [language_model.get_output_dims(), width]
        if self.layer_dims[:2] != widths:
            self.layer_dims = [*widths, self.vocab_size]
            self._build_transform()
        self._tied_to = (language_model,)

    def resize_input(self, input_dim: int) -> None:
        """Makes the head read vectors of this width: a fresh layer before the activation where it differs."""
        if input_dim != self.hidden_size:
            self.layer_dims = [input_dim, *self.layer_dims[1:]]
            self._build_transform()

    def resize_vocab(self, vocab_size: int) -> None:
        """Makes the head predict this many tokens: more have the bias 0, those beyond the last are dropped."""
        old = self.get_parameter("bias")
        bias = torch.cat([old.detach(), old.new_zeros(max(0, vocab_size - len(old)))])[:vocab_size]
        self.bias = nn.Parameter(bias, requires_grad=old.requires_grad)
        self.layer_dims = [*self.layer_dims[:-1], vocab_size]
        self.num_labels = vocab_size

    def forward(self, inputs: Tensor) -> Tensor:
        """Logits, [..., V], from the language model's vectors, [..., H]."""
        weight = cast("Tensor", self.decoder.weight)
        if len(weight) != len(self.bias):
            raise ConfigError(
                f'the head of task "{self.task_name}" predicts {len(self.bias)} tokens, but the language model has '
                f"{len(weight)} embeddings now; call fit_heads_to_lm() of the model",
                code="head-of-other-vocabulary",
                task=self.task_name,
                value=len(self.bias),
                embeddings=len(weight),
            )
        return F.linear(self.LayerNorm(self.transform_act_fn(self.dense(inputs))), weight, self.bias)

    def read(self, vectors: Tensor, batch: Mapping[str, Tensor]) -> Tensor:
        """The vectors of the tokens to be predicted, [N, H]; without labels in the batch all, [B, T, H]."""
        return vectors[self._predicted(batch)] if self.label_tensor_name in batch else vectors

    def loss_units(self, **batch: Tensor) -> Tensor:
        """Predicted tokens per row, int64 [B]."""
        return self._predicted(batch).sum(dim=1)

    def logits_to_loss(self, logits: Tensor, **batch: Tensor) -> Tensor:
        """Cross entropy of each row's predicted tokens, float32 [B], also under mixed precision.

        It is their sum divided by the mean number of predicted tokens per row: the mean over rows is the mean over
        predicted tokens. A row without any has loss 0.

        Args:
            logits: [N, V] or [B, T, V].
            batch: Holds the column `label_tensor_name`, int64 [B, T], -1 where nothing is predicted, and maybe
                `loss_units_column`, where more rows than these share a mean.
        """
        predicted_BT = self._predicted(batch)
        losses_N = F.cross_entropy(
            self._of_predicted(logits, predicted_BT).float(), self.gold(batch)[predicted_BT].long(), reduction="none"
        )
        sums_B = losses_N.new_zeros(predicted_BT.shape).masked_scatter(predicted_BT, losses_N).sum(dim=1)
        per_row = batch.get(self.loss_units_column)
        if per_row is None:
            per_row = predicted_BT.sum() / len(predicted_BT)
        return sums_B / torch.where(per_row > 0, per_row, torch.ones_like(per_row))

    def logits_to_preds(self, logits: Tensor, **batch: Tensor) -> list[npt.NDArray[np.int32]]:
        """The likeliest token id at each predicted token, [n] per row; without labels at every token, [T] per row.

        Args:
            logits: [N, V] or [B, T, V].
            batch: As for `logits_to_loss`.
        """
        if self.label_tensor_name not in batch:
            return list(_ids(logits.argmax(dim=-1)))
        predicted_BT = self._predicted(batch)
        return _per_row(self._of_predicted(logits, predicted_BT).argmax(dim=-1), predicted_BT)

    def prepare_labels(self, **batch: Tensor) -> list[npt.NDArray[np.int32]]:
        """The token id that was there at each predicted token, [n] per row."""
        predicted_BT = self._predicted(batch)
        return _per_row(self.gold(batch)[predicted_BT], predicted_BT)

    def logits_per_row(self, logits: Tensor, **_: Tensor) -> list[npt.NDArray[np.float32]]:  # noqa: ARG002
        """Raises ConfigError: see `format_rows`."""
        raise self._no_answers()

    def format_rows(
        self,
        rows: Sequence[npt.NDArray[np.float32]],  # noqa: ARG002
        contexts: Sequence[str],  # noqa: ARG002
        return_class_probs: bool = False,  # noqa: ARG002
    ) -> PlainDict:
        """Raises ConfigError: the head learns from texts, and has no answer about one."""
        raise self._no_answers()

    def _no_answers(self) -> ConfigError:
        return ConfigError(
            f'the head of task "{self.task_name}" trains a language model and has no answers about texts; for vectors '
            'predict with task_type="embeddings", to fill in [MASK] use convert_to_transformers()',
            code="head-without-answers",
            task=self.task_name,
        )

    def _predicted(self, batch: Mapping[str, Tensor]) -> Tensor:
        """True at the tokens to be predicted, [B, T]."""
        return self.gold(batch) >= 0

    def _of_predicted(self, logits: Tensor, predicted_BT: Tensor) -> Tensor:
        return logits[predicted_BT] if logits.dim() == _PER_TOKEN else logits

    def _build_layers(self) -> None:
        self._build_transform()
        self.bias = nn.Parameter(torch.zeros(self.vocab_size))

    def _build_transform(self) -> None:
        hidden_size, width = self.layer_dims[:2]
        self.dense = fresh_linear(hidden_size, width, bias=self.dense_bias)
        self.transform_act_fn = activation_by_name(self.activation)
        self.LayerNorm = nn.LayerNorm(width, eps=self.layer_norm_eps, bias=self.norm_bias)

    @classmethod
    def _arguments(cls, values: PlainMapping) -> PlainDict:
        known = set(inspect.signature(cls.__init__).parameters) - {"self"}
        return {name: value for name, value in values.items() if name in known}

    def _take_saved(self, values: PlainMapping) -> None:
        """FARM 0.8 saved the whole vocabulary as label list."""
        super()._take_saved({name: value for name, value in values.items() if name != "label_list"})

    def _take_labels(self, labels: Sequence[object]) -> None:
        """Checks how many there are; names of tokens are the tokenizer's business."""
        if len(labels) > self.vocab_size:
            raise ConfigError(
                f'the task "{self.task_name}" has {len(labels)} tokens, but its head predicts {self.vocab_size}; load '
                f"language model and head with n_added_tokens={len(labels) - self.vocab_size}",
                code="head-of-other-vocabulary",
                task=self.task_name,
                value=len(labels),
            )


def _ids(tensor: Tensor) -> npt.NDArray[np.int32]:
    return tensor.to(torch.int32).cpu().numpy()


def _per_row(values_N: Tensor, predicted_BT: Tensor) -> list[npt.NDArray[np.int32]]:
    ends_B = predicted_BT.sum(dim=1).cpu().numpy().cumsum()
    return np.split(_ids(values_N), ends_B[:-1])
