"""Names of segments and fields are in both languages, at the place where the standard has them."""

import pytest

from negatoscope.standard.hl7_fields import SEGMENTS, field_name


@pytest.mark.parametrize(
    ("segment", "number", "en", "fr"),
    [
        ("MSH", 18, "Character Set", "Jeu de caractères"),
        ("PID", 32, "Identity Reliability Code", "Fiabilité de l’identité"),
        ("PV1", 19, "Visit Number", "Numéro de venue"),
        ("PV1", 36, "Discharge Disposition", "Mode de sortie"),
        ("PV1", 44, "Admit Date/Time", "Date d’admission"),
        ("ORC", 12, "Ordering Provider", "Prescripteur"),
        ("OBR", 18, "Placer Field 1", "Champ 1 du demandeur (numéro d’accès)"),
        ("OBR", 24, "Diagnostic Service Section ID", "Modalité"),
        ("OBR", 31, "Reason for Study", "Motif de l’examen"),
        ("OBR", 44, "Procedure Code", "Code de l’acte"),
        ("TQ1", 9, "Priority", "Priorité"),
        ("IPC", 9, "Scheduled Station AE Title", "AE title de l’appareil"),
        ("SCH", 25, "Filler Status Code", "État"),
        ("AIL", 6, "Start Date/Time", "Début"),
        ("ZBE", 9, "Nature of Movement", "Nature du mouvement"),
        ("MRG", 1, "Prior Patient Identifier List", "Anciens identifiants"),
        ("ZZZ", 1, "", ""),
        ("PID", 99, "", ""),
    ],
)
def test_where_the_standard_has_them(segment: str, number: int, en: str, fr: str) -> None:
    assert field_name(segment, number) == (en, fr)


def test_both_languages_have_the_same_places() -> None:
    for segment in SEGMENTS.values():
        assert segment.name.en
        assert segment.name.fr
        assert all(bool(name.en) == bool(name.fr) for name in segment.fields)
