"""What waits for a person: objects set aside, tasks."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path

from negatoscope.domain.archive.conflicts import Conflicts
from negatoscope.domain.archive.versions import NoSuchDecision
from negatoscope.domain.identity import Action
from negatoscope.entrypoints.api.common import Administer, Schema
from negatoscope.entrypoints.web.problems import Problem
from negatoscope.kit.aio import run_blocking

router = APIRouter(tags=["archive"])
Number = Annotated[int, Path(ge=1, le=(1 << 63) - 1)]


class SetAside(Schema):
    """An object kept beside the archive until somebody decides."""

    id: int
    reason: str
    sop_instance_uid: str
    study_instance_uid: str
    series_instance_uid: str
    calling_ae_title: str | None
    received_at: datetime
    sha256: str
    size: int


class Decision(Schema):
    """``accept``: it takes the place of the first version; ``dismiss``: the first one stays."""

    decision: Literal["accept", "dismiss"]


class Difference(Schema):
    """An attribute that is not the same in both; null where it is absent."""

    tag: str
    keyword: str
    vr: str
    current: str | None
    aside: str | None


class Version(Schema):
    """One of two versions of an object."""

    transfer_syntax_uid: str
    size: int
    sha256: str
    pixels_sha256: str | None


class Comparison(Schema):
    """An object set aside beside the current one."""

    id: int
    reason: str
    state: str
    sop_instance_uid: str
    study_instance_uid: str
    current_study_instance_uid: str
    calling_ae_title: str | None
    received_at: datetime
    resolved_at: datetime | None
    resolved_by: str | None
    current: Version | None
    aside: Version
    differences: list[Difference]
    equal_count: int
    problem: str


class Decided(Schema):
    """An object set aside about which somebody decided."""

    id: int
    reason: str
    state: str
    sop_instance_uid: str
    study_instance_uid: str
    series_instance_uid: str
    calling_ae_title: str | None
    received_at: datetime
    resolved_at: datetime | None
    resolved_by: str | None
    sha256: str
    size: int


class Task(Schema):
    """Something an administrator must look at."""

    id: int
    kind: str
    subject: str
    detail: dict[str, Any]
    created_at: datetime


@router.get("/set-aside")
async def list_set_aside(ask: Administer) -> list[SetAside]:
    """What waits for a decision, oldest first."""
    pending = await run_blocking(ask.services.versions.pending)
    return [SetAside.model_validate(one) for one in pending]


@router.get("/set-aside/decided")
async def list_decided(ask: Administer) -> list[Decided]:
    """What was decided, the latest first; a dismissed one may be asked about again."""
    found = await run_blocking(Conflicts(ask.services.retrieval).decided)
    return [Decided.model_validate(one) for one in found]


@router.get("/set-aside/{number}")
async def compare_set_aside(ask: Administer, number: Number) -> Comparison:
    """Both versions attribute by attribute. Values of patients are among them: the trail notes it."""
    found = await run_blocking(Conflicts(ask.services.retrieval).compare, number)
    if found is None:
        raise Problem("not-found")
    await ask.services.access.note(
        ask.request,
        Action.RETRIEVE,
        study_instance_uid=found.study_instance_uid,
        detail={"set_aside": number},
    )
    return Comparison.model_validate(found)


@router.post("/set-aside/{number}/reopen", status_code=204)
async def reopen(ask: Administer, number: Number) -> None:
    """Ask again about an object that was dismissed, or replaced by another."""
    conflicts = Conflicts(ask.services.retrieval)
    if not await run_blocking(conflicts.reopen, number, by=ask.actor.name):
        raise Problem("conflict", detail="Nothing with this number was dismissed.")
    await ask.note("task reopened", set_aside=number)


@router.post("/set-aside/{number}/decision", status_code=204)
async def decide(ask: Administer, number: Number, decision: Decision) -> None:
    """Decide about an object set aside. Nothing is deleted by either decision."""
    versions = ask.services.versions
    act = versions.accept if decision.decision == "accept" else versions.dismiss
    try:
        await run_blocking(act, number, by=ask.actor.name)
    except NoSuchDecision as error:
        raise Problem("conflict", detail=f"{str(error)[:1].upper()}{str(error)[1:]}.") from error
    await ask.note(f"task {decision.decision}", set_aside=number)


@router.get("/tasks")
async def list_tasks(ask: Administer) -> list[Task]:
    """Open tasks, oldest first."""
    tasks = await run_blocking(ask.services.versions.tasks)
    return [Task.model_validate(task) for task in tasks]


@router.post("/tasks/{number}/done", status_code=204)
async def close_task(ask: Administer, number: Number) -> None:
    """Mark a task done."""
    if not await run_blocking(ask.services.versions.close_task, number, by=ask.actor.name):
        raise Problem("not-found")
    await ask.note("task done", task=number)
