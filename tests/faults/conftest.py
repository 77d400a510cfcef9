"""A process that is killed at the n-th system call, and the oracle that looks at what it left."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from io import BytesIO
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset
from pydicom.filebase import DicomIO
from pydicom.filewriter import write_dataset

from negatoscope.domain.archive import Archive, ArchiveSettings, Source, SourceKind, Volume
from negatoscope.infra.db import Database
from negatoscope.infra.storage import tar
from negatoscope.infra.storage.posix.segment import scan

CT = "1.2.840.10008.5.1.4.1.1.2"
EXPLICIT = "1.2.840.10008.1.2.1"
_NUMBERS = count(1)


def ct(**changes: Any) -> tuple[str, bytes]:
    """A small CT image of a study of its own, or of the one named. Returns: SOP Instance UID, data set."""
    number = next(_NUMBERS)
    data_set = Dataset()
    values: dict[str, Any] = {
        "SOPClassUID": CT,
        "SOPInstanceUID": f"2.25.{10**30 + number}",
        "StudyDate": "20240105",
        "Modality": "CT",
        "PatientName": "Fault^Tested",
        "PatientID": f"F{number}",
        "StudyInstanceUID": f"2.25.{10**31 + number}",
        "InstanceNumber": 1,
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "Rows": 16,
        "Columns": 16,
        "BitsAllocated": 16,
        "BitsStored": 12,
        "HighBit": 11,
        "PixelRepresentation": 0,
        **changes,
    }
    values.setdefault("SeriesInstanceUID", f"{values['StudyInstanceUID']}.1")
    for keyword, value in values.items():
        setattr(data_set, keyword, value)
    data_set.add_new(0x7FE00010, "OW", number.to_bytes(4, "little") * 128)
    buffer = BytesIO()
    encoder = DicomIO(buffer)
    encoder.is_little_endian, encoder.is_implicit_VR = True, False
    write_dataset(encoder, data_set)
    return str(data_set.SOPInstanceUID), buffer.getvalue()


@dataclass
class Run:
    """What became of one order.

    Attributes:
        acknowledged: What the victim answered for, in order.
        killed: Whether it was killed.
        calls: System calls of the watched thread after the start signal, when they were traced.
    """

    acknowledged: list[dict[str, Any]] = field(default_factory=list)
    killed: bool = False
    calls: list[str] = field(default_factory=list)


class Victim:
    """Gives orders to ``victim.py`` and kills who obeys, at a system call."""

    def __init__(self, strace: str, folder: Path) -> None:
        self._strace = strace
        self._folder = folder
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("victim.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=(folder / "victim.log").open("wb"),
            bufsize=0,
        )

    def _say(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line.encode() + b"\n")

    def _hear(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, (self._folder / "victim.log").read_text()
        return dict(json.loads(line))

    def run(self, order: dict[str, Any], *, at: tuple[str, int] | None, calls: str = "none") -> Run:
        """Have it done.

        Args:
            at: The system call, and its how-manieth of the watched thread, before which SIGKILL comes.
            calls: Without ``at``: which system calls to list.
        """
        result = Run()
        self._say(json.dumps(order))
        while "ready" not in (heard := self._hear()):
            assert "acknowledged" in heard, heard
            result.acknowledged.append(heard)
        trace = self._folder / "trace"
        what = (
            [f"trace={at[0]}", "-e", f"inject={at[0]}:signal=KILL:when={at[1]}"]
            if at
            else [f"trace={calls}"]
        )
        tracer = subprocess.Popen(
            [self._strace, "-p", str(heard["ready"]), "-o", str(trace), "-e", *what],
            stderr=subprocess.PIPE,
        )
        assert tracer.stderr is not None
        attached = tracer.stderr.readline().decode()
        if "attached" not in attached:
            pytest.skip(f"CANNOT TRACE here: {attached.strip()}")
        self._say("go")
        while "ended" not in (heard := self._hear()):
            assert "acknowledged" in heard or "answered" in heard, heard
            result.acknowledged.append(heard)
        result.killed = heard["ended"] == -9
        assert result.killed or heard["ended"] == 0, (self._folder / "victim.log").read_text()
        tracer.communicate(timeout=30)
        if at is None:
            result.calls = re.findall(r"^(\w+)\(", trace.read_text(), re.MULTILINE)
        return result

    def close(self) -> None:
        """No more orders."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(10)


@pytest.fixture(scope="session")
def victim(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Victim]:
    """Who is killed; needs strace."""
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("NO STRACE: install the Debian package strace")
    made = Victim(strace, tmp_path_factory.mktemp("victim"))
    yield made
    made.close()


def crash_points(calls: list[str], wanted: int) -> list[tuple[str, int]]:
    """(system call, its number) in the order in which they happened; ``wanted`` of them, the ends included.

    Args:
        wanted: 0 for all.
    """
    seen: Counter[str] = Counter()
    points = []
    for name in calls:
        seen[name] += 1
        points.append((name, seen[name]))
    if not wanted or wanted >= len(points):
        return points
    step = (len(points) - 1) / (wanted - 1)
    return [points[round(position * step)] for position in range(wanted)]


