"""A radiologist's word about a requested procedure: accepted, refused, replaced by another."""

from typing import Final

from negatoscope.domain.orders import protocols, repository, safety, steps
from negatoscope.domain.orders.errors import InvalidOrder, StaleOrder, TransitionRefused
from negatoscope.domain.orders.events import WorkflowKind, record
from negatoscope.domain.orders.model import NewProcedure, Order, Procedure, Vetting
from negatoscope.domain.orders.protocols import ProtocolChoice
from negatoscope.domain.orders.repository import SQL, Connection
from negatoscope.domain.orders.service import Orders
from negatoscope.domain.orders.states import ProcedureState, StepState

_DECIDED_ON: Final = frozenset({Vetting.WAITING, Vetting.NOT_NEEDED, Vetting.ACCEPTED})


def accept(
    connection: Connection,
    procedure: int,
    choice: ProtocolChoice | None = None,
    *,
    source: str,
    version: int | None = None,
) -> None:
    """Let a procedure be booked.

    Args:
        choice: How it is to be done.
        version: Of the procedure, as it was read.

    Raises:
        UnknownOrder, StaleOrder, InvalidOrder.
        TransitionRefused: it has begun, ended, or was refused or replaced.
    """
    chosen = choice or ProtocolChoice()
    order, found = _open(connection, procedure, version, Vetting.ACCEPTED)
    protocols.check(connection, chosen)
    _vet(connection, found, Vetting.ACCEPTED, source=source, protocol=chosen.text)
    before = protocols.put(connection, found, chosen, source=source)
    _record(connection, WorkflowKind.ACCEPTED, order, procedure, source, before=before)


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
    choice: ProtocolChoice | None = None,
    version: int | None = None,
) -> int:
    """Put another procedure in its place; it is accepted by that.

    Args:
        choice: How the new one is to be done.

    Returns: Row of the new procedure.

    Raises:
        UnknownOrder, StaleOrder, InvalidOrder, UnknownCatalogueEntry.
        TransitionRefused: it has begun, ended, or was replaced before.
    """
    chosen = choice or ProtocolChoice()
    order, found = _open(connection, procedure, version, Vetting.REPLACED)
    protocols.check(connection, chosen)
    made = Orders(connection).add_procedure(order.id, new, source=source)
    by = source.removeprefix("user:")
    values = {"reason": "", "by": by, "protocol": chosen.text, "replaced_by": None}
    connection.execute(SQL["vet"], {"id": made, "vetting": Vetting.ACCEPTED, **values})
    protocols.put(
        connection, _of(repository.get(connection, order.id), made, None), chosen, source=source
    )
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

    What the acceptance put in place of protocol codes, contrast agent, modality and room goes too.

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
    row = connection.execute(SQL["last_acceptance"], {"procedure": procedure}).fetchone()
    before = None if row is None or was_refused else row[0].get("before")
    protocol = found.protocol if before is None else before["protocol"]
    _vet(connection, found, Vetting.WAITING, source="", protocol=protocol)
    if was_refused:
        for one in found.steps:
            steps.step_changed(connection, one.id, StepState.WAITING, source=source)
    elif before is not None:
        protocols.take_back(connection, found, before, source=source)
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


def _record(
    connection: Connection,
    kind: WorkflowKind,
    order: Order,
    procedure: int,
    source: str,
    **detail: object,
) -> None:
    record(connection, kind, source=source, request=order.id, procedure=procedure, detail=detail)
