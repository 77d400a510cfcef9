"""Preamble and File Meta Information (PS3.10 §7.1), written and read.

Whatever the data set's syntax, group 0002 is explicit VR little endian. Readers stop at 64 KiB
and take nothing on trust: UIDs are checked, since they name things later.
"""

from dataclasses import dataclass
from functools import lru_cache
from struct import Struct
from typing import Final

from negatoscope.kit.implementation import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME
from negatoscope.kit.uid import is_harmless_uid
from negatoscope.protocols.dicom.part10.errors import (
    BadFileMeta,
    BadGroupLength,
    BadUid,
    FileMetaTooLong,
    MissingTransferSyntax,
    NotPart10,
    TruncatedFileMeta,
)
from negatoscope.standard.tags import format_tag

PREAMBLE_BYTES: Final = 128
PREFIX: Final = b"DICM"
#: Longest preamble, prefix and group 0002 that is read.
MAX_FILE_META_BYTES: Final = 64 << 10

_HEAD: Final = PREAMBLE_BYTES + len(PREFIX)
_SHORT: Final = Struct("<HH2sH")
_LONG: Final = Struct("<I")
_LONG_VRS: Final = frozenset({b"OB", b"OW", b"UN", b"UT", b"UC", b"UR", b"OD", b"OF", b"OL"})

_GROUP_LENGTH: Final = 0x0000
_SOP_CLASS_UID: Final = 0x0002
_SOP_INSTANCE_UID: Final = 0x0003
_TRANSFER_SYNTAX_UID: Final = 0x0010
_IMPLEMENTATION_CLASS_UID: Final = 0x0012
_IMPLEMENTATION_VERSION_NAME: Final = 0x0013
_SOURCE_AE_TITLE: Final = 0x0016
_SENDING_AE_TITLE: Final = 0x0017
_RECEIVING_AE_TITLE: Final = 0x0018


@dataclass(frozen=True, slots=True, kw_only=True)
class FileMeta:
    """File Meta Information of one file.

    Attributes:
        transfer_syntax_uid: Of the data set.
        sop_class_uid: Media Storage SOP Class UID; None when absent.
        sop_instance_uid: Media Storage SOP Instance UID; None when absent. Old writers put zeros
            at the front of components, and other UIDs than the data set's: trust the data set.
        data_set_offset: Of the data set's first byte, from the start of the file.
    """

    transfer_syntax_uid: str
    sop_class_uid: str | None
    sop_instance_uid: str | None
    data_set_offset: int
    implementation_class_uid: str | None = None
    implementation_version_name: str | None = None
    source_ae_title: str | None = None


def _element(element: int, vr: bytes, value: bytes) -> bytes:
    if len(value) % 2:
        value += b"\x00" if vr == b"UI" else b" "
    return _SHORT.pack(0x0002, element, vr, len(value)) + value


def encode_file_meta(
    *,
    sop_class_uid: str,
    sop_instance_uid: str,
    transfer_syntax_uid: str,
    source_ae_title: str | None = None,
    sending_ae_title: str | None = None,
    receiving_ae_title: str | None = None,
    implementation_class_uid: str = IMPLEMENTATION_CLASS_UID,
    implementation_version_name: str = IMPLEMENTATION_VERSION_NAME,
) -> bytes:
    """Preamble of zeros, prefix and group 0002 (PS3.10 Table 7.1-1).

    Raises:
        BadUid: a UID is not one; what is no UID is never written.
    """
    if not is_harmless_uid(sop_instance_uid):
        raise BadUid(_NO_UID)
    instance = _element(_SOP_INSTANCE_UID, b"UI", sop_instance_uid.encode())
    before, behind = _around_instance(
        sop_class_uid,
        transfer_syntax_uid,
        (source_ae_title, sending_ae_title, receiving_ae_title),
        implementation_class_uid,
        implementation_version_name,
    )
    length = _LONG.pack(len(before) + len(instance) + len(behind))
    return _BEFORE_LENGTH + length + before + instance + behind


_NO_UID: Final = "a UID for the file meta information is not one"
_BEFORE_LENGTH: Final = (
    bytes(PREAMBLE_BYTES) + PREFIX + _SHORT.pack(0x0002, _GROUP_LENGTH, b"UL", _LONG.size)
)


@lru_cache(maxsize=256)
def _around_instance(
    sop_class_uid: str,
    transfer_syntax_uid: str,
    titles: tuple[str | None, str | None, str | None],
    implementation_class_uid: str,
    implementation_version_name: str,
) -> tuple[bytes, bytes]:
    """Group 0002 before and behind the SOP Instance UID: the same for all images of a series."""
    for uid in (sop_class_uid, transfer_syntax_uid, implementation_class_uid):
        if not is_harmless_uid(uid):
            raise BadUid(_NO_UID)
    before = b"\x02\x00\x01\x00OB\x00\x00\x02\x00\x00\x00\x00\x01"
    before += _element(_SOP_CLASS_UID, b"UI", sop_class_uid.encode())
    behind = _element(_TRANSFER_SYNTAX_UID, b"UI", transfer_syntax_uid.encode())
    behind += _element(_IMPLEMENTATION_CLASS_UID, b"UI", implementation_class_uid.encode())
    behind += _element(
        _IMPLEMENTATION_VERSION_NAME, b"SH", implementation_version_name.encode("ascii")[:16]
    )
    elements = (_SOURCE_AE_TITLE, _SENDING_AE_TITLE, _RECEIVING_AE_TITLE)
    for element, title in zip(elements, titles, strict=True):
        if title:
            behind += _element(element, b"AE", title.encode("ascii", "replace")[:16])
    return before, behind