class Scene:
    """A volume and an index that victims work on, and the invariants of the archive."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database = database
        self.folder = folder
        self.volume = Volume(name="main", path=folder / "volume", low_watermark_bytes=0)
        self.settings = ArchiveSettings(settle_idle_s=0)

    def order(self, do: str, **what: Any) -> dict[str, Any]:
        """An order for a victim."""
        return {
            "do": do, "database_url": self.database.url, "volume": str(self.volume.path), **what,
        }  # fmt: skip

    def write(self, data: bytes) -> str:
        """Data for a victim to read. Returns: the path."""
        path = self.folder / f"{hashlib.sha256(data).hexdigest()}.bin"
        path.write_bytes(data)
        return str(path)

    def open(self) -> Archive:
        """As a process that starts: with recovery, orphans included whatever their age."""
        archive = Archive(database=self.database, volumes=[self.volume], settings=self.settings)
        for path in self.files():
            os.utime(path, (1, 1))
        archive.recovery.adopt_orphans()
        return archive

    def store(self, archive: Archive, uid: str, data: bytes) -> str:
        """Store an object. Returns: the kind of its outcome."""
        source = Source(kind=SourceKind.DIMSE, calling_ae_title="CT1", peer="127.0.0.1")
        with archive.open_session(source) as session:
            ingest = session.begin(
                sop_class_uid=CT, sop_instance_uid=uid, transfer_syntax_uid=EXPLICIT
            )
            ingest.write(data)
            return str(ingest.commit().kind)

    def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """Straight from the index."""
        with self.database.connection() as connection:
            return connection.execute(sql, values).fetchall()

    def files(self) -> list[Path]:
        """Every segment file."""
        return sorted(self.volume.path.rglob("*.tar"))

    def digest(self, uid: str) -> bytes | None:
        """Of the data set of the current version as it lies in its segment; None when there is no row."""
        found = self.rows(
            "SELECT g.name, segment_offset, size, data_set_offset FROM instance i "
            "JOIN segment g ON g.id = i.segment_fk WHERE sop_instance_uid = %s",
            uid,
        )
        return hashlib.sha256(self._data_set(*found[0])).digest() if found else None

    def _data_set(self, name: str, offset: int, size: int, data_set_offset: int) -> bytes:
        with self.volume.segment_path(name).open("rb") as segment:
            segment.seek(offset + data_set_offset)
            return segment.read(size - data_set_offset)

    def check(self) -> None:
        """The invariants, when no archive is open: every row has its object with its digest, every object its row
        or is counted as dead, counts are right, every segment is sealed and whole, no other file is there."""
        rows = self.rows(
            "SELECT g.name, segment_offset, size, data_set_offset, sha256, sop_instance_uid FROM instance i "
            "JOIN segment g ON g.id = i.segment_fk UNION ALL "
            "SELECT g.name, segment_offset, size, (record->>'dso')::smallint, sha256, sop_instance_uid FROM set_aside a "
            "JOIN segment g ON g.id = a.segment_fk"
        )
        for name, offset, size, dso, sha256, uid in rows:
            digest = hashlib.sha256(self._data_set(name, offset, size, dso)).digest()
            assert digest == bytes(sha256), f"{uid}: row without its object"
        pointed = {(row[0], row[1]) for row in rows}
        segments = {
            row[0]: row[1:]
            for row in self.rows(
                "SELECT name, state, length, member_count, dead_bytes FROM segment"
            )
        }
        for path in self.files():
            assert path.stem in segments, "a segment without row"
            state, length, member_count, dead_bytes = segments[path.stem]
            assert state == "SEALED"
            assert path.stat().st_size == length
            assert path.stat().st_mode & 0o222 == 0
            with path.open("rb") as opened:
                members = list(scan(opened.fileno(), length=length))
                opened.seek(length - len(tar.END_OF_ARCHIVE))
                assert opened.read() == tar.END_OF_ARCHIVE
            assert [m.header.name for m in members].count("MANIFEST.tsv") == 1
            assert members[-1].header.name == "MANIFEST.tsv"
            assert len(members) - 2 == member_count
            unpointed = [
                tar.HEADER_BYTES + m.header.size + tar.padding(m.header.size)
                for m in members
                if m.header.comment.get("kind") == "dcm"
                and (path.stem, m.content_offset) not in pointed
            ]
            assert sum(unpointed) <= dead_bytes, f"{len(unpointed)} objects without row, not dead"
        gone = {name for name, row in segments.items() if row[0] == "DELETED"}
        assert gone == set(segments) - {path.stem for path in self.files()}
        assert self.rows(
            "SELECT s.study_instance_uid, s.instance_count, e.instance_count FROM study s JOIN series e ON e.study_fk = s.id "
            "WHERE e.instance_count <> (SELECT count(*) FROM instance i WHERE i.series_fk = e.id) "
            "OR s.instance_count <> (SELECT count(*) FROM instance i JOIN series x ON x.id = i.series_fk WHERE x.study_fk = s.id)"
        ) == []  # fmt: skip
        assert self.rows(
            "SELECT 1 FROM series e LEFT JOIN segment g ON g.id = e.metadata_segment "
            "WHERE e.metadata_segment IS NOT NULL AND (g.state <> 'SEALED' OR e.metadata_offset + e.metadata_length > g.length)"
        ) == []  # fmt: skip
        others = [p for p in self.volume.path.rglob("*") if p.is_file() and p.suffix != ".tar"]
        assert others == []


@pytest.fixture
def scene(database: Database, tmp_path: Path) -> Scene:
    """An empty archive for victims."""
    return Scene(database, tmp_path)


@pytest.fixture(scope="session")
def make_ct() -> Callable[..., tuple[str, bytes]]:
    """``ct``."""
    return ct


@pytest.fixture(scope="session")
def choose_points() -> Callable[[list[str], int], list[tuple[str, int]]]:
    """``crash_points``."""
    return crash_points
