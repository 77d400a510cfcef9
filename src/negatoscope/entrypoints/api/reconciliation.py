"""The desk: probable duplicates, studies without patient or order, and what is done about them."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Path, Query
from pydantic import AfterValidator, Field

from negatoscope.domain.identity import Action as Function
from negatoscope.domain.patients import UnknownPatient
from negatoscope.domain.reconciliation import (
    Action,
    ActionKind,
    ActionRefused,
    CannotUndo,
    ChangedSince,
    Desk,
    Done,
    ReconciliationError,
    UnknownAction,
    WorkLists,
)
from negatoscope.domain.reconciliation.issuers import (
    DefaultIssuer,
    default_issuers,
    issuers_known,
    senders,
    set_default_issuers,
)
from negatoscope.domain.reconciliation.work import ProposedOrder, Side, WaitingStudy
from negatoscope.entrypoints.api.common import Asking, Schema, to
from negatoscope.entrypoints.api.registered_patients import RegisteredPatient, listed
from negatoscope.entrypoints.web.problems import Problem
from negatoscope.kit.aio import run_blocking

T = TypeVar("T")
router = APIRouter(tags=["reconciliation"], prefix="/reconciliation")
Reconciler = Annotated[Asking, to(Function.RECONCILE)]
Number = Annotated[int, Field(ge=1, lt=1 << 62)]
Uid = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[0-9.]+$")]
Limit = Annotated[int, Query(ge=1, le=500)]
After = Annotated[int | None, Query(ge=1, lt=1 << 62)]


def _plain(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


class DeskCounts(Schema):
    """How much waits in each list; 501 means more than 500."""

    duplicates: int
    without_patient: int
    without_order: int
    unidentified: int


class Sign(Schema):
    """What speaks for one person, or against it."""

    code: str
    points: int


class DuplicatePair(Schema):
    """Two files that may be one person's; the older first."""

    score: int
    reasons: list[Sign]
    found_at: datetime
    first: RegisteredPatient
    second: RegisteredPatient


class DeskStudy(Schema):
    """A study with what is known of whose and what for it is."""

    key: int
    study_instance_uid: str
    study_date: date | None
    study_time: str | None
    study_description: str | None
    accession_number: str
    modalities_in_study: list[str]
    instance_count: int
    received_at: datetime
    patient_key: int
    patient_id: str
    issuer_of_patient_id: str
    patient_name: str
    patient_birth_date: date | None
    patient_sex: str
    binding_state: str | None
    binding_reason: str | None
    procedure: int | None
    registered: int | None
    """Whose it is, when that is known for certain."""
    is_moved: bool
    calling_ae_title: str
    """Of the device it came from, of a study that is or was nobody's; empty when not known."""


class DeskOrder(Schema):
    """A requested procedure."""

    procedure: int
    request: int
    accession_number: str
    code_meaning: str
    description: str
    modality: str
    state: str
    ordered_at: datetime
    start_at: datetime | None
    bound_study_instance_uid: str | None
    patient: int
    signs: list[str]
    """Why it is proposed, or what speaks against it."""


class DeskSide(Schema):
    """A patient with what belongs to them, the newest 100 of each."""

    patient: RegisteredPatient
    birth_place_code: str
    version: int
    studies: list[DeskStudy]
    orders: list[DeskOrder]


class DeskPair(Schema):
    """Two patients side by side."""

    score: int
    reasons: list[Sign]
    state: str | None
    """OPEN, DISMISSED; None when they were never found to be alike."""
    sides: list[DeskSide]


class DeskStudyProposals(Schema):
    """A study, and what it may belong to; nothing follows from it by itself."""

    study: DeskStudy
    orders: list[DeskOrder]
    patients: list[RegisteredPatient]
    known: RegisteredPatient | None
    """Whose it is, when that is known for certain."""


