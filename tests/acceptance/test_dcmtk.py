"""DCMTK as a stranger: its programs send, find, fetch and receive."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pydicom
import pytest

pytestmark = [pytest.mark.stranger, pytest.mark.timeout(120)]

Program = Callable[[str], str]
# Debian's DCMTK does not set TCP_NODELAY by itself.
ENVIRONMENT = os.environ | {"TCP_NODELAY": "1"}


def run(*command: object, check: bool = True) -> str:
    """Run a program; what it said."""
    done = subprocess.run(
        [str(word) for word in command],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=ENVIRONMENT,
        errors="replace",
    )
    said = done.stdout + done.stderr
    assert not check or done.returncode == 0, said
    return said


def peer(archive: Any, *, as_title: str = "STRANGER") -> tuple[str, ...]:
    """How DCMTK's programs reach the archive."""
    return ("-aet", as_title, "-aec", archive.ae_title, archive.host, str(archive.dicom_port))


@pytest.fixture(scope="module")
def ct(shared_data: Path) -> list[Path]:
    """A CT study of some slices."""
    return sorted((shared_data / "ct" / "nist-multi-ct" / "images").glob("*.dcm"))[:8]


@pytest.fixture(scope="module")
def stored(archive: Any, ct: list[Path], program: Program) -> Any:
    """An archive to which storescu sent the CT."""
    run(program("storescu"), *peer(archive), *ct)
    return archive


def digests(files: list[Path]) -> dict[str, bytes]:
    """Pixel data and identity of files, by SOP Instance UID."""
    found = {}
    for path in files:
        data_set = pydicom.dcmread(path)
        found[str(data_set.SOPInstanceUID)] = data_set.PixelData
    return found


def test_echoscu_is_answered_even_when_unknown(archive: Any, program: Program) -> None:
    """C-ECHO is open to everybody."""
    run(program("echoscu"), *peer(archive, as_title="NOBODY"))


def test_storescu_is_refused_when_unknown(archive: Any, ct: list[Path], program: Program) -> None:
    """Any other service is not: no object enters."""
    said = run(program("storescu"), *peer(archive, as_title="NOBODY"), ct[0], check=False)
    assert re.search(r"rejected|No Acceptable Presentation Contexts", said, re.IGNORECASE)


def test_findscu_finds_the_study(stored: Any, ct: list[Path], program: Program) -> None:
    """Study root, wildcard in the name whatever its case."""
    one = pydicom.dcmread(ct[0], stop_before_pixels=True)
    name = str(one.PatientName).split("^", maxsplit=1)[0]
    said = run(
        program("findscu"), "-v", *peer(stored), "-S", "-k", "QueryRetrieveLevel=STUDY",
        "-k", f"PatientName={name[:3].lower()}*", "-k", "StudyInstanceUID", "-k", "NumberOfStudyRelatedInstances",
    )  # fmt: skip
    assert str(one.StudyInstanceUID) in said
    assert re.search(rf"\[{len(ct)}\s*\]", said)


def test_getscu_fetches_identical_pixels(
    stored: Any, ct: list[Path], program: Program, tmp_path: Path
) -> None:
    """C-GET of a series."""
    one = pydicom.dcmread(ct[0], stop_before_pixels=True)
    run(
        program("getscu"), *peer(stored), "-S", "-k", "QueryRetrieveLevel=SERIES",
        "-k", f"StudyInstanceUID={one.StudyInstanceUID}", "-k", f"SeriesInstanceUID={one.SeriesInstanceUID}",
        "-od", tmp_path,
    )  # fmt: skip
    same_series = [
        p
        for p in ct
        if pydicom.dcmread(p, stop_before_pixels=True).SeriesInstanceUID == one.SeriesInstanceUID
    ]
    assert digests(list(tmp_path.iterdir())) == digests(same_series)


@pytest.fixture
def storescp(archive: Any, program: Program, tmp_path: Path) -> Iterator[Path]:
    """DCMTK's receiver at the address registered for the stranger; where it puts files."""
    folder = tmp_path / "received"
    folder.mkdir()
    process = subprocess.Popen(
        [program("storescp"), "-aet", "STRANGER", "-od", folder, "+xa", str(archive.stranger_port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=ENVIRONMENT,
    )
    time.sleep(0.5)
    yield folder
    process.send_signal(signal.SIGTERM)
    process.wait(10)


def test_movescu_has_the_study_sent_to_a_registered_peer(
    stored: Any, ct: list[Path], program: Program, storescp: Path
) -> None:
    """C-MOVE: storescp receives every instance with identical pixels."""
    one = pydicom.dcmread(ct[0], stop_before_pixels=True)
    run(
        program("movescu"), *peer(stored), "-S", "-aem", "STRANGER", "-k", "QueryRetrieveLevel=STUDY",
        "-k", f"StudyInstanceUID={one.StudyInstanceUID}",
    )  # fmt: skip
    assert digests(list(storescp.iterdir())) == digests(ct)


def test_movescu_to_an_unknown_peer_is_refused(
    stored: Any, ct: list[Path], program: Program
) -> None:
    """A801: move destination unknown."""
    one = pydicom.dcmread(ct[0], stop_before_pixels=True)
    said = run(
        program("movescu"), "-v", *peer(stored), "-S", "-aem", "ELSEWHERE", "-k", "QueryRetrieveLevel=STUDY",
        "-k", f"StudyInstanceUID={one.StudyInstanceUID}", check=False,
    )  # fmt: skip
    assert re.search(r"a801|MoveDestinationUnknown|Move Destination unknown", said, re.IGNORECASE)


def test_ae_echo_reaches_dcmtk(archive: Any, storescp: Path) -> None:
    """``negatoscope ae echo`` speaks to another toolkit's acceptor."""
    archive.run("ae", "echo", "STRANGER")
