"""Encounters (stays, visits) of registered patients, kept from what messages say of them.

Every call works inside a transaction of the caller's. A stay is never carried to another patient by its number: only a
merge of the two files, or a message that moves the account (ADT^A44), does that.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import psycopg
from psycopg.types.json import Jsonb

from negatoscope.domain.patients.errors import PatientError
from negatoscope.domain.patients.model import Authority, Identifier
from negatoscope.domain.patients.registry import Registry
from negatoscope.domain.patients.stays import (
    EncounterState,
    Movement,
    Statement,
    StatementAction,
    Stay,
    fold,
)
from negatoscope.infra.db import load_queries

SQL: Final = load_queries("negatoscope.domain.patients.sql", "encounters.sql")
MAX_STATEMENTS: Final = 5000
"""Of one encounter; more is a loop of the sender's."""
_MAX_LISTED: Final = 500


class EncounterTaken(PatientError):
    """The number of the stay belongs to another patient."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Encounter:
    """A stay or a visit.

    Attributes:
        patient: Whose.
        visit: PV1-19 (VN), or the account where a sender numbers only these.
        account: PID-18 (AN, *dossier*).
        patient_class: PV1-2: I inpatient, O outpatient, E emergency, R recurring, …
        stay: How it is, with every movement.
    """

    id: int
    patient: int
    visit: Identifier
    account: Identifier | None
    stay: Stay
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownEncounter:
    """A stay for somebody who reads it.

    Attributes:
        encounter: As it is.
        patient: Whose by now: a file may have ended in another one since.
        medical_unit: What the unit in charge was called when it began; its code where nobody says.
    """

    encounter: Encounter
    patient: int
    medical_unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """What saying something of an encounter did.

    Attributes:
        is_new: Nothing was known of it.
        is_changed: Something was said that had not been said before.
    """

    encounter: int
    patient: int
    state: EncounterState
    is_new: bool
    is_changed: bool


class Encounters:
    """The stays of registered patients.

    Args:
        connection: In a transaction of the caller's.
    """

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection
        self._registry = Registry(connection)

    def follow(
        self,
        *,
        patient: int,
        visit: Identifier,
        account: Identifier | None,
        statements: Sequence[Statement],
        sender: str,
        source: str,
    ) -> Followed:
        """Take what a message says of a stay.

        Args:
            patient: Whom the message names.
            visit: The number of the stay.
            account: Of the file it belongs to, when given.
            statements: One for each movement.
            sender: Whose control identifiers they carry.
            source: ``hl7:<message>``.

        Raises:
            EncounterTaken: the number belongs to another patient.
            UnclearAuthority: nobody says who gave a number.
        """
        authority = self._registry.authority_number(visit.authority)
        key = {"key": f"visit {authority}:{visit.value}"}
        self._connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%(key)s, 0))", key)
        said_at = max(one.said_at for one in statements)
        whose = self._holder_of(account, patient, said_at)
        number, is_new = self._encounter(whose, visit, authority)
        if account is not None:
            values = {"account": account.value, "id": number}
            values["authority"] = self._registry.authority_number(account.authority)
            self._connection.execute(SQL["set_account"], values)
        added = [self._keep(number, one, sender, source) for one in statements]
        stay = self._write(number)
        return Followed(
            encounter=number,
            patient=whose,
            state=stay.state,
            is_new=is_new,
            is_changed=any(added),
        )

    def move_account(
        self,
        *,
        account: Identifier,
        patient: int,
        former: int | None,
        said_at: datetime,
        source: str,
    ) -> list[int]:
        """Give an account with its stays to another patient (ADT^A44).

        Args:
            account: PID-18, or MRG-3.
            patient: Whose it is from now on.
            former: Whose it was; None when nobody here is known by that number.
            said_at: A later word than this one prevails.
            source: ``hl7:<message>``.

        Returns: Encounters that went over; none when a later message moved the account elsewhere.

        Raises:
            EncounterTaken: a stay of the account belongs to a third patient.
        """
        authority = self._registry.authority_number(account.authority)
        values: dict[str, object] = {"account": account.value, "authority": authority}
        held = self._connection.execute(SQL["of_account"], values).fetchall()
        allowed = {self._registry.goes_on_as(one) for one in (patient, former) if one is not None}
        moved = self._connection.execute(
            SQL["move_account"],
            values | {"patient": patient, "said_at": said_at, "source": source},
        ).fetchone()
        if moved is None:
            return []
        strangers = [one for one in held if self._registry.goes_on_as(one[1]) not in allowed]
        if strangers:
            raise EncounterTaken(
                f"encounter {strangers[0][0]} of the account belongs to patient {strangers[0][1]}",
                hint="correct the account's number, or merge the patients.",
            )
        for number, _ in held:
            self._connection.execute(SQL["set_patient"], {"id": number, "patient": patient})
        return [number for number, _ in held]

    def of_patient(self, number: int, *, limit: int = _MAX_LISTED) -> list[Encounter]:
        """Stays of a patient and of the files that ended in theirs, the latest first."""
        return self.of_patients([number, *self._registry.absorbed(number)], limit=limit)

    def of_patients(self, numbers: Sequence[int], *, limit: int = _MAX_LISTED) -> list[Encounter]:
        """Stays of several files, the latest first."""
        rows = self._connection.execute(
            SQL["of_patients"], {"patients": list(numbers), "limit": limit}
        ).fetchall()
        movements = self._movements([row[0] for row in rows])
        return [_encounter(row, movements.get(row[0], ())) for row in rows]

    def shown(self, numbers: Sequence[int]) -> list[ShownEncounter]:
        """Stays by our numbers, in the order of these; missing ones are left out."""
        rows = self._connection.execute(SQL["shown"], {"ids": list(numbers)}).fetchall()
        movements = self._movements([row[0] for row in rows])
        found = {
            row[0]: ShownEncounter(
                encounter=_encounter(row, movements.get(row[0], ())),
                patient=row[22],
                medical_unit=row[23] or row[16],
            )
            for row in rows
        }
        return [found[number] for number in numbers if number in found]

    # -- rows ---------------------------------------------------------------------------------

    def _movements(self, encounters: Sequence[int]) -> dict[int, list[Movement]]:
        found: dict[int, list[Movement]] = {}
        for one in self._connection.execute(SQL["movements"], {"encounters": list(encounters)}):
            found.setdefault(one[0], []).append(_movement(one))
        return found

    def _holder_of(self, account: Identifier | None, patient: int, said_at: datetime) -> int:
        """Whose a stay is: the message's patient, unless its account was moved later."""
        if account is None:
            return patient
        authority = self._registry.authority_number(account.authority)
        row = self._connection.execute(
            SQL["account_holder"], {"account": account.value, "authority": authority}
        ).fetchone()
        return int(row[0]) if row is not None and row[1] >= said_at else patient

    def _encounter(self, patient: int, visit: Identifier, authority: int) -> tuple[int, bool]:
        values = {"visit": visit.value, "authority": authority, "patient": patient}
        row = self._connection.execute(SQL["add"], values).fetchone()
        if row is not None:
            return int(row[0]), True
        found = self._connection.execute(SQL["find"], values).fetchone()
        assert found is not None  # noqa: S101 - the insert met it
        number, holder = int(found[0]), int(found[1])
        if holder != patient:
            if self._registry.goes_on_as(holder) != self._registry.goes_on_as(patient):
                raise EncounterTaken(
                    f"encounter {number} belongs to patient {holder}",
                    hint="the account is moved by ADT^A44, patients are merged by ADT^A40.",
                )
            self._connection.execute(SQL["set_patient"], {"id": number, "patient": patient})
        return number, False

    def _keep(self, encounter: int, one: Statement, sender: str, source: str) -> bool:
        row = self._connection.execute(
            SQL["add_statement"],
            {
                "encounter": encounter,
                "sender": sender,
                "control_id": one.control_id,
                "said_at": one.said_at,
                "action": one.action,
                "event": one.event,
                "movement": one.movement_id,
                "happened_at": one.happened_at,
                "facts": Jsonb(dict(one.facts)),
                "source": source,
            },
        ).fetchone()
        return row is not None

    def _write(self, encounter: int) -> Stay:
        """Fold what was said and write how it is."""
        rows = self._connection.execute(SQL["statements"], {"encounter": encounter}).fetchall()
        if len(rows) > MAX_STATEMENTS:
            raise PatientError(f"more than {MAX_STATEMENTS} messages about encounter {encounter}")
        stay = fold(_statements(rows))
        self._connection.execute(
            SQL["write"],
            {
                "id": encounter,
                "state": stay.state,
                "patient_class": stay.patient_class,
                "admitted_at": stay.admitted_at,
                "discharged_at": stay.discharged_at,
                "expected_at": stay.expected_at,
                "lodging_unit": stay.lodging_unit,
                "medical_unit": stay.medical_unit,
                "care_unit": stay.care_unit,
                "room": stay.room,
                "bed": stay.bed,
                "attending_doctor": stay.attending_doctor,
            },
        )
        keys = [one.key for one in stay.movements]
        self._connection.execute(SQL["drop_movements"], {"encounter": encounter, "keys": keys})
        for one in stay.movements:
            values = {
                "encounter": encounter,
                "key": one.key,
                "movement": one.movement_id,
                "event": one.event,
                "nature": one.nature,
                "happened_at": one.happened_at,
                "is_historic": one.is_historic,
                "is_cancelled": one.is_cancelled,
            } | {name: one.facts.get(name, "") for name in _PLACES}
            self._connection.execute(SQL["write_movement"], values)
        return stay


