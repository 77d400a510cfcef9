"""The worklist: create, retrieve, update, change state, request cancellation, search.

The business of UPS Push, Pull, Watch and Query (PS3.4 Annex CC) and of the Worklist Service
(PS3.18 §11). Every change is one transaction together with the events it causes.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from psycopg.types.json import Jsonb

from negatoscope.domain.archive.query import MatchOptions
from negatoscope.domain.ups import attributes as a
from negatoscope.domain.ups import events, repository, searching
from negatoscope.domain.ups.data_sets import (
    canceled_by_us,
    canonical,
    check_final,
    date_time,
    to_create,
    to_update,
)
from negatoscope.domain.ups.errors import (
    DUPLICATE,
    INVALID_INSTANCE,
    INVALID_VALUE,
    MISSING_ATTRIBUTE,
    NO_PERFORMER,
    UpsError,
    refused,
)
from negatoscope.domain.ups.model import FILTERED, GLOBAL, DicomJson, Workitem
from negatoscope.domain.ups.repository import SQL, Connection
from negatoscope.domain.ups.states import (
    CANCELLATIONS,
    CHANGES,
    UPDATES,
    Outcome,
    ProcedureStepState,
)
from negatoscope.domain.ups.subscriptions import subscribe_globals
from negatoscope.infra.clock import utc_now
from negatoscope.infra.db import Database
from negatoscope.kit.uid import is_valid_uid, new_uid

WITH_MODIFICATIONS = 0xB300
"""Created or set with modifications."""
_WARNINGS = (Outcome.ALREADY_CANCELED, Outcome.ALREADY_COMPLETED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A request that was taken.

    Attributes:
        status: Success or a warning.
        sop_instance_uid: Of the workitem.
    """

    status: int
    sop_instance_uid: str


