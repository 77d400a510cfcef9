"""Refusals of the message list.

::

    MessagesError
    ├── UnknownMessage         no message of that number
    └── MessageNotReplayable   it was carried out already, or waits
"""


class MessagesError(Exception):
    """Base of this module's errors.

    Args:
        message: Lower case, no full stop.
        hint: What to try.
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UnknownMessage(MessagesError):
    """No message has that number."""


class MessageNotReplayable(MessagesError):
    """It was carried out already, or waits for its turn."""
