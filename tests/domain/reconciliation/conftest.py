"""A department with patients, orders and studies, small enough to count."""

from typing import Any

import pytest
from psycopg.types.json import Jsonb

from negatoscope.domain.patients import Authority, Identifier, PersonName, Registry
from negatoscope.domain.reconciliation import Action, Desk, Done, WorkLists
from negatoscope.domain.reconciliation.duplicates import compare
from negatoscope.infra.db import Database

HOSPITAL = Authority(namespace="HOSP", universal_id="1.2.250.9.1", universal_id_type="ISO")


class Department:
    """Short ways to make and to look."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.desk = Desk(database)
        self.work = WorkLists(database)

    def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        with self.database.connection() as connection:
            cursor = connection.execute(sql, values)
            return cursor.fetchall() if cursor.description else []

    def one(self, sql: str, *values: object) -> Any:
        ((value,),) = self.rows(sql, *values)
        return value

    def patient(
        self, number: str, family: str = "LEFEVRE", given: str = "ZOE", born: str = "19700203",
        **traits: Any,
    ) -> int:  # fmt: skip
        updates = {
            "birth_name": PersonName(family=family, given=given), "birth_date": born, "sex": "F",
        } | traits  # fmt: skip
        with self.database.connection() as connection:
            return (
                Registry(connection)
                .register(
                    updates=updates,
                    identifiers=[Identifier(value=number, authority=HOSPITAL, type_code="PI")],
                    source="user:test",
                )
                .patient
            )

    def compare(self) -> None:
        with self.database.connection() as connection:
            rows = connection.execute("SELECT id FROM registered_patient ORDER BY id").fetchall()
            for (number,) in rows:
                compare(connection, number)

    def study(
        self, uid: str, number: str, *, issuer: str = "HOSP", name: str = "LEFEVRE^ZOE",
        born: str = "1970-02-03", accession: str = "",
    ) -> str:  # fmt: skip
        """As ingest makes it, with its single image."""
        record = {
            "sop": f"{uid}.1.1", "study_uid": uid, "series_uid": f"{uid}.1", "cls": 1, "ts": 1,
            "sha": "00" * 32, "seg": 1, "off": len(uid), "size": 1000, "dso": 100, "num": 1,
            "received": "2026-01-05T10:00:00+00", "ae": "CT1", "cls_uid": "1.2.840.10008.5.1.4.1.1.2",
            "patient": {
                "patient_id": number or None, "issuer_of_patient_id": issuer, "patient_name": name,
                "patient_name_folded": name.lower(), "patient_birth_date": born,
                "patient_sex": "F", "attributes": {},
            },
            "study": {"study_date": "2026-01-05", "accession_number": accession or None},
            "series": {"modality": "CT"},
        }  # fmt: skip
        self.rows("SELECT outcome FROM archive_ingest(%s)", Jsonb([record]))
        return uid

    def order(self, patient: int, accession: str, *, modality: str = "CT") -> tuple[int, int]:
        """An order of one procedure with a step on the worklist; its row and the procedure's."""
        request = self.one(
            "INSERT INTO imaging_service_request (patient_fk, accession_number, filler_order_number,"
            " state, source) VALUES (%s, %s, %s, 'SCHEDULED', 'user:test') RETURNING id",
            patient, accession, accession,
        )  # fmt: skip
        procedure = self.one(
            "INSERT INTO requested_procedure (request_fk, requested_procedure_id, study_instance_uid,"
            " modality, state) VALUES (%s, %s, %s, %s, 'SCHEDULED') RETURNING id",
            request, f"RP{accession}", f"9.{request}", modality,
        )  # fmt: skip
        self.rows(
            "INSERT INTO scheduled_procedure_step (procedure_fk, scheduled_procedure_step_id, modality,"
            " start_at, state) VALUES (%s, %s, %s, '2026-01-05T09:00:00Z', 'SCHEDULED')",
            procedure, f"SPS{accession}", modality,
        )  # fmt: skip
        return request, procedure

    def appointment(self, patient: int) -> int:
        return int(
            self.one(
                "INSERT INTO appointment (patient_fk, state, source, during) VALUES (%s, 'BOOKED',"
                " 'user:test', '[2026-01-05T09:00Z,2026-01-05T09:20Z)') RETURNING id",
                patient,
            )
        )

    def do(self, action: Action) -> Done:
        token = self.desk.preview(action, source="user:test").token
        return self.desk.do(action, token=token, source="user:test")

    def undo(self, done: Done) -> Done:
        return self.desk.undo(done.id, source="user:test")

    def picture(self) -> dict[str, list[tuple[Any, ...]]]:
        """Everything that a merge touches; the same before and after its undo."""
        return {
            "studies": self.rows(
                "SELECT s.study_instance_uid, p.patient_id, p.patient_name, p.registered_fk"
                " FROM study s JOIN patient p ON p.id = s.patient_fk ORDER BY 1"
            ),
            "orders": self.rows("SELECT id, patient_fk FROM imaging_service_request ORDER BY 1"),
            "appointments": self.rows("SELECT id, patient_fk FROM appointment ORDER BY 1"),
            "bindings": self.rows(
                "SELECT study_instance_uid, state, procedure_fk, patient_fk FROM study_binding ORDER BY 1"
            ),
            "identifiers": self.rows(
                "SELECT patient_fk, value FROM registered_identifier WHERE until IS NULL ORDER BY 2"
            ),
            "traits": self.rows(
                "SELECT id, birth_family_name, birth_date, merged_into FROM registered_patient ORDER BY 1"
            ),
        }


@pytest.fixture
def department(database: Database) -> Department:
    """Nobody yet."""
    return Department(database)
