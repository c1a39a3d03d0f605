"""Opens language models: folders of farm_ray, of FARM 0.8 and of transformers, and names on the Hugging Face hub."""

from __future__ import annotations

import copy
import inspect
import logging
from typing import TYPE_CHECKING, Any, cast

import torch
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    PreTrainedConfig,
    PreTrainedModel,
)
from transformers.models.auto.modeling_auto import (
    MODEL_FOR_CAUSAL_LM_MAPPING_NAMES,
    MODEL_FOR_MASKED_LM_MAPPING_NAMES,
    MODEL_MAPPING,
)

from farm_ray import storage
from farm_ray.configuration import build
from farm_ray.errors import ConfigError, ModelFolderError
from farm_ray.foreign import reason
from farm_ray.modeling import hub
from farm_ray.modeling.language_model import sizes, sources
from farm_ray.modeling.language_model.class_names import class_by_model_type, class_by_name
from farm_ray.modeling.language_model.language import guess_language
from farm_ray.modeling.language_model.pooling import (
    FAMILIES,
    FARM_POOLINGS,
    Pooling,
    default_pooling,
    token_pooling,
)
from farm_ray.modeling.language_model.quiet import quiet_transformers
from farm_ray.modeling.language_model.saving import (
    CONFIG_FILE,
    FARM_WEIGHTS_FILE,
    POOLER_FILE,
    POOLING_IS_TRAINED,
)
from farm_ray.modeling.saved_model import SavedConfig, SavedLanguageModel
from farm_ray.saved import check_saved

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from farm_ray.modeling.language_model.base import LanguageModel
    from farm_ray.plain import PlainDict

logger = logging.getLogger(__name__)

_USUAL: dict[str, object] = {"chunk_size_feed_forward": 0, "output_attentions": False, "output_hidden_states": False}
"""What a configuration may hold and is no part of the model: how it computes, and what it gives besides."""
_CLASSIFIER = "ForSequenceClassification"
_REFUSED = (0,)
"""Shape of a tensor in the place of a head that is not there."""


def load_language_model(
    base: type[LanguageModel],
    name_or_path: str | Path,
    *,
    revision: str | None,
    n_added_tokens: int,
    class_name: str | None,
) -> LanguageModel:
    """What `LanguageModel.load` does, see there; `base` is `LanguageModel`."""
    folder = sources.find_folder(name_or_path)
    if folder is not None and ((folder / CONFIG_FILE).exists() or (folder / FARM_WEIGHTS_FILE).exists()):
        described = sources.read_json(folder / CONFIG_FILE)
        check_saved(SavedLanguageModel, described, folder / CONFIG_FILE)
        load = _load_farm if described.get("pooling") is None else _load_own
        language_model = load(base, folder, described, class_name)
    else:
        language_model = _load_transformers(base, name_or_path, revision, class_name)
    if n_added_tokens:
        _grow(language_model, n_added_tokens)
    language_model.name = str(name_or_path)
    return language_model


def from_transformers_classifier(
    base: type[LanguageModel], model: PreTrainedModel, name_or_path: str | Path, *, class_name: str | None = None
) -> LanguageModel:
    """The language model inside transformers' sequence classification model; the weights are shared, not copied.

    Args:
        base: `LanguageModel`.
        model: Transformers' model.
        name_or_path: Where it came from.
        class_name: A class of our own for it; None takes the one for its model type.
    """
    config = model.config
    family = FAMILIES[config.model_type]
    kind = class_by_name(base, class_name) if class_name else class_by_model_type(base, config.model_type)
    encoder = cast("PreTrainedModel", model.base_model)
    language_model = kind(encoder, family.pooling(config), language=_language(config, name_or_path))
    language_model.name = str(name_or_path)
    for part, path in family.layout.pooling.items():
        getattr(language_model.pooler, part).load_state_dict(model.get_submodule(path).state_dict())
    return language_model.eval()


def from_transformers_token_classifier(
    base: type[LanguageModel], model: PreTrainedModel, name_or_path: str | Path
) -> LanguageModel:
    """As `from_transformers_classifier`, of transformers' token classification model."""
    config = model.config
    encoder = cast("PreTrainedModel", model.base_model)
    kind = class_by_model_type(base, config.model_type)
    language_model = kind(encoder, token_pooling(config), language=_language(config, name_or_path))
    language_model.name = str(name_or_path)
    return language_model.eval()


