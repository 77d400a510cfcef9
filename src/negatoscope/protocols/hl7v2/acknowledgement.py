"""Acknowledgements, original and enhanced mode (HL7 v2.5.1 §2.9).

Original mode: MSH-15 and MSH-16 are empty; one answer, AA, AE or AR, after processing. Enhanced
mode: one of them is valued; the accept acknowledgement (CA, CE, CR) says that the message is kept,
the application acknowledgement (AA, AE, AR) what came of it. An acknowledgement is never
acknowledged on application level.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from negatoscope.protocols.hl7v2.message import Message, Segment

ACKNOWLEDGEMENTS: Final = frozenset({"ACK", "MCF", "ORR", "ORG", "ORI", "SRR", "RSP", "ZAM"})


class AcknowledgmentCode(StrEnum):
    """HL7 table 0008."""

    APPLICATION_ACCEPT = "AA"
    APPLICATION_ERROR = "AE"
    APPLICATION_REJECT = "AR"
    COMMIT_ACCEPT = "CA"
    COMMIT_ERROR = "CE"
    COMMIT_REJECT = "CR"

    @property
    def is_positive(self) -> bool:
        """Whether the message was taken."""
        return self.value[1] == "A"


class ErrorCode(StrEnum):
    """HL7 table 0357."""

    ACCEPTED = "0"
    SEGMENT_SEQUENCE = "100"
    REQUIRED_FIELD_MISSING = "101"
    DATA_TYPE = "102"
    TABLE_VALUE_NOT_FOUND = "103"
    UNSUPPORTED_MESSAGE_TYPE = "200"
    UNSUPPORTED_EVENT_CODE = "201"
    UNSUPPORTED_PROCESSING_ID = "202"
    UNSUPPORTED_VERSION_ID = "203"
    UNKNOWN_KEY_IDENTIFIER = "204"
    DUPLICATE_KEY_IDENTIFIER = "205"
    APPLICATION_RECORD_LOCKED = "206"
    INTERNAL_ERROR = "207"


_ERROR_TEXTS: Final = {
    ErrorCode.ACCEPTED: "Message accepted",
    ErrorCode.SEGMENT_SEQUENCE: "Segment sequence error",
    ErrorCode.REQUIRED_FIELD_MISSING: "Required field missing",
    ErrorCode.DATA_TYPE: "Data type error",
    ErrorCode.TABLE_VALUE_NOT_FOUND: "Table value not found",
    ErrorCode.UNSUPPORTED_MESSAGE_TYPE: "Unsupported message type",
    ErrorCode.UNSUPPORTED_EVENT_CODE: "Unsupported event code",
    ErrorCode.UNSUPPORTED_PROCESSING_ID: "Unsupported processing id",
    ErrorCode.UNSUPPORTED_VERSION_ID: "Unsupported version id",
    ErrorCode.UNKNOWN_KEY_IDENTIFIER: "Unknown key identifier",
    ErrorCode.DUPLICATE_KEY_IDENTIFIER: "Duplicate key identifier",
    ErrorCode.APPLICATION_RECORD_LOCKED: "Application record locked",
    ErrorCode.INTERNAL_ERROR: "Application internal error",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledgement:
    """What a receiver said of a message.

    Attributes:
        control_id: MSA-2: of which message.
        code: MSA-1.
        error_code: ERR-3; before v2.5 ERR-1.4.
        location: ``PID-3`` where ERR says so.
        text: Its words, for a person: ERR-8, ERR-7, MSA-3, or those of the code.
    """

    control_id: str
    code: AcknowledgmentCode
    error_code: str = ""
    location: str = ""
    text: str = ""


def read_acknowledgement(message: Message) -> Acknowledgement | None:
    """An answer, of either mode and any version; None when it is none."""
    msa = message.first("MSA")
    if msa is None or msa.get(1) not in set(AcknowledgmentCode):
        return None
    error_code = location = text = ""
    for err in message.all("ERR"):
        error_code = err.get(3) or err.get(1, 4)
        segment, field = (err.get(2), err.get(2, 3)) if err.raw(2) else (err.get(1), err.get(1, 3))
        location = f"{segment}-{field}" if segment and field else segment
        text = err.text(8) or err.text(7) or err.get(3, 2) or err.get(1, 4, 2)
        if error_code or text:
            break
    text = text or msa.text(3) or msa.get(6, 2)
    if not text and error_code in set(ErrorCode):
        text = _ERROR_TEXTS[ErrorCode(error_code)]
    return Acknowledgement(
        control_id=msa.get(2),
        code=AcknowledgmentCode(msa.get(1)),
        error_code=error_code,
        location=location,
        text=text,
    )


def is_enhanced(message: Message) -> bool:
    """Whether the sender uses enhanced mode (§2.9.3)."""
    return bool(message.header.get(15) or message.header.get(16))


def wants_accept(message: Message, *, successful: bool) -> bool:
    """Whether an accept acknowledgement is due: MSH-15, HL7 table 0155."""
    return is_enhanced(message) and _is_due(message.header.get(15), successful=successful)


def wants_application(message: Message, *, successful: bool) -> bool:
    """Whether an application acknowledgement is due: original mode, or MSH-16.

    None is for an acknowledgement, whatever it asks for itself.
    """
    if message.message_code in ACKNOWLEDGEMENTS:
        return False
    if not is_enhanced(message):
        return True
    return _is_due(message.header.get(16), successful=successful)


def _is_due(condition: str, *, successful: bool) -> bool:
    return condition in {"AL", "SU" if successful else "ER"}


def acknowledge(
    message: Message,
    code: AcknowledgmentCode,
    *,
    control_id: str,
    at: datetime,
    error: ErrorCode | str | None = None,
    where: tuple[str, int] = ("", 0),
    reason: str = "",
    message_type: tuple[str, ...] = (),
    details: Sequence[Segment] = (),
) -> Message:
    """The answer to a message (§2.9.2, §2.9.3).

    Args:
        message: That is answered.
        code: What is said.
        control_id: MSH-10 of the answer.
        at: MSH-7, aware.
        error: ERR-3; without one there is no ERR segment.
        where: Segment and field of ERR-2.
        reason: ERR-8, in words for a person; never a patient's data.
        message_type: MSH-9 of an answer that says more than ACK.
        details: What it says more.

    Returns: ``ACK^<trigger>^ACK`` in the version, processing mode, delimiters and character set of
        the message, receiver and sender exchanged.
    """
    asked = message.header
    delimiters = asked.delimiters
    fields = [""] * 19
    for number, partner in ((3, 5), (4, 6), (5, 3), (6, 4), (17, 17), (18, 18)):
        fields[number] = asked.raw(partner)
    component = delimiters.component
    trigger = asked.get(9, 2)
    fields[0:3] = "MSH", delimiters.field, delimiters.encoding_characters
    fields[7] = at.strftime("%Y%m%d%H%M%S%z")
    fields[9] = component.join(message_type or (("ACK", trigger, "ACK") if trigger else ("ACK",)))
    fields[10] = control_id
    fields[11] = asked.raw(11) or "P"
    fields[12] = asked.raw(12) or "2.5"
    while not fields[-1]:
        fields.pop()
    segments = [
        Segment(tuple(fields), delimiters),
        # MSA-2 is echoed as it was written.
        Segment(("MSA", code.value, asked.raw(10)), delimiters),
    ]
    if error is not None:
        segment, number = where
        known = error in set(ErrorCode)
        err = {
            2: (segment, 1, number or None) if segment else None,
            3: (str(error), _ERROR_TEXTS[ErrorCode(error)] if known else None, "HL70357"),
            4: "I" if code.is_positive else "E",
            8: reason or None,
        }
        segments.append(Segment.build("ERR", err, delimiters))
    return Message.build([*segments, *details])
