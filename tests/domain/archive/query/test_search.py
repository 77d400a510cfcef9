"""Searching a small index: levels, keys, order, paging, scope, and what is never an error."""

from types import ModuleType
from typing import Any

import pytest

from negatoscope.domain.archive.query import (
    DicomJson,
    IdentifierMismatch,
    Include,
    InformationModel,
    InstanceReference,
    MatchOptions,
    Query,
    QueryLevel,
    QueryLimits,
    QueryTooExpensive,
    QueryUnavailable,
    search,
)
from negatoscope.domain.identity import DataScope
from negatoscope.infra.db import Database
from negatoscope.standard import tags

pytestmark = pytest.mark.usefixtures("department")

STUDY, SERIES, IMAGE, PATIENT = (
    QueryLevel.STUDY,
    QueryLevel.SERIES,
    QueryLevel.IMAGE,
    QueryLevel.PATIENT,
)


class Asker:
    """Asks with keyword arguments, answers lists of one attribute's values."""

    def __init__(self, database: Database, kit: ModuleType) -> None:
        self.database = database
        self.kit = kit

    def find(self, level: QueryLevel, keys: dict[str, Any], **options: Any) -> list[DicomJson]:
        query = Query(level=level, keys=self.kit.data(**keys), **options)
        return list(search(self.database, query))

    def values(
        self, keyword: str, level: QueryLevel, keys: dict[str, Any], **options: Any
    ) -> list[Any]:
        tag = f"{tags.tag_for_keyword(keyword):08X}"
        found = self.find(level, {keyword: None} | keys, **options)
        return [match[tag].get("Value", [None])[0] for match in found]

    def studies(self, **keys: Any) -> list[Any]:
        options = {k: keys.pop(k) for k in ("options", "limit", "offset", "scope") if k in keys}
        return self.values("StudyInstanceUID", STUDY, keys, **options)


@pytest.fixture
def ask(index: Database, index_kit: ModuleType) -> Asker:
    """Questions to the department."""
    return Asker(index, index_kit)


def test_studies_come_newest_first_and_undated_last(ask: Asker) -> None:
    """study_date descending, then the younger row; NULL last."""
    assert ask.studies() == ["1.2.3", "1.2.1", "1.2.2", "1.2.4"]


def test_paging_walks_the_same_order(ask: Asker) -> None:
    """limit and offset cut the one deterministic order, for SQL and for Python matching."""
    assert ask.studies(limit=2, offset=1) == ["1.2.1", "1.2.2"]
    assert ask.studies(PatientName="Dupon*", limit=1, offset=1) == ["1.2.1"]
    assert ask.studies(limit=0) == []
    assert ask.studies(offset=9) == []


@pytest.mark.parametrize(
    ("keys", "found"),
    [
        ({"PatientName": "DUPONT^JEAN"}, ["1.2.1", "1.2.2"]),
        ({"PatientName": "dupont"}, []),
        ({"PatientName": "dupont*"}, ["1.2.1", "1.2.2"]),
        ({"PatientName": "DUPONT^J*"}, ["1.2.1", "1.2.2"]),
        ({"PatientName": "DUPON^J*"}, []),
        ({"PatientName": "*zoe"}, ["1.2.3"]),
        ({"PatientName": "山田*"}, ["1.2.3"]),
        ({"PatientName": "=山田^*"}, ["1.2.3"]),
        ({"PatientName": "*"}, ["1.2.3", "1.2.1", "1.2.2", "1.2.4"]),
        ({"PatientID": "P1", "IssuerOfPatientID": "HOP"}, ["1.2.1", "1.2.2"]),
        ({"PatientID": "P1", "IssuerOfPatientID": "AUTRE"}, []),
        ({"PatientID": "P?"}, ["1.2.3", "1.2.1", "1.2.2"]),
        ({"PatientID": "p1"}, []),
        ({"OtherPatientIDs": "OLD1"}, ["1.2.1", "1.2.2"]),
        ({"StudyDate": "20240229"}, ["1.2.2"]),
        ({"StudyDate": "2024.02.29"}, ["1.2.2"]),
        ({"StudyDate": "20240229-20240301"}, ["1.2.3", "1.2.1", "1.2.2"]),
        ({"StudyDate": "-20240229"}, ["1.2.2"]),
        ({"StudyDate": "20240230"}, []),
        ({"StudyDate": "9999"}, []),
        ({"StudyDate": '""'}, []),
        ({"StudyTime": "0900-1000"}, ["1.2.3", "1.2.1"]),
        ({"StudyTime": "-0959"}, ["1.2.1"]),
        ({"StudyTime": "23"}, ["1.2.2"]),
        ({"AccessionNumber": "A?"}, ["1.2.1", "1.2.2"]),
        ({"AccessionNumber": '""'}, ["1.2.3", "1.2.4"]),
        ({"StudyDescription": "IRM 100%_\\"}, ["1.2.2"]),
        ({"StudyDescription": "*%_*"}, ["1.2.2"]),
        ({"StudyDescription": "*thorax*"}, ["1.2.1"]),
        ({"StudyDescription": "*THORAX*"}, []),
        ({"ReferringPhysicianName": "lefevre^*"}, ["1.2.1"]),
        ({"ModalitiesInStudy": "CT"}, ["1.2.3", "1.2.1"]),
        ({"ModalitiesInStudy": ["MR", "PT"]}, ["1.2.3", "1.2.2"]),
        ({"ModalitiesInStudy": "?R"}, ["1.2.1", "1.2.2"]),
        ({"SOPClassesInStudy": "1.2.840.10008.5.1.4.1.1.2"}, ["1.2.3", "1.2.1", "1.2.4"]),
        ({"StudyInstanceUID": ["1.2.1", "1.2.4", "1.2"]}, ["1.2.1", "1.2.4"]),
        ({"StudyInstanceUID": "1.2.*"}, []),
        ({"NumberOfStudyRelatedInstances": "4"}, ["1.2.1"]),
        ({"PatientSex": "F"}, ["1.2.3"]),
        ({"InstanceAvailability": "OFFLINE"}, []),
    ],
    ids=str,
)
def test_study_level_keys(ask: Asker, keys: dict[str, Any], found: list[str]) -> None:
    """The matching rules of PS3.4 §C.2.2.2 at the STUDY level."""
    assert ask.studies(**keys) == found


