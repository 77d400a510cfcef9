"""The reference matcher: the rules of PS3.4 §C.2.2.2 and our choices where it leaves one."""

import time
from types import ModuleType
from typing import Any

import pytest

from negatoscope.domain.archive.query import MatchOptions, matches, unusable_keys
from negatoscope.domain.archive.query.matching import MAX_PATTERN

FUZZY = MatchOptions(fuzzy=True)
EVERY = MatchOptions(every_value=True)
COMBINED = MatchOptions(combined_datetime=True)


@pytest.mark.parametrize(
    ("value", "key", "expected"),
    [
        ("Dupont^Jean^^^", "DUPONT^JEAN", True),
        ("Dupont^Jean", "dupont^jean^^^", True),
        ("Dupont ^ Jean", "DUPONT^JEAN", True),
        ("Dupont^Jean", "DUPONT", False),
        ("Dupont^Jean", "DUPONT^*", True),
        ("Dupont", "DUPONT^*", True),
        ("Dupont", "*^*", True),
        ("Dupont^Jean^Marie", "*^JEAN*", True),
        ("Lefèvre^Zoé", "LEFEVRE^ZO?", True),
        ("Œdipe^Æon", "OEDIPE^AEON", True),
        ("Strauß^Jörg", "STRAUSS^JORG", True),
        ("Yamada^Tarou=山田^太郎=やまだ^たろう", "山田*", True),
        ("Yamada^Tarou=山田^太郎=やまだ^たろう", "=山田^太郎", True),
        ("Yamada^Tarou=山田^太郎=やまだ^たろう", "YAMADA^TAROU=山田*", True),
        ("Yamada^Tarou=山田^太郎=やまだ^たろう", "YAMADA^HANAKO=山田*", False),
        ("a*b^c", "a?b^c", True),
        ("axb^c", "a*b^c", True),
        ("a%b^c", "a_b^c", False),
    ],
)
def test_person_names(index_kit: ModuleType, value: str, key: str, expected: bool) -> None:
    """Without case, accents and trailing empty components; wild cards span components."""
    data = index_kit.data
    assert matches(data(PatientName=value), data(PatientName=key)) is expected


@pytest.mark.parametrize(
    ("key", "expected"),
    [("jea dup", True), ("DUP", True), ("marie", True), ("upont", False), ("dup^zoe", False)],
)
def test_fuzzy_names(index_kit: ModuleType, key: str, expected: bool) -> None:
    """Each word of the key begins some word of the name."""
    name = index_kit.data(PatientName="Dupont-Martin^Jean Marie")
    assert matches(name, index_kit.data(PatientName=key), FUZZY) is expected


@pytest.mark.parametrize(
    ("keyword", "value", "key", "expected"),
    [
        ("AccessionNumber", "A1", "A1 ", True),
        ("AccessionNumber", "A1", "a1", False),
        ("AccessionNumber", "A*1", "A\\1", False),
        ("StudyDescription", "Thorax é", "Thorax ?", True),
        ("StudyDescription", "Thorax", "*", True),
        ("StudyDescription", "100%_\\", "100%_\\", True),
        ("StudyDescription", "Thorax", '""', False),
        ("StudyDescription", None, '""', True),
        ("StudyDescription", None, "?*", False),
        ("SeriesNumber", 7, "007", True),
        ("SeriesNumber", 7, "+7", True),
        ("SeriesNumber", 7, "7.0", True),
        ("SeriesNumber", 7, "7*", False),
        ("SliceThickness", 1.5, "1.50", True),
        ("StudyInstanceUID", "1.2.3", "1.2.*", False),
        ("StudyInstanceUID", "1.2.3", ["1.2", "1.2.3"], True),
        ("StudyDate", "20240229", "20240229", True),
        ("StudyDate", "20240229", "2024.02.29", True),
        ("StudyDate", "20240229", "20240201 - 20240301", True),
        ("StudyDate", "20240229", "-20240228", False),
        ("StudyDate", "20240229", "20240301-20240201", False),
        ("StudyDate", "0000", "0000", False),
        ("StudyDate", "9999", "-99991231", False),
        ("StudyTime", "103000.5", "1030", True),
        ("StudyTime", "103000.5", "103000", True),
        ("StudyTime", "10", "1000-1200", True),
        ("StudyTime", "12:00:30", "1100-1200", True),
        ("StudyTime", "2575", "00-", False),
        ("AcquisitionDateTime", "20240229101500", "202402291015", True),
        ("AcquisitionDateTime", "20240229101500+0100", "20240229091500+0000", True),
        ("AcquisitionDateTime", "20240229101500", "20240229-20240301", True),
        ("AcquisitionDateTime", "20240229101500", "20240229110000-", False),
        ("AcquisitionDateTime", "20240229", "20240229-0500", False),
        ("PatientAge", "030Y", "030Y", True),
        ("PatientAge", "030Y", "0*", False),
    ],
)
def test_values(index_kit: ModuleType, keyword: str, value: Any, key: Any, expected: bool) -> None:
    """Single value, wild card, range, list of UID, numbers, what is broken."""
    data = index_kit.data
    assert matches(data(**{keyword: value}), data(**{keyword: key})) is expected


