"""Look whether the trail is what was written: the chains, their checkpoints, the anchors."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal

from negatoscope.infra.clock import utc_now
from negatoscope.infra.db import Database, load_queries
from negatoscope.subscribers.audit import anchors, chain
from negatoscope.subscribers.audit.errors import AnchorsUnreadable
from negatoscope.subscribers.audit.model import Chain

_SQL = load_queries("negatoscope.subscribers.audit.sql", "verification.sql")
_BATCH: Final = 2000
MAX_FINDINGS: Final = 20

Kind = Literal[
    "changed",
    "removed",
    "reordered",
    "truncated",
    "head differs",
    "checkpoint",
    "anchor",
    "counter",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that is not as it was written.

    Attributes:
        kind: ``changed`` (the record's hash does not follow), ``removed`` (a number is missing),
            ``reordered`` (a record stands at another place than its number), ``truncated`` (the
            end is missing), ``head differs``, ``checkpoint`` (a purge nobody recorded),
            ``anchor`` (an anchor contradicts the chain or the anchors before it).
        chain: Of which chain.
        seq: The first record concerned.
        id: Its id, if it is there.
        text: A sentence for people.
    """

    kind: str
    chain: str
    seq: int | None
    id: int | None
    text: str


@dataclass(slots=True, kw_only=True)
class Report:
    """What was looked at and found; ``findings`` empty means sound."""

    records: int = 0
    anchors: int = 0
    waiting: int = 0
    heads: dict[str, int] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    @property
    def is_sound(self) -> bool:
        """Whether nothing was found."""
        return not self.findings

    def documents(self) -> list[dict[str, Any]]:
        """The findings as JSON."""
        return [asdict(finding) for finding in self.findings]


def verify(
    database: Database,
    *,
    files: Sequence[Path] = (),
    progress: Callable[[int], None] = lambda _count: None,
) -> Report:
    """Read every record again and follow the chains.

    Args:
        database: Where the trail is; read in one snapshot.
        files: Files of anchors; those that are absent are passed over.
        progress: Told how many records were read.
    """
    report = Report()
    with database.connect(autocommit=False) as connection:
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        known = anchors_of(connection, report, files)
        for name in map(str, Chain):
            _Follower(connection, report, name, known, progress).follow()
        row = connection.execute("SELECT count(*) FROM audit_pending").fetchone()
        report.waiting = row[0] if row else 0
    return report


def anchors_of(connection: Any, report: Report, files: Sequence[Path]) -> list[anchors.Anchor]:
    """Every anchor there is, once; what they say against each other goes to the report."""
    rows = connection.execute(_SQL["anchors"]).fetchall()
    sources: list[tuple[str, Iterable[anchors.Anchor]]] = [
        ("the database", [anchors.from_row(row) for row in rows]),
        *((str(path.name), anchors.read(path)) for path in files),
    ]
    found: dict[int, anchors.Anchor] = {}
    contradicting: list[anchors.Anchor] = []
    for source, some in sources:
        before, expected = anchors.start(), 1
        try:
            for anchor in some:
                if anchor.number != expected:
                    gone = f"anchors {expected} to {anchor.number - 1}"
                    _add(report, "anchor", f"{gone} are missing in {source}")
                elif anchor.hash != anchor.expected_hash(before):
                    _add(report, "anchor", f"anchor {anchor.number} in {source} was changed")
                before, expected = anchor.hash, anchor.number + 1
                if found.setdefault(anchor.number, anchor).hash != anchor.hash:
                    _add(
                        report,
                        "anchor",
                        f"anchor {anchor.number} in {source} is another than elsewhere",
                    )
                    contradicting.append(anchor)
        except AnchorsUnreadable as error:
            _add(report, "anchor", error.message)
    report.anchors = len(found)
    return [*found.values(), *contradicting]


