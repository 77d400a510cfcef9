"""Bad input through the real wires: the standard's status or a problem document, soon, and the neighbours notice nothing.

Numbers are rows of the project's fault table.
"""

import contextlib
import os
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psutil
import pytest
from pynetdicom import AE
from pynetdicom.sop_class import Verification

pytestmark = pytest.mark.timeout(300)

WITHIN_S = 2.0
MEMORY_BYTES = 256 << 20
EXPLICIT = "1.2.840.10008.1.2.1"
CT = "1.2.840.10008.5.1.4.1.1.2"


@dataclass(frozen=True)
class Thing:
    """What ``stranger.send`` needs of an object."""

    data_set: bytes
    sop_instance_uid: str = "1.2.3.4"
    sop_class_uid: str = CT
    transfer_syntax_uid: str = EXPLICIT
    name: str = ""


def processes(archive: Any) -> list[psutil.Process]:
    """Our processes, the database's apart."""
    supervisor = psutil.Process(archive.process.pid)
    everybody = [supervisor, *supervisor.children(recursive=True)]
    return [process for process in everybody if "postgres" not in process.name()]


def echo(archive: Any) -> float:
    """How long a neighbour's association and C-ECHO take, seconds."""
    started = time.monotonic()
    entity = AE(ae_title="STRANGER")
    entity.add_requested_context(Verification)
    association = entity.associate(archive.host, archive.dicom_port, ae_title=archive.ae_title)
    assert association.is_established
    assert association.send_c_echo().Status == 0x0000
    association.release()
    return time.monotonic() - started


@pytest.fixture(autouse=True)
def unharmed(archive: Any) -> Iterator[None]:
    """After every test: the same processes, within their memory, and a neighbour is served at once."""
    before = {process.pid: process.memory_info().rss for process in processes(archive)}
    yield
    after = {process.pid: process.memory_info().rss for process in processes(archive)}
    assert set(after) == set(before)
    assert all(after[pid] - before[pid] < MEMORY_BYTES for pid in after)
    assert echo(archive) < WITHIN_S


def stow(archive: Any, part10: bytes) -> Any:
    """One part by STOW-RS."""
    return archive.client().post(
        "studies",
        content=b"--b\r\nContent-Type: application/dicom\r\n\r\n" + part10 + b"\r\n--b--\r\n",
        headers={"Content-Type": 'multipart/related; type="application/dicom"; boundary=b'},
    )


def part10(thing: Thing) -> bytes:
    """A Part 10 file around a data set."""

    def ui(element: int, text: str) -> bytes:
        value = text.encode() + b"\0" * (len(text) % 2)
        return struct.pack("<HH2sH", 2, element, b"UI", len(value)) + value

    meta = b"".join(
        (
            struct.pack("<HH2sHI", 2, 1, b"OB", 0, 2) + b"\0\1",
            ui(2, thing.sop_class_uid),
            ui(3, thing.sop_instance_uid),
            ui(0x10, thing.transfer_syntax_uid),
        )
    )
    group = struct.pack("<HH2sHI", 2, 0, b"UL", 4, len(meta))
    return bytes(128) + b"DICM" + group + meta + thing.data_set


def exists(archive: Any, uid: str) -> bool:
    """Whether the index knows an instance."""
    found = archive.client().get("instances", params={"SOPInstanceUID": uid})
    assert found.status_code in (200, 204), found.text[:300]
    return found.status_code == 200 and bool(found.json())


def good(hostile: Any, **who: str) -> Thing:
    """An object with nothing wrong."""
    data_set = b"".join(raw for _, raw in hostile.identity(**who))
    return Thing(data_set=data_set, sop_instance_uid=who.get("sop_instance", "1.2.3.4"))


# C. DICOM network


def connect(archive: Any) -> socket.socket:
    """A bare connection to the DICOM port."""
    sock = socket.create_connection((archive.host, archive.dicom_port), timeout=10)
    sock.settimeout(10)
    return sock


