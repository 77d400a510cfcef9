"""A radiologist's word about a requested procedure: accepted, refused, replaced by another."""

from collections.abc import Sequence
from typing import Final

from psycopg.types.json import Jsonb

from negatoscope.domain.orders import procedures, repository, safety, steps
from negatoscope.domain.orders.errors import InvalidOrder, StaleOrder, TransitionRefused
from negatoscope.domain.orders.events import WorkflowKind, record
from negatoscope.domain.orders.model import Code, NewProcedure, NewStep, Order, Procedure, Vetting
from negatoscope.domain.orders.repository import SQL, Connection
from negatoscope.domain.orders.service import Orders
from negatoscope.domain.orders.states import ProcedureState, StepState

MAX_PROTOCOL: Final = 4000
MAX_PROTOCOL_CODES: Final = 20
_DECIDED_ON: Final = frozenset({Vetting.WAITING, Vetting.NOT_NEEDED, Vetting.ACCEPTED})


def accept(
    connection: Connection,
    procedure: int,
    *,
    source: str,
    protocol: str = "",
    protocol_codes: Sequence[Code] | None = None,
    contrast_agent: str | None = None,
    version: int | None = None,
) -> None:
    """Let a procedure be booked.

    Args:
        protocol: Instructions for the technologist.
        protocol_codes: One step each in place of the catalogue's; None: as they are.
        contrast_agent: (0032,1070) of its steps; None: as it is, empty: none.
        version: Of the procedure, as it was read.

    Raises:
        UnknownOrder, StaleOrder, InvalidOrder.
        TransitionRefused: it has begun, ended, or was refused or replaced.
    """
    order, found = _open(connection, procedure, version, Vetting.ACCEPTED)
    if len(protocol) > MAX_PROTOCOL:
        raise InvalidOrder(f"the protocol has more than {MAX_PROTOCOL} characters")
    if protocol_codes is not None and len(protocol_codes) > MAX_PROTOCOL_CODES:
        raise InvalidOrder(f"a procedure has at most {MAX_PROTOCOL_CODES} protocol codes")
    _vet(connection, found, Vetting.ACCEPTED, source=source, protocol=protocol)
    if protocol_codes:
        _put_protocols(connection, found, protocol_codes, source=source)
    if contrast_agent is not None:
        for one in repository.get(connection, order.id).procedures:
            for step in one.steps if one.id == procedure else ():
                _set_protocol(
                    connection, step.id, step.protocol_codes, step.description, contrast_agent
                )
    _record(connection, WorkflowKind.ACCEPTED, order, procedure, source)


def refuse(
    connection: Connection,
    procedure: int,
    *,
    reason: str,
    source: str,
    version: int | None = None,
) -> None:
    """Refuse a procedure: its steps are called off.

    Raises:
        UnknownOrder, StaleOrder.
        InvalidOrder: no reason is given.
        TransitionRefused: it has begun, ended, or was replaced.
    """
    if not reason.strip():
        raise InvalidOrder("a refusal has a reason")
    order, found = _open(connection, procedure, version, Vetting.REFUSED)
    _vet(connection, found, Vetting.REFUSED, source=source, reason=reason)
    _call_off(connection, found, source=source, reason=reason)
    _record(connection, WorkflowKind.REFUSED, order, procedure, source, reason=reason[:1000])


def replace_by(
    connection: Connection,
    procedure: int,
    new: NewProcedure,
    *,
    reason: str,
    source: str,
    protocol: str = "",
    version: int | None = None,
) -> int:
    """Put another procedure in its place; it is accepted by that.

    Returns: Row of the new procedure.

    Raises:
        UnknownOrder, StaleOrder, InvalidOrder, UnknownCatalogueEntry.
        TransitionRefused: it has begun, ended, or was replaced before.
    """
    order, found = _open(connection, procedure, version, Vetting.REPLACED)
    made = Orders(connection).add_procedure(order.id, new, source=source)
    by = source.removeprefix("user:")
    values = {"reason": "", "by": by, "protocol": protocol, "replaced_by": None}
    connection.execute(SQL["vet"], {"id": made, "vetting": Vetting.ACCEPTED, **values})
    _vet(connection, found, Vetting.REPLACED, source=source, reason=reason[:1000], replaced_by=made)
    connection.execute(
        SQL["set_procedure_state"], {"id": procedure, "state": ProcedureState.REPLACED}
    )
    _call_off(connection, found, source=source, reason=reason)
    _record(
        connection,
        WorkflowKind.REPLACED,
        order,
        procedure,
        source,
        by=made,
        **({"reason": reason[:1000]} if reason else {}),
    )
    safety.show_on_worklist(connection, order.id)
    return made


