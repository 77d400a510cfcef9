"""How much one frame may cost."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class PixelLimits:
    """Bounds of one frame. Beyond one of them `PixelLimitExceeded` is raised, before the work is done.

    Attributes:
        frame_bytes: Samples of one decoded frame. The largest mammograms and scanned films have
            some 60 MB; whole slides are tiled.
        expansion: Decoded bytes for each byte of a code stream, once beyond `free_bytes`. Real
            images stay far below; a blank 16-bit JPEG 2000 tile of 4096 pixels reaches 100,000.
        free_bytes: A decoded frame up to this size may come from any number of bytes.
        jpeg_scans: Scans of one progressive JPEG: each is a pass over all coefficients.
        tiles: Tiles of one JPEG 2000 code stream: each has its own decoder state.
        code_stream_headers: Marker segments of one code stream.
        video_frames: Pictures decoded to reach the one asked for.
        video_packets: Packets of a video that are looked at; some 19 hours at 30 pictures a second.
    """

    frame_bytes: int = 512 << 20
    expansion: int = 20_000
    free_bytes: int = 32 << 20
    jpeg_scans: int = 100
    tiles: int = 65_535
    code_stream_headers: int = 100_000
    video_frames: int = 20_000
    video_packets: int = 2_000_000


DEFAULT_LIMITS: Final = PixelLimits()
