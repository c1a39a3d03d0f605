"""Credentials in addresses: kept out of messages and of saved files.

An address carries them before its host (`s3://KEY:SECRET@bucket/...`) or behind its path
(`https://host/file?X-Amz-Signature=...`). Whatever stands in these two places counts as secret.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple
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
_QUERY = re.compile(r"(?:[A-Za-z][\w-]*=[^&]*(?:&|$))*")


class S3Address(NamedTuple):
    """The parts of an s3:// address, as they stand there."""

    account: str
    bucket: str
    key: str
    query: str

    def address(self) -> str:
        """The address again; a ? at its end says that one before it is part of the key."""
        account = f"{self.account}@" if self.account else ""
        key = f"/{self.key}" if self.key else ""
        return f"s3://{account}{self.bucket}{key}" + (f"?{self.query}" if self.query or "?" in self.key else "")


def split_s3(uri: str) -> S3Address:
    """The parts of an s3:// address.

    Options follow the last ?, as `name=value`; any other ? and every # and % are part of the key. So a key with a ? in
    it is named beyond doubt by an address with another ? at its end.
    """
    rest = uri.partition("://")[2]
    place, sign, query = rest.rpartition("?")
    if not sign or not _QUERY.fullmatch(query):
        place, query = rest, ""
    netloc, _, key = place.partition("/")
    account, _, bucket = netloc.rpartition("@")
    return S3Address(account, bucket, key, query)


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
    if begin.lower() != "s3":
        return without_account(uri).partition("?")[0]
    parts = split_s3(without_account(uri))
    harmless = [(name, value) for name, value in parse_qsl(parts.query) if name in S3_OPTIONS and "@" not in value]
    return parts._replace(query=urlencode(harmless, safe=":/")).address()


def saved_values(values: object) -> Any:
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
