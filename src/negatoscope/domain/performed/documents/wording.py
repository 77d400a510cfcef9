"""Dates in words and on labels, in French and English."""

from datetime import datetime
from typing import Final

from negatoscope.domain.performed.documents.model import Language

_DAYS: Final = {
    "fr": ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"),
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
}
_MONTHS: Final = {
    "fr": (
        *("janvier", "février", "mars", "avril", "mai", "juin"),
        *("juillet", "août", "septembre", "octobre", "novembre", "décembre"),
    ),
    "en": (
        *("January", "February", "March", "April", "May", "June"),
        *("July", "August", "September", "October", "November", "December"),
    ),
}


def day_in_words(at: datetime, language: Language) -> str:
    """A local day: ``mardi 1er décembre 2026``, ``Tuesday 1 December 2026``."""
    day = "1er" if language == "fr" and at.day == 1 else str(at.day)
    weekday, month = _DAYS[language][at.weekday()], _MONTHS[language][at.month - 1]
    return f"{weekday} {day} {month} {at.year}"


def time_in_words(at: datetime, language: Language) -> str:
    """A local time of day: ``9 h 05``, ``9:05``."""
    return f"{at.hour} h {at.minute:02}" if language == "fr" else f"{at.hour}:{at.minute:02}"


def date_of_birth(text: str) -> str:
    """``DD/MM/YYYY`` of ``YYYY[MM[DD]]``; parts that are not known are left out, not guessed."""
    year, month, day = text[:4], text[4:6], text[6:8]
    return "/".join(part for part in (day, month, year) if part)
