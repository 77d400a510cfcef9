"""WADO-URI's ``anonymize=yes`` (PS3.18 §9.1.2.5): an object without identity, stored nowhere.

Studies cannot be told from it, but for who has the key of the UIDs; it is derived from the key of
the data directory and used for nothing else.
"""

import hmac
from collections.abc import Iterator

from negatoscope.domain.archive.retrieve import Retrieval
from negatoscope.domain.archive.stored import StoredInstance
from negatoscope.domain.deidentification import (
    DeidentifiedSource,
    Deidentifier,
    NotDeidentifiable,
)
from negatoscope.domain.identity import Action
from negatoscope.domain.viewing.pixels import PixelsBusy, PixelService
from negatoscope.domain.viewing.transcoding import StoredSource, Transcoder, TranscodingFailed
from negatoscope.entrypoints.dicomweb.media_types import DICOM, parse_accept
from negatoscope.entrypoints.dicomweb.retrieve_common import wrong_transfer_syntax
from negatoscope.entrypoints.dicomweb.transcoded import object_syntax, problem_of_pixels
from negatoscope.entrypoints.web.access import Access
from negatoscope.entrypoints.web.asgi import Header, Request, Send, send_answer
from negatoscope.entrypoints.web.problems import Problem
from negatoscope.entrypoints.web.streaming import send_stream
from negatoscope.infra import metrics
from negatoscope.kit.aio import run_blocking
from negatoscope.protocols.dicom.dataset import DataSetError
from negatoscope.standard.transfer_syntaxes import transfer_syntax

_SENT = metrics.BYTES.labels("out")
_CHUNK_BYTES = 1 << 20


class Deidentified:
    """Objects without identity.

    Args:
        retrieval: The archive's reading side.
        pixels: Transcodes.
        access: The audit trail.
    """

    def __init__(self, retrieval: Retrieval, pixels: PixelService, access: Access) -> None:
        self._retrieval = retrieval
        self._transcoder = Transcoder(pixels=pixels)
        self._access = access
        key = hmac.digest(access.key, b"UIDs of anonymize=yes", "sha256")
        self._deidentifier = Deidentifier(key=key)

    async def send(
        self, request: Request, send: Send, stored: StoredInstance, syntax: str | None
    ) -> None:
        """Answer with an object that was found and may be read.

        Raises:
            Problem: refused.
        """
        asked = DICOM if syntax is None else f"{DICOM}; transfer-syntax={syntax}"
        uid = object_syntax(parse_accept(asked), stored.transfer_syntax_uid)
        if uid is None:
            raise wrong_transfer_syntax({stored.transfer_syntax_uid})
        if transfer_syntax(uid).is_deflated and syntax is None:
            uid = "1.2.840.10008.1.2.1"
        await self._access.note_read(request, Action.RETRIEVE, stored.study_instance_uid)
        headers: list[Header] = [
            (b"content-type", f"{DICOM}; transfer-syntax={uid}".encode("ascii")),
            (b"cache-control", b"private, no-store"),
        ]
        if request.method == "HEAD":
            await run_blocking(self._tried, stored)
            await send_answer(send, 200, headers, head_only=True)
            return
        try:
            _SENT.inc(
                await send_stream(send, request.receive, 200, headers, self._file(stored, uid))
            )
        except NotDeidentifiable as error:
            raise _refused(error) from error
        except (TranscodingFailed, PixelsBusy) as error:
            raise problem_of_pixels(error) from error
        except DataSetError as error:
            raise Problem("pixels-unreadable", detail="Its attributes cannot be read.") from error

    def _tried(self, stored: StoredInstance) -> None:
        with self._retrieval.open(stored) as member:
            try:
                DeidentifiedSource(StoredSource(member, self._retrieval), self._deidentifier)
            except NotDeidentifiable as error:
                raise _refused(error) from error

    def _file(self, stored: StoredInstance, uid: str) -> Iterator[bytes]:
        with self._retrieval.open(stored) as member:
            member.look()
            source = DeidentifiedSource(StoredSource(member, self._retrieval), self._deidentifier)
            meta = source.file_meta(uid)
            if uid != source.transfer_syntax_uid:
                pieces = self._transcoder.data_set(source, uid)
                yield meta + next(pieces, b"")
                yield from pieces
                return
            yield meta + source.read(0, _CHUNK_BYTES)
            for at in range(_CHUNK_BYTES, source.data_set_length, _CHUNK_BYTES):
                yield source.read(at, _CHUNK_BYTES)


def _refused(error: NotDeidentifiable) -> Problem:
    return Problem("not-acceptable", detail=f"{error.reason[0].upper()}{error.reason[1:]}.")
