"""Words, numbers and dates of the page in French and in English."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from negatoscope.entrypoints.web.page.words import WORDS

COOKIE = "negatoscope_language"

_MONTHS: Mapping[str, tuple[str, ...]] = {
    "en": ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
    "fr": (
        "janv.",
        "févr.",
        "mars",
        "avr.",
        "mai",
        "juin",
        "juil.",
        "août",
        "sept.",
        "oct.",
        "nov.",
        "déc.",
    ),
}
_UNITS: Mapping[str, tuple[str, ...]] = {
    "en": ("B", "kB", "MB", "GB", "TB", "PB"),
    "fr": ("o", "ko", "Mo", "Go", "To", "Po"),
}
_NO_BREAK = "\u00a0"
_THIN_NO_BREAK = "\u202f"


class Language(StrEnum):
    """What the page speaks."""

    ENGLISH = "en"
    FRENCH = "fr"


def choose(cookie: str | None, accept_language: str | None) -> Language:
    """The language chosen on the page, else the browser's first that we speak, else English."""
    if cookie in (Language.ENGLISH, Language.FRENCH):
        return Language(cookie)
    ranked: list[tuple[float, str]] = []
    for piece in (accept_language or "")[:1000].split(","):
        tag, _, parameters = piece.strip().partition(";")
        quality = 1.0
        name, _, value = parameters.strip().partition("=")
        if name == "q":
            try:
                quality = float(value)
            except ValueError:
                quality = 0.0
        ranked.append((-quality, tag.strip().lower().split("-")[0]))
    for quality, primary in sorted(ranked, key=lambda pair: pair[0]):
        if quality < 0 and primary in (Language.ENGLISH, Language.FRENCH):
            return Language(primary)
    return Language.ENGLISH


@dataclass(frozen=True, slots=True)
class Speaker:
    """Says things in one language."""

    language: Language

    def __call__(self, key: str, /, **values: object) -> str:
        """A sentence of ``words.WORDS``, its ``{fields}`` filled."""
        text = WORDS[key][0 if self.language is Language.ENGLISH else 1]
        return text.format(**values) if values else text

    def count(self, number: int, key: str) -> str:
        """``3 studies``: the number, then ``key.one`` or ``key.many``.

        French says one for zero too.
        """
        one = number == 1 or (number == 0 and self.language is Language.FRENCH)
        return f"{self.number(number)}{_NO_BREAK}{self(f'{key}.one' if one else f'{key}.many')}"

    def number(self, value: int) -> str:
        """With the language's separator of thousands."""
        separator = "," if self.language is Language.ENGLISH else _THIN_NO_BREAK
        return f"{value:,}".replace(",", separator)

    def size(self, byte_count: int) -> str:
        """In decimal units, three digits."""
        value, index = float(byte_count), 0
        units = _UNITS[self.language]
        while value >= 999.5 and index < len(units) - 1:
            value /= 1000
            index += 1
        digits = 0 if index == 0 or value >= 99.95 else 1
        text = f"{value:.{digits}f}"
        if self.language is Language.FRENCH:
            text = text.replace(".", ",")
        return f"{text}{_NO_BREAK}{units[index]}"

    def date(self, value: dt.date | None) -> str:
        """``24 Nov 2026``, ``24 nov. 2026``, ``1er janv. 2026``."""
        if value is None:
            return ""
        day = str(value.day)
        if value.day == 1 and self.language is Language.FRENCH:
            day = "1er"
        month = _MONTHS[self.language][value.month - 1]
        return f"{day}{_NO_BREAK}{month}{_NO_BREAK}{value.year}"

    def time(self, value: str | None) -> str:
        """A DICOM TM as ``14:05``; nothing when unusable."""
        if value is None or len(value) < 4 or not value[:4].isdigit():
            return ""
        return f"{value[:2]}:{value[2:4]}"

    def moment(self, value: dt.datetime) -> str:
        """An instant, UTC."""
        utc = value - (value.utcoffset() or dt.timedelta())
        return f"{self.date(utc.date())}, {utc:%H:%M}{_NO_BREAK}UTC"

    def age(self, birth_date: dt.date | None, at: dt.date | None) -> str:
        """``67 y``, ``8 months``, ``12 days``; nothing when it makes no sense."""
        if birth_date is None or at is None or at < birth_date:
            return ""
        months = (at.year - birth_date.year) * 12 + at.month - birth_date.month
        months -= at.day < birth_date.day
        if months >= 24:
            return f"{months // 12}{_NO_BREAK}{self('age.years')}"
        if months >= 2:
            return f"{months}{_NO_BREAK}{self('age.months')}"
        return f"{(at - birth_date).days}{_NO_BREAK}{self('age.days')}"


def person_name(value: str | None) -> str:
    """A PN as people read it: ``DUPONT Jean``, then its other writings in parentheses.

    PS3.5 §6.2.1: ``family^given^middle^prefix^suffix``, groups separated by ``=``.
    """
    if not value:
        return ""
    groups: list[str] = []
    for group in value.split("="):
        family, given, middle, prefix, suffix = (*group.split("^"), "", "", "", "", "")[:5]
        text = " ".join(part.strip() for part in (prefix, family, given, middle, suffix) if part)
        text = " ".join(text.split())
        if text and text not in groups:
            groups.append(text)
    if not groups:
        return ""
    return groups[0] + "".join(f" ({group})" for group in groups[1:])
