"""From decoded frames to pictures: the softcopy pipelines of PS3.4 Annex N, without I/O."""

from negatoscope.protocols.dicom.pixel.display.errors import (
    DisplayError,
    InvalidViewport,
    InvalidWindow,
    NotDisplayable,
)
from negatoscope.protocols.dicom.pixel.display.geometry import Viewport
from negatoscope.protocols.dicom.pixel.display.icc import IccChoice
from negatoscope.protocols.dicom.pixel.display.pipeline import (
    BlendingInput,
    DisplayOptions,
    Picture,
    display_blended,
    display_frame,
)
from negatoscope.protocols.dicom.pixel.display.state import PresentationState
from negatoscope.protocols.dicom.pixel.display.voi import VoiFunction, Window

__all__ = [
    "BlendingInput",
    "DisplayError",
    "DisplayOptions",
    "IccChoice",
    "InvalidViewport",
    "InvalidWindow",
    "NotDisplayable",
    "Picture",
    "PresentationState",
    "Viewport",
    "VoiFunction",
    "Window",
    "display_blended",
    "display_frame",
]
