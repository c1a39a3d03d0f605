"""The model hub: whether it can be asked, and what to say when it did not answer. Without torch."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit
from urllib.request import getproxies

from farm_ray.errors import ModelFolderError


def hub_is_out_of_reach() -> str | None:
    """Why the hub will not be asked, or None when it can be: asking in vain would take half a minute of retries."""
    from huggingface_hub import constants

    if constants.is_offline_mode():
        return "HF_HUB_OFFLINE=1 forbids to ask the hub"
    if {"https", "all"} & set(getproxies()):
        return None
    host = urlsplit(constants.ENDPOINT).hostname or "huggingface.co"
    try:
        socket.getaddrinfo(host, 443)
    except OSError:
        return f"{host} cannot be reached from here"
    return None


def hub_error(name: str, error: Exception, out_of_reach: str | None) -> ModelFolderError:
    """What to say when the hub and the local cache do not have a model."""
    from huggingface_hub import constants

    reason = out_of_reach or first_line(error)
    return ModelFolderError(
        f'there is no model "{name}": no local folder has this name, the cache {constants.HF_HUB_CACHE} does not hold '
        f"it, and {reason}. Give a local model folder, or set HF_HOME to a cache that holds the model.",
        code="no-such-model",
        value=name,
    )


def first_line(error: Exception) -> str:
    """The first line of a foreign error's text, or its kind where it has none."""
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__
