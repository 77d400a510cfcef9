"""Keys become SQL conditions.

A condition finds at least what the key matches; `Condition.exact` says whether it finds nothing
else. What is not exact is looked at again by `matching.matches`. Values are always bound.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Any, Final

from negatoscope.domain.archive.query import matching, patterns, temporal
from negatoscope.domain.archive.query.attributes import (
    OTHER_PATIENT_IDS_SEQUENCE,
    TABLES,
    UNIQUE_KEYS,
    Attribute,
    Storage,
)
from negatoscope.domain.archive.query.model import MatchOptions, QueryLevel
from negatoscope.infra.db.conditions import literal_like
from negatoscope.kit.text import fold

_WILD: Final = re.compile(r"[*?]")
_VALID_TIME: Final = (
    r"^(?:[01]\d|2[0-3])(?:[0-5]\d(?:(?:[0-5]\d|60)(?:\.\d{1,6})?)?)?$"  # as temporal.parse_time
)
_PLAIN_PREFIX: Final = re.compile(r"[A-Za-z0-9'-][A-Za-z0-9' ^-]*(?<![\^ ])\*")  # of a name
#: Series and instance attributes whose values the study row gathers: Modality, SOP Class UID.
_IN_STUDY: Final = MappingProxyType(
    {"00080060": "study.modalities_in_study", "00080016": "study.sop_classes_in_study"}
)
#: Equality on these gives a handful of rows: the UIDs, Patient ID and Accession Number.
_FEW: Final = frozenset({*UNIQUE_KEYS.values(), "00080050"})
_INT8: Final = 1 << 63
_BREAKS: Final = " ^=*?,.'_/\\-"  # between the words of a name, as in patterns.words


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """A piece of a WHERE clause.

    Attributes:
        tables: Levels whose tables it names.
        exact: Whether it finds only what matches.
        few: Whether an index surely gives a handful of rows for it.
    """

    sql: str
    parameters: tuple[Any, ...] = ()
    tables: frozenset[QueryLevel]
    exact: bool = True
    few: bool = False


def condition(attribute: Attribute, key: Mapping[str, Any], options: MatchOptions) -> Condition:
    """The condition of one key that is not universal."""
    values = matching.texts(key)
    at = frozenset({attribute.level})
    if attribute.vr != "SQ" and values == ['""']:
        sql = _absent(attribute)
        return Condition(sql=sql or "TRUE", tables=at if sql else frozenset(), exact=False)
    sql, parameters, exact = _COMPILERS[attribute.storage](attribute, key, values, options)
    in_study = _IN_STUDY.get(attribute.tag)
    literal = [value for value in values if _storable(value)]
    if in_study is not None and literal == values and not any(map(_WILD.search, values)):
        # What a study holds is kept with it: the others' series and instances are left alone.
        sql = f"{in_study} && %s::text[] AND ({sql})"
        parameters = [literal, *parameters]
    return Condition(
        sql=sql,
        parameters=tuple(parameters),
        tables=frozenset(level for level, table in TABLES.items() if f"{table}." in sql),
        exact=exact,
        few=attribute.tag in _FEW and " LIKE " not in sql,
    )


def combined_condition(
    day: Attribute, time: Attribute, days: temporal.Bounds, times: temporal.Bounds
) -> Condition:
    """A date and its time as one range of instants (PS3.4 §C.2.2.2.5.1)."""
    low, high = temporal.instant_bounds(days, times)
    parts, parameters = _date_range(day.expression, days)
    instant = _instant(time.expression)
    for bound, sign in ((low, ">="), (high, "<=")):
        if bound is not None:
            parts.append(f'({day.expression}, {instant}) {sign} (%s::date, %s::text COLLATE "C")')
            parameters += [_date(bound[:8]), bound[8:]]
    return Condition(
        sql=" AND ".join(parts), parameters=tuple(parameters), tables=frozenset({day.level})
    )


_Compiled = tuple[str, list[Any], bool]


def _text(a: Attribute, _key: Any, values: list[str], options: MatchOptions) -> _Compiled:
    folded = options.fuzzy and a.tag in matching.DESCRIPTIVE_TAGS
    if folded:
        if not a.folded:
            return f"{a.expression} IS NOT NULL", [], False
        parts = [_like(a.folded, _loose(value)) for value in values]
        return _any([part[0] for part in parts]), [p for part in parts for p in part[1]], False
    literal = [v for v in values if not _WILD.search(v) and _storable(v)]
    wild = [v for v in values if _WILD.search(v) and _storable(v)]
    if options.every_value and len(values) > 1:
        return f"{a.expression} IS NOT NULL", [], False
    sql: list[str] = []
    parameters: list[Any] = []
    if len(literal) == 1:
        sql.append(f"{a.expression} = %s")
        parameters.append(literal[0])
    elif literal:
        sql.append(f"{a.expression} = ANY(%s::text[])")
        parameters.append(literal)
    exact = True
    for value in wild:
        if a.folded:  # the index is on the folded text
            narrowed = _like(a.folded, _loose(value))
            sql.append(f"({narrowed[0]} AND {a.expression} LIKE %s)")
            parameters += [*narrowed[1], _like_pattern(value)]
        else:
            sql.append(f"{a.expression} LIKE %s AND {a.expression} <> ''")
            parameters.append(_like_pattern(value))
    return _any(sql), parameters, exact


def _name(a: Attribute, _key: Any, values: list[str], options: MatchOptions) -> _Compiled:
    if not a.folded:
        return f"{a.expression} IS NOT NULL", [], False
    sql: list[str] = []
    parameters: list[Any] = []
    exact = True
    for value in values:
        if options.fuzzy:
            part = _fuzzy_name(a.folded, value)
        else:
            likes = [like for like in _name_patterns(value) if _storable(like)]
            part = [f"{a.folded} LIKE %s"] * len(likes), likes
            exact = exact and _PLAIN_PREFIX.fullmatch(value) is not None
        sql.append("(" + (" AND ".join(part[0]) or "TRUE") + ")")
        parameters += part[1]
    return (" AND ".join(sql) if options.every_value else _any(sql)), parameters, exact


def _fuzzy_name(column: str, value: str) -> tuple[list[str], list[str]]:
    """Each word of the key begins a word of the name, as `patterns.fuzzy_name_matches`.

    LIKE finds candidates by trigrams and tells the planner how many; the regular expression only
    decides, and in a CASE it does not count twice in the planner's estimate. A word of one or two
    letters has no trigram of its own, only together with what precedes it.
    """
    sql, parameters = [f"{column} <> ''"], []
    for word in patterns.words(value):
        if not _storable(word):
            return ["FALSE"], []
        like = literal_like(word) + "%"
        if len(word) < 3:
            sql.append("(" + " OR ".join([f"{column} LIKE %s"] * (1 + len(_BREAKS))) + ")")
            parameters += [like, *(f"%{literal_like(sign)}{like}" for sign in _BREAKS)]
        else:
            sql.append(f"{column} LIKE %s AND CASE WHEN {column} ~ %s THEN true ELSE false END")
            parameters += ["%" + like, f"(^|[{re.escape(_BREAKS)}]){re.escape(word)}"]
    return sql, parameters


def _name_patterns(value: str) -> list[str]:
    """LIKE patterns every matching folded name fulfils; the first is anchored where it can be.

    The column holds every component group; each is folded as `patterns.normal_name` does.
    """
    groups = value.split("=")[:3]
    anywhere = len(groups) == 1 and patterns.is_beyond_latin(value)
    likes = []
    for number, group in enumerate(groups):
        wild = patterns.name_stem(patterns.name_pattern(group))
        if wild.strip(patterns.STAR):
            like = literal_like(wild).replace(patterns.STAR, "%").replace(patterns.ANY, "_")
            likes.append(("%" if number or anywhere else "") + like + "%")
    return likes


def _date_storage(a: Attribute, _key: Any, values: list[str], _o: MatchOptions) -> _Compiled:
    sql: list[str] = []
    parameters: list[Any] = []
    for value in values:
        bounds = temporal.date_bounds(value)
        if bounds is None:
            continue
        if bounds[0] == bounds[1] and bounds[0] is not None:
            sql.append(f"{a.expression} = %s::date")
            parameters.append(_date(bounds[0]))
        else:
            parts, bound = _date_range(a.expression, bounds)
            sql.append("(" + " AND ".join(parts) + ")")
            parameters += bound
    return _any(sql), parameters, True


def _time(a: Attribute, _key: Any, values: list[str], _o: MatchOptions) -> _Compiled:
    sql: list[str] = []
    parameters: list[Any] = []
    for value in values:
        bounds = temporal.time_bounds(value)
        if bounds is None:
            continue
        parts = [f"{a.expression} ~ '{_VALID_TIME}'"]
        for bound, sign in zip(bounds, (">=", "<="), strict=True):
            if bound is not None:
                parts.append(f'{_instant(a.expression)} {sign} %s::text COLLATE "C"')
                parameters.append(bound)
        sql.append("(" + " AND ".join(parts) + ")")
    return _any(sql), parameters, True


def _integer(a: Attribute, _key: Any, values: list[str], options: MatchOptions) -> _Compiled:
    numbers = [matching.parse_number(value) for value in values]
    usable = [int(n) for n in numbers if n is not None and abs(n) < _INT8 and n == int(n)]
    if options.every_value and len(set(usable)) != 1:
        return "FALSE", [], True
    if options.every_value and len(usable) != len(values):
        return "FALSE", [], True
    return f"{a.expression} = ANY(%s::bigint[])", [usable], True


def _uid(a: Attribute, _key: Any, values: list[str], _o: MatchOptions) -> _Compiled:
    usable = [value for value in values if _storable(value)]
    if len(usable) == 1:
        return f"{a.expression} = %s", usable, True
    return f"{a.expression} = ANY(%s::text[])", [usable], True


def _uid_code(a: Attribute, _key: Any, values: list[str], _o: MatchOptions) -> _Compiled:
    usable = [value for value in values if _storable(value)]
    return (
        f"{a.expression} = ANY(ARRAY(SELECT id FROM uid_code WHERE uid = ANY(%s::text[])))",
        [usable],
        True,
    )


def _texts(a: Attribute, _key: Any, values: list[str], options: MatchOptions) -> _Compiled:
    usable = [v for v in values if _storable(v)]
    every = options.every_value and a.vr != "UI"
    if every and len(usable) != len(values):
        return "FALSE", [], True
    literal = [v for v in usable if a.vr == "UI" or not _WILD.search(v)]
    wild = [v for v in usable if v not in literal]
    sql: list[str] = []
    parameters: list[Any] = []
    if literal:
        sql.append(f"{a.expression} {'@>' if every else '&&'} %s::text[]")
        parameters.append(literal)
    for value in wild:
        sql.append(f"EXISTS (SELECT FROM unnest({a.expression}) AS v WHERE v LIKE %s)")
        parameters.append(_like_pattern(value))
    return (" AND ".join(sql) if every else _any(sql)), parameters, True


def _identifiers(a: Attribute, key: Any, values: list[str], _o: MatchOptions) -> _Compiled:
    """Narrow by patient_identifier; the values themselves are compared afterwards."""
    found = "patient.id IN (SELECT patient_fk FROM patient_identifier WHERE {})"
    if a.tag == OTHER_PATIENT_IDS_SEQUENCE:
        item = matching.item_of(key) or {}
        values = matching.texts(item.get("00100020"))
    literal = [v for v in values if not _WILD.search(v) and v != '""' and _storable(v)]
    if literal and len(literal) == len(values):
        return found.format("identifier = ANY(%s::text[])"), [literal], False
    return found.format("TRUE") if values and values != ['""'] else "TRUE", [], False


def _json(a: Attribute, key: Any, _values: list[str], options: MatchOptions) -> _Compiled:
    """Narrow by containment; the values themselves are compared afterwards."""
    document = f"{TABLES[a.level]}.attributes"
    contained = containment(a.tag, key, options)
    if contained is not None:
        return f"{document} @> %s::jsonb", [json.dumps({a.tag: contained})], False
    return f"{document} ? %s", [a.tag], False


def containment(tag: str, key: Mapping[str, Any], options: MatchOptions) -> dict[str, Any] | None:
    """A JSON document contained in whatever matches, when the key has a plain single value."""
    vr = key.get("vr", "UN")
    if options.fuzzy and tag in matching.DESCRIPTIVE_TAGS:
        return None
    if vr == "SQ":
        item = matching.item_of(key) or {}
        inner = {
            nested_tag: contained
            for nested_tag, nested in item.items()
            if not matching.is_universal(nested)
            and nested_tag not in matching.UNMATCHED_TAGS
            and (contained := containment(nested_tag, nested, options)) is not None
        }
        return {"Value": [inner]} if inner else None
    values = matching.texts(key)
    plain = vr in matching.LITERAL_VRS | {"UI", "AE", "CS", "LO", "SH", "UR"}
    if not plain or len(values) != 1 or _WILD.search(values[0]) or values[0] == '""':
        return None
    if not _storable(values[0]):
        return None
    return {"Value": [values[0]]}


def _constant(_a: Attribute, _key: Any, _values: list[str], _o: MatchOptions) -> _Compiled:
    return "TRUE", [], False


_COMPILERS: Final[
    Mapping[Storage, Callable[[Attribute, Any, list[str], MatchOptions], _Compiled]]
] = {
    Storage.TEXT: _text,
    Storage.NAME: _name,
    Storage.DATE: _date_storage,
    Storage.TIME: _time,
    Storage.INTEGER: _integer,
    Storage.UID: _uid,
    Storage.UID_CODE: _uid_code,
    Storage.TEXTS: _texts,
    Storage.IDENTIFIERS: _identifiers,
    Storage.JSON: _json,
    Storage.CONSTANT: _constant,
}


def _absent(a: Attribute) -> str:
    """A condition that holds whenever the attribute is absent or empty."""
    match a.storage:
        case Storage.TEXT | Storage.NAME:
            return f"coalesce({a.expression}, '') = ''"
        case Storage.DATE | Storage.TIME | Storage.INTEGER | Storage.UID:
            return f"{a.expression} IS NULL"
        case Storage.TEXTS:
            return f"cardinality({a.expression}) = 0"
        case _:
            return ""


def _any(conditions: list[str]) -> str:
    if not conditions:
        return "FALSE"
    return conditions[0] if len(conditions) == 1 else "(" + " OR ".join(conditions) + ")"


def _like(column: str, like: str) -> tuple[str, list[str]]:
    return f"{column} LIKE %s", [like]


def _like_pattern(value: str) -> str:
    return literal_like(value).replace("*", "%").replace("?", "_")


def _loose(value: str) -> str:
    """A LIKE pattern on folded text that every value matching the literal pattern fulfils."""
    pieces = [literal_like(fold(piece)) for piece in _WILD.split(value)]
    return "%" + "%".join(piece for piece in pieces if piece) + "%"


def _storable(text: str) -> bool:
    """Whether PostgreSQL text can hold it: no NUL, no lone surrogate."""
    if "\x00" in text:
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _date(text: str) -> date:
    return date(int(text[:4]), int(text[4:6]), int(text[6:8]))


def _date_range(expression: str, bounds: temporal.Bounds) -> tuple[list[str], list[Any]]:
    parts, parameters = [f"{expression} IS NOT NULL"], []
    for bound, sign in zip(bounds, (">=", "<="), strict=True):
        if bound is not None:
            parts.append(f"{expression} {sign} %s::date")
            parameters.append(_date(bound))
    return parts[1:] or parts, parameters


def _instant(column: str) -> str:
    """`HHMMSS.FFFFFF` of a time column, midnight when there is no valid time."""
    valid = f"coalesce(substring({column} from '{_VALID_TIME}'), '')"
    whole = f"rpad(split_part({valid}, '.', 1), 6, '0')"
    fraction = f"rpad(split_part({valid}, '.', 2), 6, '0')"
    return f"({whole} || '.' || {fraction}) COLLATE \"C\""
