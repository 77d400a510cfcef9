"""Accounts and their passwords (argon2id)."""

from collections.abc import Iterable
from functools import cache

import psycopg
from pwdlib import PasswordHash

from negatoscope.domain.identity.errors import UnknownRole, UnknownUser, UserExists, WeakPassword
from negatoscope.domain.identity.model import Actor, Role, User
from negatoscope.infra.db import Database

MIN_PASSWORD_LENGTH = 12

_SELECT = """
SELECT u.id, u.name, u.display_name, coalesce(array_agg(r.role) FILTER (WHERE r.role IS NOT NULL), '{}'),
       u.is_active, u.password_hash IS NOT NULL, u.created_at, u.last_sign_in_at
FROM user_account u LEFT JOIN user_role r ON r.user_fk = u.id
"""


@cache
def _hasher() -> PasswordHash:
    return PasswordHash.recommended()


@cache
def _nobody_hash() -> str:
    """Verified against when there is no account, so that the time does not tell."""
    return _hasher().hash("nobody has this password")


def check_password(name: str, password: str) -> None:
    """Refuse a password that would be guessed first.

    Raises:
        WeakPassword: it is short, or the account's name.
    """
    if len(password) < MIN_PASSWORD_LENGTH:
        raise WeakPassword(
            f"the password has fewer than {MIN_PASSWORD_LENGTH} characters",
            hint="a sentence of four words is long enough and easy to keep in mind.",
        )
    if password.casefold() == name.casefold():
        raise WeakPassword("the password is the account's name", hint="choose another one.")


def create(
    database: Database,
    *,
    name: str,
    roles: Iterable[str],
    password: str | None = None,
    display_name: str = "",
) -> User:
    """Make an account.

    Args:
        database: Where.
        name: Unique, whatever its case.
        roles: ``Role`` values.
        password: Absent: the account signs in with tokens only.
        display_name: For people.
    Raises:
        UserExists: the name is taken.
        UnknownRole: not a role of users.
    """
    hashed = None if password is None else _hasher().hash(password)
    with database.connection() as connection:
        return create_in(
            connection, name=name, roles=roles, password_hash=hashed, display_name=display_name
        )


def create_in(
    connection: psycopg.Connection[tuple[object, ...]],
    *,
    name: str,
    roles: Iterable[str],
    password_hash: str | None,
    display_name: str = "",
) -> User:
    """The same inside a transaction of the caller's."""
    wanted = _known_roles(roles)
    name = name.strip()
    if not name or not name.isprintable() or len(name) > 100:
        raise UnknownUser(
            "an account's name has 1 to 100 printable characters", hint="choose another name."
        )
    row = connection.execute(
        "INSERT INTO user_account (name, display_name, password_hash) VALUES (%s, %s, %s)"
        " ON CONFLICT (lower(name)) DO NOTHING RETURNING id",
        (name, display_name, password_hash),
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
    return _hasher().hash(password)


def set_password(database: Database, *, name: str, password: str) -> None:
    """Give an account a new password.

    Raises:
        UnknownUser: no such account.
    """
    hashed = _hasher().hash(password)
    with database.connection() as connection:
        cursor = connection.execute(
            "UPDATE user_account SET password_hash = %s WHERE lower(name) = lower(%s)",
            (hashed, name),
        )
        if cursor.rowcount == 0:
            raise _unknown(name)


def authenticate(database: Database, *, name: str, password: str) -> Actor | None:
    """The user behind a name and a password; None when they do not belong together.

    Takes the time of one verification whether or not the account exists.
    """
    with database.connection() as connection:
        row = connection.execute(
            "SELECT password_hash, is_active FROM user_account WHERE lower(name) = lower(%s)",
            (name,),
        ).fetchone()
    stored = row[0] if row else None
    valid, renewed = _hasher().verify_and_update(password, stored or _nobody_hash())
    if not valid or row is None or stored is None or not row[1]:
        return None
    with database.connection() as connection:
        connection.execute(
            "UPDATE user_account SET last_sign_in_at = now(),"
            " password_hash = coalesce(%s, password_hash) WHERE lower(name) = lower(%s)",
            (renewed, name),
        )
        return _get(connection, name).actor


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
    ident, name, display_name, roles, is_active, has_password, created_at, last_sign_in_at = row
    return User(
        id=ident,  # type: ignore[arg-type]
        name=str(name),
        display_name=str(display_name),
        roles=frozenset(roles),  # type: ignore[call-overload]
        is_active=bool(is_active),
        has_password=bool(has_password),
        created_at=created_at,  # type: ignore[arg-type]
        last_sign_in_at=last_sign_in_at,  # type: ignore[arg-type]
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
