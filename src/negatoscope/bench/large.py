"""Objects of gigabytes, generated while they are sent and forgotten while they come back."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from negatoscope.bench.load import (
    CT_IMAGE_STORAGE,
    EXPLICIT_VR_LITTLE_ENDIAN,
    SERIES_PLACE,
    SOP_PLACE,
    STUDY_PLACE,
    LoadShape,
    Patcher,
    StudyIdentity,
    UidCounter,
    ct_data_set,
)
from negatoscope.bench.results import Latencies, Measurement
from negatoscope.bench.retrieve import retrieve
from negatoscope.bench.targets import DicomTarget
from negatoscope.bench.wire import StoringAssociation, WireError
from negatoscope.protocols.dicom.ul.pdu import PDV_HEADER_BYTES

if TYPE_CHECKING:
    from negatoscope.bench.targets import WebTarget

BLOCK_BYTES = 1 << 20
FRAME_BYTES = 512 * 512 * 2


@dataclass(frozen=True, slots=True, kw_only=True)
class LargeObject:
    """What was stored."""

    study_instance_uid: str
    series_instance_uid: str
    sop_instance_uid: str
    byte_count: int
    measurement: Measurement


def store_large(target: DicomTarget, byte_count: int) -> LargeObject:
    """Store one multi-frame image of about ``byte_count`` bytes by C-STORE.

    The pixels are one random block again and again: neither side holds the object.

    Raises: WireError: it was not taken.
    """
    shape = LoadShape(rows=512, columns=512, frames=byte_count // FRAME_BYTES)
    header = bytearray(ct_data_set(shape))
    uids = UidCounter()
    sop_instance_uid = uids.take()
    identity = StudyIdentity(uids).next()
    patcher = Patcher(header)
    for place, value in (*identity.items(), (SOP_PLACE, sop_instance_uid)):
        patcher.write(place, value)
    block = os.urandom(BLOCK_BYTES)
    total = len(header) + shape.pixel_bytes
    cpu_before_s = time.process_time()
    begun = time.perf_counter()
    with StoringAssociation(
        target.host,
        target.port,
        called_ae_title=target.called_ae_title,
        calling_ae_title=target.calling_ae_title,
        sop_class_uid=CT_IMAGE_STORAGE,
        transfer_syntax_uid=EXPLICIT_VR_LITTLE_ENDIAN,
        timeout_s=600.0,
    ) as association:
        association.send(association.command_pdu(sop_instance_uid.decode()))
        association.send(association.fragment_header(len(header), is_last=False) + header)
        step = min(association.max_pdu_bytes, BLOCK_BYTES) - PDV_HEADER_BYTES
        whole = association.fragment_header(step, is_last=False) + block[:step]
        left = shape.pixel_bytes
        while left > step:
            association.send(whole)
            left -= step
        association.send(association.fragment_header(left, is_last=True) + block[:left])
        status = association.read_status()
    if status != 0:
        raise WireError(f"the object was refused: status {status:#06x}")
    duration_s = time.perf_counter() - begun
    return LargeObject(
        study_instance_uid=identity[STUDY_PLACE].decode(),
        series_instance_uid=identity[SERIES_PLACE].decode(),
        sop_instance_uid=sop_instance_uid.decode(),
        byte_count=total,
        measurement=Measurement(
            name="large-store",
            target=str(target),
            parameters={"byte_count": total},
            operations=1,
            failures=0,
            byte_count=total,
            duration_s=duration_s,
            latencies=Latencies.of([duration_s]),
            client_cpu_s=time.process_time() - cpu_before_s,
        ),
    )


def fetch_large(target: DicomTarget | WebTarget, stored: LargeObject) -> Measurement:
    """Fetch it again, by C-GET or by WADO-RS."""
    if isinstance(target, DicomTarget):
        return retrieve(target, how="get", studies=[stored.study_instance_uid])
    return retrieve(target, how="wado", studies=[stored.study_instance_uid])
