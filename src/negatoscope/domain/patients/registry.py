"""What may be done to a patient's file; each call inside a transaction of the caller's.

A message and what it does commit together, so the caller owns the transaction. Identifiers are
locked in a fixed order first: two messages about one new patient make one file.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Final

import psycopg

from negatoscope.domain.patients import history
from negatoscope.domain.patients.authorities import number_of
from negatoscope.domain.patients.errors import (
    FileEnded,
    IdentifierTaken,
    MergeRefused,
    SeveralPatients,
    SimilarPatients,
    UnknownPatient,
)
from negatoscope.domain.patients.files import SQL, Files
from negatoscope.domain.patients.ins import is_ins
from negatoscope.domain.patients.model import (
    Authority,
    ChangeKind,
    Identifier,
    Patient,
    Traits,
)
from negatoscope.domain.patients.rows import columns_of, plain

ENCOUNTER_TYPES: Final = frozenset({"AN", "VN"})
"""HL7 table 0203: numbers of a stay or a visit; they say nothing about who the patient is."""


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


class Registry(Files):
    """The patients of the admission office, read and changed."""

    def holder(self, identifier: Identifier) -> int | None:
        """Who has an identifier; None when nobody does or its authority is unknown.

        Raises:
            UnclearAuthority: it has none, or a name that several have.
        """
        return self._holder(
            identifier.value, number_of(self._connection, identifier.authority, add=False)
        )

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
            (one, self._authority(one.authority))
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
        authority = self._authority(own_authority)
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
        old_authority = self._authority(old.authority)
        keys = [f"{old_authority}:{old.value}"]
        new_authority = None
        if new is not None:
            new_authority = self._authority(new.authority)
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
            before={"identifiers": [plain(old)]},
            after={"identifiers": [] if new is None else [plain(new)]},
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
            after={"from": subsumed, "identifiers": [plain(one) for one in ends.identifiers]},
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
            self._connection.execute(SQL["change"], {"id": before.id, **columns_of(traits)})
        for one in ended:
            self._end_identifier(before.id, one)
        added = [one for one, authority in known if self._add_identifier(before.id, one, authority)]
        if not changed and not added and not ended:
            return Registered(patient=before.id, kind=None, changed=())
        self._record(
            before.id,
            ChangeKind.UPDATED,
            before={name: plain(getattr(before.traits, name)) for name in changed}
            | ({"identifiers": [plain(one) for one in ended]} if ended else {}),
            after={name: plain(getattr(traits, name)) for name in changed}
            | ({"identifiers": [plain(one) for one in added]} if added else {}),
            source=source,
        )
        names = (*changed, "identifiers") if added or ended else tuple(changed)
        return Registered(patient=before.id, kind=ChangeKind.UPDATED, changed=names)

    def _create(
        self, updates: Mapping[str, Any], known: Sequence[tuple[Identifier, int]], source: str
    ) -> Registered:
        traits = replace(Traits(), **updates)
        row = self._connection.execute(SQL["add"], columns_of(traits)).fetchone()
        assert row is not None  # noqa: S101 - an INSERT without conflict clause returns its row
        number = int(row[0])
        for one, authority in known:
            self._add_identifier(number, one, authority)
        self._record(
            number,
            ChangeKind.CREATED,
            after={one.name: plain(getattr(traits, one.name)) for one in fields(Traits)}
            | {"identifiers": [plain(one) for one, _ in known]},
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
        authority = self._authority(one.authority)
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

    def _authority(self, authority: Authority) -> int:
        return number_of(self._connection, authority, add=True)

    def _record(self, number: int, kind: ChangeKind, **what: Any) -> None:
        history.record(self._connection, number, kind, **what)
