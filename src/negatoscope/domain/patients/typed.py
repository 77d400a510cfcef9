"""What somebody types into the one search box of patients, taken apart."""

import re
from dataclasses import dataclass
from typing import Self

from negatoscope.kit.text import fold

_MAX_WORDS = 10
_DAY_FIRST = re.compile(r"(\d{1,2})[/.](\d{1,2})[/.](\d{4})")
_YEAR_FIRST = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """Words and numbers.

    Attributes:
        words: Parts of names, folded.
        numbers: Anything with a digit as written, and what it is as the beginning of a birth date
            (``YYYY…``); empty when it is none.
    """

    words: tuple[str, ...]
    numbers: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, text: str) -> Self:
        """Take it apart; at most ten parts count."""
        words: list[str] = []
        numbers: list[tuple[str, str]] = []
        for part in text.replace("\0", "").split()[:_MAX_WORDS]:
            if any(one.isdigit() for one in part):
                numbers.append((part, _birth_date(part)))
            elif folded := fold(part):
                words.extend(folded.split())
        return cls(words=tuple(words[:_MAX_WORDS]), numbers=tuple(numbers))


def _birth_date(part: str) -> str:
    if (found := _DAY_FIRST.fullmatch(part)) is not None:
        day, month, year = found.groups()
        return f"{year}{month:>02}{day:>02}"
    if (found := _YEAR_FIRST.fullmatch(part)) is not None:
        year, month, day = found.groups()
        return f"{year}{month:>02}{day:>02}"
    if part.isascii() and part.isdigit() and 4 <= len(part) <= 8:
        return part
    return ""
