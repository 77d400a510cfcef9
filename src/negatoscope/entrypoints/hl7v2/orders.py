"""Imaging orders: ORM^O01, OMG^O19, OMI^O23 (IHE RAD-2, RAD-3, RAD-4, RAD-13).

What an order does follows from ORC-1 and ORC-5, see `EFFECTS`. The patient of PID is registered or kept up
first, as an ADT would: an order may come before its patient's admission. An order is known again by its filler
number, its placer number, its accession number; one that is another patient's is for a person.
"""

from collections.abc import Mapping
from dataclasses import fields, replace
from enum import StrEnum
from typing import Any, Final
from zoneinfo import ZoneInfo

import psycopg

from negatoscope.domain.messages import CannotApply, Ignored, Outcome, Verdict
from negatoscope.domain.orders import (
    Code,
    NewOrder,
    NewProcedure,
    Numbering,
    Order,
    OrderDetails,
    OrderError,
    Orders,
    ProcedureState,
    RequestState,
    StepState,
    step_changed,
)
from negatoscope.domain.patients import PatientError, Registry
from negatoscope.entrypoints.hl7v2 import adt
from negatoscope.entrypoints.hl7v2.order_fields import MAX_GROUPS, Incoming, orders_of
from negatoscope.kit.uid import is_valid_uid
from negatoscope.protocols.hl7v2 import ErrorCode, Message, Segment

TRIGGERS: Final = {"ORM": "O01", "OMG": "O19", "OMI": "O23"}
_MAX_ACCESSION: Final = 16


class Effect(StrEnum):
    """What an order message does."""

    ORDER = "order"
    """Made, or changed when it is known."""
    NUMBER = "number"
    """The placer's number of an order of ours."""
    CANCEL = "cancel"
    DISCONTINUE = "discontinue"
    HOLD = "hold"
    RELEASE = "release"
    START = "start"
    COMPLETE = "complete"
    NOTHING = "nothing"


ANY: Final = "*"
EFFECTS: Final[Mapping[tuple[str, str], tuple[Effect, ...]]] = {
    ("NW", ANY): (Effect.ORDER,),
    ("NW", "IP"): (Effect.ORDER, Effect.START),
    ("NW", "CM"): (Effect.ORDER, Effect.COMPLETE),
    ("SN", ANY): (Effect.ORDER,),
    ("NA", ANY): (Effect.NUMBER,),
    ("XO", ANY): (Effect.ORDER,),
    ("XO", "IP"): (Effect.ORDER, Effect.START),
    ("XO", "CM"): (Effect.ORDER, Effect.COMPLETE),
    ("RP", ANY): (Effect.ORDER,),
    ("CA", ANY): (Effect.CANCEL,),
    ("OC", ANY): (Effect.CANCEL,),
    ("DC", ANY): (Effect.DISCONTINUE,),
    ("OD", ANY): (Effect.DISCONTINUE,),
    ("HD", ANY): (Effect.HOLD,),
    ("OH", ANY): (Effect.HOLD,),
    ("RL", ANY): (Effect.RELEASE,),
    ("OE", ANY): (Effect.RELEASE,),
    ("SC", ANY): (Effect.NOTHING,),
    ("SC", "CA"): (Effect.CANCEL,),
    ("SC", "DC"): (Effect.DISCONTINUE,),
    ("SC", "HD"): (Effect.HOLD,),
    ("SC", "IP"): (Effect.START,),
    ("SC", "CM"): (Effect.COMPLETE,),
    ("OK", ANY): (Effect.NOTHING,),
    ("UA", ANY): (Effect.NOTHING,),
    ("UC", ANY): (Effect.NOTHING,),
    ("UX", ANY): (Effect.NOTHING,),
    ("CR", ANY): (Effect.NOTHING,),
    ("SR", ANY): (Effect.NOTHING,),
    ("SS", ANY): (Effect.NOTHING,),
    ("RE", ANY): (Effect.NOTHING,),
}
"""ORC-1 (HL7 table 0119) and ORC-5 (table 0038) to what is done; `ANY` for all other states."""
_CONTROLS: Final = frozenset(control for control, _ in EFFECTS)
_WITHOUT_NUMBER: Final = frozenset({"SN"})


def effects_of(control: str, status: str) -> tuple[Effect, ...]:
    """What a pair of ORC-1 and ORC-5 does."""
    return EFFECTS.get((control, status)) or EFFECTS[(control, ANY)]


# -- what the sender is told ----------------------------------------------------------------------


def check(message: Message) -> Verdict:
    """Whether the message can be understood at all."""
    expected = TRIGGERS[message.message_code]
    if message.trigger_event != expected:
        return Verdict(
            code="AR",
            error_code=ErrorCode.UNSUPPORTED_EVENT_CODE,
            segment="MSH",
            field=9,
            reason=f"of this type {message.message_code}^{expected} is taken",
        )
    verdict = adt.check_patient(message)
    if not verdict.is_positive:
        return verdict
    groups = message.groups("ORC")
    if not groups:
        return _refused("ORC", 0, "the message has no order", ErrorCode.SEGMENT_SEQUENCE)
    if len(groups) > MAX_GROUPS:
        reason = f"more than {MAX_GROUPS} orders in one message"
        return _refused("ORC", 0, reason, ErrorCode.INTERNAL_ERROR)
    for run in groups:
        verdict = _check_order(run, message)
        if not verdict.is_positive:
            return verdict
    return Verdict()


