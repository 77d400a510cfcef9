"""Instance attributes without a column come from the objects themselves."""

from io import BytesIO
from pathlib import Path
from types import ModuleType

import pydicom
import pytest
from pydicom.uid import ExplicitVRLittleEndian

from negatoscope.domain.archive import Archive, Source, SourceKind, Volume
from negatoscope.domain.archive.headers import header_reader
from negatoscope.domain.archive.query import Query, QueryLevel, search
from negatoscope.domain.archive.query.attributes import ATTRIBUTES, JSON_ATTRIBUTES
from negatoscope.domain.archive.query.patterns import normal_name
from negatoscope.domain.archive.record import (
    PATIENT_ATTRIBUTES,
    SERIES_ATTRIBUTES,
    STUDY_ATTRIBUTES,
    person_name_folded,
)
from negatoscope.domain.archive.retrieve import Retrieval
from negatoscope.infra.db import Database


def image(number: int) -> bytes:
    """A CT image of one series, as a Part 10 file."""
    ds = pydicom.Dataset()
    ds.SpecificCharacterSet = "ISO_IR 100"
    ds.SOPClassUID, ds.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.2", f"1.2.3.4.{number}"
    ds.StudyInstanceUID, ds.SeriesInstanceUID = "1.2.3", "1.2.3.4"
    ds.PatientID, ds.PatientName, ds.Modality = "P1", "Lefèvre^Zoé", "CT"
    ds.StudyDate, ds.StudyTime, ds.PatientBirthDate = "20240301", "093000", "00000000"
    ds.InstanceNumber, ds.KVP = number, 100 + number
    ds.ImageComments = "Écho"
    item = pydicom.Dataset()
    item.PatientID, item.IssuerOfPatientID = "OLD", "CLINIQUE"
    ds.OtherPatientIDsSequence = [item]
    request = pydicom.Dataset()
    request.RequestedProcedureID = "RP1"
    ds.RequestAttributesSequence = [request]
    ds.file_meta = pydicom.dataset.FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    out = BytesIO()
    ds.save_as(out, enforce_file_format=True)
    return out.getvalue()


def test_what_was_stored_is_found(
    database: Database, tmp_path: Path, index_kit: ModuleType
) -> None:
    """Through the archive's own door: columns, kept attributes and headers are all searched."""
    volume = Volume(name="main", path=tmp_path, low_watermark_bytes=0)
    archive = Archive(database=database, volumes=[volume])
    with archive.open_session(Source(kind=SourceKind.IMPORT)) as session:
        for number in (1, 2, 3):
            ingest = session.begin_part10()
            ingest.write(image(number))
            ingest.commit()
    retrieval = Retrieval(database, [volume])
    data = index_kit.data

    def uids(level: QueryLevel, **keys: object) -> list[str]:
        wanted = "0020000D" if level is QueryLevel.STUDY else "00080018"
        query = Query(
            level=level,
            keys=data(StudyInstanceUID=None, SOPInstanceUID=None) | data(**keys),
            relational=True,
        )
        headers = header_reader(retrieval) if level is QueryLevel.IMAGE else None
        return [m[wanted]["Value"][0] for m in search(database, query, headers=headers)]

    image_level = QueryLevel.IMAGE
    assert uids(image_level, KVP="102") == ["1.2.3.4.2"]
    assert uids(image_level, ImageComments="É*", InstanceNumber="3") == ["1.2.3.4.3"]
    assert uids(image_level, KVP="90") == []
    study = QueryLevel.STUDY
    assert uids(study, PatientName="LEFEVRE^ZOE", StudyDate="20240301-") == ["1.2.3"]
    assert uids(study, OtherPatientIDsSequence=data(PatientID="OLD")) == ["1.2.3"]
    assert uids(study, PatientBirthDate="19000101-") == []
    request = data(RequestedProcedureID="RP1")
    assert len(uids(image_level, RequestAttributesSequence=request)) == 3
    retrieval.close()
    archive.close()


@pytest.mark.parametrize("kept", [PATIENT_ATTRIBUTES, STUDY_ATTRIBUTES, SERIES_ATTRIBUTES])
def test_every_attribute_that_ingest_keeps_can_be_queried(kept: tuple[int, ...]) -> None:
    """The table of optional keys is what ingest writes into `attributes`."""
    written = {f"{tag:08X}" for tag in kept}
    assert written <= set(ATTRIBUTES)
    assert any(written == {f"{t:08X}" for t in known} for known in JSON_ATTRIBUTES.values())


def test_names_are_folded_as_ingest_folds_them() -> None:
    """A plain prefix is decided by the folded column alone: both foldings must agree."""
    for name in ("Dupont ^ Jean^^", "Œdipe^Zoé", " a b ^", "Müller"):
        assert normal_name(name) == person_name_folded(name)
