"""dicomweb-client as a stranger: it stores, searches and retrieves."""

from pathlib import Path
from typing import Any

import pydicom
import pytest
from dicomweb_client.api import DICOMwebClient

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(scope="module")
def client(archive: Any) -> DICOMwebClient:
    """The library, with a radiologist's token."""
    return DICOMwebClient(
        url=archive.dicomweb, headers={"Authorization": f"Bearer {archive.token}"}
    )


@pytest.fixture(scope="module")
def study(client: DICOMwebClient, shared_data: Path) -> list[pydicom.Dataset]:
    """A CT study, stored through STOW-RS."""
    files = sorted((shared_data / "ct" / "nist-multi-ct" / "images").glob("*.dcm"))[:6]
    data_sets = [pydicom.dcmread(path) for path in files]
    answer = client.store_instances(data_sets)
    assert len(answer.ReferencedSOPSequence) == len(data_sets)
    return data_sets


def test_search_for_studies(client: DICOMwebClient, study: list[pydicom.Dataset]) -> None:
    """QIDO-RS by Patient ID finds the study with its counts."""
    found = client.search_for_studies(search_filters={"PatientID": study[0].PatientID})
    (one,) = [pydicom.Dataset.from_json(item) for item in found]
    assert one.StudyInstanceUID == study[0].StudyInstanceUID
    assert one.NumberOfStudyRelatedInstances == len(study)


def test_search_pages(client: DICOMwebClient, study: list[pydicom.Dataset]) -> None:
    """``limit`` and ``offset`` walk through all instances once."""
    uid = study[0].StudyInstanceUID
    seen = []
    for offset in range(0, len(study), 2):
        page = client.search_for_instances(uid, limit=2, offset=offset)
        seen += [item["00080018"]["Value"][0] for item in page]
    assert sorted(seen) == sorted(str(data_set.SOPInstanceUID) for data_set in study)


def test_retrieve_metadata(client: DICOMwebClient, study: list[pydicom.Dataset]) -> None:
    """Metadata of a series are the headers, pixels apart."""
    found = client.retrieve_series_metadata(study[0].StudyInstanceUID, study[0].SeriesInstanceUID)
    by_uid = {item["00080018"]["Value"][0]: pydicom.Dataset.from_json(item) for item in found}
    original = study[0]
    told = by_uid[str(original.SOPInstanceUID)]
    for keyword in ("PatientName", "Rows", "ImagePositionPatient", "PixelSpacing", "StudyDate"):
        assert told[keyword].value == original[keyword].value


def test_retrieve_study(client: DICOMwebClient, study: list[pydicom.Dataset]) -> None:
    """Instances as stored, in one multipart answer."""
    found = client.retrieve_study(
        study[0].StudyInstanceUID, media_types=(("application/dicom", "*"),)
    )
    pixels = {str(data_set.SOPInstanceUID): data_set.PixelData for data_set in found}
    assert pixels == {str(data_set.SOPInstanceUID): data_set.PixelData for data_set in study}


def test_retrieve_frames(client: DICOMwebClient, study: list[pydicom.Dataset]) -> None:
    """A frame of native pixel data is its bytes."""
    one = study[0]
    (frame,) = client.retrieve_instance_frames(
        one.StudyInstanceUID, one.SeriesInstanceUID, one.SOPInstanceUID, [1]
    )
    assert frame == one.PixelData[: one.Rows * one.Columns * 2]


def test_store_again_is_success(client: DICOMwebClient, study: list[pydicom.Dataset]) -> None:
    """Sending the same objects twice changes nothing."""
    before = client.search_for_instances(study[0].StudyInstanceUID)
    answer = client.store_instances(study)
    assert len(answer.ReferencedSOPSequence) == len(study)
    assert "FailedSOPSequence" not in answer
    assert client.search_for_instances(study[0].StudyInstanceUID) == before


def test_without_token_nothing_is_told(archive: Any) -> None:
    """401 and a problem document."""
    import httpx

    answer = httpx.get(f"{archive.dicomweb}/studies")
    assert answer.status_code == 401
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert {"type", "title", "status", "code"} <= set(answer.json())
