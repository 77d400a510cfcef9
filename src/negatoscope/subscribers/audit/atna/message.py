"""An event as a DICOM audit message.

Standard: PS3.15 §A.5.1 (schema), §A.5.3 (the messages), PS3.16 CID 400 to 405 (codes).
"""

import base64
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC
from typing import Final, NamedTuple
from xml.etree import ElementTree as ET

from negatoscope.subscribers.audit.model import AuditEvent, EventClass, Outcome, event_class


class Code(NamedTuple):
    """A coded value."""

    code: str
    system: str
    text: str


def _dcm(code: str, text: str) -> Code:
    return Code(code, "DCM", text)


APPLICATION_ACTIVITY: Final = _dcm("110100", "Application Activity")
AUDIT_LOG_USED: Final = _dcm("110101", "Audit Log Used")
INSTANCES_ACCESSED: Final = _dcm("110103", "DICOM Instances Accessed")
INSTANCES_TRANSFERRED: Final = _dcm("110104", "DICOM Instances Transferred")
STUDY_DELETED: Final = _dcm("110105", "DICOM Study Deleted")
EXPORT: Final = _dcm("110106", "Export")
PATIENT_RECORD: Final = _dcm("110110", "Patient Record")
QUERY: Final = _dcm("110112", "Query")
SECURITY_ALERT: Final = _dcm("110113", "Security Alert")
USER_AUTHENTICATION: Final = _dcm("110114", "User Authentication")

APPLICATION_START: Final = _dcm("110120", "Application Start")
APPLICATION_STOP: Final = _dcm("110121", "Application Stop")
LOGIN: Final = _dcm("110122", "Login")
LOGOUT: Final = _dcm("110123", "Logout")
NODE_AUTHENTICATION: Final = _dcm("110126", "Node Authentication")
EMERGENCY_STARTED: Final = _dcm("110127", "Emergency Override Started")
NETWORK_CONFIGURATION: Final = _dcm("110128", "Network Configuration")
SECURITY_CONFIGURATION: Final = _dcm("110129", "Security Configuration")
RESTRICTED_FUNCTION: Final = _dcm("110132", "Use of Restricted Function")
ROLES_CHANGED: Final = _dcm("110136", "Security Roles Changed")
USER_CHANGED: Final = _dcm("110137", "User Security Attributes Changed")
EMERGENCY_STOPPED: Final = _dcm("110138", "Emergency Override Stopped")

APPLICATION: Final = _dcm("110150", "Application")
LAUNCHER: Final = _dcm("110151", "Application Launcher")
DESTINATION: Final = _dcm("110152", "Destination Role ID")
SOURCE: Final = _dcm("110153", "Source Role ID")
DESTINATION_MEDIA: Final = _dcm("110154", "Destination Media")
MEDIA_URI: Final = _dcm("110037", "URI")

STUDY_INSTANCE_UID: Final = _dcm("110180", "Study Instance UID")
SOP_CLASS_UID: Final = _dcm("110181", "SOP Class UID")
NODE_ID: Final = _dcm("110182", "Node ID")
PATIENT_NUMBER: Final = Code("2", "RFC-3881", "Patient Number")
URI: Final = Code("12", "RFC-3881", "URI")

