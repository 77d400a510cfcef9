"""What DICOM says of a patient: identifier with issuer and qualifiers, names, partial dates."""

from datetime import UTC, datetime

import pytest

from negatoscope.domain.patients import (
    Authority,
    Identifier,
    IdentityStatus,
    Patient,
    PersonName,
    Traits,
    dicom_patient,
    ins,
    status_of,
)

FINESS = Authority(namespace="CHU-X", universal_id="750712184", universal_id_type="M")
OID = Authority(namespace="GHT", universal_id="1.2.250.1.999", universal_id_type="ISO")
NIR = Authority(
    namespace="ASIP-SANTE-INS-NIR", universal_id="1.2.250.1.213.1.4.8", universal_id_type="ISO"
)
NOW = datetime(2026, 1, 2, tzinfo=UTC)


def patient(*identifiers: Identifier, **traits: object) -> Patient:
    given = {
        "birth_name": PersonName(family="DURAND", given="Zoé", further="Zoé Anne"),
        "birth_date": "19800101",
        "sex": "F",
        "identity_status": "VALI",
    } | traits
    return Patient(
        id=1,
        traits=Traits(**given),  # type: ignore[arg-type]
        identifiers=identifiers,
        merged_into=None,
        created_at=NOW,
        updated_at=NOW,
    )


IPP = Identifier(value="123", authority=FINESS, type_code="PI")
OTHER = Identifier(value="G9", authority=OID, type_code="PI")
INS = Identifier(value="279035121518989", authority=NIR, type_code="INS")


def test_the_preferred_authority_gives_patient_id_and_the_others_keep_their_issuer() -> None:
    found = dicom_patient(patient(INS, IPP, OTHER), preferred_authority="1.2.250.1.999")
    assert (found.patient_id, found.issuer_of_patient_id) == ("G9", "GHT")
    data = found.json()
    assert data["00100024"]["Value"] == [
        {
            "00400032": {"vr": "UT", "Value": ["1.2.250.1.999"]},
            "00400033": {"vr": "CS", "Value": ["ISO"]},
            "00400035": {"vr": "CS", "Value": ["PI"]},
        }
    ]
    others = data["00101002"]["Value"]
    assert [one["00100020"]["Value"] for one in others] == [["279035121518989"], ["123"]]
    facility = {"00400031": {"vr": "UT", "Value": ["750712184"]}}
    assert others[1]["00100024"]["Value"][0]["00400036"]["Value"] == [facility]
    assert list(data) == sorted(data)


def test_without_a_preference_the_first_ipp_and_never_an_ins_or_a_stay() -> None:
    stay = Identifier(value="777", authority=FINESS, type_code="AN")
    assert dicom_patient(patient(INS, stay, IPP)).patient_id == "123"
    nothing = dicom_patient(patient(INS, stay))
    assert nothing.identifier is None
    assert nothing.json()["00100020"] == {"vr": "LO"}


def test_an_ins_is_told_of_a_qualified_identity_only() -> None:
    assert "279035121518989" in str(dicom_patient(patient(IPP, INS)).json())
    retrieved = patient(IPP, INS, identity_status="PROV")
    assert "279035121518989" not in str(dicom_patient(retrieved).json())


@pytest.mark.parametrize(
    ("rule", "shown", "others"),
    [("used", "MARTIN^Zoé", ()), ("birth", "DURAND^Zoé", ("MARTIN^Zoé",))],
)
def test_the_name_follows_the_rule_and_the_birth_name_is_always_there(rule, shown, others):
    one = patient(IPP, used_name=PersonName(family="MARTIN"))
    found = dicom_patient(one, name=rule)
    assert (found.patient_name, found.other_patient_names) == (shown, others)
    assert found.patient_birth_name == "DURAND^Zoé"


def test_what_dicom_cannot_hold_is_left_out_or_replaced() -> None:
    one = patient(
        Identifier(value="A\\B", authority=FINESS, type_code="PI"),
        birth_name=PersonName(family="O^B=N\\", given=""),
        birth_date="1980",
        sex="I",
    )
    found = dicom_patient(one)
    assert found.identifier is None
    assert (found.patient_name, found.patient_birth_date, found.patient_sex) == ("O B N", "", "O")
    assert dicom_patient(patient(birth_date="19800000")).patient_birth_date == ""


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("279035121518989", ""),
        ("260058815400233", ""),
        ("260058815400244", "its key does not fit"),
        ("2790351215189", "it is not 13 characters and a key of two digits"),
        ("1690725B0112301", "it is not 13 characters and a key of two digits"),
    ],
)
def test_the_key_of_an_ins(value, problem):
    assert ins.problem_of(value) == problem


def test_the_key_of_somebody_born_in_corsica() -> None:
    """2A counts as 19 and 2B as 18."""
    assert ins.key_of("1850419A12345".replace("19A", "2A0")[:13]) == 97 - 1850419012345 % 97
    assert ins.key_of("185042B012345") == 97 - 1850418012345 % 97


def test_the_status_of_rniv_is_two_facts() -> None:
    held = (IPP,)
    assert status_of(Traits(identity_status="VALI"), (*held, INS)) is IdentityStatus.QUALIFIED
    assert status_of(Traits(identity_status="VALI"), held) is IdentityStatus.VALIDATED
    assert status_of(Traits(identity_status="PROV"), (INS,)) is IdentityStatus.RETRIEVED
    assert status_of(Traits(), held) is IdentityStatus.PROVISIONAL
