"""ServiceRequest: a requested procedure with its order; made by POST through the same door as every order.

One resource for each requested procedure; ``requisition`` is the accession number that its order has
in common. Identifiers are typed PLAC, FILL and ACSN (HL7 table 0203).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from negatoscope.domain.identity import Action
from negatoscope.domain.orders import (
    Code,
    NewOrder,
    NewProcedure,
    Numbering,
    Order,
    OrderDetails,
    OrderError,
    Orders,
    Priority,
    Procedure,
    ProcedureState,
    RequestState,
    UnknownCatalogueEntry,
    searching,
)
from negatoscope.domain.patients import PatientError, Registry
from negatoscope.domain.patients.searching import numbers_of_identified
from negatoscope.entrypoints.fhir.elements import (
    SNOMED,
    V2_0203,
    coding_scheme,
    coding_system,
    concept,
    instant,
    issuer_of,
    maybe,
    numbered,
    person_name,
    pruned,
    reference,
)
from negatoscope.entrypoints.fhir.search_parameters import (
    asked_identifier,
    by_code,
    by_date,
    by_number,
    by_patient,
    chained_identifier,
    date_span,
    named,
)
from negatoscope.entrypoints.fhir.searching import Context, Kind, Parameter
from negatoscope.entrypoints.web.problems import Problem
from negatoscope.infra.db.conditions import ALWAYS, NEVER, Condition

RPPS: Final = "urn:oid:1.2.250.1.71.4.2.1"
_PRIORITIES: Final = {Priority.STAT: "stat", Priority.HIGH: "urgent"}
_TAKEN_PRIORITIES: Final = {
    "routine": Priority.ROUTINE,
    "urgent": Priority.HIGH,
    "asap": Priority.HIGH,
    "stat": Priority.STAT,
}
_REVOKED: Final = (
    ProcedureState.CANCELED,
    ProcedureState.DISCONTINUED,
    ProcedureState.REPLACED,
)
_STATUSES: Final = {
    "on-hold": searching.on_hold(),
    "completed": searching.ended_in(ProcedureState.COMPLETED),
    "revoked": searching.ended_in(*_REVOKED),
    "active": searching.going_on(without=[ProcedureState.COMPLETED, *_REVOKED]),
}
_TEXT_LIMIT: Final = 4000


def service_request(order: Order, one: Procedure, *, patient: int) -> dict[str, Any]:
    """The resource of a requested procedure.

    Args:
        order: Its order.
        one: The procedure.
        patient: Whose, by now: a file may have ended in another one since.
    """
    details = order.details
    status = "active"
    if order.state is RequestState.ON_HOLD:
        status = "on-hold"
    elif one.state is ProcedureState.COMPLETED:
        status = "completed"
    elif one.state in _REVOKED:
        status = "revoked"
    starts = [step.start_at for step in one.steps if step.start_at is not None]
    occurs = min(starts) if starts else details.wished_at
    identifiers = [
        numbered("PLAC", order.placer_order_number, order.placer_issuer),
        numbered("FILL", order.filler_order_number, order.filler_issuer),
        numbered("ACSN", order.accession_number, order.issuer_of_accession_number),
    ]
    coding = {
        "system": coding_system(one.coding_scheme_designator),
        "code": one.code_value,
        "display": one.code_meaning,
    }
    protocols = [
        {
            "system": coding_system(code.get("coding_scheme_designator", "")),
            "code": code.get("code_value", ""),
            "display": code.get("code_meaning", ""),
        }
        for step in one.steps
        for code in step.protocol_codes
    ]
    requester = pruned(
        {
            "display": person_name(details.requesting_physician),
            "identifier": {"system": RPPS, "value": details.requesting_physician_id}
            if details.requesting_physician_id
            else None,
        }
    )
    return pruned(
        {
            "resourceType": "ServiceRequest",
            "id": str(one.id),
            "meta": {"versionId": str(one.version), "lastUpdated": instant(order.updated_at)},
            "identifier": [found for found in identifiers if found is not None],
            "requisition": numbered(
                "ACSN", order.accession_number, order.issuer_of_accession_number
            ),
            "status": status,
            "intent": "order",
            "category": [concept({"system": SNOMED, "code": "363679005", "display": "Imaging"})],
            "priority": _PRIORITIES.get(details.priority, "routine"),
            "code": concept(coding, text=one.description or one.code_meaning),
            "orderDetail": [concept(code) for code in protocols],
            "subject": reference("Patient", patient),
            "occurrenceDateTime": maybe(occurs),
            "authoredOn": instant(order.created_at),
            "requester": requester,
            "reasonCode": [{"text": text}]
            if (text := details.clinical_question or details.justification)
            else [],
            "note": [{"text": details.comments}] if details.comments else [],
        }
    )


def _shown(context: Context, numbers: Sequence[int]) -> list[dict[str, Any]]:
    return [
        service_request(one.order, one.procedure, patient=one.patient)
        for one in searching.shown(context.connection, numbers)
    ]


def _numbered(_context: Context, value: str, _modifier: str) -> Condition:
    """PLAC, FILL or ACSN; without a system a number of any issuer."""
    system, bar, ident = value.rpartition("|")
    if not ident:
        return NEVER
    return searching.numbered(ident, issuer_of(system) if bar else None)


def _accession(_context: Context, value: str, _modifier: str) -> Condition:
    system, bar, ident = value.rpartition("|")
    return searching.accession_numbered(ident, issuer_of(system) if bar else None)


def _coded(_context: Context, value: str, _modifier: str) -> Condition:
    system, _, code = value.rpartition("|")
    return searching.coded(code, coding_scheme(system) if system else None)


def _of_priorities() -> dict[str, Condition]:
    names = {one: _PRIORITIES.get(one, "routine") for one in Priority}
    return {
        name: searching.of_priority(*(one for one in Priority if names[one] == name))
        for name in names.values()
    }


KIND: Final = Kind(
    name="ServiceRequest",
    action=Action.READ_WORK,
    rows=searching.PROCEDURES,
    parameters=named(
        by_number(searching.PROCEDURES.number),
        Parameter(
            name="identifier",
            type="token",
            condition=_numbered,
            documentation="placer, filler or accession number",
        ),
        Parameter(name="requisition", type="token", condition=_accession),
        Parameter(
            name="accession",
            type="token",
            condition=_accession,
            documentation="the accession number; of our own",
        ),
        by_patient("patient", searching.PATIENT),
        by_patient("subject", searching.PATIENT),
        chained_identifier("patient.identifier", searching.PATIENT),
        chained_identifier("subject.identifier", searching.PATIENT),
        by_code("status", _STATUSES),
        by_code("intent", {"order": ALWAYS}),
        by_code("priority", _of_priorities()),
        Parameter(name="code", type="token", condition=_coded),
        by_date("authored", searching.AUTHORED),
        by_date("occurrence", searching.OCCURS),
    ),
    sorts={
        "authored": searching.CREATED,
        "_lastUpdated": searching.UPDATED,
        "_id": searching.PROCEDURES.number,
    },
    sort="-authored",
    shown=_shown,
    interactions=("read", "search-type", "create"),
)


# -- create ---------------------------------------------------------------------------------------


def create(context: Context, given: object, numbering: Numbering) -> dict[str, Any]:
    """Make an order of a ServiceRequest.

    Args:
        context: In a transaction that becomes the order's.
        given: JSON.
        numbering: How our numbers look.

    Returns: The resource as it was made.

    Raises:
        Problem: a value is missing or cannot be used; its ``errors`` name the elements.
    """
    if not isinstance(given, dict) or given.get("resourceType") != "ServiceRequest":
        raise _wrong("ServiceRequest", "a ServiceRequest is expected")
    if given.get("status") not in ("active", None):
        raise _wrong("ServiceRequest.status", "an order is made active")
    if given.get("intent") not in ("order", "original-order", "filler-order"):
        raise _wrong("ServiceRequest.intent", "it is order")
    placer, issuer = _placer(given)
    requester = _member(given, "requester")
    new = NewOrder(
        patient=_subject(context, given),
        procedures=[_procedure(context, given)],
        details=OrderDetails(
            priority=_taken_priority(given),
            clinical_question=_texts(given, "reasonCode"),
            comments=_texts(given, "note"),
            requesting_physician=_physician(requester),
            requesting_physician_id=_rpps(requester),
            wished_at=_wished(context, given),
        ),
        placer_order_number=placer,
        placer_issuer=issuer,
    )
    orders = Orders(context.connection, numbering)
    try:
        made = orders.create(new, source=f"fhir:{context.actor.name}").order
    except UnknownCatalogueEntry as error:
        raise _wrong("ServiceRequest.code", error.message) from error
    except OrderError as error:
        code = "conflict" if type(error).__name__ == "NumberTaken" else "invalid-input"
        raise Problem(code, detail=f"{error.message[:1].upper()}{error.message[1:]}.") from error
    return service_request(made, made.procedures[0], patient=made.patient)


def _wrong(where: str, reason: str) -> Problem:
    return Problem(
        "invalid-input",
        detail=f"{where}: {reason}.",
        extra={"errors": [{"where": [where], "reason": reason}]},
    )


def _member(given: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = given.get(name)
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise _wrong(f"ServiceRequest.{name}", "an object is expected")
    return found


def _members(given: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    found = given.get(name)
    if found is None:
        return []
    if (
        not isinstance(found, list)
        or len(found) > 100
        or not all(isinstance(one, dict) for one in found)
    ):
        raise _wrong(name, "a list of objects is expected")
    return found


def _text(given: Mapping[str, Any], name: str) -> str:
    found = given.get(name)
    if found is None:
        return ""
    if not isinstance(found, str) or len(found) > _TEXT_LIMIT:
        raise _wrong(name, f"a text of at most {_TEXT_LIMIT} characters is expected")
    return found.replace("\0", "").strip()


def _texts(given: Mapping[str, Any], name: str) -> str:
    found = []
    for one in _members(given, name):
        codings = _members(one, "coding")
        found.append(_text(one, "text") or next((_text(c, "display") for c in codings), ""))
    return "\n".join(text for text in found if text)[:_TEXT_LIMIT]


def _subject(context: Context, given: Mapping[str, Any]) -> int:
    subject = _member(given, "subject")
    where = "ServiceRequest.subject"
    number: int | None = None
    text = _text(subject, "reference").removeprefix(f"{context.base}/")
    if text:
        kind, _, ident = text.rpartition("/")
        if kind != "Patient" or not (ident.isascii() and ident.isdigit() and len(ident) < 19):
            raise _wrong(where, "a reference is written Patient/12")
        number = int(ident)
    else:
        one = _member(subject, "identifier")
        value, system = _text(one, "value"), _text(one, "system")
        if not value or not system:
            raise _wrong(where, "a reference, or an identifier with its system, is needed")
        asked = asked_identifier(f"{system}|{value}")
        numbers = [] if asked is None else numbers_of_identified(context.connection, asked, limit=2)
        if len(numbers) != 1:
            raise _wrong(where, "nobody, or more than one, has this identifier")
        (number,) = numbers
    try:
        patient = Registry(context.connection).get(number)
    except PatientError as error:
        raise _wrong(where, "there is no such patient") from error
    if patient.merged_into is not None:
        raise _wrong(where, f"the file was merged into Patient/{patient.merged_into}")
    return patient.id


def _procedure(context: Context, given: Mapping[str, Any]) -> NewProcedure:
    """What is asked for: the first coding that the catalogue has."""
    orders = Orders(context.connection)
    codings = _members(_member(given, "code"), "coding")
    if not codings:
        raise _wrong("ServiceRequest.code", "a coding of the catalogue is needed")
    for coding in codings:
        value = _text(coding, "code")
        if not value:
            continue
        code = Code(
            code_value=value,
            coding_scheme_designator=coding_scheme(_text(coding, "system")),
            code_meaning=_text(coding, "display")[:256],
        )
        entry = orders.catalogue_entry(code)
        if entry is not None:
            return NewProcedure(catalogue=entry)
    raise _wrong("ServiceRequest.code", "no coding of it is in the catalogue")


def _placer(given: Mapping[str, Any]) -> tuple[str, str]:
    """The identifier that is typed PLAC, else the only one that has no type."""
    plain: list[Mapping[str, Any]] = []
    for one in _members(given, "identifier"):
        codings = _members(_member(one, "type"), "coding")
        codes = {_text(c, "code") for c in codings if _text(c, "system") in ("", V2_0203)}
        if "PLAC" in codes:
            plain = [one]
            break
        if not codes:
            plain.append(one)
    if len(plain) != 1 or not _text(plain[0], "value"):
        return "", ""
    return _text(plain[0], "value"), issuer_of(_text(plain[0], "system"))


def _taken_priority(given: Mapping[str, Any]) -> Priority:
    text = _text(given, "priority") or "routine"
    if text not in _TAKEN_PRIORITIES:
        raise _wrong("ServiceRequest.priority", "one of routine, urgent, asap, stat is expected")
    return _TAKEN_PRIORITIES[text]


def _physician(requester: Mapping[str, Any]) -> str:
    """A display as PN: its last word is taken for the family name."""
    words = _text(requester, "display").replace("^", " ").split()
    if not words:
        return ""
    return f"{words[-1]}^{' '.join(words[:-1])}".rstrip("^")[:64]


def _rpps(requester: Mapping[str, Any]) -> str:
    one = _member(requester, "identifier")
    return _text(one, "value")[:64] if _text(one, "system") in ("", RPPS) else ""


def _wished(context: Context, given: Mapping[str, Any]) -> datetime | None:
    period = _member(given, "occurrencePeriod")
    text = _text(given, "occurrenceDateTime") or _text(period, "start")
    if not text:
        return None
    try:
        prefix, first, _ = date_span(text, context.zone)
    except Problem as problem:
        raise _wrong("ServiceRequest.occurrenceDateTime", "this is no dateTime") from problem
    if not text.startswith(prefix):
        return first
    raise _wrong("ServiceRequest.occurrenceDateTime", "this is no dateTime")
