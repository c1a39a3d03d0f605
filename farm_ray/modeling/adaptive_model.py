"""A language model with prediction heads: forward, losses, predictions, files.

Shapes: B rows in the batch, T tokens of the longest row, H width of the language model, C classes of a head.
"""

from __future__ import annotations

import itertools
import json
import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor, nn

from farm_ray import storage
from farm_ray.configuration import nearest, strict_arguments
from farm_ray.devices import checked_device
from farm_ray.errors import ConfigError, ModelFolderError
from farm_ray.modeling.language_model import LanguageModel, sources
from farm_ray.modeling.language_model.packing import is_packed
from farm_ray.modeling.prediction_head import PredictionHead
from farm_ray.modeling.saved_model import SavedModel
from farm_ray.overrides import accepted, is_own
from farm_ray.saved import check_saved

if TYPE_CHECKING:
    from pathlib import Path

    from transformers import PreTrainedModel

    from farm_ray.data_handler.processor.base import Processor
    from farm_ray.plain import PlainDict, PlainMapping

LossAggregation = Callable[..., Tensor]
"""Called as `fn(loss_per_head, global_step=..., batch=...)`; gives the loss of each row, [B]."""

CONFIG_FILE = "adaptive_model_config.json"
FARM_DROPOUT = 0.1
_TOKEN_OUTPUTS = ("per_token", "per_token_squad")
_ROW_OUTPUTS = ("per_sequence", "per_sequence_continuous")
_HEAD_CONFIG = re.compile(r"prediction_head_(\d+)_config\.json")
_HEAD_FOLDER = re.compile(r"prediction_head_\d+")
_HEAD_WEIGHTS = re.compile(r"prediction_head_(\d+)\.(safetensors|bin)")


def loss_per_head_sum(
    loss_per_head: Sequence[Tensor],
    global_step: int | None = None,  # noqa: ARG001 - part of what an aggregation is called with
    batch: Mapping[str, Tensor] | None = None,  # noqa: ARG001
) -> Tensor:
    """The sum over heads of the loss of each row, [B].

    Raises:
        ConfigError: When the heads' losses differ in shape, so that their sum would mean nothing.
    """
    shapes = {tuple(loss.shape) for loss in loss_per_head}
    if len(shapes) > 1:
        raise ConfigError(
            f"the heads' losses have the shapes {sorted(shapes)} and cannot be summed row by row; "
            "give a loss_aggregation_fn",
            code="wrong-loss-shape",
        )
    return torch.stack(list(loss_per_head)).sum(dim=0)


