"""Data sets to DICOM JSON (PS3.18 Annex F), bounded like the scan.

The whole header is in memory; sequences are followed by recursion no deeper than
`ScanLimits.depth`. Pixel data, and other binary values beyond a threshold, are named by a URI
that the caller makes of their path: `00400555/1/0040A30A` is tag, item (from 1), tag, and so on.
"""

from collections.abc import Callable, Container, Sequence
from typing import Any, Final

from negatoscope.protocols.dicom.dataset.charset import TextDecoder, parse_terms
from negatoscope.protocols.dicom.dataset.errors import (
    BadElement,
    DataSetError,
    TruncatedDataSet,
)
from negatoscope.protocols.dicom.dataset.inflate import inflate
from negatoscope.protocols.dicom.dataset.limits import DECODE_LIMITS, UNDEFINED_LENGTH, ScanLimits
from negatoscope.protocols.dicom.dataset.reader import (
    ITEM_END,
    ITEM_TAG,
    SEQUENCE_END,
    ElementReader,
)
from negatoscope.protocols.dicom.dataset.values import (
    BIG_ENDIAN_CONVERTERS,
    LITTLE_ENDIAN_CONVERTERS,
    inline_binary,
    swapped,
)
from negatoscope.protocols.dicom.dataset.vr import BINARY_VRS, LONG_TEXT_VRS, NUMBERS
from negatoscope.standard.tags import (
    PIXEL_DATA,
    PIXEL_REPRESENTATION,
    SPECIFIC_CHARACTER_SET,
    dictionary_vr,
    vr_for,
)
from negatoscope.standard.transfer_syntaxes import TransferSyntax, transfer_syntax

DicomJson = dict[str, Any]
BulkUri = Callable[[str], str]

#: Binary values up to this length are written inline when a caller names no other.
DEFAULT_BULK_THRESHOLD_BYTES: Final = 1024
#: Text beyond this goes by its URI where a caller makes URIs.
TEXT_BULK_BYTES: Final = 64 << 10
_FIRST_INFLATED_BYTES: Final = 1 << 20
_TRAILING_PADDING: Final = 0xFFFCFFFC
_GROUP_7FE0: Final = 0x7FE00000
_PIXEL_TAGS: Final = frozenset({0x7FE00008, 0x7FE00009, PIXEL_DATA})
_keys: dict[int, str] = {}


def key_of(tag: int) -> str:
    """Eight hexadecimal digits, remembered for the attributes that come again and again."""
    key = _keys.get(tag)
    if key is None:
        key = f"{tag:08X}"
        if len(_keys) < 20_000:
            _keys[tag] = key
    return key


class _Complete(Exception):
    """Pixel data reached: the header is read."""


