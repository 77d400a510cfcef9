"""A really running ``negatoscope serve``, on ports of its own, and what strangers need to reach it.

Nothing here imports the server: it is started, configured and stopped through its command line, as an
administrator would. The corpus is read with a few lines of PS3.10 and with pydicom, so that a reader's mistake in the
product cannot hide itself.
"""

import contextlib
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from types import ModuleType

import httpx
import pydicom
import pytest
from pynetdicom import AE
from pynetdicom.association import Association
from pynetdicom.dimse_primitives import C_STORE

SHARED_DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
PROGRAM = Path(sys.executable).with_name("negatoscope")
IMPLICIT_VR_LITTLE_ENDIAN = "1.2.840.10008.1.2"
IDENTITY = (
    *("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"),
    *("PatientID", "PatientName", "PatientBirthDate"),
)
START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 45.0


def free_port() -> int:
    """A TCP port of the loopback interface that nobody listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(kw_only=True)
class Archive:
    """One running server.

    Attributes:
        data_dir: Its data directory.
        http_port, dicom_port, hl7_port: Where it listens, on 127.0.0.1.
        stranger_port: Where the AE ``STRANGER`` is registered to listen (nothing does by itself).
        token: Bearer token of a user with the role radiologist.
    """

    data_dir: Path
    http_port: int
    dicom_port: int
    hl7_port: int
    stranger_port: int
    process: subprocess.Popen[bytes]
    token: str = ""
    clients: dict[str, httpx.Client] = field(default_factory=dict)

    ae_title = "NEGATOSCOPE"
    host = "127.0.0.1"

    @property
    def url(self) -> str:
        """Root of the HTTP side."""
        return f"http://127.0.0.1:{self.http_port}"

    @property
    def dicomweb(self) -> str:
        """Root of DICOMweb."""
        return f"{self.url}/dicom-web"

    @property
    def log(self) -> str:
        """What the server wrote so far."""
        return (self.data_dir.parent / "serve.log").read_text(errors="replace")

    def run(
        self, *arguments: str, check: bool = True, text: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run ``negatoscope …`` beside the server, on its data directory and with its addresses."""
        done = subprocess.run(
            [str(PROGRAM), *arguments, "--data-dir", str(self.data_dir)],
            input=text,
            env=os.environ
            | {
                "NEGATOSCOPE_HTTP": f"127.0.0.1:{self.http_port}",
                "NEGATOSCOPE_DICOM": f"127.0.0.1:{self.dicom_port}",
            },
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        if check and done.returncode:
            raise AssertionError(f"negatoscope {' '.join(arguments)}:\n{done.stdout}{done.stderr}")
        return done

    def client(self, *, token: str | None = None) -> httpx.Client:
        """The HTTP client that presents the bearer token (of the radiologist, or the one given)."""
        token = token or self.token
        if token not in self.clients:
            self.clients[token] = httpx.Client(
                base_url=self.dicomweb + "/",
                headers={"Authorization": f"Bearer {token}"},
                timeout=60,
            )
        return self.clients[token]

    def add_ae(self, title: str, port: int, roles: str = "store,query,retrieve,commitment") -> None:
        """Register an application entity."""
        self.run("ae", "add", title, f"127.0.0.1:{port}", "--roles", roles)

    def create_token(self, user: str, role: str) -> str:
        """A user with this role, and its token."""
        self.run(
            "user", "add", user, "--role", role, "--password-stdin", text="un long mot de passe\n"
        )
        return self.run("token", "create", "--user", user).stdout.strip().splitlines()[-1]

    def wait_until_ready(self, timeout_s: float = START_TIMEOUT_S) -> None:
        """Until ``/readyz`` says yes and the DICOM port accepts."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise AssertionError(
                    f"serve ended with {self.process.returncode}:\n{self.log[-4000:]}"
                )
            with contextlib.suppress(httpx.HTTPError, OSError):
                if httpx.get(f"{self.url}/readyz", timeout=5).status_code == 200:
                    socket.create_connection(("127.0.0.1", self.dicom_port), timeout=5).close()
                    return
            time.sleep(0.1)
        raise AssertionError(f"serve is not ready after {timeout_s} s:\n{self.log[-4000:]}")

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Stop the server; the embedded PostgreSQL goes with it."""
        for client in self.clients.values():
            client.close()
        if self.process.poll() is None:
            self.process.send_signal(how)
            try:
                self.process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait(5)
                raise AssertionError(f"serve did not stop:\n{self.log[-4000:]}") from None
        return int(self.process.returncode)

    @classmethod
    def start(
        cls, folder: Path, *, options: tuple[str, ...] = (), configured: bool = True
    ) -> "Archive":
        """Start a server whose data lie in ``folder``.

        Args:
            folder: Empty, or what an earlier server left there.
            options: More of the command line.
            configured: Add the AE ``STRANGER`` (every role) and a radiologist with a token.
        """
        http_port, dicom_port, hl7_port, stranger_port = (free_port() for _ in range(4))
        folder.mkdir(parents=True, exist_ok=True)
        data_dir = folder / "data"
        with (folder / "serve.log").open("ab") as log:
            process = subprocess.Popen(
                [
                    *(str(PROGRAM), "serve", "--data-dir", str(data_dir)),
                    *("--http", f"127.0.0.1:{http_port}", "--dicom", f"127.0.0.1:{dicom_port}"),
                    *("--hl7", f"127.0.0.1:{hl7_port}"),
                    *options,
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # One HTTP process starts sooner than two; who wants more says so in the environment.
                env={"NEGATOSCOPE_HTTP_WORKERS": "1"} | os.environ,
                start_new_session=True,
            )
        archive = cls(
            data_dir=data_dir,
            http_port=http_port,
            dicom_port=dicom_port,
            hl7_port=hl7_port,
            stranger_port=stranger_port,
            process=process,
        )
        try:
            archive.wait_until_ready()
            if configured:
                archive.add_ae("STRANGER", stranger_port)
                archive.token = archive.create_token("ana", "radiologist")
        except BaseException:
            with contextlib.suppress(Exception):
                archive.stop()
            raise
        return archive


@pytest.fixture(scope="session")
def ports() -> Callable[[], int]:
    """``free_port`` for fixtures of any scope."""
    return free_port


@pytest.fixture(scope="session")
def start_archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Archive]]:
    """Start servers at will; all are stopped at the end of the session."""
    started: list[Archive] = []

    def start(folder: Path | None = None, **options: object) -> Archive:
        archive = Archive.start(folder or tmp_path_factory.mktemp("archive"), **options)  # type: ignore[arg-type]
        started.append(archive)
        return archive

    yield start
    for archive in started:
        with contextlib.suppress(AssertionError):
            archive.stop()


