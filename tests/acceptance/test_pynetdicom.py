"""pynetdicom as a stranger: every service through another toolkit's implementation."""

import threading
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid
from pynetdicom import AE, evt
from pynetdicom.pdu_primitives import SOPClassExtendedNegotiation
from pynetdicom.sop_class import (
    CTImageStorage,
    PatientRootQueryRetrieveInformationModelFind,
    StorageCommitmentPushModel,
    StudyRootQueryRetrieveInformationModelFind,
    Verification,
)

pytestmark = pytest.mark.timeout(180)

COMMITMENT_INSTANCE = "1.2.840.10008.1.20.1.1"


@pytest.fixture(scope="module")
def ct(archive: Any, shared_data: Path, stranger: Any, corpus: list[Any]) -> list[Any]:
    """A CT study, stored."""
    things = [thing for thing in corpus if thing.name.startswith("ct/nist-multi-ct/images")][:6]
    assert set(stranger.store(archive, things).values()) == {0x0000}
    return things


def associate(archive: Any, *contexts: Any, title: str = "STRANGER", **options: Any) -> Any:
    """An association with these abstract syntaxes."""
    entity = AE(ae_title=title)
    for context in contexts:
        entity.add_requested_context(context)
    return entity.associate(archive.host, archive.dicom_port, ae_title=archive.ae_title, **options)


def identifier(**elements: str) -> Dataset:
    """A C-FIND identifier."""
    data_set = Dataset()
    for keyword, value in elements.items():
        setattr(data_set, keyword, value)
    return data_set


def find(association: Any, query: Dataset, model: Any) -> list[Dataset]:
    """Matches of a C-FIND that ends in success."""
    *pending, (final, _) = association.send_c_find(query, model)
    assert final.Status == 0x0000
    return [match for _, match in pending]


def test_echo_is_open_to_everybody(archive: Any) -> None:
    """Verification from an AE nobody registered."""
    association = associate(archive, Verification, title="NOBODY")
    assert association.send_c_echo().Status == 0x0000
    association.release()


def test_unknown_called_title_is_rejected(archive: Any) -> None:
    """PS3.8 Table 9-21: rejected permanently by the service user, and no hint why."""
    entity = AE(ae_title="STRANGER")
    entity.add_requested_context(Verification)
    association = entity.associate(archive.host, archive.dicom_port, ae_title="SOMEBODY")
    assert association.is_rejected
    answer = association.acceptor.primitive
    assert (answer.result, answer.result_source, answer.diagnostic) == (1, 1, 1)


def test_rights_are_per_ae(archive: Any) -> None:
    """An AE that may only store gets no presentation context to query."""
    archive.add_ae("STOREONLY", archive.stranger_port, roles="store")
    model = StudyRootQueryRetrieveInformationModelFind
    association = associate(archive, Verification, CTImageStorage, model, title="STOREONLY")
    accepted = {context.abstract_syntax for context in association.accepted_contexts}
    association.release()
    assert accepted == {Verification, CTImageStorage}


@pytest.mark.parametrize("level", ["STUDY", "SERIES", "IMAGE"])
def test_find_at_every_level(archive: Any, ct: list[Any], level: str) -> None:
    """Hierarchical study root queries answer the unique keys of their level."""
    keys = {"QueryRetrieveLevel": level, "StudyInstanceUID": ct[0].study_instance_uid}
    if level == "IMAGE":
        keys |= {"SeriesInstanceUID": ct[0].series_instance_uid, "SOPInstanceUID": ""}
        expected = {
            t.sop_instance_uid for t in ct if t.series_instance_uid == ct[0].series_instance_uid
        }
        answer = "SOPInstanceUID"
    elif level == "SERIES":
        keys |= {"SeriesInstanceUID": ""}
        expected = {t.series_instance_uid for t in ct}
        answer = "SeriesInstanceUID"
    else:
        expected = {ct[0].study_instance_uid}
        answer = "StudyInstanceUID"
    model = StudyRootQueryRetrieveInformationModelFind
    association = associate(archive, model)
    matches = find(association, identifier(**keys), model)
    association.release()
    assert {str(match[answer].value) for match in matches} == expected


