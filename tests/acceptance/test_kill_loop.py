"""kill -9 while images arrive, again and again: what was acknowledged is there, with its digest.

A cycle stores from two associations at once, kills at a random instant, waits until the service is back
(the test starts it again when the supervisor itself was killed), then reads every object of the cycle:

- acknowledged: readable, same bytes;
- sent but not acknowledged: there with the same bytes, or not there; never half;
- after the last cycle: as many rows as objects, every digest right.

``NEGATOSCOPE_KILL_CYCLES`` says how many; the random seed is printed, and taken from
``NEGATOSCOPE_KILL_SEED``, so that a failure can be had again.
"""

import hashlib
import itertools
import os
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from pydicom.dataset import Dataset
from pydicom.filebase import DicomIO
from pydicom.filewriter import write_dataset

CYCLES = int(os.environ.get("NEGATOSCOPE_KILL_CYCLES", "50"))
SEED = int(os.environ.get("NEGATOSCOPE_KILL_SEED", "0")) or random.SystemRandom().randrange(
    1, 1 << 32
)
pytestmark = [pytest.mark.slow, pytest.mark.timeout(max(900, CYCLES * 20))]

CT = "1.2.840.10008.5.1.4.1.1.2"
EXPLICIT = "1.2.840.10008.1.2.1"
SENDERS = 2
PIXEL_BYTES = 64 << 10
BACK_WITHIN_S = 15.0
"""The service is back alone, with everything, within this time (fault table, row 1)."""


def template() -> tuple[bytes, str]:
    """A small CT image and the SOP Instance UID to be replaced in it."""
    uid = f"2.25.{10**37}"
    data_set = Dataset()
    data_set.SOPClassUID = CT
    data_set.SOPInstanceUID = uid
    data_set.StudyInstanceUID = "2.25.4711"
    data_set.SeriesInstanceUID = "2.25.4712"
    data_set.PatientID = "KILL"
    data_set.PatientName = "Killed^Often"
    data_set.PatientBirthDate = "19700101"
    data_set.PatientSex = "O"
    data_set.StudyDate = "20250101"
    data_set.StudyTime = "120000"
    data_set.AccessionNumber = "K1"
    data_set.StudyID = "1"
    data_set.ReferringPhysicianName = ""
    data_set.Modality = "CT"
    data_set.SeriesNumber = 1
    data_set.InstanceNumber = 1
    data_set.SamplesPerPixel = 1
    data_set.PhotometricInterpretation = "MONOCHROME2"
    data_set.Rows = 128
    data_set.Columns = PIXEL_BYTES // 256
    data_set.BitsAllocated = data_set.BitsStored = 16
    data_set.HighBit = 15
    data_set.PixelRepresentation = 0
    data_set.PixelData = random.Random(1).randbytes(PIXEL_BYTES)
    data_set["PixelData"].VR = "OW"
    buffer = BytesIO()
    encoder = DicomIO(buffer)
    encoder.is_little_endian, encoder.is_implicit_VR = True, False
    write_dataset(encoder, data_set)
    return buffer.getvalue(), uid


@dataclass(frozen=True)
class Thing:
    """What ``stranger.send`` needs of an object."""

    sop_instance_uid: str
    data_set: bytes
    sop_class_uid: str = CT
    transfer_syntax_uid: str = EXPLICIT


@dataclass
class Ledger:
    """What was sent, and what was acknowledged."""

    sent: dict[str, bytes] = field(default_factory=dict)
    acknowledged: set[str] = field(default_factory=set)


class Sender(threading.Thread):
    """Stores new objects until it is told to stop or its association dies."""

    def __init__(
        self, archive: Any, stranger: Any, make: Callable[[], Thing], ledger: Ledger
    ) -> None:
        super().__init__(daemon=True)
        self.archive, self.stranger, self.make, self.ledger = archive, stranger, make, ledger
        self.enough = threading.Event()
        self.unexpected: list[str] = []

    def run(self) -> None:
        """One association after the other, as long as they are accepted."""
        thing = self.make()
        try:
            association = self.stranger.associate(self.archive, [thing])
        except (AssertionError, OSError):
            return
        try:
            while not self.enough.is_set():
                self.ledger.sent[thing.sop_instance_uid] = hashlib.sha256(thing.data_set).digest()
                status = self.stranger.send(association, thing)
                if status == 0x0000:
                    self.ledger.acknowledged.add(thing.sop_instance_uid)
                elif status not in (0xA700, 0x0110):
                    self.unexpected.append(f"{status:04X}")
                thing = self.make()
        except (AssertionError, AttributeError, OSError, RuntimeError):
            pass  # the association died with the server
        finally:
            association.abort()


