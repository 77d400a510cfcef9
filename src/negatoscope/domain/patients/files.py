"""Files of patients, read; each call inside a transaction of the caller's."""

import re
from collections.abc import Sequence
from typing import Any, Final

import psycopg

from negatoscope.domain.patients import history
from negatoscope.domain.patients.authorities import number_of
from negatoscope.domain.patients.errors import UnknownPatient
from negatoscope.domain.patients.model import (
    Authority,
    Change,
    HeldIdentifier,
    Identifier,
    Patient,
    Traits,
)
from negatoscope.domain.patients.rows import name_keys, patient_of
from negatoscope.domain.patients.typed import Typed
from negatoscope.infra.db import load_queries

SQL: Final = load_queries("negatoscope.domain.patients.sql", "patients.sql")
Connection = psycopg.Connection[Any]


class Files:
    """The patients of the admission office, as they are.

    Args:
        connection: In a transaction of the caller's.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, number: int) -> Patient:
        """A patient by our number.

        Raises:
            UnknownPatient: there is none.
        """
        found = self.get_all([number])
        if not found:
            raise UnknownPatient(f"there is no patient {number}")
        return found[0]

    def get_all(self, numbers: Sequence[int]) -> list[Patient]:
        """Patients by our numbers, in the order of these; missing ones are left out."""
        identifiers: dict[int, list[Identifier]] = {}
        ids = {"ids": list(numbers)}
        for row in self._connection.execute(SQL["identifiers"], ids):
            authority = Authority(namespace=row[3], universal_id=row[4], universal_id_type=row[5])
            one = Identifier(value=row[1], authority=authority, type_code=row[2])
            identifiers.setdefault(row[0], []).append(one)
        found = {
            row[0]: patient_of(row, identifiers.get(row[0], ()))
            for row in self._connection.execute(SQL["get"], ids)
        }
        return [found[number] for number in numbers if number in found]

    def authority_number(self, authority: Authority) -> int:
        """Our number of an authority, known from now on.

        Raises:
            UnclearAuthority: nothing is said, or a local name that several have.
        """
        return number_of(self._connection, authority, add=True)

    def search(
        self,
        *,
        text: str = "",
        identifier: str = "",
        birth_date: str = "",
        before: int | None = None,
        limit: int = 100,
    ) -> list[Patient]:
        """Patients whose files go on, newest first.

        Args:
            text: What somebody types: every word is part of a name, accents and case aside; every
                number begins an identifier in force or is (the beginning of) a birth date.
            identifier: One they have, exactly.
            birth_date: Exactly.
            before: Only older files than this one.
            limit: At most so many.
        """
        typed = Typed.of(text)
        parameters: dict[str, object] = {
            "identifier": identifier,
            "birth_date": birth_date,
            "before": before,
            "limit": limit,
        }
        conditions = []
        for number, word in enumerate(typed.words):
            escaped = re.sub(r"([\\%_])", r"\\\1", word)
            parameters[f"word_{number}"] = f"%{escaped}%"
            conditions.append(f"AND p.name_folded LIKE %(word_{number})s")
        query = "search"
        if typed.numbers:
            query = "search_typed"
            (first, date), *more = typed.numbers
            parameters |= {
                "number": first,
                "date": date,
                "more": [one for one, _ in more],
                "more_dates": [one for _, one in more],
            }
        sql = SQL[query].format(words=" ".join(conditions))
        rows = self._connection.execute(sql, parameters).fetchall()
        return self.get_all([row[0] for row in rows])

    def every_identifier(self, number: int) -> list[HeldIdentifier]:
        """Identifiers in force, then ended ones."""
        return [
            HeldIdentifier(
                identifier=Identifier(
                    value=row[0],
                    type_code=row[1],
                    authority=Authority(
                        namespace=row[2], universal_id=row[3], universal_id_type=row[4]
                    ),
                ),
                since=row[5],
                until=row[6],
            )
            for row in self._connection.execute(SQL["every_identifier"], {"patient": number})
        ]

    def goes_on_as(self, number: int) -> int:
        """The patient whose file goes on for this one: itself unless it was merged away.

        Raises:
            UnknownPatient: there is none.
        """
        row = self._connection.execute(SQL["goes_on_as"], {"patient": number}).fetchone()
        if row is None:
            raise UnknownPatient(f"there is no patient {number}")
        return int(row[0])

    def absorbed(self, number: int) -> list[int]:
        """Patients whose files ended in this one, directly or through others."""
        rows = self._connection.execute(SQL["absorbed"], {"patient": number}).fetchall()
        return [row[0] for row in rows]

    def similar(self, traits: Traits) -> tuple[int, ...]:
        """Patients with the same family name and the same first given name, and birth date.

        Names at birth and in use are compared, folded; none without a birth date.
        """
        if not traits.birth_date:
            return ()
        rows = self._connection.execute(SQL["same_birth"], {"birth_date": traits.birth_date})
        wanted = name_keys(traits)
        numbers = [row[0] for row in rows]
        return tuple(one.id for one in self.get_all(numbers) if wanted & name_keys(one.traits))

    def history(self, number: int) -> list[Change]:
        """Everything that happened to a patient's file, oldest first."""
        return history.of_file(self._connection, number)
