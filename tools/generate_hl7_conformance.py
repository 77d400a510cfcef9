"""Write ``docs/conformance-hl7.md`` from the code: messages in and out, fields, acknowledgements, error codes.

Fields read are those that the readers ask for: what the parsers of orders and patients touch when they read a
message is recorded, the rest is found in their source by the name of the segment. Fields written are those of
messages that the builders make of an order, an appointment and a patient of whom everything is known.
``tests/test_conformance_hl7.py`` compares the committed page with what this makes.
"""
# ruff: noqa: E501 - lines of the page are its own

import ast
import dataclasses
import inspect
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from zoneinfo import ZoneInfo

from negatoscope.domain.messages import CHARACTER_SETS, Destination, Kind
from negatoscope.domain.messages.outbound import OutboundState
from negatoscope.domain.orders import (
    Answer,
    Order,
    OrderDetails,
    Priority,
    Procedure,
    ProcedureState,
    RequestState,
    SafetyAnswer,
    Step,
    StepState,
    Vetting,
)
from negatoscope.domain.patients import Authority, Identifier, Patient, PersonName, Traits
from negatoscope.entrypoints.hl7v2 import (
    acceptance,
    adt,
    appointments,
    encounters,
    master_files,
    order_answers,
    order_fields,
    orders,
)
from negatoscope.entrypoints.hl7v2.sender import FIRST_BACK_OFF_S, LONGEST_BACK_OFF_S
from negatoscope.protocols.hl7v2 import ErrorCode, Message, Segment
from negatoscope.protocols.hl7v2.acknowledgement import _ERROR_TEXTS
from negatoscope.protocols.hl7v2.charsets import CODECS
from negatoscope.standard.hl7_fields import field_name
from negatoscope.subscribers import outbound_hl7
from negatoscope.subscribers.outbound_hl7 import admission
from negatoscope.subscribers.outbound_hl7 import appointments as siu
from negatoscope.subscribers.outbound_hl7 import orders as builders

PAGE = Path(__file__).resolve().parents[1] / "docs" / "conformance-hl7.md"
ZONE = ZoneInfo("Europe/Paris")
AT = datetime(2026, 1, 2, 9, tzinfo=UTC)
Fields = set[tuple[str, int]]
_SEGMENTS = (
    *(
        "MSH",
        "EVN",
        "PID",
        "PV1",
        "PV2",
        "MRG",
        "ZBE",
        "ORC",
        "OBR",
        "TQ1",
        "IPC",
        "ZDS",
        "NTE",
        "OBX",
    ),
    *("AL1", "SCH", "RGS", "AIS", "AIG", "AIL", "AIP", "MFI", "MFE", "LOC", "LCH", "LRL", "NCK"),
)


# -- fields read ----------------------------------------------------------------------------------


class _Recorder(Segment):
    """A segment that takes note of what is asked of it."""

    asked: Fields

    def raw(self, number: int) -> str:
        """A field, noted."""
        _ASKED.add((self.id, number))
        return super().raw(number)


_ASKED: Fields = set()
OTHERWISE: Fields = {
    *(("ZBE", number) for number in (6, 7, 8, 9)),
    *(("SCH", number) for number in (26, 27)),
    *(("AIS", number) for number in (3, 4, 7, 8)),
    *(("AIG", number) for number in (3, 8, 11, 12)),
    *(("AIL", number) for number in (3, 6, 9, 10)),
    *(("AIP", number) for number in (3, 6, 9, 10)),
    *(("MSH", number) for number in (3, 4, 7, 9, 10, 12, 15, 16, 18)),
    *(("OBR", number) for number in (2, 3, 5, 27, 36)),
    *(("ORC", number) for number in (4, 12, 21)),
    *(("LCH", number) for number in (4, 5)),
    *(("LRL", number) for number in (4, 5, 6)),
}
"""Read by a number that is computed, or of a segment without a name in the source."""


def touched(read: Iterable[tuple[Message, Callable[[Message], object]]]) -> Fields:
    """Fields that functions ask for."""
    _ASKED.clear()
    for message, function in read:
        function(message)
    return {(segment, number) for segment, number in _ASKED if segment != "MSH"}


