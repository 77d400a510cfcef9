"""Orders to others: procedures scheduled and updated [RAD-4, RAD-13], order status [RAD-3].

OMI^O23^OMI_O23 of v2.5.1 (one requested procedure, an IPC segment for each step) or ORM^O01 of
v2.3.1 with ZDS (an ORC/OBR pair for each step): both give the same worklist item. Status goes as
OMG^O19 or ORM^O01 with ORC-1 SC.
"""

from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import Final

from negatoscope.domain.messages import Destination
from negatoscope.domain.orders import (
    Order,
    Priority,
    Procedure,
    ProcedureState,
    RequestState,
    SafetyAnswer,
    Step,
    StepState,
)
from negatoscope.domain.patients import Patient
from negatoscope.protocols.hl7v2 import FieldValue, Message, Segment
from negatoscope.subscribers.outbound_hl7.segments import (
    coded,
    entity,
    header,
    patient_identification,
    person,
    timestamp,
    visit,
)

ORDER_STATUS: Final = {
    ProcedureState.REQUESTED: "IP",
    ProcedureState.SCHEDULED: "SC",
    ProcedureState.IN_PROGRESS: "IP",
    ProcedureState.COMPLETED: "CM",
    ProcedureState.DISCONTINUED: "CA",
    ProcedureState.CANCELED: "CA",
    ProcedureState.REPLACED: "CA",
}
"""ORC-5 (HL7 table 0038) of what we say of a procedure."""
ORDER_ACTIONS: Final = {
    "NW_SC": "a procedure is scheduled",
    "NW_IP": "it begins without having been announced",
    "XO_SC": "it changes, or is moved",
    "XO_IP": "it is begun",
    "XO_CM": "it is completed",
    "XO_HD": "its order is held",
    "CA_CA": "it is cancelled, or has no time any more",
    "DC_CA": "it was discontinued",
}
"""ORC-1 and ORC-5 of RAD-4 and RAD-13, and when they are said."""
STATUS_ACTIONS: Final = {
    "SC_SC": "it is scheduled",
    "SC_IP": "it is begun, or waits for a time again",
    "SC_CM": "it is completed",
    "SC_HD": "it is held",
    "SC_DC": "it was discontinued",
    "OC_CA": "it was cancelled here",
    "CR_CA": "it was cancelled as asked",
}
"""The same of RAD-3."""
PRIORITIES: Final = {
    Priority.STAT: "S",
    Priority.HIGH: "A",
    Priority.ROUTINE: "R",
    Priority.MEDIUM: "T",
    Priority.LOW: "LOW",
}
"""TQ1-9, ORC-7.6 by Requested Procedure Priority; HL7 table 0485 has no word for a low one."""
TRANSPORT: Final = {"WALK": "WALK", "CHAIR": "WHLC", "BED": "CART", "PORTABLE": "PORT"}
"""OBR-30 (HL7 table 0124)."""
PREGNANCY: Final = {"0001": "N", "0002": "U", "0003": "Y", "0004": "U"}
"""OBX-5 by Pregnancy Status (0010,21C0)."""
SAFETY: Final = {
    "PREGNANCY": "Pregnancy",
    "MR_IMPLANTS": "MR implants",
    "CONTRAST_REACTION": "Reaction to contrast agents",
    "RENAL_FUNCTION": "Renal function",
}
_GONE: Final = frozenset({StepState.CANCELED})
_DONE: Final = frozenset({"", "CA_CA", "DC_CA"})
"""After these a destination does not know of the procedure."""


def order_action(order: Order, procedure: Procedure, told: str) -> str:
    """What a destination has to be told of a procedure now; empty: nothing.

    Args:
        order: As it is.
        procedure: Of it.
        told: The last thing it was told of it (`ORDER_ACTIONS`), empty when nothing.
    """
    status = ORDER_STATUS[procedure.state]
    is_known = told not in _DONE
    has_begun = procedure.state in {ProcedureState.IN_PROGRESS, ProcedureState.COMPLETED}
    has_time = any(one.start_at is not None and one.state not in _GONE for one in procedure.steps)
    if procedure.state is ProcedureState.DISCONTINUED:
        return "DC_CA" if is_known else ""
    if status == "CA" or not (has_time or has_begun):
        return "CA_CA" if is_known else ""
    if order.state is RequestState.ON_HOLD:
        return "XO_HD" if is_known and told != "XO_HD" else ""
    if procedure.state is ProcedureState.REQUESTED:
        status = "SC"
    return f"{'XO' if is_known or status == 'CM' else 'NW'}_{status}"


