"""HL7 messages: kept before they are acknowledged, carried out in their order, shown, replayed.

Two questions, two fields: what the sender was told (`acknowledgment_code`), and what came of the
message (`state`). Both are kept for ever with the bytes that arrived.
"""

from negatoscope.domain.messages.errors import (
    MessageNotReplayable,
    MessagesError,
    UnknownMessage,
)
from negatoscope.domain.messages.model import (
    Arrival,
    Filter,
    Receipt,
    Sender,
    State,
    StoredMessage,
    Verdict,
)
from negatoscope.domain.messages.processing import CannotApply, Ignored, Outcome, Processor
from negatoscope.domain.messages.repository import Messages

__all__ = [
    "Arrival",
    "CannotApply",
    "Filter",
    "Ignored",
    "MessageNotReplayable",
    "Messages",
    "MessagesError",
    "Outcome",
    "Processor",
    "Receipt",
    "Sender",
    "State",
    "StoredMessage",
    "UnknownMessage",
    "Verdict",
]
