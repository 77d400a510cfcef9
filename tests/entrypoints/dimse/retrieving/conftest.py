"""A node that stores, gives back and commits, on a real socket, and peers to fetch with."""

import contextlib
import functools
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.uid import ExplicitVRLittleEndian
from pynetdicom import AE, evt

from negatoscope.domain.archive import Archive, Source, SourceKind, Volume
from negatoscope.domain.archive.commitment import Commitment
from negatoscope.domain.archive.retrieve import Retrieval
from negatoscope.domain.devices import ae
from negatoscope.domain.viewing.pixels import PixelService
from negatoscope.domain.viewing.transcoding import Transcoder
from negatoscope.entrypoints.dimse.retrieve_scp import RetrieveSCP
from negatoscope.entrypoints.dimse.server import build_server
from negatoscope.entrypoints.dimse.storage_commitment_scp import StorageCommitment
from negatoscope.entrypoints.dimse.storage_scp import StorageScp
from negatoscope.entrypoints.dimse.verification_scp import VERIFICATION_SERVICE
from negatoscope.infra.db import Database
from negatoscope.infra.settings import CodecSettings, HostPort, Settings
from negatoscope.protocols.dicom.dimse.association import Timeouts
from negatoscope.subscribers.audit import ReadRecorder

CT = "1.2.840.10008.5.1.4.1.1.2"


def data_set_bytes(file: bytes) -> bytes:
    """What follows the file meta information (PS3.10 §7.1)."""
    length = int.from_bytes(file[140:144], "little")
    return file[144 + length :]


def ct(study: str, series: str, uid: str, *, number: int = 1, size: int = 64) -> bytes:
    """A CT image as a Part 10 file."""
    ds = pydicom.Dataset()
    ds.SOPClassUID, ds.SOPInstanceUID = CT, uid
    ds.StudyInstanceUID, ds.SeriesInstanceUID = study, series
    ds.PatientID, ds.PatientName, ds.Modality = "P" + study, "Dubois^Zoé", "CT"
    ds.SpecificCharacterSet = "ISO_IR 192"
    ds.InstanceNumber = number
    ds.Rows = ds.Columns = size
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.BitsAllocated = ds.BitsStored = 16
    ds.HighBit, ds.PixelRepresentation = 15, 0
    ds.PixelData = bytes([number % 256]) * (size * size * 2)
    ds.file_meta = pydicom.dataset.FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    out = BytesIO()
    ds.save_as(out, enforce_file_format=True)
    return out.getvalue()


@dataclass(kw_only=True)
class Node:
    """Our side.

    Attributes:
        sent: Part 10 files given to ``store``, by SOP Instance UID.
    """

    database: Database
    archive: Archive
    retrieval: Retrieval
    commitment: StorageCommitment
    port: int
    sent: dict[str, bytes] = field(default_factory=dict)
    ae_title: str = "NEGATOSCOPE"
    ct: Callable[..., bytes] = ct
    data_set_bytes: Callable[[bytes], bytes] = data_set_bytes

    def store(self, *files: bytes) -> list[str]:
        """Take files through the archive's door. Returns: their SOP Instance UIDs."""
        uids = []
        with self.archive.open_session(Source(kind=SourceKind.IMPORT)) as session:
            for file in files:
                ingest = session.begin_part10()
                ingest.write(file)
                uids.append(ingest.commit().sop_instance_uid)
                self.sent[uids[-1]] = file
        return uids

    def study(self, study: str, images: int, **keys: Any) -> list[str]:
        """A study of one series."""
        return self.store(
            *(
                ct(study, f"{study}.1", f"{study}.1.{number}", number=number, **keys)
                for number in range(1, images + 1)
            )
        )

    def register(self, title: str, port: int, *roles: str) -> None:
        """Let a peer in."""
        ae.add(
            self.database,
            ae_title=title,
            host="127.0.0.1",
            port=port,
            roles=roles or ("retrieve", "store", "commitment"),
            replace=True,
        )

    def count(self, sql: str) -> int:
        """One number from the database."""
        with self.database.connection() as connection:
            row = connection.execute(sql).fetchone()
        assert row is not None
        return int(row[0])

    def damage(self, uid: str, at: int = 200) -> None:
        """Flip a bit of a stored object's last bytes."""
        stored = next(self.retrieval.instances(sop=uid))
        with stored.path.open("r+b") as file:
            file.seek(stored.offset + stored.size - at)
            byte = file.read(1)[0]
            file.seek(-1, 1)
            file.write(bytes([byte ^ 1]))


