"""The rows of orders, their procedures and steps."""

from collections.abc import Sequence
from dataclasses import fields
from typing import Any, Final

import psycopg

from negatoscope.domain.orders.errors import StaleOrder, UnknownOrder
from negatoscope.domain.orders.model import (
    HistoryLine,
    Order,
    OrderDetails,
    Priority,
    Procedure,
    Step,
    Vetting,
)
from negatoscope.domain.orders.states import ProcedureState, RequestState, StepState
from negatoscope.infra.db import load_queries

SQL: Final = load_queries("negatoscope.domain.orders.sql", "orders.sql")
Connection = psycopg.Connection[Any]
_DETAILS_AT: Final = 14
_DETAIL_NAMES: Final = tuple(one.name for one in fields(OrderDetails))


def get_all(connection: Connection, numbers: Sequence[int]) -> list[Order]:
    """Orders with procedures and steps, in the order of the numbers; missing ones are left out."""
    ids = {"ids": list(numbers)}
    steps: dict[int, list[Step]] = {}
    for row in connection.execute(SQL["steps"], ids):
        steps.setdefault(row[1], []).append(_step(row))
    procedures: dict[int, list[Procedure]] = {}
    for row in connection.execute(SQL["procedures"], ids):
        procedures.setdefault(row[1], []).append(_procedure(row, steps.get(row[0], ())))
    found = {
        row[0]: _order(row, procedures.get(row[0], ()))
        for row in connection.execute(SQL["get"], ids)
    }
    return [found[number] for number in numbers if number in found]


def get(connection: Connection, number: int) -> Order:
    """An order.

    Raises:
        UnknownOrder: there is none.
    """
    found = get_all(connection, [number])
    if not found:
        raise UnknownOrder(f"there is no order {number}")
    return found[0]


def locked(connection: Connection, number: int, *, version: int | None = None) -> Order:
    """An order that nobody else changes until the transaction ends.

    Raises:
        UnknownOrder: there is none.
        StaleOrder: it is another version by now.
    """
    connection.execute(SQL["lock"], {"ids": [number]})
    order = get(connection, number)
    if version is not None and version != order.version:
        raise StaleOrder(f"order {number} was changed meanwhile", hint="look at it again.")
    return order


def order_of_procedure(connection: Connection, procedure: int) -> int:
    """Which order a requested procedure belongs to.

    Raises:
        UnknownOrder: there is no such procedure.
    """
    row = connection.execute(SQL["request_of_procedure"], {"id": procedure}).fetchone()
    if row is None:
        raise UnknownOrder(f"there is no requested procedure {procedure}")
    return int(row[0])


def order_of_step(connection: Connection, step: int) -> int:
    """Which order a scheduled step belongs to.

    Raises:
        UnknownOrder: there is no such step.
    """
    row = connection.execute(SQL["request_of_step"], {"ids": [step]}).fetchone()
    if row is None:
        raise UnknownOrder(f"there is no scheduled procedure step {step}")
    return int(row[0])


def find(connection: Connection, by: str, number: str, issuer: str) -> int | None:
    """The order that has a number; None when none has.

    Args:
        by: ``by_placer``, ``by_filler``, ``by_accession``.
    """
    if not number:
        return None
    row = connection.execute(SQL[by], {"number": number, "issuer": issuer}).fetchone()
    return None if row is None else int(row[0])


def history(connection: Connection, number: int) -> list[HistoryLine]:
    """The newest 500 things that happened to an order, newest first."""
    return [
        HistoryLine(
            id=row[0],
            at=row[1],
            kind=row[2],
            procedure=row[3],
            step=row[4],
            appointment=row[5],
            detail=row[6],
            source=row[7],
        )
        for row in connection.execute(SQL["history"], {"id": number})
    ]


def detail_columns(details: OrderDetails) -> dict[str, object]:
    """Parameters of the queries that write them."""
    return {name: getattr(details, name) for name in _DETAIL_NAMES}


def _order(row: Sequence[Any], procedures: Sequence[Procedure]) -> Order:
    details = dict(zip(_DETAIL_NAMES, row[_DETAILS_AT:], strict=True))
    return Order(
        id=row[0],
        patient=row[1],
        accession_number=row[2],
        issuer_of_accession_number=row[3],
        placer_order_number=row[4],
        placer_issuer=row[5],
        filler_order_number=row[6],
        filler_issuer=row[7],
        state=RequestState(row[8]),
        state_reason=row[9],
        source=row[10],
        version=row[11],
        created_at=row[12],
        updated_at=row[13],
        details=OrderDetails(**{**details, "priority": Priority(details["priority"])}),
        procedures=tuple(procedures),
    )


def _procedure(row: Sequence[Any], steps: Sequence[Step]) -> Procedure:
    return Procedure(
        id=row[0],
        request=row[1],
        requested_procedure_id=row[2],
        study_instance_uid=row[3],
        catalogue=row[4],
        code_value=row[5],
        coding_scheme_designator=row[6],
        code_meaning=row[7],
        description=row[8],
        modality=row[9],
        duration_min=row[10],
        vetting=Vetting(row[11]),
        vetting_reason=row[12],
        vetted_by=row[13],
        vetted_at=row[14],
        protocol=row[15],
        replaced_by=row[16],
        state=ProcedureState(row[17]),
        version=row[18],
        wished_room=row[19],
        wished_room_name=row[20],
        steps=tuple(steps),
    )


def _step(row: Sequence[Any]) -> Step:
    return Step(
        id=row[0],
        procedure=row[1],
        scheduled_procedure_step_id=row[2],
        modality=row[3],
        description=row[4],
        protocol_codes=tuple(row[5]),
        scheduled_station_ae_title=row[6],
        scheduled_station_name=row[7],
        location=row[8],
        start_at=row[9],
        end_at=row[10],
        performing_physician_name=row[11],
        requested_contrast_agent=row[12],
        state=StepState(row[13]),
        arrived_at=row[14],
        identity_checked_at=row[15],
        started_at=row[16],
        ended_at=row[17],
        acquired_with=row[18],
        version=row[19],
    )
