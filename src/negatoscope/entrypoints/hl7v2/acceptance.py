"""Whether a message is taken: what its sender is told before it has had any effect.

A message is kept in every case. Faults that the sender can mend (no header, no control identifier,
a type or a version we do not speak, a patient without usable identifier) are refused at once, with
segment, field and reason; what turns out later is for a person here.
"""

from typing import Final

from negatoscope.domain.messages import MAX_IDENTIFIERS, Arrival, State, Verdict
from negatoscope.entrypoints.hl7v2 import adt, appointments, master_files, orders
from negatoscope.infra.settings import PatientSettings
from negatoscope.protocols.hl7v2 import ErrorCode, MalformedMessage, Message, Segment, parse
from negatoscope.protocols.hl7v2.acknowledgement import ACKNOWLEDGEMENTS

MESSAGE_CODES: Final = {
    "ADT": adt.check,
    "ORM": orders.check,
    "OMG": orders.check,
    "OMI": orders.check,
    "MFN": master_files.check,
    "SIU": appointments.check,
}
"""What is taken, and who looks at it before it is."""
VERSIONS: Final = ("2.1", "2.2", "2.3", "2.4", "2.5", "2.6", "2.7", "2.8", "2.9")
_MAX_TEXT: Final = 200


def examine(
    content: bytes, *, peer: str, patients: PatientSettings | None = None
) -> tuple[Arrival, Message | None]:
    """A message as it will be kept, and taken apart; None where it cannot be.

    Args:
        content: As it came.
        peer: From where.
        patients: What is taken of patients; as a production site would, unless given.
    """
    try:
        message = parse(content)
    except MalformedMessage as error:
        verdict = Verdict(
            code="AR",
            error_code=error.code,
            segment=error.segment,
            field=error.field,
            reason=error.message,
        )
        return Arrival(content=content, peer=peer, verdict=verdict, state=State.FAILED), None
    site = patients or PatientSettings()
    application, facility = message.sender
    message = adt.with_authority(message, site.authority_of(facility))
    verdict, state = _verdict(message, site), State.PENDING
    if not verdict.is_positive:
        state = State.FAILED
    elif message.message_code in ACKNOWLEDGEMENTS:
        verdict, state = Verdict(reason="nothing here waits for an acknowledgement"), State.IGNORED
    arrival = Arrival(
        content=content,
        peer=peer,
        sending_application=_kept(application),
        sending_facility=_kept(facility),
        message_code=_kept(message.message_code),
        trigger_event=_kept(message.trigger_event),
        control_id=_kept(message.control_id),
        version_id=_kept(message.version_id),
        patient_identifiers=_identifiers(message),
        notes=message.notes[:20],
        verdict=verdict,
        state=state,
    )
    return arrival, message


def _verdict(message: Message, patients: PatientSettings) -> Verdict:
    if message.message_code in ACKNOWLEDGEMENTS:
        return Verdict()
    check = MESSAGE_CODES.get(message.message_code)
    if check is None:
        return Verdict(
            code="AR",
            error_code=ErrorCode.UNSUPPORTED_MESSAGE_TYPE,
            segment="MSH",
            field=9,
            reason=f"messages of type {_kept(message.message_code)} are not taken here",
        )
    version = message.version_id
    if version and version[:3] not in VERSIONS:
        return Verdict(
            code="AR",
            error_code=ErrorCode.UNSUPPORTED_VERSION_ID,
            segment="MSH",
            field=12,
            reason="versions 2.1 to 2.9 are taken",
        )
    verdict = check(message)
    return verdict if not verdict.is_positive else _allowed(message, patients)


def _allowed(message: Message, patients: PatientSettings) -> Verdict:
    """What this site does not take."""
    if not patients.accept_test_ins and adt.has_test_identity(message):
        return Verdict(
            code="AE",
            error_code=ErrorCode.TABLE_VALUE_NOT_FOUND,
            segment="PID",
            field=3,
            reason="an INS of the test or demonstration domain is not taken on a production site",
        )
    is_update = message.message_code == "ADT" and message.trigger_event == "A08"
    if is_update and not patients.accept_a08:
        return Verdict(
            code="AR",
            error_code=ErrorCode.UNSUPPORTED_EVENT_CODE,
            segment="MSH",
            field=9,
            reason="ADT^A08 is not taken here: IHE PAM France excludes it, A31 or Z99 are meant",
        )
    return Verdict()


def _identifiers(message: Message) -> tuple[str, ...]:
    """To search by: the bare value, and the value with its authority."""
    found: dict[str, None] = {}
    for one in message.all("PID"):
        _add(found, one, 3)
        _add(found, one, 18)
    for one in message.all("MRG"):
        _add(found, one, 1)
    return tuple(found)[:MAX_IDENTIFIERS]


def _add(found: dict[str, None], segment: Segment, number: int) -> None:
    for repetition in segment.repetitions(number):
        value = _kept(segment.part(repetition, 1))
        if value and value != '""':
            found[value] = None
            found[f"{value}^{_kept(segment.part(repetition, 4))}"] = None


def _kept(text: str) -> str:
    """As a column takes it."""
    return text.replace("\0", "")[:_MAX_TEXT]
