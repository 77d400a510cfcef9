"""The demonstration department: thirteen patients, two studies each, and what was made in them.

`demo_objects` yields every object as a DICOM file; the same release yields the same bytes each
time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydicom.uid import CTImageStorage

from negatoscope.demo import documents, people, phantoms, projections
from negatoscope.demo.cross_sections import enhanced_mr_cine
from negatoscope.demo.examinations import (
    HEART_PLANE,
    MAGNET,
    RADIOGRAPHY,
    brain_magnet,
    breasts,
    chest,
    document_series,
    echography,
    head_scan,
    knee_magnet,
    plate,
    shipped,
    study,
    thorax_scan,
    thorax_series,
)
from negatoscope.demo.objects import SeriesPlan
from negatoscope.demo.people import DR_ABADIE, DR_CARRERE, DR_KOWALCZYK, DR_LE_GOFF, DR_TRAORE
from negatoscope.demo.people import RADIOLOGIST_DELMAS as DELMAS

if TYPE_CHECKING:
    from collections.abc import Iterator


def lung_follow_up() -> Iterator[bytes]:
    """Two chest CTs six months apart, with report, key images and letter."""
    prior = study(
        people.LEFEVRE, "20260427", "091438", "26040017342", "TDM thorax injectée", DR_ABADIE
    )
    yield from thorax_scan(prior, slices=200, nodule_radius_mm=5)
    current = study(
        people.LEFEVRE, "20261116", "103205", "26110042187", "TDM thorax injectée", DR_ABADIE
    )
    yield from thorax_scan(current, slices=240, nodule_radius_mm=8)
    images = [(thorax_series(current), CTImageStorage, number) for number in (168, 170, 172)]
    yield documents.text_report(
        document_series(current, 900, "SR", "Compte rendu"),
        sections={
            "indication": "Surveillance d'un nodule du lobe supérieur droit.",
            "technique": "Acquisition hélicoïdale après injection, coupes de 1,25 mm.",
            "findings": (
                "Nodule plein du lobe supérieur droit mesuré à 16 mm, contre 10 mm le 27/04/2026."
                " Pas d'épanchement pleural. Pas d'adénomégalie médiastinale."
            ),
            "conclusion": "Augmentation de taille du nodule : à discuter en réunion de concertation.",
        },
        images=images,
    )
    yield documents.key_object_selection(
        document_series(current, 901, "KO", "Images illustrant le compte rendu"),
        images=images,
        description="Nodule du lobe supérieur droit",
    )
    yield documents.encapsulated_pdf(
        document_series(current, 902, "DOC", "Courrier au médecin"),
        title="Compte rendu de scanner thoracique",
        lines=(
            "Chère consœur,",
            "",
            "Le scanner du 16/11/2026 montre une augmentation de taille du nodule",
            "du lobe supérieur droit (16 mm, contre 10 mm le 27/04/2026).",
            "",
            "Bien confraternellement.",
        ),
    )


def stroke_ward() -> Iterator[bytes]:
    """A head CT in the night, and the brain MR of the week after."""
    prior = study(
        people.GARCIA, "20261108", "031150", "26110021960", "TDM cérébrale", DR_LE_GOFF, DELMAS
    )
    yield from head_scan(prior, haematoma=True)
    current = study(
        people.GARCIA, "20261117", "144512", "26110043015", "IRM encéphale", DR_LE_GOFF, DELMAS
    )
    yield from brain_magnet(current, "T1", "T2", "FLAIR")


def outpatients() -> Iterator[bytes]:
    """Ultrasound, mammography, radiographs and magnet of the patients who walk in."""
    yield from brain_magnet(
        study(people.NGUYEN, "20250912", "083020", "25090030771", "IRM encéphale", DR_TRAORE),
        "T2",
    )
    yield from brain_magnet(
        study(people.NGUYEN, "20261103", "082755", "26110007741", "IRM encéphale", DR_TRAORE),
        "T2",
        "FLAIR",
    )
    yield from breasts(
        study(
            people.LA_ROCHE, "20241029", "111800", "24100038826", "Mammographie", DR_CARRERE, DELMAS
        ),
        seed=301,
        oblique=False,
    )
    yield from breasts(
        study(
            people.LA_ROCHE, "20261105", "112640", "26110013390", "Mammographie", DR_CARRERE, DELMAS
        ),
        seed=302,
        oblique=True,
    )
    yield from knee_magnet(
        study(people.OZDEMIR, "20260610", "171005", "26060020418", "IRM genou droit", DR_KOWALCZYK),
        "R",
    )
    yield from plate(
        study(
            people.OZDEMIR, "20261010", "184533", "26100019953", "Radiographie genou", DR_KOWALCZYK
        ),
        projections.KNEE_AP,
        401,
        body_part="KNEE",
        description="Genou droit face",
    )
    yield from chest(
        study(people.MARTIN_1952, "20251215", "095512", "25120022087", "Thorax", DR_CARRERE), 501
    )
    yield from chest(
        study(people.MARTIN_1952, "20261118", "100231", "26110046620", "Thorax", DR_CARRERE), 502
    )
    yield from chest(
        study(people.MARTIN_1991, "20260302", "141048", "26030002954", "Thorax", DR_TRAORE), 503
    )
    yield from chest(
        study(people.MARTIN_1991, "20261118", "101517", "26110046655", "Thorax", DR_TRAORE), 504
    )


def wards() -> Iterator[bytes]:
    """Emergency, paediatrics, cardiology, vascular and radiotherapy."""
    yield from plate(
        study(people.BENSAID, "20260119", "221907", "26010030115", "Thorax au lit", DR_LE_GOFF),
        projections.CHEST_PA,
        601,
        body_part="CHEST",
        description="Thorax au lit",
    )
    yield from head_scan(
        study(people.BENSAID, "20261120", "234418", "26110050873", "TDM cérébrale", DR_LE_GOFF),
        haematoma=False,
    )
    yield from echography(
        study(
            people.LHERITIER, "20260410", "094022", "26040010538", "Échographie hanches", DR_TRAORE
        ),
        "Hanche gauche",
        body_part="HIP",
        laterality="L",
        stills=4,
        loop_frames=0,
        seed=71,
    )
    yield projections.digital_radiograph(
        SeriesPlan(
            study=study(
                people.LHERITIER, "20261022", "103011", "26100036204", "Bassin face", DR_TRAORE
            ),
            number=1,
            modality="DX",
            description="Bassin face",
            equipment=RADIOGRAPHY,
            body_part_examined="PELVIS",
        ),
        projections.PELVIS_AP,
        phantoms.limb_radiograph(1200, 1400, 702),
    )
    yield from echography(
        study(
            people.OEUVRARD, "20260827", "160250", "26080031476", "Échographie cardiaque", DR_ABADIE
        ),
        "Cœur",
        body_part="HEART",
        stills=2,
        loop_frames=25,
        seed=81,
    )
    current = study(
        people.OEUVRARD, "20261112", "151530", "26110034408", "IRM cardiaque", DR_ABADIE, DELMAS
    )
    yield enhanced_mr_cine(
        SeriesPlan(
            study=current,
            number=1,
            modality="MR",
            description="Ciné petit axe",
            equipment=MAGNET,
            body_part_examined="HEART",
            protocol_name="Cœur",
            starts_after_s=300,
        ),
        phases=25,
        plane=HEART_PLANE,
    )
    yield from shipped(
        current, 2, "ECG", "ECG 12 dérivations", "waveform_ecg.dcm", body_part="HEART"
    )

    yield from echography(
        study(
            people.MBOUMBA,
            "20260514",
            "114410",
            "26050024907",
            "Échographie abdominale",
            DR_CARRERE,
        ),
        "Abdomen",
        body_part="ABDOMEN",
        stills=6,
        loop_frames=0,
        seed=91,
    )
    yield from shipped(
        study(
            people.MBOUMBA,
            "20261019",
            "092233",
            "26100030260",
            "Échographie abdominale",
            DR_CARRERE,
        ),
        1,
        "US",
        "Boucle",
        "examples_ybr_color.dcm",
        "examples_jpeg2k.dcm",
        "examples_palette.dcm",
        body_part="ABDOMEN",
    )
    yield from brain_magnet(
        study(people.SEGUIN, "20250603", "134501", "25060008140", "IRM encéphale", DR_KOWALCZYK),
        "T1",
    )
    yield from shipped(
        study(people.SEGUIN, "20261014", "133812", "26100024716", "Scintigraphie", DR_KOWALCZYK),
        1,
        "NM",
        "Corps entier",
        "JPEG2000.dcm",
        body_part="WHOLEBODY",
    )
    yield from chest(
        study(people.VAN_DEN_BOSSCHE, "20260205", "080914", "26020006632", "Thorax", DR_ABADIE), 801
    )
    therapy = study(
        people.VAN_DEN_BOSSCHE, "20261109", "153320", "26110024019", "Radiothérapie", DR_ABADIE
    )
    yield from shipped(therapy, 1, "RTPLAN", "Plan", "rtplan.dcm", body_part="CHEST")
    yield from shipped(therapy, 2, "RTDOSE", "Dose", "rtdose.dcm", body_part="CHEST")


def demo_objects() -> Iterator[bytes]:
    """Every object of the department, as DICOM files."""
    yield from outpatients()
    yield from wards()
    yield from stroke_ward()
    yield from lung_follow_up()
