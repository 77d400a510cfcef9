"""Actions: previewed, done, in the journal, taken back."""

from typing import Any

import pytest

from negatoscope.domain.patients import Registry
from negatoscope.domain.reconciliation import (
    Action,
    ActionKind,
    ActionRefused,
    CannotUndo,
    ChangedSince,
    look_again,
)
from negatoscope.domain.reconciliation.issuers import (
    DefaultIssuer,
    default_issuers,
    senders,
    set_default_issuers,
)


def merging(survivor: int, subsumed: int, **values: Any) -> Action:
    return Action(kind=ActionKind.MERGE, patient=survivor, other=subsumed, **values)


def test_a_merge_takes_everything_along_and_its_undo_brings_exactly_that_back(
    department: Any,
) -> None:
    """Studies, orders, appointments, bindings; what came for the survivor meanwhile stays."""
    a, b = department.patient("P1"), department.patient("P2", "LEFEBVRE", born="19700204")
    department.study("1.1", "P1")
    department.study("1.2", "P2", name="LEFEBVRE^ZOE", born="1970-02-04")
    department.order(a, "A1")
    order, _ = department.order(b, "A2")
    department.appointment(b)
    department.rows(
        "INSERT INTO study_binding (study_instance_uid, patient_fk, state) VALUES ('1.2', %s, 'UNBOUND')",
        b,
    )
    before = department.picture()
    action = merging(a, b, traits=("birth_date",), reason="<script>alert(1)</script>")

    preview = department.desk.preview(action, source="user:test")
    assert department.picture() == before
    assert set(preview.studies) == {"1.1", "1.2"}
    assert preview.orders == ("A2",)
    assert preview.worklist_entries == ("SPSA2",)
    assert len(preview.appointments) == 1
    assert preview.other_rows == {"study_binding": 1}
    assert preview.changes == ("birth_date",)
    assert preview.warnings == ("birth-differs",)

    done = department.desk.do(action, token=preview.token, source="user:test")
    assert done.reason == "<script>alert(1)</script>"
    picture = department.picture()
    assert {row[1] for row in picture["studies"]} == {"P1"}
    assert {row[1] for row in picture["orders"] + picture["appointments"]} == {a}
    assert picture["traits"][0][2] == "19700204"
    told = department.rows("SELECT kind, payload->>'kind' FROM outbox ORDER BY id")
    assert ("patient-changed", "ABSORBED") in told
    assert told.count(("workflow-changed", "PATIENT CHANGED")) == 2
    history = "SELECT kind FROM workflow_event WHERE request_fk = %s"
    assert department.rows(history, order) == [("PATIENT CHANGED",)]

    newer, _ = department.order(a, "A3")
    department.undo(done)
    after = department.picture()
    assert (newer, a) in after["orders"]
    after["orders"].remove((newer, a))
    assert after == before
    with pytest.raises(CannotUndo, match="already"):
        department.undo(done)


def test_an_undo_is_refused_when_something_stands_on_it(department: Any) -> None:
    """A chain is taken back from its end; what was parted by other means is not joined again."""
    a, b, c = (department.patient(f"P{number}") for number in (1, 2, 3))
    first = department.do(merging(b, c))
    second = department.do(merging(a, b))
    with pytest.raises(CannotUndo, match="was itself merged"):
        department.undo(first)
    department.undo(second)
    with department.database.connection() as connection:
        Registry(connection).split(subsumed=c, source="hl7:7")
        Registry(connection).merge(survivor=b, subsumed=c, source="hl7:8")
    with pytest.raises(CannotUndo, match="parted and joined again"):
        department.undo(first)


def test_a_circle_of_merges_is_refused(department: Any) -> None:
    """The A40 that comes back with its sides changed."""
    a, b = department.patient("P1"), department.patient("P2")
    department.do(merging(a, b))
    for action in (merging(b, a), merging(a, b), merging(a, a)):
        with pytest.raises(ActionRefused):
            department.desk.preview(action, source="user:test")
    assert department.one("SELECT count(*) FROM reconciliation_action") == 1


