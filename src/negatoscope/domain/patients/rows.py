"""Patients as rows, and as the history keeps them."""

from collections.abc import Sequence
from typing import Any

from negatoscope.domain.patients.model import Identifier, Patient, PersonName, Traits
from negatoscope.kit.text import fold


def columns_of(traits: Traits) -> dict[str, object]:
    """What a row holds of traits."""
    names = (traits.birth_name, traits.used_name)
    return {
        "birth_family_name": traits.birth_name.family,
        "birth_given_name": traits.birth_name.given,
        "birth_further": traits.birth_name.further,
        "used_family_name": traits.used_name.family,
        "used_given_name": traits.used_name.given,
        "name_folded": fold(" ".join(f"{one.family} {one.given} {one.further}" for one in names)),
        "birth_date": traits.birth_date,
        "sex": traits.sex,
        "birth_place_code": traits.birth_place_code,
        "identity_status": traits.identity_status,
        "identity_attributes": list(traits.identity_attributes),
        "died_at": traits.died_at,
        "is_deceased": traits.is_deceased,
        "lunar_birth_date": traits.lunar_birth_date,
        "birth_place_name": traits.birth_place_name,
        "address": traits.address,
        "telephone": traits.telephone,
    }


def patient_of(row: Sequence[Any], identifiers: Sequence[Identifier]) -> Patient:
    """The patient of a row."""
    return Patient(
        id=row[0],
        traits=Traits(
            birth_name=PersonName(family=row[1], given=row[2], further=row[3]),
            used_name=PersonName(family=row[4], given=row[5]),
            birth_date=row[6],
            sex=row[7],
            birth_place_code=row[8],
            identity_status=row[9],
            identity_attributes=tuple(row[10]),
            died_at=row[11],
            is_deceased=row[12],
            lunar_birth_date=row[16],
            birth_place_name=row[17],
            address=row[18],
            telephone=row[19],
        ),
        identifiers=tuple(identifiers),
        merged_into=row[13],
        created_at=row[14],
        updated_at=row[15],
        version=row[20],
    )


def name_keys(traits: Traits) -> set[tuple[str, str]]:
    """Folded family name and first given name, at birth and in use."""
    found = set()
    for name in (traits.birth_name, traits.used_name, traits.name_to_show):
        given = fold(name.given or name.further).replace("-", " ").split()
        family = fold(name.family).replace("-", " ")
        if family and given:
            found.add((family, given[0]))
    return found


def plain(value: Any) -> Any:
    """As JSON keeps it."""
    if isinstance(value, PersonName):
        return {"family": value.family, "given": value.given, "further": value.further}
    if isinstance(value, Identifier):
        authority = value.authority
        return {
            "value": value.value,
            "authority": authority.text,
            "universal_id": authority.universal_id,
            "type_code": value.type_code,
        }
    return list(value) if isinstance(value, tuple) else value
