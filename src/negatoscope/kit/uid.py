"""Unique identifiers: ours are UUID-derived (PS3.5 §B.2), a peer's are judged by PS3.5 §9.1."""

import re
import uuid

MAX_UID_LENGTH = 64

_UID = re.compile(r"(?:0|[1-9][0-9]*)(?:\.(?:0|[1-9][0-9]*))+")


def new_uid() -> str:
    """A new UID under the root 2.25, from a random UUID."""
    return f"2.25.{uuid.uuid4().int}"


def is_valid_uid(text: str) -> bool:
    """At most 64 characters, two or more numeric components, none with a leading zero."""
    return len(text) <= MAX_UID_LENGTH and _UID.fullmatch(text) is not None


def is_harmless_uid(text: str) -> bool:
    """Digits and dots, at most 64: perhaps no UID, but safe in any text (leading zeros are met)."""
    return 0 < len(text) <= MAX_UID_LENGTH and not text.strip("0123456789.")