@pytest.fixture(scope="module")
def archive(start_archive: Callable[..., Archive]) -> Iterator[Archive]:
    """An empty server of the module's own, with the AE ``STRANGER`` and a radiologist's token."""
    running = start_archive()
    yield running
    running.stop()


# What the corpus holds, read without the product.


@dataclass(frozen=True, kw_only=True)
class Part10:
    """One file of the corpus.

    Attributes:
        name: Path below the corpus.
        study_instance_uid, series_instance_uid: Empty where the object has none.
        patient: Patient ID, name and birth date.
        transfer_syntax_uid: Of the data set; implicit VR little endian where the file has no meta information.
        data_set: Its bytes, after the meta information.
    """

    path: Path
    name: str
    sop_class_uid: str
    sop_instance_uid: str
    study_instance_uid: str
    series_instance_uid: str
    patient: tuple[str, str, str]
    transfer_syntax_uid: str
    data_set: bytes
    has_meta: bool

    def __str__(self) -> str:
        return self.name


def read_part10(path: Path, root: Path = SHARED_DATA) -> Part10:
    """Split a file where its meta information ends (PS3.10 §7.1), tolerating what the corpus has.

    UIDs are those of the data set, since several files of the corpus carry another one in their meta information.
    """
    content = path.read_bytes()
    start = 132 if content[128:132] == b"DICM" else 0
    offset, syntax = start, IMPLICIT_VR_LITTLE_ENDIAN
    while content[offset : offset + 2] == b"\x02\x00":
        vr = content[offset + 4 : offset + 6]
        if vr in (b"OB", b"UN", b"UT"):
            length = int.from_bytes(content[offset + 8 : offset + 12], "little")
            value = offset + 12
        else:
            length = int.from_bytes(content[offset + 6 : offset + 8], "little")
            value = offset + 8
        if content[offset : offset + 4] == b"\x02\x00\x10\x00":
            syntax = content[value : value + length].rstrip(b"\0 ").decode("ascii")
        offset = value + length
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        identity = pydicom.dcmread(path, force=True, specific_tags=list(IDENTITY))
        said = {keyword: str(identity.get(keyword, "") or "") for keyword in IDENTITY}
    return Part10(
        path=path,
        name=str(path.relative_to(root)),
        sop_class_uid=said["SOPClassUID"],
        sop_instance_uid=said["SOPInstanceUID"],
        study_instance_uid=said["StudyInstanceUID"],
        series_instance_uid=said["SeriesInstanceUID"],
        patient=(said["PatientID"], said["PatientName"], said["PatientBirthDate"]),
        transfer_syntax_uid=syntax,
        data_set=content[offset:],
        has_meta=offset > start,
    )