def reconsider(
    connection: Connection, procedure: int, *, source: str, version: int | None = None
) -> None:
    """Take an acceptance or a refusal back: a radiologist has to look at it again.

    Raises:
        UnknownOrder, StaleOrder.
        TransitionRefused: it is booked already, has begun, or was replaced.
    """
    number = repository.order_of_procedure(connection, procedure)
    order = repository.locked(connection, number)
    found = _of(order, procedure, version)
    waits = {StepState.WAITING, StepState.CANCELED}
    if found.vetting not in {Vetting.ACCEPTED, Vetting.REFUSED} or any(
        one.state not in waits for one in found.steps
    ):
        raise TransitionRefused("procedure", procedure, found.vetting, Vetting.WAITING)
    was_refused = found.vetting is Vetting.REFUSED
    _vet(connection, found, Vetting.WAITING, source="", protocol=found.protocol)
    if was_refused:
        for one in found.steps:
            steps.step_changed(connection, one.id, StepState.WAITING, source=source)
    _record(connection, WorkflowKind.UNDONE, order, procedure, source, vetting=found.vetting)


def _open(
    connection: Connection, procedure: int, version: int | None, to: Vetting
) -> tuple[Order, Procedure]:
    number = repository.order_of_procedure(connection, procedure)
    order = repository.locked(connection, number)
    found = _of(order, procedure, version)
    if found.vetting not in _DECIDED_ON or found.state not in {
        ProcedureState.REQUESTED,
        ProcedureState.SCHEDULED,
    }:
        raise TransitionRefused("procedure", procedure, f"{found.state}, {found.vetting}", to)
    return order, found


def _of(order: Order, procedure: int, version: int | None) -> Procedure:
    found = next(one for one in order.procedures if one.id == procedure)
    if version is not None and version != found.version:
        raise StaleOrder(f"procedure {procedure} was changed meanwhile", hint="look at it again.")
    return found


def _vet(
    connection: Connection,
    found: Procedure,
    vetting: Vetting,
    *,
    source: str,
    reason: str = "",
    protocol: str | None = None,
    replaced_by: int | None = None,
) -> None:
    connection.execute(
        SQL["vet"],
        {
            "id": found.id,
            "vetting": vetting,
            "reason": reason[:1000],
            "by": source.removeprefix("user:"),
            "protocol": found.protocol if protocol is None else protocol,
            "replaced_by": replaced_by,
        },
    )


def _call_off(connection: Connection, found: Procedure, *, source: str, reason: str) -> None:
    for one in found.steps:
        if one.state is not StepState.CANCELED:
            steps.step_changed(
                connection, one.id, StepState.CANCELED, source=source, reason=reason[:1000]
            )


def _put_protocols(
    connection: Connection, found: Procedure, codes: Sequence[Code], *, source: str
) -> None:
    """One step for each code: those there are in their order, further ones made or called off."""
    there = [one for one in found.steps if one.state in steps.BEFORE_START]
    agent = there[0].requested_contrast_agent if there else ""
    for step, code in zip(there, codes, strict=False):
        _set_protocol(
            connection,
            step.id,
            [code.as_json()],
            code.code_meaning[:64],
            step.requested_contrast_agent,
        )
    for code in codes[len(there) :]:
        procedures.add_step(
            connection,
            found.id,
            NewStep(description=code.code_meaning[:64], protocol_codes=(code,)),
            modality=found.modality,
            contrast_agent=agent,
            notes=[],
        )
    for step in there[len(codes) :]:
        steps.step_changed(connection, step.id, StepState.CANCELED, source=source)
    steps.follow(connection, found.request)


def _set_protocol(
    connection: Connection,
    step: int,
    codes: Sequence[object],
    description: str,
    contrast_agent: str,
) -> None:
    connection.execute(
        SQL["set_protocol"],
        {
            "id": step,
            "protocol_codes": Jsonb(list(codes)),
            "description": description,
            "requested_contrast_agent": contrast_agent,
        },
    )


def _record(
    connection: Connection,
    kind: WorkflowKind,
    order: Order,
    procedure: int,
    source: str,
    **detail: object,
) -> None:
    record(connection, kind, source=source, request=order.id, procedure=procedure, detail=detail)
