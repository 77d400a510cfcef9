"""A small process that does one thing to an archive and may be killed at any system call of it.

Started once (``python victim.py``) it reads one JSON order a line. For each it forks, so that what is imported is not
imported again; the child prepares itself, writes ``{"ready": thread}``, waits for a line, does the thing, writes what
it acknowledges as ``{"acknowledged": …}`` and ends. The parent then writes ``{"ended": status}``.
"""

import datetime
import json
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from negatoscope.domain.archive import Archive, ArchiveSettings, Outcome, Source, SourceKind, Volume
from negatoscope.domain.archive.commitment import Commitment, Reference
from negatoscope.domain.archive.lifecycle import Lifecycle
from negatoscope.domain.archive.metadata import SeriesMetadata
from negatoscope.domain.archive.retrieve import Retrieval
from negatoscope.domain.archive.versions import Versions
from negatoscope.infra.db import Database

CT = "1.2.840.10008.5.1.4.1.1.2"
EXPLICIT = "1.2.840.10008.1.2.1"

Action = Callable[[], None]


def tell(**what: object) -> None:
    """One line to who gave the order."""
    os.write(1, json.dumps(what).encode() + b"\n")


def read_line() -> str:
    """One line from there, and not a byte more: the other of parent and child reads the next."""
    line = bytearray()
    while (byte := os.read(0, 1)) not in (b"", b"\n"):
        line += byte
    return line.decode()


def store(archive: Archive, uid: str, data: bytes) -> Outcome:
    """Through the C-STORE door, in pieces."""
    source = Source(kind=SourceKind.DIMSE, calling_ae_title="CT1", peer="127.0.0.1")
    with archive.open_session(source) as session:
        ingest = session.begin(sop_class_uid=CT, sop_instance_uid=uid, transfer_syntax_uid=EXPLICIT)
        for start in range(0, len(data), 400):
            ingest.write(data[start : start + 400])
        outcome = ingest.commit()
        tell(acknowledged=uid, kind=outcome.kind)
    return outcome


def store_together(archive: Archive, objects: list[tuple[str, str]]) -> None:
    """As the parts of one STOW-RS request: nothing is acknowledged before all are done."""
    source = Source(kind=SourceKind.STOW, peer="127.0.0.1")
    with archive.open_session(source) as session:
        staged = []
        for uid, file in objects:
            ingest = session.begin(
                sop_class_uid=CT, sop_instance_uid=uid, transfer_syntax_uid=EXPLICIT
            )
            ingest.write(Path(file).read_bytes())
            staged.append((uid, ingest.stage()))
        session.flush()
        for uid, one in staged:
            tell(acknowledged=uid, kind=one.outcome().kind)


def action(order: dict[str, Any], archive: Archive, database: Database) -> tuple[Action, int]:
    """What an order means: the thing to do when told to, and the thread to be killed in."""
    here = threading.get_native_id()
    match order["do"]:
        case "store":
            data = Path(order["file"]).read_bytes()

            def once() -> None:
                store(archive, order["uid"], data)
                archive.close()

            return once, here
        case "group":

            def together() -> None:
                store_together(archive, order["objects"])
                archive.close()

            return together, here
        case "index":
            store(archive, order["first_uid"], Path(order["first_file"]).read_bytes())
            data = Path(order["file"]).read_bytes()
            return lambda: void(store(archive, order["uid"], data)), here
        case "settle":
            retrieval = Retrieval(database, list(archive.volumes.values()))
            metadata = SeriesMetadata(retrieval, base="http://127.0.0.1/dicom-web")

            def settle() -> None:
                Lifecycle(archive).settle(
                    order["study"],
                    datetime.datetime.fromisoformat(order["changed_at"]),
                    write_series_metadata=lambda s: metadata.write(s, archive.append_member),
                )
                archive.close()

            return settle, here
        case "compact":
            return lambda: void(Lifecycle(archive).compact()), here
        case "accept" | "dismiss":
            decide = getattr(Versions(archive), order["do"])

            def once_decided() -> None:
                decide(order["set_aside"], by="test")
                tell(acknowledged=order["set_aside"])

            return once_decided, here
        case "commit":
            retrieval = Retrieval(database, list(archive.volumes.values()))
            commitment = Commitment(retrieval)

            def commit() -> None:
                key = commitment.receive(
                    ae_title="CT1",
                    transaction_uid=order["transaction_uid"],
                    references=[
                        Reference(sop_class_uid=CT, sop_instance_uid=uid) for uid in order["uids"]
                    ],
                )
                tell(acknowledged=key)
                answer = commitment.answer(key)
                tell(answered=len(answer.committed) if answer else None)
                commitment.note_delivered(key)

            return commit, here
    raise ValueError(order["do"])


def void(_result: object) -> None:
    """Drop a result."""


def obey(order: dict[str, Any]) -> None:
    """In the child."""
    database = Database(order["database_url"])
    volume = Volume(name="main", path=Path(order["volume"]), low_watermark_bytes=0)
    settings = ArchiveSettings(
        prepared_segments=order.get("prepared", 0), prepared_bytes=4 << 20, prepare_after_s=0
    )
    archive = Archive(database=database, volumes=[volume], settings=settings, recover=False)
    archive.pool.prepare()
    do, thread = action(order, archive, database)
    tell(ready=thread)
    read_line()
    do()


def main() -> None:
    """One order after the other, until the input ends."""
    while line := read_line():
        child = os.fork()
        if child == 0:
            try:
                obey(json.loads(line))
            except Exception as error:  # noqa: BLE001 - told to the test
                tell(failed=repr(error))
                os._exit(1)
            os._exit(0)
        _pid, status = os.waitpid(child, 0)
        tell(ended=os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    main()
