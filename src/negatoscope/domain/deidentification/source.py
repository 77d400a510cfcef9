"""A stored object without identity, as what is given or transcoded."""

from typing import Any, Final

from negatoscope.domain.deidentification.errors import NotDeidentifiable
from negatoscope.domain.deidentification.profile import Deidentifier
from negatoscope.domain.viewing.stored_source import StoredSource
from negatoscope.protocols.dicom.dataset import DataSetError, decode, encode
from negatoscope.protocols.dicom.json import in_unicode
from negatoscope.protocols.dicom.part10.file_meta import encode_file_meta
from negatoscope.protocols.dicom.pixel.rewrite import rewrite
from negatoscope.standard import transfer_syntaxes as ts
from negatoscope.standard.transfer_syntaxes import transfer_syntax

_INLINE: Final = 1 << 30
_CHUNK_BYTES: Final = 1 << 20
_SOP_CLASS: Final = "00080016"
_SOP_INSTANCE: Final = "00080018"


class DeidentifiedSource:
    """The elements before the pixel data written anew, the pixel data as they are, nothing behind.

    What follows pixel data is a digital signature, which the profile removes, or padding.

    Args:
        source: The object.
        deidentifier: What is done to its attributes.

    Raises:
        NotDeidentifiable: it cannot be read, or its pixels tell whose they are.
        RetrieveError: its bytes cannot be had.
        TranscodingFailed: too long before its pixel data.
    """

    def __init__(self, source: StoredSource, deidentifier: Deidentifier) -> None:
        self._source = source
        stored_uid = source.transfer_syntax_uid
        syntax = transfer_syntax(stored_uid)
        self.transfer_syntax_uid = (
            ts.EXPLICIT_VR_LITTLE_ENDIAN if syntax.is_deflated else stored_uid
        )
        head = source.read(0, source.head_length())
        try:
            parts = rewrite(head, self.transfer_syntax_uid, self.transfer_syntax_uid, changes={})
            end = parts.value_offset if parts.pixel_tag is not None else len(head)
            attributes: dict[str, Any] = decode(
                head[:end], self.transfer_syntax_uid, bulk_uri=str, bulk_threshold=_INLINE
            )
            if parts.pixel_tag is not None:
                attributes.pop(f"{parts.pixel_tag:08X}", None)
            self.attributes = deidentifier.attributes(in_unicode(attributes))
            self._head = encode(self.attributes, self.transfer_syntax_uid, charset="ISO_IR 192")
        except DataSetError as error:
            raise NotDeidentifiable("its attributes cannot be read") from error
        self._pixels = end
        self._pixels_end = end
        if parts.pixel_tag is not None:
            self._head += head[end - (8 if syntax.is_implicit_vr else 12) : end]
            self._pixels_end = source.data_set_length - len(source.tail())
        self.data_set_length = len(self._head) + self._pixels_end - self._pixels

    def read(self, offset: int, length: int) -> bytes:
        """Bytes of the data set."""
        head = self._head[offset : offset + length]
        if len(head) == length:
            return head
        start = self._pixels + max(0, offset - len(self._head))
        stop = min(start + length - len(head), self._pixels_end)
        return head + self._source.read(start, max(0, stop - start))

    def frame(self, number: int) -> bytes:
        """A frame's bytes, from 1; of a video the whole stream."""
        return self._source.frame(number)

    def head_length(self) -> int:
        """Bytes up to and with the header of the pixel data, or all."""
        return len(self._head)

    def tail(self) -> bytes:
        """Elements after the pixel data: none."""
        return b""

    def file_meta(self, transfer_syntax_uid: str) -> bytes:
        """Preamble and file meta information of the object without identity."""
        return encode_file_meta(
            sop_class_uid=self._value(_SOP_CLASS),
            sop_instance_uid=self._value(_SOP_INSTANCE),
            transfer_syntax_uid=transfer_syntax_uid,
        )

    def _value(self, key: str) -> str:
        values = (self.attributes.get(key) or {}).get("Value") or [""]
        return str(values[0])
