"""What the index knows of a stored object: identity, place, digest, frames."""

from dataclasses import dataclass
from pathlib import Path

from negatoscope.domain.archive.coercion import PatientIdentity


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredInstance:
    """One row of the index and the segment it points at.

    Attributes:
        id: Our key of the instance.
        series_id: Our key of its series.
        segment_id: Our key of the segment.
        path: The segment's file.
        offset: Of the Part 10 file inside the segment, bytes.
        size: Of the Part 10 file, bytes.
        data_set_offset: Of the data set, from the start of the Part 10 file.
        pixel_offset: Of the first pixel byte, or of the first fragment's item, from the start of
            the Part 10 file; ``None`` without pixel data.
        number_of_frames: ``None`` without pixel data.
        frame_length: Bytes per frame of native pixel data; ``None`` when encapsulated.
        frame_index: As stored (see ``frames``); ``None`` when native or not asked for.
        crc32: Of the data set's bytes, signed; ``None`` when it was not computed.
        sha256: Likewise.
        identity: Who its patient is now; ``None``: who the object says.
    """

    id: int
    series_id: int
    segment_id: int
    path: Path
    offset: int
    size: int
    data_set_offset: int
    pixel_offset: int | None
    sop_class_uid: str
    sop_instance_uid: str
    series_instance_uid: str
    study_instance_uid: str
    transfer_syntax_uid: str
    instance_number: int | None
    number_of_frames: int | None
    frame_length: int | None
    frame_index: bytes | None
    rows: int | None
    columns: int | None
    bits_allocated: int | None
    crc32: int | None
    sha256: bytes
    identity: PatientIdentity | None = None

    @property
    def data_set_length(self) -> int:
        """Bytes of the data set."""
        return self.size - self.data_set_offset


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """How many of the selected instances share a SOP class and a transfer syntax."""

    sop_class_uid: str
    transfer_syntax_uid: str
    instance_count: int
    byte_count: int
