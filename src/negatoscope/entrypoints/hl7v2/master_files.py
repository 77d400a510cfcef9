"""The hospital's structure by message: MFN^M05 (HL7 v2.5.1 §8.9; the French structure feed).

Each MFE with its LOC and LCH is a place; units (UF, services, nursing units) are kept, sites, rooms and beds are not.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import psycopg

from negatoscope.domain.messages import Ignored, Outcome, Verdict
from negatoscope.domain.patients.units import Unit, Units
from negatoscope.entrypoints.hl7v2.times import instant
from negatoscope.protocols.hl7v2 import NULL, ErrorCode, Message, Segment

_NOT_UNITS: Final = frozenset({"M", "ETBL_GRPQ", "R", "B", "CH", "LIT", "BD", "RM"})
"""Legal and geographic entities, rooms, beds."""
_ENDS: Final = frozenset({"MDC", "MDL"})
_CHANGES: Final = frozenset({"MAD", "MUP", "MAC"})
_MAX_TEXT: Final = 200


def check(message: Message) -> Verdict:
    """What the sender is told: whether there is a place in it."""
    if message.trigger_event != "M05":
        return Verdict()
    if message.first("MFE") is None:
        return Verdict(
            code="AE",
            error_code=ErrorCode.SEGMENT_SEQUENCE,
            segment="MFE",
            field=0,
            reason="the message names no place",
        )
    return Verdict()


def apply(
    connection: psycopg.Connection[Any], number: int, message: Message, *, zone: ZoneInfo
) -> Outcome:
    """Take units.

    Raises:
        Ignored: other master files, or no unit among the places.
    """
    if message.trigger_event != "M05":
        raise Ignored("of master files, the hospital's structure (M05) is kept")
    units = Units(connection)
    source = f"hl7:{number}"
    today = instant(message.header.get(7), zone)
    changed, ended, passed_over = 0, 0, 0
    for group in message.groups("MFE"):
        unit, action, day = _place(group, zone, today)
        if unit is None or not unit.code:
            passed_over += 1
        elif action in _ENDS:
            ended += units.close(unit.code, day=day, source=source)
        elif action in _CHANGES and unit.label:
            units.tell(unit, day=day, source=source)
            changed += 1
        else:
            passed_over += 1
    if not changed and not ended:
        raise Ignored("no unit is among the places")
    return Outcome(effect={"units": {"kept": changed, "ended": ended, "passed over": passed_over}})


def _place(
    group: Sequence[Segment], zone: ZoneInfo, today: datetime | None
) -> tuple[Unit | None, str, date]:
    mfe = group[0]
    effective = instant(mfe.get(3), zone) or today or datetime.now(zone)
    day = effective.astimezone(zone).date()
    loc = next((one for one in group if one.id == "LOC"), None)
    key = (loc, 1) if loc is not None else (mfe, 4)
    kind = _text(key[0].get(key[1], 6)) or (_text(loc.get(3)) if loc is not None else "")
    if kind.upper() in _NOT_UNITS:
        return None, mfe.get(1), day
    said = _characteristics(group)
    code = said.get("CD") or _text(key[0].get(key[1], 9)) or _text(key[0].get(key[1], 1))
    label = said.get("LBL") or said.get("LBL_CRT") or (_text(loc.get(2)) if loc else "")
    return Unit(code=code, label=label, kind=kind, parent_code=_parent(group)), mfe.get(1), day


def _characteristics(group: Sequence[Segment]) -> dict[str, str]:
    """LCH-4 to LCH-5: ``CD``, ``LBL``, …; the value stands in the code or in the text."""
    found: dict[str, str] = {}
    for one in group:
        if one.id == "LCH":
            values = (_text(one.get(5, component)) for component in (1, 2))
            found.setdefault(one.get(4).upper(), next((v for v in values if v), ""))
    return found


def _parent(group: Sequence[Segment]) -> str:
    """The service or pole it belongs to (LRL-4 ``LCLSTN``, LRL-6)."""
    for one in group:
        if one.id == "LRL" and one.get(4).upper() in {"LCLSTN", "ETBLSMNT"}:
            parent = _text(one.get(6, 9)) or _text(one.get(6, 1)) or _text(one.get(5))
            if parent:
                return parent
    return ""


def _text(value: str) -> str:
    return "" if value == NULL else " ".join(value.replace("\0", "").split())[:_MAX_TEXT]
