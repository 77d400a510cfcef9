"""What may be done with an order; each call inside a transaction of the caller's.

A message and what it does commit together, so the caller owns the transaction. Orders are locked
before they are read, in the order of their numbers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any, Final

from negatoscope.domain.orders import catalogue, numbers, procedures, repository, safety, steps
from negatoscope.domain.orders.checks import (
    check_details,
    check_order,
    check_procedure,
    check_text,
)
from negatoscope.domain.orders.errors import (
    NumberTaken,
    TransitionRefused,
)
from negatoscope.domain.orders.events import WorkflowKind, record
from negatoscope.domain.orders.model import (
    Code,
    HistoryLine,
    NewOrder,
    NewProcedure,
    Order,
    OrderDetails,
    Priority,
    Vetting,
)
from negatoscope.domain.orders.numbers import Numbering
from negatoscope.domain.orders.repository import SQL, Connection
from negatoscope.domain.orders.states import ProcedureState, RequestState, StepState

_SHOWN_IN_HISTORY: Final = ("priority", "patient_transport", "pregnancy_status", "wished_at")
"""Details whose values the history has; of all others it says only that they changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Created:
    """What `Orders.create` made.

    Attributes:
        notes: What had to be done otherwise than asked, in words for a person.
    """

    order: Order
    notes: tuple[str, ...] = ()