def test_what_was_previewed_must_still_be_so(department: Any) -> None:
    """A correction that came in between is looked at first."""
    a, b = department.patient("P1"), department.patient("P2")
    token = department.desk.preview(merging(a, b), source="user:test").token
    department.patient("P2", born="19710203")
    with pytest.raises(ChangedSince):
        department.desk.do(merging(a, b), token=token, source="user:test")
    assert department.one("SELECT count(*) FROM registered_patient WHERE merged_into IS NULL") == 2


def test_a_split_is_taken_back_too(department: Any) -> None:
    """Whoever merged: a message, long ago."""
    a, b = department.patient("P1"), department.patient("P2")
    order, _ = department.order(b, "A2")
    with department.database.connection() as connection:
        Registry(connection).merge(survivor=a, subsumed=b, source="hl7:1")
    done = department.do(Action(kind=ActionKind.SPLIT, other=b))
    assert department.picture()["orders"] == [(order, b)]
    department.undo(done)
    assert department.picture()["orders"] == [(order, a)]


def test_the_middle_of_a_chain_can_be_parted(department: Any) -> None:
    """C into B, B into A: C gets back what was its own, and only that, wherever it is by now."""
    a, b, c = (department.patient(f"P{number}") for number in (1, 2, 3))
    of_b, _ = department.order(b, "AB")
    of_c, _ = department.order(c, "AC")
    with department.database.connection() as connection:
        Registry(connection).merge(survivor=b, subsumed=c, source="hl7:1")
        Registry(connection).merge(survivor=a, subsumed=b, source="hl7:2")
    assert department.picture()["orders"] == [(of_b, a), (of_c, a)]
    department.do(Action(kind=ActionKind.SPLIT, other=c))
    assert department.picture()["orders"] == [(of_b, a), (of_c, c)]
    department.do(Action(kind=ActionKind.SPLIT, other=b))
    assert department.picture()["orders"] == [(of_b, b), (of_c, c)]


def test_studies_move_to_another_patient_and_back(department: Any) -> None:
    """Sent under the wrong patient; bound to that one's order, which ends with the move."""
    wrong, right = department.patient("P1"), department.patient("P2", "DURAND", "ANNE", "19800101")
    _, procedure = department.order(wrong, "A1")
    department.study("1.1", "P1", accession="A1")
    bound = department.do(Action(kind=ActionKind.BIND, studies=("1.1",), procedure=procedure))
    before = department.picture()
    action = Action(kind=ActionKind.MOVE, patient=right, studies=("1.1",))
    preview = department.desk.preview(action, source="user:test")
    assert (preview.studies, preview.warnings) == (("1.1",), ("bindings-end",))

    done = department.do(action)
    assert department.picture()["studies"] == [("1.1", "P2", "DURAND^ANNE", right)]
    assert department.picture()["bindings"][0][1:3] == ("UNBOUND", None)
    with pytest.raises(CannotUndo, match="again since"):
        department.undo(bound)
    department.undo(done)
    assert department.picture() == before


def test_a_study_that_nobody_knows_is_attached(department: Any) -> None:
    """No issuer, so nobody's, until a person says whose."""
    somebody = department.patient("P1")
    department.study("1.1", "P1", issuer="")
    (waiting,) = department.work.without_patient(limit=10)
    assert waiting.registered is None
    found = department.work.study("1.1")
    assert [one.id for one in found[2]] == [somebody]
    done = department.do(Action(kind=ActionKind.MOVE, patient=somebody, studies=("1.1",)))
    assert department.work.without_patient(limit=10) == []
    assert department.work.counts().without_patient == 0
    department.undo(done)
    assert department.picture()["studies"] == [("1.1", "P1", "LEFEVRE^ZOE", None)]


def test_a_study_is_bound_put_aside_and_taken_back(department: Any) -> None:
    """Proposals say why; nothing is bound on them."""
    somebody = department.patient("P1")
    _, procedure = department.order(somebody, "A1")
    _, other = department.order(somebody, "A2", modality="MR")
    department.study("1.1", "P1")
    department.rows(
        "INSERT INTO study_binding (study_instance_uid, state) VALUES ('1.1', 'UNBOUND')"
    )
    assert [one.study_instance_uid for one in department.work.without_order(limit=9)] == ["1.1"]
    proposed = department.work.study("1.1")[1]
    assert [(one.procedure, one.signs) for one in proposed] == [
        (procedure, ("patient", "modality", "date")),
        (other, ("patient", "date")),
    ]
    done = department.do(Action(kind=ActionKind.BIND, studies=("1.1",), procedure=procedure))
    assert department.work.counts().without_order == 0
    department.undo(done)
    aside = department.do(Action(kind=ActionKind.PUT_ASIDE, studies=("1.1",)))
    assert department.work.counts().without_order == 0
    department.undo(aside)
    assert department.work.counts().without_order == 1


