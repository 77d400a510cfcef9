"""Why something cannot be shown. `code` is stable: it goes over process borders and into problem documents."""

from typing import ClassVar


class DisplayError(ValueError):
    """Base of what this package raises."""

    code: ClassVar[str] = "not-displayable"


class NotDisplayable(DisplayError):
    """The object says nothing that could be drawn, or contradicts itself."""


class InvalidLut(DisplayError):
    """A look-up table whose descriptor and data cannot be used."""

    code = "invalid-lut"


class InvalidWindow(DisplayError):
    """A window width below what its function allows."""

    code = "invalid-window"


class InvalidViewport(DisplayError):
    """A viewport that names no pixel, or too many."""

    code = "invalid-viewport"
