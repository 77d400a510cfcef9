"""The patients and physicians of the demonstration department. None of them exists.

Names carry what French registration desks really type: accents, hyphens, apostrophes, particles,
a name that Latin-1 cannot write, two homonyms told apart by birth date and identifier only.
"""

from __future__ import annotations

from dataclasses import dataclass

INSTITUTION_NAME = "CHU de Valmorel"
INSTITUTION_ADDRESS = "1 place de l'Hôpital, 99000 Valmorel"
ISSUER_OF_PATIENT_ID = "CHU-VALMOREL"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A patient who does not exist.

    Attributes:
        patient_id: the hospital's permanent identifier (IPP), ten digits.
        patient_name: PN, first component group.
        birth_date: DA; empty when nobody knows.
        sex: M, F or O.
        size_m: Patient's Size (0010,1020), metres.
        weight_kg: Patient's Weight (0010,1030), kilograms.
        character_set: Specific Character Set (0008,0005) of this patient's objects.
        issuer_of_patient_id: Issuer of Patient ID (0010,0021) that objects name; empty: none.
    """

    patient_id: str
    patient_name: str
    birth_date: str
    sex: str
    size_m: float
    weight_kg: float
    character_set: str = "ISO_IR 100"
    issuer_of_patient_id: str = ISSUER_OF_PATIENT_ID

    def age_on(self, study_date: str) -> str:
        """Patient's Age (0010,1010), AS, on a DA date; empty when nobody knows."""
        if not self.birth_date:
            return ""
        years = int(study_date[:4]) - int(self.birth_date[:4])
        if study_date[4:] < self.birth_date[4:]:
            years -= 1
        if years >= 2:
            return f"{years:03d}Y"
        months = (int(study_date[:4]) - int(self.birth_date[:4])) * 12
        months += int(study_date[4:6]) - int(self.birth_date[4:6])
        if study_date[6:] < self.birth_date[6:]:
            months -= 1
        return f"{months:03d}M"


LEFEVRE = Person(
    patient_id="8001458213",
    patient_name="LEFÈVRE-DUBOIS^Marie-Hélène",
    birth_date="19480314",
    sex="F",
    size_m=1.62,
    weight_kg=61,
)
GARCIA = Person(
    patient_id="8000967734",
    patient_name="GARCÍA-MOREAU^Jean-François",
    birth_date="19611102",
    sex="M",
    size_m=1.78,
    weight_kg=84,
)
NGUYEN = Person(
    patient_id="8002210096",
    patient_name="NGUYỄN^Thị Élise",
    birth_date="19850627",
    sex="F",
    size_m=1.58,
    weight_kg=52,
    character_set="ISO_IR 192",
)
LA_ROCHE = Person(
    patient_id="8000312457",
    patient_name="DE LA ROCHE-MONTBEL D'ARGENTAN^Anne-Charlotte Élisabeth",
    birth_date="19390905",
    sex="F",
    size_m=1.66,
    weight_kg=70,
)
OZDEMIR = Person(
    patient_id="8001779350",
    patient_name="ÖZDEMIR^Zoé",
    birth_date="20011218",
    sex="F",
    size_m=1.70,
    weight_kg=63,
)
BENSAID = Person(
    patient_id="8002004581",
    patient_name="BENSAÏD^Noël",
    birth_date="19730101",
    sex="M",
    size_m=1.81,
    weight_kg=92,
)
LHERITIER = Person(
    patient_id="8002598812",
    patient_name="L'HÉRITIER^Clémence",
    birth_date="20260219",
    sex="F",
    size_m=0.62,
    weight_kg=6.4,
)
OEUVRARD = Person(
    patient_id="8001120647",
    patient_name="ŒUVRARD^Cœlio",
    birth_date="19940730",
    sex="M",
    size_m=1.75,
    weight_kg=71,
    character_set="ISO_IR 192",
)
MBOUMBA = Person(
    patient_id="8001903326",
    patient_name="MBOUMBA-D'ALMEIDA^Aïcha",
    birth_date="19680412",
    sex="F",
    size_m=1.67,
    weight_kg=77,
)
SEGUIN = Person(
    patient_id="8000045178",
    patient_name="SÉGUIN^Gaëtan^Marc^M.",
    birth_date="19551021",
    sex="M",
    size_m=1.72,
    weight_kg=79,
)
VAN_DEN_BOSSCHE = Person(
    patient_id="8001634409",
    patient_name="VAN DEN BOSSCHE^Loïc",
    birth_date="19590808",
    sex="M",
    size_m=1.86,
    weight_kg=98,
)
MARTIN_1952 = Person(
    patient_id="8000718265",
    patient_name="MARTIN^Jeanne",
    birth_date="19521106",
    sex="F",
    size_m=1.60,
    weight_kg=58,
)
MARTIN_1991 = Person(
    patient_id="8002147903",
    patient_name="MARTIN^Jeanne",
    birth_date="19910516",
    sex="F",
    size_m=1.69,
    weight_kg=64,
)

DR_CARRERE = "CARRÈRE^Sylvie^^Dr"
DR_LE_GOFF = "LE GOFF^Yann^^Dr"
DR_ABADIE = "ABADIE-ROUSSEL^Françoise^^Pr"
DR_KOWALCZYK = "KOWALCZYK^Hervé^^Dr"
DR_TRAORE = "TRAORÉ^Aminata^^Dr"

RADIOLOGIST_PEYRE = "PEYRÉ^Benoît^^Dr"
RADIOLOGIST_DELMAS = "DELMAS^Agnès^^Dr"

PATIENTS = (
    LEFEVRE,
    GARCIA,
    NGUYEN,
    LA_ROCHE,
    OZDEMIR,
    BENSAID,
    LHERITIER,
    OEUVRARD,
    MBOUMBA,
    SEGUIN,
    VAN_DEN_BOSSCHE,
    MARTIN_1952,
    MARTIN_1991,
)
