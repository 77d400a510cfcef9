"""Sending objects as fast as the server makes them durable."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from negatoscope.bench.crew import Tally, run_crew
from negatoscope.bench.http import HttpConnection
from negatoscope.bench.load import (
    CT_IMAGE_STORAGE,
    EXPLICIT_VR_LITTLE_ENDIAN,
    SHAPES,
    SOP_PLACE,
    Patcher,
    StudyIdentity,
    UidCounter,
    object_bytes,
)
from negatoscope.bench.results import Latencies, Measurement
from negatoscope.bench.wire import StoringAssociation
from negatoscope.protocols.dicom.part10 import encode_file_meta

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from negatoscope.bench.targets import DicomTarget, WebTarget

BOUNDARY = "negatoscope-bench"


def ingest(
    target: DicomTarget | WebTarget,
    *,
    shape: str,
    objects: int,
    clients: int,
    instances_per_study: int = 200,
    parts: int = 1,
) -> Measurement:
    """Store ``objects`` objects over ``clients`` associations or connections.

    Each client sends studies of its own, of one patient and one series each. An object counts when
    the server answered success: 0x0000, or 200 for STOW-RS.

    Args:
        shape: a name in `SHAPES`.
        parts: objects in each STOW-RS request; the latencies are those of requests.
    Raises: WireError, HttpError: the server takes nothing at all.
    """
    from negatoscope.bench.targets import DicomTarget

    data_set = object_bytes(SHAPES[shape])
    share = [objects // clients + (number < objects % clients) for number in range(clients)]
    sender: Callable[[int], Callable[[Tally], None]]
    if isinstance(target, DicomTarget):
        dicom = target
        sender = lambda number: _dimse(dicom, data_set, share[number], instances_per_study)  # noqa: E731
    else:
        web = target
        sender = lambda number: _stow(  # noqa: E731
            web, data_set, share[number], instances_per_study, parts
        )
    result = run_crew(clients, sender)
    parameters: dict[str, Any] = {
        "shape": shape,
        "clients": clients,
        "objects": objects,
        "object_bytes": len(data_set),
        "instances_per_study": instances_per_study,
        "parts": parts,
        "protocol": "DIMSE" if isinstance(target, DicomTarget) else "STOW-RS",
    }
    return Measurement(
        name="ingest",
        target=str(target),
        parameters=parameters,
        operations=result.byte_count // len(data_set),
        failures=result.failures,
        byte_count=result.byte_count,
        duration_s=result.duration_s,
        latencies=Latencies.of(result.durations_s),
        client_cpu_s=result.client_cpu_s,
    )


class _Series:
    """Writes the identifiers of the next object into one of some messages."""

    def __init__(self, patchers: Sequence[Patcher], per_study: int) -> None:
        self._patchers = patchers
        self._per_study = per_study
        self._uids = UidCounter()
        self._identity = StudyIdentity(self._uids)
        self._places: dict[str, bytes] = {}
        self._sent = 0

    def next(self, number: int = 0) -> None:
        if self._sent % self._per_study == 0:
            self._places = self._identity.next()
        self._sent += 1
        patcher = self._patchers[number]
        if len(self._patchers) > 1 or self._sent % self._per_study == 1 % self._per_study:
            for place, value in self._places.items():
                patcher.write(place, value)
        patcher.write(SOP_PLACE, self._uids.take())


def _dimse(
    target: DicomTarget, data_set: bytes, count: int, per_study: int
) -> Callable[[Tally], None]:
    association = StoringAssociation(
        target.host,
        target.port,
        called_ae_title=target.called_ae_title,
        calling_ae_title=target.calling_ae_title,
        sop_class_uid=CT_IMAGE_STORAGE,
        transfer_syntax_uid=EXPLICIT_VR_LITTLE_ENDIAN,
    )
    message = association.store_message(SOP_PLACE, data_set)
    series = _Series([Patcher(message)], per_study)

    def work(tally: Tally) -> None:
        with association:
            for _ in range(count):
                series.next()
                begun = time.perf_counter()
                association.send(message)
                status = association.read_status()
                if status == 0:
                    tally.durations_s.append(time.perf_counter() - begun)
                    tally.byte_count += len(data_set)
                else:
                    tally.failures += 1

    return work


def _stow(
    target: WebTarget, data_set: bytes, count: int, per_study: int, parts: int
) -> Callable[[Tally], None]:
    connection = HttpConnection(target)
    meta = encode_file_meta(
        sop_class_uid=CT_IMAGE_STORAGE,
        sop_instance_uid=SOP_PLACE,
        transfer_syntax_uid=EXPLICIT_VR_LITTLE_ENDIAN,
    )
    part = f"--{BOUNDARY}\r\nContent-Type: application/dicom\r\n\r\n".encode() + meta + data_set
    bodies = [bytearray(part + b"\r\n") for _ in range(parts)]
    bodies[-1] += f"--{BOUNDARY}--\r\n".encode()
    content_type = f'multipart/related; type="application/dicom"; boundary={BOUNDARY}'
    identities = [Patcher(body) for body in bodies]
    series = _Series(identities, per_study)

    def work(tally: Tally) -> None:
        with connection:
            for begun_with in range(0, count, parts):
                chosen = bodies[-min(parts, count - begun_with) :]
                head = connection.request_bytes(
                    "POST",
                    "/studies",
                    accept="application/dicom+json",
                    headers=(
                        f"Content-Type: {content_type}",
                        f"Content-Length: {sum(map(len, chosen))}",
                    ),
                )
                for number in range(parts - len(chosen), parts):
                    series.next(number)
                begun = time.perf_counter()
                answer = connection.exchange((head, *chosen))
                if answer.status == 200:
                    tally.durations_s.append(time.perf_counter() - begun)
                    tally.byte_count += len(data_set) * len(chosen)
                else:
                    tally.failures += 1

    return work
