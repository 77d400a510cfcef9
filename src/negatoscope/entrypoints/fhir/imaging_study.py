"""ImagingStudy: a study of the archive, with its series; of whom and by which order, where that is decided."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any, Final

from negatoscope.domain.identity import Action, may
from negatoscope.entrypoints.fhir.elements import (
    DCM,
    instant,
    issuer_system,
    numbered,
    person_name,
    pruned,
    reference,
)
from negatoscope.entrypoints.fhir.searching import (
    NOTHING,
    Clause,
    Context,
    Kind,
    Parameter,
    by_code,
    dated,
    named,
    of_file,
)
from negatoscope.kit.uid import is_valid_uid

_MAX_SERIES: Final = 500
_ROWS: Final = """
SELECT s.id, s.study_instance_uid, s.study_date, s.study_time, s.accession_number, s.study_description,
       s.modalities_in_study, s.series_count, s.instance_count, s.created_at, p.patient_id, p.issuer_of_patient_id,
       p.patient_name, registered_root(b.patient_fk), b.procedure_fk, s.referring_physician_name
FROM study s JOIN patient p ON p.id = s.patient_fk
LEFT JOIN study_binding b ON b.study_instance_uid = s.study_instance_uid AND b.state = 'BOUND'
WHERE s.id = ANY(%s)
"""
_SERIES: Final = """
SELECT study_fk, series_instance_uid, modality, series_number, series_date, series_time, series_description,
       body_part_examined, instance_count
FROM (SELECT *, row_number() OVER (PARTITION BY study_fk ORDER BY series_number NULLS LAST, id) AS position
      FROM series WHERE study_fk = ANY(%s)) numbered
WHERE position <= %s ORDER BY study_fk, position
"""


def _shown(context: Context, numbers: Sequence[int]) -> list[dict[str, Any]]:
    ids = list(numbers)
    series: dict[int, list[dict[str, Any]]] = {}
    for row in context.connection.execute(_SERIES, (ids, _MAX_SERIES)):
        series.setdefault(row[0], []).append(_series(context, row))
    rows = context.connection.execute(_ROWS, (ids,)).fetchall()
    found = {row[0]: _study(context, row, series.get(row[0], [])) for row in rows}
    return [found[number] for number in numbers if number in found]


def _series(context: Context, row: Sequence[Any]) -> dict[str, Any]:
    return pruned(
        {
            "uid": row[1],
            "number": row[3] if row[3] is not None and row[3] >= 0 else None,
            "modality": {"system": DCM, "code": row[2] or "OT"},
            "description": row[6],
            "numberOfInstances": row[8],
            "bodySite": pruned({"display": row[7]}),
            "started": _started(context, row[4], row[5]),
        }
    )


def _study(context: Context, row: Sequence[Any], series: list[dict[str, Any]]) -> dict[str, Any]:
    knows_work = bool(may(context.actor, Action.READ_WORK))
    subject = pruned(
        {
            "reference": f"Patient/{row[13]}" if row[13] is not None and knows_work else None,
            "type": "Patient",
            "identifier": pruned({"system": issuer_system(row[11]), "value": row[10]}),
            "display": person_name(row[12] or ""),
        }
    )
    accession = numbered("ACSN", row[4] or "", "")
    uid = {"system": "urn:dicom:uid", "value": f"urn:oid:{row[1]}"}
    endpoint = {
        "resourceType": "Endpoint",
        "id": "wado",
        "status": "active",
        "connectionType": {
            "system": "http://terminology.hl7.org/CodeSystem/endpoint-connection-type",
            "code": "dicom-wado-rs",
        },
        "payloadType": [{"text": "DICOM"}],
        "address": f"{context.base.removesuffix('/fhir')}/dicom-web",
    }
    return pruned(
        {
            "resourceType": "ImagingStudy",
            "id": row[1],
            "contained": [endpoint],
            "identifier": [uid] if accession is None else [uid, accession],
            "status": "available",
            "modality": [{"system": DCM, "code": one} for one in row[6]],
            "subject": subject,
            "started": _started(context, row[2], row[3]),
            "basedOn": [reference("ServiceRequest", row[14])]
            if row[14] is not None and knows_work
            else [],
            "referrer": pruned({"display": person_name(row[15] or "")}),
            "endpoint": [{"reference": "#wado"}],
            "numberOfSeries": row[7],
            "numberOfInstances": row[8],
            "description": row[5],
            "series": series,
        }
    )


def _started(context: Context, day: date | None, time: str | None) -> str | None:
    """Date and time as the modality said them: the department's clocks."""
    if day is None:
        return None
    text = (time or "").partition(".")[0]
    try:
        at = datetime(
            day.year,
            day.month,
            day.day,
            int(text[0:2]),
            int(text[2:4]),
            int(text[4:6] or 0),
            tzinfo=context.zone,
        )
        return instant(at.astimezone(UTC))
    except ValueError:
        return day.isoformat()


