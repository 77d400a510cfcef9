"""SQL finds exactly what the reference matcher finds, whatever is stored and asked."""

from types import ModuleType
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from negatoscope.domain.archive.query import (
    DicomJson,
    InformationModel,
    MatchOptions,
    Query,
    QueryLevel,
    matches,
    search,
)
from negatoscope.domain.archive.query.attributes import ATTRIBUTES
from negatoscope.infra.db import Database

TEXTS = ["CT", "ct", "a%b", "a_b", "a\\b", "a'b", "a*b", "a?b", "été", "ete", "Œ", "日本", "A B",
         "%", "_", "\\", "'", '"', "x" * 64, "a\x01b", "e\u0301", "100%", "\ud7ff", "--", ";"]  # fmt: skip
NAMES = ["Dupont^Jean", "DUPONT^JEAN^^^", "Dupont ^ Jean", "Müller^Zoé", "O'Brien^Anne Marie",
         "Yamada^Tarou=山田^太郎=やまだ^たろう", "=山田^太郎", "^Jean", "Dupont", "a%b^c_d", "Œdipe^Æ",
         "a＊b^c", "が^か", "Smith-Jones^A.", "X^Y=Z", "\\^%", "Durand^Jean^Marie^Dr^Jr",
         "E\u0301tienne", "Dupont^^Jean", "Dupontel^Marie Jeanne"]  # fmt: skip
DATES = ["2024-01-01", "2024-02-29", "2024-03-01", "1900-12-31", "0001-01-01", "9999-12-31"]
BROKEN_DATES = ["0000", "9999", "20240230", "20241301", "garbage", "00000000"]
TIMES = ["00", "0930", "093000", "093000.5", "093000.500000", "235959", "235960", "2575", "99"]

text = st.sampled_from(TEXTS)
maybe_text = st.one_of(st.none(), text)
maybe_name = st.one_of(st.none(), st.sampled_from(NAMES))
maybe_date = st.one_of(st.none(), st.sampled_from(DATES))
maybe_time = st.one_of(st.none(), st.sampled_from(TIMES))
maybe_number = st.one_of(st.none(), st.integers(-1, 3))

anything = st.one_of(
    st.text(max_size=6),
    st.text(alphabet="*?%_\\'\"^=-ab é\x00\x01", max_size=8),
    st.sampled_from(["x" * 65536, "*" + "ab" * 20000 + "*", "%" * 300, "\ud800", "a\x00", '""',
                     "\ud800*"]),
)  # fmt: skip


@st.composite
def mutated(draw: st.DrawFn, values: list[str]) -> str:
    """A stored value, perhaps with wild cards, other case or an end cut off."""
    value = draw(st.sampled_from(values))
    kind = draw(
        st.sampled_from(
            ["same", "upper", "lower", "cut", "prefix", "star", "mark", "around", "any"]
        )
    )
    at = draw(st.integers(0, len(value)))
    match kind:
        case "upper":
            return value.upper()
        case "lower":
            return value.lower()
        case "cut":
            return value[:at]
        case "prefix":
            return value[:at] + "*"
        case "star":
            return value[:at] + "*" + value[at + draw(st.integers(0, 3)) :]
        case "mark":
            return value[:at] + "?" + value[at + 1 :]
        case "around":
            return "*" + value[at : at + 3] + "*"
        case "any":
            return draw(anything)
    return value


def ranges(values: list[str]) -> st.SearchStrategy[str]:
    """Single values, ranges, open ranges, nonsense."""
    one = st.sampled_from([*values, ""])
    pair = st.tuples(one, st.sampled_from(["-", " - "]), one).map("".join)
    return st.one_of(st.sampled_from(values), pair, anything)


DATE_KEYS = [d.replace("-", "") for d in DATES] + ["2024.02.29", *BROKEN_DATES]