STUDY_ROOT_FIND: Final = "1.2.840.10008.5.1.4.1.2.2.1"
_UNSAFE: Final = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_MOVING: Final = {EventClass.RETRIEVE, EventClass.STORE, EventClass.EXPORT}


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Who tells.

    Attributes:
        source_id: AuditSourceID.
        site: AuditEnterpriseSiteID; "" is none.
        ae_title: Ours.
        host: The name of this machine.
    """

    source_id: str
    site: str
    ae_title: str
    host: str


@dataclass(frozen=True, slots=True)
class Identification:
    """Which message tells an event, with its EventActionCode and EventTypeCodes."""

    event_id: Code
    action: str
    types: tuple[Code, ...] = ()


OUTCOME_INDICATORS: Final[Mapping[str, str]] = {
    Outcome.SUCCESS: "0",
    Outcome.FAILED: "4",
    Outcome.REFUSED: "8",
}


def audit_message(event: AuditEvent, source: Source) -> bytes:
    """The XML document of an event, UTF-8, without a declaration."""
    kind = event_class(event.event_class, event.action)
    draft = identify(event)
    root = ET.Element("AuditMessage")
    identification = ET.SubElement(
        root,
        "EventIdentification",
        EventActionCode=draft.action,
        EventDateTime=event.occurred_at.astimezone(UTC)
        .isoformat(timespec="milliseconds")
        .replace("+00:00", "Z"),
        EventOutcomeIndicator=OUTCOME_INDICATORS.get(event.outcome, "4"),
    )
    _code(identification, "EventID", draft.event_id)
    for one in draft.types:
        _code(identification, "EventTypeCode", one)
    if event.reason and event.outcome != Outcome.SUCCESS:
        ET.SubElement(identification, "EventOutcomeDescription").text = _text(event.reason)
    _participants(root, event, kind, draft, source)
    of = ET.SubElement(root, "AuditSourceIdentification", AuditSourceID=_text(source.source_id))
    if source.site:
        of.set("AuditEnterpriseSiteID", _text(source.site))
    _code(of, "AuditSourceTypeCode", Code("4", "", ""))  # an application server process
    _objects(root, event, draft, source)
    document: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=False)
    return document


def identify(event: AuditEvent) -> Identification:
    """Which message of §A.5.3 tells this event."""
    kind = event_class(event.event_class, event.action)
    match kind:
        case EventClass.SIGN_IN:
            return Identification(USER_AUTHENTICATION, "E", (LOGIN,))
        case EventClass.SIGN_OUT:
            return Identification(USER_AUTHENTICATION, "E", (LOGOUT,))
        case EventClass.CONNECTION:
            return Identification(SECURITY_ALERT, "E", (NODE_AUTHENTICATION,))
        case EventClass.BREAK_GLASS:
            ends = any(word in event.action for word in ("end", "stop", "close", "revoke"))
            return Identification(
                SECURITY_ALERT, "E", (EMERGENCY_STOPPED if ends else EMERGENCY_STARTED,)
            )
        case EventClass.CONFIGURATION:
            return Identification(SECURITY_ALERT, "E", (_configured(event),))
        case EventClass.AUDIT:
            return Identification(AUDIT_LOG_USED, "R")
        case EventClass.SYSTEM if event.action in {"start", "stop"}:
            return Identification(
                APPLICATION_ACTIVITY,
                "E",
                (APPLICATION_START if event.action == "start" else APPLICATION_STOP,),
            )
        case EventClass.QUERY:
            return Identification(QUERY, "E")
        case _:
            return _of_patient(event, kind)


def _of_patient(event: AuditEvent, kind: EventClass) -> Identification:
    if event.study_instance_uid:
        match kind:
            case EventClass.DELETE:
                return Identification(STUDY_DELETED, "D")
            case EventClass.STORE:
                return Identification(INSTANCES_TRANSFERRED, "C")
            case EventClass.EXPORT if event.door != "dimse":
                return Identification(EXPORT, "R")
            case EventClass.RETRIEVE | EventClass.EXPORT:
                return Identification(INSTANCES_TRANSFERRED, "R")
            case EventClass.VIEW:
                return Identification(INSTANCES_ACCESSED, "R")
            case EventClass.CHANGE:
                return Identification(INSTANCES_ACCESSED, "U")
    if event.patient_id:
        verb = {EventClass.STORE: "C", EventClass.CHANGE: "U", EventClass.DELETE: "D"}
        return Identification(PATIENT_RECORD, verb.get(kind, "R"))
    return Identification(SECURITY_ALERT, "E", (RESTRICTED_FUNCTION,))


def _configured(event: AuditEvent) -> Code:
    words = {event.action, *event.action.split(" "), *map(str, event.detail)}
    if words & {"role", "roles"} and "user" not in words and "account added" not in words:
        return ROLES_CHANGED
    if words & {
        "user",
        "account added",
        "password",
        "password changed",
        "token",
        "token made for",
        "factor",
        "session",
    }:
        return USER_CHANGED
    if words & {"entity", "application", "added", "removed", "echo"}:
        return NETWORK_CONFIGURATION
    return SECURITY_CONFIGURATION


# -- who ----------------------------------------------------------------------------------------


def _participants(
    root: ET.Element, event: AuditEvent, kind: EventClass, draft: Identification, source: Source
) -> None:
    actor_roles: tuple[Code, ...] = ()
    our_role: tuple[Code, ...] = (APPLICATION,)
    if draft.event_id is APPLICATION_ACTIVITY:
        actor_roles = (LAUNCHER,)
    elif draft.event_id in {INSTANCES_TRANSFERRED, QUERY} and (
        kind in _MOVING or kind is EventClass.QUERY
    ):
        from_actor = kind in {EventClass.STORE, EventClass.QUERY}
        receives = event.destination is None or event.destination == event.actor_name
        our_role = (DESTINATION,) if from_actor else (SOURCE,)
        actor_roles = (SOURCE,) if from_actor else (DESTINATION,) if receives else ()
        if not from_actor and not receives:
            _participant(root, event.destination or "", requestor=False, roles=(DESTINATION,))
    elif draft.event_id is EXPORT:
        our_role = (SOURCE,)
        media = _participant(
            root, event.destination or "file", requestor=False, roles=(DESTINATION_MEDIA,)
        )
        _code(ET.SubElement(media, "MediaIdentifier"), "MediaType", MEDIA_URI)
    roles = (*actor_roles, *(Code(role, "negatoscope", role) for role in event.actor_roles))
    _participant(
        root,
        event.actor_name or event.peer or "unknown",
        requestor=True,
        roles=roles,
        peer=event.peer,
        alternative=event.credential,
    )
    _participant(
        root,
        source.ae_title,
        requestor=False,
        roles=our_role,
        peer=source.host,
        alternative="negatoscope",
    )


def _participant(
    root: ET.Element,
    user_id: str,
    *,
    requestor: bool,
    roles: tuple[Code, ...] = (),
    peer: str | None = None,
    alternative: str | None = None,
) -> ET.Element:
    one = ET.SubElement(root, "ActiveParticipant", UserID=_text(user_id))
    if alternative:
        one.set("AlternativeUserID", _text(alternative))
    one.set("UserIsRequestor", "true" if requestor else "false")
    if peer:
        one.set("NetworkAccessPointID", _text(peer))
        one.set(
            "NetworkAccessPointTypeCode",
            "2" if re.fullmatch(r"[0-9.]+|[0-9a-fA-F:.]*:[0-9a-fA-F:.]*", peer) else "1",
        )
    for role in roles:
        _code(one, "RoleIDCode", role)
    return one


# -- what ---------------------------------------------------------------------------------------


def _objects(root: ET.Element, event: AuditEvent, draft: Identification, source: Source) -> None:
    told = {
        **({"reason": event.reason} if event.reason else {}),
        **({"destination": event.destination} if event.destination else {}),
        **event.detail,
        "action": event.action,
        "record": str(event.id),
        "events": str(event.event_count),
    }
    if draft.event_id is QUERY:
        asked = json.dumps(dict(event.detail), ensure_ascii=False, sort_keys=True)
        one = _object(root, STUDY_ROOT_FIND, "2", "3", SOP_CLASS_UID)
        ET.SubElement(one, "ParticipantObjectQuery").text = _base64(asked)
        _details(one, {"QueryEncoding": "UTF-8", "TransferSyntax": "application/json", **told})
    elif draft.event_id is AUDIT_LOG_USED:
        one = _object(root, f"urn:negatoscope:{source.source_id}:audit", "2", "13", URI)
        ET.SubElement(one, "ParticipantObjectName").text = "Security Audit Log"
        _details(one, told)
    elif draft.event_id is SECURITY_ALERT:
        subject = event.peer or event.study_instance_uid or event.patient_id or source.host
        one = _object(root, subject, "2", "13", NODE_ID)
        ET.SubElement(one, "ParticipantObjectName").text = _text(event.action)
        _details(one, {"Alert Description": event.reason or event.action, **told})
    if event.study_instance_uid and draft.event_id != AUDIT_LOG_USED:
        one = _object(root, event.study_instance_uid, "2", "3", STUDY_INSTANCE_UID)
        if draft.event_id is STUDY_DELETED:
            one.set("ParticipantObjectDataLifeCycle", "14")
        ET.SubElement(one, "ParticipantObjectName").text = "Study"
        if draft.event_id not in {QUERY, SECURITY_ALERT}:
            _details(one, told)
        if event.accession_number:
            ET.SubElement(one, "Accession", Number=_text(event.accession_number))
    patient = event.patient_id
    if patient is None and draft.event_id in {
        INSTANCES_ACCESSED,
        INSTANCES_TRANSFERRED,
        EXPORT,
        STUDY_DELETED,
    }:
        patient = "unknown"  # the message has a patient whatever the objects say
    if patient is not None:
        issuer = event.issuer_of_patient_id
        ident = f"{patient}^^^{issuer}" if issuer else patient
        one = _object(root, ident, "1", "1", PATIENT_NUMBER)
        ET.SubElement(one, "ParticipantObjectName")  # names are not in the trail
        if draft.event_id is PATIENT_RECORD:
            _details(one, told)


def _object(root: ET.Element, ident: str, type_code: str, role: str, of: Code) -> ET.Element:
    one = ET.SubElement(
        root,
        "ParticipantObjectIdentification",
        ParticipantObjectID=_text(ident),
        ParticipantObjectTypeCode=type_code,
        ParticipantObjectTypeCodeRole=role,
    )
    _code(one, "ParticipantObjectIDTypeCode", of)
    return one


def _details(one: ET.Element, told: Mapping[str, object]) -> None:
    for name, value in _flat(told):
        ET.SubElement(one, "ParticipantObjectDetail", type=_text(name), value=_base64(value))


def _flat(told: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    for name, value in told.items():
        yield name, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _code(parent: ET.Element, name: str, code: Code) -> ET.Element:
    one = ET.SubElement(parent, name)
    one.set("csd-code", _text(code.code))
    if code.system:
        one.set("codeSystemName", _text(code.system))
        one.set("originalText", _text(code.text))
    return one


def _text(value: str) -> str:
    return _UNSAFE.sub("\N{REPLACEMENT CHARACTER}", value)


def _base64(value: str) -> str:
    return base64.b64encode(value.encode("utf-8")).decode("ascii")
