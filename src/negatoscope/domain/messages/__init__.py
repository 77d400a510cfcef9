"""HL7 messages, received and sent.

What arrives is kept before it is acknowledged, carried out in its order, shown, replayed; what goes
out is queued for each destination and sent until it is taken.

Two questions, two fields: what the sender was told (`acknowledgment_code`), and what came of the
message (`state`). Both are kept for ever with the bytes that arrived.
"""

from negatoscope.domain.messages.destinations import (
    CHARACTER_SETS,
    Destination,
    Destinations,
    DestinationState,
    DestinationWithState,
    Kind,
)
from negatoscope.domain.messages.errors import (
    DestinationChanged,
    DestinationExists,
    InvalidDestination,
    MessageNotReplayable,
    MessagesError,
    UnknownDestination,
    UnknownMessage,
)
from negatoscope.domain.messages.journal import Line, Place, Wanted, journal
from negatoscope.domain.messages.model import (
    MAX_IDENTIFIERS,
    Arrival,
    Filter,
    Receipt,
    Sender,
    State,
    StoredMessage,
    Verdict,
)
from negatoscope.domain.messages.outbound import (
    Draft,
    Outbound,
    OutboundMessage,
    OutboundState,
    new_control_id,
)
from negatoscope.domain.messages.processing import CannotApply, Ignored, Outcome, Processor
from negatoscope.domain.messages.repository import Messages

__all__ = [
    "CHARACTER_SETS",
    "MAX_IDENTIFIERS",
    "Arrival",
    "CannotApply",
    "Destination",
    "DestinationChanged",
    "DestinationExists",
    "DestinationState",
    "DestinationWithState",
    "Destinations",
    "Draft",
    "Filter",
    "Ignored",
    "InvalidDestination",
    "Kind",
    "Line",
    "MessageNotReplayable",
    "Messages",
    "MessagesError",
    "Outbound",
    "OutboundMessage",
    "OutboundState",
    "Outcome",
    "Place",
    "Processor",
    "Receipt",
    "Sender",
    "State",
    "StoredMessage",
    "UnknownDestination",
    "UnknownMessage",
    "Verdict",
    "Wanted",
    "journal",
    "new_control_id",
]