def recorded(message: Message) -> Message:
    """The same message, of segments that take note."""
    return Message(tuple(_Recorder(one.fields, one.delimiters, one.codec) for one in message))


def named_in_source(*modules: ModuleType) -> Fields:
    """``pid.get(3)``, ``message.get("PV1", 19)``, ``_number(pv1, 19, …)``: by the name of the segment."""
    found: Fields = set()
    for module in modules:
        for node in ast.walk(ast.parse(inspect.getsource(module))):
            if isinstance(node, ast.Call):
                found |= _of_call(node)
    return found


def _of_call(call: ast.Call) -> Fields:
    names: list[str] = []
    numbers: list[int] = []
    if isinstance(call.func, ast.Attribute):
        if call.func.attr == "part":  # inside a repetition: a component, no field
            return set()
        of = call.func.value
        name = of.id if isinstance(of, ast.Name) else getattr(of, "attr", "")
        names.append(name.strip("_").upper())
        if call.args and not isinstance(call.args[0], ast.Constant):
            return set()  # the number of the field is computed
    for argument in call.args:
        if isinstance(argument, ast.Name):
            names.append(argument.id.upper())
        elif isinstance(argument, ast.Constant) and isinstance(argument.value, str):
            names.append(argument.value)
        elif isinstance(argument, ast.Constant) and type(argument.value) is int:
            numbers.append(argument.value)
    known = [one for one in names if one in _SEGMENTS]
    return {(known[0], numbers[0])} if known and numbers else set()


# -- what everything is known of ------------------------------------------------------------------

PATIENT = Patient(
    id=1,
    traits=Traits(
        birth_name=PersonName(family="A", given="B", further="B C"),
        used_name=PersonName(family="D", given="B"),
        birth_date="19800101",
        sex="F",
        birth_place_code="54395",
        birth_place_name="NANCY",
        identity_status="VALI",
        identity_attributes=("HOMA",),
        died_at="20260101",
        is_deceased=True,
        address="1 rue",
        telephone="0383",
    ),
    identifiers=(
        Identifier(value="1", authority=Authority(namespace="CHU"), type_code="PI"),
        Identifier(value="2", authority=Authority(namespace="CHU"), type_code="PI"),
    ),
    merged_into=None,
    created_at=AT,
    updated_at=AT,
)
STEP = Step(
    id=1,
    procedure=1,
    scheduled_procedure_step_id="S1",
    modality="CT",
    description="d",
    protocol_codes=[{"code_value": "P", "coding_scheme_designator": "99", "code_meaning": "p"}],
    scheduled_station_ae_title="CT1",
    scheduled_station_name="CT1",
    location="L",
    start_at=AT,
    end_at=AT,
    performing_physician_name="A^B",
    requested_contrast_agent="",
    state=StepState.SCHEDULED,
    arrived_at=None,
    identity_checked_at=None,
    started_at=None,
    ended_at=None,
    acquired_with=None,
    version=1,
)
PROCEDURE = Procedure(
    id=1,
    request=1,
    requested_procedure_id="R1",
    study_instance_uid="2.25.1",
    catalogue=1,
    code_value="C",
    coding_scheme_designator="CCAM",
    code_meaning="c",
    description="c",
    modality="CT",
    duration_min=20,
    vetting=Vetting.ACCEPTED,
    vetting_reason="",
    vetted_by="",
    vetted_at=None,
    protocol="p",
    replaced_by=None,
    state=ProcedureState.SCHEDULED,
    version=1,
    steps=(STEP,),
)
ORDER = Order(
    id=1,
    patient=1,
    accession_number="A1",
    issuer_of_accession_number="I",
    placer_order_number="PL",
    placer_issuer="I",
    filler_order_number="F",
    filler_issuer="I",
    details=OrderDetails(
        admission_id="V",
        issuer_of_admission_id="I",
        current_patient_location="L",
        requesting_service="U",
        requesting_physician="A^B",
        requesting_physician_id="1",
        referring_physician_name="A^B",
        priority=Priority.STAT,
        clinical_question="q",
        justification="j",
        comments="c",
        patient_transport="BED",
        pregnancy_status="0003",
        medical_alerts="a",
        allergies="a",
        patient_weight_kg=Decimal(60),
        patient_size_m=Decimal("1.7"),
    ),
    state=RequestState.SCHEDULED,
    state_reason="r",
    source="user:x",
    version=1,
    created_at=AT,
    updated_at=AT,
    procedures=(PROCEDURE,),
)
ANSWER = SafetyAnswer(
    question="PREGNANCY",
    answer=Answer.NO,
    value=None,
    detail="",
    answered_by="x",
    answered_at=AT,
)
VISIT = siu.Visit(
    id=1,
    patient=1,
    start_at=AT,
    end_at=AT + timedelta(minutes=20),
    state="BOOKED",
    state_reason="r",
    note="n",
    placer_appointment_id="P",
    patient_class="O",
    steps=[(ORDER, PROCEDURE, STEP)],
    resources=[
        siu.Booked(
            kind=kind,
            name="A B",
            location="L",
            modality="CT",
            ae_title="CT1",
            profession="X",
            rpps="1",
            start_at=AT,
            end_at=AT + timedelta(minutes=20),
        )
        for kind in ("ROOM", "DEVICE", "STAFF")
    ],
)
TO = Destination(
    name="x",
    host="x",
    port=1,
    sending_facility="x",
    receiving_application="x",
    receiving_facility="x",
    acknowledgment_mode="ENHANCED",
    kinds=("ORDERS",),
)


