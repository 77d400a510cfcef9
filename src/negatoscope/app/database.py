"""The database the settings speak of."""

from collections.abc import Iterator
from contextlib import contextmanager

from negatoscope.infra.db.embedded import EmbeddedPostgres
from negatoscope.infra.settings import Settings


@contextmanager
def database_url(settings: Settings) -> Iterator[str]:
    """Where the database is, for the length of the block.

    The embedded server is joined, or started and stopped again.
    """
    if settings.database_url is not None:
        yield settings.database_url
    else:
        with EmbeddedPostgres(settings.data_dir, durable=not settings.allow_unsafe_database) as own:
            yield own.url
