"""Numbers by a pattern: ``{yy}{n:08}``."""

import re
from typing import Final

MAX_LENGTH: Final = 16
"""Value representation SH (PS3.5 §6.2)."""
_PATTERN: Final = re.compile(r"([A-Za-z0-9./ _-]|\{(yyyy|yy|n|n:0[1-9]|n:1[0-2])\})*")
_PLACE: Final = re.compile(r"\{(yyyy|yy|n(?::0?(\d{1,2}))?)\}")


def format_number(pattern: str, number: int, *, year: int) -> str:
    """The number as it is written.

    Raises:
        ValueError: it has more than 16 characters by now.
    """

    def place(match: re.Match[str]) -> str:
        if match.group(1) == "yyyy":
            return f"{year:04}"
        if match.group(1) == "yy":
            return f"{year % 100:02}"
        return f"{number:0{int(match.group(2) or 1)}}"

    written = _PLACE.sub(place, pattern)
    if len(written) > MAX_LENGTH:
        raise ValueError(f"{written} has more than {MAX_LENGTH} characters")
    return written


def check_pattern(pattern: str) -> str:
    """A pattern that can be used.

    Raises:
        ValueError: it cannot.
    """
    if _PATTERN.fullmatch(pattern) is None or "{n" not in pattern:
        raise ValueError("write letters, digits, {yy} or {yyyy}, and {n} or {n:08}")
    if pattern != pattern.strip():
        raise ValueError("spaces at the ends are not kept by DICOM")
    shown = _PLACE.sub(
        lambda m: "0" * {"yyyy": 4, "yy": 2}.get(m.group(1), int(m.group(2) or 6)), pattern
    )
    if len(shown) > MAX_LENGTH:
        raise ValueError(f"it gives more than {MAX_LENGTH} characters")
    return pattern