def written() -> dict[str, Message]:
    """A message of each kind, as full as it gets."""
    orm = dataclasses.replace(TO, order_profile="ORM^O01")
    order = {"patient": PATIENT, "order": ORDER, "procedure": PROCEDURE, "patient_class": "O"}
    numbered = {name: order[name] for name in ("patient", "order", "patient_class")}
    when = {"control_id": "C", "at": AT, "zone": ZONE}
    made = {
        "OMI^O23^OMI_O23 (2.5.1)": builders.order_message(
            TO, **order, **when, answers=[ANSWER], action="CA_CA"
        ),
        "ORM^O01 (2.3.1) with ZDS": builders.order_message(
            orm, **order, **when, answers=[ANSWER], action="CA_CA"
        ),
        "OMG^O19^OMG_O19 (2.5.1), status": builders.status_message(
            TO, **order, **when, action="OC_CA"
        ),
        "ORM^O01 (2.3.1), status": builders.status_message(orm, **order, **when, action="OC_CA"),
        "OMG^O19^OMG_O19 (2.5.1), number": builders.number_message(TO, **numbered, **when),
        "ORM^O01 (2.3.1), number": builders.number_message(orm, **numbered, **when),
        "SIU^S12…S26^SIU_S12 (2.5.1)": siu.appointment_message(
            TO, patient=PATIENT, appointment=VISIT, action="S12", **when
        ),
    }
    for event, structure in admission.STRUCTURES.items():
        made[f"ADT^{event}^{structure} (2.5)"] = admission.patient_message(
            TO,
            patient=PATIENT,
            event=event,
            ended=PATIENT.identifiers[1:],
            occurred_at=AT,
            **when,
        )
    return made


# -- the page -------------------------------------------------------------------------------------


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """A table of Markdown."""
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    for row in rows:
        yield "| " + " | ".join(str(one).replace("|", "\\|") for one in row) + " |"
    yield ""


def listed(fields: Iterable[tuple[str, int]]) -> Iterator[Sequence[str]]:
    """Segment, fields with their names."""
    by_segment: dict[str, list[int]] = {}
    for segment, number in sorted(set(fields)):
        if number > 0:
            by_segment.setdefault(segment, []).append(number)
    for segment in sorted(
        by_segment, key=lambda one: (_SEGMENTS.index(one) if one in _SEGMENTS else 99, one)
    ):
        names = [
            f"{number} {field_name(segment, number).en}".strip() for number in by_segment[segment]
        ]
        yield segment, ", ".join(names)


def page() -> str:
    """The whole page."""
    return "\n".join(_page()).rstrip() + "\n"