class DeskAction(Schema):
    """Something to be done."""

    kind: ActionKind
    patient: Number | None = None
    """MERGE: whose file goes on; MOVE: who gets the studies; DISMISS: one of the two."""
    other: Number | None = None
    """MERGE, SPLIT: whose file ends, or ended; DISMISS: the other one."""
    traits: Annotated[tuple[Annotated[str, Field(max_length=40)], ...], Field(max_length=20)] = ()
    """MERGE: what the file that goes on takes from the other."""
    studies: Annotated[tuple[Uid, ...], Field(max_length=200)] = ()
    procedure: Number | None = None
    is_patient_confirmed: bool = False
    reason: Annotated[str, Field(max_length=500), AfterValidator(_plain)] = ""


class DeskPreview(Schema):
    """What the action would touch."""

    token: str
    studies: list[str]
    orders: list[str]
    appointments: list[int]
    worklist_entries: list[str]
    performed_steps: int
    other_rows: dict[str, int]
    message_destinations: list[str]
    changes: list[str]
    warnings: list[str]


class DeskActionAsPreviewed(DeskAction):
    """The same, as it was previewed."""

    token: Annotated[str, Field(max_length=64)]


class DeskDone(Schema):
    """A line of the journal."""

    id: int
    kind: ActionKind
    done_at: datetime
    done_by: str
    reason: str
    asked: dict[str, Any]
    effect: dict[str, Any]
    undone_at: datetime | None
    undone_by: str


class DefaultIssuerEntry(Schema):
    """What an empty issuer means in what one device sends; with an empty title, in what all others send."""

    calling_ae_title: Annotated[str, Field(max_length=16), AfterValidator(_plain)]
    issuer: Annotated[str, Field(min_length=1, max_length=64), AfterValidator(_plain)]


class DefaultIssuerInForce(DefaultIssuerEntry):
    """The same, with how many studies from there wait without a patient and say a bare number."""

    waiting: int


class BareNumberSender(Schema):
    """A device that is not told of, of which studies with a bare number wait; empty: not known which."""

    calling_ae_title: str
    waiting: int


class DefaultIssuers(Schema):
    """What an empty issuer means, and what helps to say it."""

    entries: list[DefaultIssuerInForce]
    senders: list[BareNumberSender]
    authorities: list[str]
    """Who gives numbers to patients here."""


@router.get("/counts")
async def count_desk(ask: Reconciler) -> DeskCounts:
    """How much waits."""
    found = await run_blocking(WorkLists(ask.services.database).counts)
    return DeskCounts.model_validate(found)


@router.get("/duplicates")
async def list_duplicates(
    ask: Reconciler,
    *,
    is_dismissed: bool = False,
    after_score: Annotated[int | None, Query(ge=0, le=100)] = None,
    after_first: After = None,
    after_second: After = None,
    limit: Limit = 500,
) -> list[DuplicatePair]:
    """Pairs, the likeliest first; further ones by the ``after_…`` of the last one seen."""
    after = None
    if after_score is not None:
        after = (after_score, after_first or 0, after_second or 0)
    found = await run_blocking(
        WorkLists(ask.services.database).duplicates,
        limit=limit,
        after=after,
        is_dismissed=is_dismissed,
    )
    await ask.services.access.note_read(ask.request, Function.RECONCILE)
    return [
        DuplicatePair(
            score=pair.score,
            reasons=[Sign.model_validate(one) for one in pair.reasons],
            found_at=pair.found_at,
            first=listed(first),
            second=listed(second),
        )
        for pair, first, second in found
    ]


@router.get("/pairs/{first}/{second}")
async def compare_patients(
    ask: Reconciler, first: Annotated[Number, Path()], second: Annotated[Number, Path()]
) -> DeskPair:
    """Two patients side by side."""
    found = await _asked(WorkLists(ask.services.database).compared, first, second)
    await ask.note("compare patients", patients=[first, second])
    return DeskPair(
        score=found.score,
        reasons=[Sign.model_validate(one) for one in found.reasons],
        state=found.state,
        sides=[_side(one) for one in found.sides],
    )


