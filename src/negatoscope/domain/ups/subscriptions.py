"""Who is told what (PS3.4 Table CC.2.3-2)."""

from collections.abc import Mapping
from typing import Any, Final

from psycopg.types.json import Jsonb

from negatoscope.domain.archive.query import matches, unusable_keys
from negatoscope.domain.devices import ae as devices
from negatoscope.domain.devices.errors import InvalidApplicationEntity
from negatoscope.domain.identity.policies import Action, may
from negatoscope.domain.ups.errors import (
    INVALID_VALUE,
    NOT_AUTHORIZED,
    RESOURCE_LIMITATION,
    UNKNOWN_AE,
    WRONG_ACTION,
    UpsError,
    refused,
)
from negatoscope.domain.ups.model import FILTERED, GLOBAL, DicomJson, Transport
from negatoscope.domain.ups.repository import (
    MAX_QUEUED_EVENTS,
    SQL,
    Connection,
    announce,
    find,
)
from negatoscope.domain.ups.searching import matching
from negatoscope.domain.ups.states import Outcome
from negatoscope.infra.db import Database

MAX_SUBSCRIBERS: Final = 1000


class Subscriptions:
    """Subscribe, unsubscribe, suspend. Safe for many threads and processes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def subscribe(
        self,
        uid: str,
        ae_title: str,
        *,
        deletion_lock: bool,
        transport: Transport,
        keys: Mapping[str, Any] | None = None,
    ) -> None:
        """Tell an AE of a workitem, of all, or of those that match.

        Args:
            uid: Of a workitem, or one of the two well-known instances.
            ae_title: Receiving AE.
            deletion_lock: Keep workitems until it unsubscribes.
            transport: How it is told from now on.
            keys: Matching keys of a filtered global subscription.
        Raises:
            UpsError: C307, C308, 0106, 0124, 0213.
        """
        title = self._title(ae_title, transport)
        filter_ = dict(keys or {})
        if filter_ and uid != FILTERED:
            raise UpsError(WRONG_ACTION, "matching keys belong to the filtered subscription")
        if bad := unusable_keys(filter_):
            raise UpsError(INVALID_VALUE, "unusable matching key", offending=[int(bad[0], 16)])
        with self._database.connection() as connection:
            connection.execute(SQL["lock_events"])
            item = None
            if uid not in (GLOBAL, FILTERED):
                item = find(connection, uid)
                if item is None:
                    raise refused(Outcome.UNKNOWN)
            self._enroll(connection, title, transport)
            keyed = {"ae": title, "lock": deletion_lock, "most": MAX_QUEUED_EVENTS}
            if item is not None:
                connection.execute(SQL["subscribe"], keyed | {"id": item.id})
                ids: list[int] | None = [item.id]
                connection.execute(SQL["report_states"], keyed | {"ids": ids})
            else:
                self._globally(connection, keyed, uid == FILTERED, filter_)
            announce(connection, [title])

    def unsubscribe(self, uid: str, ae_title: str) -> None:
        """Tell an AE no more: of one workitem, or with a well-known instance of anything.

        Raises:
            UpsError: C307, C308.
        """
        title = _known_title(ae_title)
        with self._database.connection() as connection:
            connection.execute(SQL["lock_events"])
            if uid in (GLOBAL, FILTERED):
                connection.execute(SQL["end_global"], {"ae": title, "is_filtered": None})
                connection.execute(SQL["unsubscribe_all"], {"ae": title})
                return
            item = find(connection, uid)
            if item is None:
                raise refused(Outcome.UNKNOWN)
            connection.execute(SQL["unsubscribe"], {"ae": title, "id": item.id})

    def suspend(self, uid: str, ae_title: str) -> None:
        """New workitems reach the AE no more; what it is subscribed to stays.

        Raises:
            UpsError: C314 for anything but the well-known instances.
        """
        title = _known_title(ae_title)
        if uid not in (GLOBAL, FILTERED):
            raise UpsError(WRONG_ACTION, "only a global subscription can be suspended")
        with self._database.connection() as connection:
            connection.execute(SQL["lock_events"])
            connection.execute(SQL["end_global"], {"ae": title, "is_filtered": uid == FILTERED})

    def has_lock(self, uid: str, ae_title: str) -> bool | None:
        """Whether an AE holds a workitem by a deletion lock; None when it is not subscribed."""
        with self._database.connection() as connection:
            item = find(connection, uid)
            if item is None:
                return None
            row = connection.execute(
                SQL["subscription"], {"id": item.id, "ae": ae_title}
            ).fetchone()
        return None if row is None else bool(row[0])

    def _globally(
        self, connection: Connection, keyed: dict[str, Any], is_filtered: bool, keys: DicomJson
    ) -> None:
        connection.execute(
            SQL["subscribe_globally"],
            keyed | {"is_filtered": is_filtered, "filter": Jsonb(keys)},
        )
        ids = [item.id for item in matching(connection, keys)] if is_filtered else None
        connection.execute(SQL["subscribe_missing"], keyed | {"ids": ids})
        if keyed["lock"]:
            connection.execute(SQL["report_states"], keyed | {"ids": ids})

    def _title(self, ae_title: str, transport: Transport) -> str:
        title = _known_title(ae_title)
        if transport is Transport.DIMSE:
            entity = devices.find(self._database, title)
            if entity is None:
                raise UpsError(UNKNOWN_AE, "the Receiving AE Title is unknown")
            if not may(entity.actor, Action.UPS):
                raise UpsError(NOT_AUTHORIZED, "the Receiving AE may not be told of worklists")
        return title

    @staticmethod
    def _enroll(connection: Connection, title: str, transport: Transport) -> None:
        row = connection.execute(SQL["subscriber_count"], {"ae": title}).fetchone()
        if row is not None and row[0] >= MAX_SUBSCRIBERS:
            raise UpsError(RESOURCE_LIMITATION, f"more than {MAX_SUBSCRIBERS} subscribers")
        connection.execute(SQL["enroll"], {"ae": title, "transport": str(transport)})


def subscribe_globals(connection: Connection, workitem_id: int, data_set: DicomJson) -> list[str]:
    """Subscribe those with a global subscription to a new workitem. Returns: their AE titles."""
    locks: dict[str, bool] = {}
    for ae_title, is_filtered, lock, keys in connection.execute(
        SQL["global_subscriptions"]
    ).fetchall():
        if not is_filtered or matches(data_set, keys):
            locks[ae_title] = locks.get(ae_title, False) or lock
    for ae_title, lock in locks.items():
        connection.execute(SQL["subscribe"], {"id": workitem_id, "ae": ae_title, "lock": lock})
    return list(locks)


def _known_title(ae_title: str) -> str:
    try:
        return devices.normal_title(ae_title)
    except InvalidApplicationEntity as error:
        raise UpsError(INVALID_VALUE, "the Receiving AE Title is none") from error
