"""The HL7 process: the MLLP listener, what carries messages out, what sends ours."""

import asyncio
import signal
import ssl
from collections.abc import Callable
from functools import partial
from typing import Final

import structlog

from negatoscope.domain.messages import Messages, Processor
from negatoscope.domain.patients.holders import holders_of
from negatoscope.entrypoints.hl7v2.handling import handle
from negatoscope.entrypoints.hl7v2.listener import Limits, Listener
from negatoscope.entrypoints.hl7v2.order_answers import OrderAnswers
from negatoscope.entrypoints.hl7v2.sender import Sender
from negatoscope.infra.db import Database
from negatoscope.infra.settings import Settings
from negatoscope.protocols.dicom.dimse.tls import TlsProfile, client_context, server_context

PROCESSORS: Final = 2
"""Messages of different patients that are carried out side by side."""
_LOG = structlog.get_logger(__name__)


def serve(*, settings: Settings, database: Database, on_ready: Callable[[], None]) -> None:
    """Take messages until SIGTERM or SIGINT."""
    asyncio.run(_serve(settings, database, on_ready))


async def _serve(settings: Settings, database: Database, on_ready: Callable[[], None]) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    processor = Processor(
        database, partial(handle, settings=settings), holders=holders_of, threads=PROCESSORS
    )
    limits = Limits(
        max_connections=settings.hl7_max_connections,
        max_message_bytes=settings.hl7_max_message_bytes,
        idle_s=settings.hl7_idle_s,
        senders=settings.hl7_senders,
    )
    listener = Listener(
        Messages(database),
        limits,
        on_stored=processor.wake,
        patients=settings.patients,
        order_answers=OrderAnswers(
            database,
            senders=settings.hl7_order_answers,
            patience_s=settings.hl7_order_answer_s,
            zone=settings.zone,
        ),
    )
    await listener.start(settings.hl7.host, settings.hl7.port)
    if settings.hl7_tls is not None:
        address = settings.hl7_tls
        await listener.start(address.host, address.port, tls=_tls(settings))
    processor.start()
    sender = Sender(database, lambda check_host: _client_tls(settings, check_host=check_host))
    sender.start()
    _LOG.info("hl7.listening", hl7=str(settings.hl7), hl7_tls=str(settings.hl7_tls or "off"))
    on_ready()
    await stop.wait()
    await listener.stop()
    await asyncio.gather(asyncio.to_thread(processor.stop), asyncio.to_thread(sender.stop))


def _tls(settings: Settings) -> ssl.SSLContext:
    assert settings.tls_certificate and settings.tls_key  # noqa: S101, PT018 - the settings say so
    return server_context(
        certificate=settings.tls_certificate,
        key=settings.tls_key,
        client_ca=settings.tls_ca,
        profile=TlsProfile(settings.tls_profile),
    )


def _client_tls(settings: Settings, *, check_host: bool) -> ssl.SSLContext:
    return client_context(
        ca=settings.tls_ca,
        certificate=settings.tls_certificate,
        key=settings.tls_key,
        check_hostname=check_host,
        profile=TlsProfile(settings.tls_profile),
    )