def status_action(order: Order, procedure: Procedure, told: str, *, source: str) -> str:
    """What who placed an order has to be told of a procedure now; empty: nothing new.

    Args:
        order: As it is.
        procedure: Of it.
        told: The last thing told (`STATUS_ACTIONS`).
        source: Of the change: what the placer asked for itself is confirmed, not told.
    """
    status = ORDER_STATUS[procedure.state]
    if procedure.state is ProcedureState.DISCONTINUED:
        action = "SC_DC"
    elif status == "CA":
        action = "CR_CA" if source.startswith("hl7:") else "OC_CA"
    elif order.state is RequestState.ON_HOLD:
        action = "SC_HD"
    elif procedure.state is ProcedureState.REQUESTED and not told:
        action = ""  # an acknowledgement said so
    else:
        action = f"SC_{status}"
    if told in {"OC_CA", "CR_CA"} and action in {"OC_CA", "CR_CA"}:
        return ""
    return "" if action == told else action


def order_message(
    destination: Destination,
    *,
    patient: Patient,
    order: Order,
    procedure: Procedure,
    answers: Sequence[SafetyAnswer],
    action: str,
    patient_class: str,
    control_id: str,
    at: datetime,
    zone: tzinfo,
) -> Message:
    """OMI^O23 or ORM^O01 with ZDS, as the destination wants it."""
    control, status = action.split("_")
    steps = [one for one in procedure.steps if one.state not in _GONE] or list(procedure.steps)
    start_at = min((one.start_at for one in steps if one.start_at is not None), default=None)
    common = [
        patient_identification(
            patient, account=(order.details.admission_id, order.details.issuer_of_admission_id)
        ),
        visit(order.details, patient_class),
    ]
    if order.details.allergies:
        allergy: dict[int, FieldValue] = {1: 1, 3: (None, order.details.allergies)}
        common.append(Segment.build("AL1", allergy))
    if destination.order_profile == "OMI^O23":
        first = header(
            destination,
            message_type=("OMI", "O23", "OMI_O23"),
            version="2.5.1",
            control_id=control_id,
            at=at,
            zone=zone,
        )
        timing: dict[int, FieldValue] = {
            1: 1,
            7: None if start_at is None else timestamp(start_at, zone),
            9: PRIORITIES[order.details.priority],
        }
        return Message.build(
            [
                first,
                *common,
                _common_order(order, control, status, at, zone),
                Segment.build("TQ1", timing),
                _request(order, procedure, None, technician=_performer(steps)),
                *_notes(order, procedure, answers),
                *_body(order),
                *(_procedure_control(order, procedure, one) for one in steps),
            ]
        )
    first = header(
        destination,
        message_type=("ORM", "O01"),
        version="2.3.1",
        control_id=control_id,
        at=at,
        zone=zone,
    )
    groups: list[Segment] = []
    for position, step in enumerate(steps, start=1):
        groups += [
            _common_order(order, control, status, at, zone, start_at=step.start_at),
            _request(order, procedure, step, position=position, zone=zone),
        ]
        if position == 1:
            groups += [*_notes(order, procedure, answers), *_body(order)]
    study = Segment.build("ZDS", {1: (procedure.study_instance_uid, "100", "Application", "DICOM")})
    return Message.build([first, *common, *groups, study])


def status_message(
    destination: Destination,
    *,
    patient: Patient,
    order: Order,
    procedure: Procedure,
    action: str,
    patient_class: str,
    control_id: str,
    at: datetime,
    zone: tzinfo,
) -> Message:
    """OMG^O19 or ORM^O01: how far an order is."""
    control, status = action.split("_")
    is_251 = destination.order_profile == "OMI^O23"
    first = header(
        destination,
        message_type=("OMG", "O19", "OMG_O19") if is_251 else ("ORM", "O01"),
        version="2.5.1" if is_251 else "2.3.1",
        control_id=control_id,
        at=at,
        zone=zone,
    )
    start_at = min(
        (one.start_at for one in procedure.steps if one.start_at is not None), default=None
    )
    segments = [
        first,
        patient_identification(
            patient, account=(order.details.admission_id, order.details.issuer_of_admission_id)
        ),
        visit(order.details, patient_class),
        _common_order(
            order, control, status, at, zone, start_at=None if is_251 else start_at, is_251=is_251
        ),
    ]
    if is_251:
        timing: dict[int, FieldValue] = {
            1: 1,
            7: None if start_at is None else timestamp(start_at, zone),
            9: PRIORITIES[order.details.priority],
        }
        segments.append(Segment.build("TQ1", timing))
    segments.append(_request(order, procedure, None))
    return Message.build(segments)


