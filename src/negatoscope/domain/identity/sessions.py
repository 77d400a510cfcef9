"""Sessions of browsers: a random cookie, its digest in the database, remembered for some seconds.

A session ends when it was not used for long enough, when it is old enough, when somebody ends it,
and with the account's password or the account. A process that knew it honours it for at most
``CACHE_S`` longer.
"""

import base64
import hashlib
import secrets
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from weakref import WeakKeyDictionary

import psycopg

from negatoscope.domain.identity import grants
from negatoscope.domain.identity.model import Actor
from negatoscope.domain.identity.scope import DataScope
from negatoscope.infra.db import Database

PREFIX: Final = "nss_"
"""Lets a scanner for leaked secrets know ours."""
CACHE_S: Final = 5.0
_CACHE_SIZE: Final = 4096
_MAX_VALUE: Final = 100
_MAX_AGENT: Final = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long sessions last, and what is asked of accounts.

    Attributes:
        idle_s: Without a request.
        absolute_s: From the sign-in, whatever happens.
        totp_roles: Roles whose accounts may do nothing before they have a second factor.
        limited_roles: Roles that see what was granted only.
    """

    idle_s: float
    absolute_s: float
    totp_roles: frozenset[str] = frozenset()
    limited_roles: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Who is signed in.

    Attributes:
        actor: Without any role while ``required`` asks for something.
        method: How they signed in.
        link_id: The one-study link it came of.
        required: What must be done before anything else: ``change-password``, ``enrol-totp``.
        csrf: Repeated in forms.
    """

    id: int
    actor: Actor
    display_name: str
    roles: frozenset[str]
    method: str
    link_id: int | None
    required: tuple[str, ...]
    created_at: datetime
    expires_at: datetime
    csrf: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRow:
    """A session as a row of a list."""

    id: int
    user_name: str
    method: str
    peer: str
    agent: str
    created_at: datetime
    seen_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class _Known:
    session: Session | None
    until_s: float


_CACHES: WeakKeyDictionary[Database, dict[bytes, _Known]] = WeakKeyDictionary()
_LOCK = threading.Lock()

_INSERT = """
INSERT INTO web_session (sha256, user_fk, link_fk, method, issuer, provider_sid, id_token, peer, agent, expires_at)
VALUES (%(sha256)s, %(user)s, %(link)s, %(method)s, %(issuer)s, %(sid)s, %(id_token)s, %(peer)s, %(agent)s,
        now() + make_interval(secs => %(absolute)s))
RETURNING id
"""
_ALIVE = """
w.ended_at IS NULL AND w.expires_at > now() AND w.seen_at > now() - make_interval(secs => %(idle)s + 60)
AND (w.user_fk IS NULL OR u.is_active)
AND (w.link_fk IS NULL OR (l.revoked_at IS NULL AND l.expires_at > now()))
"""
_SELECT = f"""
SELECT w.id, w.method, w.created_at, w.expires_at, u.id, u.name, u.display_name, u.must_change_password,
       ARRAY(SELECT role FROM user_role r WHERE r.user_fk = u.id),
       EXISTS (SELECT 1 FROM user_totp t WHERE t.user_fk = u.id AND t.confirmed_at IS NOT NULL),
       l.id, l.study_instance_uid
FROM web_session w LEFT JOIN user_account u ON u.id = w.user_fk LEFT JOIN study_link l ON l.id = w.link_fk
WHERE w.sha256 = %(sha256)s AND {_ALIVE}
"""
_TOUCH = """
UPDATE web_session SET seen_at = now() WHERE id = %s AND seen_at < date_trunc('minute', now())
"""
_LIST = f"""
SELECT w.id, coalesce(u.name, 'link ' || l.id), w.method, w.peer, w.agent, w.created_at, w.seen_at, w.expires_at
FROM web_session w LEFT JOIN user_account u ON u.id = w.user_fk LEFT JOIN study_link l ON l.id = w.link_fk
WHERE {_ALIVE} AND (%(user)s::bigint IS NULL OR w.user_fk = %(user)s)
ORDER BY w.seen_at DESC, w.id DESC LIMIT 1000
"""


