"""The catalogue and its files: found by any word, changed once, taken in all or nothing."""

from dataclasses import replace
from datetime import date, time

import pytest

from negatoscope.domain.scheduling import ccam, transfer
from negatoscope.domain.scheduling.catalogue import (
    Catalogue,
    Contrast,
    Procedure,
    ProtocolCode,
    SafetyQuestion,
)
from negatoscope.domain.scheduling.catalogue_errors import (
    EntryChanged,
    EntryExists,
    EntryInUse,
    InvalidEntry,
    UnknownEntry,
    UnreadableFile,
)
from negatoscope.domain.scheduling.resources import (
    Hours,
    Resource,
    ResourceKind,
    Resources,
    Shows,
    WorklistFilter,
    checked_hours,
)
from negatoscope.domain.scheduling.transfer import Effect, FileKind

THORAX = Procedure(
    code_value="ZBQH001",
    label_fr="Scanographie du thorax, avec injection",
    label_en="Chest CT with contrast",
    modality="CT",
    body_part_examined="CHEST",
    contrast=Contrast.REQUIRED,
    safety_questions=(SafetyQuestion.PREGNANCY, SafetyQuestion.RENAL_FUNCTION),
    protocols=(ProtocolCode(code_value="THX1", code_meaning="Thorax artériel"),),
)
KNEE = Procedure(code_value="NZQN001", label_fr="IRM du genou", modality="MR", duration_min=30)


@pytest.fixture
def connection(database):
    with database.connection() as connection:
        yield connection


@pytest.fixture
def room(connection):
    return Resources(connection).add(Resource(kind=ResourceKind.ROOM, name="Scanner 1"))


def effects(plan):
    return [(one.line, one.effect) for one in plan.lines]


def test_procedures_are_found_whatever_the_accents(connection):
    kept = Catalogue(connection)
    thorax, knee = kept.add(THORAX), kept.add(KNEE)
    assert kept.search(text="THÔRAX inject") == [thorax]
    assert kept.search(text="zbqh contrast") == [thorax]
    assert kept.search(text="100%") == []
    assert kept.search(modality="MR") == [knee]
    assert kept.search(limit=1) == [knee]
    assert kept.search(limit=1, after=knee.id) == [thorax]
    assert kept.find("ZBQH001") == thorax
    assert kept.find("ZBQH001", "SNM3") is None


def test_a_procedure_is_changed_once(connection, room):
    kept = Catalogue(connection)
    read = kept.add(THORAX)
    changed = kept.change(replace(read, duration_min=15, rooms=(room.id,), protocols=()))
    assert (changed.duration_min, changed.rooms, changed.protocols) == (15, (room.id,), ())
    with pytest.raises(EntryChanged):
        kept.change(replace(read, duration_min=45))
    with pytest.raises(EntryExists):
        kept.add(THORAX)
    with pytest.raises(UnknownEntry):
        kept.change(replace(read, id=10**9))


@pytest.mark.parametrize(
    "wrong",
    [
        {"label_fr": "  "},
        {"label_fr": "a\\b"},
        {"duration_min": 0},
        {"modality": "ct;"},
        {"code_value": "x" * 17},
        {"rooms": (10**9,)},
        {"protocols": (ProtocolCode(code_value="", code_meaning="x"),)},
    ],
)
def test_what_cannot_be_used_is_refused(connection, wrong):
    with pytest.raises(InvalidEntry):
        Catalogue(connection).add(replace(THORAX, **wrong))


def test_what_was_ordered_stays(connection):
    kept = Catalogue(connection)
    thorax, knee = kept.add(THORAX), kept.add(KNEE)
    patient = connection.execute(
        "INSERT INTO registered_patient DEFAULT VALUES RETURNING id"
    ).fetchone()[0]
    request = connection.execute(
        "INSERT INTO imaging_service_request (patient_fk, accession_number, filler_order_number,"
        " state, source) VALUES (%s, 'A1', 'F1', 'REQUESTED', 'user:x') RETURNING id",
        (patient,),
    ).fetchone()[0]
    connection.execute(
        "INSERT INTO requested_procedure (request_fk, requested_procedure_id, study_instance_uid,"
        " procedure_fk, state) VALUES (%s, 'P1', '1.2', %s, 'REQUESTED')",
        (request, thorax.id),
    )
    with pytest.raises(EntryInUse):
        kept.remove(thorax.id, version=thorax.version)
    kept.remove(knee.id, version=knee.version)
    assert kept.every() == [thorax]


