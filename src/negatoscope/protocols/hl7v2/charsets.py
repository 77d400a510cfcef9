"""Character sets: what MSH-18 says and what the bytes say (HL7 table 0211, v2.5.1 §2.15.9.18).

Senders declare ISO 8859-1 and send UTF-8, or the reverse. Bytes that are valid UTF-8 beyond ASCII
are UTF-8 whatever was declared: text of a single-byte set almost never is. Single-byte text that
was declared as UTF-8 is read as Windows-1252, which is ISO 8859-1 where both print.
"""

from dataclasses import dataclass
from typing import Final

from negatoscope.protocols.hl7v2.errors import UnencodableText, UnknownCharacterSet

CODECS: Final = {
    "": "ascii",
    "ASCII": "ascii",
    "ISO IR6": "ascii",
    "8859/1": "iso8859-1",
    "8859/2": "iso8859-2",
    "8859/3": "iso8859-3",
    "8859/4": "iso8859-4",
    "8859/5": "iso8859-5",
    "8859/6": "iso8859-6",
    "8859/7": "iso8859-7",
    "8859/8": "iso8859-8",
    "8859/9": "iso8859-9",
    "8859/15": "iso8859-15",
    "GB 18030-2000": "gb18030",
    "KS X 1001": "euc_kr",
    "BIG-5": "big5",
    "UNICODE": "utf-8",
    "UNICODE UTF-8": "utf-8",
    "UNICODE UTF-16": "utf-16-be",
    "UNICODE UTF-32": "utf-32-be",
}
"""Value of MSH-18 to Python's name. ISO IR14, IR87, IR159, CNS 11643 are stateful and not taken."""

_ALIASES: Final = {
    "UTF-8": "UNICODE UTF-8",
    "UTF8": "UNICODE UTF-8",
    "UNICODE UTF8": "UNICODE UTF-8",
    "ISO8859/1": "8859/1",
    "ISO-8859-1": "8859/1",
    "ISO8859-1": "8859/1",
    "8859-1": "8859/1",
    "ISO-8859-15": "8859/15",
    "ISO8859-15": "8859/15",
    "8859-15": "8859/15",
    "ISO_IR 100": "8859/1",
    "ISO_IR 192": "UNICODE UTF-8",
}
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """A message's text.

    Attributes:
        text: Whole message.
        codec: Python's name of the character set that was used.
        is_as_declared: Whether MSH-18 told the truth.
        is_damaged: Whether some bytes fit no reading; they became U+FFFD.
    """

    text: str
    codec: str
    is_as_declared: bool
    is_damaged: bool


def codec_of(declared: str) -> str | None:
    """Python's name of an MSH-18 value; None for one that is not taken.

    Args:
        declared: The first repetition counts; case and spaces are forgiven.
    """
    name = declared.split("~", 1)[0].strip().upper()
    return CODECS.get(_ALIASES.get(name, name))


def decode(data: bytes) -> Decoded:
    """The text of a message's bytes, by its own MSH-18 and by what the bytes are.

    Args:
        data: From ``MSH`` on; a byte order mark is forgiven.
    """
    data = data.removeprefix(_BYTE_ORDER_MARK)
    if data[:4] in {b"\x00M\x00S", b"\xfe\xff\x00M"}:
        text = (
            data.decode("utf-16", "replace")
            if data[0] == 0xFE
            else data.decode("utf-16-be", "replace")
        )
        return Decoded(text=text, codec="utf-16-be", is_as_declared=True, is_damaged="�" in text)
    declared = _declared(data)
    codec = codec_of(declared)
    if data.isascii():
        return Decoded(
            text=data.decode("ascii"),
            codec=codec or "ascii",
            is_as_declared=codec is not None,
            is_damaged=False,
        )
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        pass
    else:
        return Decoded(text=text, codec="utf-8", is_as_declared=codec == "utf-8", is_damaged=False)
    if codec is not None and codec not in {"ascii", "utf-8"}:
        try:
            text = data.decode(codec)
        except UnicodeDecodeError:
            pass
        else:
            return Decoded(text=text, codec=codec, is_as_declared=True, is_damaged=False)
    text = data.decode("cp1252", "replace")
    return Decoded(text=text, codec="cp1252", is_as_declared=False, is_damaged="�" in text)


def encode(text: str, character_set: str) -> bytes:
    """Bytes in the character set that the message's MSH-18 names.

    Raises:
        UnknownCharacterSet: it names none that is written.
        UnencodableText: a character has no code there; nothing is replaced silently.
    """
    codec = codec_of(character_set)
    if codec is None:
        raise UnknownCharacterSet("this character set is not written", segment="MSH", field=18)
    try:
        return text.encode(codec)
    except UnicodeEncodeError as error:
        raise UnencodableText(
            f"U+{ord(text[error.start]):04X} has no code in {character_set or 'ASCII'}",
            segment="MSH",
            field=18,
        ) from None


def _declared(data: bytes) -> str:
    """MSH-18 of bytes that are not decoded yet: header fields are ASCII."""
    if len(data) < 8:
        return ""
    end = min((at for at in (data.find(b"\r"), data.find(b"\n")) if at >= 0), default=len(data))
    fields = data[: min(end, 65_536)].split(data[3:4])
    return fields[17].decode("latin-1") if len(fields) > 17 else ""
