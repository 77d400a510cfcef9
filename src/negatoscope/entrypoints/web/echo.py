"""C-ECHO to a registered application entity, and what its failure means: the "test" button.

Every way in which a device does not answer has a code, so that the page can say in the reader's
language what to do. The steps are those of a connection: name, TCP, TLS, association, Verification.
"""

import contextlib
import re
import socket
import ssl
import time
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from negatoscope.domain.devices import ApplicationEntity
from negatoscope.domain.devices.ae import may_be_called
from negatoscope.infra.settings import Settings
from negatoscope.protocols.dicom.dimse import scu
from negatoscope.protocols.dicom.dimse.association import Association, Timeouts
from negatoscope.protocols.dicom.dimse.errors import (
    AssociationAborted,
    AssociationRejected,
    AssociationTimeout,
    ConnectionLost,
    DimseError,
    NoPresentationContext,
)
from negatoscope.protocols.dicom.dimse.requestor import ProposedContext, connect
from negatoscope.protocols.dicom.dimse.tls import TlsProfile, client_context
from negatoscope.protocols.dicom.ul.errors import RejectResult, RejectSource
from negatoscope.standard.sop_classes import VERIFICATION
from negatoscope.standard.transfer_syntaxes import (
    EXPLICIT_VR_LITTLE_ENDIAN,
    IMPLICIT_VR_LITTLE_ENDIAN,
)

_TIMEOUT_S: Final = 10.0
_PROBE_TIMEOUT_S: Final = 3.0
_NO_NETWORK: Final = ("Network is unreachable", "No route to host", "Host is down")


class Diagnosis(StrEnum):
    """What was found; stable, the page has a text for each."""

    ANSWERS = "answers"
    NAME_UNKNOWN = "name-unknown"
    ADDRESS_REFUSED = "address-refused"
    UNREACHABLE = "unreachable"
    CONNECTION_REFUSED = "connection-refused"
    CONNECT_TIMEOUT = "connect-timeout"
    OUR_CERTIFICATE = "our-certificate"
    TLS_NOT_SPOKEN = "tls-not-spoken"
    TLS_EXPECTED = "tls-expected"
    TLS_CERTIFICATE_EXPIRED = "tls-certificate-expired"
    TLS_CERTIFICATE_NAME = "tls-certificate-name"
    TLS_CERTIFICATE_UNKNOWN = "tls-certificate-unknown"
    TLS_CERTIFICATE_REFUSED = "tls-certificate-refused"
    TLS_FAILED = "tls-failed"
    NOT_DICOM = "not-dicom"
    CLOSED = "closed"
    NO_ANSWER = "no-answer"
    CALLING_AE_TITLE = "calling-ae-title-not-recognized"
    CALLED_AE_TITLE = "called-ae-title-not-recognized"
    REJECTED_BUSY = "rejected-busy"
    REJECTED = "rejected"
    ABORTED = "aborted"
    VERIFICATION_REFUSED = "verification-refused"
    STATUS = "status"
    FAILED = "failed"


