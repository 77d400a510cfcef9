"""Orders as they are given out, and what is done with them: one transaction, refusals as problems."""

from collections.abc import Callable
from typing import Any, Final, TypeVar

import psycopg

from negatoscope.domain.orders import (
    Numbering,
    NumberTaken,
    Order,
    OrderError,
    OrderOnHold,
    Orders,
    SafetyBlocked,
    StaleOrder,
    TransitionRefused,
    UnknownCatalogueEntry,
    UnknownOrder,
    VettingNeeded,
    listing,
    safety,
)
from negatoscope.domain.patients import Registry, UnknownPatient, dicom_patient
from negatoscope.entrypoints.api.common import Asking
from negatoscope.entrypoints.api.order_schemas import ListedOrder, OrderedProcedure, OrderFile
from negatoscope.entrypoints.api.registered_patients import RegisteredPatient, listed
from negatoscope.entrypoints.web.problems import Problem
from negatoscope.kit.aio import run_blocking

T = TypeVar("T")
_PROBLEMS: Final[dict[type[OrderError], str]] = {
    UnknownOrder: "not-found",
    UnknownCatalogueEntry: "invalid-input",
    NumberTaken: "conflict",
    StaleOrder: "conflict",
    TransitionRefused: "conflict",
    OrderOnHold: "conflict",
    VettingNeeded: "conflict",
    SafetyBlocked: "safety-questions",
}
"""All others: a value cannot be used."""


def source_of(ask: Asking) -> str:
    return f"user:{ask.actor.name}"


def numbering_of(ask: Asking) -> Numbering:
    given = ask.services.settings.orders
    return Numbering(
        pattern=given.accession_number_pattern, issuer=given.issuer_of_accession_number
    )


async def in_transaction(ask: Asking, work: Callable[[psycopg.Connection[Any]], T]) -> T:
    """Run something in one transaction; refusals become problems."""

    def run() -> T:
        with ask.services.database.connection() as connection:
            return work(connection)

    try:
        return await run_blocking(run)
    except OrderError as error:
        code = _PROBLEMS.get(type(error), "invalid-input")
        detail = f"{error.message}; {error.hint}" if error.hint else error.message
        extra = {"questions": error.questions} if isinstance(error, SafetyBlocked) else None
        raise Problem(code, detail=detail, extra=extra) from error
    except UnknownPatient as error:
        raise Problem("patient-not-found") from error


async def done(ask: Asking, number: int, action: str, work: Callable[[Orders], Any]) -> OrderFile:
    await in_transaction(ask, lambda connection: work(Orders(connection, numbering_of(ask))))
    return await opened(ask, number, action)


async def opened(ask: Asking, number: int, action: str, **detail: object) -> OrderFile:
    """Read an order; it is noted in the audit trail before it is given out."""
    found = await in_transaction(
        ask, lambda connection: order_file(ask, connection, Orders(connection).get(number))
    )
    await ask.services.access.note(
        ask.request,
        action,
        patient_id=found.patient_id or None,
        detail={"order": number, "accession_number": found.accession_number, **detail},
    )
    return found


def listed_orders(
    ask: Asking, connection: psycopg.Connection[Any], orders: list[Order]
) -> list[ListedOrder]:
    settings = ask.services.settings.patients
    numbers = list(dict.fromkeys(one.patient for one in orders))
    patients = {one.id: one for one in Registry(connection).get_all(numbers)}
    shown = {number: listed(one) for number, one in patients.items()}
    identifiers = {
        number: dicom_patient(
            one, preferred_authority=settings.preferred_authority, name=settings.dicom_name
        ).patient_id
        for number, one in patients.items()
    }
    return [
        ListedOrder(**_columns(one, shown[one.patient], identifiers[one.patient])) for one in orders
    ]


def _columns(order: Order, patient: RegisteredPatient, patient_id: str) -> dict[str, Any]:
    details = order.details
    starts = [one.start_at for one in order.steps if one.start_at is not None]
    return {
        **{
            name: getattr(order, name)
            for name in ListedOrder.model_fields
            if hasattr(order, name) and name not in {"patient", "procedures"}
        },
        "priority": details.priority,
        "patient": patient,
        "patient_id": patient_id,
        "requesting_service": details.requesting_service,
        "requesting_physician": details.requesting_physician,
        "clinical_question": details.clinical_question,
        "wished_at": details.wished_at,
        "starts_at": min(starts, default=None),
        "procedures": [OrderedProcedure.model_validate(one) for one in order.procedures],
    }


def order_file(ask: Asking, connection: psycopg.Connection[Any], order: Order) -> OrderFile:
    (listed_order,) = listed_orders(ask, connection, [order])
    details = order.details
    return OrderFile(
        **{name: getattr(listed_order, name) for name in ListedOrder.model_fields},
        **{
            name: getattr(details, name)
            for name in OrderFile.model_fields
            if name not in ListedOrder.model_fields and hasattr(details, name)
        },
        safety=safety.sheet(connection, order.id),
        events=Orders(connection).history(order.id),
        studies=listing.studies_of(connection, order.id),
    )
