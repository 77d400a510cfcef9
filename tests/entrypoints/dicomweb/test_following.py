"""A merge by message, and what DICOMweb gives out the moment after it."""

import io
import zipfile

import pydicom
import pytest

from negatoscope.entrypoints.hl7v2 import adt
from negatoscope.protocols.hl7v2 import parse

STUDY = "1.2.826.0.1.3680043.10.7.1"
ROOT = f"/dicom-web/studies/{STUDY}"
SERIES = f"{ROOT}/series/{STUDY}.1"
INSTANCE = f"{SERIES}/instances/{STUDY}.1.1"
MSH = "MSH|^~\\&|ADM|CHU|PACS|CHU|20261124||ADT^{event}^{structure}|{number}|P|2.5||||||8859/1\r"
PID = "PID|||{number}^^^CHU&1.2.250.9.1&ISO^PI||{family}^Eloise^^^^^L||19610503|F\r"
IMPLICIT = "1.2.840.10008.1.2"


def carry_out(served, text):
    with served.services.database.connection() as connection:
        adt.apply(connection, 1, parse(text.encode()))


def admit(served, number, family, event="A28"):
    head = MSH.format(event=event, structure="ADT_A05", number=number)
    carry_out(served, head + PID.format(number=number, family=family))


def merge(served, survivor, subsumed):
    head = MSH.format(event="A40", structure="ADT_A39", number="9")
    gone = f"MRG|{subsumed}^^^CHU&1.2.250.9.1&ISO^PI\r"
    carry_out(served, head + PID.format(number=survivor, family="DUPONT") + gone)


@pytest.fixture
def sent(served, helpers):
    """An image of the patient whose file ends."""
    one = helpers.make_ct(
        study=STUDY, patient_id="P2", name="DUPOND^Eloise", IssuerOfPatientID="CHU"
    )
    assert served.store(one).status_code == 200
    admit(served, "P1", "DUPONT")
    admit(served, "P2", "DUPOND")
    return one


def test_every_door_gives_the_patient_of_after_the_merge(served, sent):
    """QIDO-RS, metadata of one and of all, objects as they are and transcoded, ranges, archives of files."""
    api = served.client()
    as_stored = {"Accept": 'application/dicom; transfer-syntax="*"'}
    before = api.get(INSTANCE, headers=as_stored)
    assert str(pydicom.dcmread(io.BytesIO(before.content)).PatientName) == "DUPOND^Eloise"
    metadata = api.get(f"{SERIES}/metadata")

    merge(served, "P1", "P2")

    (found,) = api.get("/dicom-web/studies", params={"PatientID": "P1"}).json()
    assert found["00100010"]["Value"] == [{"Alphabetic": "DUPONT^Eloise"}]
    assert api.get("/dicom-web/studies", params={"PatientID": "P2"}).text in {"", "[]"}
    for path in (f"{ROOT}/metadata", f"{SERIES}/metadata", f"{INSTANCE}/metadata"):
        (line,) = api.get(path).json()
        assert line["00100020"]["Value"] == ["P1"]
        (item,) = line["04000561"]["Value"]
        assert item["04000550"]["Value"][0]["00100020"]["Value"] == ["P2"]
    etag = metadata.headers.get("etag")
    if etag is not None:
        again = api.get(f"{SERIES}/metadata", headers={"If-None-Match": etag})
        assert again.status_code == 200
    unchanged = api.get(INSTANCE, headers=as_stored | {"If-None-Match": before.headers["etag"]})
    part = api.get(INSTANCE, headers=as_stored | {"Range": "bytes=0-9"})
    other = api.get(INSTANCE, headers={"Accept": f"application/dicom; transfer-syntax={IMPLICIT}"})
    for answer in (unchanged, part, other):
        assert answer.status_code == 200, answer.text
        given = pydicom.dcmread(io.BytesIO(answer.content))
        assert (given.PatientID, str(given.PatientName)) == ("P1", "DUPONT^Eloise")
        assert given.IssuerOfPatientID == "CHU"
        assert given.OtherPatientIDsSequence[0].PatientID == "P2"
        assert given.PixelData == sent.PixelData
    archived = api.get(ROOT, headers={"Accept": "application/zip"})
    with zipfile.ZipFile(io.BytesIO(archived.content)) as files:
        (name,) = [one for one in files.namelist() if one.endswith(".dcm")]
        assert pydicom.dcmread(io.BytesIO(files.read(name))).PatientID == "P1"


def test_messages_that_merge_in_a_circle_change_nothing_more(served, sent):
    """The second A40 is refused; the study stays under the file that goes on."""
    merge(served, "P1", "P2")
    for survivor, subsumed in (("P2", "P1"), ("P1", "P2"), ("P1", "P1")):
        merge(served, survivor, subsumed)
    rows = served.services.database
    with rows.connection() as connection:
        merged = connection.execute(
            "SELECT count(*) FROM registered_patient WHERE merged_into IS NOT NULL"
        ).fetchone()
    assert merged == (1,)
    (found,) = served.client().get("/dicom-web/studies").json()
    assert found["00100020"]["Value"] == ["P1"]