class _Follower:
    """Follows one chain."""

    def __init__(
        self,
        connection: Any,
        report: Report,
        name: str,
        known: Sequence[anchors.Anchor],
        progress: Callable[[int], None],
    ) -> None:
        self._connection = connection
        self._report = report
        self._name = name
        self._progress = progress
        self._anchored: dict[int, list[tuple[int, str]]] = {}
        for anchor in known:
            seq, digest = anchor.heads.get(name, (0, ""))
            if seq:
                self._anchored.setdefault(seq, []).append((anchor.number, digest))

    def follow(self) -> None:
        """From the last checkpoint to the end."""
        first, before = self._checkpoint()
        seq, position = first, 0
        for row in self._rows(first):
            facts = dict(zip(chain.FIELDS, row[4:], strict=True))
            ident, at = facts["id"], f"{facts['occurred_at']:%Y-%m-%d %H:%M:%S} UTC"
            expected = chain.link(before, chain.canonical(self._name, row[1], row[3], facts))
            if row[1] != seq + 1:
                gone = f"records {seq + 1} to {row[1] - 1} are missing"
                self._find("removed", seq + 1, f"{gone}; the next one is of {at}")
            elif row[0] <= position:
                self._find(
                    "reordered", row[1], f"record {row[1]} stands before its predecessor", ident
                )
            elif expected != row[2]:
                self._find(
                    "changed", row[1], f"record {row[1]} of {at} was changed, or moved here", ident
                )
            position, seq, before = row[0], row[1], row[2]
            self._compare(seq, before)
            self._report.records += 1
            if self._report.records % _BATCH == 0:
                self._progress(self._report.records)
        self._end(first, seq, before)

    def _rows(self, after: int) -> Iterator[tuple[Any, ...]]:
        with self._connection.cursor(name=f"verify_{self._name}") as cursor:
            cursor.itersize = _BATCH
            cursor.execute(_SQL["records"], {"chain": self._name, "after": after})
            yield from cursor

    def _checkpoint(self) -> tuple[int, bytes]:
        row = self._connection.execute(_SQL["checkpoint"], (self._name,)).fetchone()
        if row is None:
            return 0, chain.genesis(self._name)
        seq, digest = row
        told = {"chain": self._name, "seq": seq, "hash": digest.hex()}
        attested = self._connection.execute(
            _SQL["attested"], (json.dumps({"checkpoints": [told]}),)
        ).fetchone()
        if not (attested and attested[0]):
            self._find(
                "checkpoint",
                seq,
                f"records 1 to {seq} are gone and no record says who purged them",
            )
        self._compare(seq, digest)
        return seq, digest

    def _compare(self, seq: int, digest: bytes) -> None:
        for number, expected in self._anchored.get(seq, ()):
            if expected != digest.hex():
                self._find(
                    "changed",
                    seq,
                    f"the chain up to record {seq} is not what anchor {number} saw",
                )

    def _end(self, first: int, seq: int, digest: bytes) -> None:
        self._report.heads[self._name] = seq
        furthest = max(self._anchored, default=0)
        row = self._connection.execute(_SQL["head"], (self._name,)).fetchone()
        head_seq, head = row if row is not None else (0, chain.genesis(self._name))
        missing = max(furthest, head_seq)
        if missing > seq:
            anchored = furthest > seq
            known_by = (
                f"anchor {self._anchored[furthest][0][0]}" if anchored else "the chain's head"
            )
            gone = f"records {seq + 1} to {missing} are missing at the end"
            self._find("truncated", max(seq, first) + 1, f"{gone}: {known_by} knows them")
        elif (head_seq, head) != (seq, digest):
            self._find(
                "head differs",
                head_seq,
                f"the chain's head says {head_seq}, its last record is {seq}",
            )

    def _find(self, kind: Kind, seq: int | None, text: str, ident: int | None = None) -> None:
        _add(self._report, kind, text, chain=self._name, seq=seq, ident=ident)


def _add(
    report: Report,
    kind: Kind,
    text: str,
    *,
    chain: str = "",
    seq: int | None = None,
    ident: int | None = None,
) -> None:
    if len(report.findings) < MAX_FINDINGS:
        report.findings.append(Finding(kind=kind, chain=chain, seq=seq, id=ident, text=text))


# -- verifications on request, done by the worker ----------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """One that was asked for."""

    id: int
    requested_at: datetime
    requested_by: str
    started_at: datetime | None
    ended_at: datetime | None
    record_count: int | None
    findings: Sequence[dict[str, Any]] | None


def request(database: Database, *, by: str) -> int:
    """Ask the worker for a verification. Returns: its number; that of one that waits already."""
    with database.connection() as connection:
        row = connection.execute(_SQL["request"], {"by": by}).fetchone()
    assert row is not None  # noqa: S101 - the query has one row
    return int(row[0])


def last(database: Database) -> Sequence[Verification]:
    """The last ones, newest first."""
    with database.connection() as connection:
        rows = connection.execute(_SQL["last"]).fetchall()
    return [
        Verification(
            id=row[0], requested_at=row[1], requested_by=row[2], started_at=row[3], ended_at=row[4],
            record_count=row[5], findings=row[6],
        )
        for row in rows
    ]  # fmt: skip


def run_due(database: Database, *, every_s: float, files: Sequence[Path]) -> Report | None:
    """Do the verification that is asked for, or due by its age. Returns: what it found, if any."""
    with database.connection() as connection:
        row = connection.execute(_SQL["take"], {"every_s": every_s}).fetchone()
    if row is None:
        return None
    number = row[0]
    report = verify(database, files=files)
    with database.connection() as connection:
        connection.execute(
            _SQL["finish"],
            {
                "id": number,
                "ended_at": utc_now(),
                "records": report.records,
                "findings": json.dumps(report.documents()),
            },
        )
    return report
