"""Carrying out what a person decides, as it was previewed, so that it can be taken back.

A preview does the very same inside a transaction and takes it back, so it cannot say something else
than what then happens. Each action is one transaction with its line in the journal.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

import psycopg
from psycopg.types.json import Jsonb

from negatoscope.domain.patients import (
    MergeRefused,
    PatientError,
    PersonName,
    Registry,
    Traits,
    UnknownPatient,
    ins,
)
from negatoscope.domain.performed import binding
from negatoscope.domain.performed.errors import BindingError, OtherPatient
from negatoscope.domain.reconciliation import duplicates
from negatoscope.domain.reconciliation.errors import (
    ActionRefused,
    CannotUndo,
    ChangedSince,
    UnknownAction,
)
from negatoscope.domain.reconciliation.model import Action, ActionKind, Done, Preview
from negatoscope.infra.db import Database, load_queries

SQL: Final = load_queries("negatoscope.domain.reconciliation.sql", "desk.sql")
MAX_STUDIES: Final = 200
"""Of one action."""
MERGEABLE_TRAITS: Final = (
    "birth_name", "used_name", "birth_date", "sex", "birth_place_code", "identity_status",
)  # fmt: skip
"""Which of the two files' values go on can be chosen."""
Connection = psycopg.Connection[Any]


