"""An event of the audit trail as a FHIR AuditEvent.

Standard: HL7 FHIR R4 AuditEvent; IHE BALP where its patterns fit (patient and study as entities,
the reason of an emergency access as its purpose); codes as in the DICOM audit message.
"""

import base64
from typing import Any, Final

import orjson

from negatoscope.entrypoints.fhir.elements import instant
from negatoscope.subscribers.audit import AuditEvent, EventClass
from negatoscope.subscribers.audit.atna.message import (
    OUTCOME_INDICATORS,
    QUERY,
    Code,
    Source,
    identify,
)

DCM: Final = "http://dicom.nema.org/resources/ontology/DCM"
_ENTITY_TYPE: Final = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
_ENTITY_ROLE: Final = "http://terminology.hl7.org/CodeSystem/object-role"
_SOURCE_TYPE: Final = "http://terminology.hl7.org/CodeSystem/security-source-type"
_REASON: Final = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
_PARTICIPATION: Final = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
_PATIENT_NUMBER: Final = "http://terminology.hl7.org/CodeSystem/v2-0203"
_IPV4_OR_6: Final = frozenset("0123456789abcdefABCDEF.:")


def audit_event(event: AuditEvent, source: Source) -> dict[str, Any]:
    """The resource of an event."""
    identified = identify(event)
    resource: dict[str, Any] = {
        "resourceType": "AuditEvent",
        "id": str(event.id),
        "type": _coding(identified.event_id),
        "subtype": [_coding(one) for one in identified.types],
        "action": identified.action,
        "recorded": instant(event.occurred_at),
        "outcome": OUTCOME_INDICATORS.get(event.outcome, "4"),
        "outcomeDesc": event.reason if event.outcome != "SUCCESS" else None,
        "purposeOfEvent": _purpose(event),
        "agent": _agents(event, source),
        "source": {
            "site": source.site or None,
            "observer": {"display": source.source_id, "identifier": {"value": source.source_id}},
            "type": [{"system": _SOURCE_TYPE, "code": "4", "display": "Application Server"}],
        },
        "entity": _entities(event, is_query=identified.event_id is QUERY),
    }
    if event.event_count > 1:
        resource["period"] = {"start": instant(event.occurred_at), "end": instant(event.last_at)}
    return {name: value for name, value in resource.items() if value not in (None, [])}


def _coding(code: Code) -> dict[str, str]:
    return {"system": DCM, "code": code.code, "display": code.text}


def _purpose(event: AuditEvent) -> list[dict[str, Any]]:
    if event.event_class != EventClass.BREAK_GLASS:
        return []
    coding = {"system": _REASON, "code": "BTG", "display": "break the glass"}
    return [{"coding": [coding]} | ({"text": event.reason} if event.reason else {})]


def _agents(event: AuditEvent, source: Source) -> list[dict[str, Any]]:
    actor: dict[str, Any] = {
        "type": {
            "coding": [
                {"system": _PARTICIPATION, "code": "IRCP" if event.actor_kind == "user" else "CST"}
            ]
        },
        "role": [{"text": role} for role in event.actor_roles],
        "who": {
            "identifier": {"value": event.actor_name or "unknown"},
            "display": event.actor_name or "unknown",
        },
        "altId": event.credential,
        "name": event.actor_name,
        "requestor": True,
    }
    if event.peer:
        kind = "2" if set(event.peer) <= _IPV4_OR_6 else "1"
        actor["network"] = {"address": event.peer, "type": kind}
    agents = [
        actor,
        {"who": {"display": source.ae_title}, "requestor": False, "name": "negatoscope"},
    ]
    if event.destination:
        agents.append(
            {"who": {"display": event.destination}, "requestor": False, "name": event.destination}
        )
    return [{k: v for k, v in one.items() if v not in (None, [], "")} for one in agents]


def _entities(event: AuditEvent, *, is_query: bool) -> list[dict[str, Any]]:
    entities: list[dict[str, Any]] = []
    if event.patient_id:
        number: dict[str, Any] = {
            "type": {"coding": [{"system": _PATIENT_NUMBER, "code": "MR"}]},
            "value": event.patient_id,
        }
        if event.issuer_of_patient_id:
            number["assigner"] = {"display": event.issuer_of_patient_id}
        entities.append(
            {
                "what": {"type": "Patient", "identifier": number},
                "type": _term(_ENTITY_TYPE, "1", "Person"),
                "role": _term(_ENTITY_ROLE, "1", "Patient"),
            }
        )
    if event.study_instance_uid:
        study: dict[str, Any] = {
            "what": {
                "type": "ImagingStudy",
                "identifier": {
                    "system": "urn:dicom:uid",
                    "value": f"urn:oid:{event.study_instance_uid}",
                },
            },
            "type": _term(_ENTITY_TYPE, "2", "System Object"),
            "role": _term(_ENTITY_ROLE, "3", "Report"),
        }
        if event.accession_number:
            study["detail"] = [{"type": "Accession Number", "valueString": event.accession_number}]
        entities.append(study)
    record: dict[str, Any] = {
        "type": _term(_ENTITY_TYPE, "2", "System Object"),
        "role": _term(_ENTITY_ROLE, "24", "Query")
        if is_query
        else _term(_ENTITY_ROLE, "13", "Security Resource"),
        "name": event.action,
        "detail": [{"type": "events", "valueString": str(event.event_count)}],
    }
    for name in ("door", "chain", "seq"):
        if (value := getattr(event, name)) is not None:
            record["detail"].append({"type": name, "valueString": str(value)})
    if is_query:
        record.pop("name")  # aud-1: a name or a query
        record["query"] = base64.b64encode(orjson.dumps(dict(event.detail))).decode("ascii")
        record["detail"].append({"type": "action", "valueString": event.action})
    else:
        record["detail"] += [
            {"type": key, "valueString": text}
            for key, value in event.detail.items()
            if (text := value if isinstance(value, str) else orjson.dumps(value).decode())
        ]
    entities.append(record)
    return entities


def _term(system: str, code: str, display: str) -> dict[str, str]:
    return {"system": system, "code": code, "display": display}