def test_sequence_matching(ask: Asker, index_kit: ModuleType) -> None:
    """Item keys of Procedure Code Sequence and Other Patient IDs Sequence (PS3.4 §C.2.2.2.6)."""
    data = index_kit.data
    assert ask.studies(ProcedureCodeSequence=data(CodeValue="ZBQK002")) == ["1.2.1"]
    assert ask.studies(ProcedureCodeSequence=data(CodeValue="ZB*")) == ["1.2.1"]
    assert ask.studies(ProcedureCodeSequence=data(CodeValue="ZBQK003")) == []
    assert ask.studies(ProcedureCodeSequence=data(CodeValue="ZBQK002", CodeMeaning=None)) == [
        "1.2.1"
    ]
    assert len(ask.studies(ProcedureCodeSequence=data(CodeValue=None))) == 4
    other = data(PatientID="OLD1", IssuerOfPatientID="CLINIQUE")
    assert ask.studies(OtherPatientIDsSequence=other) == ["1.2.1", "1.2.2"]
    other = data(PatientID="OLD1", IssuerOfPatientID="HOP")
    assert ask.studies(OtherPatientIDsSequence=other) == []


def test_request_attributes_at_series_level(ask: Asker, index_kit: ModuleType) -> None:
    """Request Attributes Sequence is matched and comes back whole."""
    request = index_kit.data(RequestedProcedureID="RP7")
    keys = {"StudyInstanceUID": "1.2.2", "RequestAttributesSequence": request}
    found = ask.find(SERIES, keys)
    assert len(found) == 1
    assert found[0]["00400275"]["Value"][0]["00400009"]["Value"] == ["S1"]


def test_date_and_time_as_one_range(ask: Asker) -> None:
    """Combined date-time matching spans midnight; without it both ranges hold apart."""
    keys = {"StudyDate": "20240229-20240301", "StudyTime": "2300-0930"}
    combined = MatchOptions(combined_datetime=True)
    assert ask.studies(**keys) == []
    assert ask.studies(**keys, options=combined) == ["1.2.1", "1.2.2"]


def test_every_value_must_match_when_negotiated(ask: Asker) -> None:
    """Multiple Value Matching is a logical AND (PS3.4 §C.2.2.2.8)."""
    every = MatchOptions(every_value=True)
    assert ask.studies(ModalitiesInStudy=["CT", "SR"], options=every) == ["1.2.1"]
    assert ask.studies(ModalitiesInStudy=["CT", "MR"], options=every) == []


def test_fuzzy_finds_beginnings_of_words(ask: Asker) -> None:
    """Fuzzy: any component's word, any order; descriptions without case and accents."""
    fuzzy = MatchOptions(fuzzy=True)
    assert ask.studies(PatientName="jea dup", options=fuzzy) == ["1.2.1", "1.2.2"]
    assert ask.studies(PatientName="ean", options=fuzzy) == []
    assert ask.studies(StudyDescription="*THORAX E*", options=fuzzy) == ["1.2.1"]


