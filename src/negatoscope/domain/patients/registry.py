"""What may be done to a patient's file; each call inside a transaction of the caller's.

A message and what it does commit together, so the caller owns the transaction. Identifiers are
locked in a fixed order first: two messages about one new patient make one file.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Final

import psycopg
from psycopg.types.json import Jsonb

from negatoscope.domain.patients.errors import (
    FileEnded,
    IdentifierTaken,
    MergeRefused,
    SeveralPatients,
    SimilarPatients,
    UnclearAuthority,
    UnknownPatient,
)
from negatoscope.domain.patients.ins import is_ins
from negatoscope.domain.patients.model import (
    Authority,
    Change,
    ChangeKind,
    HeldIdentifier,
    Identifier,
    Patient,
    PersonName,
    Traits,
)
from negatoscope.domain.patients.typed import Typed
from negatoscope.infra.db import load_queries
from negatoscope.infra.events import publish
from negatoscope.kit.text import fold

SQL: Final = load_queries("negatoscope.domain.patients.sql", "patients.sql")
EVENT: Final = "patient-changed"
"""Of the event in the outbox; its payload has ``change``, ``patient``, ``other``, ``kind``."""
ENCOUNTER_TYPES: Final = frozenset({"AN", "VN"})
"""HL7 table 0203: numbers of a stay or a visit; they say nothing about who the patient is."""
Connection = psycopg.Connection[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """What `Registry.register` did.

    Attributes:
        patient: Whose file.
        kind: CREATED, UPDATED; None when nothing was new.
        changed: Names of traits that changed, ``identifiers`` among them.
    """

    patient: int
    kind: ChangeKind | None
    changed: tuple[str, ...]


class Registry:
    """The patients of the admission office.

    Args:
        connection: In a transaction of the caller's.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    # -- reading ------------------------------------------------------------------------------

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
            row[0]: _patient(row, identifiers.get(row[0], ()))
            for row in self._connection.execute(SQL["get"], ids)
        }
        return [found[number] for number in numbers if number in found]

    def holder(self, identifier: Identifier) -> int | None:
        """Who has an identifier; None when nobody does or its authority is unknown.

        Raises:
            UnclearAuthority: it has none, or a name that several have.
        """
        return self._holder(identifier.value, self._authority(identifier.authority, add=False))

    def authority_number(self, authority: Authority) -> int:
        """Our number of an authority, known from now on.

        Raises:
            UnclearAuthority: nothing is said, or a local name that several have.
        """
        return self._authority(authority, add=True)

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
        wanted = _keys(traits)
        numbers = [row[0] for row in rows]
        return tuple(one.id for one in self.get_all(numbers) if wanted & _keys(one.traits))

    def history(self, number: int) -> list[Change]:
        """Everything that happened to a patient's file, oldest first."""
        return [
            Change(
                id=row[0],
                patient=row[1],
                at=row[2],
                kind=ChangeKind(row[3]),
                before=row[4],
                after=row[5],
                source=row[6],
                other_patient=row[7],
            )
            for row in self._connection.execute(SQL["history"], {"patient": number})
        ]

    # -- changing -----------------------------------------------------------------------------

    def register(
        self, *, updates: Mapping[str, Any], identifiers: Sequence[Identifier], source: str
    ) -> Registered:
        """Make or update the file of the patient who has these identifiers.

        Args:
            updates: Attributes of `Traits` to their new values; absent ones are left alone.
            identifiers: All that are given; at least one of the patient, not of a stay.
            source: ``hl7:<message>`` or ``user:<name>``.

        Raises:
            UnclearAuthority: an identifier says not who gave it.
            UnknownPatient: no identifier of the patient is given.
            SeveralPatients: they belong to different patients.
        """
        known = [
            (one, self._authority(one.authority, add=True))
            for one in identifiers
            if one.type_code not in ENCOUNTER_TYPES
        ]
        if not known:
            raise UnknownPatient("no identifier of the patient is given")
        for key in sorted(f"{authority}:{one.value}" for one, authority in known):
            self._connection.execute(SQL["lock_identifier"], {"key": key})
        while True:
            holders = self._holders(known)
            if len(holders) > 1:
                numbers = ", ".join(map(str, sorted(holders)))
                raise SeveralPatients(
                    f"the identifiers belong to the patients {numbers}",
                    hint="merge them, or correct one.",
                )
            if not holders:
                return self._create(updates, known, source)
            (number,) = holders
            with self._connection.transaction() as attempt:
                self._lock(number)
                if self._holders(known) == holders:
                    return self._update(self.get(number), updates, known, source)
                raise psycopg.Rollback(attempt)  # merged or parted while we waited: let go

    def create(
        self,
        *,
        traits: Traits,
        own_authority: Authority,
        prefix: str = "",
        source: str,
        even_if_similar: bool = False,
    ) -> Registered:
        """Make the file of a patient whom somebody typed in, with a number of our own.

        Args:
            traits: What is known.
            own_authority: Who we are, as an assigning authority.
            prefix: Before the eight digits of the number.
            source: ``user:<name>``.
            even_if_similar: Also when patients with the same traits are known.

        Raises:
            SimilarPatients: some are.
        """
        if not even_if_similar and (numbers := self.similar(traits)):
            raise SimilarPatients(numbers)
        authority = self._authority(own_authority, add=True)
        while True:
            row = self._connection.execute(SQL["own_number"]).fetchone()
            assert row is not None  # noqa: S101 - a sequence always answers
            one = Identifier(value=f"{prefix}{row[0]:08d}", authority=own_authority, type_code="PI")
            if self._holder(one.value, authority) is None:
                break  # else: given by a message before
        updates = {one.name: getattr(traits, one.name) for one in fields(Traits)}
        return self._create(updates, [(one, authority)], source)

    def correct(
        self, number: int, *, updates: Mapping[str, Any], version: int, source: str
    ) -> Registered:
        """Change traits by hand.

        Args:
            number: Whose.
            updates: Attributes of `Traits` to their new values; absent ones are left alone.
            version: As it was read.
            source: ``user:<name>``.

        Raises:
            UnknownPatient: there is none.
            FileEnded: it was merged away, or changed since.
        """
        self._lock(number)
        before = self.get(number)
        if before.merged_into is not None:
            raise FileEnded(
                f"the file goes on as patient {before.merged_into}", hint="change that one."
            )
        if before.version != version:
            raise FileEnded("the file was changed meanwhile", hint="look at it again, then change.")
        return self._update(before, updates, (), source)

    def change_identifier(self, *, old: Identifier, new: Identifier | None, source: str) -> int:
        """Put an identifier in the place of another one, or take it away (ADT^A47).

        Returns: Whose file it is.

        Raises:
            UnknownPatient: nobody has the old one, and nobody the new one.
            IdentifierTaken: the new one is another patient's: a merge was meant.
            UnclearAuthority: one says not who gave it.
        """
        old_authority = self._authority(old.authority, add=True)
        keys = [f"{old_authority}:{old.value}"]
        new_authority = None
        if new is not None:
            new_authority = self._authority(new.authority, add=True)
            keys.append(f"{new_authority}:{new.value}")
        for key in sorted(keys):
            self._connection.execute(SQL["lock_identifier"], {"key": key})
        number = self._holder(old.value, old_authority)
        taken = (
            None if new is None or new_authority is None else self._holder(new.value, new_authority)
        )
        if number is None:
            if taken is not None:
                return taken  # said again
            raise UnknownPatient("no patient has the identifier that changes")
        if taken not in {None, number}:
            raise IdentifierTaken(
                f"the new identifier belongs to patient {taken}", hint="merge the two patients."
            )
        self._lock(number)
        self._connection.execute(
            SQL["end_identifier"],
            {"patient": number, "value": old.value, "authority": old_authority},
        )
        if new is not None and new_authority is not None:
            self._add_identifier(number, new, new_authority)
        self._record(
            number,
            ChangeKind.IDENTIFIERS_CHANGED,
            before={"identifiers": [_plain(old)]},
            after={"identifiers": [] if new is None else [_plain(new)]},
            source=source,
        )
        return number

    def merge(self, *, survivor: int, subsumed: int, source: str) -> bool:
        """End a patient's file; its identifiers go to another one's (ADT^A40).

        Returns: Whether anything changed: saying it again does nothing.

        Raises:
            UnknownPatient: one of them is not there.
            MergeRefused: into itself, into one that was merged away, or a circle.
        """
        if survivor == subsumed:
            raise MergeRefused("a patient cannot be merged into itself")
        self._lock(survivor, subsumed)
        goes_on, ends = self.get(survivor), self.get(subsumed)
        if ends.merged_into == survivor:
            return False
        if ends.merged_into is not None or goes_on.merged_into is not None:
            raise MergeRefused(
                "one of the two was merged into another patient before",
                hint="merge into the patient whose file goes on.",
            )
        moved = self._connection.execute(
            SQL["move_identifiers"], {"from": subsumed, "to": survivor}
        ).fetchall()
        self._connection.execute(SQL["end_file"], {"id": subsumed, "into": survivor})
        identifiers = [row[0] for row in moved]
        self._record(
            subsumed,
            ChangeKind.MERGED,
            after={"into": survivor, "identifier_rows": identifiers},
            source=source,
            other=survivor,
        )
        self._record(
            survivor,
            ChangeKind.ABSORBED,
            after={"from": subsumed, "identifiers": [_plain(one) for one in ends.identifiers]},
            source=source,
            other=subsumed,
        )
        return True

    def split(self, *, subsumed: int, source: str) -> int:
        """Take a merge back: the file goes on, with the identifiers it had.

        Returns: The patient it had been merged into.

        Raises:
            UnknownPatient: it is not there, or was not merged.
        """
        into = self._lock_with_survivor(subsumed)
        row = self._connection.execute(SQL["last_merge"], {"patient": subsumed}).fetchone()
        if into is None or row is None:
            raise UnknownPatient(f"patient {subsumed} was not merged")
        self._connection.execute(
            SQL["return_identifiers"], {"to": subsumed, "ids": row[1]["identifier_rows"]}
        )
        self._connection.execute(SQL["end_file"], {"id": subsumed, "into": None})
        for number, other in ((subsumed, into), (into, subsumed)):
            self._record(number, ChangeKind.SPLIT, source=source, other=other)
        return into

    # -- rows ---------------------------------------------------------------------------------

    def _update(
        self,
        before: Patient,
        updates: Mapping[str, Any],
        known: Sequence[tuple[Identifier, int]],
        source: str,
    ) -> Registered:
        traits = replace(before.traits, **updates)
        ended: list[Identifier] = []
        if "DOUT" in traits.identity_attributes:  # RNIV: provisional, without INS
            traits = replace(traits, identity_status="PROV")
            known = [one for one in known if not is_ins(one[0])]
            ended = [one for one in before.identifiers if is_ins(one)]
        changed = [
            one.name
            for one in fields(Traits)
            if getattr(before.traits, one.name) != getattr(traits, one.name)
        ]
        if changed:
            self._connection.execute(SQL["change"], {"id": before.id, **_columns(traits)})
        for one in ended:
            self._end_identifier(before.id, one)
        added = [one for one, authority in known if self._add_identifier(before.id, one, authority)]
        if not changed and not added and not ended:
            return Registered(patient=before.id, kind=None, changed=())
        self._record(
            before.id,
            ChangeKind.UPDATED,
            before={name: _plain(getattr(before.traits, name)) for name in changed}
            | ({"identifiers": [_plain(one) for one in ended]} if ended else {}),
            after={name: _plain(getattr(traits, name)) for name in changed}
            | ({"identifiers": [_plain(one) for one in added]} if added else {}),
            source=source,
        )
        names = (*changed, "identifiers") if added or ended else tuple(changed)
        return Registered(patient=before.id, kind=ChangeKind.UPDATED, changed=names)

    def _create(
        self, updates: Mapping[str, Any], known: Sequence[tuple[Identifier, int]], source: str
    ) -> Registered:
        traits = replace(Traits(), **updates)
        row = self._connection.execute(SQL["add"], _columns(traits)).fetchone()
        assert row is not None  # noqa: S101 - an INSERT without conflict clause returns its row
        number = int(row[0])
        for one, authority in known:
            self._add_identifier(number, one, authority)
        self._record(
            number,
            ChangeKind.CREATED,
            after={one.name: _plain(getattr(traits, one.name)) for one in fields(Traits)}
            | {"identifiers": [_plain(one) for one, _ in known]},
            source=source,
        )
        return Registered(patient=number, kind=ChangeKind.CREATED, changed=())

    def _add_identifier(self, number: int, one: Identifier, authority: int) -> bool:
        row = self._connection.execute(
            SQL["add_identifier"],
            {
                "patient": number,
                "authority": authority,
                "value": one.value,
                "type_code": one.type_code,
            },
        ).fetchone()
        return row is not None

    def _end_identifier(self, number: int, one: Identifier) -> None:
        authority = self._authority(one.authority, add=True)
        values = {"patient": number, "value": one.value, "authority": authority}
        self._connection.execute(SQL["end_identifier"], values)

    def _holder(self, value: str, authority: int) -> int | None:
        row = self._connection.execute(
            SQL["holder"], {"value": value, "authority": authority}
        ).fetchone()
        return None if row is None else int(row[0])

    def _holders(self, known: Sequence[tuple[Identifier, int]]) -> set[int]:
        found = (self._holder(one.value, authority) for one, authority in known)
        return {holder for holder in found if holder is not None}

    def _lock_with_survivor(self, number: int) -> int | None:
        """Lock a patient and the one they were merged into, in the order of a merge. Returns: the latter."""
        while (into := self.get(number).merged_into) is not None:
            with self._connection.transaction() as attempt:
                self._lock(number, into)
                if self.get(number).merged_into == into:
                    return into
                raise psycopg.Rollback(attempt)  # somebody else was quicker: let go
        return None

    def _lock(self, *numbers: int) -> None:
        self._connection.execute(SQL["lock"], {"ids": sorted(numbers)})

    def _authority(self, authority: Authority, *, add: bool) -> int:
        """Our number of an authority; -1 when it is unknown and not to be added.

        Raises:
            UnclearAuthority: nothing is said, or a local name that several have.
        """
        if not authority.is_named:
            raise UnclearAuthority(
                "an identifier has no assigning authority", hint="it must say who gave it."
            )
        values = {
            "namespace": authority.namespace,
            "universal_id": authority.universal_id,
            "universal_id_type": authority.universal_id_type,
        }
        execute = self._connection.execute
        if authority.universal_id:
            row = execute(SQL["authority_by_universal_id"], values).fetchone()
            if row is not None:
                return int(row[0])
        named = (
            execute(SQL["authorities_by_namespace"], values).fetchall()
            if authority.namespace
            else []
        )
        if authority.universal_id:
            nameless = [row[0] for row in named if not row[1]]
            if nameless:  # known by its local name until now
                execute(SQL["name_authority"], {**values, "id": nameless[0]})
                return int(nameless[0])
        elif len(named) == 1:
            return int(named[0][0])
        elif named:
            raise UnclearAuthority(
                f"several authorities are called {authority.namespace}",
                hint="the universal identifier must be given.",
            )
        if not add:
            return -1
        row = execute(SQL["add_authority"], values).fetchone()
        if row is None:  # another transaction was faster
            return self._authority(authority, add=True)
        return int(row[0])

    def _record(
        self,
        number: int,
        kind: ChangeKind,
        *,
        before: Mapping[str, Any] | None = None,
        after: Mapping[str, Any] | None = None,
        source: str,
        other: int | None = None,
    ) -> None:
        row = self._connection.execute(
            SQL["record"],
            {
                "patient": number,
                "other": other,
                "kind": kind,
                "before": Jsonb(before or {}),
                "after": Jsonb(after or {}),
                "source": source,
            },
        ).fetchone()
        assert row is not None  # noqa: S101 - an INSERT returns its row
        payload = {"change": row[0], "patient": number, "other": other, "kind": kind}
        publish(self._connection, EVENT, payload)


