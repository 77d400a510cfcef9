"""TLS on associations: the profiles of PS3.15, and everything that must be refused without a hang."""

import datetime as dt
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from negatoscope.protocols.dicom.dimse import scu
from negatoscope.protocols.dicom.dimse.acceptor import Peer
from negatoscope.protocols.dicom.dimse.association import Association, Timeouts
from negatoscope.protocols.dicom.dimse.errors import AssociationError, ConnectionLost
from negatoscope.protocols.dicom.dimse.requestor import ProposedContext, connect
from negatoscope.protocols.dicom.dimse.tls import (
    TLS12_SUITES,
    TlsProfile,
    client_context,
    server_context,
)

NOW = dt.datetime.now(dt.UTC)
DAY = dt.timedelta(days=1)
CT = "1.2.840.10008.5.1.4.1.1.2"
VERIFICATION = "1.2.840.10008.1.1"
FAST = Timeouts(connect_s=3, artim_s=1.5, dimse_s=2, idle_s=5, linger_s=0.5)


@dataclass
class Authority:
    """A certificate authority of the test's own."""

    folder: Path
    name: str

    def __post_init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self.name)])
        certificate = (
            self._builder(self.subject, self.key.public_key(), NOW - DAY, NOW + DAY)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(self.key, hashes.SHA256())
        )
        self.ca = self.folder / f"{self.name}.pem"
        self.ca.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    def _builder(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePublicKey,
        start: dt.datetime,
        end: dt.datetime,
    ) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.subject)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(end)
        )

    def issue(self, name: str, *, expired: bool = False) -> tuple[Path, Path]:
        """A certificate for localhost and its key, as files."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        end = NOW - DAY / 2 if expired else NOW + DAY
        names = x509.SubjectAlternativeName([x509.DNSName("localhost")])
        certificate = (
            self._builder(subject, key.public_key(), NOW - DAY, end)
            .add_extension(names, critical=False)
            .sign(self.key, hashes.SHA256())
        )
        certificate_path = self.folder / f"{name}.crt"
        key_path = self.folder / f"{name}.key"
        certificate_path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        key_path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return certificate_path, key_path

    def issue_with_sha1(self, name: str) -> tuple[Path, Path]:
        """As `issue`, signed as it was done until 2015; today only openssl's program still can."""
        openssl = shutil.which("openssl")
        if openssl is None:
            pytest.skip("OPENSSL ABSENT: nothing else signs with SHA-1")
        _, key_path = self.issue(name)
        key = serialization.load_pem_private_key(key_path.read_bytes(), None)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        request = x509.CertificateSigningRequestBuilder().subject_name(subject)
        (self.folder / "request.pem").write_bytes(
            request.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)  # type: ignore[arg-type]
        )
        (self.folder / "authority.key").write_bytes(
            self.key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        certificate_path = self.folder / "sha1.crt"
        subprocess.run(
            [
                *(openssl, "x509", "-req", "-sha1", "-days", "1", "-in", "request.pem"),
                *("-CA", self.ca.name, "-CAkey", "authority.key", "-out", certificate_path.name),
                *("-set_serial", "7"),
            ],
            cwd=self.folder,
            check=True,
            capture_output=True,
        )
        return certificate_path, key_path


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "hospital")


@pytest.fixture
def stranger(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "stranger")


def call(port: int, context: ssl.SSLContext | None) -> Association:
    return connect(
        "localhost",
        port,
        calling_ae_title="CALLING",
        called_ae_title="CALLED",
        contexts=[
            ProposedContext(abstract_syntax=uid, transfer_syntaxes=("1.2.840.10008.1.2.1",))
            for uid in (VERIFICATION, CT)
        ],
        tls=context,
        timeouts=FAST,
    )


