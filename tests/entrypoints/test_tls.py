"""TLS as strangers meet it: OpenSSL and DCMTK against a served archive, both of its TLS listeners."""

import datetime
import os
import re
import shutil
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from negatoscope.infra.certificates import Authority

pytestmark = [pytest.mark.slow, pytest.mark.stranger]
if shutil.which("openssl") is None or shutil.which("echoscu") is None:
    pytest.skip("NO STRANGERS: openssl or DCMTK is not here", allow_module_level=True)


@dataclass(frozen=True)
class Served:
    """A running archive with HTTPS and DICOM over TLS."""

    data_dir: Path
    http: int
    https: int
    dicom: int
    dicom_tls: int

    @property
    def tls(self) -> Path:
        return self.data_dir / "tls"

    @property
    def log(self) -> str:
        return (self.data_dir / "err").read_text()

    def run(self, *arguments: str, check: bool = True) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "negatoscope", *arguments, "--data-dir", str(self.data_dir)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def served(
    tmp_path_factory: pytest.TempPathFactory, free_ports: Callable[[], int]
) -> Iterator[Served]:
    """`tls init`, a certificate each for two devices, one of them taken back, then `serve`."""
    data_dir = tmp_path_factory.mktemp("tls")
    ports = [free_ports() for _ in range(5)]
    one = Served(data_dir, *ports[:4])
    one.run("tls", "init", "--name", "localhost", "--name", "127.0.0.1")
    for name in ("CT1", "MR1", "LOST"):
        one.run("tls", "issue", name)
    revoke(one.tls, "LOST")
    environment = os.environ | {
        "NEGATOSCOPE_HTTP": f"127.0.0.1:{one.http}",
        "NEGATOSCOPE_HTTPS": f"127.0.0.1:{one.https}",
        "NEGATOSCOPE_DICOM": f"127.0.0.1:{one.dicom}",
        "NEGATOSCOPE_DICOM_TLS": f"127.0.0.1:{one.dicom_tls}",
        "NEGATOSCOPE_HL7": f"127.0.0.1:{ports[4]}",
        "NEGATOSCOPE_TLS_CERTIFICATE": str(one.tls / "server.pem"),
        "NEGATOSCOPE_TLS_KEY": str(one.tls / "server.key"),
        "NEGATOSCOPE_TLS_CA": str(one.tls / "ca.pem"),
        "NEGATOSCOPE_TLS_CRL": str(one.tls / "crl.pem"),
        "NEGATOSCOPE_HTTP_WORKERS": "1",
        "NEGATOSCOPE_STOP_GRACE_S": "2",
        "NEGATOSCOPE_ALLOW_UNSAFE_DATABASE": "1",
    }
    with (data_dir / "out").open("wb") as out, (data_dir / "err").open("wb") as err:
        process = subprocess.Popen(
            [sys.executable, "-m", "negatoscope", "serve", "--data-dir", str(data_dir)],
            env=environment,
            stdout=out,
            stderr=err,
        )
    try:
        for _ in range(1200):
            if "is ready" in (data_dir / "out").read_text():
                break
            assert process.poll() is None, one.log[-3000:]
            time.sleep(0.1)
        one.run(
            "ae", "add", "CT1", "127.0.0.1:104", "--tls-required",
            "--certificate", "subject:commonName=CT1",
        )  # fmt: skip
        yield one
    finally:
        process.terminate()
        process.wait(60)


