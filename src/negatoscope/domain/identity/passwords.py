"""Passwords: which are refused, how they are stored (argon2id).

After NIST SP 800-63B §3.1.1.2: length counts, and that it is not among those guessed first; no rule
about kinds of characters, no change by the calendar.
"""

import re
from collections.abc import Iterable
from functools import cache
from importlib import resources
from typing import Final

from pwdlib import PasswordHash

from negatoscope.domain.identity.errors import WeakPassword
from negatoscope.kit.text import fold

MIN_LENGTH: Final = 12
MAX_LENGTH: Final = 1000
_SITE_WORDS: Final = ("negatoscope", "radiologie", "radiology", "imagerie", "hopital", "hospital")
_LEET: Final = str.maketrans("013457@$!", "oieastasi")
_NOT_LETTERS: Final = re.compile(r"[\W\d_]+")
_FEW_CHARACTERS: Final = 5


@cache
def _hasher() -> PasswordHash:
    return PasswordHash.recommended()


@cache
def _nobody_hash() -> str:
    """Verified against when there is no account, so that the time does not tell."""
    return _hasher().hash("nobody has this password")


@cache
def _common() -> frozenset[str]:
    """The passwords guessed first; ``data/common_passwords.txt`` says from where."""
    text = resources.files(__package__).joinpath("data", "common_passwords.txt").read_text("utf-8")
    return frozenset(line for line in text.splitlines() if not line.startswith("# "))


def check(name: str, password: str, *, words: Iterable[str] = ()) -> None:
    """Refuse a password that would be guessed first.

    Args:
        name: Of the account.
        password: Wanted.
        words: Of this place: its name, its AE title.
    Raises:
        WeakPassword: it is short, well known, or made of the account's or the place's name.
    """
    if len(password) < MIN_LENGTH:
        raise WeakPassword(
            f"the password has fewer than {MIN_LENGTH} characters",
            hint="a sentence of four words is long enough and easy to keep in mind.",
            code="too-short",
        )
    if len(password) > MAX_LENGTH:
        raise WeakPassword(
            f"the password has more than {MAX_LENGTH} characters",
            hint="shorten it.",
            code="too-long",
        )
    folded = fold(password)
    if len(set(folded)) < _FEW_CHARACTERS:
        raise WeakPassword(
            "the password repeats a few characters", hint="choose four words.", code="too-simple"
        )
    if _is_common(folded):
        raise WeakPassword(
            "the password is among those that are guessed first",
            hint="choose four words that do not belong together.",
            code="common",
        )
    own = [fold(word) for word in (name, *words, *_SITE_WORDS) if len(word) >= 3]
    rest = folded
    for word in sorted(own, key=len, reverse=True):
        rest = rest.replace(word, "")
    if len(_NOT_LETTERS.sub("", rest)) < 4 and rest != folded:
        raise WeakPassword(
            "the password is made of the account's or this place's name",
            hint="choose another one.",
            code="name",
        )


def _is_common(folded: str) -> bool:
    """Itself, without what is hung on it, read as it sounds, or one well-known word repeated."""
    common = _common()
    plain = folded.translate(_LEET)
    for text in (folded, plain):
        stem = text.strip("0123456789 !?.,;:*+-_#$%&/()=@'\"")
        if text in common or (stem in common and len(stem) >= 4):
            return True
        if any(text[:-end] in common or text[end:] in common for end in range(1, 4)):
            return True
        for size in range(3, len(text) // 2 + 1):
            part = text[:size]
            if part in common and part * (len(text) // size) == text:
                return True
    parts = [part for part in re.split(r"[\W_]+|(?<=\D)(?=\d)|(?<=\d)(?=\D)", folded) if part]
    return len(parts) <= 2 and all(part in common for part in parts)


def hash_password(password: str) -> str:
    """What is stored of a password or a PIN."""
    return _hasher().hash(password)


def verify(password: str, stored: str | None) -> tuple[bool, str | None]:
    """Whether it is the one; takes the same time when nothing is stored.

    Returns: The answer, and a new hash to store when the old one is out of date.
    """
    valid, renewed = _hasher().verify_and_update(password, stored or _nobody_hash())
    return (valid, renewed) if stored is not None else (False, None)
