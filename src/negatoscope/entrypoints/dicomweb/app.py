"""The DICOMweb service at ``/dicom-web``: which path and method is which transaction.

A plain table in front of everything: no framework stands between a frame and its reader.
"""

from collections.abc import Coroutine, Sequence
from typing import Any, Final

from negatoscope.entrypoints.dicomweb.bulk_data import BulkDataRs
from negatoscope.entrypoints.dicomweb.capabilities import send_capabilities
from negatoscope.entrypoints.dicomweb.downloads import Downloads, wants_zip
from negatoscope.entrypoints.dicomweb.frames import FramesRs
from negatoscope.entrypoints.dicomweb.htj2k import Htj2kFrames
from negatoscope.entrypoints.dicomweb.metadata_rs import MetadataRs
from negatoscope.entrypoints.dicomweb.objects import ObjectKey, OpenObjects
from negatoscope.entrypoints.dicomweb.qido import QidoRs
from negatoscope.entrypoints.dicomweb.rendered import RenderedRs
from negatoscope.entrypoints.dicomweb.stow_rs import StowRs
from negatoscope.entrypoints.dicomweb.ups_channel import EventChannels
from negatoscope.entrypoints.dicomweb.ups_rs import UpsRs
from negatoscope.entrypoints.dicomweb.wado_rs import Target, WadoRs
from negatoscope.entrypoints.web.asgi import Receive, Request, Scope, Send
from negatoscope.entrypoints.web.problems import Problem
from negatoscope.entrypoints.web.services import Services

GET: Final = ("GET", "HEAD")
GET_AND_POST: Final = ("GET", "HEAD", "POST")
POST: Final = ("POST",)
PUT: Final = ("PUT",)
POST_AND_DELETE: Final = ("POST", "DELETE")