def _by_uid(_context: Context, value: str, _modifier: str) -> Clause:
    if len(value) > 64 or not is_valid_uid(value):
        return NOTHING
    return "s.study_instance_uid = %s", [value]


def _identified(_context: Context, value: str, _modifier: str) -> Clause:
    """``urn:dicom:uid|urn:oid:…``, or an accession number."""
    system, bar, ident = value.rpartition("|")
    if system == "urn:dicom:uid" or ident.startswith("urn:oid:"):
        return "s.study_instance_uid = %s", [ident.removeprefix("urn:oid:")]
    if bar and system:
        return NOTHING
    return "s.accession_number = %s", [ident]


def _accession(_context: Context, value: str, _modifier: str) -> Clause:
    return "s.accession_number = %s", [value.rpartition("|")[2]]


def _patient(context: Context, value: str, modifier: str) -> Clause:
    kind, _, ident = value.removeprefix(f"{context.base}/").rpartition("/")
    if modifier == "identifier":
        return _patient_number(context, value, "")
    if kind not in ("", "Patient") or not (ident.isascii() and ident.isdigit() and len(ident) < 19):
        return NOTHING
    return of_file("b.patient_fk", int(ident))


def _patient_number(_context: Context, value: str, _modifier: str) -> Clause:
    """What the images say, as corrected: the number, and its issuer when a system is given."""
    system, bar, ident = value.rpartition("|")
    if not bar or not system:
        return "p.patient_id = %s", [ident]
    issuer = system.removeprefix("urn:oid:").removeprefix("urn:negatoscope:authority:")
    return "(p.patient_id = %s AND p.issuer_of_patient_id = %s)", [ident, issuer]


def _modality(_context: Context, value: str, _modifier: str) -> Clause:
    return "s.modalities_in_study @> ARRAY[%s]", [value.rpartition("|")[2]]


def _started_at(context: Context, value: str, _modifier: str) -> Clause:
    start = "(s.study_date::timestamp AT TIME ZONE '" + context.zone.key.replace("'", "") + "')"
    sql, values = dated(context, value, start, start)
    return f"(s.study_date IS NOT NULL AND {sql})", values


def _based_on(context: Context, value: str, _modifier: str) -> Clause:
    kind, _, ident = value.removeprefix(f"{context.base}/").rpartition("/")
    if kind not in ("", "ServiceRequest") or not (
        ident.isascii() and ident.isdigit() and len(ident) < 19
    ):
        return NOTHING
    return "b.procedure_fk = %s", [int(ident)]


def _series_uid(_context: Context, value: str, _modifier: str) -> Clause:
    uid = value.removeprefix("urn:oid:")
    sql = "EXISTS (SELECT FROM series e WHERE e.study_fk = s.id AND e.series_instance_uid = %s)"
    return sql, [uid]


def _subject(name: str) -> Parameter:
    return Parameter(
        name=name,
        type="reference",
        clause=_patient,
        documentation="Patient/… of studies that are bound; :identifier of what the images say",
        modifiers=frozenset({"identifier", "Patient"}),
    )


KIND: Final = Kind(
    name="ImagingStudy",
    action=Action.QUERY,
    source="study s JOIN patient p ON p.id = s.patient_fk LEFT JOIN study_binding b"
    " ON b.study_instance_uid = s.study_instance_uid AND b.state = 'BOUND'",
    number="s.id",
    parameters=named(
        Parameter(name="_id", type="token", clause=_by_uid, documentation="Study Instance UID"),
        Parameter(
            name="identifier",
            type="token",
            clause=_identified,
            documentation="urn:dicom:uid|urn:oid:…, or an accession number",
        ),
        Parameter(
            name="accession",
            type="token",
            clause=_accession,
            documentation="the accession number; of our own",
        ),
        _subject("patient"),
        _subject("subject"),
        Parameter(
            name="patient.identifier",
            type="token",
            clause=_patient_number,
            documentation="chained: system|value of what the images say",
        ),
        Parameter(name="modality", type="token", clause=_modality),
        Parameter(
            name="started", type="date", clause=_started_at, documentation="the day of the study"
        ),
        Parameter(name="basedon", type="reference", clause=_based_on),
        Parameter(name="series", type="uri", clause=_series_uid),
        by_code("status", "'available'::text"),
    ),
    sorts={
        "started": ("coalesce(s.study_date, '0001-01-01'::date)", "date"),
        "_id": ("s.id", "bigint"),
    },
    sort="-started",
    shown=_shown,
    condition=lambda context: context.seen,
)
