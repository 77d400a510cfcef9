"""Attribute matching of PS3.4 §C.2.2.2, pure: the specification of what a query finds.

The index answers with SQL where it can; whatever it answers must be what `matches` says.

Choices where the standard leaves one:

* Person names are compared without case, accents and insignificant spaces, ignoring trailing
  empty components. A wild card spans components; a trailing `^*` also matches the absence of
  further components. A key without `=` is compared with the alphabetic group, or with every
  group when it holds letters beyond the Latin ones.
* Other text is compared literally, leading and trailing spaces apart.
* Numbers (IS, DS and binary) are compared as numbers: `007` is `7`.
* A single time or date-time of limited precision stands for the span it covers.
* A value that is no valid date or time matches no date or time.
* A key of `*` alone is universal for every value representation; `""` finds what is absent or
  empty (PS3.4 §C.2.2.2.7).
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from negatoscope.domain.archive.query.model import NO_OPTIONS, MatchOptions
from negatoscope.domain.archive.query.patterns import (
    NOT_IN_DATA,
    WILD,
    folded_pattern,
    fuzzy_name_matches,
    glob,
    name_matches,
    pattern,
)
from negatoscope.domain.archive.query.temporal import (
    Bounds,
    date_bounds,
    date_time_bounds,
    instant_bounds,
    parse_date,
    parse_date_time,
    parse_time,
    time_bounds,
    within,
)
from negatoscope.kit.text import fold

#: Never matched: Specific Character Set, Query/Retrieve Level, Timezone Offset From UTC.
UNMATCHED_TAGS: Final = frozenset({"00080005", "00080052", "00080201"})

TEXT_VRS: Final = frozenset({"AE", "CS", "LO", "LT", "SH", "ST", "UC", "UR", "UT"})
LITERAL_VRS: Final = frozenset({"AS", "AT"})
NUMBER_VRS: Final = frozenset({"IS", "DS", "FL", "FD", "SL", "SS", "UL", "US", "SV", "UV"})

MAX_PATTERN: Final = 1024
"""Characters of a key with wild cards."""

#: Descriptions, compared without case and accents when fuzzy matching is on.
DESCRIPTIVE_TAGS: Final = frozenset({"00081030", "0008103E", "00181030", "00321060", "00400254"})

#: Date to its time, for combined date-time matching.
DATE_TIME_PAIRS: Final = {
    "00080020": "00080030",
    "00080021": "00080031",
    "00080022": "00080032",
    "00080023": "00080033",
    "00080012": "00080013",
    "00100030": "00100032",
    "00400244": "00400245",
    "00400250": "00400251",
    "00400002": "00400003",
    "00400004": "00400005",
    "00402004": "00402005",
}
_TIMES_OF_PAIRS: Final = {time: day for day, time in DATE_TIME_PAIRS.items()}

_ONLY_STARS: Final = re.compile(r"\*+")
_EMPTY_KEY: Final = '""'
_NUMBER: Final = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)


def matches(
    data: Mapping[str, Any], keys: Mapping[str, Any], options: MatchOptions = NO_OPTIONS
) -> bool:
    """Whether an entity matches every key.

    Args:
        data: The entity, attributes of all upper levels included, DICOM JSON.
        keys: Matching keys, DICOM JSON.
        options: Extended matching behaviour.
    """
    for tag, key in keys.items():
        if tag in UNMATCHED_TAGS or is_universal(key):
            continue
        if options.combined_datetime and (pair := combined_pair(tag, keys)) is not None:
            if tag == pair[0] and not _combined_matches(data, keys, *pair):
                return False
            continue
        if not element_matches(tag, data.get(tag), key, options):
            return False
    return True


def is_universal(key: Mapping[str, Any]) -> bool:
    """Universal matching (PS3.4 §C.2.2.2.3), also of a sequence of universal item keys."""
    if key.get("vr") == "SQ":
        item = item_of(key)
        return item is None or all(is_universal(nested) for nested in item.values())
    values = texts(key)
    return not values or all(_ONLY_STARS.fullmatch(value) for value in values)


def item_of(key: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The item of a sequence key (PS3.4 §C.2.2.2.6); None when it has no item keys."""
    return next((i for i in key.get("Value", ()) if i and isinstance(i, Mapping)), None)


def element_matches(
    tag: str, element: Mapping[str, Any] | None, key: Mapping[str, Any], options: MatchOptions
) -> bool:
    """Whether one attribute matches one key that is not universal."""
    vr = key.get("vr", "UN")
    if vr == "SQ":
        wanted = item_of(key) or {}
        return any(
            matches(item, wanted, options)
            for item in (element or {}).get("Value", ())
            if item and isinstance(item, Mapping)
        )
    if vr == "UN" and element is not None:  # a private attribute: what the object says it is
        vr = element.get("vr", "UN")
    values = texts(element)
    wanted_values = texts(key)
    if wanted_values == [_EMPTY_KEY]:
        return not values
    folded = options.fuzzy and tag in DESCRIPTIVE_TAGS
    found = (any(_value_matches(vr, v, k, options, folded) for v in values) for k in wanted_values)
    if options.every_value and vr not in {"UI", "DA", "TM", "DT"}:
        return all(found)
    return any(found)


