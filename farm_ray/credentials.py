"""Credentials in addresses: kept out of messages and of saved files.

An address carries them before its host (`s3://KEY:SECRET@bucket/...`) or behind its path
(`https://host/file?X-Amz-Signature=...`). Whatever stands in these two places counts as secret.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl, urlencode

HIDDEN = "***"

S3_OPTIONS = ("endpoint_override", "region", "scheme")
"""What may follow the ? of an s3:// address; none of it is secret."""

# A secret key may hold slashes, so an account goes on to the last @, unless a port follows the colon.
_ACCOUNT = r"(?:[^\s'\"<>/?@:]*:(?!\d+(?:[/?#]|$))[^\s'\"<>]*@|[^\s'\"<>/?@]*@)"
_ADDRESS = re.compile(
    # One slash is left where a path was made of the address.
    r"\b(?P<begin>[A-Za-z][A-Za-z0-9+.-]*:/{1,2})"
    rf"(?P<account>{_ACCOUNT})?(?P<path>[^\s'\"<>?]*)(?P<query>\?[^\s'\"<>]*)?"
)
_SENTENCE_END = ".,;:!?)"
_LABELS = "label_list"
"""Labels may be addresses of their own, as those of an ontology are; they stay as they are."""


def redact(text: str) -> str:
    """The text with `***` in place of the account and the query of every address in it.

    `cannot read s3://AKIA:secret@bucket/a.tsv` becomes `cannot read s3://***@bucket/a.tsv`.
    """
    return _ADDRESS.sub(_hidden, text) if ":/" in text else text


def without_account(uri: str) -> str:
    """The address without user and password; any other text stays as it is."""
    begin, sign, rest = uri.partition("://")
    if not sign or not begin.isalnum():
        return uri
    account = re.match(_ACCOUNT, rest)
    return f"{begin}://{rest[account.end() :] if account else rest}"


def without_credentials(uri: str) -> str:
    """An address as it may be saved: without account and query, but with the options of s3://.

    Any other text stays as it is.
    """
    begin, sign, _ = uri.partition("://")
    if not sign or not begin.isalnum():
        return uri
    place, _, query = without_account(uri).partition("?")
    options = parse_qsl(query) if begin.lower() == "s3" else []
    harmless = [(name, value) for name, value in options if name in S3_OPTIONS and "@" not in value]
    return f"{place}?{urlencode(harmless, safe=':/')}" if harmless else place


def saved_values(values: Any) -> Any:
    """Plain values as they may be saved: `without_credentials` for every text in them, but for lists of labels."""
    if isinstance(values, dict):
        return {name: value if name == _LABELS else saved_values(value) for name, value in values.items()}
    if isinstance(values, list):
        return [saved_values(value) for value in values]
    return without_credentials(values) if isinstance(values, str) else values


def _hidden(found: re.Match[str]) -> str:
    account = f"{HIDDEN}@" if found["account"] else ""
    query = found["query"] or ""
    secret = query.rstrip(_SENTENCE_END)[1:]
    shown = f"?{HIDDEN}{query[len(secret) + 1 :]}" if secret else query
    return f"{found['begin']}{account}{found['path']}{shown}"
