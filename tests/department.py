"""A small department for tests: rooms, devices, procedures, patients, orders, written row by row."""

import itertools
from datetime import datetime, timedelta

import psycopg

from negatoscope.kit.text import fold

_NUMBERS = itertools.count(1)


class Department:
    """Makes rows and remembers nothing; every method returns the row's number."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self.connection = connection

    def _add(self, table: str, **values: object) -> int:
        columns = ", ".join(values)
        places = ", ".join(["%s"] * len(values))
        row = self.connection.execute(
            f"INSERT INTO {table} ({columns}) VALUES ({places}) RETURNING id", list(values.values())
        ).fetchone()
        return row[0]

    def room(self, name: str, **more: object) -> int:
        return self._add("resource", kind="ROOM", name=name, **more)

    def device(self, name: str, room: int | None, modality: str, ae_title: str) -> int:
        return self._add(
            "resource", kind="DEVICE", name=name, room_fk=room, modality=modality, ae_title=ae_title
        )

    def procedure(self, code: str, label: str, modality: str, **more: object) -> int:
        return self._add(
            "catalogue_procedure",
            code_value=code,
            label_fr=label,
            modality=modality,
            name_folded=fold(f"{code} {label}"),
            **more,
        )

    def patient(
        self,
        family: str,
        given: str = "",
        *,
        ipp: str = "",
        used: str = "",
        birth_date: str = "19610503",
        sex: str = "F",
        **more: object,
    ) -> int:
        number = self._add(
            "registered_patient",
            birth_family_name=family,
            birth_given_name=given,
            used_family_name=used,
            name_folded=fold(f"{family} {given} {used}"),
            birth_date=birth_date,
            sex=sex,
            **more,
        )
        if ipp:
            self.connection.execute(
                "INSERT INTO assigning_authority (namespace) VALUES ('CHU') ON CONFLICT DO NOTHING"
            )
            self.connection.execute(
                "INSERT INTO registered_identifier (patient_fk, authority_fk, value, type_code)"
                " SELECT %s, id, %s, 'PI' FROM assigning_authority WHERE namespace = 'CHU'",
                (number, ipp),
            )
        return number

    def order(self, patient: int, *, accession: str = "", **more: object) -> int:
        number = next(_NUMBERS)
        values = {"state": "SCHEDULED", "source": "user:test", **more}
        return self._add(
            "imaging_service_request",
            patient_fk=patient,
            accession_number=accession or f"T{number:08d}",
            filler_order_number=f"F{number}",
            **values,
        )

    def requested(self, request: int, *, catalogue: int | None = None, **more: object) -> int:
        number = next(_NUMBERS)
        values = {
            "state": "SCHEDULED",
            "study_instance_uid": f"2.25.{10**12 + number}",
            **more,
        }
        return self._add(
            "requested_procedure",
            request_fk=request,
            requested_procedure_id=f"RP{number}",
            procedure_fk=catalogue,
            **values,
        )

    def step(self, procedure: int, start_at: datetime | None, **more: object) -> int:
        values = {
            "state": "SCHEDULED",
            "modality": "CT",
            "end_at": None if start_at is None else start_at + timedelta(minutes=20),
            **more,
        }
        return self._add(
            "scheduled_procedure_step",
            procedure_fk=procedure,
            scheduled_procedure_step_id=f"SPS{next(_NUMBERS)}",
            start_at=start_at,
            **values,
        )

    def appointment(
        self, patient: int, start_at: datetime, steps: list[int], room: int, **more: object
    ) -> int:
        during = psycopg.types.range.TimestamptzRange(start_at, start_at + timedelta(minutes=20))
        values = {"state": "BOOKED", "source": "user:test"}
        number = self._add("appointment", patient_fk=patient, during=during, **values)
        for one in steps:
            self.connection.execute("INSERT INTO appointment_step VALUES (%s, %s)", (number, one))
        self._add("booking", appointment_fk=number, resource_fk=room, during=during, **more)
        return number

    def study(self, uid: str, *, images: int, name: str = "DUPONT^Zoé", **more: object) -> int:
        patient = self._add("patient", patient_name=name, patient_name_folded=fold(name))
        return self._add(
            "study",
            patient_fk=patient,
            study_instance_uid=uid,
            series_count=1,
            instance_count=images,
            **more,
        )
