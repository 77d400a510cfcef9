"""The text that is burned into a picture when it is asked for (PS3.18 §8.3.5.1.1)."""

from collections.abc import Mapping, Sequence
from typing import Any

from negatoscope.domain.viewing.documents import person
from negatoscope.protocols.dicom.pixel.display.attributes import number, text
from negatoscope.standard import tags


def corners_of(data_set: Mapping[str, Any], annotations: Sequence[str]) -> list[list[str]] | None:
    """Lines of text for the upper left (patient) and upper right (technique) corners.

    Standard: PS3.18 §8.3.5.1.1.
    """
    if not annotations:
        return None
    left: list[str] = []
    right: list[str] = []
    if "patient" in annotations:
        left = [
            person(data_set, tags.PATIENT_NAME),
            text(data_set, tags.PATIENT_ID) or "",
            " ".join(
                (
                    _date(text(data_set, tags.PATIENT_BIRTH_DATE)),
                    text(data_set, tags.PATIENT_SEX) or "",
                )
            ).strip(),
        ]
    if "technique" in annotations:
        modality = text(data_set, tags.MODALITY) or ""
        right = [
            f"{modality} {_date(text(data_set, tags.STUDY_DATE))}".strip(),
            text(data_set, tags.STUDY_DESCRIPTION) or "",
            text(data_set, tags.SERIES_DESCRIPTION) or "",
        ]
        for tag, unit in (
            (tags.KVP, "kV"),
            (tags.SLICE_THICKNESS, "mm"),
            (tags.REPETITION_TIME, "ms TR"),
            (tags.ECHO_TIME, "ms TE"),
        ):
            value = number(data_set, tag)
            if value is not None:
                right.append(f"{value:g} {unit}")
    return [[line for line in lines if line] for lines in (left, right)]


def _date(given: str | None) -> str:
    if given and len(given) == 8 and given.isdigit():
        return f"{given[:4]}-{given[4:6]}-{given[6:]}"
    return given or ""