VALUES: dict[str, st.SearchStrategy[Any]] = {
    "PatientName": mutated(NAMES),
    "PatientID": mutated(TEXTS),
    "IssuerOfPatientID": mutated(TEXTS),
    "PatientBirthDate": ranges(DATE_KEYS),
    "PatientBirthTime": ranges(TIMES),
    "PatientSex": mutated(TEXTS),
    "OtherPatientIDs": mutated(TEXTS),
    "PatientComments": mutated(TEXTS),
    "NumberOfPatientRelatedSeries": st.sampled_from(["0", "1", "01", "+2", "2.0", "x", "1e0"]),
    "StudyInstanceUID": st.sampled_from(["1.2.0", "1.2.1", "1.2.2", "1.2.*", "*", "1'", "%"]),
    "StudyDate": ranges(DATE_KEYS),
    "StudyTime": ranges(TIMES),
    "AccessionNumber": mutated(TEXTS),
    "StudyDescription": mutated(TEXTS),
    "ReferringPhysicianName": mutated(NAMES),
    "ModalitiesInStudy": mutated(["CT", "MR", "a_b"]),
    "NumberOfStudyRelatedInstances": st.sampled_from(["0", "1", "2", "3", "007", "-1"]),
    "AdmissionID": mutated(TEXTS),
    "PatientAge": mutated(["030Y", "031Y"]),
    "InstanceAvailability": st.sampled_from(["ONLINE", "OFFLINE", "ON*"]),
}
SERIES_VALUES = {
    "Modality": mutated(["CT", "MR", "a_b"]),
    "SeriesNumber": st.sampled_from(["0", "1", "2", "3", "99999999999999999999", "1.5"]),
    "SeriesDate": ranges(DATE_KEYS),
    "SeriesDescription": mutated(TEXTS),
    "PerformingPhysicianName": mutated(NAMES),
    "ManufacturerModelName": mutated(TEXTS),
}
IMAGE_VALUES = {
    "InstanceNumber": st.sampled_from(["0", "1", "2", "nan", "inf"]),
    "SOPClassUID": st.sampled_from(["1.2.840.10008.5.1.4.1.1.2", "1.2"]),
    "Rows": st.sampled_from([1, 2, 512]),
}
SEQUENCES = {
    "OtherPatientIDsSequence": {"PatientID": mutated(TEXTS), "IssuerOfPatientID": mutated(TEXTS)},
    "ProcedureCodeSequence": {"CodeValue": mutated(TEXTS), "CodeMeaning": mutated(TEXTS)},
}
NESTED_PAIRS = {
    "OtherPatientIDsSequence": ("PatientID", "IssuerOfPatientID"),
    "ProcedureCodeSequence": ("CodeValue", "CodeMeaning"),
}


@st.composite
def patients(draw: st.DrawFn, kit: ModuleType) -> list[Any]:
    """A few patients with a few studies."""
    made = []
    serial = 0
    for number in range(draw(st.integers(1, 3))):
        patient_id = draw(maybe_text)
        patient = kit.Node(
            columns={
                "patient_id": patient_id,
                "issuer_of_patient_id": draw(st.one_of(st.just(""), text)),
                "discriminator": number,
                "patient_name": draw(maybe_name),
                "patient_birth_date": draw(maybe_date),
                "patient_birth_time": draw(maybe_time),
                "patient_sex": draw(maybe_text),
            },
            attributes=_attributes(draw, kit, "PatientBirthDate", "PatientComments"),
        )
        if patient.columns["patient_birth_date"]:
            patient.attributes.pop("00100030", None)
        if draw(st.booleans()):
            patient.attributes |= kit.data(
                OtherPatientIDsSequence=_items(draw, kit, "OtherPatientIDsSequence")
            )
        made.append(patient)
        for _ in range(draw(st.integers(0, 2))):
            study = kit.Node(
                columns={
                    "study_instance_uid": f"1.2.{serial}",
                    "study_date": draw(maybe_date),
                    "study_time": draw(maybe_time),
                    "accession_number": draw(maybe_text),
                    "study_description": draw(maybe_text),
                    "referring_physician_name": draw(maybe_name),
                },
                attributes=_attributes(draw, kit, "StudyDate", "AdmissionID"),
            )
            if study.columns["study_date"]:
                study.attributes.pop("00080020", None)
            if draw(st.booleans()):
                study.attributes |= kit.data(
                    PatientAge=draw(st.sampled_from(["030Y", "031Y"])),
                    ProcedureCodeSequence=_items(draw, kit, "ProcedureCodeSequence"),
                )
            serial += 1
            patient.children.append(study)
            for _ in range(draw(st.integers(0, 2))):
                series = kit.Node(
                    columns={
                        "series_instance_uid": f"1.3.{serial}",
                        "modality": draw(st.sampled_from([None, "CT", "MR", "a_b"])),
                        "series_number": draw(maybe_number),
                        "series_date": draw(maybe_date),
                        "series_description": draw(maybe_text),
                        "performing_physician_name": draw(maybe_name),
                    },
                    attributes=_attributes(draw, kit, "SeriesDate", "ManufacturerModelName"),
                )
                if series.columns["series_date"]:
                    series.attributes.pop("00080021", None)
                serial += 1
                study.children.append(series)
                for _ in range(draw(st.integers(0, 2))):
                    series.children.append(
                        kit.Node(
                            columns={
                                "sop_instance_uid": f"1.4.{serial}",
                                "instance_number": draw(maybe_number),
                                "rows": draw(maybe_number),
                            }
                        )
                    )
                    serial += 1
    return made


