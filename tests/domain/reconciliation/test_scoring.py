"""What speaks for one person, and what against."""

from datetime import UTC, datetime
from typing import Any

import pytest

from negatoscope.domain.patients import Authority, Identifier, Patient, PersonName, Traits
from negatoscope.domain.reconciliation.phonetics import sound_of
from negatoscope.domain.reconciliation.scoring import THRESHOLD, Sign, block_keys, score

INS = Authority(universal_id="1.2.250.1.213.1.4.8", universal_id_type="ISO")


def patient(
    family: str = "LEFEVRE",
    given: str = "ZOE",
    born: str = "19700203",
    *,
    ins: str = "",
    **traits: Any,
) -> Patient:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    numbers = (Identifier(value=ins, authority=INS, type_code="INS"),) if ins else ()
    name = PersonName(family=family, given=given)
    values = {"birth_name": name, "birth_date": born, "sex": "F", **traits}
    return Patient(
        id=1, traits=Traits(**values), identifiers=numbers, merged_into=None, created_at=at,
        updated_at=at,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("LEFEBVRE", "Lefèvre"),
        ("Dupond", "DUPONT"),
        ("Gauthier", "Gautier"),
        ("Philippe", "Filipe"),
        ("Durand", "Durant"),
        ("Meyer", "Maier"),
        ("Jean-Pierre", "Jean Pierre"),
        ("Leroy", "Leroi"),
        ("Catherine", "Katerine"),
    ],
)
def test_names_said_alike_have_one_sound(a: str, b: str) -> None:
    assert sound_of(a) == sound_of(b) != ""


@pytest.mark.parametrize(
    ("a", "b"), [("Martin", "Bernard"), ("Petit", "Robert"), ("Roux", "Leroux")]
)
def test_names_said_differently_have_two(a: str, b: str) -> None:
    assert sound_of(a) != sound_of(b)


@pytest.mark.parametrize("name", ["", "123", "^^^", "x", "É", "李", "<b>x</b>", "a" * 5000])
def test_any_text_has_a_sound_or_none(name: str) -> None:
    assert len(sound_of(name)) <= 8


@pytest.mark.parametrize(
    ("other", "sign"),
    [
        (patient("LEFEBVRE"), Sign.FAMILY_SOUNDS),
        (patient("ZOE", "LEFEVRE"), Sign.SWAPPED),
        (patient(born="19700213"), Sign.BIRTH_ONE_DIGIT),
        (patient(born="19700302"), Sign.BIRTH_SWAPPED),
        (patient(given="ZOÉ"), Sign.GIVEN_SAME),
        (patient(sex=""), Sign.BIRTH_SAME),
        (
            patient("DURAND", used_name=PersonName(family="LEFEVRE", given="ZOE")),
            Sign.FAMILY_SAME,
        ),
    ],
)
def test_one_person_typed_twice_is_found(other: Patient, sign: Sign) -> None:
    """The pair shares a key, so that it is compared at all, and reaches the threshold."""
    found = score(patient(), other)
    assert sign in {one for one, _ in found.signs}
    assert found.points >= THRESHOLD
    assert block_keys(patient()) & block_keys(other)


@pytest.mark.parametrize(
    "other",
    [
        patient(given="LEA"),  # a twin
        patient("MARTIN"),
        patient(born="19520817"),
        patient(ins="270027512345678", birth_place_code="75056"),
    ],
)
def test_two_persons_are_not_taken_for_one(other: Patient) -> None:
    mine = patient(ins="270021312345678", birth_place_code="13055")
    assert score(mine, other).points < THRESHOLD


def test_the_national_number_decides() -> None:
    a, b = patient(ins="270021312345678"), patient("XXX", "", "", ins="270021312345678")
    assert score(a, b).points >= THRESHOLD
    assert score(a, b).signs[0] == (Sign.SAME_INS, 100)
    assert block_keys(a) & block_keys(b)
