"""Whether two files are one person's: points for each sign, with the sign's name to be shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum
from typing import Final

from negatoscope.domain.patients import Patient, PersonName, ins
from negatoscope.domain.reconciliation.phonetics import sound_of
from negatoscope.kit.text import fold

THRESHOLD: Final = 60
"""From here on a pair is shown."""
_ALIKE: Final = 0.6
_NEAR: Final = 0.8


class Sign(StrEnum):
    """What speaks for one person, or against it."""

    SAME_INS = "same-ins"
    OTHER_INS = "other-ins"
    SAME_NUMBER = "same-number"
    """The same number of two authorities."""
    FAMILY_SAME = "family-same"
    FAMILY_SOUNDS = "family-sounds"
    FAMILY_NEAR = "family-near"
    FAMILY_DIFFERS = "family-differs"
    GIVEN_SAME = "given-same"
    GIVEN_SOUNDS = "given-sounds"
    GIVEN_NEAR = "given-near"
    GIVEN_DIFFERS = "given-differs"
    SWAPPED = "names-swapped"
    BIRTH_SAME = "birth-same"
    BIRTH_ONE_DIGIT = "birth-one-digit"
    BIRTH_SWAPPED = "birth-day-month"
    BIRTH_PARTIAL = "birth-partial"
    BIRTH_DIFFERS = "birth-differs"
    SEX_SAME = "sex-same"
    SEX_DIFFERS = "sex-differs"
    PLACE_SAME = "place-same"
    PLACE_DIFFERS = "place-differs"


WEIGHTS: Final[Mapping[Sign, int]] = {
    Sign.SAME_INS: 100,
    Sign.OTHER_INS: -80,
    Sign.SAME_NUMBER: 15,
    Sign.FAMILY_SAME: 27,
    Sign.FAMILY_SOUNDS: 20,
    Sign.FAMILY_NEAR: 17,
    Sign.FAMILY_DIFFERS: -25,
    Sign.GIVEN_SAME: 22,
    Sign.GIVEN_SOUNDS: 15,
    Sign.GIVEN_NEAR: 12,
    Sign.GIVEN_DIFFERS: -22,
    Sign.SWAPPED: 38,
    Sign.BIRTH_SAME: 35,
    Sign.BIRTH_ONE_DIGIT: 16,
    Sign.BIRTH_SWAPPED: 22,
    Sign.BIRTH_PARTIAL: 8,
    Sign.BIRTH_DIFFERS: -35,
    Sign.SEX_SAME: 4,
    Sign.SEX_DIFFERS: -15,
    Sign.PLACE_SAME: 12,
    Sign.PLACE_DIFFERS: -10,
}
"""Points. Names and birth date that agree make 88, one of them spelled otherwise about 80."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """What speaks for and against.

    Attributes:
        points: 0 to 100.
        signs: The strongest first.
    """

    points: int
    signs: tuple[tuple[Sign, int], ...]


def score(a: Patient, b: Patient) -> Score:
    """Compare two patients."""
    signs = [*_identifiers(a, b), *_names(a, b), _birth(a, b), *_rest(a, b)]
    found = [(sign, WEIGHTS[sign]) for sign in signs if sign is not None]
    points = max(0, min(100, sum(weight for _, weight in found)))
    found.sort(key=lambda one: -abs(one[1]))
    return Score(points=points, signs=tuple(found))


def block_keys(patient: Patient) -> set[str]:
    """Keys of which two files of one person share at least one, whatever was mistyped."""
    traits = patient.traits
    born = traits.birth_date
    year = born[:4]
    day = "".join(sorted((born[4:6], born[6:8]))) if len(born) >= 8 else ""
    keys = {f"i:{one.value}" for one in patient.identifiers}
    families = {sound_of(name.family) for name in _forms(patient)} - {""}
    givens = {sound_of(name) for name in _givens(patient)} - {""}
    for family in families:
        if day:
            keys.add(f"d:{year}{day}:{family}")
        for given in givens:
            first, second = sorted((family, given))
            keys.add(f"n:{year}:{first}:{second}")
            if day:
                keys.add(f"m:{day}:{first}:{second}")
    if day:
        keys |= {f"d:{year}{day}:{given}" for given in givens}
    return keys


def _identifiers(a: Patient, b: Patient) -> list[Sign]:
    signs: list[Sign] = []
    ins_of_a = {one.value for one in a.identifiers if ins.is_ins(one)}
    ins_of_b = {one.value for one in b.identifiers if ins.is_ins(one)}
    if ins_of_a & ins_of_b:
        signs.append(Sign.SAME_INS)
    elif ins_of_a and ins_of_b:
        signs.append(Sign.OTHER_INS)
    others_of_a = {one.value for one in a.identifiers} - ins_of_a
    if others_of_a & ({one.value for one in b.identifiers} - ins_of_b):
        signs.append(Sign.SAME_NUMBER)
    return signs


def _names(a: Patient, b: Patient) -> list[Sign | None]:
    families_a = [fold(one.family) for one in _forms(a) if one.family]
    families_b = [fold(one.family) for one in _forms(b) if one.family]
    givens_a, givens_b = _givens(a), _givens(b)
    family = _compared(
        families_a, families_b, (Sign.FAMILY_SAME, Sign.FAMILY_SOUNDS, Sign.FAMILY_NEAR)
    )
    given = _compared(givens_a, givens_b, (Sign.GIVEN_SAME, Sign.GIVEN_SOUNDS, Sign.GIVEN_NEAR))
    if (
        family is None
        and given is None
        and set(families_a) & set(givens_b)
        and set(givens_a) & set(families_b)
    ):
        return [Sign.SWAPPED]
    if families_a and families_b and family is None:
        family = Sign.FAMILY_DIFFERS
    if givens_a and givens_b and given is None:
        given = Sign.GIVEN_DIFFERS
    return [family, given]


def _compared(a: Sequence[str], b: Sequence[str], signs: tuple[Sign, Sign, Sign]) -> Sign | None:
    same, sounds, near = signs
    if set(a) & set(b):
        return same
    best: Sign | None = None
    for one in a:
        for other in b:
            alike = SequenceMatcher(None, one, other, autojunk=False).ratio()
            if alike >= _ALIKE and sound_of(one) == sound_of(other):
                return sounds
            if alike >= _NEAR:
                best = near
    return best


def _birth(a: Patient, b: Patient) -> Sign | None:
    one, other = a.traits.birth_date, b.traits.birth_date
    if not one or not other:
        return None
    if one == other:
        return Sign.BIRTH_SAME if len(one) == 8 else Sign.BIRTH_PARTIAL
    if len(one) < 8 or len(other) < 8:
        is_part = one.startswith(other) or other.startswith(one)
        return Sign.BIRTH_PARTIAL if is_part else Sign.BIRTH_DIFFERS
    if one[:4] == other[:4] and (one[4:6], one[6:]) == (other[6:], other[4:6]):
        return Sign.BIRTH_SWAPPED
    differing = sum(x != y for x, y in zip(one, other, strict=True))
    return Sign.BIRTH_ONE_DIGIT if differing == 1 else Sign.BIRTH_DIFFERS


def _rest(a: Patient, b: Patient) -> list[Sign]:
    signs: list[Sign] = []
    sexes = (a.traits.sex, b.traits.sex)
    if all(one in {"M", "F"} for one in sexes):
        signs.append(Sign.SEX_SAME if sexes[0] == sexes[1] else Sign.SEX_DIFFERS)
    places = (a.traits.birth_place_code, b.traits.birth_place_code)
    if all(places):
        signs.append(Sign.PLACE_SAME if places[0] == places[1] else Sign.PLACE_DIFFERS)
    return signs


def _forms(patient: Patient) -> tuple[PersonName, PersonName]:
    return patient.traits.birth_name, patient.traits.used_name


def _givens(patient: Patient) -> list[str]:
    found = [fold(one.given) for one in _forms(patient) if one.given]
    return list(dict.fromkeys(found))
