"""A real rsyslog is told everything, by TLS, TCP and UDP; also what happened while it was down."""

import contextlib
import re
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from glob import glob
from pathlib import Path

import pytest

from negatoscope.domain.identity import Actor
from negatoscope.infra.db import Database
from negatoscope.infra.settings import AuditSinkSettings
from negatoscope.subscribers import audit
from negatoscope.subscribers.audit.atna import forwarding
from negatoscope.subscribers.audit.atna.message import Source
from negatoscope.subscribers.audit.chain import Sealer
from negatoscope.subscribers.audit.state import state
from subscribers.audit.atna.schema import faults, parse

RSYSLOGD = shutil.which("rsyslogd", path="/usr/sbin:/usr/bin:/sbin")
GTLS = glob("/usr/lib/*/rsyslog/lmnsd_gtls.so")
SOURCE = Source(source_id="test", site="", ae_title="NEGATOSCOPE", host="archive1")
ALICE = Actor(kind="user", name="alice", roles=frozenset({"radiologist"}))
HEADER = re.compile(
    r"^<8[45]>1 \S+Z archive1 negatoscope \d+ DICOM\+RFC3881 - \ufeff(<AuditMessage>.*)$"
)
NEEDS_TLS = pytest.mark.skipif(not GTLS, reason="NO RSYSLOG-GNUTLS: no TLS in rsyslogd")

pytestmark = [
    pytest.mark.stranger,
    pytest.mark.skipif(not RSYSLOGD, reason="NO RSYSLOG: rsyslogd is not installed"),
]


