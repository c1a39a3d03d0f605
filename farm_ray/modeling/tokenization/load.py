"""Loading a transformers tokenizer by name or from a folder. transformers is imported when the first one is loaded."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from farm_ray import storage
from farm_ray.configuration import nearest
from farm_ray.errors import ConfigError, ModelFolderError
from farm_ray.foreign import is_folder, quoted, read_json, shown, text_problem, told
from farm_ray.modeling import hub
from farm_ray.modeling.tokenization.backend import backend_of
from farm_ray.modeling.tokenization.untrusted import (
    check_on_hub,
    checked_folder,
    find_tokenizer_class,
    names_in_transformers,
    refuse_other_classes,
)

if TYPE_CHECKING:
    from transformers import AutoTokenizer, PreTrainedConfig, PreTrainedTokenizerBase

    from farm_ray.modeling.tokenization.protocol import TokenizerLike

_CLASS_BY_NAME = (
    ("albert", "AlbertTokenizer"),
    ("bigbird", "BigBirdTokenizer"),
    ("xlm-roberta", "XLMRobertaTokenizer"),
    ("roberta", "RobertaTokenizer"),
    ("codebert", "RobertaTokenizer"),
    ("camembert", "CamembertTokenizer"),
    ("umberto", "CamembertTokenizer"),
    ("distilbert", "DistilBertTokenizer"),
    ("bert", "BertTokenizer"),
    ("xlnet", "XLNetTokenizer"),
    ("electra", "ElectraTokenizer"),
    ("minilm", "BertTokenizer"),
)
"""For folders without any file that names the class: the first name that is part of the folder's name counts."""

_MODEL_TYPE_BY_FARM_CLASS = {
    "Albert": "albert",
    "Bert": "bert",
    "BigBird": "big_bird",
    "Camembert": "camembert",
    "DistilBert": "distilbert",
    "Electra": "electra",
    "Roberta": "roberta",
    "XLMRoberta": "xlm-roberta",
    "XLNet": "xlnet",
}

_MAX_LENGTH = "model_max_length"
_OWN_MAX_LENGTH = "farm_ray_model_max_length"
"""Entry of a saved tokenizer_config.json beside the shorter one that is meant for transformers."""

_SPECIAL_TOKENS = ("bos_token", "cls_token", "eos_token", "mask_token", "pad_token", "sep_token", "unk_token")
_LOADING = ("cache_dir", "force_download", "local_files_only", "proxies", "subfolder", "token")
_COMMON_SETTINGS = (
    "add_prefix_space",
    "additional_special_tokens",
    "clean_up_tokenization_spaces",
    "do_lower_case",
    "extra_special_tokens",
    "keep_accents",
    "model_max_length",
    "never_split",
    "padding_side",
    "split_special_tokens",
    "strip_accents",
    "tokenize_chinese_chars",
    "truncation_side",
)


class Tokenizer:
    """One way to load every kind of tokenizer."""

    @classmethod
    def load(
        cls,
        pretrained_model_name_or_path: str | Path,
        revision: str | None = None,
        tokenizer_class: str | None = None,
        use_fast: bool = True,  # noqa: ARG003 - transformers 5 knows one implementation per tokenizer
        **kwargs: object,
    ) -> TokenizerLike:
        """The tokenizer of a pretrained model; padding and truncation saved with it are switched off.

        Args:
            pretrained_model_name_or_path: A folder (saved by transformers, by farm_ray or by FARM 0.8) or a name on
                the model hub.
            revision: Branch, tag or commit on the hub.
            tokenizer_class: A transformers class such as `BertTokenizer`; found out from the folder by default.
            use_fast: Ignored, kept for FARM compatibility; the Rust implementation is used wherever there is one.
            **kwargs: Settings of the tokenizer such as `do_lower_case=False` or `pad_token="<pad>"`.

        Raises:
            ConfigError: On an unknown class.
            ModelFolderError: When the folder holds no usable tokenizer, or the hub does not give one.
            TypeError: On a setting no tokenizer of this class has.
        """
        if not str(pretrained_model_name_or_path).strip():
            raise ModelFolderError(
                "the name of the tokenizer is empty; give a model folder or a name on the hub", code="empty-name"
            )
        folder = storage.local_path(pretrained_model_name_or_path)
        name = str(folder) if is_folder(folder) else str(pretrained_model_name_or_path)
        if problem := text_problem(name):
            raise ModelFolderError(
                f"{problem}; give a model folder or a name on the hub", code="invalid-model-name", value=name
            )
        if is_folder(folder) and not any(folder.iterdir()):
            raise ModelFolderError(
                f"{name} is empty; give a folder with tokenizer.json or vocab.txt", code="empty-model-folder", file=name
            )
        settings = {**kwargs} if revision is None else {**kwargs, "revision": revision}
        tokenizer = _load(name, tokenizer_class or _class_of_folder(folder), settings)
        refuse_other_classes(tokenizer, name)
        _refuse_unknown(tokenizer, kwargs)
        _refuse_without_vocabulary(tokenizer, name)
        _switch_off_padding(tokenizer)
        _restore_length(tokenizer, kwargs)
        return tokenizer