def test_pairs_are_found_as_files_change_and_a_dismissed_one_stays_so(department: Any) -> None:
    """Two persons of whom somebody said so are not shown again."""
    a, b = department.patient("P1"), department.patient("P2", "LEFEBVRE")
    department.patient("P3", "MARTIN", "LEA", "20010101")
    department.compare()
    ((pair, one, other),) = department.work.duplicates(limit=10)
    assert (one.id, other.id) == (a, b)
    assert pair.reasons[0] == {"code": "birth-same", "points": 35}
    done = department.do(Action(kind=ActionKind.DISMISS, patient=a, other=b))
    department.compare()
    assert department.work.duplicates(limit=10) == []
    assert len(department.work.duplicates(limit=10, is_dismissed=True)) == 1
    department.undo(done)
    assert len(department.work.duplicates(limit=10)) == 1
    department.do(merging(a, b))
    department.compare()
    assert department.work.duplicates(limit=10) == []


def test_files_of_the_unknown_are_listed(department: Any) -> None:
    """An emergency without papers; HTML in a name is a name."""
    unknown = department.patient("U1", "INCONNU", "X", "")
    strange = department.patient("U2", "<b>DUPONT</b>", "<img src=x>", "")
    department.patient("P1")
    found = department.work.unidentified(limit=10)
    assert [one.id for one in found] == [strange, unknown]
    assert found[0].traits.birth_name.family == "<b>DUPONT</b>"


def test_a_study_without_patient_is_listed_however_old_until_it_has_one(department: Any) -> None:
    """By registration, by a move and its undo, by what its device's bare numbers mean, and put aside."""
    for number in range(1, 5):
        department.study(f"1.{number}", f"P{number}", issuer="" if number > 1 else "HOSP")

    def waiting() -> list[str]:
        found = department.work.without_patient(limit=500)
        assert department.work.counts().without_patient == len(found)
        assert {one.calling_ae_title for one in found} <= {"CT1"}
        return [one.study_instance_uid for one in found]

    assert waiting() == ["1.4", "1.3", "1.2", "1.1"]
    first = department.work.without_patient(limit=2)
    then = department.work.without_patient(limit=2, after=first[-1].key)
    assert [one.study_instance_uid for one in then] == ["1.2", "1.1"]
    known = department.patient("P1")
    assert waiting() == ["1.4", "1.3", "1.2"]
    moved = department.do(Action(kind=ActionKind.MOVE, patient=known, studies=("1.2",)))
    assert waiting() == ["1.4", "1.3"]
    department.undo(moved)
    aside = department.do(Action(kind=ActionKind.PUT_ASIDE, studies=("1.4",)))
    assert waiting() == ["1.3", "1.2"]
    department.undo(aside)

    department.patient("P2", born="19690101")
    department.patient("P3")
    assert waiting() == ["1.4", "1.3", "1.2"], "a bare number joins nothing"
    database = department.database
    set_default_issuers(
        database, [DefaultIssuer(calling_ae_title="MR9", issuer="HOSP")], by="user:test"
    )
    assert look_again(database, is_stopping=lambda: False) == 0
    wanted = [DefaultIssuer(calling_ae_title="CT1", issuer="HOSP")]
    set_default_issuers(database, wanted, by="user:test")
    assert default_issuers(database) == [
        DefaultIssuer(calling_ae_title="CT1", issuer="HOSP", waiting=3)
    ]
    assert senders(database) == []
    assert look_again(database, is_stopping=lambda: False) == 3
    assert waiting() == ["1.4", "1.2"], "nobody has P4; P2 was born another day"
    set_default_issuers(database, [], by="user:test")
    look_again(database, is_stopping=lambda: False)
    assert waiting() == ["1.4", "1.2"], "what was joined stays joined"
    assert [one.calling_ae_title for one in senders(database)] == ["CT1"]
