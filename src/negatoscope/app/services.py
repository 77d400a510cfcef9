"""The archive of a process, for as long as it runs."""

from collections.abc import Iterator
from contextlib import contextmanager

from negatoscope.domain.archive import Archive
from negatoscope.domain.archive.configured import open_archive
from negatoscope.infra.db import Database
from negatoscope.infra.settings import Settings


@contextmanager
def opened_archive(
    settings: Settings, database: Database, *, receives: bool = False
) -> Iterator[Archive]:
    """The archive as the settings describe it, closed at the end.

    Args:
        receives: See ``open_archive``.
    """
    archive = open_archive(settings, database, receives=receives)
    try:
        yield archive
    finally:
        archive.close()
