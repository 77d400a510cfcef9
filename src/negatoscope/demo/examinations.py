"""The examinations that the demonstration department does, and the machines it does them with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from negatoscope.demo import phantoms, projections, ultrasound
from negatoscope.demo.cross_sections import ct_volume, mr_stack
from negatoscope.demo.objects import Equipment, SeriesPlan, StudyPlan
from negatoscope.demo.people import RADIOLOGIST_PEYRE
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
    reading: str = RADIOLOGIST_PEYRE,
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
