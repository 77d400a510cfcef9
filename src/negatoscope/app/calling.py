"""Calling application entities of the registry."""

import ssl

from negatoscope.domain.devices import ApplicationEntity
from negatoscope.infra.errors import ConfigurationError
from negatoscope.infra.settings import Settings
from negatoscope.protocols.dicom.dimse import scu
from negatoscope.protocols.dicom.dimse.errors import DimseError
from negatoscope.protocols.dicom.dimse.requestor import ProposedContext, connect
from negatoscope.protocols.dicom.dimse.tls import TlsProfile, client_context
from negatoscope.standard.dimse_status import Status
from negatoscope.standard.sop_classes import VERIFICATION

IMPLICIT_VR_LITTLE_ENDIAN = "1.2.840.10008.1.2"


def client_tls(settings: Settings) -> ssl.SSLContext:
    """The TLS context for calling entities that are registered with TLS.

    Raises:
        ConfigurationError: a certificate or key of the settings cannot be read.
    """
    try:
        return client_context(
            ca=settings.tls_ca,
            certificate=settings.tls_certificate,
            key=settings.tls_key,
            profile=TlsProfile(settings.tls_profile),
        )
    except OSError as error:
        raise ConfigurationError(
            f"the TLS certificates cannot be used: {error}",
            hint="tls_certificate, tls_key and tls_ca name PEM files.",
        ) from error


def echo(settings: Settings, entity: ApplicationEntity) -> str | None:
    """Verify an entity (PS3.4 Annex A).

    Returns: None when it answered success, else what went wrong.
    """
    try:
        association = connect(
            entity.host,
            entity.port,
            calling_ae_title=settings.ae_title,
            called_ae_title=entity.ae_title,
            contexts=[
                ProposedContext(
                    abstract_syntax=VERIFICATION, transfer_syntaxes=(IMPLICIT_VR_LITTLE_ENDIAN,)
                )
            ],
            tls=client_tls(settings) if entity.tls else None,
        )
        try:
            status = scu.echo(association)
            association.release()
        finally:
            association.close()
    except (DimseError, OSError) as error:
        return str(error) or type(error).__name__
    return None if status == Status.SUCCESS else f"it answered status {status:04X}"
