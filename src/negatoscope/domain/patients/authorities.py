"""Assigning authorities: known by their universal identifier, or by a local name that one alone has."""

from typing import Any, Final

import psycopg

from negatoscope.domain.patients.errors import UnclearAuthority
from negatoscope.domain.patients.model import Authority
from negatoscope.infra.db import load_queries

SQL: Final = load_queries("negatoscope.domain.patients.sql", "patients.sql")


def number_of(connection: psycopg.Connection[Any], authority: Authority, *, add: bool) -> int:
    """Our number of an authority; -1 when it is unknown and not to be added.

    Raises:
        UnclearAuthority: nothing is said, or a local name that several have.
    """
    if not authority.is_named:
        raise UnclearAuthority(
            "an identifier has no assigning authority", hint="it must say who gave it."
        )
    values = {
        "namespace": authority.namespace,
        "universal_id": authority.universal_id,
        "universal_id_type": authority.universal_id_type,
    }
    execute = connection.execute
    if authority.universal_id:
        row = execute(SQL["authority_by_universal_id"], values).fetchone()
        if row is not None:
            return int(row[0])
    named = (
        execute(SQL["authorities_by_namespace"], values).fetchall() if authority.namespace else []
    )
    if authority.universal_id:
        nameless = [row[0] for row in named if not row[1]]
        if nameless:  # known by its local name until now
            execute(SQL["name_authority"], {**values, "id": nameless[0]})
            return int(nameless[0])
    elif len(named) == 1:
        return int(named[0][0])
    elif named:
        raise UnclearAuthority(
            f"several authorities are called {authority.namespace}",
            hint="the universal identifier must be given.",
        )
    if not add:
        return -1
    row = execute(SQL["add_authority"], values).fetchone()
    if row is None:  # another transaction was faster
        return number_of(connection, authority, add=True)
    return int(row[0])
