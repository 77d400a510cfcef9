"""Zip archives that lie, bomb, climb or nest are refused in bounded time and memory."""

import struct
import zipfile
from pathlib import Path

import pytest

from negatoscope.domain.archive.importing.zips import (
    ZipLimits,
    ZipRefused,
    check_member,
    is_zip,
    member_chunks,
    open_zip,
)

LIMITS = ZipLimits(max_members=100, max_ratio=50, max_member_bytes=64 << 20)


def make_zip(path: Path, members: dict[str, bytes]) -> Path:
    """A deflated zip archive."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def read(path: Path, name: str) -> bytes:
    """All chunks of one member."""
    archive = open_zip(path, LIMITS)
    return b"".join(member_chunks(archive, archive.getinfo(name), 1000))


def test_members_come_out_in_pieces(tmp_path: Path) -> None:
    """The bytes are those that went in."""
    path = make_zip(tmp_path / "a.zip", {"x/y.dcm": b"abc" * 5000})
    assert is_zip(path.read_bytes()[:4])
    assert read(path, "x/y.dcm") == b"abc" * 5000


def test_too_many_members_are_refused_before_the_directory_is_read(tmp_path: Path) -> None:
    """The count is taken from the end record."""
    path = make_zip(tmp_path / "a.zip", {str(number): b"" for number in range(101)})
    with pytest.raises(ZipRefused, match="101 members"):
        open_zip(path, LIMITS)


def test_an_end_record_that_claims_less_is_no_way_around(tmp_path: Path) -> None:
    """The true count is checked again."""
    path = make_zip(tmp_path / "a.zip", {str(number): b"" for number in range(101)})
    content = bytearray(path.read_bytes())
    at = content.rfind(b"PK\x05\x06")
    content[at + 8 : at + 12] = struct.pack("<HH", 1, 1)
    path.write_bytes(content)
    with pytest.raises(ZipRefused):
        open_zip(path, LIMITS)


def test_a_bomb_is_refused_by_its_ratio(tmp_path: Path) -> None:
    """16 MiB of zeros in 16 KiB."""
    path = make_zip(tmp_path / "a.zip", {"bomb": bytes(16 << 20)})
    archive = open_zip(path, LIMITS)
    with pytest.raises(ZipRefused, match="50 times"):
        check_member(archive.getinfo("bomb"), LIMITS)


def test_a_bomb_that_lies_about_its_size_stops_there(tmp_path: Path) -> None:
    """The directory says 1,000 bytes; inflating ends at 1,000 bytes, not at 16 MiB."""
    path = make_zip(tmp_path / "a.zip", {"bomb": bytes(16 << 20)})
    archive = open_zip(path, LIMITS)
    member = archive.getinfo("bomb")
    member.file_size = 1000
    check_member(member, LIMITS)
    taken: list[int] = []
    with pytest.raises(ZipRefused):
        taken.extend(map(len, member_chunks(archive, member, 4096)))
    assert sum(taken) <= 1001


@pytest.mark.parametrize(
    "name", ["../x.dcm", "a/../../x.dcm", "/etc/x.dcm", "..\\x.dcm", "C:/x.dcm", "\\x"]
)
def test_names_that_leave_the_archive_are_refused(tmp_path: Path, name: str) -> None:
    """Nothing is ever extracted, but no honest medium has such a name."""
    path = make_zip(tmp_path / "a.zip", {name: b"x"})
    archive = open_zip(path, LIMITS)
    with pytest.raises(ZipRefused, match="leaves the archive"):
        check_member(archive.infolist()[0], LIMITS)


def test_symbolic_links_are_refused(tmp_path: Path) -> None:
    """A member whose Unix mode says link."""
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        link = zipfile.ZipInfo("link")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(ZipRefused, match="symbolic link"):
        check_member(open_zip(path, LIMITS).infolist()[0], LIMITS)


def test_encrypted_members_are_refused(tmp_path: Path) -> None:
    """We have no password to give."""
    path = make_zip(tmp_path / "a.zip", {"x": b"x"})
    member = open_zip(path, LIMITS).infolist()[0]
    member.flag_bits |= 1
    with pytest.raises(ZipRefused, match="encrypted"):
        check_member(member, LIMITS)


def test_a_cut_archive_is_refused(tmp_path: Path) -> None:
    """Without its directory there is nothing to trust."""
    path = make_zip(tmp_path / "a.zip", {"x": b"abc" * 1000})
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(ZipRefused, match="cut short"):
        open_zip(path, LIMITS)


def test_a_damaged_member_is_refused(tmp_path: Path) -> None:
    """The CRC of the archive is checked."""
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x", b"abc" * 1000)
    content = bytearray(path.read_bytes())
    content[200] ^= 1
    path.write_bytes(content)
    with pytest.raises(ZipRefused, match="cannot be read"):
        read(path, "x")
