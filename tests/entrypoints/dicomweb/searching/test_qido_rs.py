"""QIDO-RS: parameters to keys, resources, default attributes, paging, refusals."""

from collections.abc import Iterator
from typing import Any

import orjson
import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from negatoscope.domain.archive.query import Include
from negatoscope.domain.archive.synthetic import fill_index
from negatoscope.domain.identity import DataScope
from negatoscope.entrypoints.dicomweb.qido_rs import (
    DEFAULT_ATTRIBUTES,
    QidoContext,
    QidoResult,
    read_parameters,
    search_for_instances,
    search_for_series,
    search_for_studies,
    search_resource,
)
from negatoscope.entrypoints.web.problems import Problem
from negatoscope.infra.db import Database
from negatoscope.standard import tags

BASE = "http://localhost/dicom-web"
STUDIES = 60


@pytest.fixture(scope="module")
def ctx(postgres: Any, _template: str) -> Iterator[QidoContext]:
    """60 generated studies."""
    with psycopg.connect(postgres.administrator_url, autocommit=True) as connection:
        connection.execute(
            f"CREATE DATABASE qido_rs TEMPLATE {_template} OWNER negatoscope STRATEGY FILE_COPY"
        )
    with Database(postgres.url.replace("@/negatoscope?", "@/qido_rs?")) as database:
        fill_index(database, STUDIES)
        yield QidoContext(database=database, base_url=BASE, ae_title="NEGATOSCOPE")
    with psycopg.connect(postgres.administrator_url, autocommit=True) as connection:
        connection.execute("DROP DATABASE qido_rs WITH (FORCE)")


def found(result: QidoResult) -> list[dict[str, Any]]:
    """The matches of an answer."""
    assert result.status == 200
    matches: list[dict[str, Any]] = orjson.loads(b"".join(result.body))
    assert len(matches) == result.count
    return matches


def tag(keyword: str) -> str:
    """`GGGGEEEE` of a keyword."""
    return f"{tags.tag_for_keyword(keyword):08X}"


def first(match: dict[str, Any], keyword: str) -> Any:
    """First value of an attribute."""
    return match[tag(keyword)]["Value"][0]


def test_studies_with_their_default_attributes(ctx: QidoContext) -> None:
    """Table 10.6.3-3, Retrieve URL included; newest first."""
    matches = found(search_for_studies([], ctx))
    assert len(matches) == STUDIES
    expected = {tag(keyword) for keyword in DEFAULT_ATTRIBUTES["STUDY"]} | {"00081190"}
    assert set(matches[0]) == expected
    uid = first(matches[0], "StudyInstanceUID")
    assert matches[0]["00081190"] == {"vr": "UR", "Value": [f"{BASE}/studies/{uid}"]}
    days = [first(m, "StudyDate") for m in matches]
    assert days == sorted(days, reverse=True)
    assert set(matches[0]["00100010"]["Value"][0]) == {"Alphabetic"}
    assert isinstance(first(matches[0], "NumberOfStudyRelatedInstances"), int)


def test_pages(ctx: QidoContext) -> None:
    """limit and offset walk the same order; what remains is announced."""
    whole = found(search_for_studies([], ctx))
    page = search_for_studies([("limit", "10"), ("offset", "5")], ctx)
    assert found(page) == whole[5:15]
    assert ("Warning", f'299 {BASE} "There are additional results that can be requested"') in (
        page.headers
    )
    last = search_for_studies([("limit", "10"), ("offset", "55")], ctx)
    assert found(last) == whole[55:]
    assert last.headers == (("Content-Type", "application/dicom+json"),)


def test_no_match_is_204(ctx: QidoContext) -> None:
    """PS3.18 §8.3.4.4.1: No Content, no body."""
    for params in ([("PatientID", "nobody")], [("offset", "60")], [("limit", "0")]):
        result = search_for_studies(params, ctx)
        assert (result.status, result.body) == (204, ())


