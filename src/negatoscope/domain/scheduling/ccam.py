"""The CCAM: the act table of the French health insurance, read for its imaging acts.

The table is published as a sheet (code, text, activity, phase, prices, grouping). Codes are four letters
and three digits; the third letter Q is an examination, the fourth says how: H and J with contrast, K
X-rays without, N magnetic resonance without, M ultrasound, L nuclear medicine.
"""

import csv
import io
import re
from collections.abc import Iterator
from typing import Final

from negatoscope.domain.scheduling.catalogue import Contrast, Procedure, SafetyQuestion
from negatoscope.domain.scheduling.catalogue_errors import UnreadableFile
from negatoscope.kit.text import fold

_CODE: Final = re.compile(r"[A-Z]{4}\d{3}")
_IMAGING_GROUPS: Final = frozenset({"ADI", "ADE", "AID"})
_MAX_LABEL: Final = 300
_WORDS: Final = (
    ("emission de positons", "PT"),
    ("tomographie par emission", "PT"),
    ("scintigraphi", "NM"),
    ("remnographi", "MR"),
    ("hysterosonographi", "US"),
    ("scanographi", "CT"),
    ("echo", "US"),
    ("doppler", "US"),
    ("mammographi", "MG"),
    ("osteodensitometri", "BMD"),
    ("dentomaxillaire", "PX"),
    ("faisceau conique", "CT"),
    ("intrabuccal", "IO"),
    ("arteriographi", "XA"),
    ("angiographi", "XA"),
    ("phlebographi", "XA"),
    ("coronarographi", "XA"),
    ("tomographie a coherence optique", "OPT"),
)
_DURATIONS_MIN: Final = {"MR": 30, "PT": 60, "NM": 60, "XA": 60, "CT": 20, "US": 20, "MG": 15}


def imaging_acts(text: str) -> Iterator[tuple[int, Procedure]]:
    """The imaging acts of the table with the number of their line, as inactive procedures.

    Raises:
        UnreadableFile: there is none in it.
    """
    reader = csv.reader(io.StringIO(text))
    found: set[str] = set()
    try:
        for cells in reader:
            code = cells[0].strip() if cells else ""
            if _CODE.fullmatch(code) is None or code in found or len(cells) < 3:
                continue
            if not _IMAGING_GROUPS & {cell.strip() for cell in cells[3:]}:
                continue
            found.add(code)
            yield reader.line_num, _procedure(code, " ".join(cells[2].split()))
    except csv.Error as error:
        raise UnreadableFile(f"line {reader.line_num}: {error}") from error
    if not found:
        raise UnreadableFile(
            "no imaging act of the CCAM is in the file",
            hint="it is the sheet with columns Code, Texte, ... Regroupement, with commas.",
        )


def modality_of(label: str, technique: str) -> str:
    """The DICOM modality that an act's words tell; radiography where nothing else is said."""
    folded = fold(label)
    for word, modality in _WORDS:
        if word in folded:
            return modality
    return {"L": "NM", "M": "US", "N": "MR", "J": "MR"}.get(technique, "DX")


def _procedure(code: str, label: str) -> Procedure:
    technique = code[3]
    modality = modality_of(label, technique)
    is_injected = technique in "HJ" and "sans injection" not in fold(label)
    questions = [] if modality == "US" else [SafetyQuestion.PREGNANCY]
    if modality == "MR":
        questions.append(SafetyQuestion.MR_IMPLANTS)
    if is_injected:
        questions += [SafetyQuestion.CONTRAST_REACTION, SafetyQuestion.RENAL_FUNCTION]
    return Procedure(
        code_value=code,
        coding_scheme_designator="CCAM",
        label_fr=label[:_MAX_LABEL].replace("\\", "/"),
        modality=modality,
        duration_min=_DURATIONS_MIN.get(modality, 10),
        contrast=Contrast.REQUIRED if is_injected else Contrast.NONE,
        safety_questions=tuple(questions),
        is_active=False,
    )
