"""Data sets made to hurt a reader. Small to send, and the same ones for every door.

Each generator gives the bytes of a data set (no preamble, no File Meta Information) and says the
transfer syntax it is in; `HOSTILE` lists those that must be refused, whatever carries them.
"""

import random
import struct
import zlib
from collections.abc import Callable, Iterator
from typing import NamedTuple

IMPLICIT_LE = "1.2.840.10008.1.2"
EXPLICIT_LE = "1.2.840.10008.1.2.1"
DEFLATED_LE = "1.2.840.10008.1.2.1.99"
EXPLICIT_BE = "1.2.840.10008.1.2.2"
JPEG_BASELINE = "1.2.840.10008.1.2.4.50"
CT_IMAGE_STORAGE = "1.2.840.10008.5.1.4.1.1.2"
UNDEFINED = 0xFFFFFFFF

_LONG_VRS = {
    b"OB",
    b"OW",
    b"OF",
    b"OD",
    b"OL",
    b"OV",
    b"SQ",
    b"UN",
    b"UT",
    b"UC",
    b"UR",
    b"SV",
    b"UV",
}


def element(tag: int, vr: str, value: bytes, *, length: int | None = None) -> bytes:
    """An explicit VR little endian element; `length` is what the header claims."""
    letters = vr.encode()
    claimed = len(value) if length is None else length
    head = struct.pack("<HH", tag >> 16, tag & 0xFFFF) + letters
    if letters in _LONG_VRS:
        return head + b"\x00\x00" + struct.pack("<I", claimed) + value
    return head + struct.pack("<H", claimed) + value


def implicit(tag: int, value: bytes, *, length: int | None = None) -> bytes:
    """An implicit VR little endian element."""
    claimed = len(value) if length is None else length
    return struct.pack("<HHI", tag >> 16, tag & 0xFFFF, claimed) + value


def item(value: bytes, *, length: int | None = None) -> bytes:
    """An item; of undefined length it gets its delimiter."""
    claimed = len(value) if length is None else length
    end = b"\xfe\xff\x0d\xe0\x00\x00\x00\x00" if claimed == UNDEFINED else b""
    return struct.pack("<HHI", 0xFFFE, 0xE000, claimed) + value + end


SEQUENCE_END = b"\xfe\xff\xdd\xe0\x00\x00\x00\x00"


def pad(text: str | bytes, padding: bytes = b" ") -> bytes:
    """Text made even."""
    raw = text.encode() if isinstance(text, str) else text
    return raw + padding if len(raw) % 2 else raw


def uid(text: str | bytes) -> bytes:
    """A UID made even."""
    return pad(text, b"\x00")


def identity(
    *,
    sop_class: str | bytes = CT_IMAGE_STORAGE,
    sop_instance: str | bytes = "1.2.3.4.1",
    study: str | bytes = "1.2.3.4.2",
    series: str | bytes = "1.2.3.4.3",
    patient_id: str = "HOSTILE",
) -> list[tuple[int, bytes]]:
    """Elements that make an object indexable, by tag."""
    return [
        (0x00080016, element(0x00080016, "UI", uid(sop_class))),
        (0x00080018, element(0x00080018, "UI", uid(sop_instance))),
        (0x00080060, element(0x00080060, "CS", b"CT")),
        (0x00100010, element(0x00100010, "PN", pad("HOSTILE^OBJECT"))),
        (0x00100020, element(0x00100020, "LO", pad(patient_id))),
        (0x0020000D, element(0x0020000D, "UI", uid(study))),
        (0x0020000E, element(0x0020000E, "UI", uid(series))),
    ]


def with_element(tag: int, raw: bytes, **who: str | bytes) -> bytes:
    """The identity with one more element, in its place."""
    rows = [*identity(**who), (tag, raw)]  # type: ignore[arg-type]
    return b"".join(part for _tag, part in sorted(rows, key=lambda row: row[0]))


def nested(depth: int, *, undefined: bool = True) -> bytes:
    """Sequences in one another, in Content Sequence (0040,A730)."""
    if undefined:
        opening = element(0x0040A730, "SQ", b"", length=UNDEFINED) + item(b"", length=UNDEFINED)[:8]
        return with_element(
            0x0040A730, opening * depth + (item(b"", length=UNDEFINED)[8:] + SEQUENCE_END) * depth
        )
    raw = b""
    for _ in range(depth):
        raw = element(0x0040A730, "SQ", item(raw))
    return with_element(0x0040A730, raw)


def many_elements(count: int) -> bytes:
    """Empty elements of ascending private tags."""
    parts = [part for _tag, part in identity()]
    parts.extend(
        struct.pack("<HHHH", 0x0021 + 2 * (i >> 16), i & 0xFFFF, 0x4F4C, 0) for i in range(count)
    )
    return b"".join(parts)


def many_items(count: int) -> bytes:
    """A sequence of one-element items."""
    one = item(element(0x0040A160, "UT", b""))
    return with_element(0x0040A730, element(0x0040A730, "SQ", one * count))


def deflate_bomb(inflated_bytes: int) -> bytes:
    """A deflated data set whose private element inflates to zeros."""
    deflater = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    head = b"".join(part for _tag, part in identity())
    start = deflater.compress(head + element(0x00211001, "OB", b"", length=inflated_bytes))
    start += deflater.flush(zlib.Z_FULL_FLUSH)
    # After a full flush every megabyte of zeros deflates to the same bytes.
    block = deflater.compress(bytes(1 << 20)) + deflater.flush(zlib.Z_FULL_FLUSH)
    return start + block * (inflated_bytes >> 20) + deflater.flush()


