"""How far a step is, in one place: the table of states, what follows for procedure and order.

`step_changed` is what scheduling, MPPS and the board call. By hand nothing goes on that is held,
that no radiologist accepted or whose safety questions forbid it; what a modality says has happened
and is taken as it is.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Final

from negatoscope.domain.orders import repository, safety
from negatoscope.domain.orders.errors import (
    OrderOnHold,
    SafetyBlocked,
    StaleOrder,
    TransitionRefused,
    VettingNeeded,
)
from negatoscope.domain.orders.events import WorkflowKind, record
from negatoscope.domain.orders.model import Order, Procedure, Step, Vetting
from negatoscope.domain.orders.repository import SQL, Connection
from negatoscope.domain.orders.states import (
    PROCEDURE_TRANSITIONS,
    REQUEST_TRANSITIONS,
    STEP_TRANSITIONS,
    ProcedureState,
    RequestState,
    StepState,
)

_RANK: Final = {
    StepState.WAITING: 0,
    StepState.SCHEDULED: 1,
    StepState.ARRIVED: 2,
    StepState.READY: 3,
    StepState.STARTED: 4,
    StepState.COMPLETED: 5,
    StepState.DISCONTINUED: 5,
    StepState.CANCELED: 6,
}
_KINDS: Final = {
    StepState.SCHEDULED: WorkflowKind.BOOKED,
    StepState.ARRIVED: WorkflowKind.ARRIVED,
    StepState.READY: WorkflowKind.IDENTITY_CHECKED,
    StepState.STARTED: WorkflowKind.STARTED,
    StepState.COMPLETED: WorkflowKind.COMPLETED,
    StepState.DISCONTINUED: WorkflowKind.DISCONTINUED,
    StepState.CANCELED: WorkflowKind.ORDER_CANCELED,
}
ONGOING: Final = frozenset(
    {StepState.ARRIVED, StepState.READY, StepState.STARTED, StepState.COMPLETED}
    | {StepState.DISCONTINUED}
)
"""What steps of one acquisition are together."""
_ADMITTED: Final = frozenset(
    {StepState.SCHEDULED, StepState.ARRIVED, StepState.READY, StepState.STARTED}
)
"""What a hold, a radiologist or a safety question can keep a step from; an end is never refused."""
BEFORE_START: Final = frozenset(
    {StepState.WAITING, StepState.SCHEDULED, StepState.ARRIVED, StepState.READY}
)


def is_by_hand(source: str) -> bool:
    """Whether a person here does it, and can be told to wait."""
    return source.startswith("user:")


def derived_procedure_state(steps: Iterable[StepState]) -> ProcedureState:
    """What the steps of a procedure amount to; canceled ones count only when all are."""
    active = [one for one in steps if one is not StepState.CANCELED]
    if not active:
        return ProcedureState.CANCELED
    ended = [one in {StepState.COMPLETED, StepState.DISCONTINUED} for one in active]
    if all(ended):
        is_done = StepState.COMPLETED in active
        return ProcedureState.COMPLETED if is_done else ProcedureState.DISCONTINUED
    if any(ended) or StepState.STARTED in active:
        return ProcedureState.IN_PROGRESS
    if StepState.WAITING in active:
        return ProcedureState.REQUESTED
    return ProcedureState.SCHEDULED


def derived_request_state(procedures: Iterable[ProcedureState]) -> RequestState:
    """What the procedures of an order amount to; replaced ones never count."""
    ends = {ProcedureState.CANCELED, ProcedureState.REPLACED}
    active = [one for one in procedures if one not in ends]
    if not active:
        return RequestState.CANCELED
    ended = [one in {ProcedureState.COMPLETED, ProcedureState.DISCONTINUED} for one in active]
    if all(ended):
        is_done = ProcedureState.COMPLETED in active
        return RequestState.COMPLETED if is_done else RequestState.DISCONTINUED
    if any(ended) or ProcedureState.IN_PROGRESS in active:
        return RequestState.IN_PROGRESS
    if ProcedureState.REQUESTED in active:
        return RequestState.REQUESTED
    return RequestState.SCHEDULED


def step_changed(
    connection: Connection,
    step: int,
    to: StepState,
    *,
    source: str,
    at: datetime | None = None,
    kind: WorkflowKind | None = None,
    appointment: int | None = None,
    reason: str = "",
    detail: Mapping[str, object] | None = None,
    version: int | None = None,
) -> bool:
    """Put a step into another state, and with it its procedure, its order and its group.

    Args:
        connection: In the caller's transaction.
        step: Row of scheduled_procedure_step.
        to: Where it goes.
        source: Who or what says so; ``user:`` is held to what blocks.
        at: When it happened, aware; now unless given.
        kind: Of the event; by the state unless given.
        appointment: For the event.
        reason: For the event, and the order when it ends by this.
        detail: More for the event.
        version: Of the step, as it was read.

    Returns: Whether anything changed: saying it again does nothing.

    Raises:
        UnknownOrder: there is no such step.
        StaleOrder: it was changed since it was read.
        TransitionRefused: the table has no such pair.
        OrderOnHold: its order is held.
        VettingNeeded: no radiologist accepted it.
        SafetyBlocked: questions without an answer, or with one that forbids it.
    """
    first = repository.order_of_step(connection, step)
    group = _group(repository.get(connection, first), step)
    members = _members(connection, group, step) if to in ONGOING else [step]
    orders = {repository.order_of_step(connection, one) for one in members}
    connection.execute(SQL["lock"], {"ids": sorted(orders)})
    is_changed = False
    for one in members:
        is_changed |= _change(
            connection,
            one,
            to,
            is_leader=one == step,
            source=source,
            at=at or datetime.now(UTC),
            kind=kind,
            appointment=appointment,
            reason=reason,
            detail=detail or {},
            version=version if one == step else None,
        )
    return is_changed


def _group(order: Order, step: int) -> int | None:
    return next(one.acquired_with for one in order.steps if one.id == step)


def _members(connection: Connection, group: int | None, step: int) -> list[int]:
    if group is None:
        return [step]
    rows = connection.execute(SQL["steps_acquired_with"], {"group": group}).fetchall()
    return [row[0] for row in rows]


def _change(
    connection: Connection,
    number: int,
    to: StepState,
    *,
    is_leader: bool,
    source: str,
    at: datetime,
    kind: WorkflowKind | None,
    appointment: int | None,
    reason: str,
    detail: Mapping[str, object],
    version: int | None,
) -> bool:
    order = repository.get(connection, repository.order_of_step(connection, number))
    procedure, step = _found(order, number)
    if version is not None and version != step.version:
        raise StaleOrder(f"step {number} was changed meanwhile", hint="look at it again.")
    if step.state is to:
        return False
    if to not in STEP_TRANSITIONS[step.state]:
        if not is_leader and step.state is StepState.CANCELED:
            return False
        raise TransitionRefused("step", number, step.state, to)
    is_forward = _RANK[to] > _RANK[step.state]
    if is_forward and to in _ADMITTED:
        order = _admitted(connection, order, procedure, to, source=source)
    connection.execute(
        SQL["set_step_state"],
        {"id": number, "state": to, "at": at, "by": source.removeprefix("user:")},
    )
    record(
        connection,
        kind or (_KINDS[to] if is_forward else WorkflowKind.UNDONE),
        source=source,
        request=order.id,
        procedure=procedure.id,
        step=number,
        appointment=appointment,
        detail={
            "from": step.state,
            "to": to,
            "at": at.isoformat(),
            **({"reason": reason} if reason else {}),
            **detail,
        },
    )
    follow(connection, order.id, reason=reason)
    return True


def _found(order: Order, step: int) -> tuple[Procedure, Step]:
    return next(
        (procedure, one)
        for procedure in order.procedures
        for one in procedure.steps
        if one.id == step
    )


def _admitted(
    connection: Connection, order: Order, procedure: Procedure, to: StepState, *, source: str
) -> Order:
    """The order, let go on to a state of one of its steps.

    Raises:
        OrderOnHold, VettingNeeded, SafetyBlocked: it may not.
    """
    is_held = order.state is RequestState.ON_HOLD
    is_unvetted = procedure.vetting in {Vetting.WAITING, Vetting.REFUSED}
    if to is StepState.SCHEDULED or is_by_hand(source):
        if is_held:
            raise OrderOnHold(f"order {order.id} is held", hint="release it first.")
        if is_unvetted:
            said = "refused" if procedure.vetting is Vetting.REFUSED else "has to accept"
            raise VettingNeeded(f"a radiologist {said} procedure {procedure.id}")
    elif is_held:  # the modality began all the same
        state = derived_request_state(one.state for one in order.procedures)
        set_request_state(connection, order, state)
        record(
            connection,
            WorkflowKind.ORDER_RELEASED,
            source=source,
            request=order.id,
            detail={"reason": "begun all the same"},
        )
    if to in {StepState.READY, StepState.STARTED} and is_by_hand(source):
        blocking = safety.blocking(connection, order.id)
        if blocking:
            raise SafetyBlocked(order.id, blocking)
    return order


def follow(connection: Connection, number: int, *, reason: str = "") -> Order:
    """Let procedures follow their steps and the order its procedures.

    Raises:
        TransitionRefused: a table has no such pair.
    """
    order = repository.get(connection, number)
    states: list[ProcedureState] = []
    for one in order.procedures:
        state = one.state
        if state is not ProcedureState.REPLACED:
            state = derived_procedure_state(step.state for step in one.steps)
        if state is not one.state:
            if state not in PROCEDURE_TRANSITIONS[one.state]:
                raise TransitionRefused("procedure", one.id, one.state, state)
            connection.execute(SQL["set_procedure_state"], {"id": one.id, "state": state})
        states.append(state)
    after = derived_request_state(states)
    is_held = order.state is RequestState.ON_HOLD
    if is_held and after in {RequestState.REQUESTED, RequestState.SCHEDULED}:
        after = RequestState.ON_HOLD
    if after is order.state:
        connection.execute(SQL["touch"], {"id": number})
    else:
        set_request_state(connection, order, after, reason=reason)
    return repository.get(connection, number)


def set_request_state(
    connection: Connection, order: Order, to: RequestState, *, reason: str = ""
) -> None:
    """Put an order into another state.

    Raises:
        TransitionRefused: the table has no such pair.
    """
    if to not in REQUEST_TRANSITIONS[order.state]:
        raise TransitionRefused("order", order.id, order.state, to)
    connection.execute(SQL["set_request_state"], {"id": order.id, "state": to, "reason": reason})