def _page() -> Iterator[str]:
    yield "# HL7 v2 conformance"
    yield ""
    yield "Made by `tools/generate_hl7_conformance.py` from the code; a test holds it current. How to connect a system: [HL7 messages](admin/hl7.md)."
    yield ""
    yield "## Transport"
    yield ""
    yield "MLLP over TCP or TLS, both ways; vertical-bar encoding (ER7). Received: segments ended by CR, LF or both, any delimiters that MSH declares, versions"
    yield (
        ", ".join(acceptance.VERSIONS)
        + ". Written: CR, the usual delimiters, versions 2.3.1, 2.5, 2.5.1."
    )
    yield ""
    yield from table(
        ("Character sets (MSH-18)", ""),
        (
            (
                "received",
                ", ".join(f"`{one}`" for one in CODECS if one)
                + "; what the bytes show goes before what MSH-18 says",
            ),
            (
                "sent, as the destination asks",
                ", ".join(f"`{one}`" for one in CHARACTER_SETS)
                + "; a character without a code is never replaced: the message is put aside",
            ),
        ),
    )
    yield "## Received"
    yield ""
    yield from table(("Message", "Events", "Effect"), _received())
    yield "The answer goes back on the same connection once the message is on stable storage: AA, AE or AR in original mode, CA, CE, CR as MSH-15 and AA, AE, AR as MSH-16 ask in enhanced mode. An acknowledgement is never acknowledged. The same MSH-10 of the same sender is the same message."
    yield ""
    kinds = ", ".join("^".join(one[:2]) for one in order_answers.MESSAGE_TYPES.values())
    yield f"Orders whose sender asks for it, by MSH-16 or by `hl7_order_answers`, are answered once they were carried out by {kinds} with placer and filler number, OBR and, of OMI, an IPC for each step. After `hl7_order_answer_s` without outcome it is AE with error 206."
    yield ""
    yield from table(
        ("ORC-1 of the order", "Carried out", "Not carried out"),
        [
            *((control, *codes) for control, codes in order_answers.DONE.items()),
            ("every other", *order_answers.OTHERWISE),
        ],
    )
    yield "### ORC-1 and ORC-5"
    yield ""
    yield from table(
        ("ORC-1", "ORC-5", "Effect"),
        (
            (control, "any" if status == orders.ANY else status, ", ".join(effects))
            for (control, status), effects in orders.EFFECTS.items()
        ),
    )
    yield "### Fields read"
    yield ""
    yield from table(("Segment", "Fields"), listed(_read()))
    yield "Fields that are not read are kept with the message."
    yield ""
    yield "## Sent"
    yield ""
    yield from table(("A destination is told", "Messages"), _sent())
    yield "One message is in flight on a connection. An answer counts when its MSA-2 is the MSH-10 of that message: AA and CA end it, AE, AR, CE and CR put it aside for a person."
    yield f"Without an answer it is sent again, unchanged, after {FIRST_BACK_OFF_S:g} s, twice that each time, up to {LONGEST_BACK_OFF_S:g} s, for ever. Messages about one patient keep their order."
    yield (
        "In enhanced mode MSH-15 is AL and MSH-16 NE. States: "
        + ", ".join(f"`{one}`" for one in OutboundState)
        + "."
    )
    yield ""
    yield "### When something is said"
    yield ""
    yield from table(
        ("Kind", "ORC-1, ORC-5 or event", "When"),
        (
            (kind, action.replace("_", " "), when)
            for kind, actions in (
                (Kind.ORDERS, outbound_hl7.ORDER_ACTIONS),
                (Kind.ORDER_STATUS, outbound_hl7.STATUS_ACTIONS),
                (Kind.APPOINTMENTS, outbound_hl7.APPOINTMENT_ACTIONS),
                (Kind.PATIENTS, outbound_hl7.PATIENT_ACTIONS),
            )
            for action, when in actions.items()
        ),
    )
    yield "### Fields written"
    yield ""
    for name, message in written().items():
        yield f"**{name}**: " + " ".join(dict.fromkeys(one.id for one in message))
        yield ""
        yield from table(
            ("Segment", "Fields"),
            listed(
                (one.id, number)
                for one in message
                for number, raw in enumerate(one.fields[1:], start=1)
                if raw
            ),
        )
    yield "With the profile `PAM-FR` the header of ADT carries MSH-12 `2.5^FRA^2.11`, MSH-17 `FRA`, MSH-19 `FR` and MSH-21 `2.11^IHE_FRANCE-2.11-PAM`."
    yield ""
    yield "## Error codes (ERR-3, HL7 table 0357)"
    yield ""
    yield from table(("Code", "Meaning"), ((code.value, _ERROR_TEXTS[code]) for code in ErrorCode))


