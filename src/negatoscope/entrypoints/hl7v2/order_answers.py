"""Answers to orders that say what came of them: ORR^O02, ORG^O20, ORI^O24 (HL7 v2.5.1 §4.4.2, §4.4.5, §4.4.7).

A message is acknowledged when it is kept; this answer waits until it was carried out, so that it can give the
filler order number. It is for who asks: MSH-16 of enhanced mode, or a sending application named in the settings.
"""

import asyncio
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final
from zoneinfo import ZoneInfo

from negatoscope.domain.messages import Messages, Receipt, State, StoredMessage
from negatoscope.domain.orders import Order, Orders, Procedure, ProcedureState, Step, StepState
from negatoscope.entrypoints.hl7v2.order_fields import orders_of
from negatoscope.infra.clock import utc_now
from negatoscope.infra.db import Database
from negatoscope.kit.aio import run_blocking
from negatoscope.kit.ulid import new_ulid
from negatoscope.protocols.hl7v2 import (
    AcknowledgmentCode,
    ErrorCode,
    FieldValue,
    Message,
    Segment,
    acknowledge,
)
from negatoscope.protocols.hl7v2.acknowledgement import is_enhanced, wants_application

MESSAGE_TYPES: Final[Mapping[str, tuple[str, str, str]]] = {
    "ORM": ("ORR", "O02", "ORR_O02"),
    "OMG": ("ORG", "O20", "ORG_O20"),
    "OMI": ("ORI", "O24", "ORI_O24"),
}
"""MSH-9 of the answer by that of the order."""
DONE: Final[Mapping[str, tuple[str, str]]] = {
    "NW": ("OK", "UA"),
    "SN": ("NA", "UA"),
    "XO": ("XR", "UX"),
    "RP": ("RQ", "UM"),
    "CA": ("CR", "UC"),
    "DC": ("DR", "UD"),
    "HD": ("HR", "UH"),
    "RL": ("OR", "UR"),
    "SS": ("SR", "UA"),
}
"""ORC-1 of the answer by that of the order (HL7 table 0119): carried out, or not."""
OTHERWISE: Final = ("OK", "UA")
"""For every other: what another filler tells of its order."""
NOT_YET: Final = "it is kept and not carried out yet; sent again, it is answered again"
_FIRST_LOOK_S: Final = 0.02
_LAST_LOOK_S: Final = 0.5
_WHERE: Final = re.compile(r"([A-Z][A-Z0-9]{2})-(\d{1,2}): (.*)", re.DOTALL)


class OrderAnswers:
    """Answers to orders, once they were carried out.

    Args:
        database: Where messages and orders are.
        senders: Sending applications (MSH-3) that get one without asking in MSH-16.
        patience_s: So long an answer waits.
        zone: Of times without an offset.
    """

    def __init__(
        self, database: Database, *, senders: Sequence[str], patience_s: float, zone: ZoneInfo
    ) -> None:
        self._database = database
        self._messages = Messages(database)
        self._senders = frozenset(senders)
        self._patience_s = patience_s
        self._zone = zone

    def is_for(self, message: Message) -> bool:
        """Whether a message has such an answer, if its outcome is what the sender wants to hear of."""
        if message.message_code not in MESSAGE_TYPES or not message.groups("ORC"):
            return False
        if is_enhanced(message):
            return message.header.get(16) in {"AL", "SU", "ER"}
        return message.header.get(3) in self._senders

    async def answer(self, message: Message, receipt: Receipt) -> Message | None:
        """The answer, when the message was carried out or the time is up; None when none is wanted."""
        stored = await self._carried_out(receipt)
        is_good = receipt.verdict.is_positive and stored.state in {State.PROCESSED, State.IGNORED}
        if not wants_application(message, successful=is_good):
            return None
        orders = await run_blocking(self._orders, stored)
        reason, where = "", ("", 0)
        error: str = receipt.verdict.error_code
        if not receipt.verdict.is_positive:
            reason = receipt.verdict.reason
            where = (receipt.verdict.segment, receipt.verdict.field)
        elif stored.state is State.PENDING:
            error, reason = ErrorCode.APPLICATION_RECORD_LOCKED, NOT_YET
        elif not is_good:
            error, reason = ErrorCode.INTERNAL_ERROR, stored.state_reason
            found = _WHERE.fullmatch(reason)
            if found is not None:
                where, reason = (found[1], int(found[2])), found[3]
        code = "AA" if is_good else receipt.verdict.code.replace("AA", "AE")
        return acknowledge(
            message,
            AcknowledgmentCode(code),
            control_id=str(new_ulid()),
            at=utc_now(),
            error=error or None,
            where=where,
            reason=reason,
            message_type=MESSAGE_TYPES[message.message_code],
            details=self._details(message, stored, orders, is_good=is_good),
        )

    async def _carried_out(self, receipt: Receipt) -> StoredMessage:
        """The message as it is when it was carried out, or when the time is up."""
        loop = asyncio.get_running_loop()
        until_s, pause_s = loop.time() + self._patience_s, _FIRST_LOOK_S
        while True:
            stored, _ = await run_blocking(self._messages.get, receipt.id)
            if stored.state is not State.PENDING or loop.time() >= until_s:
                return stored
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 1.5, _LAST_LOOK_S)

    def _orders(self, stored: StoredMessage) -> dict[int, Order]:
        numbers = [one["order"] for one in _effects(stored) if one.get("order") is not None]
        if not numbers:
            return {}
        with self._database.connection() as connection:
            return {one.id: one for one in Orders(connection).get_all(numbers)}

    def _details(
        self, message: Message, stored: StoredMessage, orders: Mapping[int, Order], *, is_good: bool
    ) -> list[Segment]:
        """ORC and what belongs to it: by what is kept here, else as it was sent; nothing before."""
        if stored.state is State.PENDING:
            return []
        incoming = orders_of(message, self._zone)
        effects = _effects(stored)
        found = [orders.get(one.get("order") or 0) for one in effects]
        if is_good and len(found) == len(incoming) and all(found):
            return [
                segment
                for one, order in zip(incoming, found, strict=True)
                if order is not None
                for segment in _of_order(message, one.control, order)
            ]
        return [segment for run in message.groups("ORC") for segment in _as_sent(run, is_good)]


