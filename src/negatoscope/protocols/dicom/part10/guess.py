"""Files without a preamble: old exports that begin with group 0002, or with the data set itself.

PS3.10 does not allow them, modalities of the nineties and some converters write them. What they
are is told from their first attribute; files that begin with anything else are not DICOM.
"""

from struct import unpack_from
from typing import Final

from negatoscope.protocols.dicom.dataset.vr import VRS
from negatoscope.protocols.dicom.part10.errors import NotPart10
from negatoscope.protocols.dicom.part10.file_meta import FileMeta, read_file_meta
from negatoscope.standard.transfer_syntaxes import (
    EXPLICIT_VR_BIG_ENDIAN,
    EXPLICIT_VR_LITTLE_ENDIAN,
    IMPLICIT_VR_LITTLE_ENDIAN,
)

_HEAD: Final = bytes(128) + b"DICM"
#: First attributes of a data set are of group 0008; the first values of it are short.
_FIRST_GROUP: Final = 0x0008
_LAST_FIRST_ELEMENT: Final = 0x0060
_LONGEST_FIRST_VALUE: Final = 1024
_VR_LETTERS: Final = frozenset(vr.encode() for vr in VRS)


def guess_file_meta(head: bytes | bytearray | memoryview) -> FileMeta:
    """File Meta Information of a file that has no preamble, or none at all.

    Args:
        head: The first bytes of the file, up to 64 KiB.

    Returns: what group 0002 says, or only the transfer syntax that the first attribute shows;
        `data_set_offset` counts from the first byte of the file.

    Raises:
        NotPart10: the file does not begin as DICOM.
        Part10Error: group 0002 cannot be read.
    """
    head = bytes(head[: 64 << 10])
    if head[:2] == b"\x02\x00" and head[4:6] in _VR_LETTERS:
        meta = read_file_meta(_HEAD + head)
        return FileMeta(
            transfer_syntax_uid=meta.transfer_syntax_uid,
            sop_class_uid=meta.sop_class_uid,
            sop_instance_uid=meta.sop_instance_uid,
            data_set_offset=meta.data_set_offset - len(_HEAD),
            implementation_class_uid=meta.implementation_class_uid,
            implementation_version_name=meta.implementation_version_name,
            source_ae_title=meta.source_ae_title,
        )
    syntax = _syntax(head)
    if syntax is None:
        raise NotPart10("neither a preamble nor a data set")
    return FileMeta(
        transfer_syntax_uid=syntax, sop_class_uid=None, sop_instance_uid=None, data_set_offset=0
    )


def _syntax(head: bytes) -> str | None:
    if len(head) < 8:
        return None
    is_explicit = head[4:6] in _VR_LETTERS
    for order, explicit, implicit in (
        ("<", EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN),
        (">", EXPLICIT_VR_BIG_ENDIAN, None),
    ):
        group, element = unpack_from(order + "HH", head)
        if group != _FIRST_GROUP or element > _LAST_FIRST_ELEMENT:
            continue
        if is_explicit:
            return explicit
        (length,) = unpack_from(order + "I", head, 4)
        if length <= _LONGEST_FIRST_VALUE:
            return implicit
    return None
