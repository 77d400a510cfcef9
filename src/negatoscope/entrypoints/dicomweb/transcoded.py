"""Which transfer syntax a client gets that does not take the stored one (PS3.18 §8.7.3.5).

The stored bytes are given whenever they are accepted. Who names ``application/dicom`` or
``application/octet-stream`` without a transfer syntax asks for Explicit VR Little Endian, and gets
a compressed object decoded (of a video, its frames only); ``*/*`` and ``transfer-syntax=*`` leave the choice to us: as stored.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from negatoscope.domain.archive.stored import StoredInstance
from negatoscope.domain.viewing.pixels import PixelsBusy
from negatoscope.domain.viewing.transcoding import TranscodingFailed, can_transcode
from negatoscope.entrypoints.dicomweb.media_types import (
    DICOM,
    OCTET_STREAM,
    MediaRange,
    frame_media_type,
)
from negatoscope.entrypoints.web.problems import Problem
from negatoscope.protocols.dicom.pixel.errors import (
    EndOfVideo,
    InvalidDescription,
    NotEncodable,
    PixelError,
    UnsupportedTransferSyntax,
)
from negatoscope.standard import transfer_syntaxes as ts
from negatoscope.standard.transfer_syntaxes import transfer_syntax

DEFAULT_SYNTAXES: Mapping[str, str] = MappingProxyType(
    {
        OCTET_STREAM: ts.EXPLICIT_VR_LITTLE_ENDIAN,
        "image/jpeg": ts.JPEG_LOSSLESS_SV1,
        "image/dicom-rle": ts.RLE_LOSSLESS,
        "image/jls": ts.JPEG_LS_LOSSLESS,
        "image/jp2": ts.JPEG_2000_LOSSLESS,
        "image/jphc": ts.HTJ2K_LOSSLESS,
        "image/jxl": ts.JPEG_XL_LOSSLESS,
    }
)
"""Of a frame's media type without ``transfer-syntax`` (PS3.18 table 8.7.3-5)."""


def object_syntax(ranges: Sequence[MediaRange], stored_uid: str) -> str | None:
    """The transfer syntax in which an object is given; None when no accepted one can be."""
    wanted = [one for one in ranges if one.covers(DICOM)]
    if any(one.transfer_syntax in ("*", stored_uid) for one in wanted):
        return stored_uid
    for one in wanted:
        syntax = one.transfer_syntax
        if syntax is None:
            explicit = ts.EXPLICIT_VR_LITTLE_ENDIAN
            is_open = one.content_type != DICOM
            stored = transfer_syntax(stored_uid)
            if is_open or not stored.is_encapsulated or stored.is_video:
                return stored_uid  # a video decoded is some hundred times as long: only if asked
            return explicit if can_transcode(stored_uid, explicit) else stored_uid
        if can_transcode(stored_uid, syntax):
            return syntax
    return None


def frame_syntax(one: MediaRange, stored: StoredInstance) -> tuple[str, str] | None:
    """Media type and transfer syntax of transcoded frames for one accepted range, if any."""
    media_type = one.content_type
    syntax = one.transfer_syntax
    if media_type not in DEFAULT_SYNTAXES:
        if "*" in media_type and syntax not in (None, "*"):
            media_type = frame_media_type(syntax or "")
        else:
            return None
    if syntax in (None, "*"):
        syntax = DEFAULT_SYNTAXES[media_type]
    if media_type != OCTET_STREAM and frame_media_type(syntax or "") != media_type:
        return None
    if syntax is None or not can_transcode(stored.transfer_syntax_uid, syntax):
        return None
    return media_type, syntax


def problem_of_pixels(error: PixelError | PixelsBusy | TranscodingFailed) -> Problem:
    """What a failure to decode or encode is on this wire."""
    if isinstance(error, PixelsBusy):
        return Problem("busy", detail=str(error), retry_after_s=5)
    if isinstance(error, EndOfVideo):
        return Problem("frame-not-found", detail=f"{error}.")
    cause = error.__cause__ if isinstance(error, TranscodingFailed) else error
    if isinstance(cause, (UnsupportedTransferSyntax, NotEncodable, InvalidDescription)):
        return Problem("transfer-syntax-not-available", detail=f"{error}.")
    return Problem("pixels-unreadable", detail=f"{error}.")
