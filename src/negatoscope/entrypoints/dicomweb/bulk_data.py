"""The value behind a BulkDataURI of our metadata (PS3.18 §8.7.2)."""

from negatoscope.domain.archive.metadata import HEADER_MAX_BYTES
from negatoscope.domain.archive.reading import Member
from negatoscope.protocols.dicom.dataset import DataSetError, inflate, read_value
from negatoscope.standard.transfer_syntaxes import transfer_syntax


def read_bulk_data(member: Member, path: str) -> bytes | None:
    """A value by its path, ``00400555/1/0040A30A``; None when the object has no such value.

    The object is read up to its pixel data, and no more of it than metadata are made from.

    Raises:
        RetrieveError: it cannot be read.
    """
    stored = member.stored
    end = stored.size if stored.pixel_offset is None else stored.pixel_offset
    length = min(end - stored.data_set_offset, HEADER_MAX_BYTES)
    header = member.read(stored.data_set_offset, length)
    try:
        if transfer_syntax(stored.transfer_syntax_uid).is_deflated:
            header = inflate(header)
        offset, length = read_value(header, stored.transfer_syntax_uid, path)
    except DataSetError:
        return None
    return bytes(header[offset : offset + length])
