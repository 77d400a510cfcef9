"""Disks that fail, fill up, run out of inodes or turn read-only, and a database without room (faults 4, 5, 6).

Each time: what cannot be kept is refused (A700, 503), what is kept is given back meanwhile, ``/readyz`` names the
cause, and the service goes on alone when the fault is gone; nothing is half there.
"""

import contextlib
import hashlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

CT = "1.2.840.10008.5.1.4.1.1.2"
EXPLICIT = "1.2.840.10008.1.2.1"
STUDY, SERIES = "2.25.8800", "2.25.8801"
OBJECT = {"Accept": "application/dicom; transfer-syntax=*"}


@dataclass(frozen=True)
class Thing:
    """What ``stranger.store`` needs of an object."""

    data_set: bytes
    sop_instance_uid: str
    name: str = "it"
    sop_class_uid: str = CT
    transfer_syntax_uid: str = EXPLICIT


def image(hostile: Any, number: int, *, length: int = 1 << 16) -> Thing:
    """An object of about this length."""
    uid = f"2.25.{8_810_000 + number}"
    rows = hostile.identity(
        sop_class=CT, sop_instance=uid, study=STUDY, series=SERIES, patient_id="DISK"
    )
    pixels = hashlib.sha256(uid.encode()).digest() * (length // 32)
    rows.append((0x7FE00010, hostile.element(0x7FE00010, "OW", pixels)))
    return Thing(b"".join(part for _, part in sorted(rows)), uid)


def read(archive: Any, thing: Thing) -> int:
    """Read an object back. Returns: the status; 200 only when the bytes are the same."""
    answer = archive.client().get(
        f"studies/{STUDY}/series/{SERIES}/instances/{thing.sop_instance_uid}", headers=OBJECT
    )
    assert answer.status_code != 200 or answer.content.endswith(thing.data_set)
    return int(answer.status_code)


def stow(archive: Any, thing: Thing) -> int:
    """Send an object by STOW-RS. Returns: the status."""
    meta = b"".join(
        (number + value + (b"\0" if len(value) % 2 else b""))
        for number, value in (
            (_head(0x0002, b"UI", thing.sop_class_uid), thing.sop_class_uid.encode()),
            (_head(0x0003, b"UI", thing.sop_instance_uid), thing.sop_instance_uid.encode()),
            (_head(0x0010, b"UI", EXPLICIT), EXPLICIT.encode()),
        )
    )
    group = b"\x02\x00\x00\x00UL\x04\x00" + len(meta).to_bytes(4, "little") + meta
    part = bytes(128) + b"DICM" + group + thing.data_set
    body = b"--x\r\nContent-Type: application/dicom\r\n\r\n" + part + b"\r\n--x--\r\n"
    answer = archive.client(token=archive.sender).post(
        "studies",
        content=body,
        headers={"Content-Type": 'multipart/related; type="application/dicom"; boundary=x'},
    )
    return int(answer.status_code)


def _head(element: int, vr: bytes, value: str) -> bytes:
    length = len(value) + len(value) % 2
    return b"\x02\x00" + element.to_bytes(2, "little") + vr + length.to_bytes(2, "little")


def cause(archive: Any) -> str:
    """What ``/readyz`` says when it is red."""
    answer = httpx.get(f"{archive.url}/readyz", timeout=15)
    assert answer.status_code == 503, answer.text
    return answer.text


def eventually(what: Callable[[], object], *, within_s: float) -> None:
    """Until something holds."""
    deadline = time.monotonic() + within_s
    while not what():
        assert time.monotonic() < deadline, f"not within {within_s} s"
        time.sleep(0.2)


@contextlib.contextmanager
def small_file_system(path: Path, options: str) -> Iterator[Path]:
    """A tmpfs, gone afterwards."""
    if os.geteuid() != 0:
        pytest.skip("NOT ROOT: a small file system cannot be mounted")
    path.mkdir(parents=True, exist_ok=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(path)], check=False
    )
    if mounted.returncode:
        pytest.skip("CANNOT MOUNT a tmpfs here")
    try:
        yield path
    finally:
        subprocess.run(["umount", "-l", str(path)], check=False)


def fill(path: Path) -> Path:
    """Take every byte of a file system. Returns: the file to remove."""
    filler = path / "filler"
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(bytes(1 << 16)):
            pass
    return filler


def start(start_archive: Callable[..., Any], folder: Path, settings: str, **options: Any) -> Any:
    """A server with settings of its own, a sender's token beside the radiologist's."""
    (folder / "data").mkdir(parents=True, exist_ok=True)
    (folder / "data" / "negatoscope.toml").write_text(settings)
    archive = start_archive(folder, **options)
    archive.sender = archive.create_token("tech", "technologist")
    return archive