def test_a_device_stands_in_a_room_with_a_filter(connection, room):
    kept = Resources(connection)
    shown = WorklistFilter(shows=Shows.ROOM, modalities=("ct",), days_after=2)
    device = kept.add(
        Resource(
            kind=ResourceKind.DEVICE,
            name="CT 1",
            room=room.id,
            modality="ct",
            ae_title="CT1",
            worklist_filter=shown,
        )
    )
    assert device.modality == "CT"
    assert device.worklist_filter == replace(shown, modalities=("CT",))
    with pytest.raises(EntryExists):
        kept.add(replace(device, name="CT 2"))
    with pytest.raises(InvalidEntry):
        kept.add(Resource(kind=ResourceKind.ROOM, name="R", ae_title="CT9"))
    with pytest.raises(InvalidEntry):
        kept.add(replace(device, name="CT 2", ae_title="", room=device.id))
    with pytest.raises(EntryInUse):
        kept.remove(room.id, version=room.version)


def test_hours_do_not_overlap_while_they_hold():
    morning = Hours(weekday=1, opens=time(8), closes=time(12))
    long = Hours(weekday=1, opens=time(11), closes=time(18))
    with pytest.raises(InvalidEntry):
        checked_hours([long, morning])
    until = replace(morning, valid_until=date(2026, 6, 30))
    assert checked_hours([replace(long, valid_from=date(2026, 7, 1)), until])
    with pytest.raises(InvalidEntry):
        checked_hours([Hours(weekday=1, opens=time(20), closes=time(6))])


def test_a_file_is_looked_at_then_taken_in_once(connection, room):
    text = (
        "code_value;label_fr;modality;duration_min;rooms;protocols\n"
        "A1;Première;ct;15;Scanner 1;P1^99L^Un|P2^99L^Deux\n"
        "A2;=1+1;MR;;;\n"
    )
    looked = transfer.load(connection, FileKind.PROCEDURES, text, apply=False)
    assert effects(looked) == [(2, Effect.NEW), (3, Effect.NEW)]
    assert Catalogue(connection).every() == []
    assert transfer.load(connection, FileKind.PROCEDURES, text, apply=True).is_applied
    first = Catalogue(connection).find("A1")
    assert (first.rooms, len(first.protocols)) == ((room.id,), 2)
    again = transfer.load(connection, FileKind.PROCEDURES, text, apply=True)
    assert effects(again) == [(2, Effect.SAME), (3, Effect.SAME)]
    partial = transfer.load(
        connection, FileKind.PROCEDURES, "code_value,duration_min\nA1,40\n", apply=True
    )
    assert partial.lines[0].changes == {"duration_min": ("15", "40")}
    exported = transfer.export(connection, FileKind.PROCEDURES)
    assert "'=1+1" in exported
    back = transfer.load(connection, FileKind.PROCEDURES, exported.lstrip("\ufeff"), apply=True)
    assert {one.effect for one in back.lines} == {Effect.SAME}


@pytest.mark.parametrize("label", ["=1+1", "'=1", "''=1", "'-", "'80s", "'"])
def test_an_apostrophe_of_its_own_comes_back_from_the_file(connection, label):
    added = Catalogue(connection).add(Procedure(code_value="A1", label_fr=label))
    exported = transfer.export(connection, FileKind.PROCEDURES).lstrip("\ufeff")
    back = transfer.load(connection, FileKind.PROCEDURES, exported, apply=True)
    assert effects(back) == [(2, Effect.SAME)]
    assert Catalogue(connection).find("A1").label_fr == added.label_fr == label