class Worklist:
    """The unified worklist of one archive. Safe for many threads and processes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, attributes: Mapping[str, Any], *, uid: str | None = None) -> Done:
        """A new workitem, SCHEDULED (§CC.2.5).

        Args:
            attributes: Its data set.
            uid: SOP Instance UID; made here when absent.
        Raises:
            UpsError: 0105, 0106, 0111, 0117, 0120, 0121, 0213, C309.
        """
        uid = uid or new_uid()
        if uid in (GLOBAL, FILTERED):
            raise UpsError(INVALID_INSTANCE, "the SOP Instance UID is not free")
        data_set, is_changed = to_create(attributes, uid, utc_now())
        with self._database.connection() as connection:
            connection.execute(SQL["lock_events"])
            workitem_id = repository.insert(connection, uid, data_set)
            if workitem_id is None:
                raise UpsError(DUPLICATE, "the UPS exists already")
            told = subscribe_globals(connection, workitem_id, data_set)
            repository.publish(connection, uid, told, events.on_creation(data_set))
        return Done(status=WITH_MODIFICATIONS if is_changed else 0, sop_instance_uid=uid)

    def retrieve(self, uid: str) -> Workitem:
        """A workitem (§CC.2.7).

        Raises:
            UpsError: C307.
        """
        with self._database.connection() as connection:
            item = repository.find(connection, uid)
        if item is None:
            raise refused(Outcome.UNKNOWN)
        return item

    def update(
        self, uid: str, attributes: Mapping[str, Any], *, transaction_uid: str | None = None
    ) -> Done:
        """Set attributes of a workitem (§CC.2.6).

        Args:
            uid: Its SOP Instance UID.
            attributes: What is set; sequences are replaced whole.
            transaction_uid: The lock, when it is not in ``attributes``.
        Raises:
            UpsError: 0105, 0106, 0121, 0213, C300, C301, C303, C307, C310.
        """
        given = transaction_uid or _text(attributes, a.TRANSACTION_UID)
        with self._database.connection() as connection:
            item = self._locked(connection, uid)
            is_right = bool(given) and item.transaction_uid in (None, given)
            outcome = UPDATES[is_right][item.state]
            if outcome is not Outcome.CHANGE:
                raise refused(outcome)
            data_set, changed = to_update(item.attributes, attributes, uid, utc_now())
            repository.save(connection, item, data_set)
            reports = events.on_update(item.attributes, data_set, changed)
            if reports:
                told = repository.subscribers(connection, item.id)
                repository.publish(connection, uid, told, reports)
        return Done(status=0, sop_instance_uid=uid)

    def change_state(self, uid: str, state: str, transaction_uid: str) -> Done:
        """Claim a workitem, complete or cancel it (§CC.2.1).

        Args:
            uid: Its SOP Instance UID.
            state: The state asked for.
            transaction_uid: Locks it, or unlocks what it locked.
        Raises:
            UpsError: 0106, C300 to C304, C307, C310.
        """
        wanted = next((one for one in ProcedureStepState if one == state), None)
        if wanted is None:
            text = "there is no such state" if state else "Procedure Step State is missing"
            raise UpsError(
                INVALID_VALUE if state else MISSING_ATTRIBUTE, text, offending=[0x00741000]
            )
        with self._database.connection() as connection:
            item = self._locked(connection, uid)
            is_right = is_valid_uid(transaction_uid) and item.transaction_uid in (
                None,
                transaction_uid,
            )
            outcome = CHANGES[wanted, is_right][item.state]
            if outcome in _WARNINGS:
                return Done(status=outcome, sop_instance_uid=uid)
            if outcome is not Outcome.CHANGE:
                raise refused(outcome)
            if wanted.is_final:
                check_final(item.attributes, wanted)
            data_set = _in_state(item.attributes, wanted)
            repository.save(
                connection, item, data_set, state=wanted, transaction_uid=transaction_uid
            )
            told = repository.subscribers(connection, item.id)
            repository.publish(connection, uid, told, [events.state_report(data_set)])
        return Done(status=0, sop_instance_uid=uid)

    def request_cancel(self, uid: str, request: Mapping[str, Any], *, requesting_ae: str) -> Done:
        """Cancel a SCHEDULED workitem, tell the performer of one IN PROGRESS (§CC.2.2).

        Raises:
            UpsError: C307, C311, C312 when nobody is subscribed who could be told.
        """
        reasons = canonical(request)
        with self._database.connection() as connection:
            item = self._locked(connection, uid)
            outcome = CANCELLATIONS[item.state]
            if outcome in _WARNINGS:
                return Done(status=outcome, sop_instance_uid=uid)
            if outcome is not Outcome.CHANGE:
                raise refused(outcome)
            told = repository.subscribers(connection, item.id)
            reports = [events.cancel_requested(requesting_ae, reasons)]
            if item.state is ProcedureStepState.SCHEDULED:
                reports += self._cancel(connection, item, reasons)
            elif not told:
                raise UpsError(NO_PERFORMER, "nobody is subscribed who could be told")
            repository.publish(connection, uid, told, reports)
        return Done(status=0, sop_instance_uid=uid)

    def search(
        self, keys: Mapping[str, Any], options: MatchOptions = searching.NO_OPTIONS
    ) -> Iterator[Workitem]:
        """Workitems that match (§CC.2.8); raises as `searching.search`."""
        return searching.search(self._database, keys, options)

    def report_status(self, status: str) -> None:
        """Tell every subscriber that we were RESTARTED or are GOING DOWN (§CC.2.4.3)."""
        _, information = events.status_change(status)
        with self._database.connection() as connection:
            connection.execute(SQL["lock_events"])
            rows = connection.execute(
                SQL["add_status_event"],
                {"uid": GLOBAL, "information": Jsonb(information)},
            ).fetchall()
            repository.announce(connection, [row[0] for row in rows])

    def forget(self, *, age_s: float, event_age_s: float) -> list[str]:
        """Delete finished workitems whose time is over and that no deletion lock holds.

        Returns: Their SOP Instance UIDs.
        """
        with self._database.connection() as connection:
            rows = connection.execute(SQL["forget"], {"age_s": age_s}).fetchall()
            connection.execute(SQL["forget_events"], {"age_s": event_age_s})
            connection.execute(SQL["forget_subscribers"])
        return [row[0] for row in rows]

    @staticmethod
    def _locked(connection: Connection, uid: str) -> Workitem:
        item = repository.find(connection, uid, lock=True)
        if item is None:
            raise refused(Outcome.UNKNOWN)
        return item

    @staticmethod
    def _cancel(connection: Connection, item: Workitem, reasons: DicomJson) -> list[events.Report]:
        """First IN PROGRESS, then CANCELED, with what its final state requires."""
        started = _in_state(item.attributes, ProcedureStepState.IN_PROGRESS)
        ended = _in_state(
            canceled_by_us(item.attributes, reasons, utc_now()), ProcedureStepState.CANCELED
        )
        check_final(ended, ProcedureStepState.CANCELED)
        repository.save(
            connection,
            item,
            ended,
            state=ProcedureStepState.CANCELED,
            transaction_uid=new_uid(),
        )
        return [events.state_report(started), events.state_report(ended)]


def _in_state(attributes: DicomJson, state: ProcedureStepState) -> DicomJson:
    return attributes | {
        a.STATE: {"vr": "CS", "Value": [str(state)]},
        a.MODIFIED: {"vr": "DT", "Value": [date_time(utc_now())]},
    }


def _text(attributes: Mapping[str, Any], tag: str) -> str:
    element = attributes.get(tag)
    values = element.get("Value", ()) if isinstance(element, Mapping) else ()
    found = next(iter(values), "") if isinstance(values, list | tuple) else ""
    return found.strip() if isinstance(found, str) else ""