def test_several_values(index_kit: ModuleType) -> None:
    """One of the values is enough, or with Multiple Value Matching all of them."""
    study = index_kit.data(ModalitiesInStudy=["CT", "SR"])
    key = index_kit.data(ModalitiesInStudy=["CT", "MR"])
    assert matches(study, key)
    assert not matches(study, key, EVERY)
    assert matches(study, index_kit.data(ModalitiesInStudy=["SR", "CT"]), EVERY)


def test_sequences_match_item_by_item(index_kit: ModuleType) -> None:
    """All item keys in one and the same item; an item without values is universal."""
    data = index_kit.data
    items = [data(CodeValue="A", CodingSchemeDesignator="X"), data(CodeValue="B")]
    entity = data(ProcedureCodeSequence=items)
    assert matches(entity, data(ProcedureCodeSequence=data(CodeValue="B")))
    both = data(CodeValue="B", CodingSchemeDesignator="X")
    assert not matches(entity, data(ProcedureCodeSequence=both))
    assert matches({}, data(ProcedureCodeSequence=data(CodeValue=None)))
    assert matches({}, {"00081032": {"vr": "SQ", "Value": [{}]}})
    assert not matches({}, data(ProcedureCodeSequence=data(CodeValue="B")))


@pytest.mark.parametrize(
    ("day", "hour", "expected"),
    [
        ("20240229", "2359", True),
        ("20240229", "2200", False),
        ("20240301", "0600", True),
        ("20240301", None, True),
        ("20240302", "0600", False),
        ("20240302", None, True),
        (None, "2359", False),
    ],
)
def test_combined_date_and_time(
    index_kit: ModuleType, day: str | None, hour: str | None, expected: bool
) -> None:
    """From one instant to another; a date without time counts as midnight."""
    entity = index_kit.data(StudyDate=day, StudyTime=hour)
    keys = index_kit.data(StudyDate="20240229-20240302", StudyTime="2300-0500")
    assert matches(entity, keys, COMBINED) is expected


def test_level_and_character_set_are_never_matched(index_kit: ModuleType) -> None:
    """PS3.4 §C.2.2.2: they say how to read the identifier."""
    keys = index_kit.data(
        QueryRetrieveLevel="STUDY", SpecificCharacterSet="ISO_IR 100", TimezoneOffsetFromUTC="+0100"
    )
    assert matches({}, keys)


def test_keys_without_meaning(index_kit: ModuleType) -> None:
    """Broken dates, times and numbers, nested ones too, and endless patterns are named."""
    data = index_kit.data
    keys = data(StudyDate="2024", StudyTime="25", SeriesNumber="x", PatientName="a*",
                PatientBirthDate='""', StudyID="?" * (MAX_PATTERN + 1),
                RequestAttributesSequence=data(ScheduledProcedureStepStartDate="x"))  # fmt: skip
    assert unusable_keys(keys) == ["00080020", "00080030", "00200011", "00200010", "00400002"]


def test_hostile_patterns_end_soon(index_kit: ModuleType) -> None:
    """Thousands of wild cards over 64 KB take no exponential time."""
    data = index_kit.data
    value = data(ImageComments="ab" * 32_000)
    started = time.monotonic()
    assert not matches(value, data(ImageComments="a*" * 20_000 + "c"))
    assert matches(value, data(ImageComments="a*" * 20_000))
    assert not matches(value, data(ImageComments="*" + "a?" * 400 + "c*"))
    assert time.monotonic() - started < 5
