"""Patients to others [RAD-12, ITI-30]: ADT^A28, A31, A40, A47; and admission messages forwarded.

With the header of the French extension of PAM (2.5^FRA^2.11) where the destination asks for it.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any, Final

from negatoscope.domain.messages import Destination
from negatoscope.domain.patients import Authority, ChangeKind, Identifier, Patient
from negatoscope.protocols.hl7v2 import Delimiters, MalformedMessage, Message, Segment
from negatoscope.subscribers.outbound_hl7.segments import (
    extended_id,
    header,
    null_id,
    patient_identification,
    timestamp,
)

PATIENT_ACTIONS: Final = {
    "A28": "a file is made",
    "A31": "traits or identifiers change, or a merge is taken back",
    "A47": "an identifier takes another one's place, or goes",
    "A40": "a file ends in another one",
}
"""Trigger events, and when they are said."""
STRUCTURES: Final = {"A28": "ADT_A05", "A31": "ADT_A05", "A47": "ADT_A30", "A40": "ADT_A39"}
EVENTS: Final[Mapping[str, str]] = {
    ChangeKind.CREATED: "A28",
    ChangeKind.UPDATED: "A31",
    ChangeKind.IDENTIFIERS_CHANGED: "A47",
    ChangeKind.ABSORBED: "A40",
    ChangeKind.SPLIT: "A31",
}
"""Of a change of a file; of a merge the surviving file tells."""


def patient_message(
    destination: Destination,
    *,
    patient: Patient,
    event: str,
    ended: Sequence[Identifier] = (),
    taken_away: Sequence[Identifier] = (),
    control_id: str,
    at: datetime,
    occurred_at: datetime,
    zone: tzinfo,
) -> Message:
    """ADT about a patient.

    Args:
        destination: Who is told.
        patient: As the file is now.
        event: ``A28`` …
        ended: MRG-1: identifiers of the file that ended, or the one that changed.
        taken_away: Identifiers that nothing takes the place of (A47).
        control_id: MSH-10.
        at: MSH-7.
        occurred_at: EVN-6.
        zone: The department's.
    """
    is_french = destination.adt_profile == "PAM-FR"
    old = set(ended)
    # After a merge the survivor has what the other one had: PID-3 and MRG-1 must differ.
    kept = [one for one in patient.identifiers if one not in old] or list(patient.identifiers)
    pid = patient_identification(patient, identifiers=kept)
    if taken_away:
        fields = list(pid.fields)
        nulls = Segment.build("PID", {3: [null_id(one) for one in taken_away]}).fields[3]
        fields[3] = pid.delimiters.repetition.join(one for one in (fields[3], nulls) if one)
        pid = Segment(tuple(fields), pid.delimiters)
    segments = [
        header(
            destination,
            message_type=("ADT", event, STRUCTURES[event]),
            version=("2.5", "FRA", "2.11") if is_french else "2.5",
            control_id=control_id,
            at=at,
            zone=zone,
            is_french=is_french,
        ),
        Segment.build("EVN", {2: timestamp(at, zone), 6: timestamp(occurred_at, zone)}),
        pid,
    ]
    if event in {"A40", "A47"}:
        segments.append(Segment.build("MRG", {1: [extended_id(one) for one in ended]}))
    else:
        segments.append(Segment.build("PV1", {2: "N"}))
    return Message.build(segments)


def identifiers_of(given: Any, known: Iterable[Identifier]) -> list[Identifier]:
    """Identifiers that the history of a file names.

    Args:
        given: ``identifiers`` of a line of the history.
        known: Those that the file has or had, with all of their authority.
    """
    by_name = {(one.value, one.authority.text): one for one in known}
    found: list[Identifier] = []
    for one in given if isinstance(given, list) else ():
        if not isinstance(one, dict):
            continue
        value, name = str(one.get("value", "")), str(one.get("authority", ""))
        universal_id = str(one.get("universal_id", ""))
        namespace = "" if name == universal_id else name
        found.append(
            by_name.get((value, name))
            or Identifier(
                value=value,
                authority=Authority(namespace=namespace, universal_id=universal_id),
                type_code=str(one.get("type_code", "")),
            )
        )
    return found


def forwarded(content: bytes, destination: Destination) -> bytes:
    """A message as it came, addressed to the destination: MSH-5, 6, 15, 16; all else stays.

    Bytes are not read anew, so that a character set that lies or a value that nobody understands
    goes on as it was. UTF-16 and UTF-32 stay as they are altogether.
    """
    start = content.find(b"MSH")
    end = min((at for at in (content.find(b"\r"), content.find(b"\n")) if at > 0), default=-1)
    if start < 0 or end < start:
        return content
    try:
        delimiters = Delimiters.of_header(content[start:end].decode("latin-1"))
    except MalformedMessage:
        return content
    fields = content[start:end].split(delimiters.field.encode("latin-1"))
    while len(fields) < 16:
        fields.append(b"")
    is_enhanced = destination.acknowledgment_mode == "ENHANCED"
    # The field after `MSH` is MSH-2: a field's place here is its number less one.
    for number, value in (
        (5, destination.receiving_application),
        (6, destination.receiving_facility),
    ):
        if value and value.isascii():
            written = Segment.build("ZZZ", {1: value}, delimiters).fields[1]
            fields[number - 1] = written.encode("ascii")
    fields[14], fields[15] = (b"AL", b"NE") if is_enhanced else (b"", b"")
    header_line = delimiters.field.encode("latin-1").join(fields)
    return content[:start] + header_line + content[end:]
