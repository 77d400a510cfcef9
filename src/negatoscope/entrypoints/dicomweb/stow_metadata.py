"""Objects stored as metadata and bulk data (PS3.18 §10.5.1.2, §8.7.3).

Metadata are DICOM JSON or Native DICOM Model; a BulkDataURI there names a part by its
Content-Location (or ``cid:`` and Content-ID). Bulk data wait in a file without a name until the body
is whole, so that memory does not depend on their size; then each data set is encoded and enters by
the archive's one door, its long values streamed from that file.

Pixel data in octets become Explicit VR Little Endian; a part of a compressed media type becomes a
frame of encapsulated pixel data in the transfer syntax that the part, the metadata (0002,0010) or
else its media type names. Several parts of one Content-Location are the frames in their order.
"""

import os
import re
import struct
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import structlog

from negatoscope.domain.archive import IngestError, OutOfResources
from negatoscope.domain.archive.errors import CannotUnderstandCode
from negatoscope.domain.archive.ingest import IngestSession
from negatoscope.entrypoints.dicomweb.media_types import (
    DICOM_JSON,
    DICOM_XML,
    FRAME_MEDIA_TYPES,
    JSON,
    OCTET_STREAM,
    MediaRange,
)
from negatoscope.entrypoints.dicomweb.multipart import MultipartError, MultipartParser
from negatoscope.entrypoints.dicomweb.stow_receiving import (
    NOT_DICOM,
    OUT_OF_RESOURCES,
    Receiver,
    StoreResult,
    part_type,
)
from negatoscope.entrypoints.dicomweb.transcoded import DEFAULT_SYNTAXES as FRAME_SYNTAXES
from negatoscope.protocols.dicom.dataset import DataSetError, DicomJson, encode
from negatoscope.protocols.dicom.dataset.vr import LONG_VRS
from negatoscope.protocols.dicom.json import BadDicomJson, parse_data_sets
from negatoscope.protocols.dicom.xml import BadNativeModel, parse_native_model
from negatoscope.standard.tags import vr_for
from negatoscope.standard.transfer_syntaxes import (
    EXPLICIT_VR_LITTLE_ENDIAN,
    JPEG_2000_MC_LOSSLESS,
    MPEG2_MPML,
    MPEG4_HP41,
    transfer_syntax,
)

METADATA_MAX_BYTES: Final = 64 << 20
"""Of metadata in one request."""
IN_MEMORY_BYTES: Final = 1 << 20
"""A longer value of the data set is streamed; one inside a sequence is read up to ``NESTED_BYTES``."""
NESTED_BYTES: Final = 64 << 20
_CHUNK_BYTES: Final = 1 << 20
_TAG: Final = re.compile("[0-9A-Fa-f]{8}")
_PIXELS: Final = ("7FE00008", "7FE00009", "7FE00010")
_UNREADABLE: Final = int(CannotUnderstandCode.UNREADABLE)
DEFAULT_SYNTAXES: Final[Mapping[str, str]] = {  # PS3.18 Table 8.7.3-5
    **{kind: uid for kind, uid in FRAME_SYNTAXES.items() if kind != OCTET_STREAM},
    "image/jpx": JPEG_2000_MC_LOSSLESS,
    "video/mpeg": MPEG2_MPML,
    "video/mp4": MPEG4_HP41,
}
_log = structlog.get_logger(__name__)


class MetadataTooLong(MultipartError):
    """More metadata than one request may bring."""


class _Unusable(Exception):
    """A data set and its bulk data are no object."""


@dataclass(frozen=True, slots=True)
class _Part:
    """A bulk data part in the spool file."""

    offset: int
    length: int
    media: MediaRange


