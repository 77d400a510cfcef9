"""The softcopy pipeline step by step, each against the equation or table of PS3.3."""

import base64

import numpy as np
import pytest

from negatoscope.protocols.dicom.pixel.display import (
    DisplayOptions,
    IccChoice,
    InvalidWindow,
    PresentationState,
    VoiFunction,
    Window,
    display_frame,
)
from negatoscope.protocols.dicom.pixel.display.color import cielab_to_rgb
from negatoscope.protocols.dicom.pixel.display.errors import InvalidLut
from negatoscope.protocols.dicom.pixel.display.icc import profile_bytes
from negatoscope.protocols.dicom.pixel.display.palette import expand_segments

RAMP = np.arange(4096, dtype=np.uint16).reshape(64, 64)


def attributes(**more: object) -> dict:
    """A 12-bit monochrome image; keys are tags written X00281050."""
    found = {"00280101": {"vr": "US", "Value": [12]}}
    for tag, value in more.items():
        if isinstance(value, bytes):
            found[tag[1:]] = {"vr": "OW", "InlineBinary": base64.b64encode(value).decode()}
        else:
            found[tag[1:]] = {"vr": "UN", "Value": value if isinstance(value, list) else [value]}
    return found


def shown(data_set: dict, samples: np.ndarray = RAMP, photometric: str = "MONOCHROME2", **options):
    """The pixels of the picture."""
    found = display_frame(samples, photometric, data_set, options=DisplayOptions(**options))
    return found.pixels


def test_linear_sigmoid_and_exact_differ_as_the_equations_do() -> None:
    """PS3.3 §C.11.2.1.2.1, §C.11.2.1.3.1, §C.11.2.1.3.2 at center and edges."""
    window = {"X00281050": 2048, "X00281051": 1000}
    linear = shown(attributes(**window)).ravel()
    assert (linear[1548], linear[2547]) == (0, 255)
    exact = shown(attributes(**window, X00281056="LINEAR_EXACT")).ravel()
    assert (exact[1548], exact[2048], exact[2548]) == (0, 128, 255)
    sigmoid = shown(attributes(**window, X00281056="SIGMOID")).ravel()
    assert sigmoid[2048] in (127, 128)
    assert sigmoid[2548] == round(255 / (1 + np.exp(-2)))
    with pytest.raises(InvalidWindow):
        Window(center=0, width=0.5)
    assert Window(center=0, width=0.5, function=VoiFunction.SIGMOID).width == 0.5


def test_monochrome1_is_white_at_the_bottom() -> None:
    """PS3.3 §C.7.6.3.1.2; a shape that says IDENTITY wins."""
    window = {"X00281050": 2048, "X00281051": 4096}
    assert shown(attributes(**window), photometric="MONOCHROME1")[0, 0] == 255
    identity = attributes(**window, X20500020="IDENTITY")
    assert shown(identity, photometric="MONOCHROME1")[0, 0] == 0


def test_padding_is_background_and_leaves_the_automatic_window_alone() -> None:
    """PS3.3 §C.7.5.1.1.2."""
    samples = np.full((64, 64), 100, np.int16)
    samples[:32] = -2000
    samples[40:, :] = 200
    picture = shown(attributes(X00280120=-2000), samples)
    assert (picture[:32] == 0).all()
    assert picture[35, 0] == 0
    assert picture[50, 0] == 255


def test_a_frame_has_the_values_of_its_own_functional_groups() -> None:
    """PS3.3 §C.7.6.16: per-frame before shared before the top."""
    item = {"vr": "SQ", "Value": [{"00281050": {"vr": "DS", "Value": [100]},
                                   "00281051": {"vr": "DS", "Value": [201]}}]}  # fmt: skip
    data_set = attributes(X00281050=2048, X00281051=4096)
    data_set["52009230"] = {"vr": "SQ", "Value": [{}, {"00289132": item}]}
    first = display_frame(RAMP, "MONOCHROME2", data_set, frame=1).pixels
    second = display_frame(RAMP, "MONOCHROME2", data_set, frame=2).pixels
    assert first.ravel()[200] < 20
    assert second.ravel()[200] == 255


def test_segments_expand() -> None:
    """PS3.3 §C.7.9.2: discrete, linear, indirect; hostile ones end."""
    words = np.array([0, 2, 10, 20, 1, 4, 60, 2, 1, 0, 0], np.uint16)
    assert expand_segments(words, 8).tolist() == [10, 20, 30, 40, 50, 60, 10, 20]
    with pytest.raises(InvalidLut):
        expand_segments(np.array([2, 9, 0, 0], np.uint16), 256)
    with pytest.raises(InvalidLut):
        expand_segments(np.array([0, 9, 1], np.uint16), 256)
    loop = np.array([0, 1, 7, 2, 65535, 6, 0], np.uint16)
    with pytest.raises(InvalidLut):
        expand_segments(loop, 65536)


def test_overlays_are_drawn_packed_embedded_and_of_their_frame() -> None:
    """PS3.3 §C.9.2."""
    window = {"X00281050": 5000, "X00281051": 100}
    bits = np.zeros((2, 64, 64), np.uint8)
    bits[1, 3, 5] = 1
    packed = np.packbits(bits.ravel(), bitorder="little").tobytes()
    data_set = attributes(
        **window, X60000010=64, X60000011=64, X60000015=2, X60000050=[1, 1], X60003000=packed
    )
    first = display_frame(RAMP, "MONOCHROME2", data_set, frame=1).pixels
    second = display_frame(RAMP, "MONOCHROME2", data_set, frame=2).pixels
    assert first.max() == 0
    assert np.argwhere(second).tolist() == [[3, 5]]
    embedded = attributes(**window, X60020010=64, X60020011=64, X60020102=15)
    raw = RAMP.copy()
    raw[7, 9] |= 0x8000
    picture = display_frame(RAMP, "MONOCHROME2", embedded, raw=raw).pixels
    assert np.argwhere(picture).tolist() == [[7, 9]]


