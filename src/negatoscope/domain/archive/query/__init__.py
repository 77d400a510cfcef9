"""Searching the archive: C-FIND and QIDO-RS without their wires."""

from negatoscope.domain.archive.query.answering import Matches
from negatoscope.domain.archive.query.errors import (
    IdentifierMismatch,
    QueryError,
    QueryTooExpensive,
    QueryUnavailable,
    UnusableKey,
)
from negatoscope.domain.archive.query.matching import matches, unusable_keys
from negatoscope.domain.archive.query.model import (
    DEFAULT_LIMITS,
    DicomJson,
    HeaderReader,
    Include,
    InformationModel,
    InstanceReference,
    MatchOptions,
    Query,
    QueryLevel,
    QueryLimits,
)
from negatoscope.domain.archive.query.service import search

__all__ = [
    "DEFAULT_LIMITS",
    "DicomJson",
    "HeaderReader",
    "IdentifierMismatch",
    "Include",
    "InformationModel",
    "InstanceReference",
    "MatchOptions",
    "Matches",
    "Query",
    "QueryError",
    "QueryLevel",
    "QueryLimits",
    "QueryTooExpensive",
    "QueryUnavailable",
    "UnusableKey",
    "matches",
    "search",
    "unusable_keys",
]