class MetadataReceiver(Receiver):
    """Takes metadata and bulk data parts; stores when the body is whole.

    Args:
        session: Of the archive; closed by ``close``.
        parser: Of the multipart body; None when the body is metadata alone.
        result: Filled by ``finish``.
        kind: ``application/dicom+json`` or ``application/dicom+xml``.
        spool_dir: Where bulk data wait.
    """

    def __init__(
        self,
        session: IngestSession,
        parser: MultipartParser | None,
        result: StoreResult,
        kind: str,
        spool_dir: Path,
    ) -> None:
        self._kind = kind
        self._spool = tempfile.TemporaryFile(dir=spool_dir, buffering=0)  # noqa: SIM115
        self._end_of_spool = 0
        self._parts: dict[str, list[_Part]] = {}
        self._metadata: list[bytearray] = []
        self._metadata_bytes = 0
        self._names: tuple[str, ...] = ()
        self._media: MediaRange | None = None
        self._start = 0
        self._is_metadata = False
        super().__init__(session, parser, result)

    def _begin(self, headers: Mapping[str, str]) -> None:
        default = OCTET_STREAM if self._metadata else self._kind
        self._media = part_type(headers, default)
        self._is_metadata = self._media is not None and self._media.type in (
            DICOM_JSON, DICOM_XML, JSON,
        )  # fmt: skip
        if self._is_metadata:
            self._metadata.append(bytearray())
            return
        location = headers.get("content-location", "").strip()
        content_id = headers.get("content-id", "").strip().strip("<>")
        self._names = tuple(filter(None, (location, content_id and f"cid:{content_id}")))
        self._start = self._end_of_spool

    def _write(self, data: memoryview) -> None:
        if self._is_metadata:
            self._metadata_bytes += len(data)
            if self._metadata_bytes > METADATA_MAX_BYTES:
                raise MetadataTooLong(f"the metadata pass {METADATA_MAX_BYTES} bytes")
            self._metadata[-1] += data
        elif self._names and not self.result.out_of_resources:
            try:
                while data:
                    written = self._spool.write(data) or 0
                    self._end_of_spool += written
                    data = data[written:]
            except OSError as error:
                _log.warning("stow.spool_full", reason=error.strerror)
                self.result.out_of_resources = True

    def _end(self) -> None:
        if not self._is_metadata and self._media is not None:
            part = _Part(self._start, self._end_of_spool - self._start, self._media)
            for name in self._names:
                self._parts.setdefault(name, []).append(part)

    def finish(self) -> None:
        """The body is over: store every data set.

        Raises:
            MultipartError: it should have gone on.
        """
        super().finish()
        for raw in self._metadata:
            try:
                data_sets = (
                    [parse_native_model(bytes(raw))]
                    if self._kind == DICOM_XML
                    else parse_data_sets(raw)
                )
            except (BadDicomJson, BadNativeModel) as error:
                _log.warning("stow.metadata_unreadable", reason=error.reason)
                self.result.add_failed(None, NOT_DICOM)
                continue
            for data_set in data_sets:
                self._store(data_set)

    def close(self) -> None:
        """Cut off what is not whole, and let the spool file go."""
        self._spool.close()
        super().close()

    def _store(self, data_set: DicomJson) -> None:
        class_uid, instance_uid = (_uid(data_set, key) for key in ("00080016", "00080018"))
        if self.result.out_of_resources:
            self.result.add_refused(class_uid, instance_uid, OUT_OF_RESOURCES)
            return
        try:
            syntax = self._syntax_of(data_set)
            pieces = self._encoded(data_set, syntax)
            ingest = self.session.begin(
                sop_class_uid=class_uid,
                sop_instance_uid=instance_uid,
                transfer_syntax_uid=syntax,
            )
            for piece in pieces:
                ingest.write(piece)
            self.result.add_stored(ingest.commit())
        except IngestError as error:
            _log.warning(
                "stow.refused",
                status=f"{error.dimse_status:04X}",
                reason=error.error_comment,
                sop_instance_uid=instance_uid,
            )
            self.result.add_refused(class_uid, instance_uid, error.dimse_status)
            self.result.out_of_resources |= isinstance(error, OutOfResources)
        except (_Unusable, DataSetError) as error:
            _log.warning("stow.unusable", reason=str(error), sop_instance_uid=instance_uid)
            self.result.add_refused(class_uid, instance_uid, _UNREADABLE)

    def _named(self, uri: Any) -> list[_Part]:
        found = self._parts.get(uri) if isinstance(uri, str) else None
        if found is None:
            raise _Unusable("a BulkDataURI names no part of the body")
        return found

    def _syntax_of(self, data_set: DicomJson) -> str:
        """The transfer syntax of the pixel data; of any other object explicit VR little endian."""
        pixels: Any = next((data_set[key] for key in _PIXELS if key in data_set), {})
        if "BulkDataURI" not in pixels:
            return EXPLICIT_VR_LITTLE_ENDIAN
        media = self._named(pixels["BulkDataURI"])[0].media
        uid = media.transfer_syntax or _uid(data_set, "00020010") or ""
        if media.type != OCTET_STREAM:
            uid = uid if FRAME_MEDIA_TYPES.get(uid) == media.type else ""
            uid = media.transfer_syntax or uid or DEFAULT_SYNTAXES.get(media.type, "")
            if not uid or not transfer_syntax(uid).is_encapsulated:
                raise _Unusable("the media type of the pixel data has no transfer syntax")
        is_known = bool(uid) and transfer_syntax(uid).is_encapsulated
        return uid if is_known else EXPLICIT_VR_LITTLE_ENDIAN

    def _encoded(self, data_set: DicomJson, syntax: str) -> Iterator[bytes]:
        """The data set's bytes: what is short encoded at once, what is long put in its place."""
        if not all(map(_TAG.fullmatch, data_set)):
            raise _Unusable("a key is not eight hexadecimal digits")
        kept = {key: one for key, one in data_set.items() if not key.startswith("0002")}
        long = {
            key: self._named(one["BulkDataURI"])
            for key, one in kept.items()
            if isinstance(one, dict) and "BulkDataURI" in one
        }
        is_encapsulated = transfer_syntax(syntax).is_encapsulated
        long = {
            key: parts
            for key, parts in long.items()
            if sum(part.length for part in parts) > IN_MEMORY_BYTES
            or (is_encapsulated and key in _PIXELS)
        }
        short = {key: one for key, one in kept.items() if key not in long}

        def encoded(before: str = "G") -> bytes:
            chosen = {key: one for key, one in short.items() if key.upper() < before}
            return encode(
                chosen, EXPLICIT_VR_LITTLE_ENDIAN, charset="ISO_IR 192", bulk_data=self._value
            )

        whole = encoded()
        cuts = [(len(encoded(key.upper())), key) for key in sorted(long, key=str.upper)]
        return self._joined(whole, cuts, kept, long, is_encapsulated)

    def _joined(
        self,
        whole: bytes,
        cuts: list[tuple[int, str]],
        kept: DicomJson,
        long: Mapping[str, list[_Part]],
        is_encapsulated: bool,
    ) -> Iterator[bytes]:
        at = 0
        for cut, key in cuts:
            if cut > at:
                yield whole[at:cut]
            at = cut
            tag = int(key, 16)
            parts = long[key]
            if is_encapsulated and key in _PIXELS:
                yield struct.pack("<HH2s2xI", tag >> 16, tag & 0xFFFF, b"OB", 0xFFFFFFFF)
                yield struct.pack("<HHI", 0xFFFE, 0xE000, 0)
                for part in parts:
                    padded = part.length + part.length % 2
                    yield struct.pack("<HHI", 0xFFFE, 0xE000, padded)
                    yield from self._read(part)
                    yield b"\0" * (padded - part.length)
                yield struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
                continue
            vr = str(kept[key].get("vr") or vr_for(tag))
            length = sum(part.length for part in parts)
            padded = length + length % 2
            if padded >= 0xFFFFFFFF:
                raise _Unusable("a value is too long")
            letters = (vr if vr in LONG_VRS and vr != "SQ" else "UN").encode("ascii")
            yield struct.pack("<HH2s2xI", tag >> 16, tag & 0xFFFF, letters, padded)
            for part in parts:
                yield from self._read(part)
            yield b"\0" * (padded - length)
        if at < len(whole):
            yield whole[at:]

    def _value(self, uri: str) -> bytes:
        parts = self._named(uri)
        if sum(part.length for part in parts) > NESTED_BYTES:
            raise _Unusable("a value inside a sequence is too long")
        return b"".join(chunk for part in parts for chunk in self._read(part))

    def _read(self, part: _Part) -> Iterator[bytes]:
        for at in range(0, part.length, _CHUNK_BYTES):
            size = min(_CHUNK_BYTES, part.length - at)
            yield os.pread(self._spool.fileno(), size, part.offset + at)


def _uid(data_set: DicomJson, key: str) -> str:
    """The one value of a UID; empty when there is none."""
    attribute: Any = data_set.get(key)
    values = attribute.get("Value") if isinstance(attribute, dict) else None
    return values[0] if isinstance(values, list) and values and isinstance(values[0], str) else ""