def number_message(
    destination: Destination,
    *,
    patient: Patient,
    order: Order,
    patient_class: str,
    control_id: str,
    at: datetime,
    zone: tzinfo,
) -> Message:
    """OMG^O19 or ORM^O01 with ORC-1 SN: an order made here, whose placer number is asked for [RAD-3]."""
    is_251 = destination.order_profile == "OMI^O23"
    first = header(
        destination,
        message_type=("OMG", "O19", "OMG_O19") if is_251 else ("ORM", "O01"),
        version="2.5.1" if is_251 else "2.3.1",
        control_id=control_id,
        at=at,
        zone=zone,
    )
    account = (order.details.admission_id, order.details.issuer_of_admission_id)
    groups: list[Segment] = []
    for position, procedure in enumerate(_asked_for(order), start=1):
        groups.append(_common_order(order, "SN", "", at, zone, is_251=is_251))
        if is_251:
            groups.append(Segment.build("TQ1", {1: 1, 9: PRIORITIES[order.details.priority]}))
        groups.append(_request(order, procedure, None, position=position))
    return Message.build(
        [
            first,
            patient_identification(patient, account=account),
            visit(order.details, patient_class),
            *groups,
        ]
    )


def needs_number(order: Order) -> bool:
    """Whether an order made here has no placer number yet."""
    return (
        not order.placer_order_number
        and not order.source.startswith("hl7:")
        and order.state is not RequestState.CANCELED
        and bool(_asked_for(order))
    )


def _asked_for(order: Order) -> list[Procedure]:
    return [one for one in order.procedures if ORDER_STATUS[one.state] != "CA"]


def _common_order(
    order: Order,
    control: str,
    status: str,
    at: datetime,
    zone: tzinfo,
    *,
    start_at: datetime | None = None,
    is_251: bool = True,
) -> Segment:
    details = order.details
    quantity: FieldValue = None
    if start_at is not None or not is_251:
        start = None if start_at is None else timestamp(start_at, zone)
        quantity = (None, None, None, start, None, PRIORITIES[details.priority])
    reason = order.state_reason if control in {"CA", "DC", "OC", "CR"} else ""
    return Segment.build(
        "ORC",
        {
            1: control,
            2: entity(order.placer_order_number, order.placer_issuer),
            3: entity(order.filler_order_number, order.filler_issuer),
            5: status,
            7: quantity,
            9: timestamp(at, zone),
            12: person(details.requesting_physician, details.requesting_physician_id),
            16: (None, reason) if reason else None,
            17: (None, details.requesting_service) if details.requesting_service else None,
        },
    )


def _request(
    order: Order,
    procedure: Procedure,
    step: Step | None,
    *,
    position: int = 1,
    zone: tzinfo | None = None,
    technician: str = "",
) -> Segment:
    """OBR; with a step that of ORM, which has no IPC."""
    details = order.details
    meaning = procedure.code_meaning or procedure.description
    code = coded(procedure.code_value, meaning, procedure.coding_scheme_designator)
    values: dict[int, FieldValue] = {
        1: position,
        2: entity(order.placer_order_number, order.placer_issuer),
        3: entity(order.filler_order_number, order.filler_issuer),
        4: code,
        13: details.medical_alerts,
        16: person(details.requesting_physician, details.requesting_physician_id),
        18: order.accession_number,
        19: procedure.requested_procedure_id,
        24: procedure.modality,
        30: TRANSPORT.get(details.patient_transport),
        31: (None, details.clinical_question) if details.clinical_question else None,
        34: _technician(technician),
        44: code,
    }
    if step is not None:
        assert zone is not None  # noqa: S101 - given with a step
        protocol = next(iter(step.protocol_codes), None)
        if protocol is not None and isinstance(code, tuple):
            values[4] = (
                *(*code, None)[:3],
                protocol.get("code_value", ""),
                protocol.get("code_meaning", ""),
                protocol.get("coding_scheme_designator", ""),
            )
        start = None if step.start_at is None else timestamp(step.start_at, zone)
        values |= {
            20: step.scheduled_procedure_step_id,
            21: step.scheduled_station_ae_title,
            24: step.modality or procedure.modality,
            27: (None, None, None, start, None, PRIORITIES[details.priority]),
            34: _technician(step.performing_physician_name),
        }
    return Segment.build("OBR", values)


