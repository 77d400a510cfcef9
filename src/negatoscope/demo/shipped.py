"""Objects that come with the pydicom package, put under the name of our patients.

They bring what a generator cannot make here: compressed pixels of several coders, a waveform, a
radiotherapy plan. Their headers are kept except for the patient, the study and the identifiers.
"""

from __future__ import annotations

import warnings
from importlib.resources import files
from io import BytesIO

import pydicom
from pydicom.dataset import Dataset

from negatoscope.demo.objects import SeriesPlan, header, part10

REPLACED = frozenset(
    {
        0x00080005, 0x00080012, 0x00080013, 0x00080018, 0x00080020, 0x00080021, 0x00080030,
        0x00080031, 0x00080050, 0x00080080, 0x00080081, 0x00080090, 0x00081030, 0x0008103E,
        0x00081040, 0x00081050, 0x00180015, 0x00200060, 0x00081060, 0x00081070, 0x0020000D, 0x0020000E, 0x00200010,
        0x00200011, 0x00200013,
    }
)  # fmt: skip
"""Identification, study and people: taken from our header. Group 0010 is replaced as a whole."""


def shipped_object(series: SeriesPlan, file_name: str, *, instance_number: int = 1) -> bytes:
    """One object of pydicom's test files as an object of ``series``."""
    raw = files("pydicom").joinpath("data", "test_files", file_name).read_bytes()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # these files exist to make readers warn
        original = pydicom.dcmread(BytesIO(raw), force=True)
        ours = header(series, original.SOPClassUID, instance_number)
        merged = Dataset()
        for element in original:
            private = element.tag.is_private
            if element.tag.group != 0x0010 and element.tag not in REPLACED and not private:
                merged.add(element)
        for element in ours:
            if element.tag.group == 0x0010 or element.tag in REPLACED:
                merged.add(element)
        _shift_dates(merged, series)
        return part10(merged, original.file_meta.TransferSyntaxUID)


def _shift_dates(data_set: Dataset, series: SeriesPlan) -> None:
    """Acquisition and content happened during our study, not when the file was made."""
    for keyword in ("AcquisitionDate", "ContentDate", "StructureSetDate", "RTPlanDate"):
        if data_set.get(keyword):
            setattr(data_set, keyword, series.study.study_date)
    for keyword in ("AcquisitionTime", "ContentTime", "StructureSetTime", "RTPlanTime"):
        if data_set.get(keyword):
            setattr(data_set, keyword, series.study.time_after(series.starts_after_s))
    if data_set.get("AcquisitionDateTime"):
        data_set.AcquisitionDateTime = series.study.study_date + series.study.time_after(
            series.starts_after_s
        )
