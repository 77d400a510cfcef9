"""What an admission message says of a stay: PV1, PV2, ZBE (IHE PAM ITI-31 and its French extension).

Plain international ADT has no ZBE: its event and its time are the movement then.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import psycopg

from negatoscope.domain.messages import CannotApply
from negatoscope.domain.patients import Authority, Identifier, Registry
from negatoscope.domain.patients.encounters import Encounters
from negatoscope.domain.patients.stays import CANCELS, MOVEMENTS, Statement, StatementAction
from negatoscope.domain.patients.units import Units
from negatoscope.entrypoints.hl7v2.times import instant
from negatoscope.protocols.hl7v2 import NULL, Message, Segment

TELLS: Final = frozenset({"A08", "A54"}) - MOVEMENTS
"""Events that correct a stay without a movement."""
FOLLOWED: Final = MOVEMENTS | frozenset(CANCELS) | TELLS | {"Z99"}
_ACTIONS: Final = {
    "INSERT": StatementAction.INSERT,
    "UPDATE": StatementAction.UPDATE,
    "CANCEL": StatementAction.CANCEL,
}
_MAX_MOVEMENTS: Final = 100
_MAX_TEXT: Final = 100


def follow(
    connection: psycopg.Connection[Any],
    message: Message,
    *,
    patient: int,
    source: str,
    zone: ZoneInfo,
) -> dict[str, Any] | None:
    """Take what a message says of a stay, after its patient was registered.

    Args:
        connection: In a transaction.
        message: ADT.
        patient: Whom it names.
        source: ``hl7:<message>``.
        zone: Of times that name none.

    Returns: The effect, for the list; None when it says nothing of a stay.

    Raises:
        CannotApply: nothing says when.
        PatientError: the stay is another patient's.
    """
    trigger = message.trigger_event
    pv1, pid = message.first("PV1"), message.first("PID")
    if trigger not in FOLLOWED or pv1 is None or pid is None:
        return None
    if pv1.get(2) == "N" and message.first("ZBE") is None:
        return None
    account = _number(pid, 18, pid, "AN")
    visit = _number(pv1, 19, pid, "VN") or account
    if visit is None:
        return None
    said_at = _said_at(message, zone)
    statements = list(_statements(message, trigger, said_at, zone))
    application, facility = message.sender
    done = Encounters(connection).follow(
        patient=patient,
        visit=visit,
        account=account,
        statements=statements,
        sender=f"{application} {facility}".strip()[:_MAX_TEXT],
        source=source,
    )
    _learn_units(connection, message, source)
    return {
        "encounter": done.encounter,
        "state": str(done.state),
        "done": "created" if done.is_new else "updated" if done.is_changed else "nothing",
    }


def move_account(
    connection: psycopg.Connection[Any],
    message: Message,
    pid: Segment,
    mrg: Segment,
    *,
    patient: int,
    source: str,
    zone: ZoneInfo,
) -> dict[str, Any]:
    """Move an account with its stays to the message's patient (ADT^A44).

    Raises:
        CannotApply: no account is named.
        PatientError: the account is a third patient's.
    """
    account = _number(mrg, 3, pid, "AN") or _number(pid, 18, pid, "AN")
    if account is None:
        raise CannotApply("the account that moves is not given", segment="MRG", field=3)
    registry = Registry(connection)
    former = None
    for one in _identifiers(mrg, 1):
        if (holder := registry.holder(one)) is not None:
            former = holder
            break
    moved = Encounters(connection).move_account(
        account=account,
        patient=patient,
        former=former,
        said_at=_said_at(message, zone),
        source=source,
    )
    return {"patient": patient, "done": "account moved", "encounters": moved}


def _said_at(message: Message, zone: ZoneInfo) -> datetime:
    said = instant(message.get("EVN", 2), zone) or instant(message.header.get(7), zone)
    if said is None:
        raise CannotApply("nothing says when this was said", segment="EVN", field=2)
    return said


def _statements(
    message: Message, trigger: str, said_at: datetime, zone: ZoneInfo
) -> Iterator[Statement]:
    facts = _facts(message)
    movements = message.all("ZBE")
    if len(movements) > _MAX_MOVEMENTS:
        raise CannotApply(f"more than {_MAX_MOVEMENTS} movements in one message")
    control_id = message.control_id
    for zbe in movements:
        shift = _shift(zbe)
        action = _ACTIONS.get(zbe.get(4 + shift).upper())
        if action is None:
            action = StatementAction.CANCEL if trigger in CANCELS else StatementAction.INSERT
        event = zbe.get(6 + shift) or _own_event(trigger, action)
        yield Statement(
            said_at=said_at,
            control_id=control_id,
            action=action,
            event=event[:3],
            movement_id=_movement_id(zbe),
            happened_at=instant(zbe.get(2), zone) or _happened_at(message, trigger, said_at, zone),
            facts=facts | _of_movement(zbe, shift),
        )
    if movements:
        return
    happened_at = _happened_at(message, trigger, said_at, zone)
    if trigger in CANCELS:
        yield Statement(
            said_at=said_at,
            control_id=control_id,
            action=StatementAction.CANCEL,
            event=trigger,
            happened_at=happened_at,
        )
    elif trigger in MOVEMENTS:
        yield Statement(
            said_at=said_at,
            control_id=control_id,
            action=StatementAction.INSERT,
            event=trigger,
            happened_at=happened_at,
            facts=facts,
        )
    else:
        yield Statement(
            said_at=said_at,
            control_id=control_id,
            action=StatementAction.TELL,
            event=trigger,
            happened_at=happened_at,
            facts=facts,
        )


def _own_event(trigger: str, action: StatementAction) -> str:
    """The movement's event where ZBE-6 does not say it; empty when several are possible."""
    if action is StatementAction.CANCEL:
        events = CANCELS.get(trigger, ())
        return events[0] if len(events) == 1 else ""
    return "" if trigger == "Z99" else trigger