def revoke(directory: Path, name: str) -> None:
    """A list of the authority that takes one certificate back."""
    root = x509.load_pem_x509_certificate((directory / "ca.pem").read_bytes())
    key = serialization.load_pem_private_key((directory / "ca.key").read_bytes(), None)
    gone = x509.load_pem_x509_certificate((directory / f"{name}.pem").read_bytes())
    now = datetime.datetime.now(datetime.UTC)
    entry = (
        x509.RevokedCertificateBuilder()
        .serial_number(gone.serial_number)
        .revocation_date(now)
        .build()
    )
    made = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(root.subject)
        .last_update(now - datetime.timedelta(hours=1))
        .next_update(now + datetime.timedelta(days=30))
        .add_revoked_certificate(entry)
        .sign(key, hashes.SHA256())
    )
    (directory / "crl.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))


def s_client(port: int, *arguments: str, text: str = "") -> str:
    """What OpenSSL's client says, security level 0: it would take anything."""
    done = subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", *arguments],
        input=text,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    return done.stdout + done.stderr


def agreed(said: str) -> str:
    """The cipher suite, or nothing."""
    found = re.search(r"New, (\S+), Cipher is (\S+)", said)
    return "" if found is None or found[2] == "(NONE)" else f"{found[1]} {found[2]}"


def own(served: Served, name: str = "CT1") -> list[str]:
    """A client certificate for OpenSSL."""
    return ["-cert", str(served.tls / f"{name}.pem"), "-key", str(served.tls / f"{name}.key")]


WEAK = {
    "TLS 1.0": ["-tls1", "-cipher", "ALL:@SECLEVEL=0"],
    "TLS 1.1": ["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"],
    "CBC": ["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA256:ECDHE-ECDSA-AES256-SHA:@SECLEVEL=0"],
    "static RSA": ["-tls1_2", "-cipher", "AES128-GCM-SHA256:AES256-SHA:@SECLEVEL=0"],
    "no encryption": ["-tls1_2", "-cipher", "eNULL:@SECLEVEL=0"],
    "no authentication": ["-tls1_2", "-cipher", "aNULL:@SECLEVEL=0"],
}
GOOD = {
    "TLS 1.2": (["-tls1_2"], "TLSv1.2 ECDHE-ECDSA-AES256-GCM-SHA384"),
    "TLS 1.3": (["-tls1_3"], "TLSv1.3 TLS_AES_256_GCM_SHA384"),
}


@pytest.mark.parametrize("listener", ["https", "dicom_tls"])
@pytest.mark.parametrize("what", [*WEAK, *GOOD])
def test_versions_and_suites(served: Served, listener: str, what: str) -> None:
    """What is old or weak is refused by both listeners; what is good is taken."""
    port = getattr(served, listener)
    if what in GOOD:
        arguments, expected = GOOD[what]
        assert agreed(s_client(port, *own(served), *arguments)) == expected
    else:
        assert agreed(s_client(port, *own(served), *WEAK[what])) == ""


@pytest.mark.parametrize("listener", ["https", "dicom_tls"])
def test_no_renegotiation(served: Served, listener: str) -> None:
    """A client that asks for a second handshake within TLS 1.2 gets none: an alert, or silence."""
    client = subprocess.Popen(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{getattr(served, listener)}",
         *own(served), "-tls1_2", "-legacy_renegotiation"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    try:
        said, _ = client.communicate(b"R\n", timeout=4)
    except subprocess.TimeoutExpired:
        client.kill()
        said, _ = client.communicate()
    _before, asked, after = said.decode().partition("RENEGOTIATING")
    assert asked
    assert "depth=" not in after, after  # the server's certificate would be verified again


def echo(served: Served, *tls: str, title: str = "CT1") -> bool:
    """DCMTK's echoscu over TLS."""
    done = subprocess.run(
        ["echoscu", "-aet", title, "-aec", "NEGATOSCOPE", *tls,
         "127.0.0.1", str(served.dicom_tls if tls else served.dicom)],
        capture_output=True, check=False, timeout=30,
    )  # fmt: skip
    return done.returncode == 0


def shown(directory: Path, name: str, served: Served) -> list[str]:
    """A certificate for DCMTK."""
    return [
        "+tls", str(directory / f"{name}.key"), str(directory / f"{name}.pem"),
        "+cf", str(served.tls / "ca.pem"),
    ]  # fmt: skip


def test_an_ae_title_is_bound_to_its_certificate(served: Served) -> None:
    """In with its own; not in clear, not with another device's, although that is a good one."""
    assert echo(served, *shown(served.tls, "CT1", served))
    assert not echo(served)
    assert not echo(served, *shown(served.tls, "MR1", served))
    assert echo(served, *shown(served.tls, "MR1", served), title="ANYBODY")  # anybody may verify
    for reason in ("in clear, TLS required", "another certificate than registered"):
        assert reason in served.log


def test_certificates_that_do_not_open(served: Served, tmp_path: Path) -> None:
    """None, a foreign authority's, one out of date, one taken back."""
    assert not echo(served, "+tla", "+cf", str(served.tls / "ca.pem"))
    foreign = Authority(tmp_path / "foreign")
    foreign.make()
    foreign.issue("CT1", common_name="CT1", is_server=False)
    assert not echo(served, *shown(foreign.directory, "CT1", served))
    expired(served.tls, tmp_path)
    assert not echo(served, *shown(tmp_path, "OLD", served), title="ANYBODY")
    assert not echo(served, *shown(served.tls, "LOST", served), title="ANYBODY")
    deadline = time.monotonic() + 30
    while not {"certificate revoked", "certificate has expired"} <= told(served.log):
        assert time.monotonic() < deadline, served.log[-2000:]
        time.sleep(0.2)


def told(log: str) -> set[str]:
    """Which refusals a log names."""
    return {one for one in ("certificate revoked", "certificate has expired") if one in log}


def expired(authority: Path, directory: Path) -> None:
    """A certificate of ours that ended yesterday."""
    root = x509.load_pem_x509_certificate((authority / "ca.pem").read_bytes())
    root_key = serialization.load_pem_private_key((authority / "ca.key").read_bytes(), None)
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "OLD")]))
        .issuer_name(root.subject)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(now - datetime.timedelta(days=30))
        .not_valid_after(now - datetime.timedelta(days=1))
        .sign(root_key, hashes.SHA256())
    )
    (directory / "OLD.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (directory / "OLD.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_arguments: object) -> None:
        return None


