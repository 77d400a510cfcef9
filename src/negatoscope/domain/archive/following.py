"""Studies follow who their patients are.

The database does it, in the transaction of the change and for each study that comes: see the migration
``following`` and the functions ``archive_follow``, ``archive_registered_of``, ``archive_show_registered``.
What it has to know of the settings is put here where it can see it.
"""

from typing import Final

from negatoscope.infra.db import Database

_SET: Final = """
UPDATE patient_presentation SET preferred_authority = %(authority)s, dicom_name = %(name)s
WHERE (preferred_authority, dicom_name) IS DISTINCT FROM (%(authority)s, %(name)s)
"""
_CONCERNED: Final = """
SELECT DISTINCT i.patient_fk FROM patient p JOIN registered_identifier i ON i.value = p.patient_id WHERE i.until IS NULL
UNION SELECT registered_fk FROM patient WHERE registered_fk IS NOT NULL ORDER BY 1
"""
_BATCH: Final = 200


def present(database: Database, *, preferred_authority: str, name: str) -> bool:
    """Show patients by these settings: whose number is Patient ID, which name is Patient's Name.

    Args:
        preferred_authority: Setting ``patients.preferred_authority``.
        name: Setting ``patients.dicom_name``: ``used`` or ``birth``.
    Returns: Whether that is new; studies were then shown anew.
    """
    with database.connection() as connection:
        values = {"authority": preferred_authority, "name": name}
        if not connection.execute(_SET, values).rowcount:
            return False
        numbers = [row[0] for row in connection.execute(_CONCERNED)]
    for at in range(0, len(numbers), _BATCH):
        with database.connection() as connection:
            connection.execute("SELECT archive_follow(%s::bigint[])", (numbers[at : at + _BATCH],))
    return True
