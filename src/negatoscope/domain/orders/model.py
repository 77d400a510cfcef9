"""What an order holds (PS3.3 §C.4.10 scheduled step, §C.4.11 procedure, §C.4.12 request)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from negatoscope.domain.orders.states import ProcedureState, RequestState, StepState


class Priority(StrEnum):
    """Requested Procedure Priority (0040,1003)."""

    STAT = "STAT"
    HIGH = "HIGH"
    ROUTINE = "ROUTINE"
    MEDIUM = "MEDIUM"
    LOW = "LOW"


class Vetting(StrEnum):
    """A radiologist's word about a procedure."""

    NOT_NEEDED = "NOT NEEDED"
    WAITING = "WAITING"
    ACCEPTED = "ACCEPTED"
    REFUSED = "REFUSED"
    REPLACED = "REPLACED"


class Question(StrEnum):
    """A safety question of the catalogue."""

    PREGNANCY = "PREGNANCY"
    MR_IMPLANTS = "MR_IMPLANTS"
    CONTRAST_REACTION = "CONTRAST_REACTION"
    RENAL_FUNCTION = "RENAL_FUNCTION"
    """Answered by the eGFR in mL/min/1.73 m²."""


class Answer(StrEnum):
    """To a safety question: YES forbids."""

    YES = "YES"
    NO = "NO"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """An item of a code sequence (PS3.3 §8.8)."""

    code_value: str
    coding_scheme_designator: str = "99LOCAL"
    code_meaning: str = ""

    def as_json(self) -> dict[str, str]:
        """As ``protocol_codes`` keeps it."""
        return {
            "code_value": self.code_value,
            "coding_scheme_designator": self.coding_scheme_designator,
            "code_meaning": self.code_meaning,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class NewStep:
    """A scheduled procedure step that an order names.

    Attributes:
        scheduled_procedure_step_id: Empty: ours.
        start_at: With it the step is SCHEDULED by whoever ordered; without it WAITING.
    """

    scheduled_procedure_step_id: str = ""
    modality: str = ""
    description: str = ""
    protocol_codes: Sequence[Code] = ()
    scheduled_station_ae_title: str = ""
    scheduled_station_name: str = ""
    location: str = ""
    start_at: datetime | None = None
    performing_physician_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewProcedure:
    """A requested procedure to be made.

    Attributes:
        catalogue: Row of catalogue_procedure; what is left empty comes from there.
        code: Without a catalogue row: the asker's own.
        study_instance_uid: Empty: ours.
        requested_procedure_id: Empty: ours.
        steps: None given: one for each protocol of the catalogue, else one.
    """

    catalogue: int | None = None
    code: Code | None = None
    description: str = ""
    modality: str = ""
    duration_min: int | None = None
    study_instance_uid: str = ""
    requested_procedure_id: str = ""
    steps: Sequence[NewStep] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderDetails:
    """What is said of an order; each may change later.

    Attributes:
        requesting_service: The unit that asks.
        requesting_physician: PN.
        requesting_physician_id: RPPS.
        pregnancy_status: (0010,21C0): 0001 not, 0002 possibly, 0003 definitely, 0004 unknown.
        medical_alerts: As given; safety answers are added for the worklist.
        patient_weight_kg: (0010,1030).
        patient_size_m: (0010,1020).
        wished_at: When the asker wants it, aware.
    """

    admission_id: str = ""
    issuer_of_admission_id: str = ""
    current_patient_location: str = ""
    requesting_service: str = ""
    requesting_physician: str = ""
    requesting_physician_id: str = ""
    referring_physician_name: str = ""
    priority: Priority = Priority.ROUTINE
    clinical_question: str = ""
    justification: str = ""
    comments: str = ""
    patient_transport: str = ""
    pregnancy_status: str = ""
    medical_alerts: str = ""
    allergies: str = ""
    patient_weight_kg: Decimal | None = None
    patient_size_m: Decimal | None = None
    wished_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOrder:
    """An order to be made.

    Attributes:
        patient: Row of registered_patient.
        accession_number: Empty: ours.
        filler_order_number: Empty: ours.
        is_accepted: Another system scheduled it already: no radiologist here is asked.
    """

    patient: int
    procedures: Sequence[NewProcedure]
    details: OrderDetails = field(default_factory=OrderDetails)
    accession_number: str = ""
    issuer_of_accession_number: str = ""
    placer_order_number: str = ""
    placer_issuer: str = ""
    filler_order_number: str = ""
    filler_issuer: str = ""
    is_accepted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A scheduled procedure step."""

    id: int
    procedure: int
    scheduled_procedure_step_id: str
    modality: str
    description: str
    protocol_codes: Sequence[Mapping[str, str]]
    scheduled_station_ae_title: str
    scheduled_station_name: str
    location: str
    start_at: datetime | None
    end_at: datetime | None
    performing_physician_name: str
    requested_contrast_agent: str
    state: StepState
    arrived_at: datetime | None
    identity_checked_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    acquired_with: int | None
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Procedure:
    """A requested procedure."""

    id: int
    request: int
    requested_procedure_id: str
    study_instance_uid: str
    catalogue: int | None
    code_value: str
    coding_scheme_designator: str
    code_meaning: str
    description: str
    modality: str
    duration_min: int
    vetting: Vetting
    vetting_reason: str
    vetted_by: str
    vetted_at: datetime | None
    protocol: str
    replaced_by: int | None
    state: ProcedureState
    version: int
    steps: tuple[Step, ...] = ()
    wished_room: int | None = None
    wished_room_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SafetyAnswer:
    """What was answered to a safety question.

    Attributes:
        value: Of RENAL_FUNCTION: eGFR in mL/min/1.73 m².
        cleared_by: Who let it go on in spite of the answer; empty: nobody.
    """

    question: str
    answer: Answer
    value: Decimal | None
    detail: str
    answered_by: str
    answered_at: datetime
    cleared_by: str = ""
    cleared_reason: str = ""
    cleared_at: datetime | None = None

    @property
    def blocks(self) -> bool:
        """Whether nothing goes on by hand."""
        return self.answer is not Answer.NO and not self.cleared_by


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An imaging service request."""

    id: int
    patient: int
    accession_number: str
    issuer_of_accession_number: str
    placer_order_number: str
    placer_issuer: str
    filler_order_number: str
    filler_issuer: str
    details: OrderDetails
    state: RequestState
    state_reason: str
    source: str
    version: int
    created_at: datetime
    updated_at: datetime
    procedures: tuple[Procedure, ...] = ()

    @property
    def steps(self) -> tuple[Step, ...]:
        """Of all procedures."""
        return tuple(step for one in self.procedures for step in one.steps)


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryLine:
    """One thing that happened."""

    id: int
    at: datetime
    kind: str
    procedure: int | None
    step: int | None
    appointment: int | None
    detail: Mapping[str, Any]
    source: str