def create(
    database: Database,
    limits: Limits,
    *,
    user_id: int | None = None,
    link_id: int | None = None,
    method: str,
    peer: str = "",
    agent: str = "",
    issuer: str | None = None,
    provider_sid: str | None = None,
    id_token: str | None = None,
    replaces: str | None = None,
) -> str:
    """Start a session of an account or of a link.

    Args:
        database: Where.
        limits: How long it may last.
        user_id, link_id: Whose; exactly one.
        method: How they signed in.
        peer: Their address.
        agent: Their browser.
        issuer, provider_sid, id_token: Of the provider, for signing out there and from there.
        replaces: Cookie of the session they had before: it ends (nobody can have fixed the new one).
    Returns: The cookie's value; it cannot be had again.
    """
    value = PREFIX + base64.urlsafe_b64encode(secrets.token_bytes(32)).rstrip(b"=").decode()
    with database.connection() as connection:
        if replaces is not None:
            _end_value(connection, replaces, "signed in anew")
        connection.execute(
            _INSERT,
            {
                "sha256": _digest(value),
                "user": user_id,
                "link": link_id,
                "method": method,
                "issuer": issuer,
                "sid": provider_sid,
                "id_token": id_token,
                "peer": peer,
                "agent": _printable(agent),
                "absolute": limits.absolute_s,
            },
        )
    if replaces is not None:
        forget(database, replaces)
    return value


def remembered(database: Database, value: str) -> Session | None:
    """Whose cookie this is as far as this process knows already; never waits for the database."""
    known = _CACHES.get(database, {}).get(_digest(value))
    return known.session if known is not None and known.until_s > time.monotonic() else None


def resolve(
    database: Database, limits: Limits, value: str, *, touch: bool = True
) -> Session | None:
    """Whose cookie this is; None when it is forged, or its session has ended.

    Answers are kept for at most ``CACHE_S``.

    Args:
        touch: Whether the person is there; without it an idle session goes on ending.
    """
    if not value.startswith(PREFIX) or len(value) > _MAX_VALUE:
        return None
    digest = _digest(value)
    now_s = time.monotonic()
    with _LOCK:
        known = _CACHES.setdefault(database, {}).get(digest)
    if known is not None and known.until_s > now_s:
        return known.session
    with database.connection() as connection:
        parameters = {"sha256": digest, "idle": limits.idle_s}
        row = connection.execute(_SELECT, parameters).fetchone()
        session = None
        if row is not None:
            if touch:
                connection.execute(_TOUCH, (row[0],))
            session = _session(connection, limits, row, value)
    with _LOCK:
        cache = _CACHES.setdefault(database, {})
        if len(cache) >= _CACHE_SIZE:
            cache.clear()
        cache[digest] = _Known(session, now_s + CACHE_S)
    return session


def forget(database: Database, value: str) -> None:
    """Look a cookie up anew the next time."""
    with _LOCK:
        _CACHES.get(database, {}).pop(_digest(value), None)


def forget_all(database: Database) -> None:
    """Look every cookie up anew the next time: rights or accounts were changed by this process."""
    with _LOCK:
        _CACHES.get(database, {}).clear()


def end(database: Database, value: str, *, because: str = "signed out") -> str | None:
    """End the session of a cookie.

    Returns: The ID token of its provider, if it came of one.
    """
    with database.connection() as connection:
        id_token = _end_value(connection, value, because)
    forget(database, value)
    return id_token


def end_by_id(database: Database, number: int, *, because: str, user_id: int | None = None) -> bool:
    """End a session by its number.

    Args:
        database: Where.
        number: ``SessionRow.id``.
        because: Why.
        user_id: Only if it is this account's.
    """
    with database.connection() as connection:
        cursor = connection.execute(
            "UPDATE web_session SET ended_at = now(), ended_because = %s WHERE id = %s"
            " AND ended_at IS NULL AND (%s::bigint IS NULL OR user_fk = %s)",
            (because, number, user_id, user_id),
        )
    forget_all(database)
    return cursor.rowcount == 1