@pytest.fixture
def node(database: Database, tmp_path: Path, free_port: int) -> Iterator[Node]:
    volume = Volume(name="main", path=tmp_path / "volume", low_watermark_bytes=0)
    archive = Archive(database=database, volumes=[volume])
    retrieval = Retrieval(database, [volume])
    timeouts = Timeouts(dimse_s=1.5, connect_s=2.0, artim_s=2.0, send_s=5.0)
    commitment = StorageCommitment(
        commitment=Commitment(retrieval),
        database=database,
        ae_title="NEGATOSCOPE",
        timeouts=timeouts,
    )
    pixels = PixelService.open(CodecSettings(processes=1))
    retrieve = RetrieveSCP(
        retrieval=retrieval,
        transcoder=Transcoder(pixels=pixels),
        reads=ReadRecorder(database),
        ae_title="NEGATOSCOPE",
        timeouts=timeouts,
    )
    server = build_server(
        Settings(dicom=HostPort("127.0.0.1", free_port)),
        [
            VERIFICATION_SERVICE,
            StorageScp(archive).service(),
            *retrieve.services(),
            commitment.service(),
        ],
        find_ae=functools.partial(ae.find, database),
    )
    server.start()
    yield Node(
        database=database,
        archive=archive,
        retrieval=retrieval,
        commitment=commitment,
        port=free_port,
    )
    server.stop(grace_s=1.0)
    pixels.close()
    retrieval.close()
    archive.close()


@pytest.fixture
def receiver(free_ports: Callable[[], int]) -> Iterator[Callable[..., Any]]:
    """Starts pynetdicom storage SCPs: ``receiver(title, on_store=…, contexts=…)``."""
    servers = []

    def start(
        title: str = "DEST",
        *,
        on_store: Callable[[evt.Event], int] | None = None,
        contexts: list[tuple[str, list[str]]] | None = None,
        port: int | None = None,
    ) -> Any:
        received: list[Any] = []

        def handle(event: evt.Event) -> int:
            status = 0x0000 if on_store is None else on_store(event)
            request = event.request
            received.append(
                (
                    str(request.AffectedSOPInstanceUID),
                    request.DataSet.getvalue(),
                    request.MoveOriginatorApplicationEntityTitle,
                    request.MoveOriginatorMessageID,
                )
            )
            return status

        entity = AE(title)
        for abstract_syntax, syntaxes in contexts or [(CT, [ExplicitVRLittleEndian])]:
            entity.add_supported_context(abstract_syntax, syntaxes)
        server = entity.start_server(
            ("127.0.0.1", port or free_ports()),
            block=False,
            evt_handlers=[(evt.EVT_C_STORE, handle)],
        )
        server.received = received
        server.port = server.server_address[1]
        servers.append(server)
        return server

    yield start
    for server in servers:
        with contextlib.suppress(Exception):
            server.shutdown()


@pytest.fixture
def run_program() -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Starts programs and ends them."""
    running: list[subprocess.Popen[bytes]] = []

    def start(*arguments: object) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [str(argument) for argument in arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        running.append(process)
        return process

    yield start
    for process in running:
        if process.poll() is None:
            process.kill()
        process.communicate()


def wait_until(true: Callable[[], bool], timeout_s: float = 10.0) -> None:
    """Until something is so."""
    deadline = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)
