"""Accounts."""

from collections.abc import Iterable
from typing import Any

import psycopg

from negatoscope.domain.identity import passwords
from negatoscope.domain.identity.errors import (
    LastAdministrator,
    UnknownRole,
    UnknownUser,
    UserExists,
)
from negatoscope.domain.identity.model import Actor, Role, User
from negatoscope.infra.db import Database

MIN_PASSWORD_LENGTH = passwords.MIN_LENGTH

_ADMINISTRATORS_LOCK = 0x4E45_4741_544F_0003
_ANY_ADMINISTRATOR = """
SELECT 1 FROM user_account u JOIN user_role r ON r.user_fk = u.id
WHERE u.is_active AND r.role = 'administrator' LIMIT 1
"""
_SELECT = """
SELECT u.id, u.name, u.display_name, coalesce(array_agg(r.role) FILTER (WHERE r.role IS NOT NULL), '{}'),
       u.is_active, u.password_hash IS NOT NULL, u.created_at, u.last_sign_in_at, u.must_change_password,
       u.is_emergency,
       EXISTS (SELECT 1 FROM user_totp t WHERE t.user_fk = u.id AND t.confirmed_at IS NOT NULL)
FROM user_account u LEFT JOIN user_role r ON r.user_fk = u.id
"""


def check_password(name: str, password: str) -> None:
    """Refuse a password that would be guessed first.

    Raises:
        WeakPassword: it is.
    """
    passwords.check(name, password)


def create(
    database: Database,
    *,
    name: str,
    roles: Iterable[str],
    password: str | None = None,
    display_name: str = "",
    must_change_password: bool = False,
) -> User:
    """Make an account.

    Args:
        database: Where.
        name: Unique, whatever its case.
        roles: ``Role`` values.
        password: Absent: the account signs in with tokens only.
        display_name: For people.
        must_change_password: At the first sign-in, since somebody else knows it.
    Raises:
        UserExists: the name is taken.
        UnknownRole: not a role of users.
    """
    hashed = None if password is None else hash_password(password)
    with database.connection() as connection:
        return create_in(
            connection,
            name=name,
            roles=roles,
            password_hash=hashed,
            display_name=display_name,
            must_change_password=must_change_password and password is not None,
        )


def create_in(
    connection: psycopg.Connection[tuple[object, ...]],
    *,
    name: str,
    roles: Iterable[str],
    password_hash: str | None,
    display_name: str = "",
    must_change_password: bool = False,
) -> User:
    """The same inside a transaction of the caller's."""
    wanted = _known_roles(roles)
    name = name.strip()
    if not name or not name.isprintable() or len(name) > 100:
        raise UnknownUser(
            "an account's name has 1 to 100 printable characters", hint="choose another name."
        )
    row = connection.execute(
        "INSERT INTO user_account (name, display_name, password_hash, must_change_password,"
        " password_changed_at) VALUES (%s, %s, %s, %s, CASE WHEN %s::text IS NULL THEN NULL ELSE now() END)"
        " ON CONFLICT (lower(name)) DO NOTHING RETURNING id",
        (name, display_name, password_hash, must_change_password, password_hash),
    ).fetchone()
    if row is None:
        raise UserExists(
            f"there is an account {name} already", hint="`negatoscope user passwd` changes it."
        )
    for role in wanted:
        connection.execute("INSERT INTO user_role (user_fk, role) VALUES (%s, %s)", (row[0], role))
    return _get(connection, name)


def hash_password(password: str) -> str:
    """What is stored of a password."""
    return passwords.hash_password(password)


def set_password(
    database: Database, *, name: str, password: str, must_change: bool = False
) -> None:
    """Give an account a new password; the account's sessions end.

    Args:
        database: Where.
        name: Whose.
        password: The new one.
        must_change: At the next sign-in, since somebody else knows it.
    Raises:
        UnknownUser: no such account.
    """
    hashed = hash_password(password)
    with database.connection() as connection:
        row = connection.execute(
            "UPDATE user_account SET password_hash = %s, must_change_password = %s,"
            " password_changed_at = now() WHERE lower(name) = lower(%s) RETURNING id",
            (hashed, must_change, name),
        ).fetchone()
        if row is None:
            raise _unknown(name)
        end_sessions_in(connection, int(row[0]), because="password changed")


