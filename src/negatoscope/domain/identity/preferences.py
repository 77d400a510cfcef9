"""What a person keeps of their own: columns of lists, saved filters, language. JSON by key."""

import re
from typing import Any, Final

import psycopg
from psycopg.types.json import Jsonb

from negatoscope.domain.identity.errors import IdentityError
from negatoscope.infra.db import Database

MAX_BYTES: Final = 64 << 10
MAX_KEYS: Final = 100
"""Of one person."""
KEY: Final = re.compile(r"[a-z][a-z0-9.-]{0,63}")
_ALL: Final = "SELECT key, value FROM user_preference WHERE user_fk = %(user)s"
_ONE: Final = f"{_ALL} AND key = %(key)s"
_PUT: Final = """
INSERT INTO user_preference (user_fk, key, value)
SELECT %(user)s, %(key)s, %(value)s
WHERE (SELECT count(*) FROM user_preference WHERE user_fk = %(user)s AND key <> %(key)s) < %(most)s
ON CONFLICT (user_fk, key) DO UPDATE SET value = excluded.value, changed_at = now()
"""
_DELETE: Final = "DELETE FROM user_preference WHERE user_fk = %(user)s AND key = %(key)s"


class TooManyPreferences(IdentityError):
    """The person has ``MAX_KEYS`` of them."""


def get_all(database: Database, user_id: int) -> dict[str, Any]:
    """Everything a person keeps, by key."""
    with database.connection() as connection:
        return dict(connection.execute(_ALL, {"user": user_id}).fetchall())


def get(database: Database, user_id: int, key: str) -> Any | None:
    """The value of a key; None when there is none."""
    with database.connection() as connection:
        row = connection.execute(_ONE, {"user": user_id, "key": key}).fetchone()
    return None if row is None else row[1]


def put(database: Database, user_id: int, key: str, value: Any) -> None:
    """Keep a value.

    Raises:
        TooManyPreferences: one more than may be.
        IdentityError: the account is gone meanwhile.
    """
    parameters = {"user": user_id, "key": key, "value": Jsonb(value), "most": MAX_KEYS}
    try:
        with database.connection() as connection:
            done = connection.execute(_PUT, parameters).rowcount
    except psycopg.errors.ForeignKeyViolation as error:
        raise IdentityError("the account is gone") from error
    if not done:
        raise TooManyPreferences(f"at most {MAX_KEYS} keys")


def delete(database: Database, user_id: int, key: str) -> bool:
    """Forget a key. Returns: whether it was there."""
    with database.connection() as connection:
        done = connection.execute(_DELETE, {"user": user_id, "key": key}).rowcount
    return done > 0
