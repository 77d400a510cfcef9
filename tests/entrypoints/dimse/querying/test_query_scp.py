"""C-FIND through the wire: pynetdicom, DCMTK and raw requests as peers."""

import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from pydicom import Dataset
from pynetdicom import AE, build_context
from pynetdicom.association import Association as Peer
from pynetdicom.pdu_primitives import SOPClassExtendedNegotiation

from negatoscope.domain.archive.query import QueryLimits
from negatoscope.domain.archive.synthetic import fill_index
from negatoscope.domain.devices import ae
from negatoscope.domain.identity.grants import Grant, GrantKind, Holder, replace_all
from negatoscope.entrypoints.dimse.query_scp import (
    STATUSES,
    QueryScp,
    answer_extended_negotiation,
    encoded,
)
from negatoscope.entrypoints.dimse.server import build_server
from negatoscope.infra.db import Database
from negatoscope.infra.settings import HostPort, Settings
from negatoscope.kit.text import fold
from negatoscope.protocols.dicom.dimse.association import Timeouts
from negatoscope.protocols.dicom.dimse.command import c_cancel_rq, c_find_rq
from negatoscope.protocols.dicom.dimse.requestor import connect
from negatoscope.protocols.dicom.dimse.scu import find
from negatoscope.protocols.dicom.ul.negotiation import ProposedContext
from negatoscope.subscribers import audit

STUDY_ROOT = "1.2.840.10008.5.1.4.1.2.2.1"
PATIENT_ROOT = "1.2.840.10008.5.1.4.1.2.1.1"
PATIENT_STUDY_ONLY = "1.2.840.10008.5.1.4.1.2.3.1"
IMPLICIT = "1.2.840.10008.1.2"
NAME = "Müller^Zoé=山田^太郎"


@dataclass(kw_only=True)
class Node:
    """Our side with 300 generated studies and one of a known patient."""

    database: Database
    port: int

    def call(self, *, calling: str = "WORKSTATION", negotiate: bytes | None = None) -> Peer:
        """An association of pynetdicom."""
        entity = AE(ae_title=calling)
        entity.requested_contexts = [
            build_context(uid) for uid in (STUDY_ROOT, PATIENT_ROOT, PATIENT_STUDY_ONLY)
        ]
        extended = []
        if negotiate is not None:
            item = SOPClassExtendedNegotiation()
            item.sop_class_uid = STUDY_ROOT
            item.service_class_application_information = negotiate
            extended.append(item)
        return entity.associate(
            "127.0.0.1", self.port, ae_title="NEGATOSCOPE", ext_neg=extended or None
        )

    def ask(
        self, level: str, *, model: str = STUDY_ROOT, negotiate: bytes | None = None, **keys: Any
    ) -> tuple[list[Dataset], list[int], Dataset]:
        """Matches, their statuses and the final status."""
        identifier = Dataset()
        identifier.SpecificCharacterSet = "ISO_IR 192"
        identifier.QueryRetrieveLevel = level
        for keyword, value in keys.items():
            setattr(identifier, keyword, value)
        peer = self.call(negotiate=negotiate)
        assert peer.is_established
        answers = list(peer.send_c_find(identifier, model))
        peer.release()
        matches = [identifier for _, identifier in answers if identifier is not None]
        return matches, [status.Status for status, _ in answers[:-1]], answers[-1][0]


@pytest.fixture(scope="module")
def node(postgres: Any, _template: str) -> Iterator[Node]:
    """One server for the module."""
    with psycopg.connect(postgres.administrator_url, autocommit=True) as connection:
        connection.execute(
            f"CREATE DATABASE find_scp TEMPLATE {_template} OWNER negatoscope STRATEGY FILE_COPY"
        )
    url = postgres.url.replace("@/negatoscope?", "@/find_scp?")
    with Database(url) as database:
        fill_index(database, 300, instances_per_series=(1, 2))
        with database.connection() as connection:
            connection.execute(
                "WITH p AS (INSERT INTO patient (patient_id, patient_name, patient_name_folded,"
                " study_count) VALUES ('P1', %s, %s, 1) RETURNING id)"
                " INSERT INTO study (patient_fk, study_instance_uid, study_date, accession_number,"
                " study_description) SELECT id, '1.2.3', '2024-03-01', 'ACC1', 'Échographie' FROM p",
                (NAME, fold(NAME)),
            )
        for title, role in (("WORKSTATION", "query"), ("SCANNER", "store")):
            ae.add(database, ae_title=title, host="127.0.0.1", port=104, roles=[role])
        scp = QueryScp(
            database=database, ae_title="NEGATOSCOPE", limits=QueryLimits(max_results=200)
        )
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        server = build_server(
            Settings(dicom=HostPort("127.0.0.1", port)),
            [scp.service()],
            find_ae=lambda title: ae.find(database, title),
        )
        server.start()
        yield Node(database=database, port=port)
        server.stop(1.0)
    with psycopg.connect(postgres.administrator_url, autocommit=True) as connection:
        connection.execute("DROP DATABASE find_scp WITH (FORCE)")


