"""Files behind http:// and https://."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from farm_ray.storage.systems import explained

if TYPE_CHECKING:
    from collections.abc import Mapping

TIMEOUT_S = 60.0
"""Seconds until a silent web server is given up."""


def open_web(uri: str, proxies: Mapping[str, str] | None = None) -> Any:
    """The page as a binary file, as stored on the server; `.response.headers` holds what the server told.

    Raises:
        DataProblemError: When the server cannot be reached or refuses; its `facts["status"]` is the HTTP status.
    """
    import requests
    import smart_open

    session = requests.Session()
    session.proxies.update(proxies or {})
    with explained(uri):
        return smart_open.open(
            uri, "rb", compression="disable", transport_params={"timeout": TIMEOUT_S, "session": session}
        )
