"""What the code says of itself: services, statuses, resources."""

import inspect
import re
from collections.abc import Iterable, Iterator
from types import ModuleType
from unittest.mock import MagicMock

from conformance.markdown import table
from negatoscope.app import dicom
from negatoscope.domain.archive import errors as archive_errors
from negatoscope.entrypoints.dicomweb import capabilities
from negatoscope.entrypoints.dimse.service import Service
from negatoscope.infra.settings import Settings
from negatoscope.standard.dimse_status import (
    ServiceClass,
    Status,
    StatusRow,
    category,
    meaning,
    status_row,
)

BY_VR = {
    "SQ": "sequence, universal",
    "UI": "list of UID, universal",
    "DA": "single value, range, universal",
    "TM": "single value, range, universal",
    "PN": "single value, wildcard, universal; case, accents and empty components ignored",
    "DS": "single value, universal",
    "IS": "single value, universal",
}
"""Matching of attributes that the index keeps without a column."""


def services() -> list[Service]:
    """Every row of the DIMSE listener, composed without an archive: nothing is called."""
    return list(dicom.services(Settings(), MagicMock(), MagicMock(), MagicMock(), MagicMock()))


def status_rows(rows: Iterable[StatusRow]) -> Iterator[tuple[str, str, str, str]]:
    """Rows of a status table."""
    for row in rows:
        code = f"{row.first:04X}" if row.first == row.last else f"{row.first:04X}–{row.last:04X}"
        yield code, str(row.category).capitalize(), row.meaning, row.source


def answered(service: ServiceClass | None, *modules: ModuleType) -> str:
    """Statuses that some modules name, with their meaning for a service."""
    names = {
        name
        for module in modules
        for name in re.findall(r"\bStatus\.([A-Z_]+)\b", inspect.getsource(module))
    }
    codes = sorted({int(Status[name]) for name in names})
    return table(
        ("Code", "Category", "Meaning"),
        (
            (
                f"{code:04X}",
                str(category(code)).capitalize(),
                meaning(code, service if status_row(code, service) else ServiceClass.STORAGE),
            )
            for code in codes
        ),
    )


def own_storage_codes() -> Iterator[tuple[str, str]]:
    """Our Cxxx of the Storage service."""
    for code, text in archive_errors.CANNOT_UNDERSTAND_MEANING.items():
        yield f"{code:04X}", text


def routes() -> Iterator[tuple[str, str, str]]:
    """Methods, path and transaction of the DICOMweb service, from the table it tells to OPTIONS."""
    for resource in capabilities.RESOURCES:
        for method in resource.methods:
            verbs = "GET, HEAD" if method.name == "GET" else method.name
            yield verbs, f"`/dicom-web/{resource.template}`", method.transaction
