"""What may be done with an order; each call inside a transaction of the caller's.

A message and what it does commit together, so the caller owns the transaction. Orders are locked
before they are read, in the order of their numbers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any, Final

from psycopg.types.json import Jsonb

from negatoscope.domain.orders import numbers, repository, safety, steps
from negatoscope.domain.orders.checks import (
    check_details,
    check_order,
    check_procedure,
    check_text,
)
from negatoscope.domain.orders.errors import (
    InvalidOrder,
    NumberTaken,
    TransitionRefused,
    UnknownCatalogueEntry,
)
from negatoscope.domain.orders.events import WorkflowKind, record
from negatoscope.domain.orders.model import (
    Code,
    HistoryLine,
    NewOrder,
    NewProcedure,
    NewStep,
    Order,
    OrderDetails,
    Priority,
    Procedure,
    Step,
    Vetting,
)
from negatoscope.domain.orders.numbers import Numbering
from negatoscope.domain.orders.repository import SQL, Connection
from negatoscope.domain.orders.states import ProcedureState, RequestState, StepState
from negatoscope.kit.uid import new_uid

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


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueEntry:
    """What an order needs of a procedure of the catalogue."""

    id: int
    code: Code
    modality: str
    duration_min: int
    contrast_agent: str
    needs_vetting: bool
    protocols: tuple[Code, ...]


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
        rows = self._connection.execute(
            SQL["catalogue_by_code"],
            {"code_value": code.code_value, "scheme": code.coding_scheme_designator},
        ).fetchall()
        return int(rows[0][0]) if len(rows) == 1 else None

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
            self._add_procedure(number, one, is_accepted=new.is_accepted, notes=notes)
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
        procedure = self._add_procedure(number, new, is_accepted=False, notes=[])
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
        check_procedure(new)
        number = repository.order_of_procedure(self._connection, procedure)
        order = repository.locked(self._connection, number)
        old = next(one for one in order.procedures if one.id == procedure)
        code = new.code or Code(
            code_value=old.code_value,
            coding_scheme_designator=old.coding_scheme_designator,
            code_meaning=old.code_meaning,
        )
        is_other = (code.code_value, code.coding_scheme_designator) != (
            old.code_value,
            old.coding_scheme_designator,
        )
        entry = self._entry(new.catalogue) if new.catalogue is not None else None
        study = new.study_instance_uid or old.study_instance_uid
        if is_other or study != old.study_instance_uid:
            self._require_not_begun(old)
        vetting: Vetting = old.vetting
        if is_other:
            needs = entry is not None and entry.needs_vetting and not is_accepted
            vetting = Vetting.WAITING if needs else Vetting.NOT_NEEDED
        values = {
            "id": procedure,
            "catalogue": new.catalogue if is_other else (new.catalogue or old.catalogue),
            "code_value": code.code_value,
            "coding_scheme_designator": code.coding_scheme_designator,
            "code_meaning": code.code_meaning or old.code_meaning,
            "description": new.description or old.description,
            "modality": new.modality or (entry.modality if entry else "") or old.modality,
            "duration_min": new.duration_min or (entry.duration_min if entry else old.duration_min),
            "study_instance_uid": study,
            "vetting": vetting,
        }
        before = (
            old.catalogue,
            old.code_value,
            old.coding_scheme_designator,
            old.code_meaning,
            old.description,
            old.modality,
            old.duration_min,
            old.study_instance_uid,
            old.vetting,
        )
        is_changed = before != tuple(values.values())[1:]
        if is_changed:
            self._connection.execute(SQL["change_procedure"], values)
        if new.steps:
            is_changed |= self._change_steps(
                old, new.steps, modality=str(values["modality"]), source=source
            )
        if not is_changed:
            return
        record(
            self._connection,
            WorkflowKind.ORDER_CHANGED,
            source=source,
            request=number,
            procedure=procedure,
            detail={"changed": ["procedure"]},
        )
        steps.follow(self._connection, number)

    def _change_steps(
        self, old: Procedure, wanted: Sequence[NewStep], *, modality: str, source: str
    ) -> bool:
        open_ = [one for one in old.steps if one.state in steps.BEFORE_START]
        by_identifier = {one.scheduled_procedure_step_id: one for one in old.steps}
        is_changed = False
        for new in wanted:
            found = by_identifier.get(new.scheduled_procedure_step_id)
            if found is None and open_:
                found = open_[0]
            if found is None:
                self._add_step(old.id, new, modality=modality, contrast_agent="", notes=[])
                is_changed = True
            elif found.state in steps.BEFORE_START:
                if found in open_:
                    open_.remove(found)
                is_changed |= self._change_step(found, new, source=source)
        return is_changed

    def _change_step(self, old: Step, new: NewStep, *, source: str) -> bool:
        """What a foreign scheduler says of a step: booked ones of ours keep their time."""
        takes_time = new.start_at is not None and old.end_at is None
        start_at = new.start_at if takes_time else old.start_at
        codes = [dict(one) for one in old.protocol_codes]
        if new.protocol_codes:
            codes = [one.as_json() for one in new.protocol_codes]
        values = {
            "modality": new.modality or old.modality,
            "description": new.description or old.description,
            "protocol_codes": codes,
            "scheduled_station_ae_title": new.scheduled_station_ae_title
            or old.scheduled_station_ae_title,
            "scheduled_station_name": new.scheduled_station_name or old.scheduled_station_name,
            "location": new.location or old.location,
            "start_at": start_at,
            "end_at": old.end_at,
            "performing_physician_name": new.performing_physician_name
            or old.performing_physician_name,
        }
        before = {name: getattr(old, name) for name in values}
        before["protocol_codes"] = [dict(one) for one in old.protocol_codes]
        if before == values and not (takes_time and old.state is StepState.WAITING):
            return False
        self._connection.execute(
            SQL["change_step"], {**values, "id": old.id, "protocol_codes": Jsonb(codes)}
        )
        if takes_time and old.state is StepState.WAITING:
            steps.step_changed(self._connection, old.id, StepState.SCHEDULED, source=source)
        return True

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
        self._require_not_begun(found)
        for one in found.steps:
            steps.step_changed(
                self._connection, one.id, StepState.CANCELED, source=source, reason=_cut(reason)
            )

    # -- group case ---------------------------------------------------------------------------

    def group(self, step_numbers: Sequence[int], *, source: str) -> str:
        """Let one acquisition fulfil steps of several procedures of a patient (IHE group case).

        They have the study of the first and change their state together.

        Returns: Study Instance UID of all.

        Raises:
            UnknownOrder: a step is not there.
            InvalidOrder: less than two, of several patients or modalities.
            TransitionRefused: one has begun.
        """
        if len(set(step_numbers)) < 2:
            raise InvalidOrder("a group has two steps at least")
        found = {
            one: repository.order_of_step(self._connection, one)
            for one in dict.fromkeys(step_numbers)
        }
        self._connection.execute(SQL["lock"], {"ids": sorted(set(found.values()))})
        orders = {one.id: one for one in self.get_all(sorted(set(found.values())))}
        members = [
            (order, procedure, step)
            for number, of in found.items()
            for order in (orders[of],)
            for procedure in order.procedures
            for step in procedure.steps
            if step.id == number
        ]
        if len({order.patient for order, _, _ in members}) > 1:
            raise InvalidOrder("the steps are of several patients")
        if len({step.modality for _, _, step in members}) > 1:
            raise InvalidOrder("the steps are of several modalities")
        for _, procedure, step in members:
            if step.state not in steps.BEFORE_START:
                raise TransitionRefused("step", step.id, step.state, step.state)
            self._require_not_begun(procedure)
        leader = members[0]
        study = leader[1].study_instance_uid
        for order, procedure, step in members:
            self._connection.execute(
                SQL["set_study"], {"id": procedure.id, "study_instance_uid": study}
            )
            record(
                self._connection,
                WorkflowKind.ORDER_CHANGED,
                source=source,
                request=order.id,
                procedure=procedure.id,
                step=step.id,
                detail={"changed": ["group"], "with": leader[2].scheduled_procedure_step_id},
            )
        self._connection.execute(SQL["set_group"], {"ids": list(found), "group": leader[2].id})
        return study

    def ungroup(self, step: int, *, source: str) -> None:
        """Let each step of a group have an acquisition and a study of its own again.

        Raises:
            UnknownOrder: the step is not there.
            TransitionRefused: one has begun.
        """
        order = self.get(repository.order_of_step(self._connection, step))
        leader = next(one.acquired_with for one in order.steps if one.id == step)
        if leader is None:
            return
        rows = self._connection.execute(SQL["steps_acquired_with"], {"group": leader}).fetchall()
        members = [int(row[0]) for row in rows]
        of = {one: repository.order_of_step(self._connection, one) for one in members}
        self._connection.execute(SQL["lock"], {"ids": sorted(set(of.values()))})
        kept = repository.get(self._connection, of[leader])
        (keeper,) = (p.id for p in kept.procedures for s in p.steps if s.id == leader)
        for number in members:
            other = self.get(of[number])
            (procedure,) = (p for p in other.procedures for s in p.steps if s.id == number)
            self._require_not_begun(procedure)
            if procedure.id != keeper:
                self._connection.execute(
                    SQL["set_study"], {"id": procedure.id, "study_instance_uid": new_uid()}
                )
            record(
                self._connection,
                WorkflowKind.ORDER_CHANGED,
                source=source,
                request=other.id,
                procedure=procedure.id,
                step=number,
                detail={"changed": ["group"]},
            )
        self._connection.execute(SQL["set_group"], {"ids": members, "group": None})

    def add_step(self, procedure: Procedure, new: NewStep, *, contrast_agent: str = "") -> int:
        """One more step of a procedure.

        Returns: Its row.
        """
        return self._add_step(
            procedure.id,
            new,
            modality=procedure.modality,
            contrast_agent=contrast_agent,
            notes=[],
        )

    # -- rows ---------------------------------------------------------------------------------

    def entry(self, number: int) -> CatalogueEntry:
        """What the catalogue says of a procedure.

        Raises:
            UnknownCatalogueEntry: it has none, or offers it no longer.
        """
        return self._entry(number)

    def _entry(self, number: int) -> CatalogueEntry:
        row = self._connection.execute(SQL["catalogue"], {"id": number}).fetchone()
        if row is None or not row[11]:
            raise UnknownCatalogueEntry(f"the catalogue offers no procedure {number}")
        protocols = self._connection.execute(SQL["catalogue_protocols"], {"id": number})
        return CatalogueEntry(
            id=row[0],
            code=Code(
                code_value=row[1], coding_scheme_designator=row[2], code_meaning=row[3] or row[4]
            ),
            modality=row[5],
            duration_min=row[6],
            contrast_agent=row[8] if row[7] == "REQUIRED" else "",
            needs_vetting=row[10],
            protocols=tuple(
                Code(code_value=one[0], coding_scheme_designator=one[1], code_meaning=one[2])
                for one in protocols
            ),
        )

    def _add_procedure(
        self, number: int, new: NewProcedure, *, is_accepted: bool, notes: list[str]
    ) -> int:
        entry = None if new.catalogue is None else self._entry(new.catalogue)
        code = new.code or (
            entry.code if entry else Code(code_value="", coding_scheme_designator="")
        )
        modality = new.modality or (entry.modality if entry else "")
        needs_vetting = entry is not None and entry.needs_vetting and not is_accepted
        identifier = self._procedure_id(new.requested_procedure_id, notes)
        row = self._connection.execute(
            SQL["add_procedure"],
            {
                "request": number,
                "requested_procedure_id": identifier,
                "study_instance_uid": new.study_instance_uid or new_uid(),
                "catalogue": new.catalogue,
                "code_value": code.code_value,
                "coding_scheme_designator": code.coding_scheme_designator,
                "code_meaning": code.code_meaning,
                "description": new.description or code.code_meaning[:64],
                "modality": modality,
                "duration_min": new.duration_min or (entry.duration_min if entry else 20),
                "vetting": Vetting.WAITING if needs_vetting else Vetting.NOT_NEEDED,
            },
        ).fetchone()
        if row is None:
            raise NumberTaken("the requested procedure identifier was taken meanwhile")
        procedure = int(row[0])
        description = new.description or code.code_meaning[:64]
        wanted: Sequence[NewStep] = new.steps
        if not wanted and entry is not None and entry.protocols:
            wanted = [
                NewStep(description=one.code_meaning[:64], protocol_codes=(one,))
                for one in entry.protocols
            ]
        for one in wanted or (NewStep(description=description),):
            self._add_step(
                procedure,
                one if one.description else replace(one, description=description),
                modality=modality,
                contrast_agent=entry.contrast_agent if entry else "",
                notes=notes,
            )
        return procedure

    def _procedure_id(self, wanted: str, notes: list[str]) -> str:
        if wanted and not self._is_taken("requested_procedure", "requested_procedure_id", wanted):
            return wanted
        if wanted:
            notes.append("the requested procedure identifier is another procedure's: ours is given")
        return numbers.next_requested_procedure_id(self._connection)

    def _step_id(self, wanted: str, notes: list[str]) -> str:
        table, column = "scheduled_procedure_step", "scheduled_procedure_step_id"
        if wanted and not self._is_taken(table, column, wanted):
            return wanted
        if wanted:
            notes.append("the step identifier is another step's: ours is given")
        return numbers.next_scheduled_procedure_step_id(self._connection)

    def _is_taken(self, table: str, column: str, value: str) -> bool:
        query = f"SELECT 1 FROM {table} WHERE {column} = %s"
        return self._connection.execute(query, (value,)).fetchone() is not None

    def _add_step(
        self,
        procedure: int,
        new: NewStep,
        *,
        modality: str,
        contrast_agent: str,
        notes: list[str],
    ) -> int:
        row = self._connection.execute(
            SQL["add_step"],
            {
                "procedure": procedure,
                "scheduled_procedure_step_id": self._step_id(
                    new.scheduled_procedure_step_id, notes
                ),
                "modality": new.modality or modality,
                "description": new.description,
                "protocol_codes": Jsonb([one.as_json() for one in new.protocol_codes]),
                "scheduled_station_ae_title": new.scheduled_station_ae_title,
                "scheduled_station_name": new.scheduled_station_name,
                "location": new.location,
                "start_at": new.start_at,
                "end_at": None,
                "performing_physician_name": new.performing_physician_name,
                "requested_contrast_agent": contrast_agent,
                "state": StepState.WAITING if new.start_at is None else StepState.SCHEDULED,
            },
        ).fetchone()
        if row is None:
            raise NumberTaken("the step identifier was taken meanwhile")
        return int(row[0])

    def _require_not_begun(self, procedure: Procedure) -> None:
        for one in procedure.steps:
            if one.state not in steps.BEFORE_START | {StepState.CANCELED}:
                raise TransitionRefused(
                    "procedure", procedure.id, procedure.state, ProcedureState.REQUESTED
                )

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
