"""The multipart parser: any chunking gives the same parts, bad bodies a typed error."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from negatoscope.entrypoints.dicomweb.multipart import (
    MAX_HEADER_BYTES,
    MAX_OUTSIDE_BYTES,
    MultipartError,
    MultipartParser,
    PartBegin,
    PartData,
    PartEnd,
    TooManyParts,
    closing,
    new_boundary,
    part_head,
)

BODY = (
    b"preamble\r\n--b0\r\nContent-Type: application/dicom\r\n\r\nfirst\r\n--b"
    b"\r\n--b0 \t\r\n\r\n\r\n--b0\r\nA: 1\r\nB: 2\r\n and more\r\n\r\n\r\r\n\r\n--b0-- \r\nepilogue"
)
PARTS = [
    ({"content-type": "application/dicom"}, b"first\r\n--b"),
    ({}, b""),
    ({"a": "1", "b": "2 and more"}, b"\r\r\n"),
]


def read(chunks, boundary="b0", max_parts=100):
    """Every whole part of a body given in chunks, and the parser."""
    parser = MultipartParser(boundary, max_parts=max_parts)
    parts, headers, data = [], {}, b""
    for chunk in chunks:
        for event in parser.feed(chunk):
            match event:
                case PartBegin(headers):
                    data = b""
                case PartData(piece):
                    assert len(piece) > 0
                    data += piece
                case PartEnd():
                    parts.append((dict(headers), data))
    return parts, parser


def test_reads_a_body_in_one_piece():
    """Preamble, padding, empty parts, folded headers and epilogue are read as RFC 2046 says."""
    parts, parser = read([BODY])
    assert parts == PARTS
    assert parser.is_complete


def test_reads_a_body_byte_by_byte():
    """The worst chunking gives the same parts."""
    parts, parser = read([BODY[i : i + 1] for i in range(len(BODY))])
    assert parts == PARTS
    assert parser.is_complete


@settings(max_examples=60, deadline=None)
@given(
    payloads=st.lists(
        st.lists(st.sampled_from([b"\r", b"\n", b"-", b"--", b"\r\n--xyzz", b"a"])).map(b"".join),
        max_size=4,
    ),
    seed=st.integers(0, 2**32),
)
def test_what_is_written_is_read(payloads, seed):
    """Any content that has no delimiter survives any cutting of the stream."""
    body = b"".join(part_head(b"xyz9", b"a/b") + payload for payload in payloads) + closing(b"xyz9")
    generator, chunks, position = random.Random(seed), [], 0
    while position < len(body):
        size = generator.randint(1, 9)
        chunks.append(body[position : position + size])
        position += size
    parts, parser = read(chunks, "xyz9")
    assert [data for _, data in parts] == payloads
    assert parser.is_complete


def test_a_cut_body_leaves_its_last_part_open():
    """Whole parts are given, the last one has no end."""
    parts, parser = read([BODY[: BODY.index(b"first") + 3]])
    assert parts == []
    assert parser.is_in_part
    assert not parser.is_complete


def test_memory_does_not_depend_on_the_part():
    """Nothing but a possible piece of the delimiter is kept between chunks."""
    parser = MultipartParser("b0", max_parts=1)
    parser.feed(b"--b0\r\n\r\n")
    for _ in range(20):
        parser.feed(bytes(1 << 20) + b"\r\n-")
        assert len(parser._buffer) <= 6


@pytest.mark.parametrize("boundary", ["", "x" * 71, "é", 'a"b', "a\r\nb", "a ", "a\0b"], ids=repr)
def test_a_bad_boundary_is_refused(boundary):
    """RFC 2046 §5.1.1 says what a boundary is."""
    with pytest.raises(MultipartError):
        MultipartParser(boundary, max_parts=1)


@pytest.mark.parametrize(
    "body",
    [
        b"x" * (MAX_OUTSIDE_BYTES + 100),
        b"--b0garbage\r\n\r\n",
        b"--b0\r\n" + b"A: " + b"x" * MAX_HEADER_BYTES,
        b"--b0\r\nno colon\r\n\r\n",
        b"--b0\r\n" + b"A: 1\r\n" * 100 + b"\r\n",
        b"--b0--" + b"x" * (MAX_OUTSIDE_BYTES + 100),
        b"--b0" + b" " * 300,
    ],
    ids=["other boundary", "after boundary", "long header", "no colon", "headers", "tail", "pad"],
)
def test_a_bad_body_is_refused(body):
    """Everything that is kept has a bound."""
    with pytest.raises(MultipartError):
        read([body])


def test_too_many_parts_are_refused():
    """The parts before the limit are given."""
    parser = MultipartParser("b0", max_parts=2)
    events = []
    with pytest.raises(TooManyParts):
        parser.feed_into(b"--b0\r\n\r\nx\r\n" * 3, events)
    assert sum(isinstance(event, PartEnd) for event in events) == 2


def test_new_boundaries_are_boundaries():
    """Ours pass our own parser."""
    MultipartParser(new_boundary(), max_parts=1)
