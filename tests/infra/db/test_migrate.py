"""The line of revisions, forward and back."""

import threading
from collections.abc import Callable

import psycopg
import pytest

from negatoscope.infra.db import migrate
from negatoscope.infra.errors import MigrationError

_SCHEMA = """
SELECT table_name, column_name, data_type, is_nullable, column_default
FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> 'alembic_version'
ORDER BY 1, 2
"""


def schema(url: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(_SCHEMA).fetchall()


def test_every_revision_goes_back_and_forth(new_database_url: Callable[..., str]) -> None:
    """Up one by one, down one by one: each schema is met again; at the end nothing is left."""
    url = new_database_url(empty=True)
    schemas = [schema(url)]
    for revision in migrate.revisions():
        assert migrate.upgrade(url, revision) == revision
        schemas.append(schema(url))
    assert migrate.state(url).is_at_head
    for revision, expected in zip(
        [*reversed(migrate.revisions()[:-1]), "base"], reversed(schemas[:-1]), strict=True
    ):
        migrate.downgrade(url, revision)
        assert schema(url) == expected
    assert migrate.upgrade(url) == migrate.revisions()[-1]


def test_processes_that_start_together_migrate_once(new_database_url: Callable[..., str]) -> None:
    """One works, the others wait and find it done."""
    url = new_database_url(empty=True)
    results: list[str] = []
    threads = [
        threading.Thread(target=lambda: results.append(migrate.upgrade(url))) for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [migrate.revisions()[-1]] * 3


def test_a_database_of_a_newer_version_is_left_alone(new_database_url: Callable[..., str]) -> None:
    """An unknown revision is refused before anything is touched."""
    url = new_database_url()
    with psycopg.connect(url) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(MigrationError, match="9999"):
        migrate.upgrade(url)
    assert not migrate.state(url).known