class Decoder(ElementReader):
    """One pass over one data set."""

    def __init__(
        self,
        data: bytes | bytearray | memoryview,
        syntax: TransferSyntax,
        *,
        stop_before_pixels: bool,
        bulk_threshold: int,
        bulk_uri: BulkUri | None,
        limits: ScanLimits,
        elided: Container[int] = (),
    ) -> None:
        super().__init__(data, syntax, limits)
        self._elided = elided
        self._stop_before_pixels = stop_before_pixels
        self._bulk_threshold = bulk_threshold
        self._bulk_uri = bulk_uri
        self._is_little_endian = syntax.is_little_endian
        self._converters = (
            LITTLE_ENDIAN_CONVERTERS if syntax.is_little_endian else BIG_ENDIAN_CONVERTERS
        )

    def data_set(
        self,
        pos: int,
        end: int,
        *,
        implicit: bool,
        text: TextDecoder,
        signed: bool,
        path: str = "",
        depth: int = 0,
        delimited: bool = False,
    ) -> tuple[DicomJson, int]:
        """Elements from `pos` to `end`, or to an item delimiter when `delimited`.

        Returns: the attributes and the offset after them.
        """
        data = self.data
        out: DicomJson = {}
        while pos < end:
            if pos + 8 > end and not depth and not any(data[pos:end]):
                break
            tag, vr, start, length = self.header(pos, end, implicit=implicit)
            if tag == ITEM_END:
                if not depth or not (delimited or start == end):
                    raise BadElement("a delimiter out of place", offset=pos, tag=tag)
                return out, start
            if not depth and start in self._elided:
                if self._bulk_uri is not None:
                    key = key_of(tag)
                    vr = vr or self._implicit_vr(tag, signed=signed)
                    out[key] = {"vr": vr, "BulkDataURI": self._bulk_uri(key)}
                pos = start
                continue
            if not vr:
                vr = self._implicit_vr(tag, signed=signed)
            elif vr == "UN" and (dictionary := dictionary_vr(tag)) not in {None, "UN"}:
                vr = vr_for(tag) if dictionary is not None else vr
                if vr == "SQ":
                    vr = "UN" if length != UNDEFINED_LENGTH else "SQ"
                    out[key_of(tag)], pos = self.unknown_sequence(
                        tag, start, length, end, text=text, signed=signed, path=path, depth=depth
                    )
                    continue
                if length == UNDEFINED_LENGTH:
                    vr = "UN"
            if (
                not depth
                and tag >= _GROUP_7FE0
                and self._stop_before_pixels
                and (tag >> 16 == 0x7FE0)
            ):
                if tag in _PIXEL_TAGS:
                    if self._bulk_uri is not None:
                        key = key_of(tag)
                        out[key] = {"vr": vr, "BulkDataURI": self._bulk_uri(key)}
                    break
                if length == UNDEFINED_LENGTH:
                    raise BadElement("undefined length of what is no sequence", offset=pos, tag=tag)
                pos = start + length
                continue
            key = key_of(tag)
            if vr == "SQ" or length == UNDEFINED_LENGTH:
                if tag == PIXEL_DATA and not implicit:
                    pos = self.end_of_fragments(start, end)
                    if self._bulk_uri is not None:
                        out[key] = {"vr": vr, "BulkDataURI": self._bulk_uri(path + key)}
                    continue
                if vr not in {"SQ", "UN"}:
                    raise BadElement("undefined length of what is no sequence", offset=pos, tag=tag)
                items, pos = self.sequence(
                    start,
                    length,
                    end,
                    implicit=implicit or vr == "UN",
                    text=text,
                    signed=signed,
                    path=path + key,
                    depth=depth,
                )
                out[key] = {"vr": "SQ", "Value": items} if items else {"vr": "SQ"}
                continue
            after = start + length
            if after > end:
                if not depth and self._stop_before_pixels and self._is_bulk(tag, vr, length):
                    out[key] = {"vr": vr, "BulkDataURI": self._bulk_uri(key)}  # type: ignore[misc]
                    break
                raise TruncatedDataSet(
                    f"the value has {end - start} of {length} bytes", offset=pos, tag=tag
                )
            pos = after
            if not tag & 0xFFFF or tag == _TRAILING_PADDING:
                continue
            if tag == SPECIFIC_CHARACTER_SET:
                text = TextDecoder(parse_terms(bytes(data[start:after])))
            elif tag == PIXEL_REPRESENTATION:
                signed = bytes(data[start:after]) in {b"\x01\x00", b"\x00\x01"}
            if length == 0:
                out[key] = {"vr": vr}
            elif self._is_bulk(tag, vr, length):
                out[key] = {"vr": vr, "BulkDataURI": self._bulk_uri(path + key)}  # type: ignore[misc]
            else:
                out[key] = self.element(vr, bytes(data[start:after]), text)
        else:
            if delimited:
                raise TruncatedDataSet("an item has no end", offset=pos)
        return out, pos

    def _implicit_vr(self, tag: int, *, signed: bool) -> str:
        if signed and (dictionary_vr(tag) or "").startswith("US or SS"):
            return "SS"
        return vr_for(tag)

    def _is_bulk(self, tag: int, vr: str, length: int) -> bool:
        if self._bulk_uri is None:
            return False
        if tag in _PIXEL_TAGS:
            return True
        if vr in LONG_TEXT_VRS:
            return length > TEXT_BULK_BYTES
        return length > self._bulk_threshold and (vr in BINARY_VRS or vr in NUMBERS)

    def element(self, vr: str, raw: bytes, text: TextDecoder) -> DicomJson:
        """A value that is no sequence and goes inline."""
        convert = self._converters.get(vr)
        if convert is None:
            if not self._is_little_endian:
                raw = swapped(raw, vr)
            return {"vr": vr, "InlineBinary": inline_binary(raw)}
        value = convert(raw, text)
        return {"vr": vr, "Value": value} if value else {"vr": vr}

    def unknown_sequence(
        self,
        tag: int,
        start: int,
        length: int,
        end: int,
        *,
        text: TextDecoder,
        signed: bool,
        path: str,
        depth: int,
    ) -> tuple[DicomJson, int]:
        """A sequence sent as UN: implicit VR little endian inside (PS3.5 §6.2.2 note 2)."""
        if length != UNDEFINED_LENGTH and start + length > end:
            raise TruncatedDataSet(
                f"the value has {end - start} of {length} bytes", offset=start, tag=tag
            )
        try:
            items, pos = self.sequence(
                start,
                length,
                end,
                implicit=True,
                text=text,
                signed=signed,
                path=path + key_of(tag),
                depth=depth,
            )
        except (BadElement, TruncatedDataSet):
            if length == UNDEFINED_LENGTH:
                raise
            if self._is_bulk(tag, "UN", length):
                uri = self._bulk_uri(path + key_of(tag))  # type: ignore[misc]
                return {"vr": "UN", "BulkDataURI": uri}, start + length
            raw = bytes(self.data[start : start + length])
            return {"vr": "UN", "InlineBinary": inline_binary(raw)}, start + length
        return ({"vr": "SQ", "Value": items} if items else {"vr": "SQ"}), pos

    def sequence(
        self,
        pos: int,
        length: int,
        end: int,
        *,
        implicit: bool,
        text: TextDecoder,
        signed: bool,
        path: str,
        depth: int,
    ) -> tuple[list[DicomJson], int]:
        """Items of a sequence whose value begins at `pos`, and the offset after it."""
        self.enter(pos, depth)
        delimited = length == UNDEFINED_LENGTH
        stop = end if delimited else pos + length
        if stop > end:
            raise TruncatedDataSet("a sequence is longer than what holds it", offset=pos)
        items: list[DicomJson] = []
        while pos < stop:
            tag, item_length = self.item_header(pos, stop)
            if tag == SEQUENCE_END:
                if not delimited and pos + 8 != stop:
                    raise BadElement("a sequence ends before its length", offset=pos)
                return items, pos + 8
            if tag != ITEM_TAG:
                raise BadElement("no item where one is due", offset=pos)
            self.count_item(pos)
            open_ended = item_length == UNDEFINED_LENGTH
            item_end = stop if open_ended else pos + 8 + item_length
            if item_end > stop:
                raise BadElement("the item is longer than the sequence around it", offset=pos)
            item, pos = self.data_set(
                pos + 8,
                item_end,
                implicit=implicit,
                text=text,
                signed=signed,
                path=f"{path}/{len(items) + 1}/",
                depth=depth + 1,
                delimited=open_ended,
            )
            items.append(item)
        if delimited:
            raise TruncatedDataSet("a sequence has no end", offset=pos)
        return items, stop


