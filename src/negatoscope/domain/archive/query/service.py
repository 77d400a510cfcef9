"""Searching the index for patients, studies, series and instances.

C-FIND (PS3.4 Annex C) and QIDO-RS (PS3.18 §10.6) both come here.
"""

from negatoscope.domain.archive.query import matching
from negatoscope.domain.archive.query.answering import Matches
from negatoscope.domain.archive.query.attributes import UNIQUE_KEYS
from negatoscope.domain.archive.query.errors import IdentifierMismatch
from negatoscope.domain.archive.query.model import (
    DEFAULT_LIMITS,
    HeaderReader,
    Query,
    QueryLevel,
    QueryLimits,
)
from negatoscope.domain.archive.query.planning import plan
from negatoscope.infra.db import Database
from negatoscope.standard import tags


def search(
    database: Database,
    query: Query,
    *,
    headers: HeaderReader | None = None,
    limits: QueryLimits = DEFAULT_LIMITS,
) -> Matches:
    """Find what matches a query, newest study first.

    Args:
        database: The index.
        query: The question.
        headers: Reads object headers, for instance attributes the index has no column for; without
            it they are unsupported.
        limits: Bounds on the query.
    Returns: An iterator of DICOM JSON, one dict per match, with every key asked for; a key that is
        unsupported or absent has no `Value`. Rows are fetched a batch at a time, no database
        connection is held between two batches.
    Raises:
        IdentifierMismatch: the keys do not fit level and model (PS3.4 §C.4.1.1.4).
        QueryTooExpensive, QueryUnavailable: also while iterating.
    """
    check(query)
    return Matches(database, query, plan(query, headers is not None), headers, limits)


def check(query: Query) -> None:
    """Check level and unique keys against the information model.

    Hierarchical queries give one single value for the unique key of each upper level
    (PS3.4 §C.4.1.2.1); relational ones need none.

    Raises: IdentifierMismatch
    """
    if query.level not in query.model.levels:
        raise IdentifierMismatch(f"level {query.level} is not part of the {query.model} model")
    if query.relational:
        return
    for level in query.model.levels:
        if level.depth >= query.level.depth:
            break
        tag = UNIQUE_KEYS[level]
        values = matching.texts(query.keys.get(tag))
        wild = level is QueryLevel.PATIENT and values and set(values[0]) & set("*?")
        if len(values) != 1 or wild or values[0] == "*":
            keyword = tags.keyword_for(int(tag, 16))
            raise IdentifierMismatch(f"{query.level} level needs one value of {keyword}")
