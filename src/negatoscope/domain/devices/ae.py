"""The registry of application entities: who may call, and where they are called."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from ipaddress import ip_address
from typing import Any, Final

from negatoscope.domain.devices.errors import (
    ApplicationEntityExists,
    InvalidApplicationEntity,
    UnknownApplicationEntity,
)
from negatoscope.domain.identity import EVERYTHING, DataScope, grants
from negatoscope.domain.identity.model import Actor, AERole
from negatoscope.infra.db import Database
from negatoscope.protocols.dicom.dataset.charset import codec_for

_COLUMNS = (
    "ae_title, host, port, roles, tls, description, is_enabled, tls_required, certificates,"
    " check_host, max_associations, character_set"
)
_UPDATED: Final = tuple(
    name for name in _COLUMNS.split(", ") if name not in {"ae_title", "character_set"}
)
_FINGERPRINT: Final = re.compile(r"sha256:[0-9a-f]{64}")
_MAX_CERTIFICATES: Final = 8


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
        is_enabled: Whether it is known at all; a disabled one is refused and not called.
        tls_required: Whether it is refused when it calls in clear.
        certificates: Which certificates it may show, ``sha256:HEX`` or ``subject:DN``; none: any
            that our authorities signed.
        check_host: Whether it must call from its registered host.
        max_associations: How many it may have at once in one process; ``None``: the common limit.
        character_set: Specific Character Set of worklists it is answered when it names none; empty:
            ISO_IR 192.
    """

    ae_title: str
    host: str
    port: int
    roles: frozenset[str]
    tls: bool
    description: str
    scope: DataScope = field(default=EVERYTHING, compare=False)
    is_enabled: bool = True
    tls_required: bool = False
    certificates: tuple[str, ...] = ()
    check_host: bool = False
    max_associations: int | None = None
    character_set: str = ""

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
    is_enabled: bool = True,
    tls_required: bool = False,
    certificates: Sequence[str] = (),
    check_host: bool = False,
    max_associations: int | None = None,
    character_set: str | None = None,
    replace: bool = False,
    by: str = "",
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
        is_enabled: False: refuse it, keep its entry.
        tls_required: Refuse it in clear.
        certificates: Which certificates it may show.
        check_host: Refuse it from another host.
        max_associations: At once, in one process.
        character_set: Of worklists, when it names none; None leaves what an entry has.
        replace: Overwrite an entry of that title.
        by: Who registers it.
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
    check_address(host)
    shown = normal_certificates(certificates)
    if max_associations is not None and not 1 <= max_associations <= 10_000:
        raise InvalidApplicationEntity(
            f"{max_associations} associations cannot be a limit", hint="limits are 1 to 10000."
        )
    if character_set and codec_for(character_set) is None:
        raise InvalidApplicationEntity(
            f"{character_set} is no character set", hint="ISO_IR 100, ISO_IR 192, ISO_IR 101 ..."
        )
    changed = (*_UPDATED, "changed_by") + (() if character_set is None else ("character_set",))
    updates = ", ".join(f"{name} = excluded.{name}" for name in changed)
    conflict = f"UPDATE SET {updates}, changed_at = now()" if replace else "NOTHING"
    values = (title, host, port, wanted, tls, description, is_enabled, tls_required, shown)
    with database.connection() as connection:
        row = connection.execute(
            f"INSERT INTO application_entity ({_COLUMNS}, changed_by)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
            f" ON CONFLICT (ae_title) DO {conflict} RETURNING {_COLUMNS}",
            (*values, check_host, max_associations, character_set or "", by),
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


def check_address(host: str) -> None:
    """Refuse a host that no device has.

    An address given here is called by this server, from where it stands in the network: addresses
    that mean many hosts, none, or the services of the machine's own link (a cloud's metadata) are
    refused, here and again after a name was resolved. Private and loopback addresses are what
    departments use.

    Raises:
        InvalidApplicationEntity: not a name or an address, or not of one device.
    """
    if not host or not host.isprintable() or " " in host or "/" in host or len(host) > 255:
        raise InvalidApplicationEntity("the host cannot be used", hint="give a name or address.")
    if not may_be_called(host):
        raise InvalidApplicationEntity(
            f"{host} is not the address of a device",
            hint="link-local, multicast and unspecified addresses are not called.",
        )


def may_be_called(host: str) -> bool:
    """Whether an address may be a device's; names are not looked up."""
    try:
        address = ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        return True
    mapped = getattr(address, "ipv4_mapped", None)
    if mapped is not None:
        address = mapped
    return not (address.is_link_local or address.is_multicast or address.is_unspecified)


def normal_certificates(certificates: Sequence[str]) -> list[str]:
    """Certificates as they are stored: fingerprints without colons, subjects as OpenSSL's names.

    Raises:
        InvalidApplicationEntity: one is neither ``sha256:HEX`` nor ``subject:DN``.
    """
    if len(certificates) > _MAX_CERTIFICATES:
        raise InvalidApplicationEntity(
            f"more than {_MAX_CERTIFICATES} certificates", hint="one AE has one, two at a renewal."
        )
    found: list[str] = []
    for text in certificates:
        kind, _, value = text.strip().partition(":")
        value = value.strip()
        if kind.lower() in {"sha256", "sha-256"}:
            normal = "sha256:" + value.replace(":", "").replace(" ", "").lower()
            usable = _FINGERPRINT.fullmatch(normal) is not None
        else:
            normal = f"subject:{value}"
            usable = kind.lower() == "subject" and "=" in value and value.isprintable()
        if not usable or len(normal) > 500:
            raise InvalidApplicationEntity(
                "a certificate is neither a SHA-256 fingerprint nor a subject",
                hint="write sha256:<64 hexadecimal digits>, or subject:commonName=CT1.",
            )
        found.append(normal)
    return found


def _entity(row: tuple[Any, ...]) -> ApplicationEntity:
    (
        title,
        host,
        port,
        roles,
        tls,
        description,
        enabled,
        tls_required,
        shown,
        check,
        most,
        charset,
    ) = row
    return ApplicationEntity(
        ae_title=title,
        host=host,
        port=port,
        roles=frozenset(roles),
        tls=tls,
        description=description,
        is_enabled=enabled,
        tls_required=tls_required,
        certificates=tuple(shown),
        check_host=check,
        max_associations=most,
        character_set=charset,
    )
