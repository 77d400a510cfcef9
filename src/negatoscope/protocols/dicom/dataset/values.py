"""Values of elements to and from DICOM JSON (PS3.18 §F.2), one function per kind of VR."""

import math
import re
from base64 import b64encode
from collections.abc import Callable
from decimal import Decimal
from itertools import zip_longest
from struct import Struct, error, unpack
from typing import Any, Final

from negatoscope.protocols.dicom.dataset.charset import TextDecoder
from negatoscope.protocols.dicom.dataset.vr import NUMBERS, WORD_BYTES

#: Names of PS3.18 §F.2.2 for what a JSON number cannot be.
_NOT_FINITE: Final = {math.inf: "inf", -math.inf: "-inf"}
NOT_FINITE_TEXTS: Final = {"NaN": math.nan, "inf": math.inf, "-inf": -math.inf}
#: Integers that every JSON reader keeps exact (RFC 8259 §6).
_EXACT: Final = 1 << 53
_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,12}")
_GROUPS: Final = ("Alphabetic", "Ideographic", "Phonetic")

Converter = Callable[[bytes, TextDecoder], list[Any]]


def _ascii(raw: bytes) -> str:
    """Text of the default repertoire; what is not in it is shown replaced."""
    return raw.decode("ascii") if raw.isascii() else raw.decode("ascii", "replace")


def _each(text: str) -> list[Any]:
    """Stripped values; None where one of several is empty, nothing where all are."""
    text = text.strip("\x00 ")
    if not text:
        return []
    if "\\" not in text:
        return [text]
    return _nulls([part.strip("\x00 ") for part in text.split("\\")])


def _nulls(values: list[Any]) -> list[Any]:
    return [value or None for value in values] if any(values) else []


def codes(raw: bytes, _text: TextDecoder) -> list[Any]:
    """AE, AS, CS, DA, DT, TM, UI: padding on either side means nothing."""
    return _each(_ascii(raw))


def strings(raw: bytes, text: TextDecoder) -> list[Any]:
    """LO, SH: several values, their padding means nothing."""
    return _each(text.decode(raw))


def characters(raw: bytes, text: TextDecoder) -> list[Any]:
    """UC: several values, spaces before them mean something."""
    value = text.decode(raw).rstrip("\x00 ")
    if "\\" not in value:
        return [value] if value else []
    return _nulls([part.rstrip(" ") for part in value.split("\\")])


def long_text(raw: bytes, text: TextDecoder) -> list[Any]:
    """LT, ST, UT: one value, backslashes and all."""
    value = text.decode(raw).rstrip("\x00 ")
    return [value] if value else []


def locator(raw: bytes, _text: TextDecoder) -> list[Any]:
    """UR: one value."""
    value = _ascii(raw).rstrip("\x00 ")
    return [value] if value else []


def person_name(text: str) -> dict[str, str] | None:
    """Component groups of one Person Name (PS3.5 §6.2.1, PS3.18 §F.2.2); None when empty."""
    groups = [group.strip("\x00 ") for group in text.split("=")]
    name = {key: group for key, group in zip_longest(_GROUPS, groups[:3], fillvalue="") if group}
    return name or None


def person_names(raw: bytes, text: TextDecoder) -> list[Any]:
    """PN."""
    value = text.decode(raw, is_person_name=True).rstrip("\x00 ")
    if not value:
        return []
    names = [person_name(part) for part in value.split("\\")]
    return names if any(names) else []


def _decimal(text: str | None) -> Any:
    if text is None:
        return None
    try:
        number = float(text)
    except ValueError:
        return text
    # Python also takes underscores and the names of what is no number.
    if "_" in text or text[-1] not in "0123456789." or not math.isfinite(number):
        return text
    if len(text) < 16:
        return int(text) if text.isdigit() else number
    return number if Decimal(text) == Decimal(repr(number)) else text


def decimals(raw: bytes, _text: TextDecoder) -> list[Any]:
    """DS: numbers where a double writes the same decimal, else the string."""
    return [_decimal(text) for text in _each(_ascii(raw))]


def integers(raw: bytes, _text: TextDecoder) -> list[Any]:
    """IS: numbers, else the string."""
    return [
        int(text) if text is not None and _INTEGER.fullmatch(text) else text
        for text in _each(_ascii(raw))
    ]


def _finite(number: float) -> float | str:
    if math.isfinite(number):
        return number
    return _NOT_FINITE.get(number, "NaN")


def _numbers(vr: str, order: str) -> Converter:
    size, letter = NUMBERS[vr]
    single = Struct(order + letter)

    def convert(raw: bytes, _text: TextDecoder) -> list[Any]:
        length = len(raw)
        if length == size:
            values: tuple[Any, ...] = single.unpack(raw)
        else:
            count = length // size
            values = unpack(f"{order}{count}{letter}", raw[: count * size])
        if letter == "d":
            return [_finite(value) for value in values]
        if letter == "f":
            return [_finite(_shortest(value)) for value in values]
        if letter in "qQ":
            return [value if abs(value) <= _EXACT else str(value) for value in values]
        return list(values)

    return convert


def _shortest(value: float) -> float:
    """The double whose decimal is the shortest that gives back the same single."""
    if not math.isfinite(value) or value == int(value):
        return value
    short = float(f"{value:.7g}")
    single = Struct("<f")
    try:
        return short if single.unpack(single.pack(short))[0] == value else value
    except (OverflowError, error):
        return value


def _tags(order: str) -> Converter:
    def convert(raw: bytes, _text: TextDecoder) -> list[Any]:
        count = len(raw) // 4
        words = unpack(f"{order}{count * 2}H", raw[: count * 4])
        return [f"{words[2 * i]:04X}{words[2 * i + 1]:04X}" for i in range(count)]

    return convert


_TEXT: Final[dict[str, Converter]] = {
    **dict.fromkeys(("AE", "AS", "CS", "DA", "DT", "TM", "UI"), codes),
    **dict.fromkeys(("LO", "SH"), strings),
    **dict.fromkeys(("LT", "ST", "UT"), long_text),
    "DS": decimals,
    "IS": integers,
    "PN": person_names,
    "UC": characters,
    "UR": locator,
}


def _converters(order: str) -> dict[str, Converter]:
    return {**_TEXT, **{vr: _numbers(vr, order) for vr in NUMBERS}, "AT": _tags(order)}


#: By VR, for little and for big endian data sets.
LITTLE_ENDIAN_CONVERTERS: Final = _converters("<")
BIG_ENDIAN_CONVERTERS: Final = _converters(">")


def swapped(raw: bytes, vr: str) -> bytes:
    """Words of a binary value in the other byte order."""
    size = WORD_BYTES.get(vr) or NUMBERS[vr][0]
    if size == 1 or len(raw) % size:
        return raw
    out = bytearray(len(raw))
    for byte in range(size):
        out[byte::size] = raw[size - 1 - byte :: size]
    return bytes(out)


def inline_binary(raw: bytes) -> str:
    """Base64 of little-endian words (PS3.18 §F.2.7)."""
    return b64encode(raw).decode("ascii")
