"""The servers that are compared: started and stopped by process id, on loopback, in a folder."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Self

import psutil

from negatoscope.bench.targets import DicomTarget, WebTarget

if TYPE_CHECKING:
    from pathlib import Path

CALLING_AE_TITLE = "BENCH"
START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 60.0


class ServerFailed(Exception):
    """A server does not start; the end of its log is in the text."""


def free_port() -> int:
    """A TCP port nobody listens on."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


class Server(ABC):
    """A server under test; its data stays in ``folder`` from one start to the next."""

    name = ""

    def __init__(self, folder: Path, sink_port: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.sink_port = sink_port
        self.dicom_port = free_port()
        self.http_port = free_port()
        self.token: str | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    @abstractmethod
    def dicom(self) -> DicomTarget:
        """Its DIMSE side."""

    @property
    def web(self) -> WebTarget:
        """Its DICOMweb side."""
        return WebTarget(host="127.0.0.1", port=self.http_port, base="/dicom-web", token=self.token)

    @abstractmethod
    def command(self) -> list[str]:
        """What to run."""

    def environment(self) -> dict[str, str]:
        """In what environment."""
        return dict(os.environ)

    def prepare(self) -> None:  # noqa: B027 - not every server needs it
        """Once it answers: accounts, peers."""

    def start(self) -> None:
        """Start and wait until it answers on both ports.

        Raises: ServerFailed.
        """
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                self.command(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self.environment(),
                start_new_session=True,
            )
        deadline = time.monotonic() + START_TIMEOUT_S
        while not (self._listens(self.dicom_port) and self._answers()):
            if self._process.poll() is not None or time.monotonic() > deadline:
                tail = (self.folder / "log").read_text(errors="replace")[-1500:]
                self.stop()
                raise ServerFailed(f"{self.name} does not start:\n{tail}")
            time.sleep(0.1)
        self.prepare()

    def ready_url(self) -> str:
        """Answers with any HTTP status when the server is up."""
        return f"http://127.0.0.1:{self.http_port}/"

    def _answers(self) -> bool:
        try:
            urllib.request.urlopen(self.ready_url(), timeout=2).close()  # noqa: S310
        except urllib.error.HTTPError as error:
            return error.code < 500
        except OSError:
            return False
        return True

    @staticmethod
    def _listens(port: int) -> bool:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            return False
        return True

    def stop(self) -> None:
        """SIGTERM, and wait."""
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._process = None

    def processes(self) -> list[psutil.Process]:
        """Its processes at this moment."""
        if self._process is None:
            return []
        try:
            main = psutil.Process(self._process.pid)
            return [main, *main.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def cpu_s(self) -> float:
        """Processor time of its processes so far; those that ended meanwhile are missing."""
        total = 0.0
        for process in self.processes():
            with contextlib.suppress(psutil.Error):
                times = process.cpu_times()
                total += times.user + times.system
        return total

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


class Orthanc(Server):
    """Debian's Orthanc with its DICOMweb plugin, as its own documentation advises for speed."""

    name = "Orthanc"

    @staticmethod
    def program() -> str | None:
        """Where it is, or None."""
        return shutil.which("Orthanc", path=f"{os.environ.get('PATH', '')}:/usr/sbin")

    @property
    def dicom(self) -> DicomTarget:
        return DicomTarget(
            host="127.0.0.1",
            port=self.dicom_port,
            called_ae_title="ORTHANC",
            calling_ae_title=CALLING_AE_TITLE,
        )

    def command(self) -> list[str]:
        configuration = {
            "Name": "bench",
            "StorageDirectory": str(self.folder / "db"),
            "IndexDirectory": str(self.folder / "db"),
            "StorageCompression": False,
            "SyncStorageArea": True,
            "Plugins": ["/usr/share/orthanc/plugins/libOrthancDicomWeb.so"],
            "HttpPort": self.http_port,
            "HttpThreadsCount": 50,
            "HttpCompressionEnabled": False,
            "RemoteAccessAllowed": False,
            "AuthenticationEnabled": False,
            "DicomAet": "ORTHANC",
            "DicomPort": self.dicom_port,
            "DicomThreadsCount": 16,
            "DicomAlwaysAllowEcho": True,
            "DicomAlwaysAllowStore": True,
            "DicomAlwaysAllowFind": True,
            "DicomAlwaysAllowGet": True,
            "DicomAlwaysAllowMove": True,
            "DicomModalities": {"bench": [CALLING_AE_TITLE, "127.0.0.1", self.sink_port]},
            "LimitFindResults": 0,
            "LimitFindInstances": 0,
            "SaveJobs": False,
        }
        path = self.folder / "orthanc.json"
        path.write_text(json.dumps(configuration, indent=2), encoding="utf-8")
        return [self.program() or "Orthanc", str(path)]

    def environment(self) -> dict[str, str]:
        # DCMTK leaves Nagle's algorithm on unless told: each C-STORE would wait 40 ms.
        return {**super().environment(), "TCP_NODELAY": "1"}

    def ready_url(self) -> str:
        return f"http://127.0.0.1:{self.http_port}/system"

    def native_frames(self, study_instance_uid: str) -> tuple[WebTarget, list[str]]:
        """Where its own REST interface, faster than its DICOMweb, gives a study's frames."""
        target = WebTarget(host="127.0.0.1", port=self.http_port, base="")
        found = self._rest("/tools/lookup", study_instance_uid.encode())
        study = next(item["ID"] for item in found if item["Type"] == "Study")
        instances = self._rest(f"/studies/{study}/instances")
        return target, [f"/instances/{instance['ID']}/frames/0/raw" for instance in instances]

    def _rest(self, path: str, body: bytes | None = None) -> list[dict[str, str]]:
        url = f"http://127.0.0.1:{self.http_port}{path}"
        with urllib.request.urlopen(url, data=body, timeout=60) as answer:
            read: list[dict[str, str]] = json.load(answer)
        return read


class Negatoscope(Server):
    """This program with its defaults and its embedded PostgreSQL."""

    name = "Negatoscope"

    def __init__(self, folder: Path, sink_port: int, **settings: str) -> None:
        super().__init__(folder, sink_port)
        self.hl7_port = free_port()
        self._settings = settings

    @property
    def dicom(self) -> DicomTarget:
        return DicomTarget(
            host="127.0.0.1",
            port=self.dicom_port,
            called_ae_title="NEGATOSCOPE",
            calling_ae_title=CALLING_AE_TITLE,
        )

    @property
    def data_dir(self) -> Path:
        """Its data directory."""
        return self.folder / "data"

    def run(self, *arguments: str, stdin: str | None = None) -> str:
        """Run one of its commands beside it.

        Returns: what it printed.
        """
        return subprocess.run(
            [*_negatoscope(), *arguments, "--data-dir", str(self.data_dir)],
            input=stdin,
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    def command(self) -> list[str]:
        return [
            *_negatoscope(),
            "serve",
            "--data-dir",
            str(self.data_dir),
            "--http",
            f"127.0.0.1:{self.http_port}",
            "--dicom",
            f"127.0.0.1:{self.dicom_port}",
            "--hl7",
            f"127.0.0.1:{self.hl7_port}",
        ]

    def environment(self) -> dict[str, str]:
        names = {f"NEGATOSCOPE_{name.upper()}": value for name, value in self._settings.items()}
        return {**super().environment(), **names}

    def ready_url(self) -> str:
        return f"http://127.0.0.1:{self.http_port}/readyz"

    def prepare(self) -> None:
        if self.token is not None:
            return
        self.run(
            "ae", "add", CALLING_AE_TITLE, f"127.0.0.1:{self.sink_port}",
            "--roles", "store,query,retrieve,worklist",
        )  # fmt: skip
        self.run(
            "user", "add", "bench", "--role", "administrator", "--password-stdin",
            stdin=f"{os.urandom(16).hex()}\n",
        )  # fmt: skip
        self.token = self.run("token", "create", "--user", "bench").strip().splitlines()[-1]


def _negatoscope() -> list[str]:
    return [sys.executable, "-m", "negatoscope"]


class MemoryWatch:
    """Largest resident set of each process of a server, sampled in the background."""

    def __init__(self, server: Server, *, every_s: float = 0.1) -> None:
        self._server = server
        self._every_s = every_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.largest_bytes: dict[str, int] = {}

    def _run(self) -> None:
        while not self._stop.wait(self._every_s):
            for process in self._server.processes():
                with contextlib.suppress(psutil.Error):
                    name = _role(process)
                    resident = process.memory_info().rss
                    self.largest_bytes[name] = max(self.largest_bytes.get(name, 0), resident)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


def _role(process: psutil.Process) -> str:
    """What a process does, from its command line."""
    arguments = process.cmdline()
    if "--role" in arguments:
        return arguments[arguments.index("--role") + 1]
    name = process.name()
    return "supervisor" if "negatoscope" in " ".join(arguments) and "serve" in arguments else name