def end_of_provider(
    database: Database, *, issuer: str, subject: str | None, provider_sid: str | None
) -> int:
    """End what a provider signed out: one of its sessions, or all of a subject.

    Returns: How many ended.
    Standard: OpenID Connect Back-Channel Logout 1.0 §2.4.
    """
    with database.connection() as connection:
        cursor = connection.execute(
            "UPDATE web_session w SET ended_at = now(), ended_because = 'signed out at the provider'"
            " WHERE w.issuer = %(issuer)s AND w.ended_at IS NULL AND ("
            " (%(sid)s::text IS NOT NULL AND w.provider_sid = %(sid)s)"
            " OR (%(sid)s::text IS NULL AND w.user_fk IN (SELECT user_fk FROM user_identity"
            " WHERE issuer = %(issuer)s AND subject = %(subject)s)))",
            {"issuer": issuer, "sid": provider_sid, "subject": subject},
        )
    forget_all(database)
    return cursor.rowcount


def list_sessions(
    database: Database, limits: Limits, *, user_id: int | None = None
) -> list[SessionRow]:
    """Sessions that last, the latest seen first; of one account or of everybody."""
    with database.connection() as connection:
        rows = connection.execute(_LIST, {"idle": limits.idle_s, "user": user_id}).fetchall()
    return [
        SessionRow(
            id=row[0],
            user_name=row[1],
            method=row[2],
            peer=row[3],
            agent=row[4],
            created_at=row[5],
            seen_at=row[6],
            expires_at=row[7],
        )
        for row in rows
    ]


def forget_ended(database: Database) -> None:
    """Take away the rows of sessions that ended a month ago."""
    with database.connection() as connection:
        connection.execute("DELETE FROM web_session WHERE expires_at < now() - interval '30 days'")


def _session(
    connection: psycopg.Connection[Any], limits: Limits, row: Sequence[Any], value: str
) -> Session:
    number, method, created_at, expires_at, user_id, name, display_name = row[:7]
    csrf = hashlib.sha256(b"csrf\0" + value.encode("ascii", "replace")).hexdigest()[:32]
    if user_id is None:
        link_id, study = row[10], row[11]
        actor = Actor(
            kind="link", name=f"link {link_id}", scope=DataScope(studies=frozenset({study}))
        )
        roles: frozenset[str] = frozenset()
        required: list[str] = []
        display_name = ""
    else:
        link_id = None
        roles = frozenset(row[8])
        required = []
        if row[7] and method.startswith("password"):
            required.append("change-password")
        if roles & limits.totp_roles and not row[9] and not method.startswith("provider"):
            required.append("enrol-totp")
        scope = grants.scope_of_user(
            connection, user_id=user_id, roles=roles, limited_roles=limits.limited_roles
        )
        actor = Actor(
            kind="user",
            name=name,
            roles=frozenset() if required else roles,
            user_id=user_id,
            scope=scope,
        )
    return Session(
        id=number,
        actor=actor,
        display_name=display_name,
        roles=roles,
        method=method,
        link_id=link_id,
        required=tuple(required),
        created_at=created_at,
        expires_at=expires_at,
        csrf=csrf,
    )


def _end_value(connection: psycopg.Connection[Any], value: str, because: str) -> str | None:
    row = connection.execute(
        "UPDATE web_session SET ended_at = now(), ended_because = %s WHERE sha256 = %s"
        " AND ended_at IS NULL RETURNING id_token",
        (because, _digest(value)),
    ).fetchone()
    return None if row is None else row[0]


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)[:_MAX_AGENT]


def _digest(value: str) -> bytes:
    return hashlib.sha256(value.encode("utf-8", "surrogatepass")).digest()
