"""A worklist on a fresh database, and what is put on it."""

from typing import Any

import pytest

from negatoscope.domain.devices import ae
from negatoscope.domain.ups import Delivery, Subscriptions, Worklist
from negatoscope.infra.db import Database


@pytest.fixture
def worklist(database: Database) -> Worklist:
    """Of the test's own database."""
    return Worklist(database)


@pytest.fixture
def subscriptions(database: Database) -> Subscriptions:
    """With one registered AE, WATCHER."""
    ae.add(database, ae_title="WATCHER", host="127.0.0.1", port=104, roles=["ups"])
    return Subscriptions(database)


@pytest.fixture
def delivery(database: Database) -> Delivery:
    """What subscribers are still to be told."""
    return Delivery(database)


def code(value: str) -> dict[str, Any]:
    """An item of a code sequence."""
    return {
        "00080100": {"vr": "SH", "Value": [value]},
        "00080102": {"vr": "SH", "Value": ["99TEST"]},
        "00080104": {"vr": "LO", "Value": [value]},
    }


@pytest.fixture
def step() -> dict[str, Any]:
    """A data set a workitem can be created from."""
    return {
        "00741000": {"vr": "CS", "Value": ["SCHEDULED"]},
        "00741200": {"vr": "CS", "Value": ["MEDIUM"]},
        "00741204": {"vr": "LO", "Value": ["Read the chest"]},
        "00741202": {"vr": "LO", "Value": ["Reading"]},
        "00404005": {"vr": "DT", "Value": ["20261124080000"]},
        "00404041": {"vr": "CS", "Value": ["READY"]},
        "00404018": {"vr": "SQ", "Value": [code("READ")]},
        "00404025": {"vr": "SQ", "Value": [code("ROOM1")]},
        "00100010": {"vr": "PN", "Value": [{"Alphabetic": "DUPONT^Éloïse"}]},
        "00100020": {"vr": "LO", "Value": ["P1"]},
    }


@pytest.fixture
def performed() -> dict[str, Any]:
    """What must be set before COMPLETED."""
    return {
        "00741216": {
            "vr": "SQ",
            "Value": [
                {
                    "00404028": {"vr": "SQ", "Value": [code("ROOM1")]},
                    "00404050": {"vr": "DT", "Value": ["20261124081000"]},
                    "00404051": {"vr": "DT", "Value": ["20261124082000"]},
                    "00404019": {"vr": "SQ", "Value": [code("READ")]},
                    "00404033": {"vr": "SQ"},
                }
            ],
        }
    }


@pytest.fixture
def discontinued() -> dict[str, Any]:
    """What must be set before CANCELED."""
    return {
        "00741002": {
            "vr": "SQ",
            "Value": [
                {
                    "00404052": {"vr": "DT", "Value": ["20261124081500"]},
                    "0074100E": {"vr": "SQ", "Value": [code("STOP")]},
                }
            ],
        }
    }
