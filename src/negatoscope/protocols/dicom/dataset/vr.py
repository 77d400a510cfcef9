"""Value representations of PS3.5 §6.2 as readers and writers need them."""

from typing import Final

#: 16-bit length in explicit VR (PS3.5 Table 7.1-2).
SHORT_VRS: Final = frozenset(
    [
        "AE",
        "AS",
        "AT",
        "CS",
        "DA",
        "DS",
        "DT",
        "FD",
        "FL",
        "IS",
        "LO",
        "LT",
        "PN",
        "SH",
        "SL",
        "SS",
        "ST",
        "TM",
        "UI",
        "UL",
        "US",
    ]
)
#: Two reserved bytes and a 32-bit length (PS3.5 Table 7.1-1).
LONG_VRS: Final = frozenset(
    ["OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"]
)
VRS: Final = SHORT_VRS | LONG_VRS

#: Kind of an explicit VR header.
SHORT: Final = 8
LONG: Final = 12
SEQUENCE: Final = 13
UNKNOWN: Final = 14


def header_kinds(*, little_endian: bool) -> dict[int, int]:
    """Kind of header by the VR's two letters read as a 16-bit number."""
    order = "little" if little_endian else "big"
    kinds = {}
    for vr in VRS:
        kind = SHORT if vr in SHORT_VRS else {"SQ": SEQUENCE, "UN": UNKNOWN}.get(vr, LONG)
        kinds[int.from_bytes(vr.encode(), order)] = kind  # type: ignore[arg-type]
    return kinds


#: Text decoded by Specific Character Set (PS3.5 §6.1.2.2).
CHARSET_VRS: Final = frozenset(["LO", "LT", "PN", "SH", "ST", "UC", "UT"])
#: Text of the default repertoire.
ASCII_VRS: Final = frozenset(["AE", "AS", "CS", "DA", "DS", "DT", "IS", "TM", "UI", "UR"])
TEXT_VRS: Final = CHARSET_VRS | ASCII_VRS
#: Text in which a backslash is a character and not a separator.
SINGLE_TEXT_VRS: Final = frozenset(["LT", "ST", "UR", "UT"])
#: Bytes per number, and the `struct` letter.
NUMBERS: Final = {
    "FD": (8, "d"),
    "FL": (4, "f"),
    "SL": (4, "i"),
    "SS": (2, "h"),
    "SV": (8, "q"),
    "UL": (4, "I"),
    "US": (2, "H"),
    "UV": (8, "Q"),
}
#: Streams of bytes or words: InlineBinary or BulkDataURI in DICOM JSON (PS3.18 §F.2.2).
BINARY_VRS: Final = frozenset(["OB", "OD", "OF", "OL", "OV", "OW", "UN"])
#: Bytes per word, to swap between byte orders.
WORD_BYTES: Final = {"OB": 1, "UN": 1, "OW": 2, "OF": 4, "OL": 4, "OD": 8, "OV": 8}
#: Values that go by URI when they are long: streams, numbers, and text of any length.
LONG_TEXT_VRS: Final = frozenset(["LT", "ST", "UC", "UT"])
BULK_VRS: Final = BINARY_VRS | frozenset(NUMBERS) | LONG_TEXT_VRS
