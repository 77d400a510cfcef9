"""Server-sent events: what arrives, as it arrives."""

from typing import Annotated

from fastapi import APIRouter, Header
from fastapi.responses import StreamingResponse

from negatoscope.domain.identity import Action
from negatoscope.entrypoints.api.common import Ask
from negatoscope.entrypoints.api.streams import ARRIVALS
from negatoscope.entrypoints.web.problems import Problem

router = APIRouter(tags=["events"])


@router.get(
    "/events",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "`arrivals`: `{studies: [{study_instance_uid, count}]}`; `resync`: read"
            " again what is shown, something was missed; `end`: sign in again.",
            "content": {"text/event-stream": {"schema": {"type": "string"}}},
        }
    },
)
async def get_events(
    ask: Ask, last_event_id: Annotated[str | None, Header(max_length=40)] = None
) -> StreamingResponse:
    """A stream that tells of arrivals until the session ends; for EventSource, which asks for it."""
    ask.require(Action.QUERY)
    if "text/event-stream" not in (ask.request.header(b"accept") or ""):
        raise Problem("not-acceptable", detail="Only text/event-stream can be given.")
    stream = ask.streams.open(ask.request, ARRIVALS, last_event_id)
    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    return StreamingResponse(stream, media_type="text/event-stream", headers=headers)
