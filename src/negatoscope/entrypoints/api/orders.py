"""Orders: listed, asked for, changed, held, ended; safety questions; a radiologist's word."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Final, Literal, TypeVar

import psycopg
from fastapi import APIRouter, Path, Query
from pydantic import AfterValidator, AwareDatetime, Field

from negatoscope.domain.identity import Action
from negatoscope.domain.orders import (
    Answer,
    Code,
    NewOrder,
    NewProcedure,
    Numbering,
    NumberTaken,
    Order,
    OrderDetails,
    OrderError,
    OrderOnHold,
    Orders,
    Priority,
    Procedure,
    ProcedureState,
    Question,
    RequestState,
    SafetyBlocked,
    StaleOrder,
    StepState,
    TransitionRefused,
    UnknownCatalogueEntry,
    UnknownOrder,
    Vetting,
    VettingNeeded,
    listing,
    safety,
    vetting,
)
from negatoscope.domain.patients import Registry, UnknownPatient, dicom_patient
from negatoscope.entrypoints.api.common import Asking, Schema, to
from negatoscope.entrypoints.api.registered_patients import RegisteredPatient, listed
from negatoscope.entrypoints.web.problems import Problem
from negatoscope.kit.aio import run_blocking

T = TypeVar("T")
router = APIRouter(tags=["orders"])
Reader = Annotated[Asking, to(Action.READ_WORK)]
Orderer = Annotated[Asking, to(Action.ORDER)]
Vetter = Annotated[Asking, to(Action.VET)]
Number = Annotated[int, Path(ge=1, lt=1 << 62)]
Version = Annotated[int, Field(ge=1, le=2**31 - 1)]
_PROBLEMS: Final[dict[type[OrderError], str]] = {
    UnknownOrder: "not-found",
    UnknownCatalogueEntry: "invalid-input",
    NumberTaken: "conflict",
    StaleOrder: "conflict",
    TransitionRefused: "conflict",
    OrderOnHold: "conflict",
    VettingNeeded: "conflict",
    SafetyBlocked: "safety-questions",
}
"""All others: a value cannot be used."""


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

_Modality = Annotated[str, Field(max_length=16, pattern=r"^[A-Z0-9_ ]*$")]


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


class AskedQuestion(Schema):
    """A safety question with what was answered."""

    question: Question
    is_asked: bool
    """False: of a procedure that was called off, or answered though nobody asks."""
    is_blocking: bool
    answer: Answer | None
    value: Decimal | None
    """Of RENAL_FUNCTION: eGFR, mL/min/1.73 m²."""
    detail: str
    answered_by: str
    answered_at: datetime | None
    cleared_by: str
    cleared_reason: str
    cleared_at: datetime | None


class OrderEvent(Schema):
    """One line of the history."""

    id: int
    at: datetime
    kind: str
    procedure: int | None
    step: int | None
    appointment: int | None
    detail: dict[str, Any]
    source: str


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
    safety: list[AskedQuestion]
    events: list[OrderEvent]
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
    modality: Annotated[str, Field(max_length=16, pattern=r"^[A-Z0-9_ ]*$")] = ""


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


class Accepted(Schema):
    """A radiologist accepts."""

    version: Version
    protocol: Text = ""
    protocol_codes: Annotated[list[CodeSchema] | None, Field(max_length=20)] = None
    """One step each, in place of those there are."""
    contrast_agent: Line | None = None


class Replaced(WantedProcedure):
    """A radiologist asks for another procedure instead."""

    version: Version
    reason: Reason = ""
    protocol: Text = ""


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


@router.get("/orders")
async def list_orders(
    ask: Reader,
    *,
    state: Annotated[list[RequestState], Query(max_length=10)] = [],  # noqa: B006 - FastAPI's way
    priority: Annotated[list[Priority], Query(max_length=5)] = [],  # noqa: B006
    modality: Annotated[list[_Modality], Query(max_length=40)] = [],  # noqa: B006
    vetting: Annotated[list[Vetting], Query(max_length=5)] = [],  # noqa: B006
    text: Annotated[str, Query(max_length=200)] = "",
    patient: Annotated[int | None, Query(ge=1, lt=1 << 62)] = None,
    created_from: AwareDatetime | None = None,
    created_until: AwareDatetime | None = None,
    not_in_catalogue: bool = False,
    before: Annotated[int | None, Query(ge=1, lt=1 << 62)] = None,
    limit: Annotated[int, Query(ge=1, le=listing.MAX_PAGE)] = 50,
) -> OrderPage:
    """Orders, newest first, with how many there are in each state."""
    wanted = listing.OrderFilter(
        states=state,
        priorities=priority,
        modalities=modality,
        vetting=vetting,
        text=text,
        patient=patient,
        created_from=created_from,
        created_until=created_until,
        is_not_in_catalogue=not_in_catalogue,
    )

    def find(connection: psycopg.Connection[Any]) -> OrderPage:
        found = listing.search(connection, wanted, before=before, limit=limit)
        return OrderPage(
            orders=_listed(ask, connection, found),
            next_before=found[-1].id if len(found) == limit else None,
            counts=listing.count(connection, wanted),
            waiting_for_vetting=sum(listing.count_waiting(connection).values()),
        )

    page = await _in_transaction(ask, find)
    await ask.services.access.note_read(ask.request, Action.READ_WORK)
    return page


@router.get("/orders/vetting")
async def list_vetting(
    ask: Reader,
    *,
    modality: Annotated[list[_Modality], Query(max_length=40)] = [],  # noqa: B006 - FastAPI's way
    after: Annotated[str, Query(max_length=40, pattern=r"^([1-9]:[0-9]{1,18})?$")] = "",
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
) -> VettingPage:
    """What waits for a radiologist: the most urgent first, of these the oldest."""
    rank, _, last = after.partition(":")
    place = (int(rank), int(last)) if after else None

    def find(connection: psycopg.Connection[Any]) -> VettingPage:
        found = listing.waiting_for_vetting(
            connection, modalities=modality, after=place, limit=limit
        )
        files = {one.order.id: _file(ask, connection, one.order) for one in found}
        end = found[-1] if len(found) == limit else None
        return VettingPage(
            waiting=[
                WaitingProcedure(procedure=one.procedure, order=files[one.order.id])
                for one in found
            ],
            next_after=None if end is None else f"{end.rank}:{end.procedure}",
            counts=listing.count_waiting(connection),
        )

    page = await _in_transaction(ask, find)
    await ask.services.access.note_read(ask.request, Action.READ_WORK)
    return page


@router.post("/orders", status_code=201)
async def create_order(ask: Orderer, wanted: WantedOrder) -> OrderFile:
    """Ask for procedures; numbers, study and steps are given here."""
    source = _source(ask)

    def make(connection: psycopg.Connection[Any]) -> int:
        details = OrderDetails(**_said(wanted))
        new = NewOrder(
            patient=Registry(connection).goes_on_as(wanted.patient),
            procedures=[_procedure(one) for one in wanted.procedures],
            details=details,
            placer_order_number=wanted.placer_order_number,
        )
        made = Orders(connection, _numbering(ask)).create(new, source=source).order.id
        for question, given in wanted.answers.items():
            _answer(connection, made, question, given, source)
        return made

    number = await _in_transaction(ask, make)
    return await _opened(ask, number, "order")


@router.get("/orders/{number}")
async def get_order(ask: Reader, number: Number) -> OrderFile:
    """An order with its procedures, steps, safety questions and history."""
    return await _opened(ask, number, "open order")


@router.patch("/orders/{number}")
async def change_order(ask: Orderer, number: Number, changed: ChangedOrder) -> OrderFile:
    """Change what is said of an order; fields given as null are emptied."""
    updates = _said(changed)
    return await _done(
        ask,
        number,
        "change order",
        lambda orders: orders.change(number, updates, source=_source(ask), version=changed.version),
    )


@router.post("/orders/{number}/procedures")
async def add_ordered_procedure(ask: Orderer, number: Number, more: MoreProcedure) -> OrderFile:
    """Ask for one more procedure."""
    return await _done(
        ask,
        number,
        "change order",
        lambda orders: orders.add_procedure(
            number, _procedure(more), source=_source(ask), version=more.version
        ),
    )


@router.post("/orders/{number}/{deed}")
async def tell_order(
    ask: Orderer,
    number: Number,
    deed: Literal["hold", "release", "cancel", "discontinue", "reopen"],
    told: Told,
) -> OrderFile:
    """Hold an order, let it go on, call it off, end it, or take its end back."""
    source = _source(ask)

    def do(orders: Orders) -> None:
        if deed == "hold":
            orders.hold(number, reason=told.reason, source=source, version=told.version)
        elif deed == "release":
            orders.release(number, source=source, version=told.version)
        elif deed == "cancel":
            orders.cancel(number, reason=told.reason, source=source, version=told.version)
        elif deed == "discontinue":
            orders.discontinue(number, reason=told.reason, source=source, version=told.version)
        else:
            orders.reopen(number, source=source, version=told.version)

    return await _done(ask, number, f"{deed} order", do)


@router.put("/orders/{number}/answers/{question}")
async def answer_question(
    ask: Orderer, number: Number, question: Question, given: ToldAnswer
) -> OrderFile:
    """Answer a safety question; an earlier answer and its clearance go."""

    def do(connection: psycopg.Connection[Any]) -> None:
        _answer(connection, number, question, given, _source(ask), version=given.version)

    await _in_transaction(ask, do)
    return await _opened(ask, number, "answer safety question", question=question)


@router.post("/orders/{number}/answers/{question}/clear")
async def clear_answer(ask: Vetter, number: Number, question: Question, told: Told) -> OrderFile:
    """Let an order go on in spite of an answer, with a reason; without one that is taken back."""

    def do(connection: psycopg.Connection[Any]) -> None:
        safety.clear(
            connection,
            number,
            question,
            reason=told.reason,
            source=_source(ask),
            version=told.version,
        )

    await _in_transaction(ask, do)
    return await _opened(ask, number, "clear safety question", question=question)


@router.post("/requested-procedures/{number}/accept")
async def accept_procedure(ask: Vetter, number: Number, accepted: Accepted) -> OrderFile:
    """A radiologist accepts a procedure, with a protocol."""
    codes = accepted.protocol_codes
    return await _vetted(
        ask,
        number,
        "accept procedure",
        lambda connection: vetting.accept(
            connection,
            number,
            source=_source(ask),
            protocol=accepted.protocol,
            protocol_codes=None if codes is None else [one.code() for one in codes],
            contrast_agent=accepted.contrast_agent,
            version=accepted.version,
        ),
    )


@router.post("/requested-procedures/{number}/refuse")
async def refuse_procedure(ask: Vetter, number: Number, told: Told) -> OrderFile:
    """A radiologist refuses a procedure, with a reason: its steps are called off."""
    return await _vetted(
        ask,
        number,
        "refuse procedure",
        lambda connection: vetting.refuse(
            connection, number, reason=told.reason, source=_source(ask), version=told.version
        ),
    )


@router.post("/requested-procedures/{number}/replace")
async def replace_procedure(ask: Vetter, number: Number, replaced: Replaced) -> OrderFile:
    """A radiologist asks for another procedure instead."""
    return await _vetted(
        ask,
        number,
        "replace procedure",
        lambda connection: vetting.replace_by(
            connection,
            number,
            _procedure(replaced),
            reason=replaced.reason,
            protocol=replaced.protocol,
            source=_source(ask),
            version=replaced.version,
        ),
    )


@router.post("/requested-procedures/{number}/reconsider")
async def reconsider_procedure(ask: Vetter, number: Number, told: Told) -> OrderFile:
    """An acceptance or a refusal is taken back."""
    return await _vetted(
        ask,
        number,
        "reconsider procedure",
        lambda connection: vetting.reconsider(
            connection, number, source=_source(ask), version=told.version
        ),
    )


@router.post("/requested-procedures/{number}/cancel")
async def cancel_procedure(ask: Orderer, number: Number, told: Told) -> OrderFile:
    """Call off one procedure of an order."""
    return await _vetted(
        ask,
        number,
        "cancel procedure",
        lambda connection: Orders(connection).cancel_procedure(
            number, reason=told.reason, source=_source(ask)
        ),
    )


@router.post("/step-groups")
async def group_steps(ask: Orderer, grouped: Grouped) -> list[int]:
    """Group case: one acquisition fulfils several steps; they have one study and go on together."""
    source = _source(ask)
    await _in_transaction(
        ask, lambda connection: Orders(connection).group(grouped.steps, source=source)
    )
    await ask.note("group steps", steps=grouped.steps)
    return grouped.steps


@router.delete("/step-groups/{step}", status_code=204)
async def ungroup_steps(ask: Orderer, step: Number) -> None:
    """Let each step of a group have an acquisition of its own again."""
    source = _source(ask)
    await _in_transaction(ask, lambda connection: Orders(connection).ungroup(step, source=source))
    await ask.note("ungroup steps", step=step)


# -- what the routes share ------------------------------------------------------------------------


def _source(ask: Asking) -> str:
    return f"user:{ask.actor.name}"


def _numbering(ask: Asking) -> Numbering:
    given = ask.services.settings.orders
    return Numbering(
        pattern=given.accession_number_pattern, issuer=given.issuer_of_accession_number
    )


def _said(words: OrderWords) -> dict[str, Any]:
    """What was given; null empties."""
    empty = OrderDetails()
    return {
        name: getattr(empty, name) if (value := getattr(words, name)) is None else value
        for name in OrderWords.model_fields
        if name in words.model_fields_set
    }


def _procedure(wanted: WantedProcedure) -> NewProcedure:
    return NewProcedure(
        catalogue=wanted.catalogue, description=wanted.description, modality=wanted.modality
    )


def _answer(
    connection: psycopg.Connection[Any],
    number: int,
    question: Question,
    given: GivenAnswer,
    source: str,
    *,
    version: int | None = None,
) -> None:
    safety.answer(
        connection,
        number,
        question,
        answer=given.answer,
        value=given.value,
        detail=given.detail,
        source=source,
        version=version,
    )


async def _in_transaction(ask: Asking, work: Callable[[psycopg.Connection[Any]], T]) -> T:
    """Run something in one transaction; refusals become problems."""

    def run() -> T:
        with ask.services.database.connection() as connection:
            return work(connection)

    try:
        return await run_blocking(run)
    except OrderError as error:
        code = _PROBLEMS.get(type(error), "invalid-input")
        detail = f"{error.message}; {error.hint}" if error.hint else error.message
        extra = {"questions": error.questions} if isinstance(error, SafetyBlocked) else None
        raise Problem(code, detail=detail, extra=extra) from error
    except UnknownPatient as error:
        raise Problem("patient-not-found") from error


async def _done(ask: Asking, number: int, action: str, work: Callable[[Orders], Any]) -> OrderFile:
    await _in_transaction(ask, lambda connection: work(Orders(connection, _numbering(ask))))
    return await _opened(ask, number, action)


async def _vetted(
    ask: Asking, procedure: int, action: str, work: Callable[[psycopg.Connection[Any]], Any]
) -> OrderFile:
    def do(connection: psycopg.Connection[Any]) -> int:
        work(connection)
        return Orders(connection).order_of_procedure(procedure)

    number = await _in_transaction(ask, do)
    return await _opened(ask, number, action, procedure=procedure)


async def _opened(ask: Asking, number: int, action: str, **detail: object) -> OrderFile:
    """Read an order; it is noted in the audit trail before it is given out."""
    found = await _in_transaction(
        ask, lambda connection: _file(ask, connection, Orders(connection).get(number))
    )
    await ask.services.access.note(
        ask.request,
        action,
        patient_id=found.patient_id or None,
        detail={"order": number, "accession_number": found.accession_number, **detail},
    )
    return found


def _listed(
    ask: Asking, connection: psycopg.Connection[Any], orders: list[Order]
) -> list[ListedOrder]:
    settings = ask.services.settings.patients
    numbers = list(dict.fromkeys(one.patient for one in orders))
    patients = {one.id: one for one in Registry(connection).get_all(numbers)}
    shown = {number: listed(one) for number, one in patients.items()}
    identifiers = {
        number: dicom_patient(
            one, preferred_authority=settings.preferred_authority, name=settings.dicom_name
        ).patient_id
        for number, one in patients.items()
    }
    return [
        ListedOrder(**_columns(one, shown[one.patient], identifiers[one.patient])) for one in orders
    ]


def _columns(order: Order, patient: RegisteredPatient, patient_id: str) -> dict[str, Any]:
    details = order.details
    starts = [one.start_at for one in order.steps if one.start_at is not None]
    return {
        **{
            name: getattr(order, name)
            for name in ListedOrder.model_fields
            if hasattr(order, name) and name not in {"patient", "procedures"}
        },
        "priority": details.priority,
        "patient": patient,
        "patient_id": patient_id,
        "requesting_service": details.requesting_service,
        "requesting_physician": details.requesting_physician,
        "clinical_question": details.clinical_question,
        "wished_at": details.wished_at,
        "starts_at": min(starts, default=None),
        "procedures": [_shown(one) for one in order.procedures],
    }


def _shown(procedure: Procedure) -> OrderedProcedure:
    return OrderedProcedure(
        **{
            name: getattr(procedure, name)
            for name in OrderedProcedure.model_fields
            if name != "steps"
        },
        steps=[
            OrderedStep(
                **{
                    name: getattr(one, name)
                    for name in OrderedStep.model_fields
                    if name != "protocol_codes"
                },
                protocol_codes=[dict(code) for code in one.protocol_codes],
            )
            for one in procedure.steps
        ],
    )


def _file(ask: Asking, connection: psycopg.Connection[Any], order: Order) -> OrderFile:
    (listed_order,) = _listed(ask, connection, [order])
    details = order.details
    return OrderFile(
        **{name: getattr(listed_order, name) for name in ListedOrder.model_fields},
        **{
            name: getattr(details, name)
            for name in OrderFile.model_fields
            if name not in ListedOrder.model_fields and hasattr(details, name)
        },
        safety=_safety(connection, order.id),
        events=[OrderEvent.model_validate(one) for one in Orders(connection).history(order.id)],
        studies=listing.studies_of(connection, order.id),
    )


def _safety(connection: psycopg.Connection[Any], number: int) -> list[AskedQuestion]:
    asked = safety.asked(connection, number)
    given = safety.answers(connection, number)
    blocking = safety.blocking(connection, number)
    shown: list[AskedQuestion] = []
    for question in Question:
        one = given.get(question)
        if question not in asked and one is None:
            continue
        shown.append(
            AskedQuestion(
                question=question,
                is_asked=question in asked,
                is_blocking=question in blocking,
                answer=None if one is None else one.answer,
                value=None if one is None else one.value,
                detail="" if one is None else one.detail,
                answered_by="" if one is None else one.answered_by,
                answered_at=None if one is None else one.answered_at,
                cleared_by="" if one is None else one.cleared_by,
                cleared_reason="" if one is None else one.cleared_reason,
                cleared_at=None if one is None else one.cleared_at,
            )
        )
    return shown
