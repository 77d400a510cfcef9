"""Frames of the minimal lower layer protocol."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from negatoscope.protocols.hl7v2 import FrameReader, FrameTooLong, framed

messages = st.lists(
    st.binary(min_size=1, max_size=40).filter(lambda b: b"\x1c" not in b), max_size=6
)


@given(messages, st.lists(st.integers(1, 9), max_size=30))
def test_frames_survive_any_segmentation(expected: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(map(framed, expected))
    reader = FrameReader()
    found: list[bytes] = []
    for cut in cuts:
        found += reader.feed(stream[:cut])
        stream = stream[cut:]
    found += reader.feed(stream)
    assert found == expected
    assert not reader.is_inside


def test_what_lies_between_frames_is_dropped() -> None:
    reader = FrameReader()
    assert reader.feed(b"noise\x0bone\x1c\r\n\x0btwo\x1c\x0bthree\x1c\r") == [
        b"one",
        b"two",
        b"three",
    ]
    assert reader.dropped_bytes > 5


@pytest.mark.parametrize("data", [b"\x0b" + b"x" * 101, b"\x0b" + b"x" * 101 + b"\x1c\r"])
def test_a_message_too_long(data: bytes) -> None:
    with pytest.raises(FrameTooLong):
        FrameReader(max_bytes=100).feed(data)


def test_noise_without_a_start_is_not_kept() -> None:
    reader = FrameReader(max_bytes=10)
    for _ in range(100):
        assert reader.feed(b"y" * 1000) == []
    assert reader.dropped_bytes == 100_000