def open_config(name_or_path: str | Path, revision: str | None = None) -> PreTrainedConfig:
    """The transformers configuration of a folder or a name on the hub.

    Raises:
        ModelFolderError: When there is none, or it cannot be read.
    """
    folder = sources.find_folder(name_or_path)
    if folder is not None:
        described = sources.read_json(folder / "config.json")
        check_saved(SavedConfig, described, folder / "config.json")
        sizes.check_sizes(described, folder / "config.json", sources.weights_bytes(folder))
        with quiet_transformers(), sources.reading(folder / "config.json"):
            config = AutoConfig.from_pretrained(folder, trust_remote_code=False)
    else:
        config = _from_hub(AutoConfig, str(name_or_path), revision, {})
    return _without_foreign_code(config, name_or_path)


def open_classifier(name_or_path: str | Path, config: PreTrainedConfig, revision: str | None = None) -> PreTrainedModel:
    """The sequence classification model of transformers, float32, eval mode.

    Raises:
        ModelFolderError: When weights are missing or damaged.
    """
    return _open(AutoModelForSequenceClassification, name_or_path, config, revision, {})[0]


def open_token_classifier(
    name_or_path: str | Path, config: PreTrainedConfig, revision: str | None = None
) -> PreTrainedModel:
    """The token classification model of transformers, float32, eval mode.

    Raises:
        ModelFolderError: When weights are missing or damaged.
    """
    return _open(AutoModelForTokenClassification, name_or_path, config, revision, {})[0]


def open_with_head(
    auto_class: Any,
    name_or_path: str | Path,
    config: PreTrainedConfig,
    revision: str | None = None,
    *,
    head: Sequence[str],
) -> tuple[PreTrainedModel, bool]:
    """A transformers model, float32, eval mode, and whether the checkpoint brought its head.

    Args:
        auto_class: The class that opens it.
        name_or_path: Folder or name on the hub.
        config: Its configuration.
        revision: Branch, tag or commit on the hub.
        head: Paths of the head's parts that count; whatever else stands above the encoder may be missing.

    Raises:
        ModelFolderError: When weights of the encoder are missing, or the head is there in part.
    """
    # Of our own folders that is how a class says that its head is not there; see `language_model.saving`.
    options = {"ignore_mismatched_sizes": True}
    model, report, file = _open_any(auto_class, name_or_path, config, revision, options)
    other_sizes = {name: shape for name, shape, _ in report["mismatched_keys"]}
    sources.check_sizes([name for name, shape in other_sizes.items() if tuple(shape) != _REFUSED], file)
    missing = [*report["missing_keys"], *other_sizes]
    encoder = f"{model.base_model_prefix}."
    sources.check_complete(_beyond_pooler([n.removeprefix(encoder) for n in missing if n.startswith(encoder)]), file)
    parts = [name for name, _ in model.named_parameters() if name.startswith(tuple(head))]
    lacking = [name for name in parts if name in missing]
    if len(lacking) < len(parts):
        sources.check_complete(lacking, file)
    return model, not lacking


def is_classifier(config: PreTrainedConfig) -> bool:
    """The checkpoint holds a sequence classification model."""
    return (getattr(config, "architectures", None) or [""])[0].endswith(_CLASSIFIER)


def _load_transformers(
    base: type[LanguageModel], name_or_path: str | Path, revision: str | None, class_name: str | None
) -> LanguageModel:
    kind = class_by_name(base, class_name) if class_name else None
    config = open_config(name_or_path, revision)
    family = FAMILIES.get(config.model_type)
    if family is not None and family.layout.pooling and is_classifier(config):
        model = open_classifier(name_or_path, config, revision)
        return from_transformers_classifier(base, model, name_or_path, class_name=class_name)
    model, missing = _open(AutoModel, name_or_path, config, revision, pooler_options(config))
    pooling = pooling_for(model)
    kind = kind or class_by_model_type(base, config.model_type)
    language_model = kind(model, pooling, language=_language(config, name_or_path)).eval()
    language_model.pooling_is_trained = _pooling_came_along(pooling, missing)
    return language_model


def pooling_for(model: PreTrainedModel) -> Pooling:
    """The pooling of an encoder that comes from transformers."""
    config = model.config
    causal = config.model_type in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES
    return default_pooling(
        config,
        encoder_has_pooler=getattr(model, "pooler", None) is not None,
        causal=causal and config.model_type not in MODEL_FOR_MASKED_LM_MAPPING_NAMES,
    )