def test_a_volume_that_cannot_take_more(
    start_archive: Callable[..., Any], tmp_path: Path, stranger: Any, hostile: Any
) -> None:
    """Really full (no watermark warns), out of inodes, read-only: refused, named, and over when it is over."""
    with small_file_system(tmp_path / "small", "size=64m,nr_inodes=40") as volume:
        archive = start(
            start_archive,
            tmp_path / "archive",
            f'segment_idle_s = 0.5\n[[volumes]]\nname = "small"\npath = "{volume}/main"\n'
            "low_watermark_bytes = 0\n",
        )

        def send(number: int, **how: Any) -> int:
            return int(stranger.store(archive, [image(hostile, number, **how)])["it"])

        assert send(1) == 0x0000

        # Full: the write itself fails, in the middle of an object.
        filler = fill(volume)
        refused = image(hostile, 2, length=1 << 20)
        assert send(2, length=1 << 20) == 0xA700
        assert stow(archive, refused) in (409, 503)
        assert read(archive, image(hostile, 1)) == 200
        assert read(archive, refused) == 404
        filler.unlink()
        assert send(2, length=1 << 20) == 0x0000
        assert read(archive, refused) == 200
        assert stow(archive, image(hostile, 3)) == 200

        # Out of inodes.
        files = []
        with contextlib.suppress(OSError):
            while True:
                file = volume / f"inode{len(files)}"
                file.touch()
                files.append(file)
        assert send(4) == 0xA700
        assert stow(archive, image(hostile, 4)) in (409, 503)
        assert "no volume takes new objects" in cause(archive)
        assert "volume small" in archive.run("doctor", check=False).stdout
        assert read(archive, image(hostile, 3)) == 200
        for file in files:
            file.unlink()
        assert send(4) == 0x0000

        # Read-only, once no segment is open for writing any more.
        def remounted(how: str) -> bool:
            done = subprocess.run(
                ["mount", "-o", f"remount,{how}", str(volume)], capture_output=True, check=False
            )
            return done.returncode == 0

        eventually(lambda: remounted("ro"), within_s=20)
        assert send(5) == 0xA700
        assert stow(archive, image(hostile, 5)) in (409, 503)
        assert "no volume takes new objects" in cause(archive)
        assert read(archive, image(hostile, 4)) == 200
        assert remounted("rw")
        assert send(5) == 0x0000
        eventually(
            lambda: httpx.get(f"{archive.url}/readyz", timeout=15).status_code == 200, within_s=10
        )
        assert {read(archive, image(hostile, n)) for n in (1, 3, 4, 5)} == {200}
        archive.run("verify")
        assert archive.stop() == 0


def test_a_flush_that_fails_once(
    start_archive: Callable[..., Any],
    tmp_path: Path,
    stranger: Any,
    hostile: Any,
    program: Callable[[str], str],
) -> None:
    """EIO from the kernel's own fdatasync: A700, an alarm, the segment is left, the next object is taken."""
    strace = program("strace")
    archive = start(start_archive, tmp_path, "")
    things = [image(hostile, number) for number in range(10, 14)]
    association = stranger.associate(archive, things)
    assert stranger.send(association, things[0]) == 0x0000
    tracers = []
    for process in psutil.Process(archive.process.pid).children(recursive=True):
        if "postgres" in process.name():
            continue
        tracer = subprocess.Popen(
            [
                *(strace, "-f", "-qq", "-p", str(process.pid), "-o", str(tmp_path / f"trace{process.pid}")),
                *("-e", "trace=fdatasync", "-e", "inject=fdatasync:error=EIO:when=1"),
            ],
            stderr=subprocess.PIPE,
        )  # fmt: skip
        tracers.append((process.pid, tracer))
    try:
        time.sleep(1.0)
        if any(tracer.poll() is not None for _, tracer in tracers):
            pytest.skip("CANNOT TRACE here")
        status = stranger.send(association, things[1])
    finally:
        for _, tracer in tracers:
            tracer.send_signal(signal.SIGINT)
            tracer.communicate(timeout=20)
    injected = "".join((tmp_path / f"trace{pid}").read_text() for pid, _ in tracers)
    assert "EIO (Input/output error) (INJECTED)" in injected
    assert status == 0xA700
    assert stranger.send(association, things[2]) == 0x0000
    association.release()
    assert [read(archive, thing) for thing in things[:3]] == [200, 404, 200]
    administrator = archive.create_token("root", "administrator")
    waiting = httpx.get(
        f"{archive.url}/api/v1/tasks", headers={"Authorization": f"Bearer {administrator}"}
    ).json()
    assert [task["kind"] for task in waiting] == ["flush-failed"]
    assert stranger.store(archive, [things[1], things[3]])["it"] == 0x0000
    assert [read(archive, thing) for thing in things] == [200] * 4
    archive.run("verify")
    assert archive.stop() == 0


def test_a_database_without_room(
    start_archive: Callable[..., Any], tmp_path: Path, stranger: Any, hostile: Any
) -> None:
    """Its file system is full: refused, ``/readyz`` red with the cause; it goes on alone when there is room."""
    with small_file_system(tmp_path / "archive" / "data", "size=320m") as data:
        archive = start(
            start_archive,
            tmp_path / "archive",
            f'[[volumes]]\nname = "large"\npath = "{tmp_path}/large"\nlow_watermark_bytes = 0\n',
        )
        first = image(hostile, 20)
        assert stranger.store(archive, [first]) == {"it": 0x0000}
        filler = fill(data)
        statuses: dict[int, int] = {}
        acknowledged = [first]
        deadline = time.monotonic() + 60
        number = 21
        while time.monotonic() < deadline:
            thing = image(hostile, number, length=1 << 12)
            with contextlib.suppress(AssertionError, OSError):
                status = stranger.store(archive, [thing])["it"]
                statuses[status] = statuses.get(status, 0) + 1
                if status == 0x0000:
                    acknowledged.append(thing)
                if status == 0xA700:
                    break
            number += 1
        assert set(statuses) <= {0x0000, 0xA700}, statuses
        said = cause(archive)
        assert "database" in said
        filler.unlink()
        late = image(hostile, 20_000)

        def taken() -> bool:
            with contextlib.suppress(AssertionError, OSError):
                return bool(stranger.store(archive, [late])["it"] == 0x0000)
            return False

        eventually(taken, within_s=60)
        eventually(
            lambda: {read(archive, thing) for thing in [*acknowledged[-50:], late]} == {200},
            within_s=15,
        )
        archive.run("verify")
        assert archive.stop() == 0