def _effects(stored: StoredMessage) -> list[dict[str, Any]]:
    return list(stored.effect.get("orders", ()))


def control_of(control: str, *, is_good: bool) -> str:
    """ORC-1 of the answer."""
    return DONE.get(control, OTHERWISE)[0 if is_good else 1]


def _of_order(message: Message, control: str, order: Order) -> list[Segment]:
    """ORC, OBR and, for OMI, IPC: of each procedure that is not gone, with our identifiers."""
    gone = {ProcedureState.CANCELED, ProcedureState.REPLACED}
    procedures = [one for one in order.procedures if one.state not in gone] or order.procedures
    placer = _entity(order.placer_order_number, order.placer_issuer)
    filler = _entity(order.filler_order_number, order.filler_issuer)
    code = control_of(control, is_good=True)
    if code == "NA" and placer is None:
        code = "OK"  # nobody here gives placer numbers
    segments: list[Segment] = []
    for position, one in enumerate(procedures, start=1):
        common: dict[int, FieldValue] = {1: code, 2: placer, 3: filler}
        request: dict[int, FieldValue] = {
            1: position,
            2: placer,
            3: filler,
            4: (one.code_value, one.code_meaning, one.coding_scheme_designator),
            18: order.accession_number,
            19: one.requested_procedure_id,
        }
        segments += [
            Segment.build("ORC", common, message.header.delimiters),
            Segment.build("OBR", request, message.header.delimiters),
        ]
        if message.message_code == "OMI":
            live = [step for step in one.steps if step.state is not StepState.CANCELED]
            segments += [_step(message, order, one, step) for step in live or one.steps]
    return segments


def _step(message: Message, order: Order, procedure: Procedure, step: Step) -> Segment:
    values: dict[int, FieldValue] = {
        1: _entity(order.accession_number, order.issuer_of_accession_number),
        2: procedure.requested_procedure_id,
        3: procedure.study_instance_uid,
        4: step.scheduled_procedure_step_id,
        5: step.modality or procedure.modality,
    }
    return Segment.build("IPC", values, message.header.delimiters)


def _as_sent(run: Sequence[Segment], is_good: bool) -> list[Segment]:
    orc = run[0]
    fields = ["ORC", control_of(orc.get(1), is_good=is_good), orc.raw(2), orc.raw(3)]
    kept = [one for one in run[1:] if one.id in {"OBR", "IPC"}]
    return [Segment(tuple(fields), orc.delimiters, orc.codec), *kept]


def _entity(value: str, issuer: str) -> FieldValue:
    return (value, issuer) if value and issuer else (value or None)
