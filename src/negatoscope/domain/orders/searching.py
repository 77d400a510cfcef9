"""Requested procedures by what is known of them, each with its order."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import psycopg

from negatoscope.domain.orders import repository
from negatoscope.domain.orders.model import Order, Priority, Procedure
from negatoscope.domain.orders.repository import SQL
from negatoscope.domain.orders.states import ProcedureState, RequestState
from negatoscope.infra.db.conditions import (
    Column,
    Condition,
    Selection,
    Span,
    all_of,
    any_of,
    negated,
)

PROCEDURES: Final = Selection(
    source="requested_procedure p JOIN imaging_service_request r ON r.id = p.request_fk",
    number=Column("p.id", "bigint"),
)
PATIENT: Final = Column("r.patient_fk", "bigint")
CREATED: Final = Column("r.created_at", "timestamptz")
UPDATED: Final = Column("r.updated_at", "timestamptz")
AUTHORED: Final = Span.at("r.created_at")
OCCURS: Final = Span.at(
    "coalesce((SELECT min(s.start_at) FROM scheduled_procedure_step s WHERE s.procedure_fk = p.id), r.wished_at)"
)
"""When its first step begins, else when it is wished for."""
_PLACER: Final = ("r.placer_order_number", "r.placer_issuer")
_FILLER: Final = ("r.filler_order_number", "r.filler_issuer")
_ACCESSION: Final = ("r.accession_number", "r.issuer_of_accession_number")


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownProcedure:
    """A procedure for somebody who reads it.

    Attributes:
        order: Its order.
        patient: Whose by now: a file may have ended in another one since.
    """

    order: Order
    procedure: Procedure
    patient: int


def shown(connection: psycopg.Connection[Any], numbers: Sequence[int]) -> list[ShownProcedure]:
    """Procedures by our numbers, in the order of these; missing ones are left out."""
    rows = connection.execute(SQL["requests_of_procedures"], {"ids": list(numbers)}).fetchall()
    patients = {row[0]: row[1] for row in rows}
    found = {
        procedure.id: ShownProcedure(order=order, procedure=procedure, patient=patients[order.id])
        for order in repository.get_all(connection, sorted(patients))
        for procedure in order.procedures
    }
    return [found[number] for number in numbers if number in found]


def numbered(value: str, issuer: str | None = None) -> Condition:
    """Placer order number, filler order number or accession number; None: of any issuer."""
    return any_of(*(_number(pair, value, issuer) for pair in (_PLACER, _FILLER, _ACCESSION)))


def accession_numbered(value: str, issuer: str | None = None) -> Condition:
    """Accession number; None: of any issuer."""
    return _number(_ACCESSION, value, issuer)


def _number(pair: tuple[str, str], value: str, issuer: str | None) -> Condition:
    number = Column(pair[0]).equals(value)
    return number if issuer is None else all_of(number, Column(pair[1]).equals(issuer))


def coded(code_value: str, coding_scheme_designator: str | None = None) -> Condition:
    """Its code; None: of any scheme."""
    code = Column("p.code_value").equals(code_value)
    if coding_scheme_designator is None:
        return code
    scheme = coding_scheme_designator.upper()
    return all_of(code, Column("upper(p.coding_scheme_designator)").equals(scheme))


def on_hold() -> Condition:
    """Its order is held."""
    return Column("r.state").equals(RequestState.ON_HOLD)


def going_on(*, without: Sequence[ProcedureState]) -> Condition:
    """Its order is not held, and it is in none of these states."""
    return all_of(negated(on_hold()), negated(Column("p.state").is_one_of(without)))


def ended_in(*states: ProcedureState) -> Condition:
    """Its order is not held, and it is in one of these states."""
    return all_of(negated(on_hold()), Column("p.state").is_one_of(states))


def of_priority(*priorities: Priority) -> Condition:
    """Its order's priority is one of these."""
    return Column("r.priority").is_one_of(priorities)
