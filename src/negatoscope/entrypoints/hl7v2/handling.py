"""From a kept message to what it does: one module per family of messages."""

from typing import Any, Final

import psycopg

from negatoscope.domain.messages import CannotApply, Outcome
from negatoscope.entrypoints.hl7v2 import adt
from negatoscope.protocols.hl7v2 import MalformedMessage, parse

FAMILIES: Final = {"ADT": adt.apply}


def handle(connection: psycopg.Connection[Any], number: int, content: bytes) -> Outcome:
    """Do what a message says, in the caller's transaction.

    Raises:
        Ignored: nothing here depends on it.
        CannotApply: a person must look at it.
    """
    try:
        message = parse(content)
    except MalformedMessage as error:
        raise CannotApply(error.message, segment=error.segment, field=error.field) from error
    family = FAMILIES.get(message.message_code)
    if family is None:
        raise CannotApply(f"messages of type {message.message_code[:10]} are not taken here")
    return family(connection, number, message)
