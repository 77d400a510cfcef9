"""What order messages say, whichever family says it (IHE RAD-2, RAD-4, RAD-13).

ORM^O01 (HL7 v2.3.1) has a pair ORC, OBR for each scheduled step and the study in ZDS; OMG^O19 and OMI^O23
(v2.5.1) have the timing in TQ1, and OMI an IPC for each step. Both are read into the same `Incoming`, so that
nothing behind can tell them apart.

==============================  =====================  =====================
What                            ORM, OMG               OMI
==============================  =====================  =====================
Accession number, issuer        OBR-18                 IPC-1
Requested procedure             OBR-19                 IPC-2
Study Instance UID              ZDS-1                  IPC-3
Step                            OBR-20                 IPC-4
Modality                        OBR-24                 IPC-5
Protocol code                   OBR-4.4 to .6          IPC-6
Station, location, AE title                            IPC-7, IPC-8, IPC-9
Start, priority                 ORC-7.4, ORC-7.6       TQ1-7, TQ1-9
==============================  =====================  =====================

Procedure code OBR-44 (else OBR-4), reason OBR-31, placer and filler ORC-2 and ORC-3 (else OBR-2, OBR-3),
requesting and referring physician OBR-16 and PV1-8, visit PV1-19 (else PID-18), alerts OBR-12 and OBR-13,
pregnancy PV1-15, weight and height OBX are the same in both. What is absent where it belongs is looked for where
the other family has it.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation
from typing import Final
from zoneinfo import ZoneInfo

from negatoscope.domain.orders import (
    Code,
    NewProcedure,
    NewStep,
    Priority,
)
from negatoscope.protocols.hl7v2 import NULL, Message, Segment

MAX_GROUPS: Final = 100
PRIORITIES: Final = {
    "S": Priority.STAT,
    "A": Priority.HIGH,
    "P": Priority.HIGH,
    "C": Priority.HIGH,
    "U": Priority.HIGH,
    "R": Priority.ROUTINE,
    "T": Priority.MEDIUM,
    **{one.value: one for one in Priority},
}
"""HL7 table 0485 and what DICOM calls them (RAD TF-2 Table B-1)."""
_TRANSPORT: Final = {"CART": "BED", "WHLC": "CHAIR", "PORT": "PORTABLE", "WALK": "WALK"}
_PREGNANT: Final = "B6"
_WEIGHT: Final = frozenset({"29463-7", "3141-9", "BODY WEIGHT"})
_HEIGHT: Final = frozenset({"8302-2", "3137-7", "BODY HEIGHT"})
_PREGNANCY: Final = "82810-3"
_ONE: Final = Decimal(1)
_KILOGRAMS: Final = {"": _ONE, "kg": _ONE, "g": Decimal("0.001"), "lb": Decimal("0.45359237")}
_METRES: Final = {
    "m": _ONE,
    "cm": Decimal("0.01"),
    "mm": Decimal("0.001"),
    "in": Decimal("0.0254"),
}
_STAMP: Final = re.compile(
    r"(\d{4})(\d{2})(\d{2})(?:(\d{2})(\d{2})(?:(\d{2})(?:\.\d{1,6})?)?)?([+-]\d{4})?"
)
_TELERADIOLOGY: Final = "CISIS_TLR"


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """A number with who gave it (EI)."""

    value: str = ""
    issuer: str = ""

    def __bool__(self) -> bool:
        """Whether there is one."""
        return bool(self.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """One order of a message.

    Attributes:
        control: ORC-1.
        status: ORC-5.
        details: Attributes of `OrderDetails` that the message speaks of.
        reason: ORC-16: why it changes or ends.
        is_scheduled: The sender has given its steps a time (ORC-5 SC, IP, CM).
        notes: What had to be forgiven.
    """

    control: str
    status: str
    placer: Number
    filler: Number
    accession: Number
    details: dict[str, object]
    procedures: tuple[NewProcedure, ...]
    reason: str = ""
    is_scheduled: bool = False
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Item:
    """What one OBR without IPC, or one IPC, says.

    Attributes:
        origin: The same for the IPC of one OBR.
    """

    origin: int
    accession: Number
    requested_procedure_id: str
    study_instance_uid: str
    code: Code
    description: str
    modality: str
    step: NewStep


@dataclass(slots=True, kw_only=True)
class _Group:
    """An order being put together."""

    key: object
    common: Segment
    run: tuple[Segment, ...]
    items: list[_Item] = field(default_factory=list)


def orders_of(message: Message, zone: ZoneInfo) -> list[Incoming]:
    """The orders of a message, in its order.

    Args:
        message: ORM, OMG or OMI.
        zone: Of times without an offset.
    """
    study = message.get("ZDS", 1)
    groups: list[_Group] = []
    for run in message.groups("ORC")[:MAX_GROUPS]:
        items = _items(run, study, zone)
        key = _key(run[0], items)
        found = next((one for one in groups if one.key == key), None)
        if found is None:
            groups.append(_Group(key=key, common=run[0], run=run, items=items))
        else:
            found.items.extend(items)
    return [_incoming(message, one) for one in groups]


def _key(orc: Segment, items: Sequence[_Item]) -> object:
    """What makes two groups of a message one order."""
    accession = next((one.accession for one in items if one.accession), None)
    if accession is not None:
        return orc.get(1), "accession", accession
    group = orc.get(4)
    if group:
        return orc.get(1), "group", group
    study = next((one.study_instance_uid for one in items if one.study_instance_uid), None)
    if study is not None:
        return orc.get(1), "study", study
    placer, filler = number(orc, 2), number(orc, 3)
    return (orc.get(1), placer, filler) if placer or filler else object()


def _incoming(message: Message, group: _Group) -> Incoming:
    notes: list[str] = []
    orc, obr = group.common, _first(group.run, "OBR")
    status = orc.get(5)
    is_scheduled = status in {"SC", "IP", "CM"}
    details = _details(message, group, notes)
    starts = [one.step.start_at for one in group.items if one.step.start_at is not None]
    if starts:
        details["wished_at"] = min(starts)
    elif _timing(group.run):
        notes.append("the requested time cannot be read")
    return Incoming(
        control=orc.get(1),
        status=status,
        placer=number(orc, 2) or (number(obr, 2) if obr else Number()),
        filler=number(orc, 3) or (number(obr, 3) if obr else Number()),
        accession=next((one.accession for one in group.items if one.accession), Number()),
        details=details,
        procedures=_procedures(group.items, is_scheduled=is_scheduled, notes=notes),
        reason=orc.get(16, 2) or orc.get(16),
        is_scheduled=is_scheduled,
        notes=tuple(dict.fromkeys(notes)),
    )


# -- procedures and steps -------------------------------------------------------------------------


def _items(run: tuple[Segment, ...], study: str, zone: ZoneInfo) -> list[_Item]:
    items: list[_Item] = []
    start = start_of(run, zone)
    study = next((one.get(1) for one in run if one.id == "ZDS"), study)
    modality = _observed_modality(run)
    for position, obr in enumerate(run):
        if obr.id != "OBR":
            continue
        after = run[position + 1 :]
        until = next((at for at, one in enumerate(after) if one.id == "OBR"), len(after))
        ipcs = [one for one in after[:until] if one.id == "IPC"]
        plain = _item_of_obr(obr, study, modality, start)
        items.extend([_item_of_ipc(one, plain) for one in ipcs] or [plain])
    return items


def _item_of_obr(obr: Segment, study: str, modality: str, start: datetime | None) -> _Item:
    code = code_at(obr, 44) or code_at(obr, 4) or Code(code_value="")
    protocol = code_at(obr, 4, first=4)
    return _Item(
        origin=id(obr),
        accession=number(obr, 18),
        requested_procedure_id=_value(obr.get(19)),
        study_instance_uid=_value(study),
        code=code,
        description=code.code_meaning[:64],
        modality=_value(obr.get(24)) or modality,
        step=NewStep(
            scheduled_procedure_step_id=_value(obr.get(20)),
            modality=_value(obr.get(24)) or modality,
            description=(protocol.code_meaning if protocol else code.code_meaning)[:64],
            protocol_codes=(protocol,) if protocol else (),
            start_at=start,
            performing_physician_name=person(obr, 34, family=2)
            or person(obr, 34, family=1, subcomponents=True),
        ),
    )


def _item_of_ipc(ipc: Segment, plain: _Item) -> _Item:
    modality = _value(ipc.get(5)) or plain.modality
    codes = tuple(
        Code(
            code_value=ipc.part(one, 1),
            coding_scheme_designator=ipc.part(one, 3),
            code_meaning=ipc.part(one, 2),
        )
        for one in ipc.repetitions(6)
        if ipc.part(one, 1)
    )
    codes = codes or tuple(plain.step.protocol_codes)
    ae_titles = [ipc.part(one) for one in ipc.repetitions(9)]
    return _Item(
        origin=plain.origin,
        accession=number(ipc, 1) or plain.accession,
        requested_procedure_id=_value(ipc.get(2)) or plain.requested_procedure_id,
        study_instance_uid=_value(ipc.get(3)) or plain.study_instance_uid,
        code=plain.code,
        description=plain.description,
        modality=modality,
        step=replace(
            plain.step,
            scheduled_procedure_step_id=_value(ipc.get(4))
            or plain.step.scheduled_procedure_step_id,
            modality=modality,
            description=codes[0].code_meaning[:64] if codes else plain.step.description,
            protocol_codes=codes,
            scheduled_station_name=_value(ipc.get(7)),
            location=_value(ipc.get(8)),
            # One AE title at a step: of several the first that can be one (PS3.5 §6.2).
            scheduled_station_ae_title=next((one for one in ae_titles if len(one) <= 16), ""),
        ),
    )


def _procedures(
    items: Iterable[_Item], *, is_scheduled: bool, notes: list[str]
) -> tuple[NewProcedure, ...]:
    """Items of one procedure and of one step brought together."""
    found: dict[object, list[_Item]] = {}
    for one in items:
        found.setdefault(one.requested_procedure_id or one.origin, []).append(one)
    made: list[NewProcedure] = []
    for of in found.values():
        first = of[0]
        made.append(
            NewProcedure(
                code=first.code if first.code.code_value else None,
                description=first.description or first.code.code_value[:64],
                modality=first.modality[:16],
                study_instance_uid=first.study_instance_uid,
                requested_procedure_id=_fitting(
                    first.requested_procedure_id, "requested procedure", notes
                ),
                steps=_steps(of, is_scheduled=is_scheduled, notes=notes),
            )
        )
    return tuple(made)


def _steps(items: Iterable[_Item], *, is_scheduled: bool, notes: list[str]) -> tuple[NewStep, ...]:
    steps: dict[object, NewStep] = {}
    for position, one in enumerate(items):
        step = one.step
        key = step.scheduled_procedure_step_id or position
        if key in steps:
            codes = dict.fromkeys((*steps[key].protocol_codes, *step.protocol_codes))
            steps[key] = replace(steps[key], protocol_codes=tuple(codes))
            continue
        steps[key] = replace(
            step,
            scheduled_procedure_step_id=_fitting(step.scheduled_procedure_step_id, "step", notes),
            modality=step.modality[:16],
            start_at=step.start_at if is_scheduled else None,
        )
    if not is_scheduled and all(
        not one.scheduled_procedure_step_id and not one.protocol_codes for one in steps.values()
    ):
        return ()  # nothing is said of steps: the catalogue decides
    return tuple(steps.values())


def _fitting(identifier: str, what: str, notes: list[str]) -> str:
    """An identifier as DICOM can carry it; empty, for one of ours, when it cannot."""
    if len(identifier) > 16:
        notes.append(f"the {what} identifier has more than 16 characters: ours is given")
        return ""
    return identifier


def _observed_modality(run: Iterable[Segment]) -> str:
    """As French teleradiology requests give it, in an observation."""
    for one in run:
        if one.id == "OBX" and one.get(3) == "MODALITE_IMAGERIE":
            return one.get(5)
    return ""


# -- what is said of the order --------------------------------------------------------------------


def _details(message: Message, group: _Group, notes: list[str]) -> dict[str, object]:
    """What the message speaks of; ``""`` takes away, an absent field says nothing."""
    run, orc = group.run, group.common
    obr = _first(run, "OBR")
    pv1, pid = message.first("PV1"), message.first("PID")
    said: dict[str, object] = {}

    def say(name: str, value: str, limit: int) -> None:
        if value == NULL:
            said[name] = ""
        elif value:
            if len(value) > limit:
                notes.append(f"{name.replace('_', ' ')} was cut after {limit} characters")
            said[name] = value[:limit]

    if pv1 is not None:
        location = [pv1.get(3, at) for at in (1, 2, 3)]
        say("current_patient_location", " ".join(one for one in location if one), 64)
        say("referring_physician_name", person(pv1, 8), 324)
        if _PREGNANT in {pv1.part(one) for one in pv1.repetitions(15)}:
            said["pregnancy_status"] = "0003"
    visit = number(pv1, 19) if pv1 is not None else Number()
    visit = visit or (number(pid, 18) if pid is not None else Number())
    say("admission_id", visit.value, 64)
    say("issuer_of_admission_id", visit.issuer, 64)
    say("requesting_service", _service(orc), 64)
    if obr is not None:
        physician = obr if obr.raw(16) else orc
        at = 16 if obr.raw(16) else 12
        say("requesting_physician", person(physician, at), 324)
        if _is_rpps(physician, at):
            say("requesting_physician_id", physician.get(at), 64)
        reasons = [obr.part(one, 2) or obr.part(one, 1) for one in obr.repetitions(31)]
        say("clinical_question", "\n".join(one for one in reasons if one), 10_240)
        if _TELERADIOLOGY in message.header.raw(21):
            say("justification", obr.text(13), 10_240)
        else:
            alerts = (obr.get(12, 2) or obr.get(12), obr.text(13).replace("\n", "; "))
            say("medical_alerts", "; ".join(one for one in alerts if one), 10_240)
        transport = obr.get(30)
        say("patient_transport", _TRANSPORT.get(transport, transport), 64)
    priority = priority_of(run)
    if priority:
        known = PRIORITIES.get(priority.upper())
        if known is None:
            notes.append("the priority is none that is known")
        else:
            said["priority"] = known
    allergies = [one.get(3, 2) or one.get(3) for one in message.all("AL1")]
    say("allergies", "; ".join(one for one in allergies if one), 10_240)
    comments = [one.text(3) for one in run if one.id == "NTE"]
    say("comments", "\n".join(one for one in comments if one), 10_240)
    _observe(run, said, notes)
    return said


def _observe(run: Iterable[Segment], said: dict[str, object], notes: list[str]) -> None:
    """Weight, height and pregnancy of observations."""
    for one in run:
        if one.id != "OBX":
            continue
        names = {one.get(3, 1), one.get(3, 2).upper()}
        if names & _WEIGHT:
            _measure(one, "patient_weight_kg", _KILOGRAMS, said, notes)
        elif names & _HEIGHT:
            _measure(one, "patient_size_m", _METRES, said, notes)
        elif _PREGNANCY in names:
            value = one.get(5).upper()
            said["pregnancy_status"] = {"N": "0001", "NO": "0001", "Y": "0003", "YES": "0003"}.get(
                value, "0004"
            )


def _measure(
    obx: Segment,
    name: str,
    units: dict[str, Decimal],
    said: dict[str, object],
    notes: list[str],
) -> None:
    unit = obx.get(6).strip()
    try:
        value = Decimal(obx.get(5).strip().replace(",", "."))
    except InvalidOperation:
        value = Decimal(0)
    factor = units.get(unit) or units.get(unit.lower())
    if not unit and name == "patient_size_m":  # centimetres are whole numbers of three digits
        factor = Decimal("0.01") if value > 3 else _ONE
    most = 700 if name == "patient_weight_kg" else 3
    if factor is None or not value.is_finite() or not 0 < value * factor <= most:
        notes.append(f"{name.split('_')[1]} cannot be used")
        return
    said[name] = (value * factor).quantize(Decimal("0.001"))


def _service(orc: Segment) -> str:
    """The unit that asks: entering organisation, else the ordering facility."""
    for at, component in ((17, 2), (17, 1), (21, 1)):
        value = orc.get(at, component)
        if value:
            return value
    return ""


def _is_rpps(segment: Segment, at: int) -> bool:
    return segment.get(at, 13) in {"RPPS", "IDNPS"} or "1.2.250.1.71.4.2.1" in segment.raw(at)


# -- types of fields ------------------------------------------------------------------------------


def number(segment: Segment, at: int) -> Number:
    """EI and CX: a value with its issuer.

    EI has the issuer in components 2 to 4, CX in the subcomponents of 4; the local name counts, else
    the universal identifier.
    """
    value = segment.get(at)
    if not value or value == NULL:
        return Number()
    as_cx = segment.get(at, 4, 1) or segment.get(at, 4, 2)
    as_ei = segment.get(at, 2) or segment.get(at, 3)
    is_ei = segment.id in {"ORC", "OBR", "IPC"}
    return Number(value=value, issuer=as_ei if is_ei else as_cx)


def code_at(segment: Segment, at: int, *, first: int = 1) -> Code | None:
    """CE: identifier, text, name of coding system, from component `first` on."""
    value, text, scheme = (segment.get(at, first + one) for one in range(3))
    if not value and not text:
        return None
    return Code(
        code_value=value or text[:64], coding_scheme_designator=scheme, code_meaning=text[:256]
    )


def person(segment: Segment, at: int, *, family: int = 2, subcomponents: bool = False) -> str:
    """XCN as DICOM writes a name (PN): family, given, middle, prefix, suffix.

    Args:
        family: Component of the family name.
        subcomponents: The parts are subcomponents of the first component (NDL).
    """
    if subcomponents:
        parts = [segment.get(at, 1, one) for one in (2, 3, 4, 6, 5)]
    else:
        parts = [segment.get(at, family + one) for one in (0, 1, 2, 4, 3)]
    clean = [re.sub(r"[\^=\\\x00-\x1f]", " ", one).strip() for one in parts]
    return "^".join(clean).rstrip("^")


def stamp(text: str, zone: ZoneInfo) -> datetime | None:
    """TS: a point in time; None when it is none, or a day only is missing."""
    match = _STAMP.fullmatch(text.strip())
    if match is None:
        return None
    year, month, day, hour, minute, second, offset = match.groups()
    try:
        made = datetime(
            int(year),
            int(month),
            int(day),
            int(hour or 0),
            int(minute or 0),
            min(int(second or 0), 59),
            tzinfo=zone,
        )
        if offset:
            minutes = int(offset[1:3]) * 60 + int(offset[3:5])
            delta = timedelta(minutes=-minutes if offset[0] == "-" else minutes)
            made = made.replace(tzinfo=timezone(delta))
        made.utcoffset()
    except (ValueError, OverflowError):
        return None
    return made


def start_of(run: Sequence[Segment], zone: ZoneInfo) -> datetime | None:
    """When it shall be done: TQ1-7, else ORC-7.4, else OBR-27.4, else OBR-36."""
    text = _timing(run)
    return stamp(text, zone) if text else None


def priority_of(run: Sequence[Segment]) -> str:
    """How urgent: TQ1-9, else ORC-7.6, else OBR-27.6, else OBR-5."""
    return _of_first(run, (("TQ1", 9, 1), ("ORC", 7, 6), ("OBR", 27, 6), ("OBR", 5, 1)))


def _timing(run: Sequence[Segment]) -> str:
    return _of_first(run, (("TQ1", 7, 1), ("ORC", 7, 4), ("OBR", 27, 4), ("OBR", 36, 1)))


def _of_first(run: Sequence[Segment], places: Iterable[tuple[str, int, int]]) -> str:
    for identifier, at, component in places:
        for one in run:
            if one.id == identifier and (value := _value(one.get(at, component))):
                return value
    return ""


def _first(run: Iterable[Segment], identifier: str) -> Segment | None:
    return next((one for one in run if one.id == identifier), None)


def _value(text: str) -> str:
    return "" if text == NULL else text.strip()