def test_find_patients(archive: Any, ct: list[Any]) -> None:
    """Patient root, by identifier."""
    model = PatientRootQueryRetrieveInformationModelFind
    association = associate(archive, model)
    query = identifier(QueryRetrieveLevel="PATIENT", PatientID=ct[0].patient[0], PatientName="")
    (match,) = find(association, query, model)
    association.release()
    assert str(match.PatientName) == ct[0].patient[1]


def test_relational_query_is_negotiated(archive: Any, ct: list[Any]) -> None:
    """Extended negotiation of relational queries: series of a patient without a study's UID."""
    item = SOPClassExtendedNegotiation()
    item.sop_class_uid = StudyRootQueryRetrieveInformationModelFind
    item.service_class_application_information = b"\x01"
    model = StudyRootQueryRetrieveInformationModelFind
    association = associate(archive, model, ext_neg=[item])
    answered = association.acceptor.sop_class_extended
    assert answered[model][:1] == b"\x01"
    query = identifier(
        QueryRetrieveLevel="SERIES", PatientID=ct[0].patient[0], SeriesInstanceUID=""
    )
    matches = find(association, query, model)
    association.release()
    assert {str(m.SeriesInstanceUID) for m in matches} >= {t.series_instance_uid for t in ct}


def test_same_object_again_is_success(archive: Any, ct: list[Any], stranger: Any) -> None:
    """Resending is idempotent."""
    assert set(stranger.store(archive, ct).values()) == {0x0000}
    found = archive.client().get(f"studies/{ct[0].study_instance_uid}/instances").json()
    assert len(found) == len(ct)


def test_storage_commitment(archive: Any, ct: list[Any]) -> None:
    """N-ACTION, then an N-EVENT-REPORT on an association of ours: all committed, the unknown one failed."""
    reports: list[tuple[int, Dataset]] = []
    arrived = threading.Event()

    def keep(event: evt.Event) -> tuple[int, None]:
        reports.append((event.event_type, event.event_information))
        arrived.set()
        return 0x0000, None

    receiver = AE(ae_title="STRANGER")
    receiver.add_supported_context(StorageCommitmentPushModel, scu_role=True, scp_role=True)
    receiver.add_supported_context(Verification)
    server = receiver.start_server(
        ("127.0.0.1", archive.stranger_port),
        block=False,
        evt_handlers=[(evt.EVT_N_EVENT_REPORT, keep)],
    )
    try:
        request = Dataset()
        request.TransactionUID = generate_uid()
        request.ReferencedSOPSequence = []
        unknown = generate_uid()
        for sop_class, sop_instance in [
            *((thing.sop_class_uid, thing.sop_instance_uid) for thing in ct),
            (CTImageStorage, unknown),
        ]:
            item = Dataset()
            item.ReferencedSOPClassUID = sop_class
            item.ReferencedSOPInstanceUID = sop_instance
            request.ReferencedSOPSequence.append(item)
        association = associate(
            archive, StorageCommitmentPushModel, evt_handlers=[(evt.EVT_N_EVENT_REPORT, keep)]
        )
        status, _ = association.send_n_action(
            request, 1, StorageCommitmentPushModel, COMMITMENT_INSTANCE
        )
        assert status.Status == 0x0000
        association.release()
        assert arrived.wait(60)
    finally:
        server.shutdown()
    event_type, information = reports[0]
    assert event_type == 2  # some failed
    assert information.TransactionUID == request.TransactionUID
    committed = {str(item.ReferencedSOPInstanceUID) for item in information.ReferencedSOPSequence}
    assert committed == {thing.sop_instance_uid for thing in ct}
    (failed,) = information.FailedSOPSequence
    assert (str(failed.ReferencedSOPInstanceUID), failed.FailureReason) == (unknown, 0x0112)


def test_character_set_of_the_answer(archive: Any, corpus: list[Any], stranger: Any) -> None:
    """A Greek name is found by its Greek letters and answered in a character set that holds it."""
    (greek,) = [thing for thing in corpus if thing.name == "charsets/chrGreek.dcm"]
    stranger.store(archive, [greek])
    original = pydicom.dcmread(greek.path)
    model = StudyRootQueryRetrieveInformationModelFind
    association = associate(archive, model)
    query = identifier(
        SpecificCharacterSet="ISO_IR 192", QueryRetrieveLevel="STUDY", StudyInstanceUID=""
    )
    query.PatientName = str(original.PatientName)
    (match,) = find(association, query, model)
    association.release()
    assert str(match.PatientName) == str(original.PatientName)