def _shift(zbe: Segment) -> int:
    """Senders exist who slip one field in before the action (official examples among them)."""
    is_shifted = zbe.get(4).upper() not in _ACTIONS and zbe.get(5).upper() in _ACTIONS
    return 1 if is_shifted else 0


def _movement_id(zbe: Segment) -> str:
    for repetition in zbe.repetitions(1):
        value = zbe.part(repetition, 1)
        if value and value != NULL:
            authority = zbe.part(repetition, 3) or zbe.part(repetition, 2)
            return f"{value}^{authority}"[:_MAX_TEXT]
    return ""


def _happened_at(message: Message, trigger: str, said_at: datetime, zone: ZoneInfo) -> datetime:
    """When a movement without ZBE-2 happened: EVN-6, else what the visit says, else when it was said."""
    wanted = [message.get("EVN", 6)]
    if trigger in {"A01", "A04"}:
        wanted.append(message.get("PV1", 44))
    elif trigger == "A03":
        wanted.append(message.get("PV1", 45))
    elif trigger in {"A05", "A14"}:
        wanted += [message.get("PV2", 8), message.get("PV1", 44), message.get("EVN", 3)]
    found = (instant(one, zone) for one in wanted)
    return next((one for one in found if one is not None), said_at)


def _facts(message: Message) -> dict[str, str]:
    """What PV1 speaks of; what it leaves empty is left out."""
    facts: dict[str, str] = {}
    pv1 = message.first("PV1")
    assert pv1 is not None  # noqa: S101 - the caller looked
    if pv1.get(2) and pv1.get(2) != "N":
        facts["patient_class"] = _text(pv1.get(2))
    if pv1.raw(3):
        for name, component in (("lodging_unit", 1), ("room", 2), ("bed", 3)):
            value = pv1.get(3, component)
            if value or name != "lodging_unit":
                facts[name] = _text(value)
    doctor = next(iter(pv1.repetitions(7)), "")
    if doctor:
        names = [_text(pv1.part(doctor, component)) for component in (2, 3)]
        facts["attending_doctor"] = "^".join(names).strip("^")
    return facts


def _of_movement(zbe: Segment, shift: int) -> dict[str, str]:
    facts = {}
    for name, number in (("medical_unit", 7), ("care_unit", 8)):
        code, _label = _unit(zbe, number + shift)
        if code:
            facts[name] = code
    nature = zbe.get(9 + shift)
    if nature:
        facts["nature"] = _text(nature)[:3]
    historic = zbe.get(5 + shift).upper()
    if historic in {"Y", "N"}:
        facts["is_historic"] = historic
    return facts


def _unit(segment: Segment, number: int) -> tuple[str, str]:
    """Code and label of a unit (XON): the code in component 10, in old messages 3, else 1."""
    label, code = _text(segment.get(number, 1)), _text(segment.get(number, 10))
    code = code or _text(segment.get(number, 3))
    return (code, label) if code else (label, "")


def _learn_units(connection: psycopg.Connection[Any], message: Message, source: str) -> None:
    units = Units(connection)
    for zbe in message.all("ZBE"):
        shift = _shift(zbe)
        for number in (7 + shift, 8 + shift):
            code, label = _unit(zbe, number)
            if code and label and code != label:
                units.learn(code, label, source=source)


def _number(segment: Segment, field: int, pid: Segment, type_code: str) -> Identifier | None:
    """The number of a stay or account; without authority, in the domain of the patient's identifier."""
    repetition = next(iter(segment.repetitions(field)), "")
    value = segment.part(repetition, 1) if repetition else ""
    if not value or value == NULL:
        return None
    authority = _authority(segment, repetition)
    if not authority.is_named:
        first = next(_identifiers(pid, 3), None)
        if first is None:
            return None  # a bare number joins nothing
        authority = first.authority
    return Identifier(value=_text(value), authority=authority, type_code=type_code)


def _identifiers(segment: Segment, field: int) -> Iterator[Identifier]:
    for repetition in segment.repetitions(field):
        value, authority = segment.part(repetition, 1), _authority(segment, repetition)
        type_code = segment.part(repetition, 5)
        if value and value != NULL and authority.is_named and type_code not in {"INS", "AN", "VN"}:
            yield Identifier(value=value, authority=authority, type_code=type_code)


def _authority(segment: Segment, repetition: str) -> Authority:
    return Authority(
        namespace=segment.part(repetition, 4, 1),
        universal_id=segment.part(repetition, 4, 2),
        universal_id_type=segment.part(repetition, 4, 3),
    )


def _text(value: str) -> str:
    return "" if value == NULL else " ".join(value.replace("\0", "").split())[:_MAX_TEXT]
