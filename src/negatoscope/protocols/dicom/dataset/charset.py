"""Text of a data set: Specific Character Set (PS3.3 §C.12.1.1.2, PS3.5 §6.1), in and out.

Decoding never fails. A byte that the declared sets do not know becomes U+FFFD and the decoder
says so in `is_lossy`; text without a declared set that is not ASCII is read as UTF-8 where it is
valid and else as Latin-1, as senders that forget to declare mean it.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

_ESC: Final = 0x1B

#: Python codec by the number in a defined term (PS3.3 Tables C.12-2 to C.12-5).
_CODECS: Final = {
    "6": "ascii",
    "13": "shift_jis",
    "100": "latin-1",
    "101": "iso8859-2",
    "109": "iso8859-3",
    "110": "iso8859-4",
    "126": "iso8859-7",
    "127": "iso8859-6",
    "138": "iso8859-8",
    "144": "iso8859-5",
    "148": "iso8859-9",
    "166": "iso8859-11",
    "192": "utf-8",
    "203": "iso8859-15",
    "58": "gb2312",
    "87": "iso2022_jp",
    "149": "euc_kr",
    "159": "iso2022_jp_2",
}
_NAMED_CODECS: Final = {
    "": "ascii",
    "GB18030": "gb18030",
    "GBK": "gbk",
    "UTF-8": "utf-8",
    "UTF8": "utf-8",
}
_TERM: Final = re.compile(r"ISO[ _-]*(?:2022)?[ _-]*IR[ _-]*([0-9]{1,3})", re.IGNORECASE)

#: Escape sequence after ESC (PS3.3 Table C.12-3, C.12-4): which half it designates and the codec.
_ESCAPES: Final = {
    b"(B": (0, "ascii"),
    b"(J": (0, "shift_jis"),
    b"$B": (0, "iso2022_jp"),
    b"$@": (0, "iso2022_jp"),
    b"$(D": (0, "iso2022_jp_2"),
    b"-A": (1, "latin-1"),
    b"-B": (1, "iso8859-2"),
    b"-C": (1, "iso8859-3"),
    b"-D": (1, "iso8859-4"),
    b"-F": (1, "iso8859-7"),
    b"-G": (1, "iso8859-6"),
    b"-H": (1, "iso8859-8"),
    b"-L": (1, "iso8859-5"),
    b"-M": (1, "iso8859-9"),
    b"-T": (1, "iso8859-11"),
    b"-b": (1, "iso8859-15"),
    b")I": (1, "shift_jis"),
    b"$)A": (1, "gb2312"),
    b"$)C": (1, "euc_kr"),
}
_DOUBLE_BYTE_G0: Final = {"iso2022_jp": b"\x1b$B", "iso2022_jp_2": b"\x1b$(D"}
#: Codecs whose characters ASCII bytes may be part of: text is split only once decoded.
_WHOLE: Final = {"utf-8", "gb18030", "gbk"}

#: What a term is encoded with: the escape that announces it in `ISO 2022` form.
_ESCAPE_OF: Final = {
    "ascii": b"\x1b(B",
    "latin-1": b"\x1b-A",
    "iso8859-2": b"\x1b-B",
    "iso8859-3": b"\x1b-C",
    "iso8859-4": b"\x1b-D",
    "iso8859-5": b"\x1b-L",
    "iso8859-6": b"\x1b-G",
    "iso8859-7": b"\x1b-F",
    "iso8859-8": b"\x1b-H",
    "iso8859-9": b"\x1b-M",
    "iso8859-11": b"\x1b-T",
    "iso8859-15": b"\x1b-b",
    "gb2312": b"\x1b$)A",
    "euc_kr": b"\x1b$)C",
    "shift_jis": b"\x1b)I",
}
_FOREIGN_ESCAPES: Final = (b"\x1b$A", b"\x1b$(C", b"\x1b.", b"\x1bN")
_DELIMITERS: Final = re.compile(r"([\\\r\n\f\t])")
_PN_DELIMITERS: Final = re.compile(r"([\\\r\n\f\t^=])")


def codec_for(term: str) -> str | None:
    """Python codec of a defined term, tolerant of its usual misspellings; None when unknown."""
    term = term.strip()
    if (named := _NAMED_CODECS.get(term.upper())) is not None:
        return named
    match = _TERM.fullmatch(term)
    return _CODECS.get(match[1]) if match is not None else None


class TextDecoder:
    """Decodes the text values of one data set (or item) under its Specific Character Set.

    Args:
        terms: Values of (0008,0005), possibly none.

    Attributes:
        terms: The same.
        is_lossy: Set when a byte had to be replaced or guessed.
        is_unknown: A declared term is not one of the standard.
    """

    __slots__ = ("_codec", "_g0", "_g1", "_is_declared", "is_lossy", "is_unknown", "terms")

    def __init__(self, terms: Sequence[str] = ()) -> None:
        self.terms = tuple(terms)
        codecs = [codec_for(term) for term in terms]
        self.is_unknown = None in codecs
        self.is_lossy = False
        self._is_declared = any(term.strip() for term in terms)
        first = (codecs[0] if codecs else "ascii") or "ascii"
        self._codec = first
        # A multi-byte set may only come by an escape: the first value is then ASCII.
        initial = "ascii" if first in _DOUBLE_BYTE_G0 or first in {"gb2312", "euc_kr"} else first
        self._g0 = "shift_jis" if initial == "shift_jis" else "ascii"
        self._g1 = initial

    def decode(self, raw: bytes, *, is_person_name: bool = False) -> str:
        """Text of a value, its padding still on; never fails."""
        if raw.isascii() and _ESC not in raw:
            return raw.decode("ascii")
        if _ESC in raw and self._codec not in _WHOLE:
            return self._decode_iso_2022(raw, is_person_name=is_person_name)
        return self._decode_half(raw, self._g1)

    def _decode_half(self, raw: bytes, codec: str) -> str:
        try:
            return raw.decode(codec)
        except UnicodeDecodeError:
            self.is_lossy = True
        if not self._is_declared:
            try:
                return raw.decode("utf-8")
            except UnicodeDecodeError:
                return raw.decode("latin-1")
        return raw.decode(codec, "replace")

    def _decode_iso_2022(self, raw: bytes, *, is_person_name: bool) -> str:
        """Code extension (PS3.5 §6.1.2.5): the halves change at escapes, and change back at
        delimiters (§6.1.2.5.3)."""
        parts: list[str] = []
        g0, g1 = self._g0, self._g1
        delimiters = b"\\\r\n\f\t^=" if is_person_name else b"\\\r\n\f\t"
        position = 0
        while position < len(raw):
            if raw[position] == _ESC:
                for length in (2, 3):
                    designation = _ESCAPES.get(raw[position + 1 : position + 1 + length])
                    if designation is not None:
                        half, codec = designation
                        g0, g1 = (codec, g1) if half == 0 else (g0, codec)
                        position += 1 + length
                        break
                else:
                    self.is_lossy = True
                    parts.append("\N{REPLACEMENT CHARACTER}")
                    position += 1
                continue
            stop = raw.find(b"\x1b", position)
            stop = len(raw) if stop < 0 else stop
            if g0 in _DOUBLE_BYTE_G0:
                try:
                    parts.append((_DOUBLE_BYTE_G0[g0] + raw[position:stop]).decode(g0))
                except UnicodeDecodeError:
                    self.is_lossy = True
                    # What the set does not know may be ASCII that was not announced.
                    parts.append(raw[position:stop].decode("ascii", "replace"))
                position = stop
                continue
            end = position
            while end < stop and raw[end] not in delimiters:
                end += 1
            if end > position:
                parts.append(self._decode_half(raw[position:end], g1 if g1 != "ascii" else g0))
                position = end
            if position < stop:
                parts.append(chr(raw[position]))
                position += 1
                g0, g1 = self._g0, self._g1
        return "".join(parts)


class TextEncoder:
    """Encodes text under given terms; says in `None` what they cannot hold.

    Args:
        terms: Values of Specific Character Set; the first without code extension when alone.
    """

    __slots__ = ("_extensions", "_first", "terms")

    def __init__(self, terms: Sequence[str] = ()) -> None:
        self.terms = tuple(terms)
        codecs = [codec_for(term) for term in terms] or ["ascii"]
        first = codecs[0] or "ascii"
        self._first = "ascii" if first in _DOUBLE_BYTE_G0 else first
        self._extensions = [codec for codec in codecs if codec is not None and codec != "ascii"]
        if len(codecs) == 1 and first not in _DOUBLE_BYTE_G0:
            self._extensions = []

    def encode(self, text: str, *, is_person_name: bool = False) -> bytes | None:
        """The bytes, or None when a character has no place in the declared sets."""
        if text.isascii():
            return text.encode("ascii")
        raw = _encoded(self._first, text)
        if raw is not None or not self._extensions or self._first in _WHOLE:
            return raw
        delimiters = _PN_DELIMITERS if is_person_name else _DELIMITERS
        parts = [self._encode_run(run) for run in delimiters.split(text)]
        return None if None in parts else b"".join(part for part in parts if part is not None)

    def _encode_run(self, text: str) -> bytes | None:
        """Text between delimiters: stretches of characters, each in the first set that knows it."""
        if text.isascii():
            return text.encode("ascii")
        parts: list[bytes] = []
        designated = self._first
        position = 0
        while position < len(text):
            for codec in (self._first, *self._extensions):
                end = position
                while end < len(text) and _holds(codec, text[end]):
                    end += 1
                if end > position:
                    break
            else:
                return None
            raw = _encoded(codec, text[position:end]) or b""
            # The two Japanese codecs write their own escapes and return to ASCII at the end.
            if codec not in _DOUBLE_BYTE_G0 and codec != designated and not raw.isascii():
                raw = _ESCAPE_OF[codec] + raw
                designated = codec
            parts.append(raw)
            position = end
        return b"".join(parts)


@lru_cache(maxsize=4096)
def _holds(codec: str, character: str) -> bool:
    return _encoded(codec, character) is not None


def _encoded(codec: str, text: str) -> bytes | None:
    """Text in one set, None where Python's codec knows it but the set does not.

    ISO_IR 13 is JIS X 0201 alone, and of ISO-2022-JP-2 only JIS X 0208 and 0212 are DICOM's.
    """
    try:
        raw = text.encode(codec)
    except UnicodeEncodeError:
        return None
    if codec == "shift_jis" and len(raw) != len(text):
        return None
    if codec == "iso2022_jp_2" and any(escape in raw for escape in _FOREIGN_ESCAPES):
        return None
    return raw


@lru_cache(maxsize=256)
def parse_terms(raw: bytes) -> tuple[str, ...]:
    """Values of (0008,0005) as sent."""
    text = raw.decode("ascii", "replace").rstrip("\x00 ")
    return tuple(term.strip() for term in text.split("\\")) if text else ()
