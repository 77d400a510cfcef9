"""What an order may hold: lengths of the standard, numbers that are numbers."""

from dataclasses import fields
from decimal import Decimal
from typing import Final

from negatoscope.domain.orders.errors import InvalidOrder
from negatoscope.domain.orders.model import NewOrder, NewProcedure, NewStep, OrderDetails
from negatoscope.kit.uid import is_valid_uid

MAX_PROCEDURES: Final = 50
MAX_STEPS: Final = 50
_LONG: Final = {"clinical_question", "justification", "comments", "medical_alerts", "allergies"}
_LO: Final = 64
_LT: Final = 10_240
_PN: Final = 324
_SH: Final = 16
_PREGNANCY: Final = {"", "0001", "0002", "0003", "0004"}


def check_order(order: NewOrder) -> None:
    """Refuse what no order can hold.

    Raises:
        InvalidOrder: says which value.
    """
    if not order.procedures:
        raise InvalidOrder("an order asks for a procedure at least")
    if len(order.procedures) > MAX_PROCEDURES:
        raise InvalidOrder(f"an order has at most {MAX_PROCEDURES} procedures")
    check_text("accession number", order.accession_number, _SH)
    for name in (
        "issuer_of_accession_number",
        "placer_order_number",
        "placer_issuer",
        "filler_order_number",
        "filler_issuer",
    ):
        check_text(name.replace("_", " "), getattr(order, name), _LO)
    check_details(order.details)
    for one in order.procedures:
        check_procedure(one)


def check_details(details: OrderDetails) -> None:
    """Refuse what no order can say.

    Raises:
        InvalidOrder: says which value.
    """
    for one in fields(OrderDetails):
        value = getattr(details, one.name)
        if isinstance(value, str) and one.name != "priority":
            limit = _LT if one.name in _LONG else _PN if "physician" in one.name else _LO
            check_text(one.name.replace("_", " "), value, limit, lines=one.name in _LONG)
    if details.pregnancy_status not in _PREGNANCY:
        raise InvalidOrder("the pregnancy status is 0001, 0002, 0003 or 0004")
    _check_range("weight", details.patient_weight_kg, 700)
    _check_range("height", details.patient_size_m, 3)
    if details.wished_at is not None and details.wished_at.tzinfo is None:
        raise InvalidOrder("the wished time has no zone")


def check_procedure(one: NewProcedure) -> None:
    """Refuse what no requested procedure can hold.

    Raises:
        InvalidOrder: says which value.
    """
    if one.catalogue is None and one.code is None and not one.description:
        raise InvalidOrder("a procedure has a code or a description")
    if one.study_instance_uid and not is_valid_uid(one.study_instance_uid):
        raise InvalidOrder("the Study Instance UID is none")
    check_text("requested procedure identifier", one.requested_procedure_id, _SH)
    check_text("modality", one.modality, _SH)
    check_text("description", one.description, _LO)
    if one.code is not None:
        check_text("procedure code", one.code.code_value, _LO)
        check_text("coding scheme", one.code.coding_scheme_designator, _LO)
        check_text("meaning of the code", one.code.code_meaning, 256)
    if one.duration_min is not None and not 1 <= one.duration_min <= 1440:
        raise InvalidOrder("a procedure takes between a minute and a day")
    if len(one.steps) > MAX_STEPS:
        raise InvalidOrder(f"a procedure has at most {MAX_STEPS} steps")
    for step in one.steps:
        _check_step(step)


def _check_step(step: NewStep) -> None:
    check_text("step identifier", step.scheduled_procedure_step_id, _SH)
    check_text("modality", step.modality, _SH)
    check_text("description", step.description, _LO)
    check_text("station AE title", step.scheduled_station_ae_title, _LO)
    check_text("station name", step.scheduled_station_name, _LO)
    check_text("location", step.location, _LO)
    check_text("performing physician", step.performing_physician_name, _PN)
    if step.start_at is not None and step.start_at.tzinfo is None:
        raise InvalidOrder("the start has no zone")


def check_text(what: str, value: str, limit: int, *, lines: bool = False) -> None:
    """Refuse a text that is too long or has control characters.

    Raises:
        InvalidOrder: it is.
    """
    if len(value) > limit:
        raise InvalidOrder(f"{what}: more than {limit} characters")
    allowed = "\r\n\t" if lines else ""
    if any(ord(one) < 32 and one not in allowed for one in value):
        raise InvalidOrder(f"{what}: control characters")
    if limit == _SH and "\\" in value:
        raise InvalidOrder(f"{what}: a backslash separates values in DICOM")


def _check_range(what: str, value: Decimal | None, most: int) -> None:
    if value is not None and not 0 < value <= most:
        raise InvalidOrder(f"{what}: not between 0 and {most}")