@pytest.fixture(scope="session")
def corpus() -> list[Part10]:
    """Every DICOM object of the shared data that can be stored: all but DICOMDIRs and the malformed."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"the shared data are not beside the repository ({SHARED_DATA.name})")
    lines = (SHARED_DATA / "MANIFEST.tsv").read_text(encoding="utf-8").splitlines()
    names = sorted(line.split("\t")[0] for line in lines[1:])
    return [
        read_part10(SHARED_DATA / name)
        for name in names
        if not name.startswith("malformed/") and "DICOMDIR" not in name
    ]


def send(association: Association, thing: Part10) -> int:
    """C-STORE the bytes of a file as they are, by pynetdicom. Returns: the status.

    pynetdicom's own ``send_c_store`` would decode and encode the data set again.
    """
    context = next(
        context
        for context in association.accepted_contexts
        if context.abstract_syntax == thing.sop_class_uid
        and context.transfer_syntax[0] == thing.transfer_syntax_uid
    )
    request = C_STORE()
    request.MessageID = 1
    request.AffectedSOPClassUID = thing.sop_class_uid
    request.AffectedSOPInstanceUID = thing.sop_instance_uid
    request.Priority = 2
    request.DataSet = BytesIO(thing.data_set)
    association._reactor_checkpoint.clear()
    while not association._is_paused:  # or its reactor takes the answer for a request
        assert association.is_established, "the association ended"
        time.sleep(0.0005)
    association.dimse.send_msg(request, context.context_id)
    _, response = association.dimse.get_msg(block=True)
    association._reactor_checkpoint.set()
    assert response is not None, "the association ended"
    return int(response.Status)


def associate(archive: Archive, things: list[Part10], **options: object) -> Association:
    """Propose one presentation context per SOP class and transfer syntax of some files."""
    entity = AE(ae_title="STRANGER")
    entity.maximum_pdu_size = 0
    pairs = dict.fromkeys((thing.sop_class_uid, thing.transfer_syntax_uid) for thing in things)
    for sop_class, syntax in pairs:
        entity.add_requested_context(sop_class, syntax)
    association = entity.associate(
        archive.host, archive.dicom_port, ae_title=archive.ae_title, **options
    )
    assert association.is_established
    return association


@dataclass(frozen=True)
class Stranger:
    """pynetdicom, as tests need it."""

    associate = staticmethod(associate)
    send = staticmethod(send)

    def store(self, archive: Archive, things: list[Part10]) -> dict[str, int]:
        """Send files as they are, at most a hundred contexts an association. Returns: statuses by name."""
        statuses: dict[str, int] = {}
        pairs = list(dict.fromkeys((t.sop_class_uid, t.transfer_syntax_uid) for t in things))
        for start in range(0, len(pairs), 100):
            some = set(pairs[start : start + 100])
            wanted = [t for t in things if (t.sop_class_uid, t.transfer_syntax_uid) in some]
            association = self.associate(archive, wanted)
            statuses |= {thing.name: self.send(association, thing) for thing in wanted}
            association.release()
        return statuses


@pytest.fixture(scope="session")
def stranger() -> Stranger:
    """pynetdicom as a sender."""
    return Stranger()


@pytest.fixture(scope="session")
def hostile() -> ModuleType:
    """``tests/hostile.py``: data sets made to hurt a reader."""
    path = Path(__file__).resolve().parents[1] / "hostile.py"
    specification = importlib.util.spec_from_file_location("hostile_data_sets", path)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules[specification.name] = module
    specification.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def program() -> Callable[[str], str]:
    """The path of another toolkit's program, or a skip that says which package brings it."""
    packages = {"Orthanc": "orthanc", "dciodvfy": "dicom3tools", "strace": "strace"}

    def find(name: str) -> str:
        path = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
        # pynetdicom installs commands of the same names in the environment's folder.
        if path and Path(path).parent == PROGRAM.parent:
            path = shutil.which(name, path="/usr/local/bin:/usr/bin:/bin")
        if not path:
            pytest.skip(
                f"{name} is missing: install the Debian package {packages.get(name, 'dcmtk')}"
            )
        return path

    return find
