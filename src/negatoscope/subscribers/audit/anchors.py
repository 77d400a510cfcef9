"""Anchors: where the chains ended at a time, kept where the database's administrator is not.

An anchor is a line of JSON: its number, the time, the number and hash of the last record of each
chain, and a hash over the line before. It goes to a table, to ``audit/anchors.jsonl`` of the data
directory, to the log, and as a record of the trail to every audit repository. Whoever takes records off the end of a chain,
or writes a chain anew, must change all of them.
"""

import contextlib
import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import psycopg
import structlog

from negatoscope.domain.identity import Actor
from negatoscope.infra.clock import utc_now
from negatoscope.infra.db import Database
from negatoscope.subscribers.audit import chain
from negatoscope.subscribers.audit.errors import AnchorsUnreadable
from negatoscope.subscribers.audit.model import Chain, EventClass
from negatoscope.subscribers.audit.trail import record_in

_LOG = structlog.get_logger(__name__)

FILE: Final = Path("audit") / "anchors.jsonl"
_START: Final = hashlib.sha256(b"negatoscope audit anchors").digest()
_LAST: Final = "SELECT number, made_at, heads, hash FROM audit_anchor ORDER BY number DESC LIMIT 1"
_ALL: Final = "SELECT number, made_at, heads, hash FROM audit_anchor ORDER BY number"
_LAST_ACTION: Final = "SELECT action FROM audit_record WHERE chain = %s AND seq = %s"
_ACTION: Final = "audit anchor"
_AFTER: Final = (
    "SELECT number, made_at, heads, hash FROM audit_anchor WHERE number > %s ORDER BY number"
)
_INSERT: Final = "INSERT INTO audit_anchor (number, made_at, heads, hash) VALUES (%s, %s, %s, %s)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """Where the chains ended.

    Attributes:
        heads: Number and hash (hexadecimal) of the last record of each chain.
        hash: Over the anchor before and this one.
    """

    number: int
    made_at: datetime
    heads: Mapping[str, tuple[int, str]]
    hash: bytes

    def line(self) -> str:
        """As in the file."""
        return json.dumps(
            _document(self.number, self.made_at, self.heads) | {"hash": self.hash.hex()},
            separators=(",", ":"),
            sort_keys=True,
        )

    def expected_hash(self, before: bytes) -> bytes:
        """What the hash must be after that of the anchor before."""
        return _hash(before, self.number, self.made_at, self.heads)


def start() -> bytes:
    """What stands before the first anchor."""
    return _START


def make(database: Database, files: Sequence[Path]) -> Anchor | None:
    """Write an anchor, unless no chain grew since the last, and bring the files up to date.

    Returns: The anchor; None when there is nothing new.
    Raises:
        OSError: a file cannot be written; the row is there, the next call writes the line.
        AnchorsUnreadable: a file is not one of anchors.
    """
    with database.connection() as connection:
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (chain.LOCK,))
        now = {name: (seq, digest.hex()) for name, (seq, digest) in chain.heads(connection).items()}
        row = connection.execute(_LAST).fetchone()
        last = None if row is None else from_row(row)
        anchor = None
        if last is None or not _is_old(connection, last, now):
            number, before = (1, _START) if last is None else (last.number + 1, last.hash)
            made_at = utc_now()
            anchor = Anchor(
                number=number, made_at=made_at, heads=now, hash=_hash(before, number, made_at, now)
            )
            heads = json.dumps(_document(number, made_at, now)["heads"])
            connection.execute(_INSERT, (number, made_at, heads, anchor.hash))
            record_in(
                connection,
                actor=Actor.system("audit"),
                action=_ACTION,
                event_class=EventClass.AUDIT,
                detail=_document(number, made_at, now) | {"hash": anchor.hash.hex()},
            )
    if anchor is not None:
        _LOG.info("audit.anchor", line=anchor.line())
    for path in files:
        _bring_up_to_date(database, path)
    return anchor


def _is_old(
    connection: psycopg.Connection[Any], last: Anchor, now: Mapping[str, tuple[int, str]]
) -> bool:
    """Whether nothing was sealed since the last anchor but the record of that anchor itself."""
    grown = {name: seq - last.heads.get(name, (0, ""))[0] for name, (seq, _) in now.items()}
    if not any(grown.values()):
        return dict(last.heads) == now
    if grown.pop(Chain.SECURITY) != 1 or any(grown.values()):
        return False
    row = connection.execute(_LAST_ACTION, (Chain.SECURITY, now[Chain.SECURITY][0])).fetchone()
    return row is not None and row[0] == _ACTION


def _bring_up_to_date(database: Database, path: Path) -> None:
    known = 0
    for anchor in read(path):
        known = anchor.number
    with database.connection() as connection:
        missing = [from_row(row) for row in connection.execute(_AFTER, (known,))]
    if not missing:
        return
    if known == 0 and missing[0].number == 1 and len(missing) > 1:
        _LOG.warning("audit.anchors_written_again", path=str(path), count=len(missing))
    path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640)
    try:
        os.write(fd, "".join(anchor.line() + "\n" for anchor in missing).encode("ascii"))
        os.fsync(fd)
    finally:
        os.close(fd)


def stored(database: Database) -> list[Anchor]:
    """The anchors of the database."""
    with database.connection() as connection:
        return [from_row(row) for row in connection.execute(_ALL)]


def read(path: Path) -> Iterator[Anchor]:
    """The anchors of a file; none when it is absent.

    Raises:
        AnchorsUnreadable: a line is not one.
    """
    with contextlib.suppress(FileNotFoundError), path.open(encoding="utf-8") as lines:
        for number, text in enumerate(lines, 1):
            if len(text) > 10_000:
                raise AnchorsUnreadable(path, number)
            try:
                line = json.loads(text)
                yield Anchor(
                    number=int(line["number"]),
                    made_at=datetime.fromisoformat(line["made_at"]),
                    heads={str(k): (int(v[0]), str(v[1])) for k, v in line["heads"].items()},
                    hash=bytes.fromhex(line["hash"]),
                )
            except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
                raise AnchorsUnreadable(path, number) from error


def from_row(row: tuple[Any, ...]) -> Anchor:
    return Anchor(
        number=row[0],
        made_at=row[1],
        heads={name: (int(value[0]), str(value[1])) for name, value in row[2].items()},
        hash=row[3],
    )


def _document(
    number: int, made_at: datetime, heads: Mapping[str, tuple[int, str]]
) -> dict[str, Any]:
    return {
        "number": number,
        "made_at": made_at.astimezone(UTC).isoformat(timespec="microseconds"),
        "heads": {name: list(value) for name, value in heads.items()},
    }


def _hash(
    before: bytes, number: int, made_at: datetime, heads: Mapping[str, tuple[int, str]]
) -> bytes:
    form = json.dumps(_document(number, made_at, heads), separators=(",", ":"), sort_keys=True)
    return hashlib.sha256(before + form.encode("ascii")).digest()
