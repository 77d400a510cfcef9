"""Refusals of the registry of application entities.

::

    DeviceError
    ├── InvalidApplicationEntity   a title, an address or a role cannot be used
    ├── UnknownApplicationEntity   no entry has that title
    └── ApplicationEntityExists    the title is taken
"""


class DeviceError(Exception):
    """Base of this module's errors.

    Args:
        message: Lower case, no full stop.
        hint: What to try.
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class InvalidApplicationEntity(DeviceError):
    """A title, an address or a role cannot be used."""


class UnknownApplicationEntity(DeviceError):
    """No entry has that title."""


class ApplicationEntityExists(DeviceError):
    """An entry has that title already."""