def _value_matches(vr: str, value: str, key: str, options: MatchOptions, folded: bool) -> bool:
    if vr in TEXT_VRS:
        if folded:
            return glob(folded_pattern(key), fold(value).translate(NOT_IN_DATA))
        return glob(pattern(key), value.translate(NOT_IN_DATA))
    if vr == "UI" or vr in LITERAL_VRS:
        return value == key
    if vr == "PN":
        return fuzzy_name_matches(value, key) if options.fuzzy else name_matches(value, key)
    if vr in NUMBER_VRS:
        number = parse_number(key)
        return number is not None and parse_number(value) == number
    if vr == "DA":
        day, span = parse_date(value), date_bounds(key)
        return day is not None and span is not None and within(day, span)
    if vr == "TM":
        time, span = parse_time(value), time_bounds(key)
        return time is not None and span is not None and within(time[0], span)
    if vr == "DT":
        moment, span = parse_date_time(value), date_time_bounds(key)
        return moment is not None and span is not None and within(moment[0], span)
    return True  # binary and unknown representations are not matched on


def unusable_keys(keys: Mapping[str, Any]) -> list[str]:
    """Tags of keys whose values have no meaning for their value representation.

    Patterns beyond `MAX_PATTERN` characters are among them: matching one takes long.
    """
    bad = []
    for tag, key in keys.items():
        if tag in UNMATCHED_TAGS or is_universal(key):
            continue
        if key.get("vr") == "SQ":
            bad += unusable_keys(item_of(key) or {})
            continue
        parse = {"DA": date_bounds, "TM": time_bounds, "DT": date_time_bounds}.get(
            key.get("vr", ""), parse_number if key.get("vr") in NUMBER_VRS else None
        )
        values = texts(key)
        if parse is not None:
            usable = values == [_EMPTY_KEY] or all(parse(value) is not None for value in values)
        else:
            usable = all(len(v) <= MAX_PATTERN or not WILD.search(v) for v in values)
        if not usable:
            bad.append(tag)
    return bad


def texts(element: Mapping[str, Any] | None) -> list[str]:
    """Values of an element as stripped text, empty ones left out; names with their groups."""
    if not element:
        return []
    found = []
    for value in element.get("Value", ()):
        if value is None:
            continue
        if isinstance(value, Mapping):
            groups = (value.get(g) or "" for g in ("Alphabetic", "Ideographic", "Phonetic"))
            text = "=".join(groups).rstrip("=")
        elif isinstance(value, str):
            text = value
        else:
            text = str(value)
        text = text.strip(" \x00")
        if text:
            found.append(text)
    return found


def parse_number(text: str) -> float | int | None:
    """An integer or decimal string; None if it is none."""
    if len(text) > 64 or _NUMBER.fullmatch(text) is None:
        return None
    return float(text) if not text.lstrip("+-").isdigit() else int(text)


def combined_pair(tag: str, keys: Mapping[str, Any]) -> tuple[str, str] | None:
    """The (date, time) tags of a pair whose both keys have one usable value, or None."""
    day = tag if tag in DATE_TIME_PAIRS else _TIMES_OF_PAIRS.get(tag)
    if day is None:
        return None
    time = DATE_TIME_PAIRS[day]
    return (day, time) if combined_bounds(keys.get(day), keys.get(time)) is not None else None


def combined_bounds(
    day: Mapping[str, Any] | None, time: Mapping[str, Any] | None
) -> tuple[Bounds, Bounds] | None:
    """Bounds of a date key and of its time key, to be taken as one range of instants.

    The lower time belongs to the lower date and the upper time to the upper date; a time bound
    whose date bound is open says nothing.
    """
    days, times = texts(day), texts(time)
    if len(days) != 1 or len(times) != 1:
        return None
    day_span, time_span = date_bounds(days[0]), time_bounds(times[0])
    if day_span is None or time_span is None:
        return None
    return day_span, time_span


def _combined_matches(
    data: Mapping[str, Any], keys: Mapping[str, Any], day: str, time: str
) -> bool:
    bounds = combined_bounds(keys[day], keys[time])
    if bounds is None:
        return False
    low, high = instant_bounds(*bounds)
    return any(within(instant, (low, high)) for instant in _instants(data, day, time))


def _instants(data: Mapping[str, Any], day: str, time: str) -> Iterable[str]:
    dates = [parsed for text in texts(data.get(day)) if (parsed := parse_date(text))]
    times = [span[0] for text in texts(data.get(time)) if (span := parse_time(text))]
    start = times[0] if times else "000000.000000"
    return [parsed + start for parsed in dates]
