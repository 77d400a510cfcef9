"""A department written row by row, and studies as an archive would have them."""

import itertools
from datetime import UTC, datetime, timedelta

import psycopg
from psycopg.types.json import Jsonb

from negatoscope.kit.text import fold

_NUMBERS = itertools.count(1)


class Rows:
    """Makes rows; each method returns the row's number."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self.connection = connection

    def add(self, table: str, **values: object) -> int:
        columns, places = ", ".join(values), ", ".join(["%s"] * len(values))
        query = f"INSERT INTO {table} ({columns}) VALUES ({places}) RETURNING id"
        return self.connection.execute(query, list(values.values())).fetchone()[0]

    def authority(self, namespace: str, universal_id: str = "") -> int:
        return self.add(
            "assigning_authority",
            namespace=namespace,
            universal_id=universal_id,
            universal_id_type="ISO" if universal_id else "",
        )

    def patient(self, family: str, given: str, *, born: str = "19610503", **more: object) -> int:
        return self.add(
            "registered_patient",
            birth_family_name=family,
            birth_given_name=given,
            name_folded=fold(f"{family} {given} {more.get('used_family_name', '')}"),
            birth_date=born,
            **{"sex": "F", **more},
        )

    def identifier(self, patient: int, authority: int, value: str, **more: object) -> int:
        values = {"type_code": "PI", **more}
        return self.add(
            "registered_identifier",
            patient_fk=patient,
            authority_fk=authority,
            value=value,
            **values,
        )

    def order(self, patient: int, *, accession: str = "", **more: object) -> int:
        number = next(_NUMBERS)
        return self.add(
            "imaging_service_request",
            patient_fk=patient,
            accession_number=accession or f"T{number:08d}",
            filler_order_number=f"F{number}",
            **{"state": "SCHEDULED", "source": "user:test", **more},
        )

    def procedure(self, request: int, **more: object) -> int:
        number = next(_NUMBERS)
        values = {
            "requested_procedure_id": f"RP{number}",
            "state": "SCHEDULED",
            "study_instance_uid": f"2.25.{10**12 + number}",
        }
        return self.add("requested_procedure", request_fk=request, **{**values, **more})

    def step(self, procedure: int, **more: object) -> int:
        start = more.get("start_at", datetime.now(UTC).replace(microsecond=0))
        values = {
            "scheduled_procedure_step_id": f"SPS{next(_NUMBERS)}",
            "state": "SCHEDULED",
            "modality": "CT",
            "scheduled_station_ae_title": "CT1",
            "start_at": start,
            "end_at": start + timedelta(minutes=20) if isinstance(start, datetime) else None,
        }
        return self.add("scheduled_procedure_step", procedure_fk=procedure, **{**values, **more})

    def study(
        self,
        uid: str,
        *,
        name: str = "DUPONT^ZOE",
        born: str | None = "1961-05-03",
        patient_id: str | None = None,
        issuer: str = "",
        images: int = 3,
        attributes: dict[str, object] | None = None,
        **more: object,
    ) -> int:
        patient = self.add(
            "patient",
            patient_id=patient_id,
            issuer_of_patient_id=issuer,
            discriminator=next(_NUMBERS),
            patient_name=name,
            patient_name_folded=fold(name),
            patient_birth_date=born,
        )
        return self.add(
            "study",
            patient_fk=patient,
            study_instance_uid=uid,
            series_count=1,
            instance_count=images,
            attributes=Jsonb(attributes or {}),
            **more,
        )

    def value(self, query: str, *parameters: object) -> object:
        row = self.connection.execute(query, parameters).fetchone()
        return None if row is None else row[0]