@pytest.mark.parametrize(
    "pdu",
    [
        pytest.param(b"\x01\x00\xff\xff\xff\xff\x00\x01", id="A-ASSOCIATE-RQ of 4 GiB"),
        pytest.param(
            b"\x04\x00\xff\xff\xff\xff" + bytes(64), id="P-DATA-TF before any association"
        ),
        pytest.param(b"\x99\x00\x00\x00\x00\x04" + bytes(4), id="unknown PDU type"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", id="HTTP on the DICOM port"),
    ],
)
def test_19_nonsense_is_aborted(archive: Any, pdu: bytes) -> None:
    """A-ABORT (or a closed connection) within two seconds; nothing is buffered."""
    with connect(archive) as sock:
        started = time.monotonic()
        with contextlib.suppress(OSError):
            sock.sendall(pdu)
            for _ in range(64):
                sock.sendall(bytes(65536))
        answer = b""
        with contextlib.suppress(ConnectionError):
            while chunk := sock.recv(4096):
                answer += chunk
        assert time.monotonic() - started < WITHIN_S + 2  # ours, and two to close (linger)
        assert answer == b"" or answer[0] == 0x07


def test_20_five_hundred_stalled_sockets(archive: Any) -> None:
    """Three bytes each and silence: a known modality is served as if they were not there."""
    with contextlib.ExitStack() as stack:
        for _ in range(500):
            sock = stack.enter_context(connect(archive))
            with contextlib.suppress(OSError):
                sock.sendall(b"\x01\x00\x00")
        assert max(echo(archive) for _ in range(5)) < WITHIN_S


def test_21_abort_in_the_middle_leaves_nothing(archive: Any, stranger: Any, hostile: Any) -> None:
    """The peer vanishes within a data set: no row, and the next object is taken."""
    thing = good(hostile, sop_instance="1.2.3.21")
    association = stranger.associate(archive, [thing])
    context = association.accepted_contexts[0].context_id
    command = (
        struct.pack("<HHI", 0, 2, 26) + CT.encode() + b"\0"
        + struct.pack("<HHIH", 0, 0x100, 2, 1) + struct.pack("<HHIH", 0, 0x110, 2, 7)
        + struct.pack("<HHIH", 0, 0x700, 2, 0) + struct.pack("<HHIH", 0, 0x800, 2, 1)
        + struct.pack("<HHI", 0, 0x1000, 8) + b"1.2.3.21"
    )  # fmt: skip
    command = struct.pack("<HHII", 0, 0, 4, len(command)) + command
    sock = association.dul.socket.socket

    def p_data(control: int, data: bytes) -> bytes:
        pdv = struct.pack(">IBB", len(data) + 2, context, control) + data
        return struct.pack(">BBI", 4, 0, len(pdv)) + pdv

    sock.sendall(p_data(3, command) + p_data(0, thing.data_set[:40]))
    time.sleep(0.2)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()
    association.kill()
    time.sleep(0.5)
    assert not exists(archive, "1.2.3.21")
    assert stranger.store(archive, [replace(thing, name="again")]) == {"again": 0x0000}


def test_22_one_greedy_ae_does_not_starve_another(archive: Any) -> None:
    """A hundred associations at once from one host: those above its quota are rejected, none hangs."""
    entity = AE(ae_title="STRANGER")
    entity.add_requested_context(Verification)
    outcomes = []

    def greedy() -> None:
        association = entity.associate(archive.host, archive.dicom_port, ae_title=archive.ae_title)
        outcomes.append(association.is_established)
        time.sleep(1)
        association.abort()

    threads = [threading.Thread(target=greedy) for _ in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(outcomes) == 100
    assert 10 <= sum(outcomes) <= 60


def test_24_command_and_data_set_disagree(archive: Any, stranger: Any, hostile: Any) -> None:
    """Another SOP Instance UID, or class, than announced: A900, and neither is kept."""
    thing = good(hostile, sop_instance="1.2.3.24")
    lying = replace(thing, sop_instance_uid="1.2.3.2424", name="instance")
    mr = replace(thing, sop_class_uid="1.2.840.10008.5.1.4.1.1.4", name="class")
    assert stranger.store(archive, [lying, mr]) == {"instance": 0xA900, "class": 0xA900}
    assert not exists(archive, "1.2.3.24")
    assert not exists(archive, "1.2.3.2424")


def test_25_26_same_object_from_many_at_once(archive: Any, stranger: Any, hostile: Any) -> None:
    """Eight senders, one object: eight successes, one instance."""
    thing = replace(good(hostile, sop_instance="1.2.3.26"), name="one")
    statuses: list[int] = []
    barrier = threading.Barrier(8)

    def send() -> None:
        association = stranger.associate(archive, [thing])
        barrier.wait(30)
        statuses.append(stranger.send(association, thing))
        association.release()

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert statuses == [0x0000] * 8
    found = archive.client().get("instances", params={"SOPInstanceUID": "1.2.3.26"}).json()
    assert len(found) == 1


def test_27_other_content_is_kept_aside(archive: Any, stranger: Any, hostile: Any) -> None:
    """The first stays, the second is answered with a warning, and a task waits."""
    who = {"sop_instance": "1.2.3.27", "study": "1.2.27.1", "series": "1.2.27.2"}
    first = replace(good(hostile, **who), name="first")
    changed = first.data_set + hostile.element(0x00204000, "LT", b"changed")
    second = replace(first, data_set=changed, name="second")
    assert stranger.store(archive, [first]) == {"first": 0x0000}
    assert stranger.store(archive, [second]) == {"second": 0xB000}
    path = "studies/1.2.27.1/series/1.2.27.2/instances/1.2.3.27"
    kept = archive.client().get(path, headers={"Accept": "application/dicom; transfer-syntax=*"})
    assert kept.content.endswith(first.data_set)


def test_28_another_patient_under_the_same_study(archive: Any, stranger: Any, hostile: Any) -> None:
    """Never merged: the study keeps its patient and its one instance."""
    who = {"study": "1.2.28.1", "series": "1.2.28.2"}
    right = replace(good(hostile, sop_instance="1.2.3.28.1", **who), name="right")
    wrong = replace(
        good(hostile, sop_instance="1.2.3.28.2", patient_id="SOMEBODY", **who), name="wrong"
    )
    assert stranger.store(archive, [right]) == {"right": 0x0000}
    assert stranger.store(archive, [wrong]) == {"wrong": 0xB000}
    (study,) = archive.client().get("studies", params={"StudyInstanceUID": "1.2.28.1"}).json()
    assert study["00100020"]["Value"] == ["HOSTILE"]
    assert study["00201208"]["Value"] == [1]
    assert not exists(archive, "1.2.3.28.2")


# D. Content


def test_32_hostile_uids(archive: Any, stranger: Any, hostile: Any) -> None:
    """Missing, with path separators, NUL, 65 characters…: refused, and no file has their name."""
    statuses = {}
    for name, value, data_set in hostile.hostile_uids():
        thing = Thing(data_set=data_set, name=f"{name}={value!r}")
        statuses |= stranger.store(archive, [thing])
    taken = {name for name, status in statuses.items() if status < 0xA000 and status != 0x0117}
    assert taken == set()
    files = [str(path) for path in archive.data_dir.parent.rglob("*")]
    assert not any("passwd" in path or "DROP" in path or path.endswith("/x") for path in files)


def test_33_to_36_hostile_data_sets(archive: Any, stranger: Any, hostile: Any) -> None:
    """Nesting, bombs, lying lengths: refused with a code of the statement, each within two seconds."""
    for bad in hostile.HOSTILE:
        thing = Thing(
            data_set=bad.make(), transfer_syntax_uid=bad.transfer_syntax_uid, name=bad.name
        )
        association = stranger.associate(archive, [thing])
        started = time.monotonic()
        status = stranger.send(association, thing)
        took_s = time.monotonic() - started
        association.release()
        assert 0xC000 <= status <= 0xCFFF or status in (0xA900, 0x0117), f"{bad.name}: {status:04X}"
        # pynetdicom itself needs some of it to encode megabytes of PDVs
        assert took_s < WITHIN_S + len(thing.data_set) / 10e6, f"{bad.name}: {took_s:.1f} s"
        answer = stow(archive, part10(thing))
        assert answer.status_code == 409, f"{bad.name}: {answer.status_code}"
        failed = answer.json()
        assert "00081198" in failed or "0008119A" in failed, bad.name


def test_38_lying_character_sets_are_stored_and_found(
    archive: Any, stranger: Any, hostile: Any
) -> None:
    """Bytes are kept; answers are valid JSON with replacement characters."""
    for number, data_set in enumerate(hostile.lying_text()):
        own_study = data_set.replace(b"1.2.3.4.2\0", f"1.2.38.{100 + number}".encode())
        thing = Thing(data_set=own_study, sop_instance_uid=f"1.2.3.5.{number}", name="text")
        assert stranger.store(archive, [thing]) == {"text": 0x0000}
        assert exists(archive, f"1.2.3.5.{number}")
    found = archive.client().get("studies", params={"PatientName": "*", "includefield": "all"})
    assert found.status_code == 200
    found.json()


def test_41_private_class_and_syntax(archive: Any, stranger: Any, hostile: Any) -> None:
    """A private SOP class in a private transfer syntax is stored and given back bit by bit."""
    who = {"sop_class": "1.3.46.670589.5.0.1", "sop_instance": "1.2.3.41"}
    thing = replace(
        good(hostile, study="1.2.41.1", series="1.2.41.2", **who),
        sop_class_uid=who["sop_class"],
        transfer_syntax_uid="1.2.752.24.3.7.6",
        name="private",
    )
    assert stranger.store(archive, [thing]) == {"private": 0x0000}
    back = archive.client().get(
        "studies/1.2.41.1/series/1.2.41.2/instances/1.2.3.41",
        headers={"Accept": "application/dicom; transfer-syntax=*"},
    )
    assert back.content.endswith(thing.data_set)


# E. Web


def post(archive: Any, body: bytes, **headers: str) -> Any:
    """A STOW-RS request with these headers."""
    default = {"Content-Type": 'multipart/related; type="application/dicom"; boundary=b'}
    return archive.client().post("studies", content=body, headers=default | headers)


@pytest.mark.parametrize(
    ("body", "content_type", "statuses"),
    [
        pytest.param(b"nothing", None, {400}, id="no boundary in the body"),
        pytest.param(
            b"x", "multipart/related; type=application/dicom", {400, 415}, id="no boundary"
        ),
        pytest.param(b"x", "text/plain", {415}, id="not multipart"),
        pytest.param(b"--b\r\n\r\n", None, {400, 409}, id="body ends in a part"),
        pytest.param(b"--b\r\n" + b"X: y\r\n" * 100_000, None, {400}, id="endless headers"),
        pytest.param(
            b"--b\r\nContent-Type: application/dicom\r\n\r\nMZ not DICOM\r\n--b--\r\n",
            None,
            {409},
            id="part is no Part 10 file",
        ),
    ],
)
def test_43_broken_multipart(
    archive: Any, body: bytes, content_type: str | None, statuses: set[int]
) -> None:
    """A problem document or a per-part result."""
    answer = post(archive, body, **({"Content-Type": content_type} if content_type else {}))
    assert answer.status_code in statuses, answer.text[:300]
    assert "json" in answer.headers["content-type"]


def test_43_client_gone_in_the_middle(archive: Any, hostile: Any) -> None:
    """What was whole is stored; the part under way leaves nothing."""
    whole, half = (good(hostile, sop_instance=f"1.2.3.43.{n}") for n in (1, 2))
    head = b"--b\r\nContent-Type: application/dicom\r\n\r\n"
    body = head + part10(whole) + b"\r\n" + head + part10(half)[:-20]
    with socket.create_connection((archive.host, archive.http_port), timeout=10) as sock:
        sock.sendall(
            b"POST /dicom-web/studies HTTP/1.1\r\nHost: x\r\n"
            + f"Authorization: Bearer {archive.token}\r\nContent-Length: 1000000\r\n".encode()
            + b'Content-Type: multipart/related; type="application/dicom"; boundary=b\r\n\r\n'
            + body
        )
        time.sleep(1)
    time.sleep(1)
    assert exists(archive, "1.2.3.43.1")
    assert not exists(archive, "1.2.3.43.2")


def test_43_many_small_parts(archive: Any) -> None:
    """Ten thousand parts that are nothing: one result, flat memory."""
    part = b"--b\r\nContent-Type: application/dicom\r\n\r\nx\r\n"
    answer = post(archive, part * 10_000 + b"--b--\r\n")
    assert answer.status_code in (400, 409, 413)


@pytest.mark.parametrize(
    "path",
    [
        "studies/../../etc/passwd",
        "studies/%2e%2e%2f%2e%2e%2fetc%2fpasswd",
        "studies/1.2.3%00/metadata",
        "studies/" + "9" * 65 + "/metadata",
        "studies/1.2.3/series/1.2.4/instances/1.2.5/frames/0",
        "studies/1.2.3/series/1.2.4/instances/1.2.5/frames/1,x",
        "studies?limit=-1",
        "studies?StudyDate=yesterday",
        "studies?PatientName=%27%3B%20DROP%20TABLE%20instance%3B--",
        "studies?PatientName=" + "x" * 65_000,
    ],
)
def test_hostile_paths_and_queries(archive: Any, path: str) -> None:
    """4xx with a problem document, or an empty answer; never 500."""
    answer = archive.client().get(path)
    assert answer.status_code < 500, answer.text[:300]
    if answer.status_code >= 400 and answer.content:
        assert "json" in answer.headers["content-type"] or answer.status_code in (400, 414, 431)


# B. Disk and database


@pytest.mark.skipif(os.geteuid() != 0, reason="NOT ROOT: a small file system cannot be mounted")
def test_5_full_volume_refuses_and_recovers(
    start_archive: Callable[..., Any], tmp_path: Path, stranger: Any, hostile: Any
) -> None:
    """A700 above the watermark, reading goes on, writing resumes alone when space is back."""
    import subprocess

    volume = tmp_path / "small"
    volume.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(volume)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip("CANNOT MOUNT a tmpfs here")
    try:
        data = tmp_path / "archive" / "data"
        data.mkdir(parents=True)
        (data / "negatoscope.toml").write_text(
            f'[[volumes]]\nname = "small"\npath = "{volume}/main"\nlow_watermark_bytes = 8388608\n'
        )
        archive = start_archive(tmp_path / "archive")
        pixels = hostile.element(0x7FE00010, "OW", bytes(1 << 20))

        def send(number: int) -> int:
            thing = good(hostile, sop_instance=f"1.2.5.{number}")
            thing = replace(thing, data_set=thing.data_set + pixels, name="one")
            return int(stranger.store(archive, [thing])["one"])

        statuses = [send(number) for number in range(24)]
        full = statuses.index(0xA700)
        assert set(statuses[:full]) == {0x0000}
        assert set(statuses[full:]) == {0xA700}
        assert full > 4
        assert exists(archive, "1.2.5.0")
        assert archive.client().get(f"{archive.url}/readyz").status_code == 503
        subprocess.run(["mount", "-o", "remount,size=96m", str(volume)], check=True)
        assert send(100) == 0x0000
        assert archive.stop() == 0
    finally:
        subprocess.run(["umount", "-l", str(volume)], check=False)


def test_13_database_stops_in_the_middle(
    start_archive: Callable[..., Any], stranger: Any, hostile: Any
) -> None:
    """A700 while it is away (or frozen), success within five seconds of its return, no half object."""
    archive = start_archive()
    thing = good(hostile, sop_instance="1.2.13.1")
    assert stranger.store(archive, [replace(thing, name="before")]) == {"before": 0x0000}
    supervisor = psutil.Process(archive.process.pid)
    database = [p for p in supervisor.children(recursive=True) if "postgres" in p.name()]
    if not database:
        pytest.skip("the embedded database is not among the children of serve")
    for process in database:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    deadline = time.monotonic() + 20
    number = 2
    while True:
        new = good(hostile, sop_instance=f"1.2.13.{number}")
        with contextlib.suppress(AssertionError):
            status = stranger.store(archive, [replace(new, name="after")])["after"]
            assert status in (0x0000, 0xA700, 0x0110), f"{status:04X}"
            if status == 0x0000:
                break
            assert not exists_when_back(archive, f"1.2.13.{number}")
        assert time.monotonic() < deadline
        number += 1
        time.sleep(0.2)
    assert exists(archive, "1.2.13.1")
    assert exists(archive, f"1.2.13.{number}")
    assert archive.stop() == 0


def exists_when_back(archive: Any, uid: str) -> bool:
    """``exists``, once the index answers again; unknown counts as absent."""
    try:
        return exists(archive, uid)
    except Exception:  # noqa: BLE001 - the database may still be away
        return False
