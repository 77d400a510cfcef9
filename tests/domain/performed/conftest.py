"""One database for these tests; what each writes is taken back."""

from collections.abc import Iterator

import psycopg
import pytest

from negatoscope.infra.db.embedded import EmbeddedPostgres
from rows import Rows


@pytest.fixture(scope="package")
def connection(postgres: EmbeddedPostgres, _template: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(postgres.administrator_url, autocommit=True) as administrator:
        query = f"CREATE DATABASE test_performed TEMPLATE {_template} OWNER negatoscope STRATEGY FILE_COPY"
        administrator.execute(query)
    url = postgres.url.replace("@/negatoscope?", "@/test_performed?")
    with psycopg.connect(url, autocommit=True, options="-c timezone=UTC") as connection:
        yield connection


@pytest.fixture
def rows(connection: psycopg.Connection) -> Iterator[Rows]:
    with connection.transaction(force_rollback=True):
        yield Rows(connection)
