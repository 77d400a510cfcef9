"""Which keys of a query SQL answers, which Python, which object headers, and which nobody."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from negatoscope.domain.archive import visibility
from negatoscope.domain.archive.query import matching
from negatoscope.domain.archive.query.attributes import (
    ATTRIBUTES,
    Attribute,
    attribute,
    attributes_of,
)
from negatoscope.domain.archive.query.conditions import Condition, combined_condition, condition
from negatoscope.domain.archive.query.model import (
    DicomJson,
    Include,
    InformationModel,
    Query,
    QueryLevel,
)
from negatoscope.standard.tags import vr_for

#: Tags of an identifier that are neither matched nor returned as attributes.
_CONTROL: Final = frozenset({"00080005", "00080052"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How a query is answered.

    Attributes:
        conditions: Of the WHERE clause, all of them.
        inexact: Keys to be looked at again in Python.
        returned: Attributes read from the index for the answer.
        from_headers: Tags read from object headers.
        unsupported: Tags of keys that are neither matched nor answered.
    """

    conditions: tuple[Condition, ...]
    inexact: DicomJson
    returned: tuple[Attribute, ...]
    from_headers: tuple[str, ...]
    unsupported: tuple[str, ...]


def plan(query: Query, has_headers: bool) -> Plan:
    """Decide which keys SQL answers, which Python, and which nobody."""
    conditions: list[Condition] = []
    inexact: DicomJson = {}
    returned: dict[str, Attribute] = {}
    from_headers: list[str] = []
    unsupported: list[str] = []
    if query.include is Include.ALL:
        returned |= {a.tag: a for a in attributes_of(query.level)}
        if query.level is QueryLevel.STUDY and query.model is InformationModel.STUDY_ROOT:
            returned |= {a.tag: a for a in attributes_of(QueryLevel.PATIENT)}
    for tag, key in query.keys.items():
        if tag in _CONTROL or tag.endswith("0000"):
            continue
        kept = attribute(tag)
        key = _in_vr(key, kept.vr if kept is not None else vr_for(int(tag, 16)))
        if kept is None or kept.level.depth > query.level.depth:
            is_header = query.level is QueryLevel.IMAGE and has_headers
            (from_headers if is_header else unsupported).append(tag)
            if is_header and not _is_idle(tag, key):
                inexact[tag] = key
            continue
        returned[tag] = kept
        if _is_idle(tag, key):
            continue
        found = _condition(tag, kept, key, query)
        if found is None:
            continue
        conditions.append(found)
        if not found.exact:
            inexact[tag] = key
    conditions += _scope(query)
    return Plan(
        conditions=tuple(conditions),
        inexact=inexact,
        returned=tuple(returned.values()),
        from_headers=tuple(from_headers),
        unsupported=tuple(unsupported),
    )


def _in_vr(key: dict[str, Any], vr: str) -> dict[str, Any]:
    """A key in the representation of the dictionary, whatever its sender wrote."""
    if key.get("vr") == vr or vr == "UN":
        return key
    if "SQ" in (vr, key.get("vr")):
        return {"vr": vr}
    return {"vr": vr, "Value": matching.texts(key)}


def _is_idle(tag: str, key: Mapping[str, Any]) -> bool:
    return tag in matching.UNMATCHED_TAGS or matching.is_universal(key)


def _condition(tag: str, kept: Attribute, key: dict[str, Any], query: Query) -> Condition | None:
    """The condition of a key; None for a time that its date's condition covers."""
    if query.options.combined_datetime:
        pair = matching.combined_pair(tag, query.keys)
        if pair is not None:
            day, time = (ATTRIBUTES.get(part) for part in pair)
            bounds = matching.combined_bounds(query.keys[pair[0]], query.keys[pair[1]])
            if day is not None and time is not None and bounds is not None:
                return combined_condition(day, time, *bounds) if tag == pair[0] else None
    return condition(kept, key, query.options)


def _scope(query: Query) -> list[Condition]:
    """What the asker may see, the only place where it enters the SQL."""
    if query.scope.is_everything:
        return []
    seen = visibility.condition(query.scope)
    if query.level is QueryLevel.PATIENT:
        sql = f"patient.id IN (SELECT study.patient_fk FROM study WHERE {seen.sql})"
        return [
            Condition(sql=sql, parameters=seen.parameters, tables=frozenset({QueryLevel.PATIENT}))
        ]
    tables = {QueryLevel.STUDY, QueryLevel.PATIENT} if seen.needs_patient else {QueryLevel.STUDY}
    return [Condition(sql=seen.sql, parameters=seen.parameters, tables=frozenset(tables))]
