"""ImagingStudy: a study of the archive, with its series; of whom and by which order, where that is decided."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any, Final

from negatoscope.domain.identity import Action, may
from negatoscope.domain.patients.searching import of_patient
from negatoscope.domain.performed import studies
from negatoscope.domain.performed.studies import ShownSeries, ShownStudy
from negatoscope.entrypoints.fhir.elements import (
    DCM,
    instant,
    issuer_of,
    issuer_system,
    numbered,
    person_name,
    pruned,
    reference,
)
from negatoscope.entrypoints.fhir.search_parameters import (
    by_code,
    by_value,
    dated,
    named,
    number_in,
)
from negatoscope.entrypoints.fhir.searching import Context, Kind, Parameter
from negatoscope.infra.db.conditions import ALWAYS, NEVER, Condition
from negatoscope.kit.uid import is_valid_uid


def _shown(context: Context, numbers: Sequence[int]) -> list[dict[str, Any]]:
    return [_study(context, one) for one in studies.shown(context.connection, numbers)]


def _series(context: Context, one: ShownSeries) -> dict[str, Any]:
    number = one.series_number
    return pruned(
        {
            "uid": one.series_instance_uid,
            "number": number if number is not None and number >= 0 else None,
            "modality": {"system": DCM, "code": one.modality or "OT"},
            "description": one.series_description,
            "numberOfInstances": one.instance_count,
            "bodySite": pruned({"display": one.body_part_examined}),
            "started": _started(context, one.series_date, one.series_time),
        }
    )


def _study(context: Context, one: ShownStudy) -> dict[str, Any]:
    knows_work = bool(may(context.actor, Action.READ_WORK))
    subject = pruned(
        {
            "reference": f"Patient/{one.registered}"
            if one.registered is not None and knows_work
            else None,
            "type": "Patient",
            "identifier": pruned(
                {"system": issuer_system(one.issuer_of_patient_id), "value": one.patient_id}
            ),
            "display": person_name(one.patient_name or ""),
        }
    )
    accession = numbered("ACSN", one.accession_number or "", "")
    uid = {"system": "urn:dicom:uid", "value": f"urn:oid:{one.study_instance_uid}"}
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
            "id": one.study_instance_uid,
            "contained": [endpoint],
            "identifier": [uid] if accession is None else [uid, accession],
            "status": "available",
            "modality": [{"system": DCM, "code": code} for code in one.modalities_in_study],
            "subject": subject,
            "started": _started(context, one.study_date, one.study_time),
            "basedOn": [reference("ServiceRequest", one.procedure)]
            if one.procedure is not None and knows_work
            else [],
            "referrer": pruned({"display": person_name(one.referring_physician_name or "")}),
            "endpoint": [{"reference": "#wado"}],
            "numberOfSeries": one.series_count,
            "numberOfInstances": one.instance_count,
            "description": one.study_description,
            "series": [_series(context, each) for each in one.series],
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


def _by_uid(_context: Context, value: str, _modifier: str) -> Condition:
    if len(value) > 64 or not is_valid_uid(value):
        return NEVER
    return studies.STUDY_INSTANCE_UID.equals(value)


def _identified(_context: Context, value: str, _modifier: str) -> Condition:
    """``urn:dicom:uid|urn:oid:…``, or an accession number."""
    system, bar, ident = value.rpartition("|")
    if system == "urn:dicom:uid" or ident.startswith("urn:oid:"):
        return studies.STUDY_INSTANCE_UID.equals(ident.removeprefix("urn:oid:"))
    return NEVER if bar and system else studies.ACCESSION_NUMBER.equals(ident)


def _patient(context: Context, value: str, modifier: str) -> Condition:
    if modifier == "identifier":
        return _patient_number(context, value, "")
    number = number_in(value, "Patient", context.base)
    return NEVER if number is None else of_patient(studies.BOUND_PATIENT, number)


def _patient_number(_context: Context, value: str, _modifier: str) -> Condition:
    """What the images say, as corrected: the number, and its issuer when a system is given."""
    system, _, ident = value.rpartition("|")
    return studies.of_patient_id(ident, issuer_of(system) if system else None)


def _modality(_context: Context, value: str, _modifier: str) -> Condition:
    return studies.MODALITIES_IN_STUDY.has(value.rpartition("|")[2])


def _started_at(context: Context, value: str, _modifier: str) -> Condition:
    return dated(context, value, studies.began_on(context.zone))


def _based_on(context: Context, value: str, _modifier: str) -> Condition:
    number = number_in(value, "ServiceRequest", context.base)
    return NEVER if number is None else studies.BOUND_PROCEDURE.equals(number)


def _series_uid(_context: Context, value: str, _modifier: str) -> Condition:
    return studies.with_series(value.removeprefix("urn:oid:"))


def _subject(name: str) -> Parameter:
    return Parameter(
        name=name,
        type="reference",
        condition=_patient,
        documentation="Patient/… of studies that are bound; :identifier of what the images say",
        modifiers=frozenset({"identifier", "Patient"}),
    )


KIND: Final = Kind(
    name="ImagingStudy",
    action=Action.QUERY,
    rows=studies.STUDIES,
    parameters=named(
        Parameter(name="_id", type="token", condition=_by_uid, documentation="Study Instance UID"),
        Parameter(
            name="identifier",
            type="token",
            condition=_identified,
            documentation="urn:dicom:uid|urn:oid:…, or an accession number",
        ),
        by_value(
            "accession",
            studies.ACCESSION_NUMBER,
            documentation="the accession number; of our own",
        ),
        _subject("patient"),
        _subject("subject"),
        Parameter(
            name="patient.identifier",
            type="token",
            condition=_patient_number,
            documentation="chained: system|value of what the images say",
        ),
        Parameter(name="modality", type="token", condition=_modality),
        Parameter(
            name="started", type="date", condition=_started_at, documentation="the day of the study"
        ),
        Parameter(name="basedon", type="reference", condition=_based_on),
        Parameter(name="series", type="uri", condition=_series_uid),
        by_code("status", {"available": ALWAYS}),
    ),
    sorts={
        "started": studies.STUDY_DATE,
        "_id": studies.STUDIES.number,
    },
    sort="-started",
    shown=_shown,
    condition=lambda context: context.seen,
)
