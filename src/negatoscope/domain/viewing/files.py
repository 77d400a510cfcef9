"""A DICOM file that is in no archive: its header and its frames, for a person at a terminal."""

import mmap
from pathlib import Path
from typing import Any

from negatoscope.domain.viewing.attributes import Header, make_header
from negatoscope.protocols.dicom.dataset import DataSetScanner, decode, inflate
from negatoscope.protocols.dicom.part10 import guess_file_meta, read_file_meta
from negatoscope.protocols.dicom.pixel.errors import CorruptFrame
from negatoscope.standard.transfer_syntaxes import transfer_syntax

_HEAD_BYTES = 1 << 20
_BULK_BYTES = 64 << 20


class DicomFile:
    """An open file.

    Args:
        path: Of a Part 10 file, or of a bare data set.
    Raises:
        OSError: it cannot be read.
        Part10Error, DataSetError: it is not DICOM, or damaged before its pixels.
    """

    def __init__(self, path: Path) -> None:
        with path.open("rb") as opened:
            data = memoryview(mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ))
        head = bytes(data[:_HEAD_BYTES])
        meta = read_file_meta(head) if head[128:132] == b"DICM" else guess_file_meta(head)
        self.transfer_syntax_uid = meta.transfer_syntax_uid
        self._data = data[meta.data_set_offset :]
        self.data_set: dict[str, Any] = decode(
            self._data,
            self.transfer_syntax_uid,
            bulk_threshold=_BULK_BYTES,
            bulk_uri=lambda name: name,
        )
        self.header: Header = make_header(self.data_set)

    def frame(self, number: int) -> bytes:
        """The bytes of a frame; of a video the whole stream.

        Raises:
            CorruptFrame: there is no such frame, or its place is not told.
        """
        scanner = DataSetScanner(self.transfer_syntax_uid)
        for at in range(0, len(self._data), _HEAD_BYTES):
            scanner.feed(self._data[at : at + _HEAD_BYTES])
        scan = scanner.finish()
        syntax = transfer_syntax(self.transfer_syntax_uid)
        count = 1 if syntax.is_video else None
        index = scan.frame_locations(count)
        if index is None or not (syntax.is_video or 1 <= number <= len(index)):
            raise CorruptFrame(f"there is no frame {number}")
        source: bytes | memoryview = self._data
        if syntax.is_deflated:
            source = inflate(self._data)
        ranges = index.frame(0 if syntax.is_video else number - 1)
        data = b"".join(bytes(source[at : at + length]) for at, length in ranges)
        if index.frame_bits is None:
            return data
        value = int.from_bytes(data, "little") >> index.bit_offset(number - 1)
        value &= (1 << index.frame_bits) - 1
        return value.to_bytes((index.frame_bits + 7) // 8, "little")