class DicomWeb:
    """Search, Retrieve and Store over HTTP (PS3.18 §10)."""

    def __init__(self, services: Services) -> None:
        self._objects = OpenObjects(services.retrieval)
        self._frames = FramesRs(
            services.retrieval,
            self._objects,
            services.access,
            Htj2kFrames(services.retrieval, services.htj2k, services.access),
            services.pixels,
        )
        self._bulk_data = BulkDataRs(
            services.retrieval, self._objects, self._frames, services.access
        )
        self._rendered = RenderedRs(
            services.retrieval,
            services.renderer,
            services.access,
            at_once=services.settings.codecs.processes + 2,
        )
        self._wado = WadoRs(services.retrieval, services.access, services.pixels)
        self._metadata = MetadataRs(services.retrieval, services.access)
        self._downloads = Downloads(services.retrieval, services.access, services.pixels)
        self._stow = StowRs(services.archive, services.access, spool_dir=services.settings.data_dir)
        self._qido = QidoRs(
            services.database, services.retrieval, services.access, services.settings
        )

        self._ups = UpsRs(services.database, services.access)
        self._channels = EventChannels(services.database, services.access)

    async def close(self) -> None:
        """Give back what is open."""
        await self._channels.close()
        self._objects.close()

    async def websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Open Event Channel (PS3.18 §11.13), the one transaction over WebSocket."""
        match str(scope["path"]).split("/")[2:]:
            case ["subscribers", title] if title:
                await self._channels.serve(scope, receive, send)
            case _:
                await receive()
                await send({"type": "websocket.close", "code": 1003})

    async def __call__(self, request: Request, send: Send) -> str:
        """Answer a request.

        Returns: The name of the transaction, for metrics.
        Raises:
            Problem: refused.
        """
        parts = request.path.split("/")[2:]
        if len(parts) > 1 and not parts[-1]:
            parts.pop()
        if parts in ([], [""]) and request.method == "OPTIONS":
            await send_capabilities(request, send, b"OPTIONS")
            return "capabilities"
        name, methods, answer = self._find(request, send, parts)
        if request.method == "OPTIONS":
            answer.close()
            await send_capabilities(request, send, _allow(methods))
            return "capabilities"
        if request.method not in methods:
            answer.close()
            raise Problem("method-not-allowed", allow=_allow(methods).decode("ascii"))
        await answer
        return name

    async def _retrieve(self, request: Request, send: Send, target: Target) -> None:
        if wants_zip(request):
            await self._downloads.download(request, send, target)
        else:
            await self._wado.retrieve(request, send, target)

    def _find(
        self, request: Request, send: Send, parts: Sequence[str]
    ) -> tuple[str, tuple[str, ...], Coroutine[Any, Any, None]]:
        is_post = request.method == "POST"
        match parts:
            case (
                ["studies", _, "rendered"]
                | ["studies", _, "series", _, "rendered"]
                | ["studies", _, "series", _, "instances", _, "rendered"]
            ):
                target = Target(*parts[1:-1:2])
                return "rendered", GET, self._rendered.rendered(request, send, target)
            case (
                ["studies", _, "thumbnail"]
                | ["studies", _, "series", _, "thumbnail"]
                | ["studies", _, "series", _, "instances", _, "thumbnail"]
            ):
                target = Target(*parts[1:-1:2])
                return "thumbnail", GET, self._rendered.thumbnail(request, send, target)
            case [
                "studies", study, "series", series, "instances", sop, "frames", frames, "rendered"
            ]:  # fmt: skip
                target = Target(study, series, sop)
                return "rendered", GET, self._rendered.rendered(request, send, target, frames)
            case [
                "studies", study, "series", series, "instances", sop, "frames", frames, "thumbnail"
            ]:  # fmt: skip
                target = Target(study, series, sop)
                return "thumbnail", GET, self._rendered.thumbnail(request, send, target, frames)
            case ["studies", study, "series", series, "instances", sop, "frames", frames]:
                key = ObjectKey(study, series, sop)
                return "frames", GET, self._frames.frames(request, send, key, frames)
            case ["studies", study, "series", series, "instances", sop, "bulkdata", *path] if path:
                key = ObjectKey(study, series, sop)
                return "bulkdata", GET, self._bulk_data.value(request, send, key, "/".join(path))
            case (
                ["studies", _, ("bulkdata" | "pixeldata") as kind]
                | ["studies", _, "series", _, ("bulkdata" | "pixeldata") as kind]
                | ["studies", _, "series", _, "instances", _, ("bulkdata" | "pixeldata") as kind]
            ):
                target = Target(*parts[1:-1:2])
                below = self._bulk_data.below(
                    request, send, target, pixels_only=kind == "pixeldata"
                )
                return "bulkdata", GET, below
            case ["studies", study, "series", series, "instances", sop, "metadata"]:
                target = Target(study, series, sop)
                return "metadata", GET, self._metadata.metadata(request, send, target)
            case ["studies", study, "series", series, "metadata"]:
                return (
                    "metadata",
                    GET,
                    self._metadata.metadata(request, send, Target(study, series)),
                )
            case ["studies", study, "metadata"]:
                return "metadata", GET, self._metadata.metadata(request, send, Target(study))
            case ["studies", study, "series", series, "instances", sop]:
                target = Target(study, series, sop)
                return "retrieve", GET, self._retrieve(request, send, target)
            case ["studies", study, "series", series] if series:
                return "retrieve", GET, self._retrieve(request, send, Target(study, series))
            case ["studies", study] if is_post:
                return "store", GET_AND_POST, self._stow.store(request, send, study)
            case ["studies", study] if study:
                return "retrieve", GET_AND_POST, self._retrieve(request, send, Target(study))
            case ["studies"] if is_post:
                return "store", GET_AND_POST, self._stow.store(request, send, None)
            case ["studies"]:
                return "search", GET_AND_POST, self._qido.search(request, send, parts)
            case (
                ["series"]
                | ["instances"]
                | ["studies", _, "series" | "instances"]
                | ["studies", _, "series", _, "instances"]
            ):
                return "search", GET, self._qido.search(request, send, parts)
            case ["archive"]:
                return "retrieve", GET, self._downloads.several(request, send)
            case ["workitems"] if is_post:
                return "create workitem", GET_AND_POST, self._ups.create(request, send)
            case ["workitems"]:
                return "search workitems", GET_AND_POST, self._ups.search(request, send)
            case ["workitems", uid] if is_post:
                return "update workitem", GET_AND_POST, self._ups.update(request, send, uid)
            case ["workitems", uid]:
                return "retrieve workitem", GET_AND_POST, self._ups.retrieve(request, send, uid)
            case ["workitems", uid, "state"]:
                return "change workitem state", PUT, self._ups.change_state(request, send, uid)
            case ["workitems", uid, "cancelrequest"]:
                return "request cancellation", POST, self._ups.cancel(request, send, uid)
            case ["workitems", uid, "subscribers", aetitle]:
                subscription = self._ups.subscription(request, send, uid, aetitle)
                return "subscription", POST_AND_DELETE, subscription
            case ["workitems", uid, "subscribers", aetitle, "suspend"]:
                suspension = self._ups.suspend(request, send, uid, aetitle)
                return "suspend subscription", POST, suspension
            case _:
                raise Problem("not-found")


def _allow(methods: tuple[str, ...]) -> bytes:
    return ", ".join((*methods, "OPTIONS")).encode("ascii")
