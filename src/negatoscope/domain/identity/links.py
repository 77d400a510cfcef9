"""Links to one study, for somebody without an account: random, shown once, stored as their sha256."""

import base64
import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from negatoscope.domain.identity import passwords, sessions
from negatoscope.domain.identity.errors import InvalidGrant, LinkRefused, PinRequired
from negatoscope.infra.clock import utc_now
from negatoscope.infra.db import Database

MIN_PIN: Final = 4
MAX_PIN: Final = 20
MAX_PIN_FAILURES: Final = 10
"""Wrong PINs end the link: who holds it asks for another."""
_COLUMNS: Final = (
    "id, study_instance_uid, description, pin_hash IS NOT NULL, max_uses, use_count, failure_count,"
    " created_by, created_at, expires_at, last_used_at, revoked_at, revoked_by"
)
_GOOD: Final = (
    "revoked_at IS NULL AND expires_at > now() AND (max_uses IS NULL OR use_count < max_uses)"
    f" AND failure_count < {MAX_PIN_FAILURES}"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A link; its secret is nowhere."""

    id: int
    study_instance_uid: str
    description: str
    has_pin: bool
    max_uses: int | None
    use_count: int
    failure_count: int
    created_by: str
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None
    revoked_by: str | None


def create(
    database: Database,
    *,
    study_instance_uid: str,
    created_by: str,
    expires_in: timedelta,
    description: str = "",
    pin: str | None = None,
    max_uses: int | None = None,
) -> tuple[str, Link]:
    """Make a link.

    Returns: Its secret, which cannot be had again, and the link.
    Raises:
        InvalidGrant: the PIN cannot be one.
    """
    if pin is not None and not (MIN_PIN <= len(pin) <= MAX_PIN and len(set(pin)) > 1):
        raise InvalidGrant(f"a PIN has {MIN_PIN} to {MAX_PIN} characters, not all the same")
    secret = base64.urlsafe_b64encode(secrets.token_bytes(32)).rstrip(b"=").decode("ascii")
    pin_hash = None if pin is None else passwords.hash_password(pin)
    with database.connection() as connection:
        row = connection.execute(
            "INSERT INTO study_link (sha256, study_instance_uid, description, pin_hash, max_uses,"
            f" created_by, expires_at) VALUES (%s, %s, %s, %s, %s, %s, %s) RETURNING {_COLUMNS}",
            (
                *(_digest(secret), study_instance_uid, description, pin_hash),
                *(max_uses, created_by, utc_now() + expires_in),
            ),
        ).fetchone()
    assert row is not None  # noqa: S101 - RETURNING
    return secret, Link(**dict(zip(Link.__slots__, row, strict=True)))


def exchange(
    database: Database,
    limits: sessions.Limits,
    secret: str,
    *,
    pin: str | None,
    peer: str = "",
    agent: str = "",
    replaces: str | None = None,
) -> tuple[Link, str]:
    """Begin a session that sees the study and nothing else.

    Returns: The link and the session's cookie.
    Raises:
        PinRequired: the link is good and asks for one.
        LinkRefused: used up, revoked, expired, unknown, or the PIN is wrong.
    """
    digest = _digest(secret)
    with database.connection() as connection:
        row = connection.execute(
            f"SELECT pin_hash FROM study_link WHERE sha256 = %s AND {_GOOD}", (digest,)
        ).fetchone()
    if row is None:
        raise LinkRefused("the link is not, or no longer, good")
    if row[0] is not None:
        if not pin:
            raise PinRequired("the link asks for a PIN")
        with database.connection() as connection:  # counted first: guesses at once count as well
            counted = connection.execute(
                f"UPDATE study_link SET failure_count = failure_count + 1 WHERE sha256 = %s AND {_GOOD}",
                (digest,),
            )
        if counted.rowcount != 1 or not passwords.verify(pin[:MAX_PIN], row[0])[0]:
            raise LinkRefused("the PIN is wrong")
        with database.connection() as connection:
            connection.execute(
                "UPDATE study_link SET failure_count = failure_count - 1 WHERE sha256 = %s",
                (digest,),
            )
    with database.connection() as connection:
        used = connection.execute(
            "UPDATE study_link SET use_count = use_count + 1, last_used_at = now()"
            f" WHERE sha256 = %s AND {_GOOD} RETURNING {_COLUMNS}",
            (digest,),
        ).fetchone()
    if used is None:
        raise LinkRefused("the link is not, or no longer, good")
    link = Link(**dict(zip(Link.__slots__, used, strict=True)))
    cookie = sessions.create(
        database,
        limits,
        link_id=link.id,
        method="study link",
        peer=peer,
        agent=agent,
        replaces=replaces,
    )
    return link, cookie


def list_links(
    database: Database, *, study_instance_uid: str | None = None, created_by: str | None = None
) -> list[Link]:
    """Links, the newest first."""
    with database.connection() as connection:
        rows = connection.execute(
            f"SELECT {_COLUMNS} FROM study_link"
            " WHERE (%(study)s::text IS NULL OR study_instance_uid = %(study)s)"
            " AND (%(by)s::text IS NULL OR created_by = %(by)s) ORDER BY id DESC LIMIT 500",
            {"study": study_instance_uid, "by": created_by},
        ).fetchall()
    return [Link(**dict(zip(Link.__slots__, row, strict=True))) for row in rows]


def revoke(database: Database, number: int, *, by: str, created_by: str | None = None) -> bool:
    """End a link and the sessions that came of it.

    Args:
        database: Where.
        number: ``Link.id``.
        by: Who revokes.
        created_by: Only if this one made it.
    """
    with database.connection() as connection:
        cursor = connection.execute(
            "UPDATE study_link SET revoked_at = now(), revoked_by = %s WHERE id = %s"
            " AND revoked_at IS NULL AND (%s::text IS NULL OR created_by = %s)",
            (by, number, created_by, created_by),
        )
        if cursor.rowcount == 1:
            connection.execute(
                "UPDATE web_session SET ended_at = now(), ended_because = 'link revoked'"
                " WHERE link_fk = %s AND ended_at IS NULL",
                (number,),
            )
    sessions.forget_all(database)
    return cursor.rowcount == 1


def forget_ended(database: Database) -> None:
    """Take away links that ended a year ago; the trail keeps what was done with them."""
    with database.connection() as connection:
        connection.execute("DELETE FROM study_link WHERE expires_at < now() - interval '1 year'")


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