def _performer(steps: Sequence[Step]) -> str:
    """Who does it, where all steps name the same."""
    names = {one.performing_physician_name for one in steps}
    return names.pop() if len(names) == 1 else ""


def _technician(name: str) -> FieldValue:
    """NDL: the person is one component, its parts are subcomponents."""
    if not name:
        return None
    family, given, middle, prefix, suffix, *_ = [*name.split("^"), "", "", "", "", ""]
    return ((None, family, given, middle, suffix, prefix),)


def _procedure_control(order: Order, procedure: Procedure, step: Step) -> Segment:
    """IPC, one for each step (HL7 v2.5.1 §4.5.6)."""
    codes = [
        coded(
            one.get("code_value", ""),
            one.get("code_meaning", ""),
            one.get("coding_scheme_designator", ""),
        )
        for one in step.protocol_codes
    ]
    location = step.location
    return Segment.build(
        "IPC",
        {
            1: entity(order.accession_number, order.issuer_of_accession_number),
            2: entity(procedure.requested_procedure_id),
            3: entity(procedure.study_instance_uid),
            4: entity(step.scheduled_procedure_step_id),
            5: step.modality or procedure.modality,
            6: codes or None,
            7: step.scheduled_station_name,
            8: (None, location) if location else None,
            9: step.scheduled_station_ae_title,
        },
    )


def _notes(order: Order, procedure: Procedure, answers: Sequence[SafetyAnswer]) -> list[Segment]:
    """NTE: why, what the radiologist wants, what was answered to safety questions."""
    texts = [
        ("Justification", order.details.justification),
        ("Comment", order.details.comments),
        ("Protocol", procedure.protocol),
        *(("Safety", _answer(one)) for one in answers),
    ]
    return [
        Segment.build("NTE", {1: number, 2: "P", 3: text, 4: (None, kind)})
        for number, (kind, text) in enumerate(
            [(kind, text) for kind, text in texts if text], start=1
        )
    ]


def _answer(one: SafetyAnswer) -> str:
    value = f" ({one.value:f} mL/min/1.73 m²)" if one.value is not None else ""
    detail = f": {one.detail}" if one.detail else ""
    cleared = f"; cleared: {one.cleared_reason}" if one.cleared_by else ""
    return f"{SAFETY.get(one.question, one.question)}: {one.answer}{value}{detail}{cleared}"


def _body(order: Order) -> list[Segment]:
    """OBX: weight, height, pregnancy (LOINC)."""
    details = order.details
    measures: list[tuple[str, str, str, tuple[str, str, str]]] = []
    if details.patient_weight_kg is not None:
        weight = f"{details.patient_weight_kg.normalize():f}"
        measures.append(("29463-7", "Body weight", weight, ("kg", "kilogram", "UCUM")))
    if details.patient_size_m is not None:
        height = f"{(details.patient_size_m * 100).normalize():f}"
        measures.append(("8302-2", "Body height", height, ("cm", "centimeter", "UCUM")))
    made = [
        Segment.build(
            "OBX", {1: number, 2: "NM", 3: (code, name, "LN"), 5: value, 6: unit, 11: "F"}
        )
        for number, (code, name, value, unit) in enumerate(measures, start=1)
    ]
    pregnancy = PREGNANCY.get(details.pregnancy_status)
    if pregnancy:
        code = ("82810-3", "Pregnancy status", "LN")
        values: dict[int, FieldValue] = {1: len(made) + 1, 2: "ST", 3: code, 5: pregnancy, 11: "F"}
        made.append(Segment.build("OBX", values))
    return made
