"""The rows of kept messages."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import psycopg
from psycopg.types.json import Jsonb

from negatoscope.domain.messages.errors import MessageNotReplayable, UnknownMessage
from negatoscope.domain.messages.model import (
    Arrival,
    Filter,
    Receipt,
    Sender,
    State,
    StoredMessage,
    Verdict,
)
from negatoscope.infra.db import Database, load_queries

SQL: Final = load_queries("negatoscope.domain.messages.sql", "messages.sql")
MAX_PAGE: Final = 500
DUPLICATE_KEY: Final = "205"
Connection = psycopg.Connection[Any]
_Key = tuple[str, str, str]


class Messages:
    """The list of messages.

    Args:
        database: Where.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def store(self, arrivals: Sequence[Arrival]) -> list[Receipt]:
        """Keep messages, all in one transaction; when this returns they are on stable storage.

        A message with the sender and MSH-10 of an earlier one is that one again and has no second
        effect; with other content it is kept beside it for a person to look at, and refused.

        Raises:
            DatabaseUnavailable: nothing is kept, nobody may be told otherwise.
        """
        with self._database.connection() as connection:
            new = _insert(connection, arrivals, is_first=True)
            numbers = {key: number for number, key, _ in new if key[2]}
            # Without MSH-10 each is its own; PostgreSQL gives them back in their order.
            nameless = [number for number, key, _ in new if not key[2]]
            missing = {one.key for one in arrivals if one.control_id} - set(numbers)
            before = _first_ones(connection, missing)
            receipts: list[Receipt] = []
            for one in arrivals:
                if not one.control_id:
                    receipts.append(
                        Receipt(id=nameless.pop(0), verdict=one.verdict, is_repetition=False)
                    )
                elif one.key in before:
                    receipts.append(self._again(connection, one, before[one.key]))
                else:
                    number = numbers[one.key]
                    receipts.append(Receipt(id=number, verdict=one.verdict, is_repetition=False))
                    before[one.key] = (number, one.sha256, one.verdict)  # again in this batch
        return receipts

    def _again(
        self, connection: Connection, one: Arrival, first: tuple[int, bytes, Verdict]
    ) -> Receipt:
        number, digest, verdict = first
        if digest == one.sha256:
            return Receipt(id=number, verdict=verdict, is_repetition=True)
        refusal = Verdict(
            code="AE",
            error_code=DUPLICATE_KEY,
            segment="MSH",
            field=10,
            reason="this control identifier came before with another message",
        )
        other = _replaced(one, refusal)
        ((number, _, _),) = _insert(connection, [other], is_first=False)
        return Receipt(id=number, verdict=refusal, is_repetition=False)

    def search(self, wanted: Filter, *, limit: int = 100) -> list[StoredMessage]:
        """The newest that match, newest first; at most `MAX_PAGE`."""
        code, _, trigger = wanted.message_type.partition("^")
        parameters = {
            "id": None,
            "before_id": wanted.before_id,
            "state": wanted.state,
            "message_code": code,
            "trigger_event": trigger,
            "sending_application": wanted.sending_application,
            "control_id": wanted.control_id,
            "stored_from": wanted.stored_from,
            "stored_until": wanted.stored_until,
            "patient_identifiers": [wanted.patient_identifier]
            if wanted.patient_identifier
            else None,
            "limit": min(limit, MAX_PAGE),
        }
        with self._database.connection() as connection:
            return [_stored(row) for row in connection.execute(SQL["search"], parameters)]

    def get(self, number: int) -> tuple[StoredMessage, bytes]:
        """A message and its bytes.

        Raises:
            UnknownMessage: there is none.
        """
        nothing = dict.fromkeys(
            ("before_id", "state", "stored_from", "stored_until", "patient_identifiers")
        )
        texts = dict.fromkeys(
            ("message_code", "trigger_event", "sending_application", "control_id"), ""
        )
        with self._database.connection() as connection:
            parameters = {**nothing, **texts, "id": number, "limit": 1}
            row = connection.execute(SQL["search"], parameters).fetchone()
            content = connection.execute(SQL["content"], {"id": number}).fetchone()
        if row is None or content is None:
            raise UnknownMessage(f"there is no message {number}")
        return _stored(row), bytes(content[0])

    def replay(self, number: int) -> None:
        """Let a message that failed or was ignored wait for its turn again, as it is.

        Raises:
            UnknownMessage: there is none.
            MessageNotReplayable: it had its effect, or waits already.
        """
        with self._database.connection() as connection:
            if connection.execute(SQL["replay"], {"id": number}).rowcount == 1:
                return
        stored, _ = self.get(number)
        raise MessageNotReplayable(
            f"message {number} is {stored.state}", hint="only failed and ignored ones are replayed."
        )

    def senders(self) -> list[Sender]:
        """Who sent what in the last 30 days."""
        with self._database.connection() as connection:
            rows = connection.execute(SQL["senders"]).fetchall()
        return [
            Sender(
                sending_application=row[0],
                sending_facility=row[1],
                message_count=row[2],
                pending_count=row[3],
                failed_count=row[4],
                last_at=row[5],
                last_peer=row[6],
            )
            for row in rows
        ]

    def depth(self) -> tuple[int, datetime | None]:
        """How many messages wait, and since when the oldest does."""
        with self._database.connection() as connection:
            row = connection.execute(SQL["depth"]).fetchone()
        return (0, None) if row is None else (row[0], row[1])


