"""Date, time and date-time values and the ranges keys give (PS3.4 §C.2.2.2.5)."""

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Final

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


def within(value: str, bounds: Bounds) -> bool:
    low, high = bounds
    return (low is None or low <= value) and (high is None or value <= high)


def instant_bounds(days: Bounds, times: Bounds) -> Bounds:
    """One range of `YYYYMMDDHHMMSS.FFFFFF` from a range of dates and one of times."""
    low = days[0] + (times[0] or "000000.000000") if days[0] else None
    high = days[1] + (times[1] or "235960.999999") if days[1] else None
    return low, high