def change(
    database: Database,
    *,
    name: str,
    display_name: str | None = None,
    roles: Iterable[str] | None = None,
    is_active: bool | None = None,
    is_emergency: bool | None = None,
) -> User:
    """Change what is given; deactivation ends the account's sessions and tokens at once.

    Raises:
        UnknownUser: no such account.
        UnknownRole: not a role of users.
        LastAdministrator: nobody could administer afterwards.
    """
    with database.connection() as connection:
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (_ADMINISTRATORS_LOCK,))
        user = _get(connection, name)
        connection.execute(
            "UPDATE user_account SET display_name = coalesce(%s, display_name),"
            " is_active = coalesce(%s, is_active), is_emergency = coalesce(%s, is_emergency)"
            " WHERE id = %s",
            (display_name, is_active, is_emergency, user.id),
        )
        if roles is not None:
            wanted = _known_roles(roles)
            connection.execute("DELETE FROM user_role WHERE user_fk = %s", (user.id,))
            for role in wanted:
                connection.execute(
                    "INSERT INTO user_role (user_fk, role) VALUES (%s, %s)", (user.id, role)
                )
        if is_active is False:
            end_sessions_in(connection, user.id, because="account deactivated")
        if connection.execute(_ANY_ADMINISTRATOR).fetchone() is None:
            raise LastAdministrator(
                "no active administrator would be left", hint="make another one first."
            )
        return _get(connection, name)


def end_sessions_in(
    connection: psycopg.Connection[Any],
    user_id: int,
    *,
    because: str,
    but: int | None = None,
) -> int:
    """End an account's sessions, all but one.

    Returns: How many.
    """
    cursor = connection.execute(
        "UPDATE web_session SET ended_at = now(), ended_because = %s"
        " WHERE user_fk = %s AND ended_at IS NULL AND id IS DISTINCT FROM %s",
        (because, user_id, but),
    )
    return cursor.rowcount


def authenticate(database: Database, *, name: str, password: str) -> Actor | None:
    """The user behind a name and a password; None when they do not belong together.

    Takes the time of one verification whether or not the account exists.
    """
    user = verify_password(database, name=name, password=password)
    if user is None:
        return None
    note_sign_in(database, user.id)
    return user.actor


def verify_password(database: Database, *, name: str, password: str) -> User | None:
    """The active account of a name, if the password is its own; nothing is noted."""
    with database.connection() as connection:
        row = connection.execute(
            "SELECT password_hash, is_active, id FROM user_account WHERE lower(name) = lower(%s)",
            (name,),
        ).fetchone()
    valid, renewed = passwords.verify(password, row[0] if row else None)
    if not valid or row is None or not row[1]:
        return None
    with database.connection() as connection:
        if renewed is not None:
            connection.execute(
                "UPDATE user_account SET password_hash = %s WHERE id = %s AND password_hash = %s",
                (renewed, row[2], row[0]),
            )
        return _get(connection, name)


def note_sign_in(database: Database, user_id: int) -> None:
    """Remember when somebody last signed in."""
    with database.connection() as connection:
        connection.execute(
            "UPDATE user_account SET last_sign_in_at = now() WHERE id = %s", (user_id,)
        )


def get(database: Database, name: str) -> User:
    """An account by its name.

    Raises:
        UnknownUser: no such account.
    """
    with database.connection() as connection:
        return _get(connection, name)


def list_users(database: Database) -> list[User]:
    """Every account, by name."""
    with database.connection() as connection:
        rows = connection.execute(_SELECT + " GROUP BY u.id ORDER BY lower(u.name)").fetchall()
    return [_user(row) for row in rows]


def count(database: Database) -> int:
    """How many accounts there are."""
    with database.connection() as connection:
        row = connection.execute("SELECT count(*) FROM user_account").fetchone()
    return int(row[0]) if row else 0


def _get(connection: psycopg.Connection[tuple[object, ...]], name: str) -> User:
    row = connection.execute(
        _SELECT + " WHERE lower(u.name) = lower(%s) GROUP BY u.id", (name,)
    ).fetchone()
    if row is None:
        raise _unknown(name)
    return _user(row)


def _user(row: tuple[object, ...]) -> User:
    ident, name, display_name, roles, is_active, has_password, created_at, last_sign_in_at = row[:8]
    return User(
        id=ident,  # type: ignore[arg-type]
        name=str(name),
        display_name=str(display_name),
        roles=frozenset(roles),  # type: ignore[call-overload]
        is_active=bool(is_active),
        has_password=bool(has_password),
        created_at=created_at,  # type: ignore[arg-type]
        last_sign_in_at=last_sign_in_at,  # type: ignore[arg-type]
        must_change_password=bool(row[8]),
        is_emergency=bool(row[9]),
        has_totp=bool(row[10]),
    )


def _known_roles(roles: Iterable[str]) -> list[str]:
    wanted = sorted(set(roles))
    for role in wanted:
        if role not in set(Role):
            raise UnknownRole(f"{role} is not a role", hint=f"roles are {', '.join(Role)}.")
    if not wanted:
        raise UnknownRole("an account needs a role", hint=f"roles are {', '.join(Role)}.")
    return wanted


def _unknown(name: str) -> UnknownUser:
    return UnknownUser(f"there is no account {name}", hint="`negatoscope user list` names them.")
