"""The health of a running node, in detail: for the administration page."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Final

import structlog

from negatoscope.entrypoints.web.services import Services
from negatoscope.infra import health, process_reports
from negatoscope.infra.checks import Check
from negatoscope.infra.clock import utc_now
from negatoscope.infra.events import monitor as outbox_monitor
from negatoscope.infra.jobs import monitor as job_monitor
from negatoscope.infra.logging import describe
from negatoscope.subscribers.audit import verification

_LOG = structlog.get_logger(__name__)

LONG_LAG: Final = timedelta(minutes=5)
_AUDIT_AGE: Final = timedelta(days=3)


def checks(services: Services) -> list[Check]:
    """Everything worth a look, the running processes' part included; each has a hint when it is not well."""
    found: list[Check] = []
    parts: tuple[Callable[[Services], list[Check] | Iterator[Check]], ...] = (
        lambda one: health.thorough(one.settings, database=one.database),
        _processes,
        _queues,
        _tasks,
        _audit,
    )
    for part in parts:
        try:
            found += part(services)
        except Exception as error:  # noqa: BLE001 - what cannot be looked at is said, the rest is shown
            _LOG.warning("a part of the health cannot be told", reason=describe(error))
            found.append(
                Check(
                    name="look",
                    ok=False,
                    detail=describe(error)[:300],
                    hint="look at the log.",
                )
            )
    return found


def _processes(services: Services) -> Iterator[Check]:
    reports = process_reports.list_reports(services.database)
    roles = sorted({one.role for one in reports})
    wanted = {"dicom", "hl7", "http", "worker"}
    missing = sorted(wanted - set(roles))
    yield Check(
        name="processes",
        ok=not missing,
        detail=f"{len(reports)} heard of: {', '.join(roles) or 'none'}",
        hint=f"nothing was heard of {', '.join(missing)} for half a minute: look at the log."
        if missing
        else "",
    )
    failing = [
        chore["name"]
        for one in reports
        for chore in one.report.get("chores", ())
        if chore.get("error")
    ]
    yield Check(
        name="chores",
        ok=not failing,
        detail=", ".join(failing) or "all went well",
        hint="the worker tries again; the reason is on the page of jobs." if failing else "",
    )
    scrub = next(
        (
            chore
            for one in reports
            for chore in one.report.get("chores", ())
            if chore.get("name") == "scrub"
        ),
        None,
    )
    if scrub is not None:
        running = "is reading objects again" if scrub["is_running"] else "has read objects again"
        yield Check(
            name="scrub",
            ok=not scrub["error"],
            detail=f"the worker {running}; runs since its start: {scrub['runs']}",
            hint="look at the tasks and at the disks." if scrub["error"] else "",
        )


def _queues(services: Services) -> Iterator[Check]:
    outbox = outbox_monitor.summary(services.database)
    lag = timedelta(0) if outbox.oldest_at is None else utc_now() - outbox.oldest_at
    late = lag > LONG_LAG
    yield Check(
        name="outbox",
        ok=not late and not outbox.parked,
        detail=f"{outbox.waiting} wait, {max(0, int(lag.total_seconds()))} s; {outbox.parked} parked",
        hint="what was parked waits on the page of jobs."
        if outbox.parked
        else "does the worker run?"
        if late
        else "",
    )
    failed = sum(
        count for _queue, state, count in job_monitor.counts(services.database) if state == "failed"
    )
    yield Check(
        name="jobs",
        ok=True,
        is_warning=failed > 0,
        detail=f"{failed} failed",
        hint="the page of jobs says why; try them again there." if failed else "",
    )


def _tasks(services: Services) -> Iterator[Check]:
    open_tasks = services.versions.tasks(limit=500)
    yield Check(
        name="tasks",
        ok=True,
        is_warning=bool(open_tasks),
        detail=f"{len(open_tasks)} open",
        hint="a person must decide: the page of conflicts lists them." if open_tasks else "",
    )


def _audit(services: Services) -> Iterator[Check]:
    last = next((one for one in verification.last(services.database) if one.ended_at), None)
    if last is None:
        yield Check(name="audit", ok=True, is_warning=True, detail="not verified yet")
        return
    broken = len(last.findings or ())
    old = last.ended_at is not None and utc_now() - last.ended_at > _AUDIT_AGE
    yield Check(
        name="audit",
        ok=not broken,
        is_warning=old,
        detail=f"verified {last.ended_at:%Y-%m-%d %H:%M} UTC, {last.record_count} records,"
        f" {broken} findings",
        hint="the trail was changed: keep the database as it is and look at the findings."
        if broken
        else "",
    )
