"""Times of HL7 v2 (TS, DTM: §2.A.76): ``YYYY[MM[DD[HH[MM[SS[.S]]]]]][+/-ZZZZ]``."""

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Final
from zoneinfo import ZoneInfo

_FORM: Final = re.compile(
    r"(\d{4})(?:(\d{2})(?:(\d{2})(?:(\d{2})(?:(\d{2})(?:(\d{2})(?:\.(\d{1,6})\d*)?)?)?)?)?)?"
    r"(?:([+-])(\d{2}):?(\d{2}))?"
)


def instant(text: str, zone: ZoneInfo) -> datetime | None:
    """The instant in UTC; None when it is none, or only a year.

    Args:
        text: As written; what is not said of a day is its beginning.
        zone: Of a time that names none.
    """
    found = _FORM.fullmatch(text.strip())
    if found is None or found[2] is None:
        return None
    offset: timezone | ZoneInfo = zone
    if found[8]:
        span = timedelta(hours=int(found[9]), minutes=int(found[10]))
        if span >= timedelta(hours=24):
            return None
        offset = timezone(-span if found[8] == "-" else span)
    try:
        local = datetime(
            int(found[1]),
            int(found[2]),
            int(found[3] or 1),
            int(found[4] or 0),
            int(found[5] or 0),
            min(int(found[6] or 0), 59),
            int((found[7] or "0").ljust(6, "0")),
            tzinfo=offset,
        )
        return local.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
