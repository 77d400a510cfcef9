"""The reader's language, for what the server itself says: a problem page, OHIF's configuration."""

from enum import StrEnum
from typing import Final

COOKIE: Final = "negatoscope_language"
"""Written by the web application when somebody chooses."""


class Language(StrEnum):
    """What we speak."""

    ENGLISH = "en"
    FRENCH = "fr"


def choose(cookie: str | None, accept_language: str | None) -> Language:
    """The language that was chosen, else the browser's first that we speak, else English.

    Args:
        cookie: The value of ``COOKIE``.
        accept_language: The request's header (RFC 9110 §12.5.4).
    """
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
