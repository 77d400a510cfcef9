"""Every way in which a device does not answer is told apart, by really calling one that does so."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pynetdicom import AE
from pynetdicom.sop_class import CTImageStorage, Verification

from negatoscope.domain.devices import ApplicationEntity
from negatoscope.entrypoints.web import echo as module
from negatoscope.entrypoints.web.echo import HINTS, Diagnosis, EchoResult, echo
from negatoscope.infra.certificates import Authority
from negatoscope.infra.settings import Settings

OURS = "NEGATOSCOPE"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seconds count in tests."""
    monkeypatch.setattr(module, "_TIMEOUT_S", 1.0)
    monkeypatch.setattr(module, "_PROBE_TIMEOUT_S", 1.0)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Signs what the devices here show."""
    made = Authority(tmp_path_factory.mktemp("ca"))
    made.make()
    made.issue("device", common_name="device", names=["127.0.0.1"])
    made.issue("elsewhere", common_name="elsewhere", names=["10.0.0.1"])
    made.issue("old", common_name="old", names=["127.0.0.1"], days=0)
    return made


def call(
    settings: Settings,
    port: int,
    *,
    host: str = "127.0.0.1",
    title: str = "DEVICE",
    tls: bool = False,
) -> EchoResult:
    """The test of a device."""
    entity = ApplicationEntity(
        ae_title=title, host=host, port=port, roles=frozenset(), tls=tls, description=""
    )
    return echo(settings, entity)


@contextmanager
def answering(act: Callable[[socket.socket], None]) -> Iterator[int]:
    """A port that does something to whoever connects."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    peer, _ = server.accept()
                except OSError:
                    return
                with peer:
                    try:
                        peer.settimeout(5)
                        act(peer)
                    except OSError:
                        continue

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


@contextmanager
def device(port: int, *, title: str = "DEVICE", calling: str = OURS, syntax: str = Verification):
    """pynetdicom, strict about names."""
    entity = AE(ae_title=title)
    entity.require_called_aet = True
    entity.require_calling_aet = [calling]
    entity.add_supported_context(syntax)
    server = entity.start_server(("127.0.0.1", port), block=False)
    yield
    server.shutdown()


def http(peer: socket.socket) -> None:
    peer.recv(1000)
    peer.sendall(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\nwhat is that?")


def hang_up(peer: socket.socket) -> None:
    peer.recv(1)


def say_nothing(peer: socket.socket) -> None:
    while peer.recv(1000):
        pass


def test_it_answers(settings: Settings, free_port: int) -> None:
    """With what the peer says it is."""
    with device(free_port):
        result = call(settings, free_port)
    assert (result.answers, result.code) == (True, Diagnosis.ANSWERS)
    assert result.implementation.startswith("PYNETDICOM")


def test_names_and_addresses(settings: Settings, free_port: int) -> None:
    """Before anything is sent."""
    assert call(settings, 104, host="nowhere.invalid").code is Diagnosis.NAME_UNKNOWN
    assert call(settings, 104, host="169.254.169.254").code is Diagnosis.ADDRESS_REFUSED
    assert call(settings, free_port).code is Diagnosis.CONNECTION_REFUSED


def test_a_name_that_leads_where_no_device_is(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a name means is looked at after it was asked for."""

    def resolve(*_arguments: object, **_more: object) -> list[object]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("169.254.169.254", 80))]

    monkeypatch.setattr(module.socket, "getaddrinfo", resolve)
    assert call(settings, 80, host="metadata.example").code is Diagnosis.ADDRESS_REFUSED


@pytest.mark.parametrize(
    ("act", "expected"),
    [
        (http, Diagnosis.NOT_DICOM),
        (hang_up, Diagnosis.CLOSED),
        (say_nothing, Diagnosis.NO_ANSWER),
    ],
)
def test_no_dicom(
    settings: Settings, act: Callable[[socket.socket], None], expected: Diagnosis
) -> None:
    """Another protocol, a peer that hangs up, one that waits."""
    with answering(act) as port:
        assert call(settings, port).code is expected


def test_rejections(settings: Settings, free_ports: Callable[[], int]) -> None:
    """PS3.8 Table 9-21, and an association without Verification."""
    port = free_ports()
    with device(port):
        assert call(settings, port, title="OTHER").code is Diagnosis.CALLED_AE_TITLE
    port = free_ports()
    with device(port, calling="SOMEBODY"):
        assert call(settings, port).code is Diagnosis.CALLING_AE_TITLE
    port = free_ports()
    with device(port, syntax=CTImageStorage):
        assert call(settings, port).code is Diagnosis.VERIFICATION_REFUSED


def tls_device(authority: Authority, name: str, *, wants: Path | None = None):
    """Shows a certificate, perhaps wants one, and says nothing more."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(
        authority.directory / f"{name}.pem", authority.directory / f"{name}.key"
    )
    if wants is not None:
        context.load_verify_locations(wants)
        context.verify_mode = ssl.CERT_REQUIRED

    def act(peer: socket.socket) -> None:
        with context.wrap_socket(peer, server_side=True) as wrapped:
            say_nothing(wrapped)

    return answering(act)


def test_tls(settings: Settings, authority: Authority, tmp_path: Path) -> None:
    """Each mismatch of two sides that should speak TLS."""
    ours = settings.model_copy(update={"tls_ca": authority.certificate_path})
    with tls_device(authority, "device") as port:
        assert call(ours, port).code is Diagnosis.TLS_EXPECTED
        silent = call(ours, port, tls=True)
        assert (silent.code, silent.milliseconds < 4000) == (Diagnosis.NO_ANSWER, True)
        assert call(settings, port, tls=True).code is Diagnosis.TLS_CERTIFICATE_UNKNOWN
        broken = settings.model_copy(update={"tls_ca": tmp_path / "absent.pem"})
        assert call(broken, port, tls=True).code is Diagnosis.OUR_CERTIFICATE
    with tls_device(authority, "elsewhere") as port:
        assert call(ours, port, tls=True).code is Diagnosis.TLS_CERTIFICATE_NAME
    with tls_device(authority, "old") as port:
        assert call(ours, port, tls=True).code is Diagnosis.TLS_CERTIFICATE_EXPIRED
    with answering(http) as port:
        assert call(ours, port, tls=True).code is Diagnosis.TLS_NOT_SPOKEN


def test_every_code_has_a_hint() -> None:
    """But the good one."""
    assert set(HINTS) == set(Diagnosis) - {Diagnosis.ANSWERS}
