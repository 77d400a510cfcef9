"""From rows of the index to DICOM JSON."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import Any, Final

from negatoscope.domain.archive.query.attributes import (
    OTHER_PATIENT_IDS,
    TABLES,
    Attribute,
    Storage,
)
from negatoscope.domain.archive.query.model import DicomJson, InstanceReference, QueryLevel

_IDENTIFIERS: Final = (
    "(SELECT jsonb_agg(jsonb_build_array(p.identifier, p.issuer)"
    ' ORDER BY p.identifier COLLATE "C", p.issuer COLLATE "C")'
    " FROM patient_identifier p WHERE p.patient_fk = patient.id)"
)
_REFERENCE: Final = ("study.study_instance_uid", "series.series_instance_uid",
                     "instance.sop_instance_uid")  # fmt: skip


class RowReader:
    """What to select for some attributes, and how a row becomes DICOM JSON.

    Attributes:
        columns: SQL expressions to select, in order, after the row's id.
    """

    def __init__(
        self, attributes: Iterable[Attribute], constants: DicomJson, *, with_reference: bool
    ) -> None:
        self._attributes = tuple(attributes)
        self._constants = constants
        self.columns: list[str] = []
        self._documents: dict[QueryLevel, int] = {}
        self._values: list[tuple[Attribute, int]] = []
        for attribute in self._attributes:
            if attribute.storage is Storage.CONSTANT:
                continue
            if attribute.storage in (Storage.JSON, Storage.DATE, Storage.IDENTIFIERS):
                self._document(attribute.level)
            if attribute.storage is not Storage.JSON:
                self._values.append((attribute, self._column(_expression(attribute))))
        self._reference = tuple(map(self._column, _REFERENCE)) if with_reference else ()

    def read(self, row: Sequence[Any]) -> DicomJson:
        """The attributes of one row; absent ones have no `Value`."""
        found: DicomJson = {}
        documents: dict[QueryLevel, Mapping[str, Any]] = {
            level: row[at] or {} for level, at in self._documents.items()
        }
        for attribute in self._attributes:
            if attribute.storage is Storage.CONSTANT:
                found[attribute.tag] = self._constants[attribute.tag]
            else:
                kept = documents.get(attribute.level, {}).get(attribute.tag)
                found[attribute.tag] = kept or {"vr": attribute.vr}
        for attribute, at in self._values:
            values = _CONVERTERS[attribute.storage](attribute, row[at])
            if values and "Value" not in found[attribute.tag]:
                found[attribute.tag] = {"vr": attribute.vr, "Value": values}
        return found

    def reference(self, row: Sequence[Any]) -> InstanceReference:
        """Which instance a row is of."""
        study, series, sop = (row[at] for at in self._reference)
        return InstanceReference(
            instance_id=row[0],
            study_instance_uid=study,
            series_instance_uid=series,
            sop_instance_uid=sop,
        )

    def _column(self, expression: str) -> int:
        if expression not in self.columns:
            self.columns.append(expression)
        return self.columns.index(expression) + 1

    def _document(self, level: QueryLevel) -> None:
        if level is not QueryLevel.IMAGE:
            self._documents[level] = self._column(f"{TABLES[level]}.attributes")


def _expression(attribute: Attribute) -> str:
    if attribute.storage is Storage.IDENTIFIERS:
        return _IDENTIFIERS
    if attribute.storage is Storage.UID_CODE:
        return f"(SELECT u.uid FROM uid_code u WHERE u.id = {attribute.expression})"
    return attribute.expression


def _text(_attribute: Attribute, value: Any) -> list[Any]:
    return [value] if value not in (None, "") else []


def name_value(text: str) -> dict[str, str]:
    """A PN value of DICOM JSON (PS3.18 §F.2.2)."""
    groups = zip(("Alphabetic", "Ideographic", "Phonetic"), text.split("="), strict=False)
    return {group: value for group, value in groups if value}


def _name(_attribute: Attribute, value: str | None) -> list[Any]:
    return [name_value(value)] if value else []


def _date(_attribute: Attribute, value: date | None) -> list[Any]:
    return [f"{value.year:04d}{value.month:02d}{value.day:02d}"] if value is not None else []


def _integer(_attribute: Attribute, value: Any) -> list[Any]:
    return [int(value)] if value is not None else []


def _list(_attribute: Attribute, value: list[str] | None) -> list[Any]:
    return list(value or ())


def _identifiers(attribute: Attribute, value: list[list[str]] | None) -> list[Any]:
    if attribute.tag == OTHER_PATIENT_IDS:
        return [identifier for identifier, _issuer in value or ()]
    items = []
    for identifier, issuer in value or ():
        item = {"00100020": {"vr": "LO", "Value": [identifier]}}
        if issuer:
            item["00100021"] = {"vr": "LO", "Value": [issuer]}
        items.append(item)
    return items


_CONVERTERS: Final[Mapping[Storage, Callable[[Attribute, Any], list[Any]]]] = {
    Storage.TEXT: _text,
    Storage.NAME: _name,
    Storage.DATE: _date,
    Storage.TIME: _text,
    Storage.INTEGER: _integer,
    Storage.UID: _text,
    Storage.UID_CODE: _text,
    Storage.TEXTS: _list,
    Storage.IDENTIFIERS: _identifiers,
}
