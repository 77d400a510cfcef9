"""A DICOM file that is in no archive: its attributes and its frames, for a person at a terminal."""

import mmap
from pathlib import Path
from typing import TYPE_CHECKING, Any

from negatoscope.protocols.dicom.dataset import DataSetScanner, decode, inflate
from negatoscope.protocols.dicom.dataset.decode import DEFAULT_BULK_THRESHOLD_BYTES
from negatoscope.protocols.dicom.part10 import guess_file_meta, read_file_meta
from negatoscope.protocols.dicom.part10.file_meta import encode_file_meta
from negatoscope.protocols.dicom.pixel.errors import CorruptFrame
from negatoscope.standard.transfer_syntaxes import (
    EXPLICIT_VR_BIG_ENDIAN,
    EXPLICIT_VR_LITTLE_ENDIAN,
    transfer_syntax,
)

if TYPE_CHECKING:
    from negatoscope.protocols.dicom.pixel.rewrite import Changes

_HEAD_BYTES = 1 << 20


class FileSource:
    """A Part 10 file, or a bare data set whose syntax is guessed.

    Args:
        path: Of the file.
        bulk_threshold: Longer values, in bytes, are left out of ``attributes``.

    Raises:
        OSError: it cannot be read, or is empty.
        Part10Error, DataSetError: it is no DICOM file, or ends inside an element.
    """

    def __init__(self, path: Path, *, bulk_threshold: int = DEFAULT_BULK_THRESHOLD_BYTES) -> None:
        if not path.stat().st_size:
            raise CorruptFileError("the file is empty")
        with path.open("rb") as file:
            whole = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        head = bytes(whole[:_HEAD_BYTES])
        meta = read_file_meta(head) if head[128:132] == b"DICM" else guess_file_meta(head)
        self.transfer_syntax_uid = meta.transfer_syntax_uid
        self._data: memoryview = whole[meta.data_set_offset :]
        uid = meta.transfer_syntax_uid
        if transfer_syntax(uid).is_deflated:
            self._data = memoryview(inflate(self._data))
            uid = EXPLICIT_VR_LITTLE_ENDIAN
        scanner = DataSetScanner(uid)
        scanner.feed(self._data)
        result = scanner.finish()
        self._layout = result.pixel_data
        self._frames = result.frame_locations()
        self.data_set_length = len(self._data)
        self.attributes: dict[str, Any] = decode(
            self._data[: self.head_length()],
            uid,
            bulk_threshold=bulk_threshold,
            bulk_uri=str,
        )

    def file_meta(self, transfer_syntax_uid: str, changes: "Changes | None") -> bytes:
        """Preamble and group 0002 of the result."""
        attributes = {**self.attributes, **(changes or {})}
        return encode_file_meta(
            sop_class_uid=_uid(attributes, "00080016"),
            sop_instance_uid=_uid(attributes, "00080018"),
            transfer_syntax_uid=transfer_syntax_uid,
        )

    def read(self, offset: int, length: int) -> bytes:
        """Bytes of the data set, inflated."""
        return bytes(self._data[offset : offset + length])

    def frame(self, number: int) -> bytes:
        """A frame's bytes, from 1."""
        layout = self._layout
        if layout is not None and transfer_syntax(self.transfer_syntax_uid).is_video:
            fragments = layout.fragments
            return b"".join(
                self.read(fragments[at], fragments[at + 1]) for at in range(0, len(fragments), 2)
            )
        if self._frames is None or not 1 <= number <= len(self._frames):
            raise CorruptFrame(f"the file has no frame {number}")
        ranges = self._frames.frame(number - 1)
        if self.transfer_syntax_uid == EXPLICIT_VR_BIG_ENDIAN and layout is not None:
            # Bytes swapped in words of OW: the last one lies where the padding is.
            at, length = ranges[0]
            if length % 2 and not (at - layout.value_offset) % 2:
                ranges = [(at, length + 1)]
        raw = b"".join(self.read(at, length) for at, length in ranges)
        bits = self._frames.frame_bits
        if bits is None:
            return raw
        value = int.from_bytes(raw, "little") >> self._frames.bit_offset(number - 1)
        return (value & ((1 << bits) - 1)).to_bytes((bits + 7) // 8, "little")

    def head_length(self) -> int:
        """Bytes up to and with the header of the pixel data, or all."""
        return self.data_set_length if self._layout is None else self._layout.value_offset

    def tail(self) -> bytes:
        """Elements after the pixel data."""
        layout = self._layout
        if layout is None:
            return b""
        if layout.value_length is not None:
            return self.read(layout.value_offset + layout.value_length, self.data_set_length)
        fragments = layout.fragments
        end = fragments[-2] + fragments[-1] if fragments else layout.value_offset + 8
        return self.read(end + 8, self.data_set_length)


class CorruptFileError(OSError):
    """A file that holds nothing."""

    def __init__(self, reason: str) -> None:
        super().__init__(0, reason)


def _uid(attributes: dict[str, Any], key: str) -> str:
    values = (attributes.get(key) or {}).get("Value") or [""]
    return str(values[0])
