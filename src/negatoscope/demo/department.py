"""The demonstration department: thirteen patients, two studies each, and what was made in them.

`demo_objects` yields every object as a DICOM file, study after study in the order of their dates.
The same release yields the same bytes each time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydicom.uid import CTImageStorage

from negatoscope.demo import documents, people, phantoms, projections, ultrasound
from negatoscope.demo.cross_sections import ct_volume, enhanced_mr_cine, mr_stack
from negatoscope.demo.objects import Equipment, SeriesPlan, StudyPlan
from negatoscope.demo.people import DR_ABADIE, DR_CARRERE, DR_KOWALCZYK, DR_LE_GOFF, DR_TRAORE
from negatoscope.demo.people import RADIOLOGIST_DELMAS as DELMAS
from negatoscope.demo.people import RADIOLOGIST_PEYRE as PEYRE
from negatoscope.demo.phantoms import Plane
from negatoscope.demo.shipped import shipped_object

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from negatoscope.demo.people import Person

SCANNER = Equipment(
    manufacturer="Fantôme",
    model_name="Helix 128",
    station_name="SCANNER1",
    device_serial_number="H128-0042",
)
MAGNET = Equipment(
    manufacturer="Fantôme",
    model_name="Aimant 1.5",
    station_name="IRM1",
    device_serial_number="A15-0007",
)
ECHOGRAPH = Equipment(
    manufacturer="Fantôme",
    model_name="Sonar E3",
    station_name="ECHO2",
    device_serial_number="E3-1180",
)
RADIOGRAPHY = Equipment(
    manufacturer="Fantôme",
    model_name="Capteur 43",
    station_name="SALLE3",
    device_serial_number="C43-0310",
)
PLATE_READER = Equipment(
    manufacturer="Fantôme",
    model_name="Lecteur CR",
    station_name="URGENCES",
    device_serial_number="CR-0099",
)
MAMMOGRAPH = Equipment(
    manufacturer="Fantôme",
    model_name="Sénologie 24",
    station_name="MAMMO1",
    device_serial_number="S24-0021",
)
WORKSTATION = Equipment(
    manufacturer="Negatoscope",
    model_name="Negatoscope",
    station_name="CONSOLE5",
    device_serial_number="N-0001",
)

THORAX_PLANE = Plane(512, 0.7421875)
HEAD_PLANE = Plane(512, 0.44921875)
BRAIN_PLANE = Plane(256, 0.8984375)
KNEE_PLANE = Plane(320, 0.5)
HEART_PLANE = Plane(192, 1.875)


def study(  # noqa: PLR0917 - the department's book is a table of these calls
    person: Person,
    date: str,
    time: str,
    accession_number: str,
    description: str,
    referring: str,
    reading: str = PEYRE,
) -> StudyPlan:
    """One study; its accession number is also the key of its UIDs."""
    return StudyPlan(
        key=accession_number,
        person=person,
        study_date=date,
        start_time=time,
        accession_number=accession_number,
        study_description=description,
        referring_physician_name=referring,
        reading_physician_name=reading,
    )


def thorax_scan(plan: StudyPlan, *, slices: int, nodule_radius_mm: float) -> Iterator[bytes]:
    """The volume of a chest CT, 1.25 mm apart."""
    tissues = phantoms.thorax_tissues(nodule_radius_mm)
    yield from ct_volume(
        thorax_series(plan),
        slices=slices,
        spacing_mm=1.25,
        first_mm=-150,
        plane=THORAX_PLANE,
        draw=lambda z, plane, index: phantoms.thorax_slice(z, plane, tissues, index),
        window=(40, 400),
        kernel="B30",
        contrast_agent="Produit de contraste iodé",
    )


def thorax_series(plan: StudyPlan) -> SeriesPlan:
    """The series of the volume of a chest CT."""
    return SeriesPlan(
        study=plan,
        number=2,
        modality="CT",
        description="Thorax injecté 1,25 mm",
        equipment=SCANNER,
        body_part_examined="CHEST",
        protocol_name="Thorax TAP injecté",
        starts_after_s=240,
    )


def head_scan(plan: StudyPlan, *, haematoma: bool) -> Iterator[bytes]:
    """A head CT without contrast, 4 mm apart."""
    yield from ct_volume(
        SeriesPlan(
            study=plan,
            number=2,
            modality="CT",
            description="Crâne sans injection 4 mm",
            equipment=SCANNER,
            body_part_examined="HEAD",
            protocol_name="Crâne urgence",
            starts_after_s=150,
        ),
        slices=40,
        spacing_mm=4,
        first_mm=-88,
        plane=HEAD_PLANE,
        draw=lambda z, plane, index: phantoms.head_slice(z, plane, index, haematoma=haematoma),
        window=(40, 80),
        kernel="H31",
    )


def brain_magnet(plan: StudyPlan, *weightings: str) -> Iterator[bytes]:
    """A brain MR, one series of 26 slices per weighting."""
    for number, weighting in enumerate(weightings, start=1):
        yield from mr_stack(
            SeriesPlan(
                study=plan,
                number=number,
                modality="MR",
                description=f"AX {weighting}",
                equipment=MAGNET,
                body_part_examined="BRAIN",
                protocol_name="Encéphale",
                starts_after_s=number * 260,
            ),
            weighting=weighting,
            slices=26,
            spacing_mm=5.5,
            plane=BRAIN_PLANE,
            draw=phantoms.brain_slice,
        )


def knee_magnet(plan: StudyPlan, laterality: str) -> Iterator[bytes]:
    """A knee MR, sagittal T1 and T2."""
    for number, weighting in enumerate(("T1", "T2"), start=1):
        yield from mr_stack(
            SeriesPlan(
                study=plan,
                number=number,
                modality="MR",
                description=f"SAG {weighting}" + (" FS" if weighting == "T2" else ""),
                equipment=MAGNET,
                body_part_examined="KNEE",
                protocol_name="Genou",
                laterality=laterality,
                starts_after_s=number * 240,
            ),
            weighting=weighting,
            slices=24,
            spacing_mm=4,
            plane=KNEE_PLANE,
            draw=phantoms.knee_slice,
            sagittal=True,
        )


def chest(plan: StudyPlan, seed: int) -> Iterator[bytes]:
    """Frontal and lateral chest radiographs."""
    yield from projections.chest_pair(
        SeriesPlan(
            study=plan,
            number=1,
            modality="DX",
            description="Thorax face et profil",
            equipment=RADIOGRAPHY,
            body_part_examined="CHEST",
        ),
        seed,
    )


def plate(
    plan: StudyPlan, view: projections.View, seed: int, *, body_part: str, description: str
) -> Iterator[bytes]:
    """One computed radiograph from the emergency ward."""
    draw: Callable[[int, int, int], phantoms.Words] = (
        phantoms.chest_radiograph if body_part == "CHEST" else phantoms.limb_radiograph
    )
    yield projections.computed_radiograph(
        SeriesPlan(
            study=plan,
            number=1,
            modality="CR",
            description=description,
            equipment=PLATE_READER,
            body_part_examined=body_part,
            laterality=view.laterality if view.laterality in {"L", "R"} else None,
        ),
        view,
        draw(1760, 1440, seed),
    )


def breasts(plan: StudyPlan, *, seed: int, oblique: bool) -> Iterator[bytes]:
    """A mammography: cranio-caudal views of both sides, with the obliques when asked."""
    series = SeriesPlan(
        study=plan,
        number=1,
        modality="MG",
        description="Mammographie bilatérale",
        equipment=MAMMOGRAPH,
        body_part_examined="BREAST",
    )
    number = 0
    for is_oblique in (False, True) if oblique else (False,):
        for left in (False, True):
            number += 1
            yield projections.mammogram(
                series,
                phantoms.breast(2294, 1914, seed, left=left, oblique=is_oblique),
                left=left,
                oblique=is_oblique,
                instance_number=number,
            )


def echography(
    plan: StudyPlan,
    description: str,
    *,
    body_part: str,
    stills: int,
    loop_frames: int,
    seed: int,
    laterality: str | None = None,
) -> Iterator[bytes]:
    """Still images, then one colour loop."""
    series = SeriesPlan(
        study=plan,
        number=1,
        modality="US",
        description=description,
        equipment=ECHOGRAPH,
        body_part_examined=body_part,
        laterality=laterality,
    )
    for number in range(1, stills + 1):
        yield ultrasound.ultrasound_image(series, instance_number=number, seed=seed + number)
    if loop_frames:
        yield ultrasound.ultrasound_loop(
            series, instance_number=stills + 1, frames=loop_frames, seed=seed
        )


def shipped(
    plan: StudyPlan,
    number: int,
    modality: str,
    description: str,
    *names: str,
    body_part: str = "",
) -> Iterator[bytes]:
    """One series of objects that come with a package."""
    series = SeriesPlan(
        study=plan,
        number=number,
        modality=modality,
        description=description,
        equipment=WORKSTATION,
        body_part_examined=body_part,
        starts_after_s=number * 120,
    )
    for instance_number, name in enumerate(names, start=1):
        yield shipped_object(series, name, instance_number=instance_number)


def document_series(plan: StudyPlan, number: int, modality: str, description: str) -> SeriesPlan:
    """A series made at a reading station, an hour after the examination."""
    return SeriesPlan(
        study=plan,
        number=number,
        modality=modality,
        description=description,
        equipment=WORKSTATION,
        starts_after_s=3600 + number,
        operators_name="",
    )


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
