"""The first account: made through a link that works once, while there is none."""

import hashlib
import secrets
from datetime import timedelta

from negatoscope.domain.identity import users
from negatoscope.domain.identity.errors import SetupLinkRefused
from negatoscope.domain.identity.model import Role, User
from negatoscope.infra.clock import utc_now
from negatoscope.infra.db import Database

VALID_FOR = timedelta(hours=24)
_LOCK = 0x4E45_4741_544F_0002


def create(database: Database) -> str | None:
    """Make a link's secret; earlier ones end.

    Returns: The secret, or None when there is an account and no link is needed.
    """
    secret = secrets.token_urlsafe(32)
    with database.connection() as connection:
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        if connection.execute("SELECT 1 FROM user_account LIMIT 1").fetchone() is not None:
            return None
        connection.execute("DELETE FROM setup_link")
        connection.execute(
            "INSERT INTO setup_link (sha256, expires_at) VALUES (%s, %s)",
            (_digest(secret), utc_now() + VALID_FOR),
        )
    return secret


def is_valid(database: Database, secret: str) -> bool:
    """Whether a link would still be taken."""
    with database.connection() as connection:
        row = connection.execute(
            "SELECT 1 FROM setup_link WHERE sha256 = %s AND used_at IS NULL AND expires_at > now()"
            " AND NOT EXISTS (SELECT 1 FROM user_account)",
            (_digest(secret),),
        ).fetchone()
    return row is not None


def redeem(database: Database, *, secret: str, name: str, password: str) -> User:
    """Use the link: make the first administrator.

    Raises:
        SetupLinkRefused: the link is not, or no longer, good.
        WeakPassword: the password is; the link stays good.
    """
    users.check_password(name, password)
    hashed = users.hash_password(password)
    with database.connection() as connection:
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        cursor = connection.execute(
            "UPDATE setup_link SET used_at = now() WHERE sha256 = %s AND used_at IS NULL"
            " AND expires_at > now() AND NOT EXISTS (SELECT 1 FROM user_account)",
            (_digest(secret),),
        )
        if cursor.rowcount != 1:
            raise SetupLinkRefused(
                "this set-up link is not, or no longer, valid",
                hint="a start of `negatoscope serve` prints a new one while there is no account.",
            )
        return users.create_in(
            connection, name=name, roles=[Role.ADMINISTRATOR], password_hash=hashed
        )


def forget_ended(database: Database) -> None:
    """Take away links that ended."""
    with database.connection() as connection:
        connection.execute("DELETE FROM setup_link WHERE expires_at < now()")


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
