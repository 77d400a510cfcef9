"""Orders: listed, asked for, changed, held, ended; safety questions; one acquisition for several."""

from typing import Annotated, Any, Literal

import psycopg
from fastapi import APIRouter, Query
from pydantic import AwareDatetime

from negatoscope.domain.identity import Action
from negatoscope.domain.orders import (
    NewOrder,
    OrderDetails,
    Orders,
    Priority,
    Question,
    RequestState,
    Vetting,
    groups,
    listing,
    safety,
)
from negatoscope.domain.patients import Registry
from negatoscope.entrypoints.api.common import Asking, to
from negatoscope.entrypoints.api.order_files import (
    done,
    in_transaction,
    listed_orders,
    numbering_of,
    opened,
    source_of,
)
from negatoscope.entrypoints.api.order_schemas import (
    ChangedOrder,
    GivenAnswer,
    Grouped,
    Modality,
    MoreProcedure,
    Number,
    OrderFile,
    OrderPage,
    OrderWords,
    Told,
    ToldAnswer,
    WantedOrder,
)

router = APIRouter(tags=["orders"])
Reader = Annotated[Asking, to(Action.READ_WORK)]
Orderer = Annotated[Asking, to(Action.ORDER)]
Vetter = Annotated[Asking, to(Action.VET)]


@router.get("/orders")
async def list_orders(
    ask: Reader,
    *,
    state: Annotated[list[RequestState], Query(max_length=10)] = [],  # noqa: B006 - FastAPI's way
    priority: Annotated[list[Priority], Query(max_length=5)] = [],  # noqa: B006
    modality: Annotated[list[Modality], Query(max_length=40)] = [],  # noqa: B006
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
            orders=listed_orders(ask, connection, found),
            next_before=found[-1].id if len(found) == limit else None,
            counts=listing.count(connection, wanted),
            waiting_for_vetting=sum(listing.count_waiting(connection).values()),
        )

    page = await in_transaction(ask, find)
    await ask.services.access.note_read(ask.request, Action.READ_WORK)
    return page


@router.post("/orders", status_code=201)
async def create_order(ask: Orderer, wanted: WantedOrder) -> OrderFile:
    """Ask for procedures; numbers, study and steps are given here."""
    source = source_of(ask)

    def make(connection: psycopg.Connection[Any]) -> int:
        details = OrderDetails(**_said(wanted))
        new = NewOrder(
            patient=Registry(connection).goes_on_as(wanted.patient),
            procedures=[one.procedure() for one in wanted.procedures],
            details=details,
            placer_order_number=wanted.placer_order_number,
        )
        made = Orders(connection, numbering_of(ask)).create(new, source=source).order.id
        for question, given in wanted.answers.items():
            _answer(connection, made, question, given, source)
        return made

    number = await in_transaction(ask, make)
    return await opened(ask, number, "order")


@router.get("/orders/{number}")
async def get_order(ask: Reader, number: Number) -> OrderFile:
    """An order with its procedures, steps, safety questions and history."""
    return await opened(ask, number, "open order")


@router.patch("/orders/{number}")
async def change_order(ask: Orderer, number: Number, changed: ChangedOrder) -> OrderFile:
    """Change what is said of an order; fields given as null are emptied."""
    updates = _said(changed)
    return await done(
        ask,
        number,
        "change order",
        lambda orders: orders.change(
            number, updates, source=source_of(ask), version=changed.version
        ),
    )


@router.post("/orders/{number}/procedures")
async def add_ordered_procedure(ask: Orderer, number: Number, more: MoreProcedure) -> OrderFile:
    """Ask for one more procedure."""
    return await done(
        ask,
        number,
        "change order",
        lambda orders: orders.add_procedure(
            number, more.procedure(), source=source_of(ask), version=more.version
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
    source = source_of(ask)

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

    return await done(ask, number, f"{deed} order", do)


@router.put("/orders/{number}/answers/{question}")
async def answer_question(
    ask: Orderer, number: Number, question: Question, given: ToldAnswer
) -> OrderFile:
    """Answer a safety question; an earlier answer and its clearance go."""

    def do(connection: psycopg.Connection[Any]) -> None:
        _answer(connection, number, question, given, source_of(ask), version=given.version)

    await in_transaction(ask, do)
    return await opened(ask, number, "answer safety question", question=question)


@router.post("/orders/{number}/answers/{question}/clear")
async def clear_answer(ask: Vetter, number: Number, question: Question, told: Told) -> OrderFile:
    """Let an order go on in spite of an answer, with a reason; without one that is taken back."""

    def do(connection: psycopg.Connection[Any]) -> None:
        safety.clear(
            connection,
            number,
            question,
            reason=told.reason,
            source=source_of(ask),
            version=told.version,
        )

    await in_transaction(ask, do)
    return await opened(ask, number, "clear safety question", question=question)


@router.post("/step-groups")
async def group_steps(ask: Orderer, grouped: Grouped) -> list[int]:
    """Group case: one acquisition fulfils several steps; they have one study and go on together."""
    source = source_of(ask)
    await in_transaction(
        ask, lambda connection: groups.group(connection, grouped.steps, source=source)
    )
    await ask.note("group steps", steps=grouped.steps)
    return grouped.steps


@router.delete("/step-groups/{step}", status_code=204)
async def ungroup_steps(ask: Orderer, step: Number) -> None:
    """Let each step of a group have an acquisition of its own again."""
    source = source_of(ask)
    await in_transaction(ask, lambda connection: groups.ungroup(connection, step, source=source))
    await ask.note("ungroup steps", step=step)


def _said(words: OrderWords) -> dict[str, Any]:
    """What was given; null empties."""
    empty = OrderDetails()
    return {
        name: getattr(empty, name) if (value := getattr(words, name)) is None else value
        for name in OrderWords.model_fields
        if name in words.model_fields_set
    }


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
