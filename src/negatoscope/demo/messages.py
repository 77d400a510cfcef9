"""HL7 messages as the demonstration's hospital writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from negatoscope.demo.people import ISSUER_OF_PATIENT_ID
from negatoscope.protocols.hl7v2 import Message, Segment

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from negatoscope.protocols.hl7v2 import FieldValue


def message(
    kind: FieldValue,
    at: datetime,
    control_id: str,
    segments: Sequence[Segment],
    *,
    application: str = "GAM",
) -> bytes:
    """A message with its header.

    Args:
        kind: MSH-9.
        at: MSH-7, as a clock on the wall shows it.
        control_id: MSH-10.
        segments: What follows MSH.
        application: MSH-3.
    """
    header = Segment.build(
        "MSH",
        {
            3: application,
            4: ISSUER_OF_PATIENT_ID,
            5: "NEGATOSCOPE",
            6: ISSUER_OF_PATIENT_ID,
            7: f"{at:%Y%m%d%H%M%S}",
            9: kind,
            10: control_id,
            11: "P",
            12: ("2.5", "FRA", "2.11"),
            17: "FRA",
            18: "UNICODE UTF-8",
        },
    )
    return Message.build([header, *segments]).to_bytes()