def test_shutters_hide() -> None:
    """PS3.3 §C.7.6.11: rows and columns from 1, several shapes together."""
    white = {"X00281050": -5000, "X00281051": 100}
    rectangle = {"X00181602": 11, "X00181604": 20, "X00181606": 5, "X00181608": 8}
    picture = shown(attributes(**white, X00181600="RECTANGULAR", **rectangle))
    assert (picture == 255).sum() == 10 * 4
    assert picture[4, 10] == 255
    circle = shown(attributes(**white, X00181600="CIRCULAR", X00181610=[32, 32], X00181612=10))
    assert abs((circle == 255).sum() - np.pi * 100) < 12
    triangle = shown(attributes(**white, X00181600="POLYGONAL", X00181620=[1, 1, 1, 64, 64, 1]))
    assert abs((triangle == 255).sum() - 64 * 64 / 2) < 70


def test_a_presentation_state_turns_windows_and_draws() -> None:
    """PS3.4 §N.2: window of the state, rotation clockwise, then the flip; text and shapes on top."""
    window = {"00281050": {"vr": "DS", "Value": [2048]}, "00281051": {"vr": "DS", "Value": [4096]}}
    state = {
        "00283110": {"vr": "SQ", "Value": [window]},
        "00700042": {"vr": "US", "Value": [90]},
        "00700041": {"vr": "CS", "Value": ["N"]},
    }
    read = PresentationState.read(state, "1.2.3")
    turned = shown(attributes(X00281050=10, X00281051=10), state=read)
    plain = shown(attributes(X00281050=2048, X00281051=4096))
    assert (turned == np.rot90(plain, -1)).all()
    shape = {
        "00700005": {"vr": "CS", "Value": ["PIXEL"]},
        "00700023": {"vr": "CS", "Value": ["POLYLINE"]},
        "00700022": {"vr": "FL", "Value": [1.0, 10.0, 64.0, 10.0]},
    }
    state["00700001"] = {"vr": "SQ", "Value": [{"00700009": {"vr": "SQ", "Value": [shape]}}]}
    drawn = shown(attributes(), state=PresentationState.read(state, "1.2.3"))
    colored = np.argwhere(drawn[..., 0] != drawn[..., 2])
    assert set(colored[:, 1]) == {54}  # row 10 becomes the tenth column from the right


def test_cielab_of_white_and_black() -> None:
    """PS3.3 §C.10.7.1.1."""
    assert cielab_to_rgb((65535, 0x8080, 0x8080)) == (255, 255, 255)
    assert cielab_to_rgb((0, 0x8080, 0x8080)) == (0, 0, 0)


def test_floats_and_thirty_two_bits_are_shown() -> None:
    """No table is made for them; what is not finite is dark."""
    samples = np.linspace(-1, 1, 4096, dtype=np.float32).reshape(64, 64)
    samples[0, 0] = np.nan
    picture = shown(attributes(), samples)
    assert picture.max() == 255
    wide = shown(attributes(X00280101=32), (RAMP.astype(np.uint32) << 18))
    assert wide.ravel()[-1] == 255


def test_segmentation_colors() -> None:
    """PS3.3 §C.8.20.2: the recommended colour of the segment."""
    red = {"00620004": {"vr": "US", "Value": [1]},
           "0062000D": {"vr": "US", "Value": [34885, 53485, 50171]}}  # fmt: skip
    data_set = attributes(X00620001="BINARY")
    data_set["00620002"] = {"vr": "SQ", "Value": [red]}
    samples = np.zeros((4, 4), np.uint8)
    samples[1, 1] = 1
    picture = shown(data_set, samples)
    assert picture[1, 1, 0] > 200
    assert picture[1, 1, 2] < 60
    assert picture[0, 0].max() == 0


def test_a_pseudo_color_state_colors_the_whole_range() -> None:
    """PS3.3 §A.33.4: the palette is applied after the VOI LUT."""
    table = np.zeros(256, np.uint16)
    table[-1] = 0xFFFF
    state = attributes(
        X00281101=[256, 0, 16],
        X00281102=[256, 0, 16],
        X00281103=[256, 0, 16],
        X00281201=table.astype("<u2").tobytes(),
        X00281202=bytes(512),
        X00281203=bytes(512),
    )
    state["00283110"] = {
        "vr": "SQ",
        "Value": [
            {"00281050": {"vr": "DS", "Value": [100]}, "00281051": {"vr": "DS", "Value": [100]}}
        ],
    }
    picture = shown(attributes(), state=PresentationState.read(state, "1.2.3"))
    assert picture.reshape(-1, 3)[-1].tolist() == [255, 0, 0]
    assert picture.reshape(-1, 3)[0].tolist() == [0, 0, 0]


def test_the_profile_of_a_color_state_replaces_the_images() -> None:
    """PS3.3 §A.33.2, §C.11.15: the state says in which colour space its colours are."""
    own, states = profile_bytes(IccChoice.ADOBE_RGB), profile_bytes(IccChoice.DISPLAY_P3)
    image = attributes(X00282000=own)
    options = DisplayOptions(icc=IccChoice.YES)
    colors = np.zeros((8, 8, 3), np.uint8)
    assert display_frame(colors, "RGB", image, options=options).profile == own
    state = PresentationState.read(attributes(X00282000=states), "1.2.3")
    options = DisplayOptions(icc=IccChoice.YES, state=state)
    assert display_frame(colors, "RGB", image, options=options).profile == states