@router.get("/patients/{number}")
async def get_desk_patient(ask: Reconciler, number: Annotated[Number, Path()]) -> DeskSide:
    """One patient with what belongs to them."""
    found = await _asked(WorkLists(ask.services.database).side, number)
    await ask.note("look at patient for reconciliation", patient=number)
    return _side(found)


@router.get("/studies-without-patient")
async def list_studies_without_patient(
    ask: Reconciler, *, after: After = None, limit: Limit = 500
) -> list[DeskStudy]:
    """Studies that no identifier with its issuer joins to a patient, however old, and nobody put aside; newest first."""
    found = await run_blocking(
        WorkLists(ask.services.database).without_patient, limit=limit, after=after
    )
    await ask.services.access.note_read(ask.request, Function.RECONCILE)
    return [_study(one) for one in found]


@router.get("/studies-without-order")
async def list_studies_without_order(
    ask: Reconciler, *, after: After = None, limit: Limit = 500
) -> list[DeskStudy]:
    """Studies bound to no requested procedure and not put aside, newest first."""
    found = await run_blocking(
        WorkLists(ask.services.database).without_order, limit=limit, after=after
    )
    await ask.services.access.note_read(ask.request, Function.RECONCILE)
    return [_study(one) for one in found]


@router.get("/unidentified-patients")
async def list_unidentified_patients(
    ask: Reconciler, *, after: After = None, limit: Limit = 500
) -> list[RegisteredPatient]:
    """Files of the unknown: fictitious, doubtful, without birth date, named as such; newest first."""
    found = await run_blocking(
        WorkLists(ask.services.database).unidentified, limit=limit, after=after
    )
    await ask.services.access.note_read(ask.request, Function.RECONCILE)
    return [listed(one) for one in found]


@router.get("/studies/{study}")
async def get_study_proposals(ask: Reconciler, study: Annotated[Uid, Path()]) -> DeskStudyProposals:
    """A study with the orders and patients that it may belong to."""
    work = WorkLists(ask.services.database)
    found = await run_blocking(work.study, study)
    if found is None:
        raise Problem("not-found")
    one, orders, patients = found
    known = None if one.registered is None else await _asked(work.side, one.registered)
    await ask.note("look at study for reconciliation", study_instance_uid=study)
    return DeskStudyProposals(
        study=_study(one),
        orders=[_order(order) for order in orders],
        patients=[listed(patient) for patient in patients],
        known=None if known is None else listed(known.patient),
    )


@router.post("/preview")
async def preview_action(ask: Reconciler, action: DeskAction) -> DeskPreview:
    """What an action would touch; nothing is changed."""
    found = await _asked(_desk(ask).preview, _action(action), source=_source(ask))
    return DeskPreview.model_validate(found)


@router.post("/actions", status_code=201)
async def do_action(ask: Reconciler, action: DeskActionAsPreviewed) -> DeskDone:
    """Do what was previewed; refused when something changed meanwhile."""
    done: Done = await _asked(
        _desk(ask).do, _action(action), token=action.token, source=_source(ask)
    )
    await ask.note("reconcile", line=done.id, kind=done.kind, asked=_told(done))
    return DeskDone.model_validate(done)


@router.get("/actions")
async def list_actions(
    ask: Reconciler, *, before: After = None, limit: Limit = 100
) -> list[DeskDone]:
    """The journal, the newest first; older lines by ``before``."""
    found = await run_blocking(_desk(ask).journal, before=before, limit=limit)
    await ask.services.access.note_read(ask.request, Function.RECONCILE)
    return [DeskDone.model_validate(one) for one in found]


