"""C-MOVE and C-GET to peers that do not take the stored transfer syntax."""

from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from pydicom.filebase import DicomBytesIO
from pydicom.filereader import read_dataset
from pynetdicom import AE, build_role, evt

from negatoscope.standard import transfer_syntaxes as ts

STUDY_ROOT_MOVE = "1.2.840.10008.5.1.4.1.2.2.2"
STUDY_ROOT_GET = "1.2.840.10008.5.1.4.1.2.2.3"
NAME = "transfer-syntaxes/ct/1.2.840.10008.1.2.4.80.dcm"


def _identifier(node: Any, sop: str) -> pydicom.Dataset:
    node.register("WORKSTATION", 1)
    query = pydicom.Dataset()
    query.QueryRetrieveLevel = "STUDY"
    query.StudyInstanceUID = next(node.retrieval.instances(sop=sop)).study_instance_uid
    return query


def _pixels(raw: bytes, *, implicit: bool) -> Any:
    got = read_dataset(DicomBytesIO(raw), is_implicit_VR=implicit, is_little_endian=True)
    return np.frombuffer(got.PixelData, "i2").reshape(got.Rows, got.Columns), got


def test_move_decodes_for_a_destination_that_takes_no_compression(
    node: Any, receiver: Any, shared_data: Path
) -> None:
    """Explicit VR little endian is proposed beside the stored syntax; samples are equal."""
    path = shared_data / NAME
    (sop,) = node.store(path.read_bytes())
    source = pydicom.dcmread(path)
    server = receiver(contexts=[(source.SOPClassUID, [ts.EXPLICIT_VR_LITTLE_ENDIAN])])
    node.register("DEST", server.port)
    entity = AE("WORKSTATION")
    entity.add_requested_context(STUDY_ROOT_MOVE)
    identifier = _identifier(node, sop)
    assoc = entity.associate("127.0.0.1", node.port, ae_title=node.ae_title)
    *_, (status, _found) = assoc.send_c_move(identifier, "DEST", STUDY_ROOT_MOVE)
    assoc.release()
    assert status.Status == 0x0000
    pixels, got = _pixels(server.received[0][1], implicit=False)
    assert np.array_equal(pixels, source.pixel_array)
    assert got.PatientName == source.PatientName


def test_get_decodes_for_who_takes_implicit_only(node: Any, shared_data: Path) -> None:
    """Into the context that was accepted."""
    path = shared_data / NAME
    (sop,) = node.store(path.read_bytes())
    source = pydicom.dcmread(path)
    received = []

    def handle(event: evt.Event) -> int:
        received.append(event.request.DataSet.getvalue())
        return 0

    entity = AE("WORKSTATION")
    entity.add_requested_context(STUDY_ROOT_GET)
    entity.add_requested_context(source.SOPClassUID, [ts.IMPLICIT_VR_LITTLE_ENDIAN])
    identifier = _identifier(node, sop)
    assoc = entity.associate(
        "127.0.0.1",
        node.port,
        ae_title=node.ae_title,
        ext_neg=[build_role(source.SOPClassUID, scp_role=True)],
        evt_handlers=[(evt.EVT_C_STORE, handle)],
    )
    *_, (status, _found) = assoc.send_c_get(identifier, STUDY_ROOT_GET)
    assoc.release()
    assert status.Status == 0x0000
    assert np.array_equal(_pixels(received[0], implicit=True)[0], source.pixel_array)


def test_a_damaged_code_stream_fails_with_the_reason(
    node: Any, receiver: Any, shared_data: Path
) -> None:
    """Counted and listed; nothing is sent in its place."""
    source = pydicom.dcmread(shared_data / NAME)
    source.PixelData = pydicom.encaps.encapsulate([b"\xff\xd8\xff\xe0nonsense"])
    source["PixelData"].is_undefined_length = True
    buffer = DicomBytesIO()
    source.save_as(buffer)
    (sop,) = node.store(buffer.getvalue())
    server = receiver(contexts=[(source.SOPClassUID, [ts.EXPLICIT_VR_LITTLE_ENDIAN])])
    node.register("DEST", server.port)
    entity = AE("WORKSTATION")
    entity.add_requested_context(STUDY_ROOT_MOVE)
    identifier = _identifier(node, sop)
    assoc = entity.associate("127.0.0.1", node.port, ae_title=node.ae_title)
    *_, (status, found) = assoc.send_c_move(identifier, "DEST", STUDY_ROOT_MOVE)
    assoc.release()
    assert status.Status == 0xA702
    assert status.ErrorComment.startswith("not transcoded: ")
    assert found.FailedSOPInstanceUIDList == sop
