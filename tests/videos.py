"""Videos whose pictures tell their number."""

import io
from functools import cache

import av
import numpy as np

ROWS, COLUMNS, BITS = 64, 160, 10
_BAR = COLUMNS // BITS


@cache
def numbered_video(container: str, codec: str, count: int, *, gop: int = 30) -> bytes:
    """A stream with two pictures between those others depend on; the first is number 1."""
    out = io.BytesIO()
    with av.open(out, "w", format=container) as target:
        stream = target.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = COLUMNS, ROWS, "yuv420p"
        stream.codec_context.gop_size, stream.codec_context.max_b_frames = gop, 2
        if codec == "libx265":
            stream.options = {"x265-params": f"log-level=none:keyint={gop}:pools=1"}
        for number in range(1, count + 1):
            image = np.zeros((ROWS, COLUMNS, 3), "u1")
            for bit in range(BITS):
                image[:, bit * _BAR : (bit + 1) * _BAR] = 255 * (number >> bit & 1)
            target.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        target.mux(stream.encode())
    return out.getvalue()


def number_in(image: np.ndarray) -> int:
    """The number that a picture shows."""
    return sum(
        int(image[:, bit * _BAR + 4 : (bit + 1) * _BAR - 4].mean() > 128) << bit
        for bit in range(BITS)
    )
