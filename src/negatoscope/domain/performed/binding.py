"""Which requested procedure a study of the archive was made for. Never on a guess.

The rule, in this order:

1. The Study Instance UID is that of a requested procedure.
2. The accession number is that of one order, by the same issuer where both name one, the patient is
   the same by identifier and issuer, and there is no doubt which of its procedures is meant.

A study that fits and names another patient stays unbound, with the reason: a person decides. So
does one whose patient cannot be told, unless the UID is one we gave and nothing speaks against it.
What a person decided is never changed by the rule.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

import psycopg

from negatoscope.domain.orders import ProcedureState, WorkflowKind, record
from negatoscope.domain.patients import history
from negatoscope.domain.performed import whose
from negatoscope.domain.performed.errors import OtherPatient, UnknownProcedure, UnknownStudy
from negatoscope.domain.performed.whose import SaidPatient, Sameness
from negatoscope.infra.db import Database, load_queries

SQL: Final = load_queries("negatoscope.domain.performed.sql", "binding.sql")
RULE: Final = "system:binding"
"""Who decided, when nobody did."""
_PAGE: Final = 200
Connection = psycopg.Connection[Any]


class BindingState(StrEnum):
    """How it stands with a study."""

    BOUND = "BOUND"
    UNBOUND = "UNBOUND"
    """A person should look at it."""
    PUT_ASIDE = "PUT ASIDE"
    """A person looked at it: it belongs to no order (a prior from elsewhere, a phantom)."""


class Reason(StrEnum):
    """Why it stands so."""

    STUDY_INSTANCE_UID = "study-instance-uid"
    ACCESSION_NUMBER = "accession-number"
    BY_HAND = "by-hand"
    NO_ORDER = "no-order"
    """Neither its UID is known nor does it name an accession number."""
    ACCESSION_UNKNOWN = "accession-unknown"
    ACCESSION_AMBIGUOUS = "accession-ambiguous"
    """Several orders have the number, of different issuers, and the study names none."""
    SEVERAL_PROCEDURES = "several-procedures"
    """The order has several and the study does not say which."""
    PATIENT_DIFFERS = "patient-differs"
    """It fits an order of another patient."""
    PATIENT_UNCLEAR = "patient-unclear"
    """It fits an order, and says not well enough whose it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """What was decided about a study.

    Attributes:
        procedure: Row of requested_procedure; None unless BOUND.
        request: Its order.
        patient: Row of registered_patient; None while nobody knows.
        decided_by: ``user:<name>`` or ``system:binding``.
    """

    study_instance_uid: str
    state: BindingState
    reason: str
    procedure: int | None
    request: int | None
    patient: int | None
    decided_by: str
    first_arrival_at: datetime
    decided_at: datetime

    @property
    def is_by_hand(self) -> bool:
        """Whether a person decided it."""
        return self.decided_by != RULE


@dataclass(frozen=True, slots=True)
class _Study:
    id: int
    accession_number: str
    issuer_of_accession_number: frozenset[str]
    patient: SaidPatient


@dataclass(frozen=True, slots=True)
class _Procedure:
    id: int
    request: int
    patient: int
    requested_procedure_id: str
    state: str
    step_ids: Sequence[str]

    @property
    def is_active(self) -> bool:
        return self.state not in {ProcedureState.CANCELED, ProcedureState.REPLACED}


@dataclass(frozen=True, slots=True)
class _Verdict:
    state: BindingState
    reason: Reason
    procedure: _Procedure | None = None
    patient: int | None = None


# -- what others call ---------------------------------------------------------------------------


def find(connection: Connection, study_instance_uid: str) -> Binding | None:
    """What was decided about a study; None when nothing was."""
    row = connection.execute(SQL["binding"], {"study": study_instance_uid}).fetchone()
    if row is None:
        return None
    return Binding(
        study_instance_uid=row[0],
        state=BindingState(row[1]),
        reason=row[2],
        procedure=row[3],
        patient=row[4],
        decided_by=row[5],
        first_arrival_at=row[6],
        decided_at=row[7],
        request=row[8],
    )


