"""C-ECHO to a registered application entity: the "test" button and its API."""

import time
from dataclasses import dataclass

from negatoscope.domain.devices import ApplicationEntity
from negatoscope.infra.settings import Settings
from negatoscope.protocols.dicom.dimse import scu
from negatoscope.protocols.dicom.dimse.association import Timeouts
from negatoscope.protocols.dicom.dimse.errors import DimseError
from negatoscope.protocols.dicom.dimse.requestor import ProposedContext, connect
from negatoscope.protocols.dicom.dimse.tls import client_context
from negatoscope.standard.sop_classes import VERIFICATION
from negatoscope.standard.transfer_syntaxes import (
    EXPLICIT_VR_LITTLE_ENDIAN,
    IMPLICIT_VR_LITTLE_ENDIAN,
)

_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class EchoResult:
    """What an application entity answered.

    Attributes:
        answers: Success (0x0000).
        milliseconds: From the connection to the answer.
        reason: Why it does not answer.
    """

    answers: bool
    milliseconds: int
    reason: str = ""


def echo(settings: Settings, entity: ApplicationEntity) -> EchoResult:
    """Ask an application entity whether it is there (PS3.4 Annex A). Blocks for seconds at most."""
    started = time.perf_counter()
    reason = ""
    try:
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
            tls=client_context(
                certificate=settings.tls_certificate, key=settings.tls_key, ca=settings.tls_ca
            )
            if entity.tls
            else None,
            timeouts=Timeouts(connect_s=_TIMEOUT_S, artim_s=_TIMEOUT_S, dimse_s=_TIMEOUT_S),
        )
        try:
            status = scu.echo(association, timeout_s=_TIMEOUT_S)
            association.release()
        finally:
            association.close()
        if status:
            reason = f"status {status:04X}"
    except (DimseError, OSError) as error:
        reason = str(error)
    milliseconds = round((time.perf_counter() - started) * 1000)
    return EchoResult(answers=not reason, milliseconds=milliseconds, reason=reason)
