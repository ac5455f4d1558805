"""Links that carry their own permission: one verb, one object, until one moment.

    signature = HMAC-SHA256(key, verb NUL object NUL expiry)

Whoever has the link may do that and nothing else; whoever changes a letter of it may do nothing.
"""

from __future__ import annotations

import hmac
from datetime import datetime, timedelta
from hashlib import sha256
from urllib.parse import quote

from crowdalpha.server.auth import same
from crowdalpha.server.catalogue import refusal

LASTS = timedelta(hours=1)
"""How long a link is good for: an upload of 400 MB over a slow line, with two retries."""


def key_from(master: bytes) -> bytes:
    """The key that links are signed with: derived from the tournament's secret, so all its servers know it."""
    return hmac.digest(master, b"crowdalpha links", "sha256")


def sign(key: bytes, verb: str, object: str, expires: int) -> str:
    """The signature of a link, in hex.

    >>> sign(b"key", "PUT", "ada/live.csv", 1)[:16]
    'f7fee8c1fba768da'
    """
    return hmac.new(key, f"{verb}\0{object}\0{expires}".encode(), sha256).hexdigest()


def link(key: bytes, base: str, verb: str, object: str, now: datetime) -> str:
    """A signed link to an object below `base`."""
    expires = int((now + LASTS).timestamp())
    return f"{base}/{quote(object)}?expires={expires}&signature={sign(key, verb, object, expires)}"


def check(key: bytes, verb: str, object: str, expires: str, signature: str, now: datetime) -> None:
    """Refuse a link that is not ours (`bad_signature`) or has expired (`link_expired`)."""
    if not (expires.isascii() and expires.isdigit() and len(expires) < 12):
        raise refusal("bad_signature")
    if not same(sign(key, verb, object, int(expires)), signature):
        raise refusal("bad_signature")
    if now.timestamp() > int(expires):
        raise refusal("link_expired")