def test_series_and_instances_of_a_study(ctx: QidoContext) -> None:
    """Below a study; each resource has the URL to retrieve it by."""
    study = found(search_for_studies([("ModalitiesInStudy", "CT")], ctx))[0]
    uid = first(study, "StudyInstanceUID")
    series = found(search_for_series([], ctx, uid))
    assert len(series) == first(study, "NumberOfStudyRelatedSeries")
    assert first(series[0], "Modality") == "CT"
    assert "00100010" not in series[0]
    series_uid = first(series[0], "SeriesInstanceUID")
    instances = found(search_for_instances([], ctx, uid, series_uid))
    assert len(instances) == first(series[0], "NumberOfSeriesRelatedInstances")
    sop = first(instances[0], "SOPInstanceUID")
    url = f"{BASE}/studies/{uid}/series/{series_uid}/instances/{sop}"
    assert first(instances[0], "RetrieveURL") == url
    assert len(found(search_for_instances([], ctx, uid))) == first(
        study, "NumberOfStudyRelatedInstances"
    )


def test_all_series_and_all_instances_carry_upper_attributes(ctx: QidoContext) -> None:
    """Relational resources answer the attributes of the levels above (§10.6.3.3)."""
    series = found(search_for_series([("Modality", "DX"), ("PatientSex", "F")], ctx))
    assert {first(m, "Modality") for m in series} == {"DX"}
    assert {first(m, "PatientSex") for m in series} == {"F"}
    instances = found(search_for_instances([("Modality", "MG"), ("limit", "3")], ctx))
    assert first(instances[0], "ModalitiesInStudy") == "MG"


def test_lists_of_uids(ctx: QidoContext) -> None:
    """By comma, by backslash and by repetition."""
    uids = [first(m, "StudyInstanceUID") for m in found(search_for_studies([], ctx))][:3]
    for params in (
        [("StudyInstanceUID", ",".join(uids))],
        [("0020000D", "\\".join(uids))],
        [("StudyInstanceUID", uid) for uid in uids],
    ):
        assert search_for_studies(params, ctx).count == 3
    assert search_for_series([("StudyInstanceUID", uids[1])], ctx, uids[0]).status == 204


def test_fuzzy_matching_and_included_fields(ctx: QidoContext) -> None:
    """fuzzymatching finds beginnings of words; includefield adds attributes."""
    name = first(found(search_for_studies([], ctx))[0], "PatientName")["Alphabetic"]
    family, given_name = name.split("^")
    params = [
        ("PatientName", f"{given_name[:3]} {family[:4]}".upper()),
        ("fuzzymatching", "true"),
        ("includefield", "NumberOfPatientRelatedStudies,00081030"),
    ]
    matches = found(search_for_studies(params, ctx))
    assert name in [first(m, "PatientName")["Alphabetic"] for m in matches]
    assert first(matches[0], "NumberOfPatientRelatedStudies") >= 1
    everything = found(search_for_studies([("includefield", "all"), ("limit", "1")], ctx))[0]
    assert tag("IssuerOfPatientID") in everything
    assert tag("SOPClassesInStudy") in everything


def test_ignored_match_parameters_are_told(ctx: QidoContext) -> None:
    """A match parameter of a lower level is not applied, and a Warning says so."""
    params = [("KVP", "120"), ("includefield", "Modality,00091001"), ("limit", "1")]
    result = search_for_studies(params, ctx)
    (match,) = found(result)
    assert not {tag("KVP"), tag("Modality"), "00091001"} & set(match)
    assert any("KVP" in text for name, text in result.headers if name == "Warning")


def test_scope_is_applied(ctx: QidoContext) -> None:
    """An asker with a scope sees only that."""
    uid = first(found(search_for_studies([], ctx))[7], "StudyInstanceUID")
    seen = QidoContext(
        database=ctx.database, base_url=BASE, scope=DataScope(studies=frozenset({uid}))
    )
    assert search_for_studies([], seen).count == 1