def _insert(
    connection: Connection, arrivals: Sequence[Arrival], *, is_first: bool
) -> list[tuple[int, _Key, bytes]]:
    parameters: Mapping[str, object] = {
        "is_first": is_first,
        "peer": [one.peer for one in arrivals],
        "sending_application": [one.sending_application for one in arrivals],
        "sending_facility": [one.sending_facility for one in arrivals],
        "message_code": [one.message_code for one in arrivals],
        "trigger_event": [one.trigger_event for one in arrivals],
        "control_id": [one.control_id for one in arrivals],
        "version_id": [one.version_id for one in arrivals],
        "lists": [Jsonb([one.patient_identifiers, one.notes]) for one in arrivals],
        "content": [one.content for one in arrivals],
        "sha256": [one.sha256 for one in arrivals],
        "acknowledgment_code": [one.verdict.code for one in arrivals],
        "error_code": [one.verdict.error_code for one in arrivals],
        "error_segment": [one.verdict.segment for one in arrivals],
        "error_field": [one.verdict.field for one in arrivals],
        "reason": [one.verdict.reason for one in arrivals],
        "state": [one.state for one in arrivals],
    }
    rows = connection.execute(SQL["store"], parameters).fetchall()
    return [(row[0], (row[1], row[2], row[3]), bytes(row[4])) for row in rows]


def _first_ones(connection: Connection, keys: set[_Key]) -> dict[_Key, tuple[int, bytes, Verdict]]:
    if not keys:
        return {}
    ordered = sorted(keys)
    parameters = {
        "sending_application": [one[0] for one in ordered],
        "sending_facility": [one[1] for one in ordered],
        "control_id": [one[2] for one in ordered],
    }
    return {
        (row[1], row[2], row[3]): (row[0], bytes(row[4]), _verdict(row[5:10]))
        for row in connection.execute(SQL["first_ones"], parameters)
    }


def _replaced(one: Arrival, verdict: Verdict) -> Arrival:
    return Arrival(
        content=one.content,
        peer=one.peer,
        sending_application=one.sending_application,
        sending_facility=one.sending_facility,
        message_code=one.message_code,
        trigger_event=one.trigger_event,
        control_id=one.control_id,
        version_id=one.version_id,
        patient_identifiers=one.patient_identifiers,
        notes=one.notes,
        verdict=verdict,
        state=State.FAILED,
    )


def _verdict(row: Sequence[Any]) -> Verdict:
    return Verdict(code=row[0], error_code=row[1], segment=row[2], field=row[3], reason=row[4])


def finish(
    connection: Connection,
    number: int,
    *,
    state: State,
    reason: str = "",
    effect: Mapping[str, Any] | None = None,
) -> None:
    """Say in the caller's transaction what came of a message."""
    connection.execute(
        SQL["finish"],
        {"id": number, "state": state, "state_reason": reason, "effect": Jsonb(effect or {})},
    )


def _stored(row: Sequence[Any]) -> StoredMessage:
    return StoredMessage(
        id=row[0],
        stored_at=row[1],
        peer=row[2],
        sending_application=row[3],
        sending_facility=row[4],
        message_code=row[5],
        trigger_event=row[6],
        control_id=row[7],
        version_id=row[8],
        patient_identifiers=tuple(row[9]),
        notes=tuple(row[10]),
        verdict=_verdict(row[11:16]),
        state=State(row[16]),
        state_reason=row[17],
        effect=row[18],
        attempt_count=row[19],
        processed_at=row[20],
        byte_count=row[21],
    )