def test_clear_http_leads_to_https(served: Served) -> None:
    """308, the same path and query; over TLS browsers are told to stay."""
    opener = urllib.request.build_opener(_Stay)
    with pytest.raises(urllib.error.HTTPError) as refused:
        opener.open(f"http://127.0.0.1:{served.http}//evil.example/a?b=c%0d%0aX:1", timeout=5)
    assert refused.value.code == 308
    assert refused.value.headers["location"] == (
        f"https://127.0.0.1:{served.https}/evil.example/a?b=c%0d%0aX:1"
    )
    context = ssl.create_default_context(cafile=served.tls / "ca.pem")
    address = f"https://localhost:{served.https}/healthz"
    with urllib.request.urlopen(address, timeout=5, context=context) as answer:
        assert answer.headers["strict-transport-security"] == "max-age=31536000"


def serial(served: Served, port: int) -> str:
    """The serial number of the certificate that a listener shows."""
    for _ in range(40):
        said = s_client(port, *own(served))
        found = re.search(r"-----BEGIN.*?END CERTIFICATE-----", said, re.DOTALL)
        if found is not None:
            break
        time.sleep(0.5)  # in the moment in which an old worker closes
    assert found is not None, said
    return str(x509.load_pem_x509_certificate(found[0].encode()).serial_number)


def settled(served: Served, other_than: str = "") -> str:
    """The certificate both listeners show, once no old HTTPS worker is left to show another."""
    deadline = time.monotonic() + 90
    times = 0
    while times < 8:
        assert time.monotonic() < deadline, served.log[-2000:]
        shown_now = {serial(served, served.https), serial(served, served.dicom_tls)}
        times = times + 1 if len(shown_now) == 1 and other_than not in shown_now else 0
        time.sleep(0 if times else 0.3)
    return shown_now.pop()


def test_a_renewed_certificate_is_taken_while_it_runs(served: Served) -> None:
    """Both listeners show the new one within seconds; no process was told by hand."""
    before = serial(served, served.https)
    assert before == serial(served, served.dicom_tls)
    served.run("tls", "issue", "server", "--replace")
    assert settled(served, other_than=before) != before
    assert echo(served, *shown(served.tls, "CT1", served))


def test_a_key_that_does_not_fit_is_not_taken(served: Served) -> None:
    """The old pair stays, the log says why."""
    before = settled(served)
    path = served.tls / "server.key"
    good = path.read_bytes()
    try:
        path.write_bytes((served.tls / "MR1.key").read_bytes())
        deadline = time.monotonic() + 30
        while served.log.count("the old one stays") < 2:
            assert time.monotonic() < deadline, served.log[-2000:]
            time.sleep(0.2)
        assert settled(served) == before
    finally:
        path.write_bytes(good)


def test_the_doctor_agrees(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Graded good; a key that others may read is told."""
    for name in ("HTTPS", "DICOM_TLS"):
        monkeypatch.setenv(f"NEGATOSCOPE_{name}", f"127.0.0.1:{getattr(served, name.lower())}")
    monkeypatch.setenv("NEGATOSCOPE_HTTP", f"127.0.0.1:{served.http}")
    monkeypatch.setenv("NEGATOSCOPE_DICOM", f"127.0.0.1:{served.dicom}")
    monkeypatch.setenv("NEGATOSCOPE_TLS_CERTIFICATE", str(served.tls / "server.pem"))
    monkeypatch.setenv("NEGATOSCOPE_TLS_KEY", str(served.tls / "server.key"))
    said = served.run("doctor", check=False)  # it says that this database may lose commits
    assert said.count("prefers TLSv1.3 TLS_AES_256_GCM_SHA384; takes nothing weak") == 2
    assert "key: EC secp256r1" in said
    (served.tls / "server.key").chmod(0o644)
    try:
        assert "FAIL  certificate file" in served.run("doctor", check=False)
    finally:
        (served.tls / "server.key").chmod(0o600)