def save_tokenizer(tokenizer: TokenizerLike, folder: Path, *, cut_at: int) -> None:
    """Writes a tokenizer's files, for transformers with `cut_at` as the most tokens of a text.

    Whoever asks transformers to cut long texts gets them as the model was trained; `Tokenizer.load` still gives the
    tokenizer the length that it has here.
    """
    tokenizer.save_pretrained(str(folder))
    path = folder / "tokenizer_config.json"
    values = json.loads(path.read_text(encoding="utf-8"))
    if cut_at < tokenizer.model_max_length:
        values |= {_MAX_LENGTH: cut_at, _OWN_MAX_LENGTH: tokenizer.model_max_length}
        path.write_text(json.dumps(values, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _load(name: str, class_name: str | None, settings: dict[str, object]) -> TokenizerLike:
    from transformers import AutoTokenizer

    loader: Any = AutoTokenizer if class_name is None else _class(class_name)
    if not is_folder(name):
        return _from_hub(loader, name, settings)
    checked_folder(Path(name))
    if class_name is None and (config := _farm_config(Path(name))) is not None:
        settings = {**settings, "config": config}

    def tell(why: str) -> ModelFolderError:
        return ModelFolderError(
            f"no usable tokenizer in {name}: it needs tokenizer.json, or vocab.txt (or the like) together with "
            f"tokenizer_config.json ({why})",
            code="no-usable-tokenizer",
            file=name,
        )

    with told(tell):
        # Unless it is told no, transformers asks on the terminal whether to run the folder's own code.
        loaded: TokenizerLike = loader.from_pretrained(name, trust_remote_code=False, **settings)
        return loaded


def _from_hub(loader: Any, name: str, settings: dict[str, object]) -> TokenizerLike:
    out_of_reach = hub.hub_is_out_of_reach()
    if out_of_reach:
        settings = {**settings, "local_files_only": True}
    try:
        check_on_hub(name, {key: settings[key] for key in (*_LOADING, "revision") if key in settings})
        loaded: TokenizerLike = loader.from_pretrained(name, trust_remote_code=False, **settings)
    except (OSError, ValueError, ImportError, KeyError) as error:
        raise hub.hub_error(name, error, out_of_reach) from error
    return loaded


def _class(class_name: str) -> type[PreTrainedTokenizerBase | AutoTokenizer]:
    if class_name == "EmbeddingTokenizer":
        raise ConfigError(
            "EmbeddingTokenizer is not available yet in this version; use a transformer's tokenizer",
            code="not-available-yet",
            value=class_name,
        )
    if (found := find_tokenizer_class(class_name)) is not None:
        return found
    known = [name for name in names_in_transformers() if name.endswith("Tokenizer")]
    raise ConfigError(
        f"transformers has no tokenizer class {quoted(class_name)}{nearest(class_name, known)}",
        code="unknown-class",
        value=class_name,
    )


def _class_of_folder(folder: Path) -> str | None:
    """By the folder's name, for folders that hold a vocabulary but nothing that names its class."""
    telling = ("config.json", "language_model_config.json", "tokenizer_config.json", "tokenizer.json")
    if not is_folder(folder) or any((folder / name).is_file() for name in telling):
        return None
    name = folder.resolve().name.lower()
    return next((class_name for part, class_name in _CLASS_BY_NAME if part in name), None)


def _farm_config(folder: Path) -> PreTrainedConfig | None:
    """The model configuration of a folder saved by FARM 0.8, or None for other folders."""
    path = folder / "language_model_config.json"
    if not path.is_file() or (folder / "config.json").is_file():
        return None
    from transformers import AutoConfig

    values = read_json(path)
    model_type = values.get("model_type") or _MODEL_TYPE_BY_FARM_CLASS.get(str(values.get("name")))
    if not model_type:
        return None
    with told(
        lambda why: ModelFolderError(
            f"{path}: no model of type {shown(model_type)} ({why})", code="no-usable-tokenizer", file=str(path)
        )
    ):
        return AutoConfig.for_model(model_type)


def _refuse_unknown(tokenizer: TokenizerLike, settings: dict[str, object]) -> None:
    own = inspect.signature(type(tokenizer).__init__).parameters
    arguments = inspect.signature(Tokenizer.load).parameters
    known = {*arguments, *_SPECIAL_TOKENS, *_LOADING, *_COMMON_SETTINGS, *own} - {"self", "kwargs", "args"}
    for name in settings:
        if name not in known:
            raise TypeError(f'Tokenizer.load has no argument "{name}"{nearest(name, known)}')


def _refuse_without_vocabulary(tokenizer: TokenizerLike, name: str) -> None:
    """Transformers makes a tokenizer of nothing but special tokens where the vocabulary's file is missing."""
    if set(tokenizer.get_vocab()) <= {*tokenizer.all_special_tokens, *tokenizer.get_added_vocab()}:
        raise ModelFolderError(
            f"{name} has no vocabulary: tokenizer.json (or vocab.txt and the like) is missing; copy the folder again",
            code="no-vocabulary",
            file=name,
        )


def _restore_length(tokenizer: TokenizerLike, settings: dict[str, object]) -> None:
    own = tokenizer.init_kwargs.pop(_OWN_MAX_LENGTH, None)
    if isinstance(own, int) and _MAX_LENGTH not in settings:
        tokenizer.model_max_length = own


def _switch_off_padding(tokenizer: TokenizerLike) -> None:
    backend = backend_of(tokenizer)
    if backend is not None:
        backend.no_padding()
        backend.no_truncation()
