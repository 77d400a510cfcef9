"""Bearer tokens (RFC 6750): random, shown once, stored as their sha256."""

import base64
import hashlib
import secrets
import threading
import time
from dataclasses import dataclass
from datetime import timedelta
from weakref import WeakKeyDictionary

from negatoscope.domain.identity import users
from negatoscope.domain.identity.model import Actor
from negatoscope.infra.clock import utc_now
from negatoscope.infra.db import Database

PREFIX = "nsc_"
"""Lets a scanner for leaked secrets know ours."""
CACHE_S = 5.0
"""How long a revoked or expired token may still be honoured by a process that knew it."""
KEPT_FOR = timedelta(days=90)
"""How long an ended token can still be named in the trail by its row."""
_CACHE_SIZE = 4096

_TOUCH = """
UPDATE api_token t SET last_used_at = date_trunc('minute', now())
WHERE t.sha256 = %(sha256)s AND t.revoked_at IS NULL AND t.expires_at > now()
  AND (t.last_used_at IS NULL OR t.last_used_at < date_trunc('minute', now()))
"""
_SELECT = """
SELECT u.id, u.name, coalesce(array_agg(r.role) FILTER (WHERE r.role IS NOT NULL), '{}')
FROM api_token t JOIN user_account u ON u.id = t.user_fk LEFT JOIN user_role r ON r.user_fk = u.id
WHERE t.sha256 = %(sha256)s AND t.revoked_at IS NULL AND t.expires_at > now() AND u.is_active
GROUP BY u.id
"""


@dataclass(frozen=True, slots=True)
class _Known:
    actor: Actor | None
    until_s: float


_CACHES: WeakKeyDictionary[Database, dict[bytes, _Known]] = WeakKeyDictionary()
_LOCK = threading.Lock()


def create(
    database: Database, *, user_name: str, expires_in: timedelta, description: str = ""
) -> str:
    """Make a token for an account.

    Returns: The token; it cannot be had again.
    Raises:
        UnknownUser: no such account.
    """
    user = users.get(database, user_name)
    token = PREFIX + base64.urlsafe_b64encode(secrets.token_bytes(32)).rstrip(b"=").decode()
    with database.connection() as connection:
        connection.execute(
            "INSERT INTO api_token (user_fk, sha256, description, expires_at)"
            " VALUES (%s, %s, %s, %s)",
            (user.id, _digest(token), description, utc_now() + expires_in),
        )
    return token


def revoke(database: Database, token: str) -> bool:
    """End a token now (other processes follow within ``CACHE_S``).

    Returns: Whether there was such a token.
    """
    digest = _digest(token)
    with database.connection() as connection:
        cursor = connection.execute(
            "UPDATE api_token SET revoked_at = now() WHERE sha256 = %s AND revoked_at IS NULL",
            (digest,),
        )
    with _LOCK:
        _CACHES.get(database, {}).pop(digest, None)
    return cursor.rowcount == 1


def forget_ended(database: Database) -> None:
    """Take away the rows of tokens that ended ``KEPT_FOR`` ago."""
    with database.connection() as connection:
        connection.execute("DELETE FROM api_token WHERE expires_at < %s", (utc_now() - KEPT_FOR,))


def remembered(database: Database, bearer: str) -> Actor | None:
    """Whose token this is as far as this process knows already; never waits for the database."""
    known = _CACHES.get(database, {}).get(_digest(bearer))
    return known.actor if known is not None and known.until_s > time.monotonic() else None


def resolve(database: Database, bearer: str) -> Actor | None:
    """Whose token this is; None when it is unknown, expired or revoked.

    Answers are kept for at most ``CACHE_S``.
    """
    if not bearer.startswith(PREFIX) or len(bearer) > 100:
        return None
    digest = _digest(bearer)
    now_s = time.monotonic()
    with _LOCK:
        known = _CACHES.setdefault(database, {}).get(digest)
    if known is not None and known.until_s > now_s:
        return known.actor
    with database.connection() as connection:
        row = connection.execute(_SELECT, {"sha256": digest}).fetchone()
        if row is not None:
            connection.execute(_TOUCH, {"sha256": digest})
    actor = None
    if row is not None:
        actor = Actor(kind="user", name=row[1], roles=frozenset(row[2]), user_id=row[0])
    with _LOCK:
        cache = _CACHES.setdefault(database, {})
        if len(cache) >= _CACHE_SIZE:
            cache.clear()
        cache[digest] = _Known(actor, now_s + CACHE_S)
    return actor


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
