"""The language model: token ids in, one vector per token and one per row out.

Shapes: B rows in the batch, T tokens of the longest row, H width of the encoder.
"""

from __future__ import annotations

import copy
import inspect
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import Tensor, nn

from farm_ray import farm_methods, storage
from farm_ray.configuration import strict_arguments
from farm_ray.errors import ConfigError
from farm_ray.modeling.language_model.depth import depths, find_layers
from farm_ray.modeling.language_model.loading import load_language_model
from farm_ray.modeling.language_model.packing import (
    attention_inputs,
    can_pack,
    first_position,
    of_tokens,
    position_embeddings,
)
from farm_ray.modeling.language_model.pooling import DEFAULT_INITIALIZER_RANGE, Pooler, Pooling
from farm_ray.modeling.language_model.scratch import fresh_language_model
from farm_ray.overrides import refuse_uncalled

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from transformers import PreTrainedModel

    from farm_ray.modeling.tokenization.protocol import TokenizerLike

_PRETRAINING_ONLY = ("mask_emb",)
_ENCODER_POOLER = "model.pooler."
_FOR_ROWS = (_ENCODER_POOLER, "pooler.")


class LanguageModel(nn.Module):
    """A transformers encoder and the step from token vectors to one vector per row.

    Use `LanguageModel.load`; subclasses name a model type and differ in nothing else.
    """

    model_type: ClassVar[str | None] = None
    """transformers' name of the model type; None: any."""

    def __init__(self, model: PreTrainedModel, pooling: Pooling, *, language: str = "english", name: str = "") -> None:
        refuse_uncalled(type(self), farm_methods.LANGUAGE_MODEL)
        super().__init__()
        self.model = model
        self.language = language
        self.name = name
        self.pooling_is_trained = True
        """False where the weights that pool a row are fresh: the checkpoint had none."""
        initializer_range = getattr(model.config, "initializer_range", None) or DEFAULT_INITIALIZER_RANGE
        self.pooler = Pooler(pooling, self.get_output_dims(), initializer_range)
        self._takes_segment_ids = _takes_segment_ids(model)
        self.rows_are_read = True
        # Weights that serve the row vectors alone, out of training because nothing reads those.
        self._idle: set[str] = set()
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
        of_its_own = cls.model_type is not None or cls.__module__.partition(".")[0] != "farm_ray"
        wanted = cls.__name__ if of_its_own else language_model_class
        return load_language_model(
            LanguageModel,
            pretrained_model_name_or_path,
            revision=revision,
            n_added_tokens=n_added_tokens,
            class_name=wanted,
        )

    @classmethod
    def from_scratch(
        cls,
        model_type: str,
        vocab_size: int,
        *,
        tokenizer: TokenizerLike | None = None,
        language: str = "english",
        **settings: object,
    ) -> LanguageModel:
        """A language model with fresh weights, in train mode; `set_all_seeds` before it decides them.

        Args:
            model_type: transformers' name of an encoder's type, for example `bert`, `roberta`, `modernbert`.
            vocab_size: Rows of the embedding matrix: at least the tokenizer's tokens.
            tokenizer: The ids of its special tokens go into the configuration; padding is the one that counts.
            language: Of the texts.
            settings: Fields of transformers' configuration, under its own names: `hidden_size`, `num_hidden_layers`,
                `num_attention_heads`, `intermediate_size`, `max_position_embeddings` and so on.

        Raises:
            ConfigError: On an unknown model type or field (the nearest is named), values that do not fit together, or
                more tokens than `vocab_size`.
        """
        if cls.model_type is not None and cls.model_type != model_type:
            raise ConfigError(
                f'a {cls.__name__} is of type "{cls.model_type}", not "{model_type}"; take LanguageModel',
                code="wrong-model-type",
                value=model_type,
            )
        return fresh_language_model(
            LanguageModel, model_type, vocab_size, tokenizer=tokenizer, language=language, settings=settings
        )

    def forward(
        self,
        input_ids: Tensor,
        segment_ids: Tensor | None = None,
        padding_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        **_: object,
    ) -> tuple[Tensor, Tensor]:
        """Token vectors [B, T, H] and row vectors [B, H].

        Args:
            input_ids: int64 [B, T].
            segment_ids: int64 [B, T], 0 or 1; used by model types that know segments.
            padding_mask: int64 [B, T], 1 for real tokens, 0 for padding; None: all are real. Where several texts are
                packed into one row, [B, T, T] with 1 where token i may look at token j; padding looks at itself. The
                row vector is then that of a row's first text.
            position_ids: int64 [B, T], the position of each token in its text, from 0; None: as they stand.
            _: Other columns of a batch are ignored.

        Raises:
            ConfigError: On packed rows, when the model cannot keep their texts apart (`can_pack`).
        """
        output = self._encode(input_ids, segment_ids, padding_mask, position_ids)
        sequence_BTH = output.last_hidden_state
        pooled_BH = self.pooler(sequence_BTH, of_tokens(padding_mask), getattr(output, "pooler_output", None))
        return sequence_BTH, pooled_BH

    @property
    def can_pack(self) -> bool:
        """Whether rows may hold several texts: each has the vectors then that it has by itself."""
        return can_pack(self.model)

    def token_vectors(
        self,
        input_ids: Tensor,
        segment_ids: Tensor | None = None,
        padding_mask: Tensor | None = None,
        *,
        layer: int = -1,
        **_: object,
    ) -> Tensor:
        """Token vectors of one layer, [B, T, H]: 0 for the embeddings, 1 to `num_layers`, or counted from the end.

        The other arguments are those of `forward`. For other layers than the last one transformers leaves hooks on the
        encoder with which it cannot be pickled; ask a `sharing_copy`.
        """
        number = layer % (self.num_layers + 1)
        if number == self.num_layers:
            return self._encode(input_ids, segment_ids, padding_mask).last_hidden_state
        return self._hidden_states(number, input_ids, segment_ids, padding_mask)[number]

    def sharing_copy(self) -> LanguageModel:
        """A language model of its own with the same weights in memory."""
        shared = {id(tensor): tensor for tensor in (*self.parameters(), *self.buffers())}
        return copy.deepcopy(self, shared)

    def _hidden_states(
        self, number: int, input_ids: Tensor, segment_ids: Tensor | None, padding_mask: Tensor | None
    ) -> Sequence[Tensor]:
        """The encoder's hidden states; only the one with this number need be there."""
        for _ in range(2):
            # A list keeps no other layer in memory.
            output = self._encode(input_ids, segment_ids, padding_mask, output_hidden_states=[number])
            if getattr(output, "hidden_states", None) is not None:
                return output.hidden_states
            # In a process that got the model pickled, transformers knows its layers once it has built such a model.
            with torch.device("meta"):
                type(self.model)(self.model.config)
        raise ConfigError(
            f"{self.model.config.model_type} gives no layers but the last; take extraction_layer=-1",
            code="no-inner-layers",
            value=self.model.config.model_type,
        )

    def _encode(
        self,
        input_ids: Tensor,
        segment_ids: Tensor | None,
        padding_mask: Tensor | None,
        position_ids: Tensor | None = None,
        **options: Any,
    ) -> Any:
        """The encoder's output."""
        inputs = {"input_ids": input_ids, **attention_inputs(self.model, padding_mask, position_ids)}
        if segment_ids is not None and self._takes_segment_ids:
            inputs["token_type_ids"] = segment_ids
        return self.model(**inputs, **options, return_dict=True)

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
        raise ConfigError(
            f"the configuration of {config.model_type} names no width (dim, hidden_size or d_model)",
            code="model-without-width",
            value=config.model_type,
        )

    @property
    def num_layers(self) -> int:
        """Layers of the encoder, without the embeddings."""
        configured = getattr(self.model.config, "num_hidden_layers", None)
        return configured if isinstance(configured, int) else len(self._layers())

    @property
    def vocab_size(self) -> int:
        """Rows of the embedding matrix."""
        weight = self.model.get_input_embeddings().weight
        assert isinstance(weight, Tensor), "an embedding matrix"
        return weight.shape[0]

    @property
    def segment_types(self) -> int | None:
        """Segments there are embeddings for; None where segment ids are not read, or compared only."""
        if not self._takes_segment_ids:
            return None
        named = (module for name, module in self.model.named_modules() if name.endswith("token_type_embeddings"))
        return next((module.num_embeddings for module in named if isinstance(module, nn.Embedding)), None)

    @property
    def max_positions(self) -> int | None:
        """Tokens per row the model has positions for; None where positions are relative and know no end."""
        embeddings = position_embeddings(self.model)
        return None if embeddings is None else embeddings.num_embeddings - first_position(self.model)

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
                code="too-many-positions",
                option="max_seq_len",
                value=max_seq_len,
            )

    def save(self, save_dir: str | Path) -> None:
        """Writes config.json, model.safetensors, language_model_config.json and, where needed, pooler.safetensors.

        transformers' AutoModel opens the folder, and refuses to open it with a head. In a torch process group call it
        on rank 0: transformers writes nothing on the others.
        """
        from farm_ray.modeling.language_model.saving import save_language_model

        save_language_model(self, storage.local_path(save_dir))

    def set_dropout(self, probability: float) -> None:
        """Sets every dropout inside the language model, 0 to 1; what is saved keeps it.

        With 0 a run's losses no longer depend on the number of workers beyond float rounding.
        """
        if not 0 <= probability < 1:
            raise ConfigError(
                f"a dropout is a share from 0 to below 1, not {probability}",
                code="invalid-value",
                option="dropout",
                value=probability,
            )
        # Models keep it in modules, in plain attributes of their layers, or read it off the configuration.
        for owner in (self.model.config, *self.model.modules()):
            for name, value in list(vars(owner).items()):
                if "drop" in name and isinstance(value, float):
                    setattr(owner, name, probability)
        for module in self.model.modules():
            if isinstance(module, nn.Dropout):
                module.p = probability

    @property
    def separate_layers(self) -> int:
        """Layers with weights of their own; ALBERT's layers share theirs.

        Raises:
            ConfigError: When the encoder has no list of layers.
        """
        return len(self._layers())

    def depths(self) -> dict[str, int]:
        """The depth of each weight, by name: 0 for the embeddings, 1 for the first of n layers, n + 1 above the last.

        Raises:
            ConfigError: When the encoder has no list of layers.
        """
        own = {f"model.{name}": depth for name, depth in depths(self.model).items()}
        return own | {f"pooler.{name}": self.separate_layers + 1 for name, _ in self.pooler.named_parameters()}

    def freeze(self, layers: int | None = None) -> None:
        """Takes weights out of training.

        Args:
            layers: The embeddings and this many layers, counted from the embeddings; None: the whole language model.

        Raises:
            ConfigError: When there are fewer layers.
        """
        if layers is None:
            self.requires_grad_(False)
            self._idle.clear()
            return
        deepest = self._checked(layers)
        self._train({name for name, depth in self.depths().items() if depth <= deepest}, train=False)

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
            deepest = self.separate_layers - self._checked(layers)
            self._train({name for name, depth in self.depths().items() if depth > deepest}, train=True)
        self._freeze_what_is_never_used()

    def set_rows_are_read(self, rows_are_read: bool) -> None:
        """Whether anything reads the row vectors: without, weights that serve them alone are not in training."""
        self.rows_are_read = rows_are_read
        if rows_are_read:
            self._train(self._idle, train=True)
            self._idle.clear()
        self._freeze_what_is_never_used()

    def _layers(self) -> nn.ModuleList:
        return find_layers(self.model)[1]

    def _checked(self, layers: int) -> int:
        there = self.separate_layers
        if not 0 <= layers <= there:
            raise ConfigError(
                f"layers={layers}, but {self.model.config.model_type} has {there} separate layers",
                code="invalid-value",
                option="layers",
                value=layers,
            )
        return layers

    def _train(self, names: Iterable[str], *, train: bool) -> None:
        for name in names:
            self.get_parameter(name).requires_grad_(train)

    def _freeze_what_is_never_used(self) -> None:
        """Every weight that is in training has a gradient: DDP need not search for those that have none."""
        for name, weight in self.named_parameters():
            replaced = name.startswith(_ENCODER_POOLER) and self.pooling.source != "encoder"
            if replaced or name.rpartition(".")[2] in _PRETRAINING_ONLY:
                weight.requires_grad_(False)
            elif name.startswith(_FOR_ROWS) and not self.rows_are_read and weight.requires_grad:
                weight.requires_grad_(False)
                self._idle.add(name)


def _takes_segment_ids(model: PreTrainedModel) -> bool:
    if "token_type_ids" not in inspect.signature(model.forward).parameters:
        return False
    return getattr(model.config, "type_vocab_size", 2) > 1
