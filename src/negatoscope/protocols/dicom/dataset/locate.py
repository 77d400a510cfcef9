"""Where a value lies in a data set that is in memory, by the path of its bulk data URI."""

from negatoscope.protocols.dicom.dataset.limits import DEFAULT_LIMITS, ScanLimits
from negatoscope.protocols.dicom.dataset.sparse import SparseReader
from negatoscope.standard.transfer_syntaxes import transfer_syntax


def read_value(
    data: bytes | bytearray | memoryview,
    transfer_syntax_uid: str,
    path: str,
    *,
    limits: ScanLimits = DEFAULT_LIMITS,
) -> tuple[int, int]:
    """Offset and length of a value as sent.

    Of a sequence, and of encapsulated pixel data, they cover the items. A deflated data set is
    given inflated (`inflate`), and its offsets count in that.

    Args:
        data: The data set, at least up to the end of the value.
        transfer_syntax_uid: Of the bytes.
        path: As `decode` gives it to its `bulk_uri`.
        limits: What the search may cost.

    Raises:
        ValueNotFound: the path is none, or names nothing here.
        DataSetError: the data set cannot be read that far.
    """
    view = memoryview(data)
    reader = SparseReader(
        lambda at, length: bytes(view[at : at + length]),
        len(view),
        transfer_syntax(transfer_syntax_uid),
        limits=limits,
    )
    found = reader.find(path)
    return found.offset, found.length
