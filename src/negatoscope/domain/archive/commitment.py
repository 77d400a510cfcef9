"""Storage commitment (PS3.4 Annex J): take the responsibility for objects, or ask another to.

As SCP, a request is persisted before it is acknowledged. Then every object named is read again and
its digest compared with the one of its reception; only those that agree, in as many copies as the
policy wants, are committed. The answer is kept and delivered until the peer confirms it, across
restarts. Wires are somebody else's: this module says what to tell and notes who was told.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Any

import psycopg
import structlog
from psycopg.types.json import Jsonb

from negatoscope.domain.archive.errors import RetrieveError
from negatoscope.domain.archive.retrieve import Retrieval
from negatoscope.infra.db import load_queries
from negatoscope.kit.uid import is_valid_uid, new_uid
from negatoscope.standard.sop_classes import SOP_CLASSES, STORAGE_SOP_CLASSES

HOLD_S = 120.0
"""How long a request belongs to whoever claimed it, renewed between the objects it reads. When its
holder dies, the next one waits no longer than this."""

BACK_OFF_S = (5.0, 15.0, 60.0, 300.0, 900.0, 3600.0)
"""Waits between attempts to deliver; the last one repeats."""

GIVE_UP_S = 14 * 86400.0
"""A peer that does not answer for so long is left to the administrator."""

_SQL = load_queries("negatoscope.domain.archive.sql", "commitment.sql")
_RENEW_AFTER_S = HOLD_S / 4
_log = structlog.get_logger(__name__)


class Role(StrEnum):
    """Ours."""

    SCP = "SCP"
    SCU = "SCU"


class FailureReason(IntEnum):
    """Failure Reason (0008,1197), PS3.3 §C.14.1.1."""

    PROCESSING_FAILURE = 0x0110
    NO_SUCH_OBJECT_INSTANCE = 0x0112
    CLASS_INSTANCE_CONFLICT = 0x0119
    REFERENCED_SOP_CLASS_NOT_SUPPORTED = 0x0122
    DUPLICATE_TRANSACTION_UID = 0x0131
    RESOURCE_LIMITATION = 0x0213


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """An object by class and UID."""

    sop_class_uid: str
    sop_instance_uid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """An object that is not committed.

    Attributes:
        reason: (0008,1197); a peer may send others than ours.
    """

    reference: Reference
    reason: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What an N-EVENT-REPORT says.

    Attributes:
        ae_title: Who asked.
        committed: Objects we are responsible for.
        failed: The others.
    """

    commitment_id: int
    ae_title: str
    transaction_uid: str
    committed: tuple[Reference, ...]
    failed: tuple[Failure, ...]

    @property
    def event_type_id(self) -> int:
        """1: all are committed; 2: failures exist (PS3.4 §J.3.3)."""
        return 2 if self.failed else 1


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """How far a request of ours is.

    Attributes:
        is_delivered: The peer has acknowledged the N-ACTION.
        is_answered: Its N-EVENT-REPORT came.
        last_error: Of the last attempt to ask.
        committed: Objects it is responsible for.
        failed: Objects it is not.
    """

    transaction_uid: str
    is_delivered: bool
    is_answered: bool
    last_error: str
    committed: int
    failed: tuple[Failure, ...]


