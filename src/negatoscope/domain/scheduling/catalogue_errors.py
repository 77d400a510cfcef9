"""Refusals of the catalogue and of the resources.

::

    CatalogueError
    ├── UnknownEntry      no procedure or resource has the number or the code
    ├── EntryExists       another one has that code, name or AE title
    ├── EntryChanged      somebody changed it since it was read
    ├── EntryInUse        orders or appointments name it: it can be closed, not removed
    ├── InvalidEntry      a value cannot be used
    └── UnreadableFile    the file as a whole cannot be read
"""


class CatalogueError(Exception):
    """Base of these errors.

    Args:
        message: Lower case, no full stop.
        hint: What to try.
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UnknownEntry(CatalogueError):
    """No procedure or resource has the number or the code."""


class EntryExists(CatalogueError):
    """Another one has that code, name or AE title."""


class EntryChanged(CatalogueError):
    """Somebody changed it since it was read."""


class EntryInUse(CatalogueError):
    """Orders or appointments name it."""


class InvalidEntry(CatalogueError):
    """A value cannot be used."""


class UnreadableFile(CatalogueError):
    """The file as a whole cannot be read."""