def decide(connection: Connection, study_instance_uid: str) -> Binding:
    """Apply the rule to a study, unless it is bound already or a person decided.

    Args:
        connection: In a transaction of the caller's; the history is written in it too.
        study_instance_uid: Of the archive.

    Raises:
        UnknownStudy: the archive has it not.
    """
    connection.execute(SQL["lock"], {"study": study_instance_uid})
    before = find(connection, study_instance_uid)
    if before is not None and (before.is_by_hand or before.state is BindingState.BOUND):
        return before
    verdict = _verdict(connection, study_instance_uid)
    if before is not None and (before.state, before.reason) == (verdict.state, verdict.reason):
        return before
    return _write(connection, study_instance_uid, verdict, before=before, source=RULE)


def decide_if_fitting(connection: Connection, study_instance_uid: str) -> Binding | None:
    """The same when any order fits the study at all; otherwise it is on no work list.

    For what comes out of an archive of before: most of it was never ordered here.
    """
    fits = connection.execute(SQL["has_candidate"], {"study": study_instance_uid}).fetchone()
    return decide(connection, study_instance_uid) if fits and fits[0] else None


def decide_for_request(connection: Connection, request: int) -> list[Binding]:
    """Apply the rule to the studies that an order may be for and nobody bound."""
    given = {"request": request, "rule": RULE}
    rows = connection.execute(SQL["unbound_for_request"], given).fetchall()
    return [decide(connection, row[0]) for row in rows]


def decide_for_patients(connection: Connection, patients: Sequence[int]) -> list[Binding]:
    """Apply the rule again to what was left unbound because of whose it is.

    Args:
        connection: In a transaction of the caller's.
        patients: Rows of registered_patient whose files changed.
    """
    given = {"patients": list(patients)}
    rows = connection.execute(SQL["unbound_for_patients"], given).fetchall()
    return [decide(connection, row[0]) for row in rows]


def follow_patients(connection: Connection, after: int | None) -> int:
    """Apply the rule again to studies of those whose files changed, a thousand changes at most.

    Args:
        connection: In a transaction of the caller's.
        after: The change up to which that was done; None: some day ago.

    Returns: The change up to which it is done now; ``after`` again when nothing more changed.
    """
    since = history.last_of_yesterday(connection) if after is None else after
    changed = history.changed_after(connection, since)
    if changed is None:
        return since
    decide_for_patients(connection, changed.patients)
    return changed.last


def decide_stored(
    database: Database,
    *,
    since: datetime,
    only_fitting: bool,
    stop: Callable[[], bool] = lambda: False,
) -> Iterator[Binding]:
    """Apply the rule to studies stored before, a transaction for each page.

    Args:
        database: Where.
        since: Stored since then.
        only_fitting: Leave out what no order fits, instead of putting it on the work list.
        stop: Asked between pages.
    """
    after = 0
    while not stop():
        with database.connection() as connection:
            given = {"after": after, "since": since, "limit": _PAGE}
            rows = connection.execute(SQL["undecided"], given).fetchall()
            decided = decide_if_fitting if only_fitting else decide
            found = [decided(connection, uid) for _, uid in rows]
        yield from (one for one in found if one is not None)
        if len(rows) < _PAGE:
            return
        after = rows[-1][0]


def bind(
    connection: Connection,
    study_instance_uid: str,
    procedure: int,
    *,
    source: str,
    is_patient_confirmed: bool = False,
) -> Binding:
    """Bind a study to a requested procedure by hand.

    Args:
        connection: In a transaction of the caller's.
        study_instance_uid: Of the archive.
        procedure: Row of requested_procedure.
        source: ``user:<name>``.
        is_patient_confirmed: The person has seen that nobody can tell whose the study is, and says
            that it is the procedure's patient's. A study that is another patient's is refused all
            the same: it has to be moved first.

    Returns: How it stands now; what stood before is in the history.

    Raises:
        UnknownStudy, UnknownProcedure: there is no such one.
        OtherPatient: the study is another patient's, or nobody can say whose.
    """
    connection.execute(SQL["lock"], {"study": study_instance_uid})
    study = _study(connection, study_instance_uid)
    row = connection.execute(SQL["procedure"], {"procedure": procedure}).fetchone()
    if row is None:
        raise UnknownProcedure(f"there is no requested procedure {procedure}")
    wanted = _Procedure(*row)
    sameness = whose.sameness(connection, study.patient, wanted.patient)
    if sameness is Sameness.DIFFERENT:
        raise OtherPatient(
            f"the study is not of the patient of procedure {procedure}",
            hint="move the study to that patient first.",
        )
    if sameness is not Sameness.SAME and not is_patient_confirmed:
        raise OtherPatient(
            "the study does not say clearly whose it is", hint="confirm that it is this patient's."
        )
    verdict = _Verdict(
        BindingState.BOUND, Reason.BY_HAND, wanted, whose.root(connection, wanted.patient)
    )
    before = find(connection, study_instance_uid)
    return _write(connection, study_instance_uid, verdict, before=before, source=source)