class Orders:
    """Orders of the department.

    Args:
        connection: In a transaction of the caller's.
        numbering: How our accession numbers look.
    """

    def __init__(self, connection: Connection, numbering: Numbering | None = None) -> None:
        self._connection = connection
        self._numbering = numbering or Numbering()

    # -- reading ------------------------------------------------------------------------------

    def get(self, number: int) -> Order:
        """An order with procedures and steps.

        Raises:
            UnknownOrder: there is none.
        """
        return repository.get(self._connection, number)

    def get_all(self, numbers: Sequence[int]) -> list[Order]:
        """Orders by our numbers, in the order of these; missing ones are left out."""
        return repository.get_all(self._connection, numbers)

    def find_by_placer(self, number: str, issuer: str = "") -> int | None:
        """The order with a placer order number (ORC-2)."""
        return repository.find(self._connection, "by_placer", number, issuer)

    def find_by_filler(self, number: str, issuer: str = "") -> int | None:
        """The order with a filler order number (ORC-3)."""
        return repository.find(self._connection, "by_filler", number, issuer)

    def find_by_accession(self, number: str, issuer: str = "") -> int | None:
        """The order with an accession number."""
        return repository.find(self._connection, "by_accession", number, issuer)

    def order_of_procedure(self, procedure: int) -> int:
        """Which order a procedure belongs to.

        Raises:
            UnknownOrder: there is no such procedure.
        """
        return repository.order_of_procedure(self._connection, procedure)

    def history(self, number: int) -> list[HistoryLine]:
        """The newest 500 things that happened to it, newest first."""
        return repository.history(self._connection, number)

    def catalogue_entry(self, code: Code) -> int | None:
        """The catalogue's procedure of a code; None when it has none, or several."""
        return catalogue.by_code(self._connection, code)

    # -- making and changing ------------------------------------------------------------------

    def create(self, new: NewOrder, *, source: str) -> Created:
        """Make an order with its procedures and steps.

        Raises:
            InvalidOrder: a value that cannot be taken.
            UnknownCatalogueEntry: a procedure that the catalogue does not offer.
            NumberTaken: one of its numbers is another order's.
        """
        check_order(new)
        ours = numbers.next_order_number(self._connection, self._numbering)
        values = {
            "patient": new.patient,
            "accession_number": new.accession_number or ours,
            "issuer_of_accession_number": new.issuer_of_accession_number
            if new.accession_number
            else self._numbering.issuer,
            "placer_order_number": new.placer_order_number,
            "placer_issuer": new.placer_issuer if new.placer_order_number else "",
            "filler_order_number": new.filler_order_number or ours,
            "filler_issuer": new.filler_issuer
            if new.filler_order_number
            else self._numbering.issuer,
            "source": source,
            **repository.detail_columns(new.details),
        }
        row = self._connection.execute(SQL["add"], values).fetchone()
        if row is None:
            raise self._taken(values)
        number = int(row[0])
        notes: list[str] = []
        for one in new.procedures:
            procedures.add(self._connection, number, one, is_accepted=new.is_accepted, notes=notes)
        record(
            self._connection,
            WorkflowKind.ORDERED,
            source=source,
            request=number,
            detail={"notes": notes} if notes else {},
        )
        safety.show_on_worklist(self._connection, number)
        return Created(order=steps.follow(self._connection, number), notes=tuple(notes))

    def _taken(self, values: Mapping[str, object]) -> NumberTaken:
        looked_for = (
            ("accession number", "by_accession", "accession_number", "issuer_of_accession_number"),
            ("placer order number", "by_placer", "placer_order_number", "placer_issuer"),
            ("filler order number", "by_filler", "filler_order_number", "filler_issuer"),
        )
        for what, query, name, issuer in looked_for:
            found = repository.find(self._connection, query, str(values[name]), str(values[issuer]))
            if found is not None:
                return NumberTaken(
                    f"the {what} is order {found}'s", hint="change that order, or give another."
                )
        return NumberTaken("a number of the order was taken meanwhile", hint="try again.")

    def add_procedure(
        self, number: int, new: NewProcedure, *, source: str, version: int | None = None
    ) -> int:
        """Ask for one more procedure.

        Returns: Its row.

        Raises:
            UnknownOrder, StaleOrder, InvalidOrder, UnknownCatalogueEntry, NumberTaken.
            TransitionRefused: the order was canceled.
        """
        check_procedure(new)
        order = repository.locked(self._connection, number, version=version)
        if order.state is RequestState.CANCELED:
            raise TransitionRefused("order", number, order.state, RequestState.REQUESTED)
        procedure = procedures.add(self._connection, number, new, is_accepted=False, notes=[])
        record(
            self._connection,
            WorkflowKind.ORDER_CHANGED,
            source=source,
            request=number,
            procedure=procedure,
            detail={"changed": ["procedures"]},
        )
        steps.follow(self._connection, number)
        return procedure

    def change(
        self,
        number: int,
        updates: Mapping[str, Any],
        *,
        source: str,
        version: int | None = None,
    ) -> Order:
        """Change what is said of an order.

        Args:
            updates: Attributes of `OrderDetails` to their new values; absent ones are left alone.
            version: As it was read.

        Raises:
            UnknownOrder, StaleOrder, InvalidOrder.
            TransitionRefused: the order was canceled.
        """
        order = repository.locked(self._connection, number, version=version)
        if order.state is RequestState.CANCELED:
            raise TransitionRefused("order", number, order.state, RequestState.REQUESTED)
        details = replace(order.details, **updates)
        check_details(details)
        changed = [
            one.name
            for one in fields(OrderDetails)
            if getattr(order.details, one.name) != getattr(details, one.name)
        ]
        if not changed:
            return order
        self._connection.execute(
            SQL["change"], {"id": number, **repository.detail_columns(details)}
        )
        safety.show_on_worklist(self._connection, number)
        shown = [name for name in changed if name in _SHOWN_IN_HISTORY]
        record(
            self._connection,
            WorkflowKind.ORDER_CHANGED,
            source=source,
            request=number,
            detail={
                "changed": changed,
                "before": {name: _plain(getattr(order.details, name)) for name in shown},
                "after": {name: _plain(getattr(details, name)) for name in shown},
            },
        )
        return self.get(number)

    def name_placer(
        self, number: int, *, placer_order_number: str, placer_issuer: str, source: str
    ) -> None:
        """Give an order the number that its placer knows it by (ORC-1 NA).

        Raises:
            UnknownOrder, InvalidOrder.
            NumberTaken: another order has it, or this one has another.
        """
        check_text("placer order number", placer_order_number, 64)
        order = repository.locked(self._connection, number)
        given = (placer_order_number, placer_issuer)
        if (order.placer_order_number, order.placer_issuer) == given:
            return
        holder = self.find_by_placer(*given)
        if holder is not None or order.placer_order_number:
            raise NumberTaken(f"the placer order number is order {holder or number}'s")
        self._connection.execute(
            SQL["set_placer"], {"id": number, "number": given[0], "issuer": given[1]}
        )
        record(
            self._connection,
            WorkflowKind.ORDER_CHANGED,
            source=source,
            request=number,
            detail={"changed": ["placer_order_number"]},
        )

    def change_procedure(
        self, procedure: int, new: NewProcedure, *, source: str, is_accepted: bool = False
    ) -> None:
        """Put another content into a procedure that has not begun; empty parts are left alone.

        Its steps that the order names again by identifier, or in their place, change; what is
        missing is made, what is no longer named is canceled.

        Raises:
            UnknownOrder, InvalidOrder, UnknownCatalogueEntry.
            TransitionRefused: it has begun, or ended.
        """
        procedures.change(self._connection, procedure, new, source=source, is_accepted=is_accepted)

    # -- holding, ending ----------------------------------------------------------------------

    def hold(self, number: int, *, reason: str, source: str, version: int | None = None) -> None:
        """Let nothing go on until it is released (ORC-1 HD).

        Raises:
            UnknownOrder, StaleOrder.
            TransitionRefused: it is under way, or ended.
        """
        order = repository.locked(self._connection, number, version=version)
        if order.state is RequestState.ON_HOLD:
            return
        steps.set_request_state(self._connection, order, RequestState.ON_HOLD, reason=_cut(reason))
        self._record(WorkflowKind.ORDER_HELD, number, source, reason)

    def release(self, number: int, *, source: str, version: int | None = None) -> None:
        """Let a held order go on (ORC-1 RL).

        Raises:
            UnknownOrder, StaleOrder.
            TransitionRefused: it is not held.
        """
        order = repository.locked(self._connection, number, version=version)
        state = steps.derived_request_state(one.state for one in order.procedures)
        if order.state is not RequestState.ON_HOLD:
            raise TransitionRefused("order", number, order.state, state)
        steps.set_request_state(self._connection, order, state)
        self._record(WorkflowKind.ORDER_RELEASED, number, source)

    def cancel(self, number: int, *, reason: str, source: str, version: int | None = None) -> None:
        """Call off an order of which nothing has begun (ORC-1 CA); saying it again does nothing.

        Raises:
            UnknownOrder, StaleOrder.
            TransitionRefused: something has begun: it can be discontinued.
        """
        order = repository.locked(self._connection, number, version=version)
        if order.state is RequestState.CANCELED:
            return
        for one in order.steps:
            if one.state not in steps.BEFORE_START | {StepState.CANCELED}:
                raise TransitionRefused("order", number, order.state, RequestState.CANCELED)
        self._end(order, source=source, reason=reason)

    def discontinue(
        self, number: int, *, reason: str, source: str, version: int | None = None
    ) -> None:
        """End an order as far as it goes (ORC-1 DC): what has begun is discontinued, the rest called off.

        Raises:
            UnknownOrder, StaleOrder.
            TransitionRefused: all of it was done.
        """
        order = repository.locked(self._connection, number, version=version)
        if order.state in {RequestState.CANCELED, RequestState.DISCONTINUED}:
            return
        if order.state is RequestState.COMPLETED:
            raise TransitionRefused("order", number, order.state, RequestState.DISCONTINUED)
        self._end(order, source=source, reason=reason)

    def _end(self, order: Order, *, source: str, reason: str) -> None:
        for one in order.steps:
            state = StepState.DISCONTINUED
            if one.state in steps.BEFORE_START:
                state = StepState.CANCELED
            elif one.state is not StepState.STARTED:
                continue
            steps.step_changed(self._connection, one.id, state, source=source, reason=_cut(reason))

    def reopen(self, number: int, *, source: str, version: int | None = None) -> None:
        """Take back that an order was called off: its steps wait for a time again.

        Raises:
            UnknownOrder, StaleOrder.
            TransitionRefused: it was not called off.
        """
        order = repository.locked(self._connection, number, version=version)
        if order.state is not RequestState.CANCELED:
            raise TransitionRefused("order", number, order.state, RequestState.REQUESTED)
        for procedure in order.procedures:
            if procedure.state is ProcedureState.REPLACED or procedure.vetting is Vetting.REFUSED:
                continue
            for one in procedure.steps:
                steps.step_changed(self._connection, one.id, StepState.WAITING, source=source)

    def cancel_procedure(
        self, procedure: int, *, reason: str, source: str, version: int | None = None
    ) -> None:
        """Call off one procedure of an order.

        Raises:
            UnknownOrder, StaleOrder.
            TransitionRefused: it has begun.
        """
        number = repository.order_of_procedure(self._connection, procedure)
        order = repository.locked(self._connection, number, version=version)
        found = next(one for one in order.procedures if one.id == procedure)
        if found.state in {ProcedureState.CANCELED, ProcedureState.REPLACED}:
            return
        procedures.require_not_begun(found)
        for one in found.steps:
            steps.step_changed(
                self._connection, one.id, StepState.CANCELED, source=source, reason=_cut(reason)
            )

    # -- rows ---------------------------------------------------------------------------------

    def entry(self, number: int) -> catalogue.CatalogueEntry:
        """What the catalogue says of a procedure.

        Raises:
            UnknownCatalogueEntry: it has none, or offers it no longer.
        """
        return catalogue.entry(self._connection, number)

    def _record(self, kind: WorkflowKind, number: int, source: str, reason: str = "") -> None:
        record(
            self._connection,
            kind,
            source=source,
            request=number,
            detail={"reason": _cut(reason)} if reason else {},
        )


def _cut(reason: str) -> str:
    return reason.replace("\0", "")[:1000]


def _plain(value: object) -> object:
    """As JSON keeps it."""
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, Priority) else value
