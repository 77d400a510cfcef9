"""Refusals of the message list.

::

    MessagesError
    ├── UnknownMessage         no message of that number
    ├── MessageNotReplayable   it was carried out already, or waits
    ├── UnknownDestination     no destination of that number
    ├── DestinationExists      its name is taken
    ├── DestinationChanged     somebody else was faster
    └── InvalidDestination     a value that cannot be used
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


class UnknownDestination(MessagesError):
    """No destination has that number."""


class DestinationExists(MessagesError):
    """Another one has that name."""


class DestinationChanged(MessagesError):
    """It was changed since it was read."""


class InvalidDestination(MessagesError):
    """A value cannot be used."""
