"""Elements as text for people: names and values of what ``walk`` gives."""

from functools import lru_cache
from typing import Any, Final

from negatoscope.protocols.dicom.dataset.values import (
    BIG_ENDIAN_CONVERTERS,
    LITTLE_ENDIAN_CONVERTERS,
)
from negatoscope.protocols.dicom.dataset.vr import TEXT_VRS
from negatoscope.protocols.dicom.dataset.walk import Entry
from negatoscope.standard import uids
from negatoscope.standard.tags import is_private

_CONVERTED_BYTES: Final = 64 << 10
_CHARSET: Final = frozenset(["LO", "LT", "SH", "ST", "UC", "UT"])


def is_private_creator(tag: int) -> bool:
    """(gggg,0010-00FF) of an odd group (PS3.5 §7.8.1)."""
    return is_private(tag) and 0x10 <= tag & 0xFFFF <= 0xFF


@lru_cache(maxsize=4096)
def private_name(tag: int, creator: str) -> str | None:
    """What makers have published of a private element; None when nothing is known."""
    from pydicom.datadict import private_dictionary_description

    try:
        return private_dictionary_description(tag, creator)
    except KeyError:
        return None


def value_text(entry: Entry, max_length: int, *, little_endian: bool) -> tuple[str, bool]:
    """The value as one line, and whether it was cut to ``max_length`` characters."""
    if not len(entry.value):
        return "", False
    converters = LITTLE_ENDIAN_CONVERTERS if little_endian else BIG_ENDIAN_CONVERTERS
    # No more bytes than may be shown: four per character at most, and whole numbers.
    most = max(_CONVERTED_BYTES, 8 * min(max_length, len(entry.value)))
    raw = bytes(entry.value[: most - most % 8])
    cut = len(raw) < len(entry.value)
    convert: Any = converters.get(entry.vr)
    if convert is None:
        shown = min(len(raw), max_length // 3 + 1)
        text = raw[:shown].hex(" ")
        cut = cut or shown < len(raw)
    elif entry.vr in TEXT_VRS and entry.vr != "PN":
        text = entry.text.decode(raw) if entry.vr in _CHARSET else raw.decode("ascii", "replace")
        text = text.rstrip("\0 ")
        if entry.vr == "UI" and (row := uids.registered_uid(text)) is not None:
            text = f"{text} = {row.name}"
    elif entry.vr == "PN":
        text = entry.text.decode(raw, is_person_name=True).rstrip("\0 ")
    else:
        text = "\\".join(str(one) for one in convert(raw, entry.text))
    text = printable(text)
    if len(text) > max_length:
        return text[:max_length], True
    return text, cut


def printable(text: str) -> str:
    """No character that would do something to a terminal, or turn the direction of a line."""
    if text.isprintable():
        return text
    return "".join(
        one if one.isprintable() else one.encode("unicode_escape").decode("ascii") for one in text
    )
