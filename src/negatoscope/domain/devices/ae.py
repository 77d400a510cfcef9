"""The registry of application entities: who may call, and where they are called."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from negatoscope.domain.devices.errors import (
    ApplicationEntityExists,
    InvalidApplicationEntity,
    UnknownApplicationEntity,
)
from negatoscope.domain.identity import EVERYTHING, DataScope, grants
from negatoscope.domain.identity.model import Actor, AERole
from negatoscope.infra.db import Database

_COLUMNS = "ae_title, host, port, roles, tls, description"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationEntity:
    """A peer we know.

    Attributes:
        ae_title: PS3.5 §6.2, without the insignificant spaces.
        host: Where it listens.
        port: Likewise.
        roles: ``AERole`` values: what it may ask of us.
        tls: Whether it is called over TLS.
        description: For people.
        scope: Which studies it may see.
    """

    ae_title: str
    host: str
    port: int
    roles: frozenset[str]
    tls: bool
    description: str
    scope: DataScope = field(default=EVERYTHING, compare=False)

    @property
    def actor(self) -> Actor:
        """The peer as one who acts."""
        return Actor(kind="ae", name=self.ae_title, roles=self.roles, scope=self.scope)


def add(
    database: Database,
    *,
    ae_title: str,
    host: str,
    port: int,
    roles: Iterable[str] = (AERole.STORE, AERole.QUERY, AERole.RETRIEVE),
    tls: bool = False,
    description: str = "",
    replace: bool = False,
) -> ApplicationEntity:
    """Register a peer.

    Args:
        database: Where.
        ae_title: Its title.
        host: Name or address, where it is called.
        port: Likewise.
        roles: What it may ask of us.
        tls: Call it over TLS.
        description: For people.
        replace: Overwrite an entry of that title.
    Raises:
        InvalidApplicationEntity: one of them cannot be used.
        ApplicationEntityExists: the title is taken.
    """
    title = normal_title(ae_title)
    wanted = sorted(set(roles))
    for role in wanted:
        if role not in set(AERole):
            raise InvalidApplicationEntity(
                f"{role} is not a role of an application entity",
                hint=f"roles are {', '.join(AERole)}.",
            )
    if not 1 <= port <= 65535:
        raise InvalidApplicationEntity(f"{port} is not a port", hint="ports are 1 to 65535.")
    if not host or not host.isprintable() or " " in host or len(host) > 255:
        raise InvalidApplicationEntity("the host cannot be used", hint="give a name or address.")
    conflict = (
        "UPDATE SET host = excluded.host, port = excluded.port, roles = excluded.roles,"
        " tls = excluded.tls, description = excluded.description"
        if replace
        else "NOTHING"
    )
    with database.connection() as connection:
        row = connection.execute(
            f"INSERT INTO application_entity ({_COLUMNS}) VALUES (%s, %s, %s, %s, %s, %s)"
            f" ON CONFLICT (ae_title) DO {conflict} RETURNING {_COLUMNS}",
            (title, host, port, wanted, tls, description),
        ).fetchone()
    if row is None:
        raise ApplicationEntityExists(
            f"{title} is registered already", hint="`negatoscope ae add --replace` changes it."
        )
    return _entity(row)


def find(database: Database, ae_title: str) -> ApplicationEntity | None:
    """The peer of that title; None when it is not registered."""
    title = ae_title.strip(" ")
    if "\0" in title:
        return None
    with database.connection() as connection:
        row = connection.execute(
            f"SELECT {_COLUMNS} FROM application_entity WHERE ae_title = %s", (title,)
        ).fetchone()
        if row is None:
            return None
        scope = grants.scope_within(connection, grants.Holder(ae_title=title), EVERYTHING)
    return replace(_entity(row), scope=scope)


def actor_for(database: Database, ae_title: str) -> Actor:
    """Who calls under that title: a registered peer, or somebody unknown."""
    found = find(database, ae_title)
    return Actor.anonymous(ae_title.strip(" ")) if found is None else found.actor


def list_entities(database: Database) -> list[ApplicationEntity]:
    """Every entry, by title."""
    with database.connection() as connection:
        rows = connection.execute(
            f"SELECT {_COLUMNS} FROM application_entity ORDER BY ae_title"
        ).fetchall()
    return [_entity(row) for row in rows]


def remove(database: Database, ae_title: str) -> None:
    """Take a peer out of the registry.

    Raises:
        UnknownApplicationEntity: it is not in it.
    """
    with database.connection() as connection:
        cursor = connection.execute(
            "DELETE FROM application_entity WHERE ae_title = %s", (ae_title.strip(" "),)
        )
    if cursor.rowcount == 0:
        raise UnknownApplicationEntity(
            f"{ae_title} is not registered", hint="`negatoscope ae list` names them."
        )


def normal_title(text: str) -> str:
    """An AE title without its insignificant spaces (PS3.5 §6.2).

    Raises:
        InvalidApplicationEntity: empty, longer than 16, or with characters it cannot have.
    """
    title = text.strip(" ")
    if not title or len(title) > 16 or not title.isascii() or not title.isprintable():
        raise InvalidApplicationEntity(
            f"{text!r} is not an AE title", hint="it has 1 to 16 printable ASCII characters."
        )
    if "\\" in title:
        raise InvalidApplicationEntity(f"{text!r} is not an AE title", hint="without backslashes.")
    return title


def _entity(row: tuple[Any, ...]) -> ApplicationEntity:
    title, host, port, roles, tls, description = row
    return ApplicationEntity(
        ae_title=title,
        host=host,
        port=port,
        roles=frozenset(roles),
        tls=tls,
        description=description,
    )
