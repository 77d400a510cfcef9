"""Why something cannot be shown."""


class DisplayError(ValueError):
    """Base of what this package raises."""


class NotDisplayable(DisplayError):
    """The object says nothing that could be drawn, or contradicts itself."""


class InvalidLut(DisplayError):
    """A look-up table whose descriptor and data cannot be used."""


class InvalidWindow(DisplayError):
    """A window width below what its function allows."""


class InvalidViewport(DisplayError):
    """A viewport that names no pixel, or too many."""