def test_patient_level(ask: Asker) -> None:
    """Patient root: counts of what lies below, newest patient first."""
    root = InformationModel.PATIENT_ROOT
    keys = {"NumberOfPatientRelatedInstances": None, "PatientID": None}
    found = ask.find(PATIENT, keys, model=root)
    assert [m["00201204"]["Value"] for m in found] == [[2], [2], [4]]
    assert "Value" not in found[0]["00100020"]


def test_unusable_dates_come_back_as_they_are(ask: Asker) -> None:
    """A StudyDate of 9999 is answered as stored and matches no range."""
    assert ask.values("StudyDate", STUDY, {"StudyInstanceUID": "1.2.4"}) == ["9999"]
    assert "1.2.4" not in ask.studies(StudyDate="00010101-")


def test_hierarchical_queries_need_unique_keys(ask: Asker) -> None:
    """PS3.4 §C.4.1.2.1: one single value for each upper unique key, else A900."""
    assert ask.values("SeriesNumber", SERIES, {"StudyInstanceUID": "1.2.1"}) == [1, 2]
    for keys in ({}, {"StudyInstanceUID": None}, {"StudyInstanceUID": ["1.2.1", "1.2.2"]}):
        with pytest.raises(IdentifierMismatch) as refused:
            ask.find(SERIES, keys)
        assert refused.value.dimse_status == 0xA900
        assert "StudyInstanceUID" in refused.value.error_comment
    with pytest.raises(IdentifierMismatch):
        ask.find(STUDY, {"PatientID": "P*"}, model=InformationModel.PATIENT_ROOT)
    with pytest.raises(IdentifierMismatch):
        ask.find(PATIENT, {})
    with pytest.raises(IdentifierMismatch):
        ask.find(SERIES, {}, model=InformationModel.PATIENT_STUDY_ONLY)


def test_relational_queries_take_any_upper_key(ask: Asker) -> None:
    """With relational queries, keys of every upper level narrow the answer."""
    found = ask.values(
        "Modality", SERIES, {"PatientName": "dupon*", "StudyDate": "20240301"}, relational=True
    )
    assert found == ["CT", "PT", "SR", "CT"]
    keys = {"PatientID": "P1", "Modality": "CT", "InstanceNumber": "2"}
    assert ask.values("SOPInstanceUID", IMAGE, keys, relational=True) == ["1.9.1.2"]


def test_names_without_a_folded_column(ask: Asker) -> None:
    """Performing Physician's Name is matched like any other name."""
    keys = {"PerformingPhysicianName": "MULLER^*"}
    assert ask.values("Modality", SERIES, keys, relational=True) == ["CT"]


def test_instances_in_order_with_class_and_syntax(ask: Asker) -> None:
    """IMAGE level: instance order, interned UIDs resolved."""
    keys = {"StudyInstanceUID": "1.2.1", "SeriesInstanceUID": "1.9.1", "SOPClassUID": None}
    found = ask.find(IMAGE, keys | {"InstanceNumber": None, "AvailableTransferSyntaxUID": None})
    assert [m["00200013"]["Value"][0] for m in found] == [1, 2, 3]
    assert found[0]["00080016"]["Value"] == ["1.2.840.10008.5.1.4.1.1.2"]
    assert found[0]["00083002"]["Value"] == ["1.2.840.10008.1.2.1"]


def test_unsupported_keys_come_back_empty(index: Database, index_kit: ModuleType) -> None:
    """Keys nobody knows, and keys of a lower level, are neither an error nor matched."""
    keys = index_kit.data(StudyInstanceUID="1.2.1", Modality="XX", KVP="120")
    keys["00091001"] = {"vr": "LO", "Value": ["private"]}
    matches = search(index, Query(level=STUDY, keys=keys))
    assert set(matches.unsupported) == {"00080060", "00180060", "00091001"}
    (found,) = matches
    assert found["00180060"] == {"vr": "DS"}
    assert found["00091001"] == {"vr": "LO"}