def _check_order(run: tuple[Segment, ...], message: Message) -> Verdict:
    orc = run[0]
    control = orc.get(1)
    if not control:
        return _refused("ORC", 1, "nothing says what to do", ErrorCode.REQUIRED_FIELD_MISSING)
    if control not in _CONTROLS:
        reason = "this order control is not known here"
        return _refused("ORC", 1, reason, ErrorCode.TABLE_VALUE_NOT_FOUND)
    obrs = [one for one in run if one.id == "OBR"]
    has_number = any(
        segment.get(at)
        for segment, at in [(orc, 2), (orc, 3), *((o, a) for o in obrs for a in (2, 3))]
    )
    if not has_number and control not in _WITHOUT_NUMBER:
        return _refused("ORC", 2, "the order has no number", ErrorCode.REQUIRED_FIELD_MISSING)
    if Effect.ORDER not in effects_of(control, orc.get(5)):
        return Verdict()
    if not obrs:
        return _refused("OBR", 0, "no procedure is asked for", ErrorCode.SEGMENT_SEQUENCE)
    for one in obrs:
        if not (one.get(4) or one.get(4, 2) or one.get(44) or one.get(44, 2)):
            reason = "no procedure is asked for"
            return _refused("OBR", 4, reason, ErrorCode.REQUIRED_FIELD_MISSING)
        if len(one.get(18)) > _MAX_ACCESSION:
            return _too_long("OBR", 18)
    for one in run:
        if one.id == "IPC" and len(one.get(1)) > _MAX_ACCESSION:
            return _too_long("IPC", 1)
    for identifier, at in (("ZDS", 1), ("IPC", 3)):
        for one in message.all(identifier):
            if one.get(at) and not is_valid_uid(one.get(at).strip()):
                return _refused(identifier, at, "this is no UID", ErrorCode.DATA_TYPE)
    return Verdict()


def _too_long(segment: str, field: int) -> Verdict:
    reason = f"an accession number has at most {_MAX_ACCESSION} characters"
    return _refused(segment, field, reason, ErrorCode.DATA_TYPE)


def _refused(segment: str, field: int, reason: str, code: ErrorCode) -> Verdict:
    return Verdict(code="AE", error_code=code, segment=segment, field=field, reason=reason)


# -- what it does ---------------------------------------------------------------------------------


def apply(
    connection: psycopg.Connection[Any],
    number: int,
    message: Message,
    *,
    numbering: Numbering,
    zone: ZoneInfo,
) -> Outcome:
    """Do what a message says, in the caller's transaction: all of its orders or none.

    Args:
        connection: In a transaction.
        number: The message's, for the history.
        message: ORM, OMG or OMI.
        numbering: How our numbers look.
        zone: Of times without an offset.

    Raises:
        Ignored: it tells nothing that is kept here.
        CannotApply: a person must look at it.
    """
    incoming = orders_of(message, zone)
    told = {one for order in incoming for one in effects_of(order.control, order.status)}
    if told <= {Effect.NOTHING}:
        raise Ignored("an answer or a state that is decided here changes nothing")
    pid = message.first("PID")
    assert pid is not None  # noqa: S101 - `check` refused it
    source = f"hl7:{number}"
    desk = _Desk(connection, numbering, source)
    try:
        patient = adt.register(desk.registry, pid, source).patient
        effects = [desk.take(order, patient) for order in incoming]
    except (PatientError, OrderError) as error:
        raise CannotApply(error.message) from error
    return Outcome(effect={"patient": patient, "orders": effects})


