"""Headers of segment members."""

import io
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from negatoscope.infra.storage import tar


@given(
    name=st.from_regex(r"\A[A-Z0-9]{26}\.dcm\Z"),
    size=st.integers(0, 1 << 45),
    mtime_s=st.integers(0, 1 << 32),
    calling=st.text(max_size=16),
)
def test_a_header_reads_back_as_written(name: str, size: int, mtime_s: int, calling: str) -> None:
    """Any size and sender survive the round trip, 8 GiB and more included."""
    header = tar.MemberHeader(name=name, size=size, mtime_s=mtime_s, comment={"calling": calling})

    assert header == tar.decode_header(tar.encode_header(header))


def test_any_tar_reads_it() -> None:
    """Python's tarfile, which shares no code with ours, lists and extracts the member."""
    header = tar.MemberHeader(
        name="01ABC.dcm", size=5, mtime_s=1_700_000_000, comment={"é": "\n=\\"}
    )
    archive = tar.encode_header(header) + b"hello".ljust(512, b"\0") + tar.END_OF_ARCHIVE
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        member = opened.getmember("01ABC.dcm")
        extracted = opened.extractfile(member)

        assert extracted is not None
        assert extracted.read() == b"hello"
        assert member.mtime == 1_700_000_000


def test_size_of_eight_gibibytes_is_seen_by_tarfile() -> None:
    """The pax size record is where POSIX wants it."""
    header = tar.MemberHeader(name="01ABC.dcm", size=9 << 30, mtime_s=0, comment={})
    with tarfile.open(fileobj=io.BytesIO(tar.encode_header(header) + bytes(512))) as opened:
        assert opened.next().size == 9 << 30  # type: ignore[union-attr]


@given(position=st.integers(0, 1535), flip=st.integers(1, 255))
def test_a_flipped_byte_never_passes_for_another_member(position: int, flip: int) -> None:
    """A damaged header is refused, or differs in nothing but the comment that the digest does not protect."""
    header = tar.MemberHeader(name="01ABC.dcm", size=1234, mtime_s=99, comment={"sha256": "00"})
    blocks = bytearray(tar.encode_header(header))
    blocks[position] ^= flip
    try:
        read = tar.decode_header(bytes(blocks))
    except tar.BadHeader:
        return
    assert read is None or (read.name, read.size) == (header.name, header.size)


def test_zeros_are_the_end() -> None:
    """A hole left by an unfinished member reads as the end of the archive."""
    assert tar.decode_header(bytes(1536)) is None


def test_names_of_peers_are_refused() -> None:
    """Only names that we make become member names."""
    with pytest.raises(ValueError, match="not a member name"):
        tar.encode_header(tar.MemberHeader(name="a\0b", size=0, mtime_s=0, comment={}))