def test_dotted_paths_and_tags_become_keys() -> None:
    """Attributes inside sequences are named by a path of keywords or tags (§8.3.4.1)."""
    for params in (
        [("RequestAttributesSequence.RequestedProcedureID", "RP1")],
        [("00400275.00401001", "RP1")],
    ):
        request = read_parameters(params)
        assert request.keys == {
            "00400275": {"vr": "SQ", "Value": [{"00401001": {"vr": "SH", "Value": ["RP1"]}}]}
        }
    both = read_parameters(
        [("ProcedureCodeSequence.CodeValue", "A"), ("00081032.00080102", "CCAM")]
    )
    assert set(both.keys["00081032"]["Value"][0]) == {"00080100", "00080102"}


def test_parameters_that_mean_something() -> None:
    """Names keep their commas, code strings are lists, an empty value asks for the attribute."""
    request = read_parameters(
        [("PatientName", "Dupont, Jean"), ("ModalitiesInStudy", "CT,MR"), ("StudyID", ""),
         ("limit", "5"), ("includefield", "all"), ("fuzzymatching", "TRUE"), ("accept", "x/y")]
    )  # fmt: skip
    assert request.keys["00100010"]["Value"] == [{"Alphabetic": "Dupont, Jean"}]
    assert request.keys["00080061"]["Value"] == ["CT", "MR"]
    assert request.keys["00200010"] == {"vr": "SH"}
    assert (request.limit, request.offset, request.include) == (5, 0, Include.ALL)
    assert request.options.fuzzy


@pytest.mark.parametrize(
    "params",
    [
        [("Nonsense", "1")],
        [("patientname", "x")],
        [("includefield", "Nonsense")],
        [("limit", "-1")],
        [("limit", "ten")],
        [("limit", "1"), ("limit", "2")],
        [("offset", "1.5")],
        [("fuzzymatching", "perhaps")],
        [("StudyDate", "yesterday")],
        [("StudyDate", "20240230")],
        [("StudyTime", "25")],
        [("SeriesNumber", "one")],
        [("PatientName.CodeValue", "x")],
        [("ProcedureCodeSequence", "x")],
        [("ProcedureCodeSequence.Nonsense", "x")],
        [("ProcedureCodeSequence." * 9 + "CodeValue", "x")],
    ],
    ids=str,
)
def test_nonsense_is_400(params: list[tuple[str, str]]) -> None:
    """A problem document says what cannot be understood."""
    with pytest.raises(Problem) as refused:
        read_parameters(params)
    assert refused.value.code == "bad-query"
    assert refused.value.detail


@given(st.lists(st.tuples(st.text(max_size=12), st.text(max_size=20)), max_size=4))
def test_any_parameters_are_understood_or_refused(params: list[tuple[str, str]]) -> None:
    """No input makes anything but keys or a 400."""
    try:
        read_parameters(params)
    except Problem as problem:
        assert problem.status == 400


def test_paths(ctx: QidoContext) -> None:
    """The six search resources of Table 10.6.1-1."""
    for path in (["studies"], ["series"], ["instances"]):
        assert search_resource(path, [("limit", "1")], ctx).count == 1
    for path in (
        ["studies", "1.2", "series"],
        ["studies", "1.2", "instances"],
        ["studies", "1.2", "series", "1.3", "instances"],
    ):
        assert search_resource(path, [], ctx).status == 204
    with pytest.raises(Problem):
        search_resource(["patients"], [], ctx)


def test_a_lost_index_is_503(ctx: QidoContext) -> None:
    """Retry later, not an empty answer."""
    with Database("host=/nonexistent dbname=x", timeout_s=0.2) as nowhere:
        with pytest.raises(Problem) as refused:
            search_for_studies([], QidoContext(database=nowhere, base_url=BASE))
        assert refused.value.status == 503