def test_headers_answer_what_the_index_lacks(index: Database, index_kit: ModuleType) -> None:
    """At the IMAGE level, attributes without column are matched and answered from the objects."""
    asked: list[InstanceReference] = []

    def headers(references: Any) -> list[DicomJson]:
        asked.extend(references)
        return [index_kit.data(KVP=int(r.sop_instance_uid[-1]) * 10) for r in references]

    keys = index_kit.data(
        StudyInstanceUID="1.2.1", SeriesInstanceUID="1.9.1", SOPInstanceUID=None, KVP="20"
    )
    matches = search(index, Query(level=IMAGE, keys=keys), headers=headers)
    assert [m["00080018"]["Value"][0] for m in matches] == ["1.9.1.2"]
    assert not matches.unsupported
    assert [r.sop_instance_uid for r in asked] == ["1.9.1.1", "1.9.1.2", "1.9.1.3"]


def test_no_more_objects_are_opened_than_allowed(index: Database, index_kit: ModuleType) -> None:
    """A header key over everything stops at its bound and says so."""
    opened: list[int] = []

    def headers(references: Any) -> list[DicomJson]:
        opened.append(len(references))
        return [{} for _ in references]

    for key in (None, "20"):
        opened.clear()
        query = Query(level=IMAGE, keys=index_kit.data(KVP=key), relational=True)
        matches = search(index, query, headers=headers, limits=QueryLimits(max_headers=2))
        list(matches)
        assert sum(opened) == 2
        assert matches.truncated


def test_include_all_gives_every_attribute_of_the_level(ask: Asker) -> None:
    """includefield=all at study level holds patient attributes and optional keys."""
    (found,) = ask.find(STUDY, {"StudyInstanceUID": "1.2.1"}, include=Include.ALL)
    assert found["00100010"]["Value"] == [{"Alphabetic": "Dupont^Jean^^^"}]
    assert found["00081032"]["Value"][0]["00080100"]["Value"] == ["ZBQK002"]
    assert found["00081030"]["Value"] == ["Scanner thorax é"]


def test_scope_hides_what_the_asker_may_not_see(ask: Asker) -> None:
    """A scope of studies or patients is applied in SQL at every level."""
    with ask.database.connection() as connection:
        (key,) = connection.execute(
            "SELECT id FROM patient WHERE (patient_id, issuer_of_patient_id) = ('P1', 'HOP')"
        ).fetchone()
    only = DataScope(studies=frozenset({"1.2.4"}), patient_keys=frozenset({key}))
    assert ask.studies(scope=only) == ["1.2.1", "1.2.2", "1.2.4"]
    assert ask.studies(scope=DataScope()) == []
    root = InformationModel.PATIENT_ROOT
    assert ask.values("PatientID", PATIENT, {}, model=root, scope=only) == [None, "P1"]
    series = ask.values("StudyInstanceUID", SERIES, {}, relational=True, scope=only)
    assert set(series) == {"1.2.1", "1.2.2", "1.2.4"}


def test_caps_are_told(index: Database, index_kit: ModuleType) -> None:
    """More matches than the cap: the first ones come, and `truncated` says so."""
    for keys in ({}, {"PatientName": "*u*"}):
        query = Query(level=STUDY, keys=index_kit.data(StudyInstanceUID=None, **keys))
        matches = search(index, query, limits=QueryLimits(max_results=2, batch_rows=1))
        assert len(list(matches)) == 2
        assert matches.truncated
        matches = search(index, query, limits=QueryLimits(max_results=4, batch_rows=1))
        list(matches)
        assert not matches.truncated


def test_few_candidates_first_then_all(
    index: Database, index_kit: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the first candidates do not suffice, the others are looked at without repetition."""
    monkeypatch.setattr("negatoscope.domain.archive.query.answering._FIRST_CANDIDATES", 1)
    query = Query(
        level=STUDY, keys=index_kit.data(StudyInstanceUID=None, PatientName="d*n"), limit=1
    )
    matches = search(index, query, limits=QueryLimits(batch_rows=1))
    assert [m["0020000D"]["Value"] for m in matches] == [["1.2.1"]]


def test_a_slow_query_is_stopped(index: Database, index_kit: ModuleType) -> None:
    """statement_timeout ends a query that takes too long, with A700."""
    query = Query(level=STUDY, keys=index_kit.data(StudyInstanceUID=None))
    with index.connection() as lock:
        lock.execute("LOCK TABLE study IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(QueryTooExpensive) as refused:
            list(search(index, query, limits=QueryLimits(statement_timeout_ms=50)))
    assert refused.value.dimse_status == 0xA700


def test_a_lost_database_is_said(index_kit: ModuleType) -> None:
    """No server: A700, not a crash."""
    nowhere = Database("host=/nonexistent dbname=none", timeout_s=0.2)
    query = Query(level=STUDY, keys=index_kit.data(StudyInstanceUID=None))
    with nowhere, pytest.raises(QueryUnavailable):
        list(search(nowhere, query))
