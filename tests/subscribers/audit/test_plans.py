"""Searches of a long trail go by an index, and what an older version recorded is kept."""

from collections.abc import Callable
from datetime import UTC, datetime

import psycopg
import pytest

from negatoscope.infra.db import Database, migrate
from negatoscope.subscribers.audit import verification
from negatoscope.subscribers.audit.chain import Sealer
from negatoscope.subscribers.audit.searching import Filter, conditions

_FILL = """
INSERT INTO audit_record (chain, seq, hash, sealed_at, id, occurred_at, last_at, event_count, event_class, actor_kind,
                          actor_name, actor_roles, action, outcome, study_instance_uid, patient_id, accession_number, detail)
SELECT 'access', n, '', now(), n, now() - make_interval(mins => n), now(), 1, (ARRAY['view', 'query', 'store'])[1 + n % 3],
       'user', 'user' || n % 300, '{}', 'retrieve', CASE WHEN n % 500 = 0 THEN 'REFUSED' ELSE 'SUCCESS' END,
       '1.2.' || n % 5000, 'P' || n % 2000, 'A' || n % 5000, '{}'
FROM generate_series(1, 20000) AS n
"""
PLANS = {
    "audit_record_patient": Filter(patient_id="P7"),
    "audit_record_actor": Filter(actor="USER7"),
    "audit_record_study": Filter(study_instance_uid="1.2.7"),
    "audit_record_accession": Filter(accession_number="A7"),
    "audit_record_outcome": Filter(outcomes=["REFUSED"]),
    "audit_record_words": Filter(text="user299 absent"),
    "audit_record_time": Filter(after=datetime(2026, 1, 1, tzinfo=UTC)),
}


@pytest.fixture
def long_trail(database: Database) -> Database:
    with database.connect() as connection:
        connection.execute(_FILL)  # type: ignore[call-overload]
        connection.execute("ANALYZE audit_record")
    return database


@pytest.mark.parametrize("index", PLANS)
def test_each_question_has_its_index(long_trail: Database, index: str) -> None:
    """No search reads the whole table."""
    condition, values = conditions(PLANS[index])
    with long_trail.connection() as connection:
        rows = connection.execute(
            f"EXPLAIN SELECT * FROM audit_record WHERE {condition} ORDER BY occurred_at DESC, id DESC LIMIT 100",  # type: ignore[call-overload]
            values,
        ).fetchall()
    plan = "\n".join(row[0] for row in rows)
    assert index in plan, plan
    assert "Seq Scan" not in plan


def test_an_older_trail_is_taken_over_and_given_back(new_database_url: Callable[..., str]) -> None:
    """Rows of the first schema are sealed by class; going back, they are one plain table again."""
    url = new_database_url(empty=True)
    migrate.upgrade(url, "0004")
    with psycopg.connect(url) as connection:
        connection.execute(
            "INSERT INTO audit_event (actor_kind, actor_name, action, outcome, event_count, coalesce_key)"
            " VALUES ('user', 'ana', 'retrieve', 'SUCCESS', 7, 'k'), ('anonymous', 'x', 'sign in', 'REFUSED', 1, NULL)"
        )
    migrate.upgrade(url)
    with Database(url) as database:
        Sealer(database).seal(everything=True)
        report = verification.verify(database)
        assert (report.heads["access"], report.heads["security"], report.findings) == (1, 1, [])
    migrate.downgrade(url, "0004")
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            "SELECT actor_name, event_count FROM audit_event ORDER BY id"
        ).fetchall()
    assert rows == [("ana", 7), ("x", 1)]
