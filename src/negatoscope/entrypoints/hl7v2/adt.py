"""Admission, discharge and transfer: who the patient is (IHE PAM ITI-30, ITI-31, French extension).

Every event with a PID segment tells the traits and identifiers of a patient; A40 joins two files,
A47 changes an identifier, A44 moves an account. What is said of stays is in `encounters`. An identifier of the
national identity (INS) counts only together with PID-32 VALI (RNIV).
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final
from zoneinfo import ZoneInfo

import psycopg

from negatoscope.domain.messages import CannotApply, Ignored, Outcome, Verdict
from negatoscope.domain.patients import (
    Authority,
    Identifier,
    PatientError,
    PersonName,
    Registered,
    Registry,
    ins,
)
from negatoscope.domain.patients.registry import ENCOUNTER_TYPES
from negatoscope.entrypoints.hl7v2 import encounters
from negatoscope.protocols.hl7v2 import NULL, ErrorCode, Message, Segment
from negatoscope.protocols.hl7v2.encoding import escape

MERGES: Final = frozenset({"A40", "A18", "A34", "A36", "A39"})
CHANGES_OF_IDENTIFIER: Final = frozenset({"A47", "A46"})
MOVES_OF_ACCOUNT: Final = frozenset({"A44"})
WITH_FORMER: Final = MERGES | CHANGES_OF_IDENTIFIER | MOVES_OF_ACCOUNT
"""Events with MRG."""
PARIS: Final = ZoneInfo("Europe/Paris")
OF_A_PATIENT: Final = frozenset(
    {f"A{number:02d}" for number in (*range(1, 17), *range(21, 24), 25, 26, 27, 28, 31, 32, 33)}
    | {"A38", "A52", "A53", "A54", "A55", "Z99"}
) - {"A23"}
"""Events that tell who a patient is, besides what they say of a stay."""
NOT_FOLLOWED: Final = {
    "A20": "states of beds are not kept",
    "A45": "stays are moved with their account (A44)",
    "A49": "accounts keep their number here",
    "A50": "stays keep their number here",
    "A43": "identifiers are moved by a merge or a change here",
}
FOR_A_PERSON: Final = {
    "A23": "the deletion of a file is decided here, not by a message",
    "A29": "the deletion of a file is decided here, not by a message",
    "A24": "links between patients are not kept: a merge is meant or nothing",
    "A37": "links between patients are not kept",
}
_DATE = re.compile(r"\d{4}(\d{2}(\d{2})?)?")
_MAX_GROUPS: Final = 1000


def check(message: Message) -> Verdict:
    """What the sender is told: whether the message can be understood at all."""
    trigger = message.trigger_event
    if not trigger:
        return _refused(
            9, "MSH", "the message has no trigger event", ErrorCode.REQUIRED_FIELD_MISSING
        )
    if trigger not in OF_A_PATIENT | WITH_FORMER:
        return Verdict()  # unknown events are passed over (IHE PAM France), known ones explained
    verdict = check_patient(message)
    if not verdict.is_positive:
        return verdict
    if trigger in WITH_FORMER and message.first("MRG") is None:
        return _refused(0, "MRG", "nothing says what ends", ErrorCode.SEGMENT_SEQUENCE)
    return Verdict()


def with_authority(message: Message, authority: str) -> Message:
    """A message whose bare numbers of patients (PID-3, MRG-1) say who assigned them.

    Args:
        message: As it came.
        authority: Local name; with an empty one nothing changes.
    """
    if not authority:
        return message
    places = {"PID": 3, "MRG": 1}
    return replace(
        message,
        segments=tuple(
            _said_by(one, places[one.id], authority) if one.id in places else one
            for one in message.segments
        ),
    )


def _said_by(segment: Segment, number: int, authority: str) -> Segment:
    delimiters = segment.delimiters
    written = []
    for repetition in segment.repetitions(number):
        pieces = repetition.split(delimiters.component)
        is_bare = not segment.part(repetition, 4, 1) and not segment.part(repetition, 4, 2)
        if segment.part(repetition) not in {"", NULL} and is_bare:
            pieces += [""] * (4 - len(pieces))
            pieces[3] = escape(authority, delimiters)
        written.append(delimiters.component.join(pieces))
    if not written:
        return segment
    fields = list(segment.fields)
    fields[number] = delimiters.repetition.join(written)
    return replace(segment, fields=tuple(fields))


def check_patient(message: Message) -> Verdict:
    """Whether a message says of whom it speaks."""
    pid = message.first("PID")
    if pid is None:
        return _refused(0, "PID", "the message has no patient", ErrorCode.SEGMENT_SEQUENCE)
    if not any(pid.part(one) for one in pid.repetitions(3)):
        return _refused(3, "PID", "the patient has no identifier", ErrorCode.REQUIRED_FIELD_MISSING)
    if not any(pid.part(one, 4) or pid.part(one, 4, 2) for one in pid.repetitions(3)):
        reason = "no identifier says who assigned it"
        return _refused(3, "PID", reason, ErrorCode.REQUIRED_FIELD_MISSING)
    return Verdict()


def _refused(field: int, segment: str, reason: str, code: ErrorCode) -> Verdict:
    return Verdict(code="AE", error_code=code, segment=segment, field=field, reason=reason)


def apply(
    connection: psycopg.Connection[Any], number: int, message: Message, *, zone: ZoneInfo = PARIS
) -> Outcome:
    """Do what a message says, in the caller's transaction.

    Args:
        connection: In a transaction.
        number: The message's, for the history.
        message: ADT.
        zone: Of times that name none.

    Raises:
        Ignored: nothing here depends on it.
        CannotApply: a person must look at it.
    """
    trigger = message.trigger_event
    if trigger in FOR_A_PERSON:
        raise CannotApply(FOR_A_PERSON[trigger])
    registry = Registry(connection)
    source = f"hl7:{number}"
    effect: dict[str, Any] = {}
    try:
        if trigger in MERGES:
            effects = [_merge(registry, pid, mrg, source) for pid, mrg in _pairs(message)]
        elif trigger in CHANGES_OF_IDENTIFIER:
            effects = [_change(registry, pid, mrg, source) for pid, mrg in _pairs(message)]
        elif trigger in OF_A_PATIENT:
            pid = message.first("PID")
            assert pid is not None  # noqa: S101 - `check` refused it
            done = register(registry, pid, source, more=_of_document(message))
            effects = [_effect(done)]
            stay = encounters.follow(
                connection, message, patient=done.patient, source=source, zone=zone
            )
            if stay is not None:
                effect["encounter"] = stay
        elif trigger in MOVES_OF_ACCOUNT:
            effects = [
                encounters.move_account(
                    connection,
                    message,
                    pid,
                    mrg,
                    patient=register(registry, pid, source).patient,
                    source=source,
                    zone=zone,
                )
                for pid, mrg in _pairs(message)
            ]
        else:
            raise Ignored(NOT_FOLLOWED.get(trigger, f"event {trigger[:10]} is not known here"))
    except PatientError as error:
        raise CannotApply(error.message) from error
    warnings = _warnings(message)
    return Outcome(
        effect={"patients": effects} | effect | ({"warnings": warnings} if warnings else {})
    )


# -- what the events do ---------------------------------------------------------------------------


def register(
    registry: Registry, pid: Segment, source: str, *, more: Mapping[str, Any] | None = None
) -> Registered:
    """Make or update the file that a PID speaks of.

    Args:
        registry: In a transaction.
        pid: Who.
        source: ``hl7:<message>``.
        more: Traits that other segments give.

    Raises:
        PatientError: its identifiers belong to nobody, or to several.
    """
    identifiers = list(_identifiers(pid, 3, is_qualified=_is_qualified(pid)))
    updates = updates_of(pid) | dict(more or {})
    return registry.register(updates=updates, identifiers=identifiers, source=source)


def _of_document(message: Message) -> dict[str, Any]:
    """ZFD-1: a birth date that no calendar has, as the document says it (PAM France: day, month, year)."""
    zfd = message.first("ZFD")
    if zfd is None or not zfd.raw(1):
        return {}
    if zfd.get(1) == NULL:
        return {"lunar_birth_date": ""}
    parts = [_text(part) for components in zfd.tree(1) for piece in components for part in piece]
    return {"lunar_birth_date": "/".join(part for part in parts if part)[:40]}


def _merge(registry: Registry, pid: Segment, mrg: Segment, source: str) -> dict[str, Any]:
    survivor = register(registry, pid, source).patient
    merged = []
    for old in patient_identifiers(mrg, 1):
        subsumed = registry.holder(old)
        if subsumed is not None and subsumed != survivor:
            registry.merge(survivor=survivor, subsumed=subsumed, source=source)
            merged.append(subsumed)
    return {"patient": survivor, "done": "merged" if merged else "nothing", "from": merged}


def _change(registry: Registry, pid: Segment, mrg: Segment, source: str) -> dict[str, Any]:
    old = next(iter(patient_identifiers(mrg, 1)), None)
    if old is None:
        raise CannotApply("the identifier that changes is not given", segment="MRG", field=1)
    new = next(
        (
            one
            for one in _identifiers(pid, 3, is_qualified=True, keep_null=True)
            if one.type_code == old.type_code or one.authority == old.authority
        ),
        None,
    )
    if new is None:
        raise CannotApply("no identifier of the same kind takes its place", segment="PID", field=3)
    number = registry.change_identifier(
        old=old, new=None if new.value == NULL else new, source=source
    )
    if registry.get(number).identifiers:
        _register_known(registry, number, pid, source)
    return {"patient": number, "done": "identifier changed"}


def _warnings(message: Message) -> list[str]:
    """What is odd and was taken all the same: an INS whose key does not fit."""
    found: dict[str, None] = {}
    for pid in message.all("PID"):
        for one in _identifiers(pid, 3, is_qualified=True):
            if ins.is_ins(one) and (problem := ins.problem_of(one.value)):
                found[f"INS: {problem}"] = None
    return list(found)


def has_test_identity(message: Message) -> bool:
    """Whether a patient is named by an INS of the test or demonstration domains."""
    return any(
        ins.is_test(one)
        for pid in message.all("PID")
        for one in _identifiers(pid, 3, is_qualified=True)
    )


def _register_known(registry: Registry, number: int, pid: Segment, source: str) -> None:
    """Traits of A47 too: PID-32 follows the identifier."""
    identifiers = [
        one
        for one in _identifiers(pid, 3, is_qualified=_is_qualified(pid))
        if registry.holder(one) in {None, number}
    ]
    if identifiers:
        registry.register(updates=updates_of(pid), identifiers=identifiers, source=source)


def _effect(done: Registered) -> dict[str, Any]:
    what = "nothing" if done.kind is None else done.kind.value.lower()
    return {"patient": done.patient, "done": what, "changed": list(done.changed)}


def _pairs(message: Message) -> Iterator[tuple[Segment, Segment]]:
    """PID and MRG of each repetition of the patient group."""
    pid: Segment | None = None
    count = 0
    for one in message:
        if one.id == "PID":
            pid = one
        elif one.id == "MRG" and pid is not None:
            count += 1
            if count > _MAX_GROUPS:
                raise CannotApply(f"more than {_MAX_GROUPS} patients in one message")
            yield pid, one


# -- what a PID says ------------------------------------------------------------------------------


def _is_qualified(pid: Segment) -> bool:
    """PID-32 VALI, without doubt."""
    values = set(pid.repetitions(32))
    return "VALI" in values and "DOUT" not in values


def _identifiers(
    segment: Segment, number: int, *, is_qualified: bool, keep_null: bool = False
) -> Iterator[Identifier]:
    """Identifiers of the patient that count: with an authority, national ones when qualified."""
    for repetition in segment.repetitions(number):
        value = segment.part(repetition, 1)
        if not value or (value == NULL and not keep_null):
            continue
        authority = Authority(
            namespace=segment.part(repetition, 4, 1),
            universal_id=segment.part(repetition, 4, 2),
            universal_id_type=segment.part(repetition, 4, 3),
        )
        type_code = segment.part(repetition, 5)
        if not authority.is_named:
            continue  # a bare number joins nothing
        one = Identifier(value=value, authority=authority, type_code=type_code)
        if not is_qualified and (type_code == "INS" or ins.is_ins(one)):
            continue
        yield one


def patient_identifiers(segment: Segment, number: int) -> Iterator[Identifier]:
    """The identifiers of a field that are a patient's own, not a visit's."""
    for one in _identifiers(segment, number, is_qualified=True):
        if one.type_code not in ENCOUNTER_TYPES:
            yield one


def updates_of(pid: Segment) -> dict[str, Any]:
    """Traits that a PID gives: attributes of `Traits`; what it does not speak of is left out.

    ``""`` takes a trait away; dates and sexes that cannot be used are passed over.
    """
    updates: dict[str, Any] = {}
    for repetition in pid.repetitions(5):
        kind = pid.part(repetition, 7) or "L"
        name = PersonName(
            family=_text(pid.part(repetition, 1)),
            given=_text(pid.part(repetition, 2)),
            further=_text(pid.part(repetition, 3)) if kind in {"L", "M"} else "",
        )
        if kind in {"L", "M"} and "birth_name" not in updates:
            updates["birth_name"] = name
        elif kind in {"D", "U", "B"} and "used_name" not in updates:
            updates["used_name"] = name
    born = pid.get(7)
    if born == NULL:
        updates["birth_date"] = ""
    elif (match := _DATE.match(born)) is not None:
        updates["birth_date"] = match.group(0)
    sex = pid.get(8)
    if sex == NULL:
        updates["sex"] = ""
    elif sex in {"M", "F", "O", "U", "A", "N", "I"}:
        updates["sex"] = sex
    for repetition in pid.repetitions(11):
        kind = pid.part(repetition, 7)
        if kind == "BDL":
            updates["birth_place_code"] = _text(pid.part(repetition, 9))
            if place := pid.part(repetition, 3):
                updates["birth_place_name"] = _text(place)
        elif kind in {"", "H", "L"} and "address" not in updates:
            parts = (_text(pid.part(repetition, one)) for one in (1, 2, 5, 3))
            updates["address"] = " ".join(one for one in parts if one)
    for repetition in pid.repetitions(13):
        number = _text(pid.part(repetition, 12)) or _text(pid.part(repetition, 1))
        if number and "telephone" not in updates:
            updates["telephone"] = number[:40]
    if pid.raw(29):
        updates["died_at"] = _text(pid.get(29))
    if pid.get(30) in {"Y", "N"}:
        updates["is_deceased"] = pid.get(30) == "Y"
    status = [one for one in (pid.part(one) for one in pid.repetitions(32)) if one]
    if status:
        updates["identity_status"] = next((one for one in status if one in {"VALI", "PROV"}), "")
        updates["identity_attributes"] = tuple(
            sorted(one for one in set(status) if one in {"HOMA", "DOUT", "FICT"})
        )
    return updates


def _text(value: str) -> str:
    return "" if value == NULL else value.replace("\0", "").strip()
