"""Segment files: append, crash, seal."""

import os
import subprocess
from pathlib import Path

import pytest

from negatoscope.infra.storage import tar
from negatoscope.infra.storage.errors import VolumeFull, WriteFailed
from negatoscope.infra.storage.posix.segment import SegmentFile


def _add(segment: SegmentFile, name: str, content: bytes) -> None:
    segment.begin(content[:3])
    segment.write(content[3:])
    segment.finish(name=name, mtime_s=1, comment={"kind": "dcm"})
    segment.sync()
    segment.accept()


def test_members_come_back_in_order_and_whole(tmp_path: Path) -> None:
    """What was appended is scanned with its offset and size."""
    segment = SegmentFile.create(tmp_path / "v/segments/01AB/01AB.tar")
    _add(segment, "a.dcm", b"abcdef")
    _add(segment, "b.dcm", b"x" * 1025)

    seen = [(m.header.name, m.header.size) for m in segment.scan()]

    assert [("README.txt", 771), ("a.dcm", 6), ("b.dcm", 1025)][1:] == seen[1:]
    for member in segment.scan():
        content = os.pread(segment.descriptor, member.header.size, member.content_offset)
        assert len(content) == member.header.size


def test_a_member_begun_and_not_finished_is_not_there(tmp_path: Path) -> None:
    """The file as a crash leaves it: the unfinished member is invisible, and cut when the segment is adopted."""
    path = tmp_path / "v/segments/01AB/01AB.tar"
    segment = SegmentFile.create(path)
    _add(segment, "a.dcm", b"abcdef")
    segment.begin(b"half a file")
    segment.write(b"and more")
    segment.close()

    adopted = SegmentFile.adopt(path)
    assert adopted is not None
    members = list(adopted.scan())

    assert ["README.txt", "a.dcm"] == [m.header.name for m in members]
    last = members[-1]
    adopted.cut(last.content_offset + last.header.size + tar.padding(last.header.size))
    _add(adopted, "c.dcm", b"next")
    assert ["README.txt", "a.dcm", "c.dcm"] == [m.header.name for m in adopted.scan()]


def test_rollback_leaves_no_trace(tmp_path: Path) -> None:
    """An aborted member, even a finished one, is cut off and the next takes its place."""
    segment = SegmentFile.create(tmp_path / "v/segments/01AB/01AB.tar")
    before = segment.end
    segment.begin(b"abc")
    segment.finish(name="a.dcm", mtime_s=1, comment={})
    segment.rollback()

    assert before == segment.end == segment.file_length()
    assert ["README.txt"] == [m.header.name for m in segment.scan()]


def test_two_processes_never_hold_one_segment(tmp_path: Path) -> None:
    """The lock of the living writer keeps a second one out."""
    path = tmp_path / "v/segments/01AB/01AB.tar"
    segment = SegmentFile.create(path)

    assert SegmentFile.adopt(path) is None
    segment.close()
    assert SegmentFile.adopt(path) is not None


def test_a_sealed_segment_is_a_plain_tar(tmp_path: Path) -> None:
    """The system's own tar lists it without a word on stderr."""
    path = tmp_path / "v/segments/01AB/01AB.tar"
    segment = SegmentFile.create(path)
    _add(segment, "a.dcm", b"abcdef")
    segment.entries.append("00\t1\t6\t0\ta.dcm\n")
    length = segment.seal()
    segment.close()

    listed = subprocess.run(["tar", "-tf", path], capture_output=True, text=True, check=True)
    assert ["README.txt", "a.dcm", "MANIFEST.tsv"] == listed.stdout.split()
    assert listed.stderr == ""
    assert length == path.stat().st_size


def test_members_written_over_prepared_zeros_are_like_others(tmp_path: Path) -> None:
    """The file keeps its length while members come; a killed writer leaves a tar that ends after the last one."""
    path = tmp_path / "v/segments/01AB/01AB.tar"
    segment = SegmentFile.create(path)
    segment.prepare(3 << 20)
    ready = segment.file_length()
    assert segment.is_prepared
    _add(segment, "a.dcm", b"abcdef")
    _add(segment, "b.dcm", b"x" * 1025)
    end = segment.end
    segment.begin(b"half a file")
    assert segment.file_length() == ready == segment.prepared
    segment.close()

    listed = subprocess.run(["tar", "-tf", path], capture_output=True, text=True, check=True)
    assert ["README.txt", "a.dcm", "b.dcm"] == listed.stdout.split()
    adopted = SegmentFile.adopt(path)
    assert adopted is not None
    assert ["README.txt", "a.dcm", "b.dcm"] == [m.header.name for m in adopted.scan()]
    adopted.cut(end)
    assert adopted.file_length() == end


def test_sealing_and_rolling_back_drop_prepared_zeros(tmp_path: Path) -> None:
    """Nothing of a member that was cut off lies behind the next one, and a sealed segment is as long as its row says."""
    path = tmp_path / "v/segments/01AB/01AB.tar"
    segment = SegmentFile.create(path)
    segment.prepare(2 << 20)
    segment.begin(b"what is not wanted" * 1000)
    segment.finish(name="a.dcm", mtime_s=1, comment={"kind": "dcm"})
    segment.rollback()
    assert segment.file_length() == segment.end
    assert not segment.is_prepared

    segment.prepare(2 << 20)
    _add(segment, "b.dcm", b"abcdef")
    length = segment.seal()
    assert length == path.stat().st_size < 1 << 20
    listed = subprocess.run(["tar", "-tf", path], capture_output=True, text=True, check=True)
    assert ["README.txt", "b.dcm", "MANIFEST.tsv"] == listed.stdout.split()


def test_a_member_longer_than_what_is_prepared_goes_on_behind(tmp_path: Path) -> None:
    """The zeros end inside it."""
    segment = SegmentFile.create(tmp_path / "v/segments/01AB/01AB.tar")
    segment.prepare(1 << 20)
    content = os.urandom((1 << 20) + 77)
    segment.begin(content[:100_000])
    segment.write_back()
    segment.write(content[100_000:])
    segment.write_back()
    segment.finish(name="a.dcm", mtime_s=1, comment={"kind": "dcm"})
    segment.sync()
    segment.accept()
    _add(segment, "b.dcm", b"next")

    _, first, second = segment.scan()
    assert content == os.pread(segment.descriptor, first.header.size, first.content_offset)
    assert second.header.name == "b.dcm"
    assert not segment.is_prepared


def test_no_space_is_volume_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """ENOSPC is told apart from a failing device."""
    segment = SegmentFile.create(tmp_path / "v/segments/01AB/01AB.tar")
    segment.begin(b"")
    full = os.open("/dev/full", os.O_WRONLY)
    os.dup2(full, segment.descriptor)
    with pytest.raises((VolumeFull, WriteFailed)):
        segment.write(b"x" * 4096)
    os.close(full)
