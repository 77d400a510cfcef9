"""A radiologist's list and word: what waits, accepted, refused, replaced, taken back."""

from collections.abc import Callable
from typing import Annotated, Any

import psycopg
from fastapi import APIRouter, Query

from negatoscope.domain.identity import Action
from negatoscope.domain.orders import Orders, listing, vetting
from negatoscope.entrypoints.api.common import Asking, to
from negatoscope.entrypoints.api.order_files import in_transaction, opened, order_file, source_of
from negatoscope.entrypoints.api.order_schemas import (
    Accepted,
    Modality,
    Number,
    OrderFile,
    Replaced,
    Told,
    VettingPage,
    WaitingProcedure,
)

router = APIRouter(tags=["orders"])
Reader = Annotated[Asking, to(Action.READ_WORK)]
Orderer = Annotated[Asking, to(Action.ORDER)]
Vetter = Annotated[Asking, to(Action.VET)]


@router.get("/orders/vetting")
async def list_vetting(
    ask: Reader,
    *,
    modality: Annotated[list[Modality], Query(max_length=40)] = [],  # noqa: B006 - FastAPI's way
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
        files = {one.order.id: order_file(ask, connection, one.order) for one in found}
        end = found[-1] if len(found) == limit else None
        return VettingPage(
            waiting=[
                WaitingProcedure(procedure=one.procedure, order=files[one.order.id])
                for one in found
            ],
            next_after=None if end is None else f"{end.rank}:{end.procedure}",
            counts=listing.count_waiting(connection),
        )

    page = await in_transaction(ask, find)
    await ask.services.access.note_read(ask.request, Action.READ_WORK)
    return page


@router.post("/requested-procedures/{number}/accept")
async def accept_procedure(ask: Vetter, number: Number, accepted: Accepted) -> OrderFile:
    """A radiologist accepts a procedure, with a protocol."""
    return await _vetted(
        ask,
        number,
        "accept procedure",
        lambda connection: vetting.accept(
            connection,
            number,
            accepted.choice(modality=accepted.modality),
            source=source_of(ask),
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
            connection, number, reason=told.reason, source=source_of(ask), version=told.version
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
            replaced.procedure(),
            reason=replaced.reason,
            choice=replaced.choice(),
            source=source_of(ask),
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
            connection, number, source=source_of(ask), version=told.version
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
            number, reason=told.reason, source=source_of(ask)
        ),
    )


async def _vetted(
    ask: Asking, procedure: int, action: str, work: Callable[[psycopg.Connection[Any]], Any]
) -> OrderFile:
    def do(connection: psycopg.Connection[Any]) -> int:
        work(connection)
        return Orders(connection).order_of_procedure(procedure)

    number = await in_transaction(ask, do)
    return await opened(ask, number, action, procedure=procedure)
