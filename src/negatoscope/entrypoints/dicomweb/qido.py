"""Search (QIDO-RS, PS3.18 §10.6)."""

from collections.abc import Sequence

from negatoscope.domain.archive.retrieve import Retrieval
from negatoscope.entrypoints.web.access import Access
from negatoscope.entrypoints.web.asgi import Request, Send
from negatoscope.entrypoints.web.problems import Problem
from negatoscope.infra.db import Database
from negatoscope.infra.settings import Settings


class QidoRs:
    def __init__(
        self, database: Database, retrieval: Retrieval, access: Access, settings: Settings
    ) -> None:
        pass

    async def search(self, request: Request, send: Send, parts: Sequence[str]) -> None:
        raise Problem("not-found")