class AdaptiveModel(nn.Module):
    """One language model and any number of prediction heads.

    A new model is in train mode, as in torch; one that was loaded or converted is in eval mode, as in transformers.

    Args:
        language_model: Gives the vectors.
        prediction_heads: Read them; fitted to the language model's width, with fresh weights where it differs.
        embeds_dropout_prob: Dropout on the vectors before each head, 0 to 1.
        lm_output_types: What each head reads: `per_token` and `per_token_squad` the token vectors, `per_sequence` and
            `per_sequence_continuous` the row vector. One name for all heads or one per head.
        device: Where the model goes.
        loss_aggregation_fn: Joins the heads' losses, `fn(loss_per_head, global_step=None, batch=None)`; default:
            their sum.

    Raises:
        ValueError: On an unknown output type.
        ConfigError: When heads and output types differ in number, a head cannot read its output type, or the device is
            not there.
    """

    @strict_arguments
    def __init__(
        self,
        language_model: LanguageModel,
        prediction_heads: Sequence[PredictionHead],
        embeds_dropout_prob: float,
        lm_output_types: str | Sequence[str],
        device: str | torch.device,
        loss_aggregation_fn: LossAggregation | None = None,
    ) -> None:
        super().__init__()
        self.language_model = language_model
        self.prediction_heads = _modules(prediction_heads)
        self.embeds_dropout_prob = embeds_dropout_prob
        self.dropout = nn.Dropout(embeds_dropout_prob)
        self._own_forward = is_own(type(language_model), "forward")
        self.lm_output_types = _checked_output_types(lm_output_types, prediction_heads)
        self.loss_aggregation_fn = loss_aggregation_fn or loss_per_head_sum
        self.fit_heads_to_lm()
        self._train_what_is_read()
        self.train()
        self.to(checked_device(device))

    @classmethod
    @strict_arguments
    def load(
        cls,
        load_dir: str | Path,
        device: str | torch.device,
        strict: bool = True,
        lm_name: str | None = None,
        processor: Processor | None = None,
        *,
        loss_aggregation_fn: LossAggregation | None = None,
    ) -> AdaptiveModel:
        """The model in a folder of farm_ray or FARM 0.8, in eval mode.

        Args:
            load_dir: The folder.
            device: Where the model goes.
            strict: Refuse weights files that lack weights.
            lm_name: A name for the language model, for logs; None: the folder.
            processor: Its tasks are connected with the heads.
            loss_aggregation_fn: Functions are not saved; give it again to train on.

        Raises:
            ModelFolderError: When the folder is missing, half-copied or damaged.
        """
        folder = sources.find_folder(storage.local_path(load_dir))
        assert folder is not None, "a Path is a folder or an error"
        settings = sources.read_json(folder / CONFIG_FILE) if (folder / CONFIG_FILE).exists() else {}
        check_saved(SavedModel, settings, folder / CONFIG_FILE)
        language_model = LanguageModel.load(folder)
        language_model.name = lm_name or language_model.name
        heads = [PredictionHead.load(file, strict=strict) for file in _head_files(folder, settings)]
        _check_widths(heads, language_model, folder)
        model = cls(
            language_model,
            heads,
            settings.get("embeds_dropout_prob", FARM_DROPOUT),
            settings.get("lm_output_types", [head.ph_output_type for head in heads]),
            device,
            loss_aggregation_fn,
        )
        if processor is not None:
            model.connect_heads_with_processor(processor.tasks, require_labels=False)
        return model.eval()

    def save(self, save_dir: str | Path, *, each_head_for_transformers: bool = True) -> None:
        """Writes language model, heads and settings as files; a model that was there before is replaced.

        With one head that transformers has, or BERT's two of pretraining, transformers' own class for the task opens
        the folder and gives the same answers. With several heads its AutoModel opens the folder, and the class for
        head number i the folder `prediction_head_{i}` in it. No other class opens them, unless it is told to make a
        new head (`ignore_mismatched_sizes=True`).

        Args:
            save_dir: The folder.
            each_head_for_transformers: With several heads write their folders, each with a copy of the encoder.
        """
        from farm_ray.modeling.conversion.saving import save_for_transformers

        folder = storage.local_path(save_dir)
        folder.mkdir(parents=True, exist_ok=True)
        for entry in folder.iterdir():
            if _HEAD_FOLDER.fullmatch(entry.name) and entry.is_dir():
                shutil.rmtree(entry)
            elif _HEAD_CONFIG.fullmatch(entry.name) or _HEAD_WEIGHTS.fullmatch(entry.name):
                entry.unlink()
        rows_are_read = any(output_type in _ROW_OUTPUTS for output_type in self.lm_output_types)
        save_for_transformers(
            self,
            folder,
            pooling_is_trained=self.language_model.pooling_is_trained
            or (bool(self.prediction_heads) and rows_are_read),
            each_head=each_head_for_transformers,
        )
        for number, head in enumerate(self._heads()):
            head.save(folder, number)
        settings = {
            "embeds_dropout_prob": self.embeds_dropout_prob,
            "lm_output_types": self.lm_output_types,
            "prediction_heads": len(self.prediction_heads),
            "format_version": 1,
        }
        (folder / CONFIG_FILE).write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")

    def fit_heads_to_lm(self) -> None:
        """Makes every head read the language model's vectors; call it after you changed the embeddings."""
        for head in self._heads():
            head.fit_to(self.language_model)

    def forward(self, **batch: Tensor) -> list[Any]:
        """Logits per head: [B, C] for heads on rows, [B, T, C] for heads on tokens.

        A `BertLMHead` answers only what is to be predicted where the batch says so: then [N, C].

        Args:
            batch: input_ids [B, T], and segment_ids, padding_mask [B, T] or [B, T, T] and position_ids [B, T] where
                there are any; the heads may read other columns.

        Returns:
            One tensor per head; without heads one pair of token vectors [B, T, H] and row vectors [B, H].
        """
        sequence_BTH, pooled_BH = self.forward_lm(**batch)
        if not self.prediction_heads:
            return [(sequence_BTH, pooled_BH)]
        return [
            head(self.dropout(head.read(sequence_BTH if output_type in _TOKEN_OUTPUTS else pooled_BH, batch)))
            for head, output_type in zip(self._heads(), self.lm_output_types, strict=True)
        ]

    def forward_lm(self, **batch: Tensor) -> tuple[Tensor, Tensor]:
        """Token vectors [B, T, H] and row vectors [B, H]."""
        if "input_ids" not in batch:
            raise ConfigError(
                f"the batch has no column input_ids; it has {', '.join(sorted(batch)) or 'none'}",
                code="missing-batch-column",
                column="input_ids",
            )
        columns = {name: batch.get(name) for name in ("segment_ids", "padding_mask", "position_ids")}
        if is_packed(columns["padding_mask"]) and any(output in _ROW_OUTPUTS for output in self.lm_output_types):
            raise ConfigError(
                "several texts are packed into one row, and a head answers whole rows; "
                "make the rows with packing=False",
                code="packed-rows",
            )
        if self._own_forward:
            further = {name: column for name, column in batch.items() if name != "input_ids"}
            columns = accepted(self.language_model.forward, {**columns, **further})
        return self.language_model(batch["input_ids"], **columns)

    def logits_to_loss_per_head(self, logits: Sequence[Tensor], **batch: Tensor) -> list[Tensor]:
        """The loss of each row for each head, float32 [B]."""
        return [head.logits_to_loss(logits=own, **batch) for head, own in self._with_heads(logits)]

    def logits_to_loss(self, logits: Sequence[Tensor], global_step: int | None = None, **batch: Tensor) -> Tensor:
        """The loss of each row, [B], by the aggregation over heads."""
        losses = self.logits_to_loss_per_head(logits, **batch)
        return self.loss_aggregation_fn(losses, global_step=global_step, batch=batch)

    def logits_to_preds(self, logits: Sequence[Tensor], **batch: Tensor) -> list[list[Any]]:
        """The prediction of each head for each row."""
        return [head.logits_to_preds(logits=own, **batch) for head, own in self._with_heads(logits)]

    def prepare_labels(self, **batch: Tensor) -> list[list[Any]]:
        """The gold label of each head for each row."""
        return [head.prepare_labels(**batch) for head in self._heads()]

    def formatted_preds(
        self, logits: Sequence[Tensor], contexts: Sequence[str], return_class_probs: bool = False, **batch: Tensor
    ) -> list[PlainDict]:
        """FARM's JSON of each head for these texts; heads on tokens need `initial_mask` of the batch."""
        return [
            head.formatted_preds(own, contexts, return_class_probs, **batch) for head, own in self._with_heads(logits)
        ]

    def connect_heads_with_processor(self, tasks: PlainMapping, require_labels: bool = True) -> None:
        """Gives each head label list, metric and label column of the task it is named for.

        A head for `nextsentence` leaves when the processor has no such task.

        Raises:
            ConfigError: When the processor lacks a head's task, or its label list does not fit the head.
        """
        if "nextsentence" not in tasks:
            self._drop_heads_for("nextsentence")
        for head in self._heads():
            if head.task_name not in tasks:
                raise ConfigError(
                    f'a head answers the task "{head.task_name}", which the processor does not have'
                    f"{nearest(head.task_name, tasks)} (the processor has {', '.join(sorted(tasks)) or 'no tasks'})",
                    code="unknown-task",
                    value=head.task_name,
                )
            head.connect(tasks[head.task_name], require_labels=require_labels)

    def verify_vocab_size(self, vocab_size: int) -> None:
        """Checks that each of the tokenizer's `vocab_size` tokens has an embedding; spare embeddings do no harm.

        A head that predicts tokens must predict as many as there are embeddings.

        Raises:
            ConfigError: When some have none, or the head differs.
        """
        rows = self.language_model.vocab_size
        if vocab_size > rows:
            raise ConfigError(
                f"the tokenizer has {vocab_size} tokens, but the language model has {rows} embeddings; load it with "
                f"n_added_tokens={vocab_size - rows}, or with the tokenizer it was trained with",
                code="too-many-tokens",
                value=vocab_size,
                embeddings=rows,
            )
        for head in self._heads():
            if head.model_type == "language_modelling" and head.num_labels != rows:
                raise ConfigError(
                    f'the head of task "{head.task_name}" predicts {head.num_labels} tokens, but the language model '
                    f"has {rows} embeddings; call fit_heads_to_lm()",
                    code="head-of-other-vocabulary",
                    task=head.task_name,
                    value=head.num_labels,
                    embeddings=rows,
                )

    def verify_max_seq_len(self, max_seq_len: int) -> None:
        """As `LanguageModel.verify_max_seq_len`."""
        self.language_model.verify_max_seq_len(max_seq_len)

    def get_language(self) -> str:
        """The language model's language."""
        return self.language_model.language

    def convert_to_transformers(self) -> list[PreTrainedModel]:
        """One transformers model per head, on the CPU, in eval mode; label names are in `config.id2label`.

        BERT's LM head and next sentence head together become one pretraining model.

        A regression's mean and scale go into its layer: the transformers model gives the number itself. A head of
        more layers than transformers has a place for is left out, and the log says so.

        Raises:
            ConfigError: When transformers has no model with equal predictions for this language model and head.
        """
        from farm_ray.modeling.conversion.to_transformers import transformers_models

        return transformers_models(self)

    @classmethod
    def convert_from_transformers(
        cls,
        model_name_or_path: str | Path,
        device: str | torch.device,
        revision: str | None = None,
        task_type: str | None = None,
        processor: Processor | None = None,
    ) -> AdaptiveModel:
        """A transformers model as an AdaptiveModel, in eval mode.

        Args:
            model_name_or_path: Folder, or name on the hub.
            device: Where the model goes.
            revision: Branch, tag or commit on the hub.
            task_type: `text_classification`, `multilabel_text_classification`, `regression`, `ner`, `lm` for a masked
                language model (a BERT pretraining model brings two heads), or `embeddings` for a model without a head;
                None: by the checkpoint. `text_classification` stands for the first three.
            processor: Its tasks are connected with the head.

        Raises:
            ModelFolderError: When the model is missing or damaged.
            ConfigError: When the task is not available, or the checkpoint holds no head for it.
        """
        from farm_ray.modeling.conversion.from_transformers import parts_of_transformers

        parts = parts_of_transformers(model_name_or_path, revision, task_type)
        dropout = FARM_DROPOUT if parts.embeds_dropout_prob is None else parts.embeds_dropout_prob
        model = cls(parts.language_model, parts.prediction_heads, dropout, parts.lm_output_types, device)
        if processor is not None:
            model.connect_heads_with_processor(processor.tasks, require_labels=False)
        return model.eval()

    def _heads(self) -> list[PredictionHead]:
        return list(self.prediction_heads)

    def _with_heads(self, logits: Sequence[Tensor]) -> list[tuple[PredictionHead, Tensor]]:
        return list(zip(self._heads(), logits, strict=True))

    def _drop_heads_for(self, task_name: str) -> None:
        kept = [
            (head, output_type)
            for head, output_type in zip(self._heads(), self.lm_output_types, strict=False)
            if head.task_name != task_name
        ]
        if len(kept) < len(self.prediction_heads):
            self.prediction_heads = _modules([head for head, _ in kept])
            self.lm_output_types = [output_type for _, output_type in kept]
            self._train_what_is_read()

    def _train_what_is_read(self) -> None:
        on_rows = any(output_type in _ROW_OUTPUTS for output_type in self.lm_output_types)
        self.language_model.set_rows_are_read(on_rows or not self.prediction_heads)