def huge_length(claimed: int = 0xFFFFFFFE) -> bytes:
    """One kilobyte that claims four gigabytes."""
    return with_element(0x7FE00010, element(0x7FE00010, "OW", bytes(1024), length=claimed))


def truncated_pixels(*, missing: int = 2) -> bytes:
    """Pixel data that ends before its declared length."""
    return with_element(0x7FE00010, element(0x7FE00010, "OW", bytes(512), length=512 + missing))


def unended_fragments() -> bytes:
    """Encapsulated pixel data without its sequence delimiter; send as JPEG."""
    raw = element(0x7FE00010, "OB", item(b"") + item(b"\xff\xd8\xff\xd9"), length=UNDEFINED)
    return with_element(0x7FE00010, raw)


def lying_item_length() -> bytes:
    """An item longer than its sequence."""
    raw = element(0x00081140, "SQ", item(element(0x00081150, "UI", uid("1.2")), length=5000))
    return with_element(0x00081140, raw)


#: What peers put where a UID belongs.
HOSTILE_UIDS: tuple[bytes, ...] = (
    b"",
    b"../../x",
    b"/etc/passwd",
    b"1.2.3\x004",
    b"1.2.3.abc",
    b"1..2",
    b"1.2." + b"9" * 61,
    b"1.2.3\\1.2.4",
    b"1.2.3'; DROP TABLE instance; --",
    b"%2e%2e%2fx",
    b"1.2.3\n4",
    b"\xff\xfe\xfd",
)


def hostile_uids() -> Iterator[tuple[str, bytes, bytes]]:
    """(which UID, its value, data set): the data set parses, its UIDs must be refused."""
    for name in ("sop_class", "sop_instance", "study", "series"):
        for value in HOSTILE_UIDS:
            rows = identity(**{name: value})  # type: ignore[arg-type]
            yield name, value, b"".join(part for _tag, part in rows)


#: Specific Character Set and Patient's Name that do not go together; stored, shown replaced.
LYING_TEXT: tuple[tuple[bytes, bytes], ...] = (
    (b"ISO_IR 192", b"M\xfcller^J\xf6rg"),
    (b"ISO_IR 100", "Müller".encode()),
    (b"ISO_IR 999", b"M\xfcller"),
    (b"\\ISO 2022 IR 87", b"Yamada\x1b$B\x3b\x33\xff\xff\x1b(B"),
    (b"\\ISO 2022 IR 149", b"\x1b$)C\xff\xff^\x1b"),
    (b"ISO 2022 IR 6\\ISO 2022 IR 87", b"\x1b\x1b\x1b$(Z\x80\x1b"),
    (b"\xff\xfe", b"\x1b$B\x21"),
    (b"GB18030", b"\x81\x30\x81"),
    (b"", b"\x80\x81\xfe\xff"),
)


def lying_text() -> Iterator[bytes]:
    """Explicit VR data sets with each pair of `LYING_TEXT`."""
    for number, (charset, name) in enumerate(LYING_TEXT):
        rows = identity(sop_instance=f"1.2.3.5.{number}")
        rows = [row for row in rows if row[0] != 0x00100010]
        rows.append((0x00080005, element(0x00080005, "CS", pad(charset))))
        rows.append((0x00100010, element(0x00100010, "PN", pad(name))))
        yield b"".join(part for _tag, part in sorted(rows))


class Hostile(NamedTuple):
    """A data set that must be refused."""

    name: str
    transfer_syntax_uid: str
    make: Callable[[], bytes]


#: Refused by any reader of ours within two seconds and 256 MiB.
HOSTILE: tuple[Hostile, ...] = (
    Hostile("nesting of 10,000, undefined lengths", EXPLICIT_LE, lambda: nested(10_000)),
    Hostile(
        "nesting of 1,000, defined lengths", EXPLICIT_LE, lambda: nested(1_000, undefined=False)
    ),
    Hostile("1.1 million elements", EXPLICIT_LE, lambda: many_elements(1_100_000)),
    Hostile("300,000 items", EXPLICIT_LE, lambda: many_items(300_000)),
    Hostile("deflate bomb of 320 MiB", DEFLATED_LE, lambda: deflate_bomb(320 << 20)),
    Hostile("VL of 4 GiB - 2 in 1 KB", EXPLICIT_LE, huge_length),
    Hostile("truncated pixel data", EXPLICIT_LE, truncated_pixels),
    Hostile("fragments without end", JPEG_BASELINE, unended_fragments),
    Hostile("item longer than its sequence", EXPLICIT_LE, lying_item_length),
    Hostile(
        "implicit encoding under an explicit syntax",
        EXPLICIT_LE,
        lambda: implicit(0x00080005, b"ISO_IR 100") + implicit(0x00100020, b"ID"),
    ),
    Hostile(
        "group 0002 in the data set",
        EXPLICIT_LE,
        lambda: element(0x00020010, "UI", uid(EXPLICIT_LE)) + with_element(0x00081030, b""),
    ),
    Hostile(
        "command group in the data set", EXPLICIT_LE, lambda: element(0x00000100, "US", b"\x01\x00")
    ),
    Hostile(
        "undefined length of a text",
        EXPLICIT_LE,
        lambda: with_element(0x00081030, element(0x00081030, "UT", b"abcd", length=UNDEFINED)),
    ),
    Hostile("noise", EXPLICIT_LE, lambda: random.Random(1).randbytes(4096)),
    Hostile("deflated noise", DEFLATED_LE, lambda: random.Random(2).randbytes(4096)),
)
