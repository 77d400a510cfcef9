"""Settings an administrator changes while everything runs.

A declared subset can be given a value in the database; it wins over the command line, the
environment and the file, in every process of every node, within seconds (LISTEN/NOTIFY; a process
that missed the word looks at intervals). A value goes through the same checks as one of the file.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import psycopg
from psycopg.types.json import Jsonb
from pydantic import ValidationError

from negatoscope.infra.db import Database
from negatoscope.infra.errors import ConfigurationError
from negatoscope.infra.settings import Settings

CHANNEL: Final = "negatoscope_settings"
SOURCE: Final = "administration page"

CHANGEABLE: Final = frozenset(
    {
        "log_level",
        "max_pdu_bytes",
        "limits.max_associations",
        "limits.max_associations_per_peer",
        "limits.max_half_open",
        "limits.max_half_open_per_peer",
        "limits.artim_timeout_s",
        "limits.dimse_timeout_s",
        "limits.idle_timeout_s",
        "limits.max_query_results",
        "segment_max_bytes",
        "segment_idle_s",
        "settle_idle_s",
        "ups_retention_days",
        "mpps_overdue_h",
        "derived_max_bytes",
        "trusted_proxies",
        "cors_origins",
        "hsts_s",
    }
)
"""All others are read when a process starts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingChange:
    """One change of the history; ``None`` is the absence of an override."""

    id: int
    name: str
    old_value: Any
    new_value: Any
    changed_at: datetime
    changed_by: str


def overrides(connection: psycopg.Connection[Any]) -> dict[str, Any]:
    """Values given in the database, by the setting's name; nested names with a dot."""
    rows = connection.execute("SELECT name, value FROM setting_override ORDER BY name").fetchall()
    return {name: value for name, value in rows if name in CHANGEABLE}


def with_overrides(settings: Settings, values: Mapping[str, Any]) -> Settings:
    """The settings with other values for some.

    Raises:
        ConfigurationError: a value cannot be used; its message names the setting.
    """
    if not values:
        return settings
    data = settings.model_dump()
    for name, value in values.items():
        head, _, tail = name.partition(".")
        data[head] = {**data[head], tail: value} if tail else value
    try:
        made = type(settings)(**data)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        reason = str(first["msg"]).removeprefix("Value error, ")
        raise ConfigurationError(f"{name}: {reason}", hint="give another value.") from error
    made.take_sources(settings, {name.partition(".")[0] for name in values}, SOURCE)
    return made


def in_force(settings: Settings, connection: psycopg.Connection[Any]) -> Settings:
    """The settings with what the database says; a value this version cannot use is left out."""
    found = settings
    for name, value in overrides(connection).items():
        try:
            found = with_overrides(found, {name: value})
        except ConfigurationError:
            continue
    return found


def change(
    connection: psycopg.Connection[Any], settings: Settings, *, name: str, value: Any, by: str
) -> SettingChange:
    """Give a setting a value, or with ``None`` take it back; in the caller's transaction.

    Args:
        connection: In a transaction; at its end every process is told.
        settings: As this process read them, to check the value against the others.
        name: One of ``CHANGEABLE``.
        value: JSON.
        by: Who.
    Raises:
        ConfigurationError: it cannot be changed at run time, or not to that.
    """
    if name not in CHANGEABLE:
        raise ConfigurationError(
            f"{name} cannot be changed while the program runs",
            hint="write it in negatoscope.toml and start again.",
        )
    if value is not None:
        with_overrides(settings, {**overrides(connection), name: value})
    row = connection.execute(
        "SELECT value FROM setting_override WHERE name = %s FOR UPDATE", (name,)
    ).fetchone()
    if value is None:
        connection.execute("DELETE FROM setting_override WHERE name = %s", (name,))
    else:
        connection.execute(
            "INSERT INTO setting_override (name, value, changed_by) VALUES (%s, %s, %s)"
            " ON CONFLICT (name) DO UPDATE"
            " SET value = excluded.value, changed_at = now(), changed_by = excluded.changed_by",
            (name, Jsonb(value), by),
        )
    made = connection.execute(
        "INSERT INTO setting_change (name, old_value, new_value, changed_by)"
        " VALUES (%s, %s, %s, %s) RETURNING id, changed_at",
        (name, None if row is None else Jsonb(row[0]), None if value is None else Jsonb(value), by),
    ).fetchone()
    assert made is not None  # noqa: S101 - RETURNING of one row
    connection.execute(f"NOTIFY {CHANNEL}")
    return SettingChange(
        id=made[0],
        name=name,
        old_value=None if row is None else row[0],
        new_value=value,
        changed_at=made[1],
        changed_by=by,
    )


def history(
    database: Database, *, name: str | None = None, limit: int = 200
) -> list[SettingChange]:
    """Changes, the latest first."""
    with database.connection() as connection:
        rows = connection.execute(
            "SELECT id, name, old_value, new_value, changed_at, changed_by FROM setting_change"
            " WHERE %(name)s::text IS NULL OR name = %(name)s ORDER BY id DESC LIMIT %(limit)s",
            {"name": name, "limit": limit},
        ).fetchall()
    return [
        SettingChange(
            id=row[0],
            name=row[1],
            old_value=row[2],
            new_value=row[3],
            changed_at=row[4],
            changed_by=row[5],
        )
        for row in rows
    ]