class Commitment:
    """Storage commitment of one archive. Safe for many threads and processes.

    Args:
        retrieval: Where objects are read again.
        required_copies: Verified copies without which nothing is committed. This version keeps
            one copy of each object.
    """

    def __init__(self, retrieval: Retrieval, *, required_copies: int = 1) -> None:
        self._retrieval = retrieval
        self._database = retrieval.database
        self._required_copies = required_copies

    def receive(
        self, *, ae_title: str, transaction_uid: str, references: Sequence[Reference]
    ) -> int:
        """Persist a request; the N-ACTION may be acknowledged when this returns.

        The same request again is looked at and answered again. The same transaction UID for other
        objects is a second request that fails as a whole (0131).

        Returns: Our key of it, held for ``HOLD_S`` by the caller.
        """
        keys = {
            "role": Role.SCP,
            "ae_title": ae_title,
            "transaction_uid": transaction_uid,
            "instances": [reference.sop_instance_uid for reference in references],
            "classes": [reference.sop_class_uid for reference in references],
            "hold_s": HOLD_S,
            "is_duplicate": False,
        }
        with self._database.connection() as connection:
            row = connection.execute(_SQL["insert"], keys).fetchone()
            if row is None:
                first = connection.execute(_SQL["same_transaction"], keys).fetchone()
                if first is not None and first[1]:
                    connection.execute(_SQL["ask_again"], {"id": first[0], "hold_s": HOLD_S})
                    connection.execute(_SQL["clear_outcomes"], {"id": first[0]})
                    return int(first[0])
                row = connection.execute(_SQL["insert"], keys | {"is_duplicate": True}).fetchone()
            assert row is not None  # noqa: S101 - INSERT … RETURNING
            connection.execute(_SQL["insert_items"], keys | {"id": row[0]})
        return int(row[0])

    def claim_due(self, role: Role = Role.SCP) -> int | None:
        """A request to work on now, held for the caller: not answered, or not delivered."""
        with self._database.connection() as connection:
            row = connection.execute(_SQL["claim_due"], {"role": role, "hold_s": HOLD_S}).fetchone()
        return None if row is None else int(row[0])

    def let_go(self, commitment_id: int) -> None:
        """Stop holding a request: the next ``claim_due`` finds it."""
        self._hold(commitment_id, 0.0)

    def answer(
        self, commitment_id: int, *, stop: Callable[[], bool] = lambda: False
    ) -> Answer | None:
        """The answer to a request, found by reading every object again unless it is known already.

        Args:
            commitment_id: A request held by the caller.
            stop: Asked between objects; true gives up for now.
        Returns: ``None`` when stopped, or there is no such request.
        """
        with self._database.connection() as connection:
            row = connection.execute(_SQL["request"], {"id": commitment_id}).fetchone()
        if row is None:
            return None
        ae_title, transaction_uid, is_duplicate, answered = row[:4]
        if not answered:
            references = [item[0] for item in self._items(commitment_id)]
            if is_duplicate:
                reasons = {
                    reference.sop_instance_uid: FailureReason.DUPLICATE_TRANSACTION_UID
                    for reference in references
                }
            else:
                found = self._examine(commitment_id, ae_title, references, stop)
                if found is None:
                    return None
                reasons = found
            self._keep(commitment_id, references, reasons)
        committed, failed = [], []
        for reference, outcome, reason in self._items(commitment_id):
            if outcome == "COMMITTED":
                committed.append(reference)
            else:
                failed.append(Failure(reference=reference, reason=reason))
        return Answer(
            commitment_id=commitment_id,
            ae_title=ae_title,
            transaction_uid=transaction_uid,
            committed=tuple(committed),
            failed=tuple(failed),
        )

    def note_delivered(self, commitment_id: int) -> None:
        """The peer confirmed."""
        with self._database.connection() as connection:
            connection.execute(_SQL["set_delivered"], {"id": commitment_id})

    def note_failed(self, commitment_id: int, error: str) -> None:
        """The peer could not be told; try later, or leave it to the administrator."""
        with self._database.connection() as connection:
            row = connection.execute(_SQL["request"], {"id": commitment_id}).fetchone()
            if row is None:
                return
            wait_s = BACK_OFF_S[min(row[4], len(BACK_OFF_S) - 1)]
            given_up = connection.execute(
                _SQL["set_failed"],
                {
                    "id": commitment_id,
                    "error": error[:500],
                    "wait_s": wait_s,
                    "give_up_s": GIVE_UP_S,
                },
            ).fetchone()
            if given_up is not None and given_up[0]:
                _give_up(connection, given_up[1], given_up[2], error)

    def request(self, *, ae_title: str, references: Sequence[Reference]) -> tuple[int, str]:
        """Persist a request of ours before it is sent.

        Returns: Our key and the new transaction UID. Held by the caller for ``HOLD_S``; the N-ACTION
            is then noted by ``note_delivered`` or ``note_failed``.
        """
        keys = {
            "role": Role.SCU,
            "ae_title": ae_title,
            "transaction_uid": new_uid(),
            "is_duplicate": False,
            "hold_s": HOLD_S,
            "instances": [reference.sop_instance_uid for reference in references],
            "classes": [reference.sop_class_uid for reference in references],
        }
        with self._database.connection() as connection:
            row = connection.execute(_SQL["insert"], keys).fetchone()
            assert row is not None  # noqa: S101 - the transaction UID is new
            connection.execute(_SQL["insert_items"], keys | {"id": row[0]})
        return int(row[0]), str(keys["transaction_uid"])

    def asked(self, commitment_id: int) -> tuple[str, str, list[Reference]] | None:
        """AE title, transaction UID and objects of a request of ours."""
        with self._database.connection() as connection:
            row = connection.execute(_SQL["request"], {"id": commitment_id}).fetchone()
        if row is None:
            return None
        return row[0], row[1], [item[0] for item in self._items(commitment_id)]

    def state_of(self, commitment_id: int) -> State:
        """How far a request of ours is.

        Raises: KeyError: there is no such request.
        """
        with self._database.connection() as connection:
            row = connection.execute(_SQL["state"], {"id": commitment_id}).fetchone()
        if row is None:
            raise KeyError(commitment_id)
        items = self._items(commitment_id)
        return State(
            transaction_uid=row[0],
            is_delivered=row[1],
            is_answered=row[2],
            last_error=row[3] or "",
            committed=sum(outcome == "COMMITTED" for _, outcome, _ in items),
            failed=tuple(
                Failure(reference=reference, reason=reason)
                for reference, outcome, reason in items
                if outcome == "FAILED"
            ),
        )

    def take_answer(
        self,
        *,
        ae_title: str,
        transaction_uid: str,
        committed: Iterable[Reference],
        failed: Iterable[Failure],
    ) -> bool:
        """Keep what a peer answered to a request of ours.

        Returns: False when we never asked this peer so.
        """
        reasons: dict[str, int | None] = {r.sop_instance_uid: None for r in committed}
        reasons.update({f.reference.sop_instance_uid: f.reason for f in failed})
        with self._database.connection() as connection:
            row = connection.execute(
                _SQL["unanswered"], {"ae_title": ae_title, "transaction_uid": transaction_uid}
            ).fetchone()
            if row is None:
                return False
            connection.execute(
                _SQL["set_outcomes"],
                {
                    "id": row[0],
                    "instances": list(reasons),
                    "reasons": list(reasons.values()),
                },
            )
            connection.execute(_SQL["set_answered"], {"id": row[0]})
            connection.execute(_SQL["set_delivered"], {"id": row[0]})
        return True

    def _examine(
        self,
        commitment_id: int,
        ae_title: str,
        references: Sequence[Reference],
        stop: Callable[[], bool],
    ) -> dict[str, FailureReason] | None:
        """Why objects are not committed, by SOP Instance UID; ``None`` when stopped.

        They are read in the order in which they lie on disk.
        """
        uids = [reference.sop_instance_uid for reference in references]
        with self._database.connection() as connection:
            others = {
                row[0]
                for row in connection.execute(
                    _SQL["set_aside_from"], {"instances": uids, "ae_title": ae_title}
                )
            }
        stored = {found.sop_instance_uid: found for found in self._retrieval.instances(sop=uids)}
        order = sorted(
            references,
            key=lambda reference: (
                (found.segment_id, found.offset)
                if (found := stored.get(reference.sop_instance_uid))
                else (0, 0)
            ),
        )
        reasons: dict[str, FailureReason] = {}
        verified: list[int] = []
        held_at = time.monotonic()
        for reference in order:
            if stop():
                return None
            if time.monotonic() - held_at > _RENEW_AFTER_S:
                held_at = time.monotonic()
                self._hold(commitment_id, HOLD_S)
            uid = reference.sop_instance_uid
            found = stored.get(uid)
            if found is None:
                reasons[uid] = _absent(reference)
            elif found.sop_class_uid != reference.sop_class_uid:
                reasons[uid] = FailureReason.CLASS_INSTANCE_CONFLICT
            elif uid in others:
                reasons[uid] = FailureReason.PROCESSING_FAILURE
            else:
                try:
                    with self._retrieval.open(found) as member:
                        member.verify()
                except RetrieveError as error:
                    _log.error("commitment.unverified", sop_instance_uid=uid, error=str(error))
                    reasons[uid] = FailureReason.PROCESSING_FAILURE
                else:
                    verified.append(found.id)
                    if self._required_copies > 1:
                        reasons[uid] = FailureReason.RESOURCE_LIMITATION
        self._retrieval.note_verified(verified)
        return reasons

    def _keep(
        self,
        commitment_id: int,
        references: Sequence[Reference],
        reasons: dict[str, FailureReason],
    ) -> None:
        uids = [reference.sop_instance_uid for reference in references]
        with self._database.connection() as connection:
            connection.execute(
                _SQL["set_outcomes"],
                {
                    "id": commitment_id,
                    "instances": uids,
                    "reasons": [reasons.get(uid) for uid in uids],
                },
            )
            connection.execute(_SQL["set_answered"], {"id": commitment_id})

    def _items(self, commitment_id: int) -> list[tuple[Reference, str | None, int]]:
        with self._database.connection() as connection:
            rows = connection.execute(_SQL["items"], {"id": commitment_id}).fetchall()
        return [
            (
                Reference(sop_class_uid=row[0], sop_instance_uid=row[1]),
                row[2],
                FailureReason.PROCESSING_FAILURE if row[3] is None else int(row[3]),
            )
            for row in rows
        ]

    def _hold(self, commitment_id: int, hold_s: float) -> None:
        with self._database.connection() as connection:
            connection.execute(_SQL["hold"], {"id": commitment_id, "hold_s": hold_s})


def _give_up(
    connection: psycopg.Connection[Any], transaction_uid: str, ae_title: str, error: str
) -> None:
    _log.error("commitment.given_up", transaction_uid=transaction_uid, ae_title=ae_title)
    connection.execute(
        _SQL["add_task"],
        {
            "kind": "storage-commitment-undelivered",
            "subject": transaction_uid,
            "detail": Jsonb({"ae_title": ae_title, "error": error}),
        },
    )


def _absent(reference: Reference) -> FailureReason:
    """Why an object we do not have is not committed."""
    known = SOP_CLASSES.get(reference.sop_class_uid)
    if not is_valid_uid(reference.sop_class_uid) or (
        known is not None and reference.sop_class_uid not in STORAGE_SOP_CLASSES
    ):
        return FailureReason.REFERENCED_SOP_CLASS_NOT_SUPPORTED
    return FailureReason.NO_SUCH_OBJECT_INSTANCE
