"""PDF by Typst: the templates are ours, what is on the paper is data.

The data go in as one JSON text (``sys.inputs.data``), which Typst reads as values: a name that
looks like markup is printed as it stands. Nothing is fetched, no file is read beside the template,
and the fonts are those inside Typst.
"""

from collections.abc import Sequence
from importlib import resources
from itertools import groupby
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import orjson
import typst
from ppf.datamatrix import DataMatrix

from negatoscope.domain.performed.documents import code128, wording
from negatoscope.domain.performed.documents.model import Label, LabelSize, Letter, Sender

MAX_LABELS: Final = 240
_PACKAGE: Final = "negatoscope.domain.performed.documents.templates"


class CannotRender(Exception):
    """Something on the paper cannot be drawn.

    Args:
        message: Lower case, no full stop.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


def label_pdf(
    labels: Sequence[Label],
    size: LabelSize,
    *,
    zone: ZoneInfo,
    is_sheet: bool = False,
    skip: int = 0,
) -> bytes:
    """Labels, one on a page of its size, or side by side on sheets of A4.

    Args:
        skip: Places of the first sheet that are used already.

    Raises:
        CannotRender: too many, or a code that cannot be drawn.
    """
    if not 0 < len(labels) + skip <= MAX_LABELS:
        raise CannotRender(f"1 to {MAX_LABELS} labels can be drawn at once")
    places = [None] * skip if is_sheet else []
    data = {
        "labels": places + [_label(one, zone) for one in labels],
        "width": size.width_mm,
        "height": size.height_mm,
        "columns": size.columns,
        "rows": size.rows,
        "sheet": is_sheet,
    }
    return _compile("label.typ", data)


def letter_pdf(letter: Letter, sender: Sender, *, zone: ZoneInfo) -> bytes:
    """The letter of an appointment, on A4.

    Raises:
        CannotRender: it has no examination.
    """
    if not letter.procedures:
        raise CannotRender("the appointment has no examination")
    first = min(one.start_at for one in letter.procedures).astimezone(zone)
    language = letter.language
    data = {
        "language": language,
        "hospital": sender.hospital,
        "department": sender.department,
        "address": sender.address.splitlines(),
        "telephone": sender.telephone,
        "addressee": list(letter.addressee),
        "name": letter.name,
        "birth_date": wording.date_of_birth(letter.birth_date),
        "patient_id": letter.patient_id,
        "day": wording.day_in_words(first, language),
        "time": wording.time_in_words(first, language),
        "note": letter.note,
        "injected": any(one.is_injected for one in letter.procedures),
        "questions": sorted({q for one in letter.procedures for q in one.safety_questions}),
        "procedures": [
            {
                "name": one.name,
                "time": wording.time_in_words(one.start_at.astimezone(zone), language),
                "room": one.room,
                "location": one.location,
                "preparation": one.preparation,
                "accession_number": one.accession_number,
            }
            for one in sorted(letter.procedures, key=lambda one: one.start_at)
        ],
    }
    return _compile("letter.typ", data)


def _label(label: Label, zone: ZoneInfo) -> dict[str, Any]:
    try:
        bars = code128.bars(label.accession_number)
        modules = code128.module_count(label.accession_number)
        matrix = DataMatrix(label.matrix_text).matrix
    except ValueError as error:
        raise CannotRender("the accession number cannot be drawn in Code 128") from error
    start = "" if label.start_at is None else f"{label.start_at.astimezone(zone):%d/%m/%Y %H:%M}"
    return {
        "birth_name": label.birth_name,
        "first_birth_name": label.first_birth_name,
        "used_name": label.used_name,
        "birth_date": wording.date_of_birth(label.birth_date),
        "sex": label.sex,
        "patient_id": label.patient_id,
        "accession_number": label.accession_number,
        "procedure": label.procedure,
        "modality": label.modality,
        "start": start,
        "unit": label.requesting_service,
        "bars": bars,
        "modules": modules,
        "matrix": _runs(matrix),
        "matrix-size": len(matrix),
    }


def _runs(matrix: Sequence[Sequence[int]]) -> list[tuple[int, int, int]]:
    """Black modules that stand side by side: first column, row and how many."""
    found: list[tuple[int, int, int]] = []
    for y, row in enumerate(matrix):
        at = 0
        for is_black, modules in groupby(row, key=bool):
            count = len(list(modules))
            if is_black:
                found.append((at, y, count))
            at += count
    return found


def _compile(name: str, data: dict[str, Any]) -> bytes:
    folder = Path(str(resources.files(_PACKAGE)))
    try:
        return typst.compile(
            folder / name,
            root=folder,
            ignore_system_fonts=True,
            format="pdf",
            sys_inputs={"data": orjson.dumps(data).decode()},
        )
    except typst.TypstError as error:
        raise CannotRender("the document cannot be set") from error
