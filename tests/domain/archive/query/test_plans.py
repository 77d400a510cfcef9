"""Hot queries use the index meant for them, on an index of 20,000 studies."""

import re
from collections.abc import Sequence
from types import ModuleType
from typing import Any

import pytest

from negatoscope.domain.archive.query import MatchOptions, Query, QueryLevel, search
from negatoscope.domain.archive.query.answering import candidate_sql, patient_sql
from negatoscope.domain.archive.query.planning import plan
from negatoscope.domain.archive.synthetic import fill_index
from negatoscope.infra.db import Database

STUDIES = 20_000


@pytest.fixture(scope="module")
def filled(index: Database) -> Database:
    """20,000 studies with statistics."""
    counts = fill_index(index, STUDIES, instances_per_series=(1, 1))
    assert counts.studies == STUDIES
    assert counts.instances == counts.series > STUDIES
    return index


def explain(database: Database, sql: str, parameters: Sequence[Any]) -> str:
    """The plan, as the search would have it."""
    with database.connection() as connection:
        connection.execute("SET LOCAL plan_cache_mode = force_custom_plan")
        rows = connection.execute(f"EXPLAIN {sql}", parameters, prepare=False).fetchall()
    return "\n".join(row[0] for row in rows)


def indexes(text: str) -> set[str]:
    """Indexes a plan uses."""
    return set(re.findall(r"(?:using|Index Scan on) (\w+)", text))


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({"StudyInstanceUID": "2.25.1"}, "study_study_instance_uid_key"),
        ({"StudyInstanceUID": ["2.25.1", "2.25.2"]}, "study_study_instance_uid_key"),
        ({"AccessionNumber": "A10000007"}, "study_accession"),
        ({"AccessionNumber": "A1000000*"}, "study_accession"),
        ({"StudyDate": "20250303"}, "study_date_id"),
        ({"StudyDate": "20250303", "ModalitiesInStudy": "CT"}, "study_date_id"),
        ({"StudyDate": "20250303-20250305", "ModalitiesInStudy": "CT"}, "study_date_id"),
        ({"ModalitiesInStudy": "OPT"}, "study_modalities"),
        ({"StudyDescription": "*introuvable*"}, "study_description_trgm"),
        ({"PatientID": "1000007"}, "patient_identity"),
        ({}, "study_date_id"),
    ],
    ids=str,
)
def test_study_keys_use_their_index(
    filled: Database, index_kit: ModuleType, keys: dict[str, Any], expected: str
) -> None:
    """Candidates of the STUDY level: no sequential scan, the intended index."""
    query = Query(level=QueryLevel.STUDY, keys=index_kit.data(**keys))
    sql, parameters = candidate_sql(query.level, plan(query, False).conditions)
    text = explain(filled, sql, (*parameters, 101, 0))
    # In a database of C collation either index on the accession number serves.
    assert any(name.startswith(expected) for name in indexes(text)), text
    assert "Seq Scan" not in text


@pytest.mark.parametrize(
    ("name", "fuzzy", "expected"),
    [
        ("MARTIN*", False, "patient_name_prefix"),
        ("LEFEVRE^ZOE", False, "patient_name_prefix"),
        ("*AILLARD*", False, "patient_name_trgm"),
        ("zoe lefev", True, "patient_name_trgm"),
    ],
)
def test_names_use_their_index(
    filled: Database, index_kit: ModuleType, name: str, fuzzy: bool, expected: str
) -> None:
    """Few patients are found first, by prefix or by trigrams."""
    query = Query(
        level=QueryLevel.STUDY,
        keys=index_kit.data(PatientName=name),
        options=MatchOptions(fuzzy=fuzzy),
    )
    sql, parameters = patient_sql(plan(query, False).conditions)
    text = explain(filled, sql, (*parameters, 3001))
    assert expected in indexes(text), text


def test_series_and_instances_of_one_parent(filled: Database, index_kit: ModuleType) -> None:
    """Below a study, only its own rows are touched."""
    keys = index_kit.data(StudyInstanceUID="2.25.1", SeriesInstanceUID="2.25.2")
    for level in (QueryLevel.SERIES, QueryLevel.IMAGE):
        query = Query(level=level, keys=keys)
        sql, parameters = candidate_sql(level, plan(query, False).conditions)
        text = explain(filled, sql, (*parameters, 101, 0))
        assert "Seq Scan on series" not in text
        assert "Seq Scan on instance" not in text


def test_a_page_of_everything_is_walked(filled: Database, index_kit: ModuleType) -> None:
    """Pages of the universal query are disjoint, ordered and complete."""
    seen: list[tuple[str, str]] = []
    for offset in range(0, 2000, 500):
        query = Query(
            level=QueryLevel.STUDY,
            keys=index_kit.data(StudyInstanceUID=None, StudyDate=None),
            limit=500,
            offset=offset,
        )
        seen += [
            (m["00080020"]["Value"][0], m["0020000D"]["Value"][0]) for m in search(filled, query)
        ]
    assert len(set(seen)) == 2000
    assert [day for day, _ in seen] == sorted((day for day, _ in seen), reverse=True)


def test_the_same_seed_gives_the_same_index_and_more_can_be_added(
    filled: Database, index_kit: ModuleType
) -> None:
    """A second call goes on where the first ended."""
    fill_index(filled, 10, seed=2026)
    query = Query(
        level=QueryLevel.STUDY, keys=index_kit.data(AccessionNumber=f"A{10_000_000 + STUDIES + 10}")
    )
    assert len(list(search(filled, query))) == 1