@pytest.fixture
def secure_port(serve, authority: Authority) -> Callable[..., int]:  # type: ignore[no-untyped-def]
    """Starts a TLS server; optionally one that wants client certificates."""

    def start(
        *,
        expired: bool = False,
        mutual: bool = False,
        refused: list[str] | None = None,
        **options: TlsProfile,
    ) -> int:
        certificate, key = authority.issue("archive", expired=expired)
        context = server_context(
            certificate=certificate, key=key, client_ca=authority.ca if mutual else None, **options
        )

        def note(peer: Peer, reason: str) -> None:
            if refused is not None:
                refused.append(f"{peer.host}: {reason}")

        port: int = serve(tls=context, timeouts=FAST, on_tls_refused=note).port
        return port

    return start


def test_echo_and_store_over_tls(secure_port: Callable[..., int], authority: Authority) -> None:
    """TLS 1.3 is what both prefer; large objects pass."""
    with call(secure_port(), client_context(ca=authority.ca)) as association:
        assert scu.echo(association) == 0
        context = scu.scu_context(association, CT)
        for size in (0, 10_000, 3_000_000):
            answer = scu.store(
                association,
                context,
                sop_class_uid=CT,
                sop_instance_uid="1.2",
                data_set=[bytes(size // 2), bytes(size // 2)],
            )
            assert answer.status == 0
        assert association.tls is not None
        assert association.tls.subject == "commonName=archive"
        assert association.tls.issuer == "commonName=hospital"
        assert association.tls.subject_alternative_names == ("DNS:localhost",)
        assert not association.cancelled(1)


@pytest.mark.parametrize("profile", TlsProfile)
def test_tls_1_2_with_a_suite_of_the_profile(
    secure_port: Callable[..., int], authority: Authority, profile: TlsProfile
) -> None:
    """A 1.2 client gets a suite of the profile's list."""
    context = client_context(ca=authority.ca, profile=profile)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    port = secure_port(profile=profile)
    with (
        socket.create_connection(("localhost", port), timeout=3) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as sock,
    ):
        assert sock.version() == "TLSv1.2"
        cipher = sock.cipher()
        assert cipher is not None
        assert cipher[0] in TLS12_SUITES[profile]
    with call(port, context) as association:
        assert scu.echo(association) == 0


@pytest.mark.parametrize("profile", TlsProfile)
def test_profiles_offer_nothing_old(profile: TlsProfile) -> None:
    """Forward secrecy and authenticated encryption only."""
    names = [str(cipher["name"]) for cipher in client_context(profile=profile).get_ciphers()]
    assert names
    assert all(name.startswith(("TLS_", "ECDHE-", "DHE-")) for name in names)
    assert not [name for name in names if "CBC" in name or name.endswith("-SHA")]
    if profile is TlsProfile.BCP195_NON_DOWNGRADING:
        assert not [name for name in names if name.startswith("DHE-")]


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
def test_old_versions_are_refused(
    secure_port: Callable[..., int], authority: Authority, version: ssl.TLSVersion
) -> None:
    """TLS 1.0 and 1.1 do not get a session, and do not hang."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cafile=authority.ca)
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = version
    started = time.monotonic()
    with pytest.raises(ConnectionLost):
        call(secure_port(), context)
    assert time.monotonic() - started < 2


def test_expired_server_certificate(secure_port: Callable[..., int], authority: Authority) -> None:
    """Our requestor does not talk to it."""
    with pytest.raises(ConnectionLost, match="expired"):
        call(secure_port(expired=True), client_context(ca=authority.ca))


def test_unknown_authority(secure_port: Callable[..., int], stranger: Authority) -> None:
    """Nor to a certificate of an authority it was not told of."""
    with pytest.raises(ConnectionLost, match="verify failed"):
        call(secure_port(), client_context(ca=stranger.ca))


def test_wrong_host_name(secure_port: Callable[..., int], authority: Authority) -> None:
    """Nor to one that names another host, unless told so."""
    port = secure_port()

    def by_address(context: ssl.SSLContext) -> Association:
        return connect(
            "127.0.0.1",
            port,
            calling_ae_title="CALLING",
            called_ae_title="CALLED",
            contexts=[ProposedContext(abstract_syntax=VERIFICATION, transfer_syntaxes=("1.2",))],
            tls=context,
            timeouts=FAST,
        )

    with pytest.raises(ConnectionLost, match="mismatch"):
        by_address(client_context(ca=authority.ca))
    by_address(client_context(ca=authority.ca, check_hostname=False)).release()


@pytest.mark.parametrize("certificate", ["good", "none", "expired", "unknown", "SHA-1"])
def test_mutual_authentication(
    secure_port: Callable[..., int], authority: Authority, stranger: Authority, certificate: str
) -> None:
    """Only a valid certificate of the department's authority opens an association."""
    refused: list[str] = []
    port = secure_port(mutual=True, refused=refused)
    ours, key = {
        "good": lambda: authority.issue("scanner"),
        "none": lambda: (None, None),
        "expired": lambda: authority.issue("scanner", expired=True),
        "unknown": lambda: stranger.issue("scanner"),
        "SHA-1": lambda: authority.issue_with_sha1("scanner"),
    }[certificate]()
    context = client_context(ca=authority.ca)
    if ours is not None:
        context.set_ciphers("DEFAULT:@SECLEVEL=0")  # let the client load what it should not
        context.load_cert_chain(ours, key)
    started = time.monotonic()
    if certificate == "good":
        with call(port, context) as association:
            assert scu.echo(association) == 0
    else:
        with pytest.raises(AssociationError):
            call(port, context)
    assert time.monotonic() - started < 2
    deadline = time.monotonic() + 2
    while certificate != "good" and not refused and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(refused) == (certificate != "good")
    assert all(reason.startswith("127.0.0.1: ") for reason in refused)


def test_plain_to_the_tls_port(secure_port: Callable[..., int]) -> None:
    """A plain A-ASSOCIATE-RQ is refused at once."""
    started = time.monotonic()
    with pytest.raises(AssociationError):
        call(secure_port(), None)
    assert time.monotonic() - started < 1.4


def test_tls_to_the_plain_port(serve, authority: Authority) -> None:  # type: ignore[no-untyped-def]
    """And the other way round."""
    started = time.monotonic()
    with pytest.raises(ConnectionLost):
        call(serve(timeouts=FAST).port, client_context(ca=authority.ca))
    assert time.monotonic() - started < 1.4


def test_stalled_handshakes_do_not_delay_a_good_peer(
    secure_port: Callable[..., int], authority: Authority
) -> None:
    """50 clients that stop in the middle of their hello cost nobody anything."""
    port = secure_port()
    stalled = []
    for _ in range(50):
        sock = socket.create_connection(("localhost", port))
        sock.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc")
        stalled.append(sock)
    started = time.monotonic()
    with call(port, client_context(ca=authority.ca)) as association:
        assert scu.echo(association) == 0
    assert time.monotonic() - started < 1
    stalled[0].settimeout(4)
    assert stalled[0].recv(100) == b""  # ARTIM covers the handshake
    for sock in stalled:
        sock.close()


def test_release_from_another_thread_is_seen(serve, authority: Authority) -> None:  # type: ignore[no-untyped-def]
    """An interrupted TLS association ends its handler's wait."""
    ended = threading.Event()

    def handler(association: Association) -> None:
        threading.Timer(0.2, association.interrupt).start()
        try:
            association.next_message()
        finally:
            ended.set()

    certificate, key = authority.issue("archive")
    running = serve(handler, tls=server_context(certificate=certificate, key=key), timeouts=FAST)
    association = call(running.port, client_context(ca=authority.ca))
    assert ended.wait(3)
    association.abort()


@pytest.mark.stranger
def test_dcmtk_over_tls(
    secure_port: Callable[..., int], authority: Authority, dcmtk: Callable[[str], str]
) -> None:
    """DCMTK's echoscu with its BCP 195 profile, mutually authenticated."""
    certificate, key = authority.issue("scanner")
    port = secure_port(mutual=True)
    done = subprocess.run(
        [
            *(dcmtk("echoscu"), "--enable-tls", str(key), str(certificate)),
            *("--add-cert-file", str(authority.ca), "--profile-bcp195", "localhost", str(port)),
        ],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert done.returncode == 0, done.stderr