def decode(
    data: bytes | bytearray | memoryview,
    transfer_syntax_uid: str,
    *,
    stop_before_pixels: bool = True,
    bulk_threshold: int = DEFAULT_BULK_THRESHOLD_BYTES,
    bulk_uri: BulkUri | None = None,
    limits: ScanLimits = DECODE_LIMITS,
    elided: Container[int] = (),
) -> DicomJson:
    """A data set in the DICOM JSON model (PS3.18 §F.2).

    Text is Unicode; Specific Character Set keeps what the data set said. Group lengths and
    trailing padding are left out.

    Args:
        data: The data set; with `stop_before_pixels`, its part before group 7FE0 will do, and
            with `bulk_uri` too it may end inside a value that would be bulk data.
        transfer_syntax_uid: Of the bytes.
        stop_before_pixels: End at the pixel data: given by its URI, or left out without
            `bulk_uri`.
        bulk_threshold: Bytes beyond which a binary or numeric value goes by its URI.
        bulk_uri: Makes the URI of a path such as `7FE00010` or `54000100/1/54001010`; None
            writes every binary value inline and leaves encapsulated pixel data out.
        limits: What the data set may cost.
        elided: Offsets at the top level where a value is left out of `data`, as
            `SparseReader.skeleton` gives them: such a value goes by its URI, without `bulk_uri`
            its attribute is left out.

    Raises:
        DataSetError: it cannot be read.
    """
    syntax = transfer_syntax(transfer_syntax_uid)
    if syntax.is_deflated:
        return _decode_deflated(
            data,
            syntax,
            stop_before_pixels=stop_before_pixels,
            bulk_threshold=bulk_threshold,
            bulk_uri=bulk_uri,
            limits=limits,
        )
    decoder = Decoder(
        data,
        syntax,
        stop_before_pixels=stop_before_pixels,
        bulk_threshold=bulk_threshold,
        bulk_uri=bulk_uri,
        limits=limits,
        elided=elided,
    )
    out, _end = decoder.data_set(
        0, len(data), implicit=syntax.is_implicit_vr, text=TextDecoder(), signed=False
    )
    return out


