"""Searching the worklist: C-FIND (PS3.4 §CC.2.8) and UPS-RS Search (PS3.18 §11.9).

The database narrows by what has one plain value; what is found is what
`domain.archive.query.matches` says, as everywhere.
"""

import json
import time
from collections.abc import Iterator, Mapping
from typing import Any, Final

from negatoscope.domain.archive.query import MatchOptions, matches
from negatoscope.domain.archive.query.conditions import containment
from negatoscope.domain.archive.query.errors import QueryTooExpensive
from negatoscope.domain.archive.query.matching import is_universal
from negatoscope.domain.ups import attributes as a
from negatoscope.domain.ups.model import DicomJson, Workitem
from negatoscope.domain.ups.repository import SQL, Connection, workitem
from negatoscope.infra.db import Database

PAGE: Final = 500
TIMEOUT_S: Final = 30.0
_NEVER: Final = frozenset({a.TRANSACTION_UID, a.CHARACTER_SET})
NO_OPTIONS: Final = MatchOptions()


def search(
    database: Database, keys: Mapping[str, Any], options: MatchOptions = NO_OPTIONS
) -> Iterator[Workitem]:
    """Workitems that match every key, in the order of their creation.

    Rows are fetched a page at a time; no connection is held between two pages.

    Raises:
        QueryTooExpensive: it takes longer than ``TIMEOUT_S``.
    """
    after, deadline_s = 0, time.monotonic() + TIMEOUT_S
    while True:
        with database.connection() as connection:
            page = fetch(connection, keys, options, after)
        for item in page:
            if matches(item.attributes, keys, options):
                yield item
        if len(page) < PAGE:
            return
        if time.monotonic() > deadline_s:
            raise QueryTooExpensive("the search takes too long")
        after = page[-1].id


def matching(connection: Connection, keys: Mapping[str, Any]) -> list[Workitem]:
    """The same, whole, in the transaction of the caller."""
    found: list[Workitem] = []
    after = 0
    while True:
        page = fetch(connection, keys, NO_OPTIONS, after)
        found += [item for item in page if matches(item.attributes, keys)]
        if len(page) < PAGE:
            return found
        after = page[-1].id


def fetch(
    connection: Connection, keys: Mapping[str, Any], options: MatchOptions, after: int
) -> list[Workitem]:
    """A page of candidates."""
    contained = {
        tag: document
        for tag, key in keys.items()
        if not is_universal(key) and (document := containment(tag, key, options)) is not None
    }
    rows = connection.execute(
        SQL["page"], {"after": after, "contained": json.dumps(contained), "count": PAGE}
    )
    return [workitem(row) for row in rows]


def returned(item: Workitem, wanted: Mapping[str, Any], *, everything: bool = False) -> DicomJson:
    """The attributes of an answer: those asked for, empty where there are none."""
    if everything:
        return {t: e for t, e in item.attributes.items() if t not in _NEVER}
    return {
        tag: item.attributes.get(tag, {"vr": key.get("vr", "UN")})
        for tag, key in wanted.items()
        if tag not in _NEVER
    }