def _load_own(base: type[LanguageModel], folder: Path, described: PlainDict, class_name: str | None) -> LanguageModel:
    kind = class_by_name(base, class_name or described.get("name", "Encoder"))
    pooling = build(Pooling, described["pooling"], where=f"{folder / CONFIG_FILE}: pooling")
    config = open_config(folder)
    model, _ = _open(AutoModel, folder, config, None, pooler_options(config, pooling))
    language_model = kind(model, pooling, language=described.get("language", "english"))
    if language_model.pooler.state_dict():
        _fill(language_model.pooler, sources.read_tensors(folder / POOLER_FILE), folder / POOLER_FILE)
    language_model.pooling_is_trained = described.get(POOLING_IS_TRAINED, True) is True
    return language_model.eval()


def _load_farm(base: type[LanguageModel], folder: Path, described: PlainDict, class_name: str | None) -> LanguageModel:
    """A FARM 0.8 folder, whose language_model_config.json holds the transformers configuration as well."""
    name = described.get("name", "")
    kind = class_by_name(base, class_name or name)
    weights_file = folder / FARM_WEIGHTS_FILE
    if not weights_file.is_file():
        raise sources.missing(weights_file, "model.safetensors with config.json")
    weights = sources.read_tensors(weights_file)
    values = {key: value for key, value in described.items() if key not in {"name", "language", "model_type"}}
    sizes.check_sizes(values, folder / CONFIG_FILE, sources.weights_bytes(folder))
    pooling = FARM_POOLINGS.get(kind.__name__, Pooling())
    with sources.reading(folder / CONFIG_FILE), quiet_transformers():
        config = AutoConfig.for_model(str(described.get("model_type", kind.model_type)), **values)
    _without_foreign_code(config, folder)
    encoder_class: Any = _encoder_class(config)
    own = pooler_options(config, pooling)
    _check_built(encoder_class, folder / CONFIG_FILE, config, own)
    options = {"config": config, "state_dict": weights, "dtype": torch.float32, **own}
    with sources.reading(weights_file), quiet_transformers():
        model, report = encoder_class.from_pretrained(None, output_loading_info=True, **options)
    missing = list(report["missing_keys"])
    sources.check_complete(_beyond_pooler(missing), weights_file)
    if pooling.projection:
        logger.warning(
            "%s: FARM did not save the projection that pools %s; it starts afresh, train again", folder, name
        )
    language_model = kind(model, pooling, language=described.get("language") or guess_language(folder.name)).eval()
    language_model.pooling_is_trained = _pooling_came_along(pooling, missing)
    return language_model


def _open(
    auto_class: Any, name_or_path: str | Path, config: PreTrainedConfig, revision: str | None, options: PlainDict
) -> tuple[PreTrainedModel, list[str]]:
    """Weights in float32, whatever the checkpoint's dtype, and the names of those missing in the encoder's pooler."""
    options = {**options, "ignore_mismatched_sizes": True}
    model, report, file = _open_any(auto_class, name_or_path, config, revision, options)
    sources.check_sizes([name for name, *_ in report["mismatched_keys"]], file)
    missing = list(report["missing_keys"])
    sources.check_complete(_beyond_pooler(missing), file)
    return model, missing


def _open_any(
    auto_class: Any, name_or_path: str | Path, config: PreTrainedConfig, revision: str | None, options: PlainDict
) -> tuple[PreTrainedModel, PlainDict, Path | str]:
    """Weights in float32, transformers' report on missing ones, and the file they are missing in."""
    if config.is_encoder_decoder:
        raise ConfigError(
            f'"{name_or_path}" is a {config.model_type}, an encoder with a decoder; give an encoder',
            code="not-an-encoder",
            file=name_or_path,
            value=config.model_type,
        )
    options = {"config": config, "dtype": torch.float32, "output_loading_info": True, **options}
    folder = sources.find_folder(name_or_path)
    if folder is None:
        file: Path | str = str(name_or_path)
        model, report = _from_hub(auto_class, str(name_or_path), revision, options)
    else:
        sources.check_shards(folder)
        file = _weights_file(folder)
        _check_built(auto_class, folder / "config.json", config, options)
        with sources.reading(file), quiet_transformers():
            model, report = auto_class.from_pretrained(folder, trust_remote_code=False, **options)
    return model, report, file