def _decode_deflated(
    data: bytes | bytearray | memoryview,
    syntax: TransferSyntax,
    *,
    stop_before_pixels: bool,
    bulk_threshold: int,
    bulk_uri: BulkUri | None,
    limits: ScanLimits,
) -> DicomJson:
    """Inflate more and more until the header is there; an image is not inflated for it."""
    most: int | None = _FIRST_INFLATED_BYTES if stop_before_pixels else None
    while True:
        inflated = inflate(data, limits=limits, most=most)
        complete = most is None or len(inflated) < most
        decoder = Decoder(
            inflated,
            syntax,
            stop_before_pixels=stop_before_pixels,
            bulk_threshold=bulk_threshold,
            bulk_uri=bulk_uri,
            limits=limits,
        )
        try:
            return decoder.data_set(
                0, len(inflated), implicit=False, text=TextDecoder(), signed=False
            )[0]
        except DataSetError:
            if complete or most is None:
                raise
            most *= 8


def decode_value(
    tag: int,
    vr: str,
    raw: bytes,
    syntax: TransferSyntax,
    *,
    terms: Sequence[str] = (),
    limits: ScanLimits = DECODE_LIMITS,
) -> DicomJson:
    """One attribute: `{"vr": …, "Value": […]}`, its value as sent.

    Args:
        tag: Its tag.
        vr: As sent, or the dictionary's under implicit VR.
        raw: Its value; of a sequence, the items.
        syntax: Of the data set it comes from.
        terms: Specific Character Set in force.
        limits: What a sequence may cost.
    """
    decoder = Decoder(
        raw,
        syntax,
        stop_before_pixels=False,
        bulk_threshold=len(raw),
        bulk_uri=None,
        limits=limits,
    )
    text = TextDecoder(terms)
    if vr == "UN":
        vr = vr_for(tag)
        if vr == "SQ":
            return decoder.unknown_sequence(
                tag, 0, len(raw), len(raw), text=text, signed=False, path="", depth=0
            )[0]
    if vr != "SQ":
        return decoder.element(vr, raw, text) if raw else {"vr": vr}
    items, _end = decoder.sequence(
        0,
        len(raw),
        len(raw),
        implicit=syntax.is_implicit_vr,
        text=text,
        signed=False,
        path=key_of(tag),
        depth=0,
    )
    return {"vr": "SQ", "Value": items} if items else {"vr": "SQ"}
