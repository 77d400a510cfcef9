"""Bearer tokens (RFC 6750): random, shown once, stored as their sha256."""

import base64
import hashlib
import secrets
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from weakref import WeakKeyDictionary

from negatoscope.domain.identity import grants, users
from negatoscope.domain.identity.errors import InvalidGrant
from negatoscope.domain.identity.grants import Grant, Holder
from negatoscope.domain.identity.model import Actor
from negatoscope.domain.identity.policies import Action
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
SELECT u.id, u.name, ARRAY(SELECT role FROM user_role r WHERE r.user_fk = u.id), t.id, t.actions
FROM api_token t JOIN user_account u ON u.id = t.user_fk
WHERE t.sha256 = %(sha256)s AND t.revoked_at IS NULL AND t.expires_at > now() AND u.is_active
"""
_LIST = """
SELECT t.id, u.name, t.description, t.kind, t.actions, t.created_at, t.created_by, t.expires_at, t.last_used_at
FROM api_token t JOIN user_account u ON u.id = t.user_fk
WHERE t.revoked_at IS NULL AND t.expires_at > now() AND (%(user)s::bigint IS NULL OR t.user_fk = %(user)s)
ORDER BY t.id DESC LIMIT 1000
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRow:
    """A token as a row of a list; the token itself is nowhere.

    Attributes:
        actions: What it is limited to; None: all its account may do.
        grants: What it may see; none: all its account sees.
    """

    id: int
    user_name: str
    description: str
    kind: str
    actions: tuple[str, ...] | None
    created_at: datetime
    created_by: str
    expires_at: datetime
    last_used_at: datetime | None
    grants: tuple[Grant, ...] = ()


@dataclass(frozen=True, slots=True)
class _Known:
    actor: Actor | None
    until_s: float


_CACHES: WeakKeyDictionary[Database, dict[bytes, _Known]] = WeakKeyDictionary()
_LOCK = threading.Lock()


def create(
    database: Database,
    *,
    user_name: str,
    expires_in: timedelta,
    description: str = "",
    kind: str = "personal",
    actions: Iterable[str] | None = None,
    granted: Sequence[Grant] = (),
    created_by: str = "",
) -> str:
    """Make a token for an account.

    Args:
        database: Where.
        user_name: Whose.
        expires_in: How long it is good.
        description: What it is for.
        kind: ``personal`` or ``service``.
        actions: What it is limited to; None: all its account may do.
        granted: What it may see; none: all its account sees.
        created_by: Who made it.
    Returns: The token; it cannot be had again.
    Raises:
        UnknownUser: no such account.
        InvalidGrant: a limit that cannot be.
    """
    wanted = None if actions is None else sorted(set(actions))
    for action in wanted or ():
        if action not in set(Action):
            raise InvalidGrant(
                f"{action} is not an action", hint=f"actions are {', '.join(Action)}."
            )
    user = users.get(database, user_name)
    token = PREFIX + base64.urlsafe_b64encode(secrets.token_bytes(32)).rstrip(b"=").decode()
    with database.connection() as connection:
        row = connection.execute(
            "INSERT INTO api_token (user_fk, sha256, description, expires_at, kind, actions, created_by)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s) RETURNING id",
            (
                *(user.id, _digest(token), description, utc_now() + expires_in),
                *(kind, wanted, created_by),
            ),
        ).fetchone()
        if granted and row is not None:
            holder = Holder(token_id=int(row[0]))
            grants.replace_in(connection, holder, granted, granted_by=created_by)
    return token


def list_tokens(database: Database, *, user_id: int | None = None) -> list[TokenRow]:
    """Tokens that are good, the newest first; of one account or of everybody."""
    with database.connection() as connection:
        rows = connection.execute(_LIST, {"user": user_id}).fetchall()
        return [
            TokenRow(
                id=row[0],
                user_name=row[1],
                description=row[2],
                kind=row[3],
                actions=None if row[4] is None else tuple(row[4]),
                created_at=row[5],
                created_by=row[6],
                expires_at=row[7],
                last_used_at=row[8],
                grants=tuple(grants.of_in(connection, Holder(token_id=row[0]))),
            )
            for row in rows
        ]


def revoke_by_id(database: Database, number: int, *, user_id: int | None = None) -> bool:
    """End a token by its number.

    Args:
        database: Where.
        number: ``TokenRow.id``.
        user_id: Only if it is this account's.
    """
    with database.connection() as connection:
        cursor = connection.execute(
            "UPDATE api_token SET revoked_at = now() WHERE id = %s AND revoked_at IS NULL"
            " AND (%s::bigint IS NULL OR user_fk = %s)",
            (number, user_id, user_id),
        )
    forget_all(database)
    return cursor.rowcount == 1


def forget_all(database: Database) -> None:
    """Look every token up anew the next time: rights or accounts were changed by this process."""
    with _LOCK:
        _CACHES.get(database, {}).clear()


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


def resolve(
    database: Database, bearer: str, *, limited_roles: frozenset[str] = frozenset()
) -> Actor | None:
    """Whose token this is; None when it is unknown, expired or revoked.

    Answers are kept for at most ``CACHE_S``.

    Args:
        database: Where.
        bearer: The token.
        limited_roles: Roles that see what was granted only.
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
        actor = None
        if row is not None:
            connection.execute(_TOUCH, {"sha256": digest})
            roles = frozenset(row[2])
            of_account = grants.scope_of_user(
                connection, user_id=row[0], roles=roles, limited_roles=limited_roles
            )
            actor = Actor(
                kind="user",
                name=row[1],
                roles=roles,
                user_id=row[0],
                scope=grants.scope_within(connection, Holder(token_id=row[3]), of_account),
                actions=None if row[4] is None else frozenset(row[4]),
            )
    with _LOCK:
        cache = _CACHES.setdefault(database, {})
        if len(cache) >= _CACHE_SIZE:
            cache.clear()
        cache[digest] = _Known(actor, now_s + CACHE_S)
    return actor


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
