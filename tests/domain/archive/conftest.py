"""An archive filled by hand: segment files and rows, no ingest."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from negatoscope.domain.archive.retrieve import Retrieval
from negatoscope.infra.db import Database
from negatoscope.infra.storage.contract import Volume


class SmallArchive:
    """A volume and an index filled by hand."""

    META = bytes(128) + b"DICM" + b"meta"

    def __init__(self, database: Database, path: Path) -> None:
        self.database = database
        self.volume = Volume(name="main", path=path, low_watermark_bytes=0)
        self.segments: dict[int, Path] = {}
        self.segment = self.new_segment("01ARZ3NDEKTSV4RRFFQ69G5FAV")

    def new_segment(self, name: str) -> int:
        path = self.volume.segment_path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes(1536))
        segment = self.one(
            "INSERT INTO segment (name, volume, state) VALUES (%s, 'main', 'OPEN') RETURNING id",
            name,
        )
        self.segments[segment] = path
        return segment

    def one(self, sql: str, *values: object) -> int:
        with self.database.connection() as connection:
            row = connection.execute(sql, values).fetchone()
        assert row is not None
        return int(row[0])

    def execute(self, sql: str, *values: object) -> None:
        with self.database.connection() as connection:
            connection.execute(sql, values)

    def append(self, data: bytes, segment: int | None = None) -> int:
        with self.segments[segment or self.segment].open("ab") as file:
            offset = file.tell()
            file.write(data + bytes(-len(data) % 512))
        return offset

    def uid_code(self, uid: str) -> int:
        return self.one(
            "INSERT INTO uid_code (uid) VALUES (%s) ON CONFLICT (uid) DO UPDATE SET uid = "
            "excluded.uid RETURNING id",
            uid,
        )

    def study(self, uid: str, patient_id: str = "P1") -> int:
        patient = self.one(
            "INSERT INTO patient (patient_id) VALUES (%s) ON CONFLICT (patient_id, "
            "issuer_of_patient_id, discriminator) DO UPDATE SET patient_id = excluded.patient_id "
            "RETURNING id",
            patient_id,
        )
        return self.one(
            "INSERT INTO study (patient_fk, study_instance_uid) VALUES (%s, %s) RETURNING id",
            patient,
            uid,
        )

    def series(self, study: int, uid: str, number: int | None = None) -> int:
        return self.one(
            "INSERT INTO series (study_fk, series_instance_uid, series_number) VALUES (%s, %s, %s)"
            " RETURNING id",
            study,
            uid,
            number,
        )

    def instance(
        self,
        series: int,
        uid: str,
        *,
        data_set: bytes = b"data",
        number: int | None = None,
        sop_class: str = "1.2.840.10008.5.1.4.1.1.2",
        **columns: object,
    ) -> int:
        offset = self.append(self.META + data_set)
        values: dict[str, object] = {
            "series_fk": series,
            "segment_fk": self.segment,
            "segment_offset": offset,
            "size": len(self.META) + len(data_set),
            "data_set_offset": len(self.META),
            "sop_class": self.uid_code(sop_class),
            "transfer_syntax": self.uid_code("1.2.840.10008.1.2.1"),
            "instance_number": number,
            "sop_instance_uid": uid,
            "sha256": hashlib.sha256(data_set).digest(),
        } | columns
        names = ", ".join(f'"{name}"' for name in values)
        marks = ", ".join("%s" for _ in values)
        instance = self.one(
            f"INSERT INTO instance ({names}) VALUES ({marks}) RETURNING id", *values.values()
        )
        self.execute("UPDATE series SET instance_count = instance_count + 1 WHERE id = %s", series)
        return instance


@pytest.fixture
def small_archive(database: Database, tmp_path: Path) -> SmallArchive:
    return SmallArchive(database, tmp_path)


@pytest.fixture
def retrieval(small_archive: SmallArchive) -> Iterator[Retrieval]:
    opened = Retrieval(small_archive.database, [small_archive.volume], page_size=3)
    yield opened
    opened.close()
