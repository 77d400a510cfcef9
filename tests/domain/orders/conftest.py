"""A connection in a transaction, a patient."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from negatoscope.domain.orders import Orders
from negatoscope.infra.db import Database
from ordering import register


@pytest.fixture
def connection(database: Database) -> Iterator[psycopg.Connection[Any]]:
    """In a transaction; errors of the server end only what they happen in."""
    with database.connection() as opened:
        yield opened


@pytest.fixture
def orders(connection: psycopg.Connection[Any]) -> Orders:
    """Of the test's own database."""
    return Orders(connection)


@pytest.fixture
def patient(connection: psycopg.Connection[Any]) -> int:
    """A woman of childbearing age."""
    return register(connection, "P1")