class Part10Reader:
    """Reads the head of a file that arrives in pieces.

    Attributes:
        header: Bytes taken so far, up to the data set once `meta` is there.
        meta: None until the File Meta Information is complete.
    """

    __slots__ = ("_end", "_position", "_values", "header", "meta")

    def __init__(self) -> None:
        self.header = bytearray()
        self.meta: FileMeta | None = None
        self._position = _HEAD
        self._end: int | None = None  # where group 0002 ends, once its length is read
        self._values: dict[int, bytes] = {}

    def feed(self, data: bytes | memoryview) -> memoryview | None:
        """Take the next bytes of the file.

        Returns: None while more are needed; else the bytes among those fed that belong to the
        data set, possibly none. Call it no more then.

        Raises:
            Part10Error: the file's head is not one.
        """
        view = memoryview(data)
        before = len(self.header)
        self.header += view[: max(0, MAX_FILE_META_BYTES + 2 - before)]
        offset = self._read(complete=False)
        if offset is None:
            if len(self.header) > MAX_FILE_META_BYTES:
                raise FileMetaTooLong(f"file meta information beyond {MAX_FILE_META_BYTES} bytes")
            return None
        rest = view[max(0, offset - before) :]
        if offset < before:
            rest = memoryview(bytes(self.header[offset:before]) + bytes(view))
        del self.header[offset:]
        return rest

    def finish(self) -> FileMeta:
        """The file has ended: what was read must be whole.

        Raises:
            TruncatedFileMeta: it is not.
        """
        if self.meta is None:
            self._read(complete=True)
        if self.meta is None:
            raise TruncatedFileMeta("the file ends inside its file meta information")
        return self.meta

    def _read(self, *, complete: bool) -> int | None:
        """Offset of the data set; None when more bytes are needed."""
        buf = self.header
        if len(buf) < _HEAD:
            if complete or (
                len(buf) > PREAMBLE_BYTES and not PREFIX.startswith(buf[PREAMBLE_BYTES:])
            ):
                raise NotPart10("no DICM prefix after 128 bytes")
            return None
        if buf[PREAMBLE_BYTES:_HEAD] != PREFIX:
            raise NotPart10("no DICM prefix after 128 bytes")
        while True:
            position = self._position
            if position == self._end:
                return self._complete(position)
            if self._end is not None and position > self._end:
                raise BadGroupLength("an element crosses the declared end of group 0002")
            if position + 2 <= len(buf) and buf[position : position + 2] != b"\x02\x00":
                if self._end is not None:
                    raise BadGroupLength("group 0002 ends before its declared length")
                return self._complete(position)
            if position + 8 > len(buf):
                if complete and position == len(buf) and self._end is None and self._values:
                    return self._complete(position)
                return None
            _group, element, vr, length = _SHORT.unpack_from(buf, position)
            start = position + 8
            if not (vr.isalpha() and vr.isupper()):
                raise BadFileMeta(f"no value representation in {format_tag(0x00020000 | element)}")
            if vr in _LONG_VRS:
                if start + 4 > len(buf):
                    return None
                (length,) = _LONG.unpack_from(buf, start)
                start += 4
            if start + length > MAX_FILE_META_BYTES:
                raise FileMetaTooLong(f"file meta information beyond {MAX_FILE_META_BYTES} bytes")
            if start + length > len(buf):
                return None
            self._position = start + length
            value = bytes(buf[start : start + length])
            if element == _GROUP_LENGTH and length == 4:
                (declared,) = _LONG.unpack(value)
                self._end = self._position + declared
                if self._end > MAX_FILE_META_BYTES:
                    raise FileMetaTooLong(
                        f"file meta information beyond {MAX_FILE_META_BYTES} bytes"
                    )
            self._values[element] = value

    def _complete(self, position: int) -> int:
        transfer_syntax_uid = self._uid(_TRANSFER_SYNTAX_UID)
        if transfer_syntax_uid is None:
            raise MissingTransferSyntax("the file names no transfer syntax (0002,0010)")
        self.meta = FileMeta(
            transfer_syntax_uid=transfer_syntax_uid,
            sop_class_uid=self._uid(_SOP_CLASS_UID),
            sop_instance_uid=self._uid(_SOP_INSTANCE_UID),
            data_set_offset=position,
            implementation_class_uid=self._text(_IMPLEMENTATION_CLASS_UID),
            implementation_version_name=self._text(_IMPLEMENTATION_VERSION_NAME),
            source_ae_title=self._text(_SOURCE_AE_TITLE),
        )
        return position

    def _uid(self, element: int) -> str | None:
        text = self._values.get(element, b"").rstrip(b"\x00 ").decode("latin-1")
        if not text:
            return None
        if not is_harmless_uid(text):
            raise BadUid(f"{format_tag(0x00020000 | element)} is not a UID")
        return text

    def _text(self, element: int) -> str | None:
        text = self._values.get(element, b"").decode("ascii", "replace")
        return "".join(c for c in text if c.isprintable()).strip() or None


def read_file_meta(buffer: bytes | bytearray | memoryview) -> FileMeta:
    """File Meta Information at the start of `buffer`, which holds it whole.

    Raises:
        Part10Error: the file's head is not one.
    """
    reader = Part10Reader()
    if reader.feed(memoryview(buffer)[: MAX_FILE_META_BYTES + 2]) is not None and reader.meta:
        return reader.meta
    return reader.finish()
