"""What can be wrong with pixels. Nothing else is raised for what a peer sent.

    PixelError
    ├── InvalidDescription          attributes that describe no image, or contradict each other
    ├── UnsupportedTransferSyntax   no codec here for it
    ├── NotEncodable                samples that this transfer syntax cannot hold
    ├── CorruptFrame                a code stream that is damaged, ends early or is not what the attributes say
    │   └── EndOfVideo              a picture behind the last one of a video
    └── PixelLimitExceeded          it asks for more than one frame may cost

`code` is stable and goes over process borders and into problem documents; messages carry numbers
and attribute names, never a value that could identify a patient.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar


class PixelError(Exception):
    """Base of everything that reading or writing pixels raises.

    Attributes:
        reason: What is wrong, for a log and a problem document.
    """

    code: ClassVar[str] = "pixel-error"

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class InvalidDescription(PixelError):
    """The attributes of the Image Pixel module describe no image (PS3.3 §C.7.6.3)."""

    code = "invalid-description"


class UnsupportedTransferSyntax(PixelError):
    """No codec here reads, or writes, this transfer syntax."""

    code = "unsupported-transfer-syntax"


class NotEncodable(PixelError):
    """The transfer syntax cannot hold these samples (PS3.5 §8.2, §A.4)."""

    code = "not-encodable"


class CorruptFrame(PixelError):
    """The bytes are no whole code stream, or not one of the image that the attributes describe."""

    code = "corrupt-frame"


class EndOfVideo(CorruptFrame):
    """A picture behind the last one of a video, whatever Number of Frames (0028,0008) says.

    Attributes:
        count: Pictures that there are; 0 when not known.
    """

    code = "end-of-video"

    def __init__(self, reason: str, count: int = 0) -> None:
        super().__init__(reason)
        self.count = count


class PixelLimitExceeded(PixelError):
    """Decoding would cost more than `PixelLimits` allow."""

    code = "pixel-limit-exceeded"


#: By `code`, to raise again what a worker process raised.
PIXEL_ERRORS: Mapping[str, type[PixelError]] = MappingProxyType(
    {
        kind.code: kind
        for kind in (
            PixelError,
            InvalidDescription,
            UnsupportedTransferSyntax,
            NotEncodable,
            CorruptFrame,
            EndOfVideo,
            PixelLimitExceeded,
        )
    }
)
