"""The demonstration department: the same each time, valid, and never a real person."""

import hashlib
import shutil
import subprocess
from collections import defaultdict
from io import BytesIO
from pathlib import Path

import pydicom
import pytest

from negatoscope.demo import people
from negatoscope.demo.department import demo_objects, wards
from negatoscope.demo.objects import demo_uid
from negatoscope.kit.uid import is_valid_uid


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the first object of every series."""
    return tmp_path_factory.mktemp("examples")


@pytest.fixture(scope="module")
def department(examples: Path) -> list[pydicom.Dataset]:
    """Headers of the whole department, with the digest of each file."""
    headers = []
    series = set()
    for content in demo_objects():
        header = pydicom.dcmread(BytesIO(content), stop_before_pixels=True)
        header.digest = hashlib.sha256(content).hexdigest()
        headers.append(header)
        if header.SeriesInstanceUID not in series:
            series.add(header.SeriesInstanceUID)
            (examples / f"{header.SOPInstanceUID}.dcm").write_bytes(content)
    return headers


def test_each_patient_has_two_studies_on_different_days(department: list[pydicom.Dataset]) -> None:
    """Priors: two studies per patient, of different dates, each with its accession number."""
    studies = defaultdict(dict)
    for header in department:
        studies[header.PatientID][header.StudyInstanceUID] = (
            header.StudyDate,
            header.AccessionNumber,
            header.ReferringPhysicianName,
        )
    assert {person.patient_id for person in people.PATIENTS} == set(studies)
    for patient_studies in studies.values():
        assert len(patient_studies) == 2
        dates, accession_numbers, physicians = zip(*patient_studies.values(), strict=True)
        assert len(set(dates)) == len(set(accession_numbers)) == 2
        assert all(physicians)


def test_covers_the_kinds_of_object_a_department_makes(department: list[pydicom.Dataset]) -> None:
    """Volumes, stacks, loops, enhanced, radiographs, mammograms, documents, waveform, therapy."""
    modalities = {header.Modality for header in department}
    assert {"CT", "MR", "US", "DX", "CR", "MG", "SR", "KO", "DOC", "ECG", "NM"} <= modalities
    assert {"RTPLAN", "RTDOSE"} <= modalities
    syntaxes = {header.file_meta.TransferSyntaxUID for header in department}
    assert pydicom.uid.JPEGBaseline8Bit in syntaxes
    assert pydicom.uid.JPEG2000 in syntaxes
    volumes = defaultdict(int)
    for header in department:
        if header.Modality == "CT":
            assert (header.Rows, header.Columns, header.BitsAllocated) == (512, 512, 16)
            volumes[header.SeriesInstanceUID] += 1
    assert max(volumes.values()) >= 200


def test_uids_are_unique_and_under_the_uuid_root(department: list[pydicom.Dataset]) -> None:
    """PS3.5 §B.2; one SOP Instance UID per object, none of the shipped files' own."""
    uids = [header.SOPInstanceUID for header in department]
    assert len(set(uids)) == len(uids)
    for header in department:
        for uid in (header.SOPInstanceUID, header.SeriesInstanceUID, header.StudyInstanceUID):
            assert uid.startswith("2.25.")
            assert is_valid_uid(uid)


def test_uids_depend_on_names_only() -> None:
    """The same name gives the same UID in every process and on every machine."""
    assert demo_uid("study", "26110042187") == demo_uid("study", "26110042187")
    assert demo_uid("study", "a", "b") != demo_uid("study", "a b")


def test_generated_twice_is_the_same_bytes(department: list[pydicom.Dataset]) -> None:
    """Loading twice must find every object already there."""
    digests = {header.digest for header in department}
    assert {hashlib.sha256(content).hexdigest() for content in wards()} <= digests


def test_names_survive_their_character_set(department: list[pydicom.Dataset]) -> None:
    """Accents, ligatures and Vietnamese come back as they were typed."""
    names = {header.PatientID: str(header.PatientName) for header in department}
    assert names == {person.patient_id: person.patient_name for person in people.PATIENTS}


def test_ages_follow_birth_and_study_dates() -> None:
    """Years for grown-ups, months for infants (PS3.5 §6.2, AS)."""
    assert people.LEFEVRE.age_on("20260313") == "077Y"
    assert people.LEFEVRE.age_on("20260314") == "078Y"
    assert people.LHERITIER.age_on("20260410") == "001M"


def test_report_and_key_images_refer_to_objects_that_exist(
    department: list[pydicom.Dataset],
) -> None:
    """Every reference of the SR and of the KOS resolves inside the department."""
    uids = {header.SOPInstanceUID for header in department}
    documents = [header for header in department if header.Modality in {"SR", "KO"}]
    references = {
        element.value
        for document in documents
        for element in document.iterall()
        if element.keyword == "ReferencedSOPInstanceUID"
    }
    assert len(documents) == 2
    assert references
    assert references <= uids


@pytest.mark.stranger
@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="dicom3tools is not installed")
def test_dciodvfy_finds_no_error(department: list[pydicom.Dataset], examples: Path) -> None:
    """One object of every generated series is valid for dicom3tools."""
    problems = []
    for header in department:
        path = examples / f"{header.SOPInstanceUID}.dcm"
        if not path.exists() or header.Modality in {"ECG", "RTPLAN", "RTDOSE", "NM"}:
            continue  # not the first of its series, or a shipped object with flaws of its own
        result = subprocess.run(
            ["dciodvfy", "-new", path], capture_output=True, text=True, check=False
        )
        report = (result.stdout + result.stderr).splitlines()
        problems += [f"{header.SeriesDescription}: {line}" for line in report if "Error" in line]
    assert problems == []
