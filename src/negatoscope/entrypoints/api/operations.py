"""What an administrator looks at while everything runs: space, jobs, connections, logs, health."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from fastapi.responses import StreamingResponse

from negatoscope.domain.archive import space
from negatoscope.domain.identity import sessions
from negatoscope.entrypoints.api.common import Administer, Schema
from negatoscope.entrypoints.web.operations import checks
from negatoscope.entrypoints.web.problems import Problem
from negatoscope.entrypoints.web.version import VERSION
from negatoscope.infra import kept_logs, licences, process_reports
from negatoscope.infra.events import monitor as outbox_monitor
from negatoscope.infra.jobs import monitor as job_monitor
from negatoscope.kit.aio import run_blocking

router = APIRouter(tags=["operations"], prefix="/operations")
Number = Annotated[int, Path(ge=1, le=(1 << 63) - 1)]
Limit = Annotated[int, Query(ge=1, le=1000)]


class VolumeSpace(Schema):
    """A volume, how fast it fills, and when it will refuse objects."""

    name: str
    path: str
    total_bytes: int | None
    free_bytes: int | None
    low_watermark_bytes: int
    takes_objects: bool
    stored_bytes: int
    dead_bytes: int
    segment_count: int
    object_count: int
    growth_bytes_per_day: float | None
    full_at: datetime | None


class Job(Schema):
    """A job of the queue; ``reason`` is why it failed."""

    id: int
    queue: str
    task: str
    status: str
    priority: int
    lock: str | None
    attempts: int
    scheduled_at: datetime | None
    is_cancelling: bool
    arguments: dict[str, Any]
    reason: str | None
    failed_at: datetime | None
    changed_at: datetime | None


class QueueCount(Schema):
    """How many jobs of a queue are in a state."""

    queue: str
    status: str
    count: int


class Outbox(Schema):
    """Events between a change and what reacts to it."""

    waiting: int
    oldest_at: datetime | None
    retrying: int
    parked: int


class ParkedEvent(Schema):
    """An event set aside after repeated failure."""

    id: int
    kind: str
    created_at: datetime
    parked_at: datetime
    attempts: int
    reason: str


class Chore(Schema):
    """What the worker does at intervals."""

    name: str
    runs: int
    started_at: datetime | None
    seconds: float
    is_running: bool
    error: str


class Jobs(Schema):
    """Queues, their jobs, the outbox and the worker's chores."""

    counts: list[QueueCount]
    jobs: list[Job]
    outbox: Outbox
    parked: list[ParkedEvent]
    chores: list[Chore]


class Process(Schema):
    """A running process."""

    node: str
    pid: int
    role: str
    started_at: datetime
    reported_at: datetime
    age_s: float
    figures: dict[str, int]


class Association(Schema):
    """A DICOM association that is open now."""

    node: str
    pid: int
    calling_ae_title: str
    peer_host: str
    tls: str
    seconds: float
    idle_s: float
    requests: int
    last: str


class Connections(Schema):
    """Who is connected now, as of some seconds ago."""

    processes: list[Process]
    associations: list[Association]
    half_open: int
    http_requests: int
    web_sockets: int
    sessions: int


class LogEvent(Schema):
    """One event of a log."""

    at: str
    level: str
    role: str
    pid: int
    event: str
    values: dict[str, Any]


class Check(Schema):
    """One thing looked at."""

    name: str
    kind: str
    state: Literal["ok", "warning", "failed"]
    detail: str
    hint: str


class HealthReport(Schema):
    """Whether everything is as it must be."""

    version: str
    ae_title: str
    state: Literal["ok", "warning", "failed"]
    checks: list[Check]


class Component(Schema):
    """A package that is part of this program."""

    name: str
    version: str
    ecosystem: str
    licence: str
    homepage: str


@router.get("/volumes")
async def list_volumes(ask: Administer) -> list[VolumeSpace]:
    """Volumes with their space, growth and estimate."""
    found = await run_blocking(
        space.volume_spaces, ask.services.database, tuple(ask.services.archive.volumes.values())
    )
    return [VolumeSpace.model_validate(one) for one in found]


@router.get("/jobs")
async def list_jobs(
    ask: Administer,
    status: Literal["todo", "doing", "failed", "cancelled", "aborted"] | None = None,
    limit: Limit = 200,
) -> Jobs:
    """The queue, the outbox and the chores."""
    return await run_blocking(_jobs, ask, status, limit)


@router.post("/jobs/{number}/retry", status_code=204)
async def retry_job(ask: Administer, number: Number) -> None:
    """Have a failed job run again."""
    if not await run_blocking(job_monitor.retry, ask.services.database, number):
        raise Problem("conflict", detail="No failed job has this number.")
    await ask.note("retry job", job=number)


