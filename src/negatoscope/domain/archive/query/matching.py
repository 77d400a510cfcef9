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
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any, Final

from negatoscope.domain.archive.query.model import NO_OPTIONS, MatchOptions
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
}
_TIMES_OF_PAIRS: Final = {time: day for day, time in DATE_TIME_PAIRS.items()}

# Lone surrogates stand for wild cards in patterns: stored text can hold an asterisk, but not these.
STAR: Final = "\ud800"  # `*`
ANY: Final = "\ud801"  # `?`
_NOT_IN_DATA: Final = str.maketrans({STAR: "\ud802", ANY: "\ud802"})
_WILD: Final = re.compile(r"([*?])")
_ONLY_STARS: Final = re.compile(r"\*+")
_WORD_BREAKS: Final = re.compile(r"[\s^=*?,.'\-_/\\]+")
_EMPTY_KEY: Final = '""'

_NUMBER: Final = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_DATE: Final = re.compile(r"(\d{4})(\d{2})(\d{2})|(\d{4})\.(\d{2})\.(\d{2})", re.ASCII)
_TIME: Final = re.compile(r"(\d{2})(?::?(\d{2})(?::?(\d{2})(?:\.(\d{1,6}))?)?)?", re.ASCII)
_DATE_TIME: Final = re.compile(
    r"(\d{4})(?:(\d{2})(?:(\d{2})(?:(\d{2})(?:(\d{2})(?:(\d{2})(?:\.(\d{1,6}))?)?)?)?)?)?"
    r"([+-]\d{4})?",
    re.ASCII,
)

#: First and last value of a range, inclusive; None is open.
Bounds = tuple[str | None, str | None]
_Parse = Callable[[str], tuple[str, str] | None]


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
        items = [item for item in key.get("Value", ()) if item]
        return not items or all(is_universal(nested) for nested in items[0].values())
    values = texts(key)
    return not values or all(_ONLY_STARS.fullmatch(value) for value in values)


def element_matches(
    tag: str, element: Mapping[str, Any] | None, key: Mapping[str, Any], options: MatchOptions
) -> bool:
    """Whether one attribute matches one key that is not universal."""
    vr = key.get("vr", "UN")
    if vr == "SQ":
        wanted = next(item for item in key["Value"] if item)
        return any(
            matches(item, wanted, options) for item in (element or {}).get("Value", ()) if item
        )
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
            return glob(folded_pattern(key), fold(value).translate(_NOT_IN_DATA))
        return glob(pattern(key), value.translate(_NOT_IN_DATA))
    if vr == "UI" or vr in LITERAL_VRS:
        return value == key
    if vr == "PN":
        return fuzzy_name_matches(value, key) if options.fuzzy else name_matches(value, key)
    if vr in NUMBER_VRS:
        number = parse_number(key)
        return number is not None and parse_number(value) == number
    if vr == "DA":
        day, span = parse_date(value), date_bounds(key)
        return day is not None and span is not None and _within(day, span)
    if vr == "TM":
        time, span = parse_time(value), time_bounds(key)
        return time is not None and span is not None and _within(time[0], span)
    if vr == "DT":
        moment, span = parse_date_time(value), date_time_bounds(key)
        return moment is not None and span is not None and _within(moment[0], span)
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
            bad += unusable_keys(next(item for item in key["Value"] if item))
            continue
        parse = {"DA": date_bounds, "TM": time_bounds, "DT": date_time_bounds}.get(
            key.get("vr", ""), parse_number if key.get("vr") in NUMBER_VRS else None
        )
        values = texts(key)
        if parse is not None:
            usable = values == [_EMPTY_KEY] or all(parse(value) is not None for value in values)
        else:
            usable = all(len(v) <= MAX_PATTERN or not _WILD.search(v) for v in values)
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


# Text


def pattern(key: str) -> str:
    """A literal text key with its wild cards marked."""
    text = key.translate(_NOT_IN_DATA)
    return text.replace("*", STAR).replace("?", ANY)


def folded_pattern(key: str) -> str:
    """A text key folded between its wild cards, which are marked."""
    return "".join(
        {"*": STAR, "?": ANY}.get(piece) or fold(piece).translate(_NOT_IN_DATA)
        for piece in _WILD.split(key)
        if piece
    )