HINTS: Final = {
    Diagnosis.NAME_UNKNOWN: "the host name is not known: correct it, or register the address.",
    Diagnosis.ADDRESS_REFUSED: "link-local, multicast and unspecified addresses are not called.",
    Diagnosis.UNREACHABLE: "no way leads there: cable, network, firewall, is the device on?",
    Diagnosis.CONNECTION_REFUSED: "the machine is there and nobody listens on that port:"
    " is the port right, does the DICOM service run?",
    Diagnosis.CONNECT_TIMEOUT: "nothing came back: a firewall, a wrong address, or the device is off.",
    Diagnosis.OUR_CERTIFICATE: "tls_certificate, tls_key and tls_ca name PEM files.",
    Diagnosis.TLS_NOT_SPOKEN: "the port does not speak TLS: another port, or register it without TLS.",
    Diagnosis.TLS_EXPECTED: "the port speaks TLS: register the entity with TLS.",
    Diagnosis.TLS_CERTIFICATE_EXPIRED: "its certificate is out of date, or a clock is wrong.",
    Diagnosis.TLS_CERTIFICATE_NAME: "its certificate names another host: register that name.",
    Diagnosis.TLS_CERTIFICATE_UNKNOWN: "no authority we know signed its certificate: add it to tls_ca.",
    Diagnosis.TLS_CERTIFICATE_REFUSED: "it does not take our certificate: give it our authority's.",
    Diagnosis.TLS_FAILED: "no common version or cipher: it must speak TLS 1.2 or 1.3 (PS3.15 B.12).",
    Diagnosis.NOT_DICOM: "somebody answers there, but not DICOM: is the port right?",
    Diagnosis.CLOSED: "it hung up without an answer: many devices do that to hosts or AE titles"
    " they do not know; register ours there.",
    Diagnosis.NO_ANSWER: "it took the connection and said nothing: not a DICOM port, or overloaded.",
    Diagnosis.CALLING_AE_TITLE: "it does not know our AE title: register ours there.",
    Diagnosis.CALLED_AE_TITLE: "it has another AE title: correct the entry, upper and lower case count.",
    Diagnosis.REJECTED_BUSY: "it has no free association now: try again later.",
    Diagnosis.REJECTED: "it does not want us: look at its log; is our AE title registered there?",
    Diagnosis.ABORTED: "it broke the association off: look at its log.",
    Diagnosis.VERIFICATION_REFUSED: "it takes associations but no C-ECHO: allow Verification there.",
    Diagnosis.STATUS: "it answered with an error: look at its log.",
    Diagnosis.FAILED: "look at our log and at the device's.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class EchoResult:
    """What an application entity answered.

    Attributes:
        answers: Success (0x0000).
        milliseconds: From the connection to the answer.
        code: What was found.
        reason: The same with its details, in English; for logs and experts.
        hint: What to do, in English.
        address: The address that was called.
        tls: Version and cipher suite, when TLS was spoken.
        implementation: What the peer says it is.
    """

    answers: bool
    milliseconds: int
    code: Diagnosis
    reason: str = ""
    hint: str = ""
    address: str = ""
    tls: str = ""
    implementation: str = ""


@dataclass(slots=True)
class _Call:
    """What is known while calling."""

    address: str = ""
    tls: str = ""
    implementation: str = ""


def echo(settings: Settings, entity: ApplicationEntity) -> EchoResult:
    """Ask an application entity whether it is there (PS3.4 Annex A). Blocks for seconds at most."""
    started = time.perf_counter()
    call = _Call()
    try:
        code, reason = _call(settings, entity, call)
    except (DimseError, OSError, ValueError) as error:
        code, reason = _diagnose(entity, error), str(error) or type(error).__name__
    return EchoResult(
        answers=code is Diagnosis.ANSWERS,
        milliseconds=round((time.perf_counter() - started) * 1000),
        code=code,
        reason=reason,
        hint=HINTS.get(code, ""),
        address=call.address,
        tls=call.tls,
        implementation=call.implementation,
    )


def _call(settings: Settings, entity: ApplicationEntity, call: _Call) -> tuple[Diagnosis, str]:
    try:
        found = socket.getaddrinfo(entity.host, entity.port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as error:
        return Diagnosis.NAME_UNKNOWN, f"{entity.host}: {error}"
    addresses = [str(one[4][0]) for one in found]
    call.address = addresses[0]
    for (
        address
    ) in addresses:  # after the name was resolved: a name must not lead where an address may not
        if not may_be_called(address):
            return Diagnosis.ADDRESS_REFUSED, f"{entity.host} is {address}"
    context: ssl.SSLContext | None = None
    if entity.tls:
        try:
            context = client_context(
                certificate=settings.tls_certificate,
                key=settings.tls_key,
                ca=settings.tls_ca,
                profile=TlsProfile(settings.tls_profile),
            )
        except OSError as error:
            return Diagnosis.OUR_CERTIFICATE, str(error)
    association = connect(
        entity.host,
        entity.port,
        calling_ae_title=settings.ae_title,
        called_ae_title=entity.ae_title,
        contexts=[
            ProposedContext(
                abstract_syntax=VERIFICATION,
                transfer_syntaxes=(EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN),
            )
        ],
        tls=context,
        timeouts=Timeouts(connect_s=_TIMEOUT_S, artim_s=_TIMEOUT_S, dimse_s=_TIMEOUT_S),
    )
    try:
        _describe(association, call)
        if not association.presentation_contexts:
            association.release()
            return Diagnosis.VERIFICATION_REFUSED, "no presentation context was accepted"
        status = scu.echo(association, timeout_s=_TIMEOUT_S)
        association.release()
    finally:
        association.close()
    if status:
        return Diagnosis.STATUS, f"status {status:04X}"
    return Diagnosis.ANSWERS, ""


def _describe(association: Association, call: _Call) -> None:
    information = association.accept.user_information
    parts = (information.implementation_version_name, information.implementation_class_uid)
    call.implementation = " ".join(part for part in parts if part)
    call.address = association.peer_host
    call.tls = association.tls_session


def _diagnose(entity: ApplicationEntity, error: Exception) -> Diagnosis:
    if isinstance(error, AssociationRejected):
        return _rejection(error)
    if isinstance(error, AssociationTimeout):
        if error.what == "connect":
            return Diagnosis.CONNECT_TIMEOUT
        return Diagnosis.NO_ANSWER if entity.tls else _silent(entity, Diagnosis.NO_ANSWER)
    if isinstance(error, NoPresentationContext):
        return Diagnosis.VERIFICATION_REFUSED
    if isinstance(error, AssociationAborted):
        if error.by_peer:
            return Diagnosis.ABORTED
        return Diagnosis.NOT_DICOM if entity.tls else _silent(entity, Diagnosis.NOT_DICOM)
    if isinstance(error, ConnectionLost):
        return _lost(entity, error)
    return Diagnosis.FAILED


def _rejection(error: AssociationRejected) -> Diagnosis:
    """PS3.8 Table 9-21."""
    if error.source == RejectSource.SERVICE_USER and error.reason == 3:
        return Diagnosis.CALLING_AE_TITLE
    if error.source == RejectSource.SERVICE_USER and error.reason == 7:
        return Diagnosis.CALLED_AE_TITLE
    busy = error.source == RejectSource.SERVICE_PROVIDER_PRESENTATION and error.reason in {1, 2}
    if error.result == RejectResult.TRANSIENT or busy:
        return Diagnosis.REJECTED_BUSY
    return Diagnosis.REJECTED


def _lost(entity: ApplicationEntity, error: ConnectionLost) -> Diagnosis:
    cause = error.__cause__
    if isinstance(cause, ssl.SSLError):
        return _tls(cause)
    if isinstance(cause, ConnectionRefusedError):
        return Diagnosis.CONNECTION_REFUSED
    if isinstance(cause, OSError) and any(text in str(cause) for text in _NO_NETWORK):
        return Diagnosis.UNREACHABLE
    if entity.tls and "no TLS" in str(error):
        return Diagnosis.TLS_NOT_SPOKEN
    return Diagnosis.CLOSED if entity.tls else _silent(entity, Diagnosis.CLOSED)


def _tls(error: ssl.SSLError) -> Diagnosis:
    if isinstance(error, ssl.SSLCertVerificationError):
        if error.verify_code == 10:  # X509_V_ERR_CERT_HAS_EXPIRED
            return Diagnosis.TLS_CERTIFICATE_EXPIRED
        if error.verify_code in {62, 64}:  # hostname, IP address
            return Diagnosis.TLS_CERTIFICATE_NAME
        return Diagnosis.TLS_CERTIFICATE_UNKNOWN
    reason = error.reason or ""
    if re.search(
        "WRONG_VERSION_NUMBER|RECORD_LAYER|HTTP_REQUEST|UNEXPECTED_EOF", reason + str(error)
    ):
        return Diagnosis.TLS_NOT_SPOKEN
    if re.search("CERTIFICATE|UNKNOWN_CA|BAD_CERT", reason):
        return Diagnosis.TLS_CERTIFICATE_REFUSED
    return Diagnosis.TLS_FAILED


def _silent(entity: ApplicationEntity, otherwise: Diagnosis) -> Diagnosis:
    """A peer that does not take our PDU in clear may be waiting for TLS: a handshake tells."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # whether it speaks TLS, nothing is sent over it
    with contextlib.suppress(OSError):
        address = (entity.host, entity.port)
        with socket.create_connection(address, timeout=_PROBE_TIMEOUT_S) as plain:
            try:
                context.wrap_socket(plain, server_hostname=entity.host).close()
            except ssl.SSLError as error:
                # An alert (a certificate is wanted, a version is not) is TLS too.
                if "ALERT" in (error.reason or ""):
                    return Diagnosis.TLS_EXPECTED
            else:
                return Diagnosis.TLS_EXPECTED
    return otherwise