def _attributes(draw: st.DrawFn, kit: ModuleType, day: str, other: str) -> DicomJson:
    found: DicomJson = {}
    if draw(st.booleans()):
        found |= kit.data(**{day: draw(st.sampled_from(BROKEN_DATES))})
    if draw(st.booleans()):
        found |= kit.data(**{other: draw(text)})
    return found


def _items(draw: st.DrawFn, kit: ModuleType, keyword: str) -> list[DicomJson]:
    first, second = NESTED_PAIRS[keyword]
    return [
        kit.data(**{first: draw(text)}, **({second: draw(text)} if draw(st.booleans()) else {}))
        for _ in range(draw(st.integers(1, 2)))
    ]


@st.composite
def keys(draw: st.DrawFn, kit: ModuleType, level: QueryLevel) -> DicomJson:
    """A few keys of the level and those above, some universal, some with several values."""
    known = dict(VALUES)
    if level.depth >= QueryLevel.SERIES.depth:
        known |= SERIES_VALUES
    if level is QueryLevel.IMAGE:
        known |= IMAGE_VALUES
    if level is QueryLevel.PATIENT:
        known = {
            keyword: values
            for keyword, values in known.items()
            if ATTRIBUTES[next(iter(kit.data(**{keyword: None})))].level is level
        }
    found: DicomJson = {}
    for keyword in draw(st.lists(st.sampled_from(sorted(known)), max_size=3, unique=True)):
        values = draw(st.lists(known[keyword], max_size=2 if draw(st.booleans()) else 1))
        found |= kit.data(**{keyword: values})
    wanted = "OtherPatientIDsSequence" if level is QueryLevel.PATIENT else None
    if draw(st.integers(0, 3)) == 0:
        keyword = wanted or draw(st.sampled_from(sorted(SEQUENCES)))
        nested = {name: draw(value) for name, value in SEQUENCES[keyword].items()}
        found |= kit.data(**{keyword: kit.data(**nested)})
    return found


UNIQUE = {
    QueryLevel.PATIENT: "NumberOfPatientRelatedStudies",
    QueryLevel.STUDY: "StudyInstanceUID",
    QueryLevel.SERIES: "SeriesInstanceUID",
    QueryLevel.IMAGE: "SOPInstanceUID",
}


@given(draw=st.data())
@settings(max_examples=40, deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow,
                                 HealthCheck.data_too_large])  # fmt: skip
def test_sql_is_the_reference_matcher(
    index: Database, index_kit: ModuleType, draw: st.DataObject
) -> None:
    """For random small departments and random keys, same matches in the same order."""
    content = draw.draw(patients(index_kit))
    index_kit.store(index, content)
    for _ in range(12):
        level = draw.draw(st.sampled_from(list(QueryLevel)))
        asked = draw.draw(keys(index_kit, level))
        options = MatchOptions(
            fuzzy=draw.draw(st.booleans()),
            combined_datetime=draw.draw(st.booleans()),
            every_value=draw.draw(st.booleans()),
        )
        returned = index_kit.data(**{UNIQUE[level]: None, "PatientName": None})
        query = Query(
            level=level,
            keys=returned | asked,
            model=InformationModel.PATIENT_ROOT,
            relational=True,
            options=options,
            retrieve_ae_title="ARCHIVE",
        )
        expected = [
            {tag: entity[tag] for tag in query.keys}
            for entity in index_kit.describe(content, level)
            if matches(entity, asked, options)
        ]
        assert list(search(index, query)) == expected