def glob(wild: str, text: str) -> bool:
    """Wild card matching (PS3.4 §C.2.2.2.4) in time linear in the text for each piece."""
    first, *others = wild.split(STAR)
    if not others:
        return len(first) == len(text) and _find(first, text, 0) == 0
    *middle, last = others
    if len(first) + len(last) > len(text) or not _starts(first, text, 0):
        return False
    at, end = len(first), len(text) - len(last)
    if not _starts(last, text, end):
        return False
    between = text[:end]
    for piece in middle:
        if piece:
            at = _find(piece, between, at)
            if at < 0:
                return False
            at += len(piece)
    return at <= end


def _starts(piece: str, text: str, at: int) -> bool:
    return all(p in (ANY, t) for p, t in zip(piece, text[at : at + len(piece)], strict=False))


def _find(piece: str, text: str, at: int) -> int:
    if ANY not in piece:
        return text.find(piece, at)
    found = _compiled(piece).search(text, at)
    return found.start() if found else -1


@lru_cache(maxsize=256)
def _compiled(piece: str) -> re.Pattern[str]:
    return re.compile(".".join(map(re.escape, piece.split(ANY))), re.DOTALL)


# Person names


def name_matches(value: str, key: str) -> bool:
    """Whether a name matches a name key, both as `alphabetic=ideographic=phonetic`."""
    groups = [normal_name(group) for group in value.translate(_NOT_IN_DATA).split("=")[:3]]
    wanted = [name_pattern(group) for group in key.split("=")[:3]]
    if len(wanted) == 1:
        candidates = groups if is_beyond_latin(key) else groups[:1]
        return any(_group_matches(group, wanted[0]) for group in candidates if group)
    groups += [""] * (3 - len(groups))
    return all(
        not group_key or _group_matches(group, group_key)
        for group, group_key in zip(groups, wanted, strict=False)
    )


def normal_name(group: str) -> str:
    """One component group, folded component by component, without trailing empty ones."""
    return "^".join(map(fold, group.split("^"))).rstrip("^")


def name_pattern(group: str) -> str:
    """One component group of a key, folded, with its wild cards marked."""
    return "^".join(map(folded_pattern, group.split("^"))).rstrip("^")


def is_beyond_latin(key: str) -> bool:
    """Whether a name key may be meant for an ideographic or phonetic group."""
    return any(c > "\u024f" for c in fold(key))


def _group_matches(group: str, wild: str) -> bool:
    stem = wild
    while stem.endswith(("^", "^" + STAR)):
        stem = stem[:-1] if stem.endswith("^") else stem[:-2]
    if stem != wild and glob(stem, group):
        return True
    return glob(wild, group)


def words(text: str) -> list[str]:
    """Folded words of a name or a name key, wild cards and delimiters left out."""
    return [word for word in _WORD_BREAKS.split(fold(text)) if word]


def fuzzy_name_matches(value: str, key: str) -> bool:
    """Whether each word of the key begins some word of any component of the name."""
    there = words(value)
    return all(any(word.startswith(wanted) for word in there) for wanted in words(key))


# Numbers, dates and times


def parse_number(text: str) -> float | int | None:
    """An integer or decimal string; None if it is none."""
    if len(text) > 64 or _NUMBER.fullmatch(text) is None:
        return None
    return float(text) if not text.lstrip("+-").isdigit() else int(text)


def parse_date(text: str) -> str | None:
    """`YYYYMMDD` of a DA value, also in the form `YYYY.MM.DD` of ACR-NEMA; None if no date."""
    found = _DATE.fullmatch(text.strip())
    if found is None:
        return None
    year, month, day = (int(part) for part in found.groups() if part is not None)
    try:
        date(year, month, day)
    except ValueError:
        return None
    return f"{year:04d}{month:02d}{day:02d}"