def test_a_study_is_found_with_its_names_in_unicode(node: Node) -> None:
    """Pending FF00 with level and Retrieve AE Title, then 0000."""
    matches, statuses, final = node.ask("STUDY", PatientName="MULLER*", StudyInstanceUID="")
    assert [m.StudyInstanceUID for m in matches] == ["1.2.3"]
    assert matches[0].PatientName == NAME
    assert matches[0].QueryRetrieveLevel == "STUDY"
    assert matches[0].RetrieveAETitle == "NEGATOSCOPE"
    assert statuses == [0xFF00]
    assert final.Status == 0x0000


def test_a_peer_limited_to_studies_finds_those_and_no_others(node: Node) -> None:
    """At every level; without its grants it finds everything again."""
    holder = Holder(ae_title="WORKSTATION")
    replace_all(node.database, holder, [Grant(kind=GrantKind.STUDY, value="1.2.3")], granted_by="x")
    try:
        matches, _, _ = node.ask("STUDY", StudyInstanceUID="")
        assert [one.StudyInstanceUID for one in matches] == ["1.2.3"]
        patients, _, _ = node.ask("PATIENT", model=PATIENT_ROOT, PatientID="", PatientName="")
        assert [one.PatientID for one in patients] == ["P1"]
    finally:
        replace_all(node.database, holder, [], granted_by="x")
    assert len(node.ask("STUDY", StudyInstanceUID="")[0]) > 100


def test_optional_keys_that_are_not_supported_give_a_warning(node: Node) -> None:
    """FF01, the attribute empty (PS3.4 §C.4.1.1.4)."""
    matches, statuses, _ = node.ask("STUDY", AccessionNumber="ACC1", KVP="", Modality="CT")
    assert statuses == [0xFF01]
    assert matches[0].KVP is None
    assert matches[0].Modality == ""


@pytest.mark.parametrize(
    ("model", "level", "keys"),
    [
        (STUDY_ROOT, "PATIENT", {}),
        (STUDY_ROOT, "STAPLE", {}),
        (STUDY_ROOT, "SERIES", {"Modality": "CT"}),
        (PATIENT_ROOT, "STUDY", {"PatientID": "*"}),
        (PATIENT_STUDY_ONLY, "SERIES", {"StudyInstanceUID": "1.2.3"}),
    ],
)
def test_identifiers_that_do_not_fit_the_model(
    node: Node, model: str, level: str, keys: dict[str, Any]
) -> None:
    """A900 with a comment, and the association goes on."""
    matches, _, final = node.ask(level, model=model, **keys)
    assert matches == []
    assert final.Status == 0xA900
    assert final.ErrorComment


def test_values_without_meaning(node: Node) -> None:
    """Our own C010 names the element; broken dates never match silently."""
    _, _, final = node.ask("STUDY", StudyDate="20240230")
    assert final.Status == 0xC010
    assert "StudyDate" in final.ErrorComment
    assert final.OffendingElement == 0x00080020


def test_more_matches_than_the_cap(node: Node) -> None:
    """The first 200 come, then A700 says that there are more."""
    matches, _, final = node.ask("STUDY", StudyInstanceUID="")
    assert len(matches) == 200
    assert final.Status == 0xA700
    assert "narrow" in final.ErrorComment


def test_relational_queries_are_negotiated(node: Node) -> None:
    """Byte 1 of the extended negotiation lets SERIES level queries span studies."""
    _, _, refused = node.ask("SERIES", Modality="XA", SeriesInstanceUID="")
    assert refused.Status == 0xA900
    matches, _, final = node.ask("SERIES", negotiate=b"\x01", Modality="MG", SeriesInstanceUID="")
    assert matches
    assert final.Status == 0


def test_what_is_agreed_to() -> None:
    """As many bytes as were asked; timezone and enhanced conversion are not done."""
    assert answer_extended_negotiation(STUDY_ROOT, b"\x01") == b"\x01"
    assert answer_extended_negotiation(STUDY_ROOT, b"\x00\x01\x01") == b"\x00\x01\x01"
    assert answer_extended_negotiation(STUDY_ROOT, b"\x01" * 9) == bytes([1, 1, 1, 0, 0, 1, 1])
    assert answer_extended_negotiation(STUDY_ROOT, b"") is None


