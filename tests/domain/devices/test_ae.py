"""The registry of application entities."""

import pytest

from negatoscope.domain.devices import ae
from negatoscope.domain.devices.errors import (
    ApplicationEntityExists,
    InvalidApplicationEntity,
    UnknownApplicationEntity,
)
from negatoscope.infra.db import Database


def test_what_is_added_is_found(database: Database) -> None:
    """Insignificant spaces do not matter, case does (PS3.5 §6.2)."""
    made = ae.add(database, ae_title=" CT1 ", host="10.0.0.7", port=104, roles=["store", "query"])
    assert ae.find(database, "CT1             ") == made
    assert made.roles == {"store", "query"}
    assert ae.find(database, "ct1") is None
    assert ae.find(database, "CT1\0") is None
    assert ae.list_entities(database) == [made]


def test_a_title_is_taken_once(database: Database) -> None:
    """Unless it is replaced on purpose."""
    ae.add(database, ae_title="CT1", host="a", port=104)
    with pytest.raises(ApplicationEntityExists):
        ae.add(database, ae_title="CT1", host="b", port=104)
    assert ae.add(database, ae_title="CT1", host="b", port=105, replace=True).host == "b"


@pytest.mark.parametrize(
    "change",
    [
        {"ae_title": ""},
        {"ae_title": "A" * 17},
        {"ae_title": "A\\B"},
        {"ae_title": "A\nB"},
        {"ae_title": "É"},
        {"port": 0},
        {"port": 65536},
        {"host": ""},
        {"host": "a b"},
        {"roles": ["store", "rule"]},
    ],
)
def test_what_cannot_be_used_is_refused(database: Database, change: dict[str, object]) -> None:
    """With a hint, and without a trace."""
    values: dict[str, object] = {"ae_title": "CT1", "host": "a", "port": 104} | change
    with pytest.raises(InvalidApplicationEntity) as caught:
        ae.add(database, **values)  # type: ignore[arg-type]
    assert caught.value.hint
    assert ae.list_entities(database) == []


def test_removal(database: Database) -> None:
    """An unknown title is an error."""
    ae.add(database, ae_title="CT1", host="a", port=104)
    ae.remove(database, "CT1")
    with pytest.raises(UnknownApplicationEntity):
        ae.remove(database, "CT1")


def test_callers_become_actors(database: Database) -> None:
    """Registered ones with their roles, others as strangers."""
    ae.add(database, ae_title="CT1", host="a", port=104, roles=["store"])
    assert ae.actor_for(database, "CT1 ").roles == {"store"}
    assert ae.actor_for(database, "CT2").kind == "anonymous"
