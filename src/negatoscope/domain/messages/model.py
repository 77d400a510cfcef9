"""Messages as they are kept."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

MAX_IDENTIFIERS: Final = 100
"""Of a message, kept to search by and to keep the order of each patient."""


class State(StrEnum):
    """What came of a message."""

    PENDING = "PENDING"
    """It waits for its turn."""
    PROCESSED = "PROCESSED"
    """It had its effect, in one transaction with this word."""
    IGNORED = "IGNORED"
    """Nothing here depends on it: the reason says why."""
    FAILED = "FAILED"
    """It needs a person: the reason says what for. Others go on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a sender is told.

    Attributes:
        code: HL7 table 0008, as in MSA-1 of original mode: AA, AE, AR.
        error_code: HL7 table 0357, for ERR-3; empty when taken.
        segment: Of ERR-2.
        field: Of ERR-2.
        reason: ERR-8, in words.
    """

    code: str = "AA"
    error_code: str = ""
    segment: str = ""
    field: int = 0
    reason: str = ""

    @property
    def is_positive(self) -> bool:
        """Whether it was taken."""
        return self.code == "AA"


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A message to be kept.

    Attributes:
        content: As it arrived.
        peer: Address of the sender.
        sending_application: MSH-3.1.
        sending_facility: MSH-4.1.
        message_code: MSH-9.1.
        trigger_event: MSH-9.2.
        control_id: MSH-10; empty when there was no header to read.
        version_id: MSH-12.1.
        patient_identifiers: Values, and ``value^authority``, of PID-3, PID-18 and MRG-1.
        notes: What had to be forgiven to read it.
        verdict: What the sender is told once this is kept.
        state: PENDING, or already final.
    """

    content: bytes
    peer: str = ""
    sending_application: str = ""
    sending_facility: str = ""
    message_code: str = ""
    trigger_event: str = ""
    control_id: str = ""
    version_id: str = ""
    patient_identifiers: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    verdict: Verdict = field(default_factory=Verdict)
    state: State = State.PENDING

    @property
    def sha256(self) -> bytes:
        """Digest of the content."""
        return hashlib.sha256(self.content).digest()

    @property
    def key(self) -> tuple[str, str, str]:
        """What makes it the same message when it comes again: its sender and MSH-10."""
        return self.sending_application, self.sending_facility, self.control_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """That a message is kept.

    Attributes:
        id: Its number here; of the first one when it is a repetition.
        verdict: What to tell the sender: of a repetition the same as before.
        is_repetition: The same message came before; this time it has no effect.
    """

    id: int
    verdict: Verdict
    is_repetition: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredMessage:
    """A kept message."""

    id: int
    stored_at: datetime
    peer: str
    sending_application: str
    sending_facility: str
    message_code: str
    trigger_event: str
    control_id: str
    version_id: str
    patient_identifiers: tuple[str, ...]
    notes: tuple[str, ...]
    verdict: Verdict
    state: State
    state_reason: str
    effect: Mapping[str, Any]
    attempt_count: int
    processed_at: datetime | None
    byte_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which messages: what is given must all be so.

    Attributes:
        patient_identifier: The beginning of ``value^authority``.
        message_type: ``ADT`` or ``ADT^A01``.
        state: Only these.
        sending_application: MSH-3.1.
        control_id: MSH-10.
        stored_from: Not before.
        stored_until: Before.
        before_id: For the next page: only older ones.
    """

    patient_identifier: str = ""
    message_type: str = ""
    state: State | None = None
    sending_application: str = ""
    control_id: str = ""
    stored_from: datetime | None = None
    stored_until: datetime | None = None
    before_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Who sends us messages, as far as the list tells."""

    sending_application: str
    sending_facility: str
    message_count: int
    pending_count: int
    failed_count: int
    last_at: datetime
    last_peer: str
