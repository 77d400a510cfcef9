"""Who has identifiers, for many at once: whether two of them are one patient's."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import psycopg

_HOLDERS: Final = """
SELECT value, patient_fk FROM registered_identifier WHERE until IS NULL AND value = ANY (%s)
"""


def holders_of(
    connection: psycopg.Connection[Any], values: Sequence[str]
) -> Mapping[str, frozenset[int]]:
    """Patients who have an identifier of that value in force, whoever gave it.

    Args:
        connection: In a transaction.
        values: Without authority.

    Returns: Value to patients whose files go on; values that nobody has are left out.
    """
    found: dict[str, frozenset[int]] = {}
    for value, patient in connection.execute(_HOLDERS, (list(values),)):
        found[value] = found.get(value, frozenset()) | {patient}
    return found