class _Desk:
    """Carries out the orders of one message."""

    def __init__(
        self, connection: psycopg.Connection[Any], numbering: Numbering, source: str
    ) -> None:
        self._connection = connection
        self.registry = Registry(connection)
        self._orders = Orders(connection, numbering)
        self._issuer = numbering.issuer
        self._source = source

    def take(self, new: Incoming, patient: int) -> dict[str, Any]:
        """Do what one order says.

        Returns: For the list of messages.
        """
        known = self._known(new, patient)
        notes = list(new.notes)
        effects = effects_of(new.control, new.status)
        if Effect.ORDER in effects and known is None:
            made = self._create(new, patient)
            known = made.order
            notes += made.notes
            if new.control == "XO":
                notes.append("the order was not known: it was taken as a new one")
        elif known is None:
            if effects == (Effect.NOTHING,):
                return {"order": None, "done": "nothing"}
            raise CannotApply("no order has this number", segment="ORC", field=2)
        elif Effect.ORDER in effects:
            self._change(known, new)
        for effect in effects:
            self._carry_out(effect, known, new)
        if any(one.catalogue is None for one in self._orders.get(known.id).procedures):
            notes.append("a procedure is not in the catalogue")
        said: dict[str, Any] = {"order": known.id, "done": "+".join(effects)}
        return {**said, "notes": notes} if notes else said

    def _known(self, new: Incoming, patient: int) -> Order | None:
        """The order that a message speaks of; the first number that is known decides."""
        filler, accession = new.filler, new.accession
        numbers = [
            self._orders.find_by_filler(filler.value, filler.issuer or self._issuer),
            self._orders.find_by_placer(new.placer.value, new.placer.issuer),
            self._orders.find_by_accession(accession.value, accession.issuer or self._issuer),
        ]
        if self._issuer:
            numbers += [
                None if filler.issuer else self._orders.find_by_filler(filler.value),
                None if accession.issuer else self._orders.find_by_accession(accession.value),
            ]
        found = {one for one in numbers if one is not None}
        if not found:
            return None
        if len(found) > 1:
            listed = ", ".join(map(str, sorted(found)))
            raise CannotApply(f"its numbers are those of the orders {listed}")
        order = self._orders.get(found.pop())
        given = (new.placer.value, new.placer.issuer)
        has = (order.placer_order_number, order.placer_issuer)
        if new.placer and order.placer_order_number and given != has and numbers[0] is None:
            raise CannotApply(
                f"its accession number is order {order.id}'s, of another placer number"
            )
        if self.registry.goes_on_as(order.patient) != self.registry.goes_on_as(patient):
            raise CannotApply(f"order {order.id} is another patient's", segment="PID", field=3)
        return order

    def _create(self, new: Incoming, patient: int) -> Any:
        return self._orders.create(
            NewOrder(
                patient=patient,
                procedures=[self._procedure(one) for one in new.procedures],
                details=OrderDetails(**new.details),  # type: ignore[arg-type]
                accession_number=new.accession.value,
                issuer_of_accession_number=new.accession.issuer,
                placer_order_number=new.placer.value,
                placer_issuer=new.placer.issuer,
                filler_order_number=new.filler.value,
                filler_issuer=new.filler.issuer,
                is_accepted=new.is_scheduled,
            ),
            source=self._source,
        )

    def _procedure(self, one: NewProcedure) -> NewProcedure:
        """With the catalogue's row, when it has its code."""
        entry = None if one.code is None else self._orders.catalogue_entry(one.code)
        return one if entry is None else replace(one, catalogue=entry)

    def _change(self, order: Order, new: Incoming) -> None:
        """What the message speaks of takes the place of what was there."""
        if order.state is RequestState.CANCELED:
            raise CannotApply(f"order {order.id} was called off")
        names = {one.name for one in fields(OrderDetails)}
        self._orders.change(
            order.id,
            {name: value for name, value in new.details.items() if name in names},
            source=self._source,
        )
        open_ = [
            one
            for one in order.procedures
            if one.state not in {ProcedureState.CANCELED, ProcedureState.REPLACED}
        ]
        for one in new.procedures:
            wanted = self._procedure(one)
            same = next(
                (
                    old
                    for old in open_
                    if old.requested_procedure_id == one.requested_procedure_id
                    or (old.study_instance_uid == one.study_instance_uid and len(open_) == 1)
                ),
                None,
            ) or next((old for old in open_ if _has_code(one.code, old.code_value)), None)
            if same is None and len(open_) == 1 and len(new.procedures) == 1:
                same = open_[0]
            if same is None:
                self._orders.add_procedure(order.id, wanted, source=self._source)
                continue
            open_.remove(same)
            self._orders.change_procedure(
                same.id, wanted, source=self._source, is_accepted=new.is_scheduled
            )

    def _carry_out(self, effect: Effect, order: Order, new: Incoming) -> None:
        orders, source = self._orders, self._source
        if effect is Effect.NUMBER:
            orders.name_placer(
                order.id,
                placer_order_number=new.placer.value,
                placer_issuer=new.placer.issuer,
                source=source,
            )
        elif effect is Effect.CANCEL:
            orders.cancel(order.id, reason=new.reason, source=source)
        elif effect is Effect.DISCONTINUE:
            orders.discontinue(order.id, reason=new.reason, source=source)
        elif effect is Effect.HOLD:
            orders.hold(order.id, reason=new.reason, source=source)
        elif effect is Effect.RELEASE:
            if orders.get(order.id).state is RequestState.ON_HOLD:
                orders.release(order.id, source=source)
        elif effect is Effect.START:
            self._go(order, StepState.STARTED)
        elif effect is Effect.COMPLETE:
            self._go(order, StepState.STARTED)
            self._go(order, StepState.COMPLETED)

    def _go(self, order: Order, to: StepState) -> None:
        """Let the steps that are not there yet go on."""
        before = {StepState.WAITING, StepState.SCHEDULED, StepState.ARRIVED, StepState.READY}
        wanted = before if to is StepState.STARTED else {StepState.STARTED}
        for one in self._orders.get(order.id).steps:
            if one.state in wanted:
                step_changed(self._connection, one.id, to, source=self._source)


def _has_code(code: Code | None, code_value: str) -> bool:
    return code is not None and code.code_value == code_value