def _received() -> Iterator[Sequence[str]]:
    def events(found: Iterable[str]) -> str:
        return ", ".join(sorted(found))

    yield "ADT", events(adt.OF_A_PATIENT), "the patient's file is made or kept up"
    yield "ADT", events(encounters.FOLLOWED), "the stay and its movements are followed"
    yield "ADT", events(adt.MERGES), "a file ends in another one"
    yield (
        "ADT",
        events(adt.CHANGES_OF_IDENTIFIER),
        "an identifier takes another one's place, or goes",
    )
    yield "ADT", events(adt.MOVES_OF_ACCOUNT), "a stay is another patient's"
    for event, why in sorted(adt.NOT_FOLLOWED.items()):
        yield "ADT", event, f"passed over: {why}"
    for event, why in sorted(adt.FOR_A_PERSON.items()):
        yield "ADT", event, f"for a person: {why}"
    for code, trigger in orders.TRIGGERS.items():
        yield code, trigger, "an order, see below"
    yield (
        "SIU",
        events(appointments.TRIGGERS),
        "an appointment is made, moved, changed, cancelled, missed",
    )
    yield "MFN", "M05", "units of the hospital"
    yield "others", "", "refused, AR 200"


def _read() -> Fields:
    modules = (adt, encounters, appointments, orders, master_files, acceptance)
    found = named_in_source(*modules)
    pid = next(one for one in written()["ADT^A40^ADT_A39 (2.5)"] if one.id == "PID")
    reads = [
        (recorded(message), lambda each: order_fields.orders_of(each, ZONE))
        for name, message in written().items()
        if name.startswith(("OMI", "ORM", "OMG"))
    ]
    reads.append(
        (
            recorded(Message((pid,))),
            lambda each: (
                adt.updates_of(each.segments[0]),
                list(adt.patient_identifiers(each.segments[0], 3)),
            ),
        )
    )
    return {one for one in found | OTHERWISE | touched(reads) if one[0] in _SEGMENTS}


def _sent() -> Iterator[Sequence[str]]:
    yield Kind.ORDERS, "OMI^O23^OMI_O23 (2.5.1) or ORM^O01 (2.3.1) with ZDS: RAD-4, RAD-13"
    yield (
        Kind.ORDER_STATUS,
        "OMG^O19 (2.5.1) or ORM^O01 (2.3.1): RAD-3; of orders with a placer's number",
    )
    yield (
        Kind.ORDER_NUMBERS,
        "OMG^O19 (2.5.1) or ORM^O01 (2.3.1) with ORC-1 SN: RAD-3; once for an order made here without placer number. ORC-2 of the answer (ORG^O20, ORR^O02), or of a message of its own, with ORC-1 NA is kept",
    )
    yield Kind.APPOINTMENTS, "SIU^" + ", ".join(outbound_hl7.APPOINTMENT_ACTIONS) + ": RAD-48"
    yield Kind.PATIENTS, "ADT^" + ", ".join(outbound_hl7.PATIENT_ACTIONS) + ": RAD-12, ITI-30"
    yield (
        Kind.ADT_FORWARD,
        "admission messages that were carried out, unchanged but for MSH-5, 6, 15, 16",
    )
    yield Kind.TEST, "NMD^N02 with our clock: names no patient"


def main() -> int:
    """Write the page, or with ``--check`` say whether it is current."""
    text = page()
    if "--check" in sys.argv:
        return 0 if PAGE.read_text(encoding="utf-8") == text else 1
    PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