def _modules(heads: Sequence[PredictionHead]) -> Sequence[PredictionHead]:
    """The heads as modules of a model; torch does not say what its lists hold."""
    return cast("Sequence[PredictionHead]", nn.ModuleList(heads))


def _checked_output_types(
    lm_output_types: str | Sequence[str], prediction_heads: Sequence[PredictionHead]
) -> list[str]:
    heads = len(prediction_heads)
    types = [lm_output_types] * heads if isinstance(lm_output_types, str) else list(lm_output_types)
    known = (*_TOKEN_OUTPUTS, *_ROW_OUTPUTS)
    for output_type in [lm_output_types] if isinstance(lm_output_types, str) else types:
        if output_type not in known:
            raise ValueError(f'unknown lm_output_types "{output_type}"{nearest(output_type, known)}')
    if heads and len(types) != heads:
        raise ConfigError(
            f"lm_output_types has {len(types)} entries for {heads} prediction heads; give one each",
            code="wrong-number-of-outputs",
            option="lm_output_types",
            value=len(types),
        )
    for head, output_type in zip(prediction_heads, types, strict=False):
        if (head.ph_output_type in _TOKEN_OUTPUTS) != (output_type in _TOKEN_OUTPUTS):
            raise ConfigError(
                f'the {type(head).__name__} of task "{head.task_name}" cannot read the lm_output_type "{output_type}"; '
                f'give it "{head.ph_output_type}"',
                code="wrong-output-type",
                option="lm_output_types",
                value=output_type,
                task=head.task_name,
            )
    return types


def _head_files(folder: Path, settings: PlainMapping) -> list[Path]:
    """Configuration files of the heads, by number: 2 before 10.

    Raises:
        ModelFolderError: When a head is missing, or has weights but no configuration.
    """
    names = [entry.name for entry in folder.iterdir()]
    described = {int(match[1]) for match in map(_HEAD_CONFIG.fullmatch, names) if match}
    weighed = {int(match[1]) for match in map(_HEAD_WEIGHTS.fullmatch, names) if match}
    expected = range(settings.get("prediction_heads", 0))
    for number in itertools.chain(expected, sorted(weighed)):
        if number not in described:
            raise sources.missing(folder / f"prediction_head_{number}_config.json")
    return [folder / f"prediction_head_{number}_config.json" for number in sorted(described)]


def _check_widths(heads: Sequence[PredictionHead], language_model: LanguageModel, folder: Path) -> None:
    width = language_model.get_output_dims()
    for number, head in enumerate(heads):
        if head.layer_dims[0] != width:
            raise ModelFolderError(
                f"{folder}: prediction_head_{number} reads vectors of {head.layer_dims[0]} numbers, but the language "
                f"model gives {width}; the folder mixes two models",
                code="folder-of-two-models",
                file=str(folder),
            )