def _check_built(kind: Any, file: Path, config: PreTrainedConfig, options: PlainDict) -> None:
    """Refuses a configuration that no model can have, or none with the weights beside it."""
    own = {name: value for name, value in options.items() if name == "add_pooling_layer"}
    make = getattr(kind, "from_config", None) or kind._from_config  # noqa: SLF001 - as the Auto classes do
    with sources.reading(file), quiet_transformers():
        sizes.check_built(
            lambda: make(copy.deepcopy(config), dtype=torch.float32, **own), file, sources.weights_bytes(file.parent)
        )


def _from_hub(auto_class: Any, name: str, revision: str | None, options: PlainDict) -> Any:
    out_of_reach = hub.hub_is_out_of_reach()
    if out_of_reach:
        options = {**options, "local_files_only": True}
    try:
        with quiet_transformers():
            return auto_class.from_pretrained(name, revision=revision or "main", trust_remote_code=False, **options)
    except OSError as error:
        raise hub.hub_error(name, error, out_of_reach) from error
    except Exception as error:
        raise ModelFolderError(
            f'the model "{name}" cannot be opened: {reason(error)}', code="cannot-open-model", value=name
        ) from error


def _weights_file(folder: Path) -> Path:
    for name in sources.WEIGHT_FILES:
        if (folder / name).is_file():
            return folder / name
    raise sources.missing(folder / sources.WEIGHT_FILES[0], sources.WEIGHT_FILES[2])


def pooler_options(config: PreTrainedConfig, pooling: Pooling | None = None) -> PlainDict:
    """Leaves the encoder's own pooler out where nothing would use it, so that every weight takes part in training."""
    if pooling is None and config.model_type in FAMILIES:
        pooling = FAMILIES[config.model_type].pooling(config)
    if pooling is None or pooling.source == "encoder":
        return {}
    takes = "add_pooling_layer" in inspect.signature(_encoder_class(config)).parameters
    return {"add_pooling_layer": False} if takes else {}


def _without_foreign_code(config: PreTrainedConfig, name_or_path: str | Path) -> PreTrainedConfig:
    """Refuses a configuration by which transformers would fetch its attention from a hub and run it.

    What says only how to compute is as usual then.
    """
    attention = str(getattr(config, "_attn_implementation", None))
    if "/" in attention:
        raise ModelFolderError(
            f"the config.json of {name_or_path} asks for code from a hub, which is never run: "
            f'take out its attn_implementation "{attention}"',
            code="foreign-code",
            value=attention,
        )
    for name, value in _USUAL.items():
        setattr(config, name, value)
    return config


def _encoder_class(config: PreTrainedConfig) -> type[PreTrainedModel]:
    if type(config) not in MODEL_MAPPING:
        raise ConfigError(
            f'transformers has no encoder for the model type "{config.model_type}"',
            code="unknown-model-type",
            value=config.model_type,
        )
    found: Any = MODEL_MAPPING[type(config)]
    return found[0] if isinstance(found, tuple) else found


def _pooling_came_along(pooling: Pooling, missing_weights: list[str]) -> bool:
    """Whether a bare encoder's checkpoint brought all the weights that pool rows."""
    return not pooling.projection and not (pooling.source == "encoder" and missing_weights)


def _beyond_pooler(missing_weights: set[str] | list[str]) -> list[str]:
    return [name for name in missing_weights if not name.startswith("pooler.")]


def _fill(module: torch.nn.Module, weights: dict[str, torch.Tensor], file: Path) -> None:
    wanted = module.state_dict().keys()
    sources.check_complete([name for name in wanted if name not in weights], file)
    with sources.reading(file):
        module.load_state_dict({name: weights[name] for name in wanted})


def _grow(language_model: LanguageModel, n_added_tokens: int) -> None:
    with quiet_transformers():
        rows = language_model.vocab_size + n_added_tokens
        language_model.model.resize_token_embeddings(rows, mean_resizing=False)


def _language(config: PreTrainedConfig, name_or_path: str | Path) -> str:
    folder = storage.local_path(name_or_path)
    name = folder.resolve().name if folder.is_dir() else str(name_or_path)
    return getattr(config, "language", None) or guess_language(name)
