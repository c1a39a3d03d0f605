"""The language model: token ids in, one vector per token and one per row out.

Shapes: B rows in the batch, T tokens of the longest row, H width of the encoder.
"""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from safetensors.torch import save_file
from torch import Tensor, nn

from farm_ray.configuration import strict_arguments
from farm_ray.errors import ConfigError
from farm_ray.modeling.language_model.pooling import DEFAULT_INITIALIZER_RANGE, Pooler, Pooling
from farm_ray.modeling.language_model.quiet import quiet_transformers

if TYPE_CHECKING:
    from transformers import PreTrainedModel

CONFIG_FILE = "language_model_config.json"
POOLER_FILE = "pooler.safetensors"
FARM_WEIGHTS_FILE = "language_model.bin"
_PRETRAINING_ONLY = ("mask_emb",)


class LanguageModel(nn.Module):
    """A transformers encoder and the step from token vectors to one vector per row.

    Use `LanguageModel.load`; subclasses name a model type and differ in nothing else.
    """

    model_type: ClassVar[str | None] = None
    """transformers' name of the model type; None: any."""

    def __init__(self, model: PreTrainedModel, pooling: Pooling, *, language: str = "english", name: str = "") -> None:
        super().__init__()
        self.model = model
        self.language = language
        self.name = name
        initializer_range = getattr(model.config, "initializer_range", None) or DEFAULT_INITIALIZER_RANGE
        self.pooler = Pooler(pooling, self.get_output_dims(), initializer_range)
        self._takes_segment_ids = _takes_segment_ids(model)
        self._freeze_what_is_never_used()

    @classmethod
    @strict_arguments
    def load(
        cls,
        pretrained_model_name_or_path: str | Path,
        revision: str | None = None,
        n_added_tokens: int = 0,
        language_model_class: str | None = None,
    ) -> LanguageModel:
        """The language model of a folder or a model hub, with float32 weights, in eval mode.

        Args:
            pretrained_model_name_or_path: A folder saved by farm_ray, by FARM 0.8 or by transformers, or a name on
                the Hugging Face hub.
            revision: Branch, tag or commit on the hub.
            n_added_tokens: Rows to add to the embedding matrix for tokens added to the tokenizer.
            language_model_class: Name of the class to use, for example `Roberta`; None: by the model type.

        Raises:
            ModelFolderError: When the model is missing, half-copied or damaged; names what was looked for.
            ConfigError: On an unknown `language_model_class`, or a model that is no encoder.
        """
        from farm_ray.modeling.language_model.loading import load_language_model

        wanted = cls.__name__ if cls.model_type is not None else language_model_class
        return load_language_model(
            pretrained_model_name_or_path, revision=revision, n_added_tokens=n_added_tokens, class_name=wanted
        )

    def forward(
        self,
        input_ids: Tensor,
        segment_ids: Tensor | None = None,
        padding_mask: Tensor | None = None,
        **_: Any,
    ) -> tuple[Tensor, Tensor]:
        """Token vectors [B, T, H] and row vectors [B, H].

        Args:
            input_ids: int64 [B, T].
            segment_ids: int64 [B, T], 0 or 1; used by model types that know segments.
            padding_mask: int64 [B, T], 1 for real tokens, 0 for padding; None: all are real.
            _: Other columns of a batch are ignored.
        """
        inputs = {"input_ids": input_ids}
        if padding_mask is not None:
            inputs["attention_mask"] = padding_mask.long()
        if segment_ids is not None and self._takes_segment_ids:
            inputs["token_type_ids"] = segment_ids
        output = self.model(**inputs, return_dict=True)
        sequence_BTH = output.last_hidden_state
        return sequence_BTH, self.pooler(sequence_BTH, padding_mask, getattr(output, "pooler_output", None))

    @property
    def pooling(self) -> Pooling:
        """How one vector per row is taken."""
        return self.pooler.pooling

    def get_output_dims(self) -> int:
        """H, the width of token and row vectors."""
        config = self.model.config
        for name in ("dim", "hidden_size", "d_model"):
            if isinstance(getattr(config, name, None), int):
                return getattr(config, name)
        raise ConfigError(f"the configuration of {config.model_type} names no width (dim, hidden_size or d_model)")

    @property
    def vocab_size(self) -> int:
        """Rows of the embedding matrix."""
        weight = self.model.get_input_embeddings().weight
        assert isinstance(weight, Tensor), "an embedding matrix"
        return weight.shape[0]

    @property
    def max_positions(self) -> int | None:
        """Tokens per row the model has positions for; None where positions are relative and know no end."""
        for name, module in self.model.named_modules():
            if name.endswith("position_embeddings") and isinstance(module, nn.Embedding):
                # RoBERTa's positions start behind its padding index.
                return module.num_embeddings - (0 if module.padding_idx is None else module.padding_idx + 1)
        return None

    def verify_max_seq_len(self, max_seq_len: int) -> None:
        """Checks that the model has a position for each of `max_seq_len` tokens.

        Raises:
            ConfigError: When the last ones have none; names how many there are.
        """
        positions = self.max_positions
        if positions is not None and max_seq_len > positions:
            raise ConfigError(
                f"max_seq_len={max_seq_len}, but the model has {positions} positions; "
                f"give at most max_seq_len={positions}",
                value=max_seq_len,
            )

    def save(self, save_dir: str | Path) -> None:
        """Writes config.json, model.safetensors, language_model_config.json and, where needed, pooler.safetensors.

        In a torch process group call it on rank 0: transformers writes nothing on the others.
        """
        folder = Path(save_dir)
        folder.mkdir(parents=True, exist_ok=True)
        for stale in (FARM_WEIGHTS_FILE, POOLER_FILE):
            (folder / stale).unlink(missing_ok=True)
        with quiet_transformers():
            self.model.save_pretrained(folder)
        weights = {name: weight.detach().cpu().contiguous() for name, weight in self.pooler.state_dict().items()}
        if weights:
            save_file(weights, folder / POOLER_FILE)
        described = {
            "name": type(self).__name__,
            "language": self.language,
            "pooling": self.pooling.model_dump(mode="json"),
            "format_version": 1,
        }
        (folder / CONFIG_FILE).write_text(json.dumps(described, indent=2) + "\n", encoding="utf-8")

    def set_dropout(self, probability: float) -> None:
        """Sets every dropout inside the language model, 0 to 1; what is saved keeps it.

        With 0 a run's losses no longer depend on the number of workers beyond float rounding.
        """
        if not 0 <= probability < 1:
            raise ConfigError(f"a dropout is a share from 0 to below 1, not {probability}")
        # Models keep it in modules, in plain attributes of their layers, or read it off the configuration.
        for owner in (self.model.config, *self.model.modules()):
            for name, value in list(vars(owner).items()):
                if "drop" in name and isinstance(value, float):
                    setattr(owner, name, probability)
        for module in self.model.modules():
            if isinstance(module, nn.Dropout):
                module.p = probability

    def freeze(self, layers: int | None = None) -> None:
        """Takes weights out of training.

        Args:
            layers: The embeddings and this many layers, counted from the embeddings; None: the whole language model.

        Raises:
            ConfigError: When there are fewer layers.
        """
        if layers is None:
            self.requires_grad_(False)
            return
        chosen = self._layers()[: self._checked(layers)]
        self._embeddings().requires_grad_(False)
        chosen.requires_grad_(False)

    def unfreeze(self, layers: int | None = None) -> None:
        """Puts weights back into training.

        Args:
            layers: This many layers, counted from the output, and the pooling; None: the whole language model.

        Raises:
            ConfigError: When there are fewer layers.
        """
        if layers is None:
            self.requires_grad_(True)
        else:
            own_layers = self._layers()
            own_layers[len(own_layers) - self._checked(layers) :].requires_grad_(True)
            self.pooler.requires_grad_(True)
            encoder_pooler = getattr(self.model, "pooler", None)
            if encoder_pooler is not None:
                encoder_pooler.requires_grad_(True)
        self._freeze_what_is_never_used()

    def _layers(self) -> nn.ModuleList:
        """The encoder's layers: the outermost list of modules."""
        for module in self.model.modules():
            if isinstance(module, nn.ModuleList):
                return module
        raise ConfigError(f"{self.model.config.model_type} has no list of layers; freeze() without a number works")

    def _checked(self, layers: int) -> int:
        there = len(self._layers())
        if not 0 <= layers <= there:
            raise ConfigError(f"layers={layers}, but {self.model.config.model_type} has {there} separate layers")
        return layers

    def _embeddings(self) -> nn.Module:
        """The part of the encoder that holds the input embeddings."""
        wanted = self.model.get_input_embeddings()
        return next(part for part in self.model.children() if any(module is wanted for module in part.modules()))

    def _freeze_what_is_never_used(self) -> None:
        """Every weight that is in training has a gradient: DDP need not search for those that have none."""
        for name, weight in self.model.named_parameters():
            unused_pooler = name.startswith("pooler.") and self.pooling.source != "encoder"
            if unused_pooler or name.rpartition(".")[2] in _PRETRAINING_ONLY:
                weight.requires_grad_(False)


def _takes_segment_ids(model: PreTrainedModel) -> bool:
    if "token_type_ids" not in inspect.signature(model.forward).parameters:
        return False
    return getattr(model.config, "type_vocab_size", 2) > 1
