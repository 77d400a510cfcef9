"""The chain: sealed in order, refused to change, and every tampering found."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from negatoscope.domain.identity import Action, Actor
from negatoscope.infra.db import Database
from negatoscope.subscribers import audit
from negatoscope.subscribers.audit import anchors, chain, retention, verification
from negatoscope.subscribers.audit.chain import Sealer

ALICE = Actor(kind="user", name="alice", roles=frozenset({"radiologist"}), user_id=1)


def write(database: Database, count: int, *, action: str = Action.RETRIEVE) -> None:
    for number in range(count):
        audit.record(
            database,
            actor=ALICE,
            action=action,
            study_instance_uid=f"1.2.{number}",
            peer="10.0.0.1",
        )


@pytest.fixture
def superuser(
    postgres_url: str, database_url: str
) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """Somebody who commands the database, with the triggers switched off."""
    name = database_url.split("@/")[1].split("?", maxsplit=1)[0]
    with psycopg.connect(
        postgres_url.replace("/postgres?", f"/{name}?"), autocommit=True
    ) as connection:
        connection.execute("SET session_replication_role = replica")
        yield connection


def kinds(database: Database, *files: Path) -> list[tuple[str, str, int | None]]:
    report = verification.verify(database, files=files)
    return [(one.kind, one.chain, one.seq) for one in report.findings]


def test_records_are_numbered_without_a_gap_and_chained(database: Database) -> None:
    """Sealing moves rows into their chain; what the program wrote verifies."""
    write(database, 5)
    audit.record(database, actor=ALICE, action="sign in", peer="10.0.0.1")
    audit.record(database, actor=Actor.system("command line"), action="command")
    assert Sealer(database).seal() == 7
    report = verification.verify(database)
    assert report.is_sound
    assert report.heads == {"access": 5, "security": 1, "operation": 1}
    assert next((e.chain, e.seq) for e in audit.search(database, actor_name="alice")) == (
        "security",
        1,
    )


def test_a_counting_row_waits_and_later_counts_get_a_row_of_their_own(database: Database) -> None:
    """Once sealed, a row is never touched again."""

    def seen() -> None:
        with database.connection() as connection:
            audit.record_in(connection, actor=ALICE, action="retrieve", coalesce_key="k")

    seen()
    seen()
    assert Sealer(database).seal() == 0
    assert Sealer(database).seal(everything=True) == 1
    seen()
    assert sorted(e.event_count for e in audit.search(database)) == [1, 2]
    assert Sealer(database, counting_s=0).seal() == 1
    assert verification.verify(database).is_sound


def test_many_writers_and_two_sealers_make_one_chain(database: Database) -> None:
    """Nothing is lost, doubled or out of order, and writers do not wait for sealers."""
    stop = threading.Event()

    def seal() -> None:
        while not stop.is_set():
            Sealer(database).seal()

    writers = [threading.Thread(target=write, args=(database, 40)) for _ in range(4)]
    sealers = [threading.Thread(target=seal) for _ in range(2)]
    for thread in writers + sealers:
        thread.start()
    for thread in writers:
        thread.join()
    stop.set()
    for thread in sealers:
        thread.join()
    Sealer(database).seal()
    report = verification.verify(database)
    assert (report.findings, report.records, report.waiting) == ([], 160, 0)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_record SET actor_name = 'bob'",
        "DELETE FROM audit_record WHERE seq = 3",
        "TRUNCATE audit_record",
        "UPDATE audit_pending SET actor_name = 'bob'",
        "UPDATE audit_pending SET event_count = 0",
        "DELETE FROM audit_pending",
        "TRUNCATE audit_pending",
        "UPDATE audit_anchor SET heads = '{}'",
        "DELETE FROM audit_checkpoint",
    ],
)  # fmt: skip
def test_the_programs_role_cannot_change_the_trail(
    database: Database, tmp_path: Path, statement: str
) -> None:
    """The database refuses it."""
    write(database, 4)
    Sealer(database).seal()
    anchors.make(database, [tmp_path / "anchors.jsonl"])
    with database.connection() as connection:
        connection.execute(
            "INSERT INTO audit_checkpoint (chain, seq, hash, record_count) VALUES ('access', 0, '', 0)"
        )
    write(database, 1)
    with (
        pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"),
        database.connection() as connection,
    ):
        connection.execute(statement)


TAMPERING = {
    "edit": (
        "UPDATE audit_record SET actor_name = 'bob' WHERE chain = 'access' AND seq = 4",
        ("changed", "access", 4),
    ),
    "edit of a detail": (
        "UPDATE audit_record SET detail = '{\"x\": 1}' WHERE chain = 'access' AND seq = 4",
        ("changed", "access", 4),
    ),
    "removal": (
        "DELETE FROM audit_record WHERE chain = 'access' AND seq = 4",
        ("removed", "access", 4),
    ),
    "two change places": (
        ("UPDATE audit_record a SET seq = -b.seq FROM audit_record b"
        " WHERE a.chain = 'access' AND b.chain = 'access' AND a.seq = 9 - b.seq AND a.seq IN (4, 5);"
        "UPDATE audit_record SET seq = -seq WHERE seq < 0"),
        ("changed", "access", 4),
    ),
    "their contents change places": (
        ("UPDATE audit_record a SET id = -b.id, study_instance_uid = b.study_instance_uid FROM audit_record b"
        " WHERE a.chain = 'access' AND b.chain = 'access' AND a.seq = 9 - b.seq AND a.seq IN (4, 5);"
        "UPDATE audit_record SET id = -id WHERE id < 0"),
        ("changed", "access", 4),
    ),
    "the end is cut off": (
        "DELETE FROM audit_record WHERE chain = 'access' AND seq > 6",
        ("truncated", "access", 7),
    ),
    "the end is cut off and the head follows": (
        ("DELETE FROM audit_record WHERE chain = 'access' AND seq > 6;"
        "UPDATE audit_chain c SET seq = 6, hash = r.hash FROM audit_record r WHERE c.chain = 'access'"
        " AND r.chain = 'access' AND r.seq = 6"),
        ("truncated", "access", 7),
    ),
    "everything goes": (
        "DELETE FROM audit_record; UPDATE audit_chain SET seq = 0",
        ("truncated", "access", 1),
    ),
    "the beginning goes behind a forged checkpoint": (
        ("INSERT INTO audit_checkpoint (chain, seq, hash, record_count)"
        " SELECT chain, seq, hash, seq FROM audit_record WHERE chain = 'access' AND seq = 3;"
        "DELETE FROM audit_record WHERE chain = 'access' AND seq <= 3"),
        ("checkpoint", "access", 3),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TAMPERING)
def test_tampering_shows(
    database: Database,
    superuser: psycopg.Connection[tuple[object, ...]],
    tmp_path: Path,
    name: str,
) -> None:
    """Done with SQL as superuser; the first bad record is named."""
    file = tmp_path / "anchors.jsonl"
    write(database, 8)
    audit.record(database, actor=ALICE, action="sign in")
    Sealer(database).seal()
    anchors.make(database, [file])
    assert kinds(database, file) == []
    statements, expected = TAMPERING[name]
    for statement in statements.split(";"):
        superuser.execute(statement)  # type: ignore[call-overload]
    assert kinds(database, file)[0] == expected


def test_a_chain_written_anew_contradicts_its_anchors(
    database: Database, superuser: psycopg.Connection[tuple[object, ...]], tmp_path: Path
) -> None:
    """Who knows the rule and recomputes every hash, the anchors of the database too, is betrayed by the file."""
    file = tmp_path / "anchors.jsonl"
    write(database, 3)
    Sealer(database).seal()
    anchors.make(database, [file])
    superuser.execute("UPDATE audit_record SET actor_name = 'bob' WHERE seq = 2")
    rows = superuser.execute(
        f"SELECT seq, sealed_at, {', '.join(chain.FIELDS)} FROM audit_record WHERE chain = 'access' ORDER BY seq"  # type: ignore[arg-type]
    ).fetchall()
    before = chain.genesis("access")
    for row in rows:
        facts = dict(zip(chain.FIELDS, row[2:], strict=True))
        seq, sealed_at = row[0], row[1]
        assert isinstance(seq, int)
        assert isinstance(sealed_at, datetime)
        before = chain.link(before, chain.canonical("access", seq, sealed_at, facts))
        superuser.execute("UPDATE audit_record SET hash = %s WHERE seq = %s", (before, seq))
    superuser.execute("UPDATE audit_chain SET hash = %s WHERE chain = 'access'", (before,))
    assert ("changed", "access", 3) in kinds(database)
    superuser.execute("DELETE FROM audit_anchor")
    assert kinds(database) == []
    anchors.make(database, [])
    assert kinds(database, file) == [("anchor", "", None), ("changed", "access", 3)]


def test_an_edited_file_of_anchors_shows(database: Database, tmp_path: Path) -> None:
    """A line left out, a line changed, a line that is none."""
    file = tmp_path / "anchors.jsonl"
    for _ in range(3):
        write(database, 1)
        Sealer(database).seal()
        assert anchors.make(database, [file]) is not None
    assert anchors.make(database, [file]) is None
    lines = file.read_text().splitlines(keepends=True)
    assert len(lines) == 3
    for damaged in (
        lines[0] + lines[2],
        lines[0]
        + lines[1].replace("Z", "").replace("2026", "2025").replace("2027", "2025")
        + lines[2],
        lines[0] + "{}\n" + lines[2],
    ):
        file.write_text(damaged)
        assert kinds(database, file)[0][0] == "anchor"
    file.unlink()
    anchors.make(database, [file])
    assert file.read_text().splitlines(keepends=True) == lines


def test_an_idle_trail_gets_no_more_anchors(database: Database, tmp_path: Path) -> None:
    """The record of an anchor, which repositories are told, is no reason for another one."""
    file = tmp_path / "anchors.jsonl"
    write(database, 1)
    Sealer(database).seal()
    first = anchors.make(database, [file])
    assert first is not None
    Sealer(database).seal()
    (told,) = [event for event in audit.search(database) if event.action == "audit anchor"]
    assert told.detail["hash"] == first.hash.hex()
    assert anchors.make(database, [file]) is None
    audit.record(database, actor=ALICE, action="sign in")
    Sealer(database).seal()
    assert anchors.make(database, [file]) is not None
    assert kinds(database, file) == []


def test_purging_leaves_a_chain_that_verifies(database: Database, tmp_path: Path) -> None:
    """Old records go, a checkpoint and a record of the purge stay, as do the younger ones."""
    file = tmp_path / "anchors.jsonl"
    write(database, 5)
    Sealer(database).seal()
    anchors.make(database, [file])
    soon = datetime.now(UTC) + timedelta(days=200)
    days = {"access": 185, "security": 0, "operation": 300}
    assert retention.purge(database, days) == {}
    assert retention.purge(database, days, told_position=2, now=soon) == {"access": 2}
    assert retention.purge(database, days, now=soon) == {"access": 3}
    assert retention.purge(database, days, now=soon) == {}
    write(database, 2)
    Sealer(database).seal()
    anchors.make(database, [file])
    report = verification.verify(database, files=[file])
    assert (report.findings, report.records, report.heads["access"]) == ([], 5, 7)
    assert {e.action for e in audit.search(database)} == {"retrieve", "audit purge", "audit anchor"}


def test_a_verification_is_done_when_asked_for_and_when_due(database: Database) -> None:
    """Once each, by one worker."""
    write(database, 2)
    Sealer(database).seal()
    number = verification.request(database, by="alice")
    assert verification.request(database, by="bob") == number
    report = verification.run_due(database, every_s=3600, files=())
    assert report is not None
    assert report.records == 2
    assert verification.run_due(database, every_s=3600, files=()) is None
    (done,) = verification.last(database)
    assert (done.requested_by, done.record_count, done.findings) == ("alice", 2, [])
    verification.run_due(database, every_s=0, files=())
    assert verification.run_due(database, every_s=0, files=()) is not None