def test_an_ae_that_may_not_query(node: Node) -> None:
    """Its presentation contexts are refused at association."""
    peer = node.call(calling="SCANNER")
    assert not peer.accepted_contexts
    peer.abort()


def test_every_query_is_in_the_audit_trail(node: Node) -> None:
    """Who, which keys, never a name."""
    node.ask("STUDY", PatientName="Mueller*", StudyInstanceUID="1.2.3")
    (event,) = audit.search(node.database, study_instance_uid="1.2.3", limit=1)
    assert event.actor_name == "WORKSTATION"
    assert event.action == "query"
    assert event.detail == {"level": "STUDY", "keys": ["00100010", "0020000D"]}


def test_cancel_ends_the_answers(node: Node) -> None:
    """C-CANCEL-FIND-RQ: FE00 and the association goes on."""
    association = connect(
        "127.0.0.1",
        node.port,
        calling_ae_title="WORKSTATION",
        called_ae_title="NEGATOSCOPE",
        contexts=[ProposedContext(abstract_syntax=STUDY_ROOT, transfer_syntaxes=(IMPLICIT,))],
        tls=None,
        timeouts=Timeouts(),
    )
    (context,) = association.find_context(STUDY_ROOT)
    keys = {
        "00080052": {"vr": "CS", "Value": ["STUDY"]},
        "0020000D": {"vr": "UI"},
    }
    identifier = encoded(keys, IMPLICIT, ())
    association.send_message(context.id, c_find_rq(7, STUDY_ROOT), identifier)
    association.send_message(context.id, c_cancel_rq(7))
    statuses = []
    while not statuses or statuses[-1] in (0xFF00, 0xFF01):
        message = association.next_message()
        assert message is not None
        association.discard_data_set()
        statuses.append(message.command.status)
    assert statuses[-1] == 0xFE00
    assert len(statuses) < 200
    assert len(list(find(association, context, identifier))) == 201
    association.release()


def test_character_set_of_the_request_when_it_holds_the_answer() -> None:
    """ISO_IR 100 stays, what it cannot hold comes in ISO_IR 192, unknown sets too."""
    name = {"00100010": {"vr": "PN", "Value": [{"Alphabetic": "Zoé"}]}}
    assert b"ISO_IR 100" in encoded(name, IMPLICIT, ("ISO_IR 100",))
    assert "Zoé".encode("latin-1") in encoded(name, IMPLICIT, ("ISO_IR 100",))
    assert b"ISO_IR 192" in encoded(name, IMPLICIT, ())
    assert b"ISO_IR 192" in encoded(name, IMPLICIT, ("NONSENSE",))
    plain = {"00100010": {"vr": "PN", "Value": [{"Alphabetic": "A"}]}}
    assert b"ISO_IR" not in encoded(plain, IMPLICIT, ())


def test_a_stored_value_that_cannot_be_written_does_not_fail_the_query() -> None:
    """64 KB in a short string: the attribute is empty, the rest of the answer comes."""
    match = {
        "00080050": {"vr": "SH", "Value": ["x" * 70_000]},
        "0020000D": {"vr": "UI", "Value": ["1.2.3"]},
    }
    assert b"1.2.3" in encoded(match, "1.2.840.10008.1.2.1", ())


def test_bulk_data_is_left_out_of_answers() -> None:
    """A value that a header gives by its URI only does not fail the query."""
    match = {
        "00081197": {"vr": "OB", "BulkDataURI": "http://x/bulkdata/1"},
        "0020000D": {"vr": "UI", "Value": ["1.2.3"]},
    }
    assert b"1.2.3" in encoded(match, "1.2.840.10008.1.2.1", ())


def test_published_statuses_are_failures_of_the_standard() -> None:
    """Our own codes lie in C000 to CFFF (PS3.4 Table C.4-1)."""
    own = set(STATUSES) - {0, 0xFF00, 0xFF01, 0xFE00, 0x0124, 0xA700, 0xA900}
    assert own == {0xC000, 0xC010}


@pytest.mark.stranger
def test_findscu(node: Node, tmp_path: Path) -> None:
    """DCMTK's findscu gets an accented name in its own character set."""
    done = subprocess.run(
        ["findscu", "-S", "-aet", "WORKSTATION", "-aec", "NEGATOSCOPE", "127.0.0.1",
         str(node.port), "-k", "QueryRetrieveLevel=STUDY", "-k", "AccessionNumber=ACC?",
         "-k", "StudyDescription", "-k", "PatientName", "-X", "-od", str(tmp_path)],
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (answer,) = tmp_path.glob("rsp*.dcm")
    assert "Échographie".encode() in answer.read_bytes()
