"""DICOM JSON (PS3.18 Annex F) to data sets (PS3.5), in any transfer syntax without pixel data.

Tags ascend, values are even, sequences and items have defined lengths, group lengths are left
out. Text is written in the character sets asked for, and in ISO_IR 192 when they cannot hold it.
"""

import binascii
import zlib
from base64 import b64decode
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from struct import Struct, error, pack
from typing import Any, Final

from negatoscope.protocols.dicom.dataset.charset import TextEncoder
from negatoscope.protocols.dicom.dataset.errors import NestingTooDeep, NotEncodable
from negatoscope.protocols.dicom.dataset.limits import DEFAULT_LIMITS
from negatoscope.protocols.dicom.dataset.values import NOT_FINITE_TEXTS, swapped
from negatoscope.protocols.dicom.dataset.vr import (
    BINARY_VRS,
    CHARSET_VRS,
    LONG_VRS,
    NUMBERS,
    SHORT_VRS,
    SINGLE_TEXT_VRS,
)
from negatoscope.standard.tags import SPECIFIC_CHARACTER_SET, vr_for
from negatoscope.standard.transfer_syntaxes import transfer_syntax

BulkData = Callable[[str], bytes]

UNICODE: Final = ("ISO_IR 192",)
_MAX_SHORT_LENGTH: Final = 0xFFFE
_MAX_LONG_LENGTH: Final = 0xFFFFFFFE
_MAX_DS_CHARACTERS: Final = 16
_FORBIDDEN_GROUPS: Final = frozenset({0x0000, 0x0001, 0x0002, 0x0003, 0x0005, 0x0007, 0xFFFE})
_GROUPS: Final = ("Alphabetic", "Ideographic", "Phonetic")


class _NeedsUnicode(Exception):
    """A character has no place in the declared sets."""


class _Encoder:
    """One pass under one choice of character sets."""

    def __init__(
        self,
        *,
        implicit: bool,
        little_endian: bool,
        terms: Sequence[str],
        keep_item_charsets: bool,
        bulk_data: BulkData | None,
    ) -> None:
        self._implicit = implicit
        self._order = "<" if little_endian else ">"
        self._text = TextEncoder(terms)
        self._keep_item_charsets = keep_item_charsets
        self._bulk_data = bulk_data
        self._implicit_head = Struct(self._order + "HHI").pack
        self._short_head = Struct(self._order + "HH2sH").pack
        self._long_head = Struct(self._order + "HH2s2xI").pack

    def data_set(self, attributes: Mapping[str, Any], depth: int = 0) -> bytes:
        """Elements in ascending order."""
        if depth > DEFAULT_LIMITS.depth:
            raise NestingTooDeep(f"more than {DEFAULT_LIMITS.depth} sequences in one another")
        around = self._text
        if depth and self._keep_item_charsets and (terms := _declared(attributes)):
            self._text = TextEncoder(terms)
        rows = []
        for key, attribute in attributes.items():
            tag = _tag(key)
            if tag == SPECIFIC_CHARACTER_SET and depth and not self._keep_item_charsets:
                continue
            if tag & 0xFFFF:
                rows.append((tag, attribute))
        rows.sort(key=lambda row: row[0])
        raw = b"".join([self._element(tag, attribute, depth) for tag, attribute in rows])
        self._text = around
        return raw

    def _element(self, tag: int, attribute: Any, depth: int) -> bytes:
        if not isinstance(attribute, Mapping):
            raise NotEncodable("an attribute is not an object", tag=tag)
        vr = attribute.get("vr") or vr_for(tag)
        if not isinstance(vr, str) or (vr not in SHORT_VRS and vr not in LONG_VRS):
            raise NotEncodable("the value representation is not of the standard", tag=tag)
        try:
            value = self._value(tag, vr, attribute, depth)
        except (
            ArithmeticError, AttributeError, KeyError, TypeError, ValueError, binascii.Error, error,
        ) as caught:  # fmt: skip
            raise NotEncodable(f"the value is not one of {vr}", tag=tag) from caught
        if len(value) & 1:
            value += b"\x00" if vr == "UI" or vr in BINARY_VRS else b" "
        length = len(value)
        group, number = tag >> 16, tag & 0xFFFF
        if length > _MAX_LONG_LENGTH:
            raise NotEncodable("the value is too long", tag=tag)
        if self._implicit:
            return self._implicit_head(group, number, length) + value
        if vr in LONG_VRS:
            return self._long_head(group, number, vr.encode(), length) + value
        if length > _MAX_SHORT_LENGTH:
            # PS3.5 §6.2.2: what a 16-bit length cannot say goes as UN.
            return self._long_head(group, number, b"UN", length) + value
        return self._short_head(group, number, vr.encode(), length) + value

    def _value(self, tag: int, vr: str, attribute: Mapping[str, Any], depth: int) -> bytes:
        if "InlineBinary" in attribute or "BulkDataURI" in attribute:
            return self._binary(tag, vr, attribute)
        values = attribute.get("Value")
        if not values:
            return b""
        if not isinstance(values, list):
            raise NotEncodable("Value is not an array", tag=tag)
        if vr == "SQ":
            parts = []
            for item in values:
                raw = self.data_set(item or {}, depth + 1)
                parts.append(self._implicit_head(0xFFFE, 0xE000, len(raw)) + raw)
            return b"".join(parts)
        if vr in NUMBERS:
            _size, letter = NUMBERS[vr]
            convert = _real if letter in "fd" else _integer
            numbers = [convert(value) for value in values]
            return pack(f"{self._order}{len(numbers)}{letter}", *numbers)
        if vr == "AT":
            tags = [_tag(value) for value in values]
            words = [word for one in tags for word in (one >> 16, one & 0xFFFF)]
            return pack(f"{self._order}{len(words)}H", *words)
        if vr == "PN":
            return self._encoded("\\".join(map(_person_name, values)), is_person_name=True)
        if vr in BINARY_VRS:
            raise NotEncodable("a binary value is neither InlineBinary nor BulkDataURI", tag=tag)
        if vr in SINGLE_TEXT_VRS and len(values) > 1:
            raise NotEncodable("this value representation has one value", tag=tag)
        if vr == "DS":
            return "\\".join(map(_decimal, values)).encode("ascii")
        if vr == "IS":
            return "\\".join([_whole(value) for value in values]).encode("ascii")
        text = "\\".join(["" if value is None else _string(value) for value in values])
        if vr in CHARSET_VRS:
            return self._encoded(text)
        return text.encode("ascii")

    def _encoded(self, text: str, *, is_person_name: bool = False) -> bytes:
        raw = self._text.encode(text, is_person_name=is_person_name)
        if raw is None:
            raise _NeedsUnicode
        return raw

    def _binary(self, tag: int, vr: str, attribute: Mapping[str, Any]) -> bytes:
        if "InlineBinary" in attribute:
            value = attribute["InlineBinary"]
            if isinstance(value, list):
                value = value[0] if value else ""
            raw = b64decode(value, validate=True)
        elif self._bulk_data is not None:
            raw = self._bulk_data(attribute["BulkDataURI"])
        else:
            raise NotEncodable("bulk data is elsewhere", tag=tag)
        if vr not in BINARY_VRS and vr not in NUMBERS:
            return raw
        return raw if self._order == "<" else swapped(raw, vr)


