"""Placer numbers in answers to orders made here: ORR^O02 or ORG^O20 with ORC-1 NA (IHE RAD-3).

The same may come by a message of its own, see `negatoscope.entrypoints.hl7v2.orders`.
"""

from typing import Any

import psycopg

from negatoscope.domain.identity import Actor
from negatoscope.domain.messages import Destination
from negatoscope.domain.orders import OrderError, Orders
from negatoscope.entrypoints.hl7v2.order_fields import number
from negatoscope.protocols.hl7v2 import MalformedMessage, parse
from negatoscope.subscribers import audit


def take(
    connection: psycopg.Connection[Any],
    answer: bytes,
    *,
    destination: Destination,
    message: int,
    order: int,
) -> str:
    """Keep the placer number of an answer, in the caller's transaction; without one nothing is done.

    Args:
        answer: As it came.
        destination: Who answered.
        message: Number of the message that is answered.
        order: Which order that was about.

    Returns: What a person must look at; empty when nothing.
    """
    try:
        groups = parse(answer).groups("ORC")
    except MalformedMessage as error:
        return error.message
    controls = [run[0].get(1) for run in groups]
    given = next((number(run[0], 2) for run in groups if run[0].get(1) == "NA"), None)
    if given is None:
        return f"the order was not accepted: ORC-1 {controls[0]}" if "UA" in controls else ""
    if not given:
        return "ORC-1 is NA and ORC-2 is empty: there is no placer number"
    orders = Orders(connection)
    try:
        orders.name_placer(
            order,
            placer_order_number=given.value,
            placer_issuer=given.issuer,
            source=f"system:{destination.name}",
        )
    except OrderError as error:
        return error.message
    audit.record_in(
        connection,
        actor=Actor.system(destination.name),
        action="apply HL7 message",
        door="hl7",
        detail={"outbound_message": message, "order": order, "event": "NA"},
    )
    return ""