def family(process: psutil.Process) -> list[psutil.Process]:
    """The supervisor's children of ours, its database apart."""
    return [
        child
        for child in process.children(recursive=True)
        if child.is_running() and "postgres" not in child.name()
    ]


def kill(archive: Any, dice: random.Random) -> str:
    """SIGKILL somebody. Returns: whom."""
    supervisor = psutil.Process(archive.process.pid)
    whom = dice.choices(["child", "database", "all"], weights=[5, 3, 2])[0]
    everybody = supervisor.children(recursive=True)
    if whom == "child":
        victims = [dice.choice(family(supervisor) or [supervisor])]
    elif whom == "database":
        victims = [p for p in everybody if "postgres" in p.name()][:1] or everybody[:1]
    else:
        victims = [supervisor, *everybody]
    for victim in victims:
        try:
            victim.kill()
        except psutil.NoSuchProcess:
            continue
    if whom == "all" or supervisor in victims:
        archive.process.wait(10)
    return whom


def read(client: httpx.Client, uid: str) -> bytes | None:
    """The digest of an object as it is given back, or None when it is not there."""
    try:
        response = client.get(
            f"studies/2.25.4711/series/2.25.4712/instances/{uid}",
            headers={"Accept": "application/dicom; transfer-syntax=*"},
        )
    except httpx.TransportError:
        return None  # the killed process is not back yet
    if response.status_code == 404:
        return None
    if response.status_code == 503:
        return None  # not yet
    assert response.status_code == 200, f"{uid}: {response.status_code} {response.text[:200]}"
    content = response.content
    start = 144 + int.from_bytes(content[140:144], "little")
    return hashlib.sha256(content[start:]).digest()


def test_nothing_acknowledged_is_lost(
    start_archive: Callable[..., Any], stranger: Any, tmp_path: Path
) -> None:
    """The loop."""
    print(f"NEGATOSCOPE_KILL_SEED={SEED}, {CYCLES} cycles")
    dice = random.Random(SEED)
    encoded, placeholder = template()
    numbers = itertools.count(1)
    lock = threading.Lock()

    def make() -> Thing:
        with lock:
            uid = f"2.25.{10**37 + next(numbers)}"
        return Thing(uid, encoded.replace(placeholder.encode(), uid.encode()))

    archive = start_archive(tmp_path)
    everything = Ledger()
    slowest_s = 0.0
    for cycle in range(1, CYCLES + 1):
        ledger = Ledger()
        senders = [Sender(archive, stranger, make, ledger) for _ in range(SENDERS)]
        for sender in senders:
            sender.start()
        time.sleep(dice.uniform(0.05, 0.5))
        whom = kill(archive, dice)
        died = time.monotonic()
        for sender in senders:
            sender.enough.set()
        if archive.process.poll() is not None:
            token = archive.token
            archive = start_archive(tmp_path, configured=False)
            archive.token = token
        else:
            archive.wait_until_ready()
        back_s = time.monotonic() - died
        for sender in senders:
            sender.join(60)
            assert not sender.is_alive()
            assert sender.unexpected == [], f"cycle {cycle}, {whom} killed"
        for uid, digest in ledger.sent.items():
            got = read(archive.client(), uid)
            while (
                got is None
                and uid in ledger.acknowledged
                and time.monotonic() < died + BACK_WITHIN_S
            ):
                # The index has come back from a crash; what it lost is being read from the segments.
                time.sleep(0.1)
                got = read(archive.client(), uid)
                back_s = time.monotonic() - died
            told = f"cycle {cycle}, {whom} killed, seed {SEED}: {uid}"
            if uid in ledger.acknowledged:
                assert got == digest, f"{told} was acknowledged"
            else:
                assert got in (None, digest), f"{told} was not acknowledged, and is half there"
        slowest_s = max(slowest_s, back_s)
        everything.sent |= ledger.sent
        everything.acknowledged |= ledger.acknowledged
        print(
            f"{cycle}: {whom}, {len(ledger.acknowledged)} acknowledged, back after {back_s:.1f} s"
        )
    assert len(everything.acknowledged) > CYCLES
    rows: set[str] = set()
    while True:
        page = archive.client().get(
            "studies/2.25.4711/instances", params={"limit": 1000, "offset": len(rows)}
        )
        found = page.json() if page.status_code == 200 else []
        if not found:
            break
        rows |= {item["00080018"]["Value"][0] for item in found}
    assert everything.acknowledged <= rows <= set(everything.sent)
    archive.run("verify")
    print(
        f"{len(everything.acknowledged)} acknowledged, {len(rows)} kept, back after {slowest_s:.1f} s at most"
    )
    assert archive.stop() == 0
