"""The schema of DICOM audit messages as rules, written from PS3.15 §A.5.1 and not from our code."""

import base64
import re
from collections.abc import Iterator
from xml.etree import ElementTree as ET

DATE_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
CODED = {"csd-code": True, "codeSystemName": True, "displayName": False, "originalText": True}
ATTRIBUTES = {
    "EventIdentification": {
        "EventActionCode": "[CRUDE]", "EventDateTime!": DATE_TIME.pattern, "EventOutcomeIndicator!": "0|4|8|12",
    },
    "ActiveParticipant": {
        "UserID!": ".+", "AlternativeUserID": ".+", "UserName": ".+", "UserIsRequestor!": "true|false",
        "NetworkAccessPointID": ".+", "NetworkAccessPointTypeCode": "[1-5]",
    },
    "AuditSourceIdentification": {"AuditEnterpriseSiteID": ".+", "AuditSourceID!": ".+"},
    "AuditSourceTypeCode": {
        "csd-code!": r"[1-9]|\D.*", "codeSystemName": ".+", "originalText": ".+", "displayName": ".+",
    },
    "ParticipantObjectIdentification": {
        "ParticipantObjectID!": ".+", "ParticipantObjectTypeCode!": "[1-4]",
        "ParticipantObjectTypeCodeRole!": r"[1-9]|1\d|2[0-4]", "ParticipantObjectDataLifeCycle": r"[1-9]|1[0-5]",
        "ParticipantObjectSensitivity": ".+",
    },
    "ParticipantObjectDetail": {"type!": ".+", "value!": "[A-Za-z0-9+/]*={0,2}"},
    "Accession": {"Number!": ".+"},
}  # fmt: skip
CODES = {"EventID", "EventTypeCode", "RoleIDCode", "ParticipantObjectIDTypeCode", "MediaType"}
CHILDREN = {
    "AuditMessage": "EventIdentification ActiveParticipant+ AuditSourceIdentification ParticipantObjectIdentification*",
    "EventIdentification": "EventID EventTypeCode* EventOutcomeDescription?",
    "ActiveParticipant": "RoleIDCode* MediaIdentifier?",
    "MediaIdentifier": "MediaType",
    "AuditSourceIdentification": "AuditSourceTypeCode*",
    "ParticipantObjectIdentification": "ParticipantObjectIDTypeCode (ParticipantObjectName|ParticipantObjectQuery)"
    " ParticipantObjectDetail* ParticipantObjectDescription* MPPS* Accession*",
}
MESSAGES = {  # event: action codes, type codes, least number of study objects, of patients, of participants
    "110100": ("E", {"110120", "110121"}, 0, 0, 2),
    "110101": ("R", set(), 0, 0, 1),
    "110103": ("CRUD", set(), 1, 1, 1),
    "110104": ("CRU", set(), 1, 1, 2),
    "110105": ("D", set(), 1, 1, 1),
    "110106": ("R", set(), 1, 1, 2),
    "110110": ("CRUD", set(), 0, 1, 1),
    "110112": ("E", set(), 0, 0, 2),
    "110113": (
        "E",
        {"110126", "110127", "110128", "110129", "110132", "110136", "110137", "110138"},
        0,
        0,
        1,
    ),
    "110114": ("E", {"110122", "110123"}, 0, 0, 1),
}


def parse(document: bytes) -> ET.Element:
    """The root of a message."""
    return ET.fromstring(document)  # noqa: S314 - written by ourselves


def faults(document: bytes) -> list[str]:
    """What in a message breaks a rule."""
    root = parse(document)
    return [*_structure(root), *_message(root)]


def _structure(element: ET.Element) -> Iterator[str]:
    name = element.tag
    rules = (
        {key + "!" * need: ".+" if key != "originalText" else ".*" for key, need in CODED.items()}
        if name in CODES
        else ATTRIBUTES.get(name, {})
    )
    known = {rule.rstrip("!"): (rule.endswith("!"), pattern) for rule, pattern in rules.items()}
    for attribute, value in element.attrib.items():
        if attribute not in known:
            yield f"{name}/@{attribute} is unknown"
        elif not re.fullmatch(known[attribute][1], value, re.DOTALL):
            yield f"{name}/@{attribute}={value!r}"
    yield from (
        f"{name}/@{key} is missing"
        for key, (need, _) in known.items()
        if need and key not in element.attrib
    )
    children = " ".join(child.tag for child in element) + " " * bool(len(element))
    model = " ".join(CHILDREN.get(name, "").split()).replace("(", "").replace(")", "")
    pattern = "".join(
        f"(?:(?:{part.rstrip('*+?')}) ){part[len(part.rstrip('*+?')) :]}" for part in model.split()
    )
    if not re.fullmatch(pattern, children):
        yield f"{name} holds {children!r}"
    for child in element:
        yield from _structure(child)


def _message(root: ET.Element) -> Iterator[str]:
    event = root.find("EventIdentification")
    assert event is not None
    ident = event.find("EventID")
    assert ident is not None
    code = ident.get("csd-code", "")
    if code not in MESSAGES or ident.get("codeSystemName") != "DCM":
        yield f"EventID {code}"
        return
    actions, types, studies, patients, participants = MESSAGES[code]
    if event.get("EventActionCode", "") not in actions:
        yield f"{code}: EventActionCode {event.get('EventActionCode')}"
    found = [one.get("csd-code") for one in event.iter("EventTypeCode")]
    if types and not (found and set(found) <= types):
        yield f"{code}: EventTypeCode {found}"
    objects = list(root.iter("ParticipantObjectIdentification"))

    def of(type_code: str, role: str, id_type: str) -> int:
        return sum(
            one.get("ParticipantObjectTypeCode") == type_code
            and one.get("ParticipantObjectTypeCodeRole") == role
            and one[0].get("csd-code") == id_type
            for one in objects
        )

    if of("2", "3", "110180") < studies:
        yield f"{code}: no study"
    if of("1", "1", "2") < patients:
        yield f"{code}: no patient"
    people = list(root.iter("ActiveParticipant"))
    if len(people) < participants:
        yield f"{code}: {len(people)} participants"
    if sum(one.get("UserIsRequestor") == "true" for one in people) != 1:
        yield f"{code}: not one requestor"
    roles = [role.get("csd-code") for one in people for role in one.iter("RoleIDCode")]
    if code in {"110104", "110112"} and not {"110152", "110153"} <= set(roles):
        yield f"{code}: roles {roles}"
    if code == "110106" and not (
        {"110153", "110154"} <= set(roles) and list(root.iter("MediaType"))
    ):
        yield f"{code}: roles {roles}"
    if code == "110100" and not {"110150", "110151"} <= set(roles):
        yield f"{code}: roles {roles}"
    if code == "110112":
        queries = [one.text or "" for one in root.iter("ParticipantObjectQuery")]
        if (
            of("2", "3", "110181") != 1
            or len(queries) != 1
            or not base64.b64decode(queries[0], validate=True)
        ):
            yield "110112: no query"
