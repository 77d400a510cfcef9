"""Transfer syntaxes (PS3.5 §10, Annex A; PS3.6 §A), and how an unknown one is read."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from negatoscope.standard._generated.uid_registry import UID_REGISTRY

IMPLICIT_VR_LITTLE_ENDIAN = "1.2.840.10008.1.2"
EXPLICIT_VR_LITTLE_ENDIAN = "1.2.840.10008.1.2.1"
ENCAPSULATED_UNCOMPRESSED_EXPLICIT_VR_LITTLE_ENDIAN = "1.2.840.10008.1.2.1.98"
DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN = "1.2.840.10008.1.2.1.99"
EXPLICIT_VR_BIG_ENDIAN = "1.2.840.10008.1.2.2"
JPEG_BASELINE_8BIT = "1.2.840.10008.1.2.4.50"
JPEG_EXTENDED_12BIT = "1.2.840.10008.1.2.4.51"
JPEG_LOSSLESS = "1.2.840.10008.1.2.4.57"
JPEG_LOSSLESS_SV1 = "1.2.840.10008.1.2.4.70"
JPEG_LS_LOSSLESS = "1.2.840.10008.1.2.4.80"
JPEG_LS_NEAR_LOSSLESS = "1.2.840.10008.1.2.4.81"
JPEG_2000_LOSSLESS = "1.2.840.10008.1.2.4.90"
JPEG_2000 = "1.2.840.10008.1.2.4.91"
JPEG_2000_MC_LOSSLESS = "1.2.840.10008.1.2.4.92"
JPEG_2000_MC = "1.2.840.10008.1.2.4.93"
JPIP_REFERENCED = "1.2.840.10008.1.2.4.94"
JPIP_REFERENCED_DEFLATE = "1.2.840.10008.1.2.4.95"
MPEG2_MPML = "1.2.840.10008.1.2.4.100"
MPEG2_MPHL = "1.2.840.10008.1.2.4.101"
MPEG4_HP41 = "1.2.840.10008.1.2.4.102"
MPEG4_HP41_BD = "1.2.840.10008.1.2.4.103"
MPEG4_HP42_2D = "1.2.840.10008.1.2.4.104"
MPEG4_HP42_3D = "1.2.840.10008.1.2.4.105"
MPEG4_HP42_STEREO = "1.2.840.10008.1.2.4.106"
HEVC_MP51 = "1.2.840.10008.1.2.4.107"
HEVC_M10P51 = "1.2.840.10008.1.2.4.108"
JPEG_XL_LOSSLESS = "1.2.840.10008.1.2.4.110"
JPEG_XL_JPEG_RECOMPRESSION = "1.2.840.10008.1.2.4.111"
JPEG_XL = "1.2.840.10008.1.2.4.112"
HTJ2K_LOSSLESS = "1.2.840.10008.1.2.4.201"
HTJ2K_LOSSLESS_RPCL = "1.2.840.10008.1.2.4.202"
HTJ2K = "1.2.840.10008.1.2.4.203"
JPIP_HTJ2K_REFERENCED = "1.2.840.10008.1.2.4.204"
JPIP_HTJ2K_REFERENCED_DEFLATE = "1.2.840.10008.1.2.4.205"
RLE_LOSSLESS = "1.2.840.10008.1.2.5"
DEFLATED_IMAGE_FRAME_COMPRESSION = "1.2.840.10008.1.2.8.1"
PAPYRUS_3_IMPLICIT_VR_LITTLE_ENDIAN = "1.2.840.10008.1.20"
#: Private to GE: implicit VR little endian but for its big-endian pixel data.
GE_PRIVATE_IMPLICIT_VR_BIG_ENDIAN_PIXELS = "1.2.840.113619.5.2"

_IMPLICIT = {
    IMPLICIT_VR_LITTLE_ENDIAN,
    PAPYRUS_3_IMPLICIT_VR_LITTLE_ENDIAN,
    GE_PRIVATE_IMPLICIT_VR_BIG_ENDIAN_PIXELS,
}
_DEFLATED = {
    DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN,
    JPIP_REFERENCED_DEFLATE,
    JPIP_HTJ2K_REFERENCED_DEFLATE,
}
#: Pixel data native, or elsewhere (JPIP), or no file at all (SMPTE ST 2110, PS3.5 §A.7).
_NOT_ENCAPSULATED = {
    *_IMPLICIT,
    *_DEFLATED,
    EXPLICIT_VR_LITTLE_ENDIAN,
    EXPLICIT_VR_BIG_ENDIAN,
    JPIP_REFERENCED,
    JPIP_HTJ2K_REFERENCED,
    "1.2.840.10008.1.2.6.1",
    "1.2.840.10008.1.2.6.2",
    "1.2.840.10008.1.2.7.1",
    "1.2.840.10008.1.2.7.2",
    "1.2.840.10008.1.2.7.3",
}
_VIDEO_PREFIXES = ("MPEG", "HEVC", "SMPTEST211020")


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferSyntax:
    """How a data set is encoded.

    `is_encapsulated` tells that Pixel Data is a sequence of fragments (PS3.5 §A.4);
    `is_deflated` that the whole data set is an RFC 1951 stream (PS3.5 §A.5).
    """

    uid: str
    name: str
    keyword: str
    is_implicit_vr: bool
    is_little_endian: bool
    is_deflated: bool
    is_encapsulated: bool
    is_retired: bool
    is_video: bool


def _make(uid: str, name: str, keyword: str, *, is_retired: bool) -> TransferSyntax:
    return TransferSyntax(
        uid=uid,
        name=name,
        keyword=keyword,
        is_implicit_vr=uid in _IMPLICIT,
        is_little_endian=uid != EXPLICIT_VR_BIG_ENDIAN,
        is_deflated=uid in _DEFLATED,
        is_encapsulated=uid not in _NOT_ENCAPSULATED,
        is_retired=is_retired,
        is_video=keyword.startswith(_VIDEO_PREFIXES),
    )


#: Every registered transfer syntax, and GE's private one that is often met.
TRANSFER_SYNTAXES: Mapping[str, TransferSyntax] = MappingProxyType(
    {
        uid: _make(uid, name, keyword, is_retired=is_retired)
        for uid, (name, kind, keyword, is_retired) in UID_REGISTRY.items()
        if kind == "Transfer Syntax"
    }
    | {
        GE_PRIVATE_IMPLICIT_VR_BIG_ENDIAN_PIXELS: _make(
            GE_PRIVATE_IMPLICIT_VR_BIG_ENDIAN_PIXELS,
            "GE Private Implicit VR with Big Endian Pixel Data",
            "",
            is_retired=False,
        )
    }
)


def transfer_syntax(uid: str) -> TransferSyntax:
    """The syntax of a UID; an unknown one is read as explicit VR little endian.

    PS3.5 §10.2 lets private syntaxes be anything. Those met in the field are explicit VR little
    endian with their own compression, so Pixel Data may be encapsulated.
    """
    known = TRANSFER_SYNTAXES.get(uid)
    return known if known is not None else _make(uid, uid, "", is_retired=False)