class Desk:
    """Previews, does and takes back. One per process; safe for many threads.

    Args:
        database: Where everything is.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def preview(self, action: Action, *, source: str) -> Preview:
        """What an action would touch.

        Raises:
            ActionRefused: it cannot be done as things are.
        """
        with self._database.connection() as connection:
            token = _token(connection, action)
            people = _people(action)
            seen = _shown(connection, people, action.studies)
            row = connection.execute(SQL["last_change"]).fetchone()
            assert row is not None  # noqa: S101 - an aggregate
            change, at = row
            traits = _traits(connection, action)
            warnings = _warnings(connection, action)
            with connection.transaction(force_rollback=True):
                effect = _perform(connection, action, source)
                connection.execute(SQL["follow_now"])
                now = _shown(connection, people, action.studies)
                rows = connection.execute(
                    SQL["merged_rows_since"], {"change": change, "at": at}
                ).fetchall()
                told = _destinations(connection, action, [name for name, _ in rows])
                if effect.get("unbound"):
                    warnings.append("bindings-end")
                by_table: dict[str, list[str]] = {}
                for table, key in rows:
                    by_table.setdefault(table, []).append(key)
                orders = [int(key) for key in by_table.pop("imaging_service_request", [])]
                numbers = {"ids": orders}
                accessions = connection.execute(SQL["accession_numbers"], numbers).fetchall()
                entries = connection.execute(SQL["worklist_entries"], numbers).fetchall()
            moved = {uid for uid in seen.keys() | now.keys() if seen.get(uid) != now.get(uid)}
            if action.kind in {ActionKind.BIND, ActionKind.UNBIND, ActionKind.PUT_ASIDE}:
                moved |= set(action.studies)
        return Preview(
            token=token,
            studies=tuple(sorted(moved)),
            orders=tuple(one for (one,) in accessions),
            appointments=tuple(int(key) for key in by_table.pop("appointment", [])),
            worklist_entries=tuple(one for (one,) in entries),
            performed_steps=len(by_table.pop("performed_procedure_step", [])),
            other_rows=Counter({name: len(keys) for name, keys in by_table.items()}),
            message_destinations=tuple(told),
            changes=tuple(traits),
            warnings=tuple(warnings),
        )

    def do(self, action: Action, *, token: str, source: str) -> Done:
        """Do what was previewed.

        Raises:
            ChangedSince: what was previewed is not so any more.
            ActionRefused: it cannot be done as things are.
        """
        with self._database.connection() as connection:
            if token != _token(connection, action):
                raise ChangedSince(
                    "something changed since it was previewed", hint="look at it again."
                )
            effect = _perform(connection, action, source)
            row = connection.execute(
                SQL["add"],
                {
                    "kind": action.kind,
                    "by": source,
                    "reason": action.reason,
                    "asked": Jsonb(asdict(action)),
                    "effect": Jsonb(effect),
                },
            ).fetchone()
            assert row is not None  # noqa: S101 - an INSERT returns its row
            connection.execute(SQL["touch"])
            return _line(connection, int(row[0]))

    def undo(self, number: int, *, source: str) -> Done:
        """Take an action back: exactly what it did.

        Raises:
            UnknownAction: there is no such line.
            CannotUndo: it was taken back already, or what came after it stands on it.
        """
        with self._database.connection() as connection:
            done = _line(connection, number)
            if done.undone_at is not None:
                raise CannotUndo("it was taken back already", reason="already-undone")
            _UNDO[done.kind](connection, done.asked, done.effect, source)
            connection.execute(SQL["undone"], {"id": number, "by": source})
            connection.execute(SQL["touch"])
            return _line(connection, number)

    def journal(self, *, before: int | None = None, limit: int = 100) -> list[Done]:
        """What was done, the newest first."""
        with self._database.connection() as connection:
            rows = connection.execute(SQL["journal"], {"before": before, "limit": limit}).fetchall()
        return [_done(row) for row in rows]


# -- doing ----------------------------------------------------------------------------------------


def _perform(connection: Connection, action: Action, source: str) -> dict[str, Any]:
    if len(action.studies) > MAX_STUDIES:
        raise ActionRefused(f"more than {MAX_STUDIES} studies at once")
    try:
        return _DO[action.kind](connection, action, source)
    except (PatientError, BindingError) as error:
        reason = _REASONS.get(type(error), "")
        raise ActionRefused(error.message, hint=error.hint, reason=reason) from error


def _merge(connection: Connection, action: Action, source: str) -> dict[str, Any]:
    survivor, subsumed = _both(action)
    if not set(action.traits) <= set(MERGEABLE_TRAITS):
        raise ActionRefused("there is no such trait to choose")
    registry = Registry(connection)
    changed: dict[str, Any] = {}
    goes_on, ends = registry.get(survivor), registry.get(subsumed)
    updates = {
        name: getattr(ends.traits, name)
        for name in action.traits
        if getattr(ends.traits, name) != getattr(goes_on.traits, name)
    }
    if not registry.merge(survivor=survivor, subsumed=subsumed, source=source):
        raise ActionRefused("they are one file already", reason="one-file")
    if updates:
        version = registry.get(survivor).version
        registry.correct(survivor, updates=updates, version=version, source=source)
        changed = {
            name: [_plain(getattr(goes_on.traits, name)), _plain(value)]
            for name, value in updates.items()
        }
    return {
        "survivor": survivor,
        "subsumed": subsumed,
        "traits": changed,
        "change": _last(connection, subsumed),
    }


def _undo_merge(
    connection: Connection, _asked: Mapping[str, Any], effect: Mapping[str, Any], source: str
) -> None:
    survivor, subsumed = int(effect["survivor"]), int(effect["subsumed"])
    registry = Registry(connection)
    if registry.get(subsumed).merged_into != survivor:
        raise CannotUndo("the two were parted since", reason="parted-since")
    if _last(connection, subsumed) != effect["change"]:
        raise CannotUndo("the two were parted and joined again since", reason="parted-since")
    into = registry.get(survivor).merged_into
    if into is not None:
        raise CannotUndo(
            f"patient {survivor} was itself merged into patient {into} since",
            hint="take that back first.",
            reason="merged-further",
        )
    _check_identifiers(connection, subsumed)
    registry.split(subsumed=subsumed, source=source)
    now = registry.get(survivor)
    back = {
        name: _value(name, before)
        for name, (before, after) in effect["traits"].items()
        if _plain(getattr(now.traits, name)) == after
    }
    if back:
        registry.correct(survivor, updates=back, version=now.version, source=source)


def _check_identifiers(connection: Connection, subsumed: int) -> None:
    """Of the identifiers that a merge moved none may have been given to a third patient since."""
    row = connection.execute(
        "SELECT i.patient_fk FROM patient_change c, jsonb_array_elements_text(c.after->'identifier_rows') r"
        " JOIN registered_identifier i ON i.id = r::bigint"
        " WHERE c.patient_fk = %s AND c.id = (SELECT max(id) FROM patient_change WHERE patient_fk = %s AND kind = 'MERGED')"
        " AND i.until IS NULL AND registered_root(i.patient_fk) <> registered_root(%s) LIMIT 1",
        (subsumed, subsumed, subsumed),
    ).fetchone()
    if row is not None:
        raise CannotUndo(
            f"an identifier went on to patient {row[0]} since", reason="identifier-gone"
        )


def _split(connection: Connection, action: Action, source: str) -> dict[str, Any]:
    subsumed = _required(action.other, "whose file is to be parted")
    registry = Registry(connection)
    into = registry.split(subsumed=subsumed, source=source)
    return {"subsumed": subsumed, "into": into, "change": _last(connection, subsumed)}


def _undo_split(
    connection: Connection, _asked: Mapping[str, Any], effect: Mapping[str, Any], source: str
) -> None:
    subsumed, into = int(effect["subsumed"]), int(effect["into"])
    if _last(connection, subsumed) != effect["change"]:
        raise CannotUndo("the file was joined with another since", reason="merged-further")
    try:
        Registry(connection).merge(survivor=into, subsumed=subsumed, source=source)
    except PatientError as error:
        raise CannotUndo(error.message, hint=error.hint) from error


def _dismiss(connection: Connection, action: Action, source: str) -> dict[str, Any]:
    a, b = _both(action)
    duplicates.decide(connection, a, b, state="DISMISSED", by=source)
    return {"first": min(a, b), "second": max(a, b)}


def _undo_dismiss(
    connection: Connection, _asked: Mapping[str, Any], effect: Mapping[str, Any], source: str
) -> None:
    duplicates.decide(connection, effect["first"], effect["second"], state="OPEN", by=source)


def _move(connection: Connection, action: Action, source: str) -> dict[str, Any]:
    patient = _required(action.patient, "who gets the studies")
    if Registry(connection).get(patient).merged_into is not None:
        raise ActionRefused(
            "that file ended by a merge", hint="take the file that goes on.", reason="file-ended"
        )
    known = dict(connection.execute(SQL["known_studies"], {"studies": list(action.studies)}))
    missing = [uid for uid in action.studies if uid not in known]
    if missing or not known:
        raise ActionRefused("a study is not in the archive" if missing else "no study is given")
    if all(owner == patient for owner in known.values()):
        raise ActionRefused("they are that patient's already", reason="already-theirs")
    before: list[dict[str, Any]] = []
    unbound: list[dict[str, Any]] = []
    for uid in sorted(known):
        row = connection.execute(SQL["move_of"], {"study": uid}).fetchone()
        before.append(
            {"study": uid, "moved_to": None if row is None else row[0], "was": known[uid]}
        )
        connection.execute(SQL["put_move"], {"study": uid, "patient": patient, "by": source})
        bound = binding.find(connection, uid)
        if bound is not None and bound.procedure is not None:
            wanted = connection.execute(
                SQL["request_patient"], {"procedure": bound.procedure}
            ).fetchone()
            if wanted is None or wanted[0] != patient:
                unbound.append({"study": uid, **_binding_before(bound)})
    owners = sorted({owner for owner in known.values() if owner is not None} | {patient})
    connection.execute(SQL["follow"], {"patients": owners})
    for one in unbound:
        binding.unbind(connection, one["study"], source=source)
    return {"patient": patient, "studies": before, "unbound": unbound}


def _undo_move(
    connection: Connection, _asked: Mapping[str, Any], effect: Mapping[str, Any], source: str
) -> None:
    patient = int(effect["patient"])
    for one in effect["studies"]:
        row = connection.execute(SQL["move_of"], {"study": one["study"]}).fetchone()
        if row is None or row[0] != patient:
            raise CannotUndo(
                f"study {one['study']} was moved again since",
                hint="take that back first.",
                reason="moved-again",
            )
        bound = binding.find(connection, one["study"])
        was_ours = any(other["study"] == one["study"] for other in effect["unbound"])
        if bound is not None and bound.procedure is not None and was_ours:
            raise CannotUndo(
                f"study {one['study']} was bound to another order since", reason="bound-again"
            )
        if one["moved_to"] is None:
            connection.execute(SQL["drop_move"], {"study": one["study"]})
        else:
            values = {"study": one["study"], "patient": one["moved_to"], "by": source}
            connection.execute(SQL["put_move"], values)
    followed = sorted({patient} | {one["was"] for one in effect["studies"] if one["was"]})
    studies = [one["study"] for one in effect["studies"]]
    connection.execute(SQL["follow_with_studies"], {"patients": followed, "studies": studies})
    for one in effect["unbound"]:
        _restore(connection, one["study"], one, source)


def _bind(connection: Connection, action: Action, source: str) -> dict[str, Any]:
    uid = _one_study(action)
    procedure = _required(action.procedure, "which procedure")
    before = binding.find(connection, uid)
    if before is not None and before.procedure == procedure:
        raise ActionRefused("it is bound to that procedure already")
    now = binding.bind(
        connection, uid, procedure, source=source, is_patient_confirmed=action.is_patient_confirmed
    )
    return {"study": uid, "before": _binding_before(before), "after": _binding_before(now)}


def _unbind(connection: Connection, action: Action, source: str) -> dict[str, Any]:
    uid = _one_study(action)
    before = binding.find(connection, uid)
    if before is None or before.procedure is None:
        raise ActionRefused("the study is bound to no order")
    now = binding.unbind(connection, uid, source=source)
    return {"study": uid, "before": _binding_before(before), "after": _binding_before(now)}


def _put_aside(connection: Connection, action: Action, source: str) -> dict[str, Any]:
    uid = _one_study(action)
    before = binding.find(connection, uid)
    now = binding.put_aside(connection, uid, source=source)
    return {"study": uid, "before": _binding_before(before), "after": _binding_before(now)}


def _undo_binding(
    connection: Connection, _asked: Mapping[str, Any], effect: Mapping[str, Any], source: str
) -> None:
    now = _binding_before(binding.find(connection, effect["study"]))
    if now != effect["after"]:
        raise CannotUndo("the study was bound, or put aside, again since", reason="bound-again")
    _restore(connection, effect["study"], effect["before"], source)


def _restore(connection: Connection, uid: str, before: Mapping[str, Any], source: str) -> None:
    try:
        if before["state"] is None or (not before["is_by_hand"] and not before["procedure"]):
            binding.release(connection, uid)
        elif before["procedure"] is not None:
            binding.bind(
                connection, uid, before["procedure"], source=source, is_patient_confirmed=True
            )
        elif before["state"] == binding.BindingState.PUT_ASIDE:
            binding.put_aside(connection, uid, source=source)
        else:
            binding.unbind(connection, uid, source=source)
    except BindingError as error:
        raise CannotUndo(error.message, hint=error.hint) from error


_DO: Final = {
    ActionKind.MERGE: _merge,
    ActionKind.SPLIT: _split,
    ActionKind.DISMISS: _dismiss,
    ActionKind.MOVE: _move,
    ActionKind.BIND: _bind,
    ActionKind.UNBIND: _unbind,
    ActionKind.PUT_ASIDE: _put_aside,
}
_UNDO: Final = {
    ActionKind.MERGE: _undo_merge,
    ActionKind.SPLIT: _undo_split,
    ActionKind.DISMISS: _undo_dismiss,
    ActionKind.MOVE: _undo_move,
    ActionKind.BIND: _undo_binding,
    ActionKind.UNBIND: _undo_binding,
    ActionKind.PUT_ASIDE: _undo_binding,
}


_REASONS: Final[Mapping[type[Exception], str]] = {
    MergeRefused: "merged-before",
    OtherPatient: "other-patient",
    UnknownPatient: "not-merged",
}


# -- looking --------------------------------------------------------------------------------------


def _people(action: Action) -> list[int]:
    return sorted({one for one in (action.patient, action.other) if one is not None})


def _token(connection: Connection, action: Action) -> str:
    row = connection.execute(
        SQL["state"], {"patients": _people(action), "studies": list(action.studies)}
    ).fetchone()
    assert row is not None  # noqa: S101 - one row always
    return str(row[0])


def _shown(
    connection: Connection, people: Sequence[int], studies: Sequence[str]
) -> dict[str, tuple[Any, ...]]:
    rows = connection.execute(
        SQL["studies_of"], {"patients": list(people), "studies": list(studies)}
    )
    return {row[0]: tuple(row[1:]) for row in rows}


def _traits(connection: Connection, action: Action) -> list[str]:
    if action.kind is not ActionKind.MERGE:
        return []
    survivor, subsumed = _both(action)
    try:
        goes_on, ends = Registry(connection).get(survivor), Registry(connection).get(subsumed)
    except UnknownPatient as error:
        raise ActionRefused(error.message) from error
    return [
        name
        for name in action.traits
        if name in MERGEABLE_TRAITS and getattr(goes_on.traits, name) != getattr(ends.traits, name)
    ]


def _warnings(connection: Connection, action: Action) -> list[str]:
    """What somebody should look at twice before they go on."""
    if action.kind is not ActionKind.MERGE:
        return []
    registry = Registry(connection)
    goes_on, ends = (registry.get(one) for one in _both(action))
    found: list[str] = []
    numbers = [
        {one.value for one in side.identifiers if ins.is_ins(one)} for side in (goes_on, ends)
    ]
    if numbers[0] and numbers[1] and not numbers[0] & numbers[1]:
        found.append("ins-differs")
    if ends.traits.identity_status == "VALI" and goes_on.traits.identity_status != "VALI":
        found.append("validated-ends")
    if (
        goes_on.traits.birth_date
        and ends.traits.birth_date
        and goes_on.traits.birth_date != ends.traits.birth_date
    ):
        found.append("birth-differs")
    sexes = {goes_on.traits.sex, ends.traits.sex}
    if sexes == {"M", "F"}:
        found.append("sex-differs")
    return found


def _destinations(connection: Connection, action: Action, tables: Sequence[str]) -> list[str]:
    kinds: list[str] = []
    if action.kind in {ActionKind.MERGE, ActionKind.SPLIT}:
        kinds.append("PATIENTS")
    if "imaging_service_request" in tables:
        kinds.append("ORDERS")
    if not kinds:
        return []
    return [one for (one,) in connection.execute(SQL["destinations"], {"kinds": kinds})]


def _both(action: Action) -> tuple[int, int]:
    first = _required(action.patient, "whose file goes on")
    second = _required(action.other, "the other patient")
    if first == second:
        raise ActionRefused("two patients are needed")
    return first, second


def _one_study(action: Action) -> str:
    if len(action.studies) != 1:
        raise ActionRefused("exactly one study is needed")
    return action.studies[0]


def _required(value: int | None, what: str) -> int:
    if value is None:
        raise ActionRefused(f"it is not said {what}")
    return value


def _last(connection: Connection, patient: int) -> int:
    row = connection.execute(SQL["last_of_merge"], {"patient": patient}).fetchone()
    return 0 if row is None or row[0] is None else int(row[0])


def _binding_before(one: binding.Binding | None) -> dict[str, Any]:
    if one is None:
        return {"state": None, "procedure": None, "is_by_hand": False}
    return {"state": str(one.state), "procedure": one.procedure, "is_by_hand": one.is_by_hand}


def _plain(value: Any) -> Any:
    if isinstance(value, PersonName):
        return [value.family, value.given, value.further]
    return list(value) if isinstance(value, tuple) else value


def _value(name: str, plain: Any) -> Any:
    if isinstance(getattr(Traits(), name), PersonName):
        family, given, further = plain
        return PersonName(family=family, given=given, further=further)
    return tuple(plain) if isinstance(plain, list) else plain


def _line(connection: Connection, number: int) -> Done:
    row = connection.execute(SQL["lock"], {"id": number}).fetchone()
    if row is None:
        raise UnknownAction(f"there is no action {number}")
    return _done(row)


def _done(row: Sequence[Any]) -> Done:
    return Done(
        id=row[0],
        kind=ActionKind(row[1]),
        done_at=row[2],
        done_by=row[3],
        reason=row[4],
        asked=row[5],
        effect=row[6],
        undone_at=row[7],
        undone_by=row[8],
    )