def unbind(connection: Connection, study_instance_uid: str, *, source: str) -> Binding:
    """Take a study's binding away by hand; the rule leaves it alone from now on.

    Raises:
        UnknownStudy: the archive has it not.
    """
    return _by_hand(connection, study_instance_uid, BindingState.UNBOUND, source)


def put_aside(connection: Connection, study_instance_uid: str, *, source: str) -> Binding:
    """Say that a study belongs to no order: it leaves the work list.

    Raises:
        UnknownStudy: the archive has it not.
    """
    return _by_hand(connection, study_instance_uid, BindingState.PUT_ASIDE, source)


def release(connection: Connection, study_instance_uid: str) -> Binding:
    """Take back what a person decided: the rule decides.

    Raises:
        UnknownStudy: the archive has it not.
    """
    connection.execute(SQL["lock"], {"study": study_instance_uid})
    before = find(connection, study_instance_uid)
    verdict = _verdict(connection, study_instance_uid)
    return _write(connection, study_instance_uid, verdict, before=before, source=RULE)


def sameness(connection: Connection, study_instance_uid: str, patient: int) -> Sameness:
    """Whether a study's patient is a registered one.

    Raises:
        UnknownStudy: the archive has it not.
    """
    return whose.sameness(connection, _study(connection, study_instance_uid).patient, patient)


# -- the rule ------------------------------------------------------------------------------------


def _verdict(connection: Connection, uid: str) -> _Verdict:
    study = _study(connection, uid)
    holder = whose.holder(connection, study.patient)
    rows = connection.execute(SQL["procedures_by_study"], {"study": uid}).fetchall()
    if rows:
        return _by_uid(connection, study, [_Procedure(*row) for row in rows], holder)
    if not study.accession_number:
        return _Verdict(BindingState.UNBOUND, Reason.NO_ORDER, patient=holder)
    return _by_accession(connection, study, holder)


def _by_uid(
    connection: Connection, study: _Study, procedures: Sequence[_Procedure], holder: int | None
) -> _Verdict:
    """Several procedures have one Study Instance UID when one acquisition is for all of them."""
    found = [(one, whose.sameness(connection, study.patient, one.patient)) for one in procedures]
    fitting = [one for one, same in found if same in {Sameness.SAME, Sameness.NOT_CONTRADICTED}]
    if not fitting:
        is_unclear = any(same is Sameness.UNCLEAR for _, same in found)
        reason = Reason.PATIENT_UNCLEAR if is_unclear else Reason.PATIENT_DIFFERS
        return _Verdict(BindingState.UNBOUND, reason, patient=holder)
    chosen = _named(connection, study, fitting) or fitting
    one = next((one for one in chosen if one.is_active), chosen[0])
    patient = whose.root(connection, one.patient)
    return _Verdict(BindingState.BOUND, Reason.STUDY_INSTANCE_UID, one, patient)


