"""Refusals of the registries of application entities and of other applications.

::

    DeviceError
    ├── InvalidApplicationEntity   a title, an address or a role cannot be used
    ├── UnknownApplicationEntity   no entry has that title
    ├── ApplicationEntityExists    the title is taken
    ├── InvalidCallTemplate        an address that cannot be used
    ├── UnknownCallTemplate        no address of that number
    ├── CallTemplateExists         the label is taken
    └── CallTemplateChanged        somebody else was faster
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


class InvalidCallTemplate(DeviceError):
    """An address that cannot be used."""


class UnknownCallTemplate(DeviceError):
    """No address has that number."""


class CallTemplateExists(DeviceError):
    """Another address has that label."""


class CallTemplateChanged(DeviceError):
    """It was changed since it was read."""