@router.post("/jobs/{number}/cancel", status_code=204)
async def cancel_job(ask: Administer, number: Number) -> None:
    """Take a waiting job back, or ask a running one to end."""
    if not await run_blocking(job_monitor.cancel, ask.services.database, number):
        raise Problem("conflict", detail="No waiting or running job has this number.")
    await ask.note("cancel job", job=number)


@router.post("/events/{number}/retry", status_code=204)
async def retry_event(ask: Administer, number: Number) -> None:
    """Have a parked event delivered again."""
    if not await run_blocking(outbox_monitor.deliver_again, ask.services.database, number):
        raise Problem("conflict", detail="No parked event has this number.")
    await ask.note("retry event", event=number)


@router.get("/connections")
async def list_connections(ask: Administer) -> Connections:
    """Processes, associations, HTTP requests and sessions, as of some seconds ago."""
    return await run_blocking(_connections, ask)


@router.get("/logs")
async def list_log_events(
    ask: Administer,
    *,
    level: Literal["debug", "info", "warning", "error", "critical"] = "info",
    role: Annotated[str | None, Query(max_length=40)] = None,
    text: Annotated[str, Query(max_length=200)] = "",
    before: Annotated[str | None, Query(max_length=40)] = None,
    limit: Limit = 200,
) -> list[LogEvent]:
    """The latest events of this machine's processes, the latest first. They name no patient."""
    found = await run_blocking(
        kept_logs.tail,
        ask.services.settings.data_dir / "logs",
        level=level,
        role=role or None,
        text=text,
        before=before,
        limit=limit,
    )
    return [LogEvent.model_validate(one) for one in found]


@router.get("/health")
async def get_health_report(ask: Administer) -> HealthReport:
    """Database, disks, clocks, certificates, queues, libraries: each with what to do."""
    found = [
        Check(
            name=one.name,
            kind=one.kind,
            state="failed" if not one.ok else "warning" if one.is_warning else "ok",
            detail=one.detail,
            hint=one.hint,
        )
        for one in await run_blocking(checks, ask.services)
    ]
    states = {one.state for one in found}
    worst: Literal["ok", "warning", "failed"] = (
        "failed" if "failed" in states else "warning" if "warning" in states else "ok"
    )
    return HealthReport(
        version=VERSION, ae_title=ask.services.settings.ae_title, state=worst, checks=found
    )


@router.get("/licences")
async def list_components(ask: Administer) -> list[Component]:
    """Packages that are part of this program, and their licences."""
    _ = ask
    return [Component.model_validate(one) for one in await run_blocking(licences.components)]


@router.get("/licences.txt", response_class=StreamingResponse)
async def get_licence_texts(ask: Administer) -> StreamingResponse:
    """The same with the texts of the licences, as a file."""
    _ = ask
    return StreamingResponse(
        licences.texts(),
        media_type="text/plain; charset=utf-8",
        headers={"content-disposition": 'attachment; filename="negatoscope-licences.txt"'},
    )


def _jobs(ask: Administer, status: str | None, limit: int) -> Jobs:
    database = ask.services.database
    return Jobs(
        counts=[
            QueueCount(queue=queue, status=state, count=count)
            for queue, state, count in job_monitor.counts(database)
        ],
        jobs=[
            Job(**asdict(one))
            for one in job_monitor.list_jobs(database, status=status, limit=limit)
        ],
        outbox=Outbox.model_validate(outbox_monitor.summary(database)),
        parked=[ParkedEvent.model_validate(one) for one in outbox_monitor.parked(database)],
        chores=list(_chores(process_reports.list_reports(database))),
    )


def _chores(reports: list[process_reports.ProcessReport]) -> Iterator[Chore]:
    for report in reports:
        for one in report.report.get("chores", ()):
            started_s = float(one["started_s"])
            yield Chore(
                name=one["name"],
                runs=one["runs"],
                started_at=datetime.fromtimestamp(started_s, UTC) if started_s else None,
                seconds=one["seconds"],
                is_running=one["is_running"],
                error=one["error"],
            )


def _connections(ask: Administer) -> Connections:
    database = ask.services.database
    reports = process_reports.list_reports(database)
    totals = dict.fromkeys(("half_open", "requests_now", "web_sockets"), 0)
    associations: list[Association] = []
    for one in reports:
        for name in totals:
            totals[name] += int(one.report.get(name, 0))
        associations += [
            Association(node=one.node, pid=one.pid, **found)
            for found in one.report.get("associations", ())
        ]
    return Connections(
        processes=[
            Process(
                node=one.node,
                pid=one.pid,
                role=one.role,
                started_at=one.started_at,
                reported_at=one.reported_at,
                age_s=one.age_s,
                figures={key: value for key, value in one.report.items() if isinstance(value, int)},
            )
            for one in reports
        ],
        associations=associations,
        half_open=totals["half_open"],
        http_requests=totals["requests_now"],
        web_sockets=totals["web_sockets"],
        sessions=len(sessions.list_sessions(database, ask.services.access.limits)),
    )
