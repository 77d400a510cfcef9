"""What an order needs of the catalogue's procedures."""

from dataclasses import dataclass

from negatoscope.domain.orders.errors import UnknownCatalogueEntry
from negatoscope.domain.orders.model import Code
from negatoscope.domain.orders.repository import SQL, Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueEntry:
    """What an order needs of a procedure of the catalogue."""

    id: int
    code: Code
    modality: str
    duration_min: int
    contrast_agent: str
    needs_vetting: bool
    protocols: tuple[Code, ...]


def entry(connection: Connection, number: int) -> CatalogueEntry:
    """What the catalogue says of a procedure.

    Raises:
        UnknownCatalogueEntry: it has none, or offers it no longer.
    """
    row = connection.execute(SQL["catalogue"], {"id": number}).fetchone()
    if row is None or not row[11]:
        raise UnknownCatalogueEntry(f"the catalogue offers no procedure {number}")
    protocols = connection.execute(SQL["catalogue_protocols"], {"id": number})
    return CatalogueEntry(
        id=row[0],
        code=Code(
            code_value=row[1], coding_scheme_designator=row[2], code_meaning=row[3] or row[4]
        ),
        modality=row[5],
        duration_min=row[6],
        contrast_agent=row[8] if row[7] == "REQUIRED" else "",
        needs_vetting=row[10],
        protocols=tuple(
            Code(code_value=one[0], coding_scheme_designator=one[1], code_meaning=one[2])
            for one in protocols
        ),
    )


def by_code(connection: Connection, code: Code) -> int | None:
    """The catalogue's procedure of a code; None when it has none, or several."""
    rows = connection.execute(
        SQL["catalogue_by_code"],
        {"code_value": code.code_value, "scheme": code.coding_scheme_designator},
    ).fetchall()
    return int(rows[0][0]) if len(rows) == 1 else None