def _tag(key: Any) -> int:
    if not isinstance(key, str) or len(key) != 8:
        raise NotEncodable("a key is not eight hexadecimal digits")
    return _parsed_tag(key)


@lru_cache(maxsize=8192)
def _parsed_tag(key: str) -> int:
    try:
        return int.from_bytes(bytes.fromhex(key), "big")
    except ValueError as error_:
        raise NotEncodable("a key is not eight hexadecimal digits") from error_


def _string(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return repr(value)
    raise TypeError(type(value))


def _person_name(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return "=".join([str(value.get(group) or "") for group in _GROUPS]).rstrip("=")


def _integer(value: Any) -> int:
    if isinstance(value, bool) or (isinstance(value, float) and not value.is_integer()):
        raise TypeError(type(value))
    return int(value)


def _real(value: Any) -> float:
    if isinstance(value, str):
        return NOT_FINITE_TEXTS[value] if value in NOT_FINITE_TEXTS else float(value)
    if isinstance(value, bool) or value is None:
        raise TypeError(type(value))
    return float(value)


def _whole(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else str(_integer(value))


def _decimal(value: Any) -> str:
    """A decimal of at most sixteen characters (PS3.5 §6.2), the nearest that fits."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    text = str(value) if isinstance(value, int) else repr(float(value)).removesuffix(".0")
    if isinstance(value, bool) or text in {"nan", "inf", "-inf"}:
        raise TypeError(type(value))
    digits = _MAX_DS_CHARACTERS
    while len(text) > _MAX_DS_CHARACTERS:
        text = f"{value:.{digits}g}"
        digits -= 1
    return text


def _declared(attributes: Mapping[str, Any]) -> tuple[str, ...]:
    attribute = attributes.get("00080005")
    values = attribute.get("Value") if isinstance(attribute, Mapping) else None
    if not isinstance(values, list):
        return ()
    return tuple(value if isinstance(value, str) else "" for value in values)


def encode(
    attributes: Mapping[str, Any],
    transfer_syntax_uid: str,
    *,
    charset: str | Sequence[str] | None = None,
    bulk_data: BulkData | None = None,
) -> bytes:
    """A data set from the DICOM JSON model.

    Args:
        attributes: `{"00100010": {"vr": "PN", "Value": [{"Alphabetic": "A^B"}]}, …}`; `vr` may be
            left out of attributes that the dictionary knows.
        transfer_syntax_uid: Of the result; an encapsulated syntax gives explicit VR little endian.
        charset: Values of Specific Character Set to write text in; those of `attributes` when
            None. ISO_IR 192 takes their place when a character has none in them.
        bulk_data: Fetches what a BulkDataURI names.

    Raises:
        NotEncodable: a value does not fit its representation, or bulk data cannot be had.
        NestingTooDeep: sequences in one another beyond any use.
    """
    syntax = transfer_syntax(transfer_syntax_uid)
    terms = _declared(attributes)
    if charset is not None:
        terms = (charset,) if isinstance(charset, str) else tuple(charset)
    for key in attributes:
        if _tag(key) >> 16 in _FORBIDDEN_GROUPS:
            raise NotEncodable("a data set holds no element of this group", tag=_tag(key))
    for attempt in (terms, UNICODE):
        encoder = _Encoder(
            implicit=syntax.is_implicit_vr,
            little_endian=syntax.is_little_endian,
            terms=attempt,
            keep_item_charsets=charset is None and attempt is terms,
            bulk_data=bulk_data,
        )
        declared: Mapping[str, Any] = attributes
        if attempt:
            declared = {**attributes, "00080005": {"vr": "CS", "Value": list(attempt)}}
        try:
            raw = encoder.data_set(declared)
        except _NeedsUnicode:
            continue
        if syntax.is_deflated:
            deflater = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
            raw = deflater.compress(raw) + deflater.flush()
            raw += b"\x00" * (len(raw) & 1)
        return raw
    raise NotEncodable("text holds a character that Unicode does not encode")
