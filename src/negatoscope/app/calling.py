"""Calling application entities of the registry."""

import ssl

from negatoscope.infra.errors import ConfigurationError
from negatoscope.infra.settings import Settings
from negatoscope.protocols.dicom.dimse.tls import TlsProfile, client_context


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