@router.post("/actions/{number}/undo")
async def undo_action(ask: Reconciler, number: Annotated[Number, Path()]) -> DeskDone:
    """Take an action back: exactly what it did; refused when what came after stands on it."""
    done: Done = await _asked(_desk(ask).undo, number, source=_source(ask))
    await ask.note("undo reconciliation", line=done.id, kind=done.kind, asked=_told(done))
    return DeskDone.model_validate(done)


@router.get("/default-issuers")
async def list_default_issuers(ask: Reconciler) -> DefaultIssuers:
    """What an empty Issuer of Patient ID means, by calling AE title; and which devices could be told of."""
    return await _default_issuers(ask)


@router.put("/default-issuers")
async def replace_default_issuers(
    ask: Reconciler, entries: Annotated[list[DefaultIssuerEntry], Field(max_length=200)]
) -> DefaultIssuers:
    """Say what an empty issuer means; studies that come from now on, and those that wait, are joined by it."""
    ask.require(Function.ADMINISTER)
    if len({one.calling_ae_title for one in entries}) != len(entries):
        raise Problem("invalid-input", detail="A device is named twice.")
    before = await run_blocking(default_issuers, ask.services.database)
    wanted = [
        DefaultIssuer(calling_ae_title=one.calling_ae_title, issuer=one.issuer) for one in entries
    ]
    await run_blocking(set_default_issuers, ask.services.database, wanted, by=_source(ask))
    await ask.note(
        "set default issuers",
        before={one.calling_ae_title: one.issuer for one in before},
        after={one.calling_ae_title: one.issuer for one in wanted},
    )
    return await _default_issuers(ask)


async def _default_issuers(ask: Asking) -> DefaultIssuers:
    database = ask.services.database
    return DefaultIssuers(
        entries=[
            DefaultIssuerInForce.model_validate(one)
            for one in await run_blocking(default_issuers, database)
        ],
        senders=[
            BareNumberSender.model_validate(one) for one in await run_blocking(senders, database)
        ],
        authorities=await run_blocking(issuers_known, database),
    )


async def _asked(work: Callable[..., T], *given: Any, **named: Any) -> T:
    try:
        return await run_blocking(work, *given, **named)
    except UnknownPatient as error:
        raise Problem("patient-not-found") from error
    except UnknownAction as error:
        raise Problem("not-found") from error
    except (ActionRefused, CannotUndo, ChangedSince) as error:
        extra = {"reason": error.reason} if error.reason else {}
        raise Problem(_CODES[type(error)], detail=_detail(error), extra=extra) from error


_CODES = {
    ActionRefused: "reconciliation-refused",
    CannotUndo: "cannot-undo",
    ChangedSince: "changed-since",
}


def _detail(error: ReconciliationError) -> str:
    return f"{error.message}; {error.hint}" if error.hint else error.message


def _desk(ask: Asking) -> Desk:
    return Desk(ask.services.database)


def _source(ask: Asking) -> str:
    return f"user:{ask.actor.name}"


def _action(given: DeskAction) -> Action:
    return Action(
        kind=given.kind,
        patient=given.patient,
        other=given.other,
        traits=tuple(given.traits),
        studies=tuple(dict.fromkeys(given.studies)),
        procedure=given.procedure,
        is_patient_confirmed=given.is_patient_confirmed,
        reason=given.reason,
    )


def _told(done: Done) -> dict[str, Any]:
    """Our own numbers and UIDs alone."""
    return {key: done.asked[key] for key in ("patient", "other", "studies", "procedure")}


def _study(one: WaitingStudy) -> DeskStudy:
    return DeskStudy.model_validate(one)


def _order(one: ProposedOrder) -> DeskOrder:
    return DeskOrder.model_validate(one)


def _side(one: Side) -> DeskSide:
    return DeskSide(
        patient=listed(one.patient),
        birth_place_code=one.patient.traits.birth_place_code,
        version=one.patient.version,
        studies=[_study(study) for study in one.studies],
        orders=[_order(order) for order in one.orders],
    )
