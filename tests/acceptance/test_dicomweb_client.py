"""dicomweb-client as a stranger: it stores, searches and retrieves."""

import subprocess
import zipfile
from io import BytesIO
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


def test_retrieve_bulk_data(
    archive: Any, client: DICOMwebClient, study: list[pydicom.Dataset]
) -> None:
    """What the metadata name by URI is had under it, as the one part of a multipart."""
    one = study[0]
    uids = (one.StudyInstanceUID, one.SeriesInstanceUID, one.SOPInstanceUID)
    told = client.retrieve_instance_metadata(*uids)["7FE00010"]["BulkDataURI"]
    uri = archive.dicomweb + told.partition("/dicom-web")[2]  # this client's Host has no port
    (whole,) = client.retrieve_bulkdata(uri)
    assert whole == one.PixelData


def test_curl_resumes_a_download(
    archive: Any, study: list[pydicom.Dataset], tmp_path: Path
) -> None:
    """``curl -C -`` asks for the rest only; ``-G`` and WADO-URI give the same object."""
    one = study[0]
    uids = (one.StudyInstanceUID, one.SeriesInstanceUID, one.SOPInstanceUID)
    instance = f"{archive.dicomweb}/studies/{uids[0]}/series/{uids[1]}/instances/{uids[2]}"
    file = tmp_path / "pixels"
    file.write_bytes(one.PixelData[:1000])
    bearer = ("-H", f"Authorization: Bearer {archive.token}")
    told = curl(*bearer, "-C", "-", "-o", str(file), "-w", "%{http_code} %{size_download}",
                f"{instance}/bulkdata/7FE00010")  # fmt: skip
    assert told == f"206 {len(one.PixelData) - 1000}".encode()
    assert file.read_bytes() == one.PixelData
    asked = [f"requestType=WADO&studyUID={uids[0]}&seriesUID={uids[1]}&objectUID={uids[2]}"]
    asked.append("contentType=application/dicom")
    given = [part for text in asked for part in ("-d", text)]
    by_uri = curl(*bearer, "-G", *given, f"{archive.url}/wado")
    assert by_uri == curl(*bearer, "-H", "Accept: application/dicom", instance)
    assert pydicom.dcmread(BytesIO(by_uri)).PixelData == one.PixelData


def test_curl_downloads_a_study_as_zip(
    archive: Any, study: list[pydicom.Dataset], tmp_path: Path
) -> None:
    """Python's zipfile finds every object whole."""
    file = tmp_path / "study.zip"
    curl("-H", f"Authorization: Bearer {archive.token}", "-H", "Accept: application/zip",
         "-o", str(file), f"{archive.dicomweb}/studies/{study[0].StudyInstanceUID}")  # fmt: skip
    with zipfile.ZipFile(file) as held:
        assert held.testzip() is None
        found = [pydicom.dcmread(BytesIO(held.read(name))) for name in held.namelist()]
    assert {one.SOPInstanceUID: one.PixelData for one in found} == {
        one.SOPInstanceUID: one.PixelData for one in study
    }


def curl(*arguments: str) -> bytes:
    """What curl writes; it fails on any status from 400 on."""
    done = subprocess.run(
        ["curl", "-sS", "--fail", *arguments], capture_output=True, check=True, timeout=60
    )
    return done.stdout


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