def _columns(traits: Traits) -> dict[str, object]:
    names = (traits.birth_name, traits.used_name)
    return {
        "birth_family_name": traits.birth_name.family,
        "birth_given_name": traits.birth_name.given,
        "birth_further": traits.birth_name.further,
        "used_family_name": traits.used_name.family,
        "used_given_name": traits.used_name.given,
        "name_folded": fold(" ".join(f"{one.family} {one.given} {one.further}" for one in names)),
        "birth_date": traits.birth_date,
        "sex": traits.sex,
        "birth_place_code": traits.birth_place_code,
        "identity_status": traits.identity_status,
        "identity_attributes": list(traits.identity_attributes),
        "died_at": traits.died_at,
        "is_deceased": traits.is_deceased,
        "lunar_birth_date": traits.lunar_birth_date,
        "birth_place_name": traits.birth_place_name,
        "address": traits.address,
        "telephone": traits.telephone,
    }


def _patient(row: Sequence[Any], identifiers: Sequence[Identifier]) -> Patient:
    return Patient(
        id=row[0],
        traits=Traits(
            birth_name=PersonName(family=row[1], given=row[2], further=row[3]),
            used_name=PersonName(family=row[4], given=row[5]),
            birth_date=row[6],
            sex=row[7],
            birth_place_code=row[8],
            identity_status=row[9],
            identity_attributes=tuple(row[10]),
            died_at=row[11],
            is_deceased=row[12],
            lunar_birth_date=row[16],
            birth_place_name=row[17],
            address=row[18],
            telephone=row[19],
        ),
        identifiers=tuple(identifiers),
        merged_into=row[13],
        created_at=row[14],
        updated_at=row[15],
        version=row[20],
    )


def _keys(traits: Traits) -> set[tuple[str, str]]:
    """Folded family name and first given name, at birth and in use."""
    found = set()
    for name in (traits.birth_name, traits.used_name, traits.name_to_show):
        given = fold(name.given or name.further).replace("-", " ").split()
        family = fold(name.family).replace("-", " ")
        if family and given:
            found.add((family, given[0]))
    return found


def _plain(value: Any) -> Any:
    """As JSON keeps it."""
    if isinstance(value, PersonName):
        return {"family": value.family, "given": value.given, "further": value.further}
    if isinstance(value, Identifier):
        authority = value.authority
        return {
            "value": value.value,
            "authority": authority.text,
            "universal_id": authority.universal_id,
            "type_code": value.type_code,
        }
    return list(value) if isinstance(value, tuple) else value