def _by_accession(connection: Connection, study: _Study, holder: int | None) -> _Verdict:
    rows = connection.execute(
        SQL["requests_by_accession"], {"accession": study.accession_number}
    ).fetchall()
    named = study.issuer_of_accession_number
    requests = [number for number, issuer in rows if not named or not issuer or issuer in named]
    if not requests:
        return _Verdict(BindingState.UNBOUND, Reason.ACCESSION_UNKNOWN, patient=holder)
    exact = [number for number, issuer in rows if issuer in named]
    if len(exact or requests) > 1:
        return _Verdict(BindingState.UNBOUND, Reason.ACCESSION_AMBIGUOUS, patient=holder)
    (request,) = exact or requests
    found = connection.execute(SQL["procedures_of_request"], {"request": request}).fetchall()
    procedures = [_Procedure(*row) for row in found]
    if not procedures:
        return _Verdict(BindingState.UNBOUND, Reason.ACCESSION_UNKNOWN, patient=holder)
    same = whose.sameness(connection, study.patient, procedures[0].patient)
    if same is not Sameness.SAME:
        is_other = same is Sameness.DIFFERENT
        reason = Reason.PATIENT_DIFFERS if is_other else Reason.PATIENT_UNCLEAR
        return _Verdict(BindingState.UNBOUND, reason, patient=holder)
    active = [one for one in procedures if one.is_active] or procedures
    chosen = _named(connection, study, procedures) or active
    if len(chosen) > 1:
        return _Verdict(BindingState.UNBOUND, Reason.SEVERAL_PROCEDURES, patient=holder)
    return _Verdict(BindingState.BOUND, Reason.ACCESSION_NUMBER, chosen[0], holder)


def _named(
    connection: Connection, study: _Study, procedures: Sequence[_Procedure]
) -> list[_Procedure]:
    """Those that the study's Request Attributes Sequence names."""
    rows = connection.execute(SQL["request_attributes"], {"study": study.id}).fetchall()
    procedure_ids = {row[0] for row in rows if row[0]}
    step_ids = {row[1] for row in rows if row[1]}
    return [
        one
        for one in procedures
        if one.requested_procedure_id in procedure_ids or step_ids & set(one.step_ids)
    ]


# -- what a study says ---------------------------------------------------------------------------


def _study(connection: Connection, uid: str) -> _Study:
    row = connection.execute(SQL["study"], {"study": uid}).fetchone()
    if row is None:
        raise UnknownStudy(f"the archive has no study {uid}")
    accession_issuer, patient_issuer = row[2], row[5]
    return _Study(
        id=row[0],
        accession_number=row[1].strip(),
        issuer_of_accession_number=frozenset(
            filter(
                None, (_first(accession_issuer, "00400031"), _first(accession_issuer, "00400032"))
            )
        ),
        patient=SaidPatient(
            patient_id=row[3],
            issuer_of_patient_id=row[4],
            universal_entity_id=_first(patient_issuer, "00400032"),
            name_folded=row[6],
            birth_date=row[7],
            known_as=row[8],
        ),
    )


def _first(item: object, tag: str) -> str:
    if not isinstance(item, Mapping):
        return ""
    values = (item.get(tag) or {}).get("Value") or [""]
    return str(values[0] or "")


# -- writing -------------------------------------------------------------------------------------


def _by_hand(connection: Connection, uid: str, state: BindingState, source: str) -> Binding:
    connection.execute(SQL["lock"], {"study": uid})
    study = _study(connection, uid)
    verdict = _Verdict(state, Reason.BY_HAND, patient=whose.holder(connection, study.patient))
    return _write(connection, uid, verdict, before=find(connection, uid), source=source)


def _write(
    connection: Connection, uid: str, verdict: _Verdict, *, before: Binding | None, source: str
) -> Binding:
    procedure = verdict.procedure
    connection.execute(
        SQL["write"],
        {
            "study": uid,
            "procedure": None if procedure is None else procedure.id,
            "patient": verdict.patient,
            "state": verdict.state,
            "reason": verdict.reason,
            "by": source,
        },
    )
    detail = {"study_instance_uid": uid, "reason": str(verdict.reason)}
    was_bound = before is not None and before.procedure is not None
    if was_bound or procedure is None:
        assert before is not None or procedure is None  # noqa: S101 - of the line above
        record(
            connection,
            WorkflowKind.STUDY_UNBOUND,
            source=source,
            request=None if before is None else before.request,
            procedure=None if before is None else before.procedure,
            detail=detail | {"state": str(verdict.state)},
        )
    if procedure is not None:
        record(
            connection,
            WorkflowKind.STUDY_BOUND,
            source=source,
            request=procedure.request,
            procedure=procedure.id,
            detail=detail,
        )
    found = find(connection, uid)
    assert found is not None  # noqa: S101 - it was written
    return found
