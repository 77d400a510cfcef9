"""The registry: one row for each transfer syntax whose pixels can be read.

What is not here is stored, and given back as it is stored; decoding it says so.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, TypeAlias

from negatoscope.protocols.dicom.pixel.codecs import (
    deflated,
    jpeg,
    jpeg_2000,
    jpeg_ls,
    jpeg_xl,
    native,
    rle,
    video,
)
from negatoscope.protocols.dicom.pixel.codecs.frame import Bytes, Frame, Samples
from negatoscope.protocols.dicom.pixel.description import PixelDescription
from negatoscope.protocols.dicom.pixel.limits import PixelLimits
from negatoscope.standard import transfer_syntaxes as ts

Decode: TypeAlias = Callable[[Bytes, PixelDescription, str, PixelLimits], Frame]
Encode: TypeAlias = Callable[[Samples, PixelDescription, str, int | None], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Codec:
    """What is done for one transfer syntax.

    Attributes:
        decode: A frame from its bytes; of video from the whole stream (`decode_picture`).
        encode: A frame to its bytes; None when it is only read.
        is_lossy: What is encoded is not what comes back.
        method: Lossy Image Compression Method (0028,2114) of what `encode` makes, if lossy.
        bits: Most bits stored that can be encoded.
        is_packed: Images of one bit allocated are encoded too.
    """

    decode: Decode
    encode: Encode | None = None
    is_lossy: bool = False
    method: str = ""
    bits: int = 32
    is_packed: bool = False


_NATIVE = Codec(decode=native.decode, encode=native.encode, bits=64, is_packed=True)
_JPEG = Codec(decode=jpeg.decode)
_J2K = Codec(decode=jpeg_2000.decode)
_JPEG_XL = Codec(decode=jpeg_xl.decode)
_VIDEO = Codec(decode=video.decode_first)

CODECS: Final[Mapping[str, Codec]] = MappingProxyType(
    {
        ts.IMPLICIT_VR_LITTLE_ENDIAN: _NATIVE,
        ts.EXPLICIT_VR_LITTLE_ENDIAN: _NATIVE,
        ts.EXPLICIT_VR_BIG_ENDIAN: _NATIVE,
        ts.DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN: _NATIVE,
        ts.PAPYRUS_3_IMPLICIT_VR_LITTLE_ENDIAN: Codec(decode=native.decode),
        ts.GE_PRIVATE_IMPLICIT_VR_BIG_ENDIAN_PIXELS: Codec(decode=native.decode),
        ts.ENCAPSULATED_UNCOMPRESSED_EXPLICIT_VR_LITTLE_ENDIAN: _NATIVE,
        ts.DEFLATED_IMAGE_FRAME_COMPRESSION: Codec(
            decode=deflated.decode, encode=deflated.encode, is_packed=True
        ),
        ts.RLE_LOSSLESS: Codec(decode=rle.decode, encode=rle.encode, is_packed=True),
        ts.JPEG_BASELINE_8BIT: Codec(
            decode=jpeg.decode,
            encode=jpeg.encode_lossy,
            is_lossy=True,
            method="ISO_10918_1",
            bits=8,
        ),
        ts.JPEG_EXTENDED_12BIT: Codec(
            decode=jpeg.decode,
            encode=jpeg.encode_lossy,
            is_lossy=True,
            method="ISO_10918_1",
            bits=12,
        ),
        # Retired: spectral selection and full progression, as the library has them.
        "1.2.840.10008.1.2.4.53": _JPEG,
        "1.2.840.10008.1.2.4.55": _JPEG,
        ts.JPEG_LOSSLESS: Codec(decode=jpeg.decode, encode=jpeg.encode_lossless, bits=16),
        ts.JPEG_LOSSLESS_SV1: Codec(decode=jpeg.decode, encode=jpeg.encode_lossless, bits=16),
        ts.JPEG_LS_LOSSLESS: Codec(decode=jpeg_ls.decode, encode=jpeg_ls.encode, bits=16),
        ts.JPEG_LS_NEAR_LOSSLESS: Codec(
            decode=jpeg_ls.decode,
            encode=jpeg_ls.encode,
            is_lossy=True,
            method="ISO_14495_1",
            bits=16,
        ),
        ts.JPEG_2000_LOSSLESS: Codec(
            decode=jpeg_2000.decode, encode=jpeg_2000.encode, bits=24, is_packed=True
        ),
        ts.JPEG_2000: Codec(
            decode=jpeg_2000.decode,
            encode=jpeg_2000.encode,
            is_lossy=True,
            method="ISO_15444_1",
            bits=16,
        ),
        ts.JPEG_2000_MC_LOSSLESS: _J2K,
        ts.JPEG_2000_MC: _J2K,
        ts.HTJ2K_LOSSLESS: Codec(
            decode=jpeg_2000.decode, encode=jpeg_2000.encode_high_throughput, bits=16
        ),
        ts.HTJ2K_LOSSLESS_RPCL: Codec(
            decode=jpeg_2000.decode, encode=jpeg_2000.encode_high_throughput, bits=16
        ),
        ts.HTJ2K: _J2K,
        ts.JPEG_XL_LOSSLESS: Codec(decode=jpeg_xl.decode, encode=jpeg_xl.encode, bits=16),
        ts.JPEG_XL_JPEG_RECOMPRESSION: _JPEG_XL,
        ts.JPEG_XL: _JPEG_XL,
        **dict.fromkeys(sorted(video.TRANSFER_SYNTAXES), _VIDEO),
    }
)