def parse_time(text: str) -> tuple[str, str] | None:
    """First and last instant of a TM value, both `HHMMSS.FFFFFF`; None if no time."""
    found = _TIME.fullmatch(text.strip())
    if found is None:
        return None
    hour, minute, second, fraction = found.groups()
    if hour > "23" or (minute or "00") > "59" or (second or "00") > "60":
        return None
    first = f"{hour}{minute or '00'}{second or '00'}.{(fraction or '').ljust(6, '0')}"
    last = f"{hour}{minute or '59'}{second or '59'}.{(fraction or '').ljust(6, '9')}"
    return first, last


def parse_date_time(text: str) -> tuple[str, str] | None:
    """First and last instant of a DT value, in UTC when it has an offset; None if none."""
    found = _DATE_TIME.fullmatch(text.strip())
    if found is None:
        return None
    year, month, day, hour, minute, second, fraction, offset = found.groups()
    shift = timedelta()
    if offset:
        shift = timedelta(hours=int(offset[1:3]), minutes=int(offset[3:]))
        shift = -shift if offset[0] == "+" else shift
    try:
        first = datetime(  # noqa: DTZ001 - DT values without a zone are local times
            int(year), int(month or 1), int(day or 1), int(hour or 0), int(minute or 0),
            min(int(second or 0), 59), int((fraction or "").ljust(6, "0")),
        )  # fmt: skip
        if month is None:
            after = first.replace(year=first.year + 1)
        elif day is None:
            after = (first + timedelta(days=31)).replace(day=1)
        elif hour is None:
            after = first + timedelta(days=1)
        elif minute is None:
            after = first + timedelta(hours=1)
        elif second is None:
            after = first + timedelta(minutes=1)
        else:
            after = first + timedelta(microseconds=10 ** (6 - len(fraction or "")))
        last = after - timedelta(microseconds=1)
        return _instant(first + shift), _instant(last + shift)
    except (ValueError, OverflowError):
        return None


def _instant(moment: datetime) -> str:
    return f"{moment.year:04d}{moment:%m%d%H%M%S.%f}"


def date_bounds(key: str) -> Bounds | None:
    """Range matching of a DA key (PS3.4 §C.2.2.2.5.1); a single date is its own range."""
    return _bounds(key, _day)


def _day(text: str) -> tuple[str, str] | None:
    day = parse_date(text)
    return (day, day) if day else None


def time_bounds(key: str) -> Bounds | None:
    """Range matching of a TM key (PS3.4 §C.2.2.2.5.2), never across midnight."""
    return _bounds(key, parse_time)


def date_time_bounds(key: str) -> Bounds | None:
    """Range matching of a DT key (PS3.4 §C.2.2.2.5.3).

    `-hhmm` after a date-time is its offset from UTC where it can be one.
    """
    single = parse_date_time(key)
    if single is not None:
        return single
    for cut in (i for i, c in enumerate(key) if c == "-"):
        span = _range(key[:cut], key[cut + 1 :], parse_date_time)
        if span is not None:
            return span
    return None


def _bounds(key: str, parse: _Parse) -> Bounds | None:
    start, dash, end = key.partition("-")
    return _range(start, end, parse) if dash else parse(key)


def _range(start: str, end: str, parse: _Parse) -> Bounds | None:
    start, end = start.strip(), end.strip()
    if not start and not end:
        return None
    low = parse(start) if start else (None, None)
    high = parse(end) if end else (None, None)
    return None if low is None or high is None else (low[0], high[1])


def _within(value: str, bounds: Bounds) -> bool:
    low, high = bounds
    return (low is None or low <= value) and (high is None or value <= high)


# Combined date-time


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
    return any(_within(instant, (low, high)) for instant in _instants(data, day, time))


def instant_bounds(days: Bounds, times: Bounds) -> Bounds:
    """One range of `YYYYMMDDHHMMSS.FFFFFF` from a range of dates and one of times."""
    low = days[0] + (times[0] or "000000.000000") if days[0] else None
    high = days[1] + (times[1] or "235960.999999") if days[1] else None
    return low, high


def _instants(data: Mapping[str, Any], day: str, time: str) -> Iterable[str]:
    dates = [parsed for text in texts(data.get(day)) if (parsed := parse_date(text))]
    times = [span[0] for text in texts(data.get(time)) if (span := parse_time(text))]
    start = times[0] if times else "000000.000000"
    return [parsed + start for parsed in dates]
