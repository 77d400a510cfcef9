"""What is sent and received of orders."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated

from fastapi import Path
from pydantic import AfterValidator, AwareDatetime, Field

from negatoscope.domain.orders import (
    Answer,
    Code,
    HistoryLine,
    NewProcedure,
    Priority,
    ProcedureState,
    ProtocolChoice,
    Question,
    RequestState,
    StepState,
    Vetting,
    safety,
)
from negatoscope.entrypoints.api.common import Schema
from negatoscope.entrypoints.api.registered_patients import RegisteredPatient

Number = Annotated[int, Path(ge=1, lt=1 << 62)]
Version = Annotated[int, Field(ge=1, le=2**31 - 1)]


def _clean(text: str) -> str:
    """Lines without other control characters."""
    kept = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    return "".join(one for one in kept if one == "\n" or ord(one) >= 32)


def _one_line(text: str) -> str:
    return " ".join(_clean(text).split())


Line = Annotated[str, Field(max_length=64), AfterValidator(_one_line)]
Text = Annotated[str, Field(max_length=4000), AfterValidator(_clean)]
Reason = Annotated[str, Field(max_length=1000), AfterValidator(_clean)]
Person = Annotated[str, Field(max_length=200), AfterValidator(_one_line)]

Modality = Annotated[str, Field(max_length=16, pattern=r"^[A-Z0-9_ ]*$")]


class CodeSchema(Schema):
    """An item of a code sequence."""

    code_value: Annotated[str, Field(min_length=1, max_length=16), AfterValidator(_one_line)]
    coding_scheme_designator: Annotated[str, Field(max_length=16)] = "99LOCAL"
    code_meaning: Annotated[str, Field(max_length=64), AfterValidator(_one_line)] = ""

    def code(self) -> Code:
        """As the orders have it."""
        return Code(**self.model_dump())


class OrderedStep(Schema):
    """A scheduled procedure step."""

    id: int
    scheduled_procedure_step_id: str
    modality: str
    description: str
    protocol_codes: list[dict[str, str]]
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
    """Group case: the first step of those that one acquisition fulfils."""
    version: int


class OrderedProcedure(Schema):
    """A requested procedure."""

    id: int
    requested_procedure_id: str
    study_instance_uid: str
    catalogue: int | None
    """None: its code is not in the catalogue."""
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
    wished_room: int | None
    wished_room_name: str
    replaced_by: int | None
    state: ProcedureState
    version: int
    steps: list[OrderedStep]


class ListedOrder(Schema):
    """An order in a list."""

    id: int
    version: int
    accession_number: str
    issuer_of_accession_number: str
    placer_order_number: str
    placer_issuer: str
    filler_order_number: str
    state: RequestState
    state_reason: str
    priority: Priority
    patient: RegisteredPatient
    patient_id: str
    """As modalities get it."""
    requesting_service: str
    requesting_physician: str
    clinical_question: str
    wished_at: datetime | None
    starts_at: datetime | None
    """The first step that has a time."""
    created_at: datetime
    updated_at: datetime
    source: str
    procedures: list[OrderedProcedure]


class OrderPage(Schema):
    """Orders, newest first."""

    orders: list[ListedOrder]
    next_before: int | None
    """For the next page; None: there are no more."""
    counts: dict[RequestState, int]
    """How many match in each state, whatever states were asked for."""
    waiting_for_vetting: int


class OrderFile(ListedOrder):
    """An order with all that is known of it."""

    admission_id: str
    issuer_of_admission_id: str
    current_patient_location: str
    requesting_physician_id: str
    referring_physician_name: str
    justification: str
    comments: str
    patient_transport: str
    pregnancy_status: str
    medical_alerts: str
    allergies: str
    patient_weight_kg: Decimal | None
    patient_size_m: Decimal | None
    safety: list[safety.AskedQuestion]
    events: list[HistoryLine]
    """Newest first, 500 at most."""
    studies: dict[int, list[str]]
    """Studies of the archive by procedure."""


class OrderWords(Schema):
    """What is said of an order; what is left out stays as it is."""

    priority: Priority | None = None
    clinical_question: Text | None = None
    justification: Text | None = None
    comments: Text | None = None
    requesting_service: Line | None = None
    requesting_physician: Person | None = None
    """PN: ``family^given``."""
    requesting_physician_id: Line | None = None
    referring_physician_name: Person | None = None
    admission_id: Line | None = None
    current_patient_location: Line | None = None
    patient_transport: Line | None = None
    medical_alerts: Text | None = None
    allergies: Text | None = None
    patient_weight_kg: Annotated[Decimal | None, Field(gt=0, le=700)] = None
    patient_size_m: Annotated[Decimal | None, Field(gt=0, le=3)] = None
    wished_at: AwareDatetime | None = None


class WantedProcedure(Schema):
    """A procedure that is asked for: of the catalogue, or in words."""

    catalogue: Annotated[int | None, Field(ge=1, lt=1 << 62)] = None
    description: Line = ""
    modality: Modality = ""

    def procedure(self) -> NewProcedure:
        """As the orders have it."""
        return NewProcedure(
            catalogue=self.catalogue, description=self.description, modality=self.modality
        )


class GivenAnswer(Schema):
    """An answer to a safety question."""

    answer: Answer | None = None
    """Of RENAL_FUNCTION it follows from the value."""
    value: Annotated[Decimal | None, Field(gt=0, le=200)] = None
    detail: Reason = ""


class WantedOrder(OrderWords):
    """An order to be made."""

    patient: Annotated[int, Field(ge=1, lt=1 << 62)]
    procedures: Annotated[list[WantedProcedure], Field(min_length=1, max_length=20)]
    placer_order_number: Line = ""
    answers: Annotated[dict[Question, GivenAnswer], Field(default_factory=dict)]


class ChangedOrder(OrderWords):
    """Other words."""

    version: Version


class Told(Schema):
    """Something said of an order as it was read."""

    version: Version
    reason: Reason = ""


class ToldAnswer(GivenAnswer):
    """An answer to a question of an order as it was read."""

    version: Version | None = None


class MoreProcedure(WantedProcedure):
    """One more procedure."""

    version: Version


class Chosen(Schema):
    """How a radiologist wants it done; what is left out, or null, stays as it is."""

    protocol: Text = ""
    protocol_codes: Annotated[list[CodeSchema] | None, Field(max_length=20)] = None
    """One step each, in place of those there are; empty: one step without a code."""
    contrast_agent: Line | None = None
    wished_room: Annotated[int | None, Field(ge=0, lt=1 << 62)] = None
    """A resource; 0: wherever it can be done."""

    def choice(self, *, modality: str | None = None) -> ProtocolChoice:
        """As the orders have it."""
        codes = self.protocol_codes
        return ProtocolChoice(
            text=self.protocol,
            codes=None if codes is None else [one.code() for one in codes],
            contrast_agent=self.contrast_agent,
            modality=modality,
            wished_room=self.wished_room,
        )


class Accepted(Chosen):
    """A radiologist accepts."""

    version: Version
    modality: Modality | None = None


class Replaced(WantedProcedure, Chosen):
    """A radiologist asks for another procedure instead."""

    version: Version
    reason: Reason = ""


class WaitingProcedure(Schema):
    """A procedure that waits for a radiologist."""

    procedure: int
    order: OrderFile


class VettingPage(Schema):
    """The radiologist's list, the most urgent first."""

    waiting: list[WaitingProcedure]
    next_after: str | None
    counts: dict[str, int]
    """By modality."""


class Grouped(Schema):
    """Steps that one acquisition fulfils."""

    steps: Annotated[list[int], Field(min_length=2, max_length=20)]