class Rsyslog:
    """One rsyslogd of our own, on loopback."""

    def __init__(
        self, directory: Path, port: int, transport: str, certificates: Path | None
    ) -> None:
        self._directory = directory
        self._port = port
        self._transport = transport
        self.out = directory / "out.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._configuration = directory / "rsyslog.conf"
        tls = plugin = ""
        if transport == "tls":
            tls = (
                f'defaultNetstreamDriver="gtls" defaultNetstreamDriverCAFile="{certificates}/ca.pem"'
                f' defaultNetstreamDriverCertFile="{certificates}/server.pem"'
                f' defaultNetstreamDriverKeyFile="{certificates}/server.key"'
            )
            plugin = ' streamDriver.name="gtls" streamDriver.mode="1" streamDriver.authMode="x509/certvalid"'
        module = "imudp" if transport == "udp" else "imtcp"
        self._configuration.write_text(
            f'global(workDirectory="{directory}" maxMessageSize="256k"'
            f' parser.escapeControlCharactersOnReceive="off" {tls})\n'
            f'module(load="{module}"{plugin})\n'
            f'input(type="{module}" address="127.0.0.1" port="{port}")\n'
            'template(name="raw" type="string" string="%rawmsg%\\n")\n'
            f'action(type="omfile" file="{self.out}" template="raw")\n'
        )

    def start(self) -> None:
        assert RSYSLOGD
        self._process = subprocess.Popen(
            [RSYSLOGD, "-n", "-f", str(self._configuration), "-i", str(self._directory / "pid")],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        if self._transport == "udp":
            time.sleep(1)
            return
        deadline_s = time.monotonic() + 20
        while time.monotonic() < deadline_s:
            with (
                contextlib.suppress(OSError),
                socket.create_connection(("127.0.0.1", self._port), 1),
            ):
                return
            time.sleep(0.1)
        raise AssertionError("rsyslogd does not listen")

    def stop(self, *, hard: bool = False) -> None:
        if self._process is not None:
            self._process.kill() if hard else self._process.terminate()
            self._process.wait(20)
            self._process = None

    def records(self) -> list[int]:
        """Ids of the records it was told, after looking whether each message is as it must be."""
        found = []
        for line in self.out.read_text(encoding="utf-8").splitlines() if self.out.exists() else ():
            if not line:
                continue
            match = HEADER.match(line)
            assert match, line[:200]
            document = match[1].encode("utf-8")
            assert faults(document) == []
            who = parse(document)[1].get("UserID", "")
            if who.startswith("user"):
                found.append(int(who.removeprefix("user")))
        return found


Repository = Callable[..., tuple[Rsyslog, AuditSinkSettings]]


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An authority, the repository's certificate for localhost and ours, made with openssl."""
    directory = tmp_path_factory.mktemp("tls")

    def run(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=directory, check=True, capture_output=True)

    for name, subject in (("ca", "/CN=test authority"), ("other", "/CN=another authority")):
        run("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", subject,
            "-keyout", f"{name}.key", "-out", f"{name}.pem")  # fmt: skip
    for name in ("server", "client"):
        run(
            "req",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-subj",
            f"/CN={name}",
            "-keyout",
            f"{name}.key",
            "-out",
            f"{name}.csr",
        )
        (directory / "ext").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
        run("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2",
            "-extfile", "ext", "-out", f"{name}.pem")  # fmt: skip
    return directory


@pytest.fixture
def repository(tmp_path: Path, free_port: int, certificates: Path) -> Iterator[Repository]:
    """Starts a repository and says how to reach it."""
    started: list[Rsyslog] = []

    def make(transport: str, *, ca: str = "ca") -> tuple[Rsyslog, AuditSinkSettings]:
        one = Rsyslog(tmp_path, free_port, transport, certificates)
        started.append(one)
        one.start()
        more = {}
        if transport == "tls":
            more = {
                "ca": certificates / f"{ca}.pem",
                "certificate": certificates / "client.pem",
                "key": certificates / "client.key",
            }
        sink = AuditSinkSettings(
            name="siem",
            host="localhost" if transport == "tls" else "127.0.0.1",
            port=free_port,
            transport=transport,
            **more,
        )
        return one, sink

    yield make
    for one in started:
        one.stop(hard=True)


def write(database: Database, first: int, last: int) -> None:
    for number in range(first, last + 1):
        audit.record(
            database,
            actor=Actor(kind="user", name=f"user{number}"),
            action="retrieve",
            study_instance_uid="1.2.3",
        )
    Sealer(database).seal()


def until(
    condition: Callable[[], bool],
    forwarder: forwarding.Forwarder | None = None,
    timeout_s: float = 25,
) -> None:
    deadline_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline_s, "it did not come"
        if forwarder is not None:
            forwarder.run(threading.Event())
        time.sleep(0.05)


@pytest.mark.parametrize("transport", ["tcp", "udp", pytest.param("tls", marks=NEEDS_TLS)])
def test_every_record_is_told_once(
    database: Database, repository: Repository, transport: str
) -> None:
    """In order, as messages the schema allows; the position follows."""
    rsyslog, sink = repository(transport)
    forwarder = forwarding.Forwarder(database, sink, SOURCE, settle_s=0.3)
    write(database, 1, 40)
    until(
        lambda: state(database).sinks != [] and state(database).sinks[0].waiting_count == 0,
        forwarder,
    )
    until(lambda: len(rsyslog.records()) == 40)
    assert rsyslog.records() == list(range(1, 41))
    (told,) = state(database).sinks
    assert (told.sent_count, told.last_error) == (40, None)
    forwarder.close()


def test_nothing_is_lost_while_the_repository_is_down(
    database: Database, repository: Repository
) -> None:
    """Killed in the middle, away for a while, back: every record is there, some perhaps twice."""
    rsyslog, sink = repository("tcp")
    forwarder = forwarding.Forwarder(database, sink, SOURCE, settle_s=0.5)
    write(database, 1, 30)
    until(lambda: len(rsyslog.records()) >= 30, forwarder)
    rsyslog.stop(hard=True)
    write(database, 31, 60)
    until(lambda: bool(state(database).sinks[0].last_error), forwarder)
    down = state(database).sinks[0]
    assert down.waiting_count >= 30
    assert down.failed_since is not None
    started_s = time.monotonic()
    write(database, 61, 61)
    assert time.monotonic() - started_s < 2, "recording waits for nobody"
    rsyslog.start()
    until(lambda: set(rsyslog.records()) >= set(range(1, 62)), forwarder)
    until(lambda: state(database).sinks[0].waiting_count <= 2, forwarder)
    Sealer(database).seal()
    actions = [event.action for event in audit.search(database) if event.event_class == "system"]
    assert actions == ["audit repository back", "audit repository lost"]
    forwarder.close()


@NEEDS_TLS
def test_an_impostor_is_told_nothing(database: Database, repository: Repository) -> None:
    """A certificate of another authority is refused, with a reason that helps."""
    rsyslog, sink = repository("tls", ca="other")
    forwarder = forwarding.Forwarder(database, sink, SOURCE)
    write(database, 1, 3)
    forwarder.run(threading.Event())
    (told,) = state(database).sinks
    assert told.last_error is not None
    assert "certificate" in told.last_error
    assert (told.waiting_count, told.attempt_count) == (3, 1)
    assert rsyslog.records() == []
    forwarder.close()


def test_one_worker_tells_and_another_takes_over(
    database: Database, repository: Repository
) -> None:
    """The lock goes with the one that ends; an administrator may have everything told again."""
    rsyslog, sink = repository("tcp")
    first, second = (forwarding.Forwarder(database, sink, SOURCE, settle_s=0.2) for _ in range(2))
    write(database, 1, 3)
    until(lambda: len(rsyslog.records()) == 3, first)
    second.run(threading.Event())
    until(lambda: state(database).sinks[0].waiting_count == 0, first)
    first.close()
    write(database, 4, 4)
    until(lambda: rsyslog.records() == [1, 2, 3, 4], second)
    until(lambda: state(database).sinks[0].waiting_count == 0, second)
    event = audit.search(database)[-1]
    assert forwarding.set_back(database, "siem", since=event.occurred_at) == 4
    assert forwarding.set_back(database, "other", since=event.occurred_at) == -1
    until(lambda: len(rsyslog.records()) == 8, second)
    second.close()