def test_a_line_with_an_error_keeps_all_out(connection):
    text = (
        "code_value;label_fr;duration_min;rooms;contrast\n"
        "A1;Bonne;15;;\n"
        "A2;Salle;15;Nulle part;\n"
        "A3;Durée;long;;\n"
        "A1;Encore;15;;\n"
        "A4;;15;;\n"
        "A5;Trop;15;;NONE;x;y\n"
        "A6;Produit;15;;SOME\n"
    )
    plan = transfer.load(connection, FileKind.PROCEDURES, text, apply=True)
    assert not plan.is_applied
    assert [one.line for one in plan.lines if one.effect is Effect.ERROR] == [3, 4, 5, 6, 7, 8]
    assert "no room Nulle part" in plan.lines[1].error
    assert Catalogue(connection).every() == []
    for wrong in ("", "nothing;known\n1;2\n", "label_fr\nx\n", "code_value;code_value\n1;2\n"):
        with pytest.raises(UnreadableFile):
            transfer.load(connection, FileKind.PROCEDURES, wrong, apply=True)


def test_resources_and_hours_go_out_and_in(connection, new_database_url):
    rooms = (
        "kind;name;room;modality;ae_title;worklist_shows\n"
        "DEVICE;CT 1;Salle é;CT;CT1;ROOM\nROOM;Salle é;;;;\nSTAFF;Dr A;;;;\n"
    )
    loaded = transfer.load(
        connection, FileKind.RESOURCES, transfer.decode(rooms.encode("cp1252")), apply=True
    )
    assert effects(loaded) == [(2, Effect.NEW), (3, Effect.NEW), (4, Effect.NEW)]
    hours = (
        "kind;name;weekday;opens;closes;valid_from\n"
        "ROOM;Salle é;1;8:00;12:00;\nROOM;Salle é;1;13:00;24:00;2026-12-01\n"
    )
    done = transfer.load(connection, FileKind.OPENING_HOURS, hours, apply=True)
    assert done.lines[0].changes["hours"][1] == "1 08:00-12:00, 1 13:00-23:59 from 2026-12-01"
    for kind in (FileKind.RESOURCES, FileKind.OPENING_HOURS):
        text = transfer.export(connection, kind).lstrip("\ufeff")
        plan = transfer.load(connection, kind, text, apply=True)
        assert {one.effect for one in plan.lines} == {Effect.SAME}
    overlapping = (
        "kind;name;weekday;opens;closes\nROOM;Salle é;1;08:00;12:00\nROOM;Salle é;1;11:00;x\n"
    )
    wrong = transfer.load(connection, FileKind.OPENING_HOURS, overlapping, apply=True)
    assert [one.effect for one in wrong.lines] == [Effect.ERROR]


def test_the_ccam_adds_imaging_acts_inactive(connection, shared_data):
    table = shared_data / "ccam" / "ccam_v81.csv"
    acts = {
        act.code_value: act for _, act in ccam.imaging_acts(transfer.decode(table.read_bytes()))
    }
    assert len(acts) > 500
    assert acts["ACQN001"].modality == "MR"
    assert SafetyQuestion.MR_IMPLANTS in acts["ACQN001"].safety_questions
    assert acts["ACQJ002"].contrast is Contrast.REQUIRED
    assert acts["AAQM002"].modality == "US"
    own = Catalogue(connection).add(replace(KNEE, code_value="ACQN001", label_fr="IRM crâne"))
    head = "".join(table.read_text(encoding="utf-8-sig").splitlines(keepends=True)[:3000])
    plan = transfer.load(connection, FileKind.CCAM, head, apply=True)
    assert plan.count(Effect.SAME) == 1
    assert plan.count(Effect.NEW) > 10
    assert Catalogue(connection).find("ACQN001") == own
    assert not Catalogue(connection).find("ACQK001").is_active
    with pytest.raises(UnreadableFile):
        transfer.load(connection, FileKind.CCAM, "Code,Texte\n1,2\n", apply=True)