_PLACES: Final = ("lodging_unit", "medical_unit", "care_unit", "room", "bed")


def _statements(rows: Iterable[Sequence[Any]]) -> list[Statement]:
    return [
        Statement(
            said_at=row[0],
            control_id=row[1],
            action=StatementAction(row[2]),
            event=row[3],
            movement_id=row[4],
            happened_at=row[5],
            facts=row[6],
        )
        for row in rows
    ]


def _movement(row: Sequence[Any]) -> Movement:
    facts: Mapping[str, str] = dict(zip(_PLACES, row[6:11], strict=True))
    return Movement(
        key=row[1],
        movement_id=row[2],
        event=row[3],
        nature=row[4],
        happened_at=row[5],
        is_historic=row[11],
        is_cancelled=row[12],
        facts=facts,
    )


def _encounter(row: Sequence[Any], movements: Sequence[Movement]) -> Encounter:
    return Encounter(
        id=row[0],
        patient=row[1],
        visit=Identifier(
            value=row[2],
            type_code="VN",
            authority=Authority(namespace=row[3], universal_id=row[4], universal_id_type=row[5]),
        ),
        account=None
        if not row[6]
        else Identifier(
            value=row[6],
            type_code="AN",
            authority=Authority(namespace=row[7], universal_id=row[8], universal_id_type=row[9]),
        ),
        stay=Stay(
            patient_class=row[10],
            state=EncounterState(row[11]),
            admitted_at=row[12],
            discharged_at=row[13],
            expected_at=row[14],
            lodging_unit=row[15],
            medical_unit=row[16],
            care_unit=row[17],
            room=row[18],
            bed=row[19],
            attending_doctor=row[20],
            movements=tuple(movements),
        ),
        updated_at=row[21],
    )
