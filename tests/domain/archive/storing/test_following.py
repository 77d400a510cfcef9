"""The archive's index follows the patients of the admission office; the bytes stay as they came."""

import io
import threading
from collections.abc import Callable
from typing import Any

import pydicom
import pytest

from negatoscope.domain.archive import OutcomeKind
from negatoscope.domain.archive.following import present
from negatoscope.domain.archive.metadata import SeriesMetadata
from negatoscope.domain.archive.patients import Patients
from negatoscope.domain.archive.query import InformationModel, Query, QueryLevel, search
from negatoscope.domain.archive.retrieve import Retrieval, Selection
from negatoscope.domain.patients import Authority, Identifier, PersonName, Registry, dicom_patient
from negatoscope.domain.viewing.stored_source import CoercedSource, StoredSource
from negatoscope.infra.db import Database

Make = Callable[..., Any]
HOSPITAL = Authority(namespace="HOSP", universal_id="1.2.250.9.1", universal_id_type="ISO")


def identifier(value: str, authority: Authority = HOSPITAL, type_code: str = "PI") -> Identifier:
    return Identifier(value=value, authority=authority, type_code=type_code)


def register(database: Database, value: str, **updates: Any) -> int:
    """A patient of the admission office."""
    traits = {
        "birth_name": PersonName(family="LEFEVRE", given="ZOE"),
        "birth_date": "19700203",
        "sex": "F",
    } | updates
    with database.connection() as connection:
        done = Registry(connection).register(
            updates=traits, identifiers=[identifier(value)], source="user:test"
        )
    return done.patient


def merge(database: Database, survivor: int, subsumed: int) -> None:
    with database.connection() as connection:
        Registry(connection).merge(survivor=survivor, subsumed=subsumed, source="user:test")


def shown(node: Any) -> list[tuple[Any, ...]]:
    """Study, identifier, issuer, name as lists show them."""
    rows: list[tuple[Any, ...]] = node.rows(
        "SELECT s.study_instance_uid, p.patient_id, p.issuer_of_patient_id, p.patient_name "
        "FROM study s JOIN patient p ON p.id = s.patient_fk ORDER BY 1"
    )
    return rows


def found(node: Any, level: QueryLevel, **keys: str) -> list[dict[str, Any]]:
    model = InformationModel.PATIENT_ROOT
    wanted = {tag.removeprefix("t"): {"vr": "LO", "Value": [value]} for tag, value in keys.items()}
    asked = Query(level=level, model=model, keys=wanted)
    return list(search(node.database, asked))


@pytest.fixture
def reading(node: Any) -> Any:
    opened = Retrieval(node.database, [node.volume])
    yield opened
    opened.close()


def ct_of(make_ct: Make, study: str, patient: str, **changes: Any) -> Any:
    return make_ct(
        **{
            "StudyInstanceUID": study,
            "SeriesInstanceUID": f"{study}.1",
            "PatientID": patient,
            "IssuerOfPatientID": "HOSP",
            **changes,
        }
    )


def read(data: bytes) -> pydicom.Dataset:
    return pydicom.dcmread(io.BytesIO(data), force=True)


def test_a_merge_and_its_split_are_followed_at_once(node: Any, make_ct: Make) -> None:
    """Both sides' studies under the survivor; each under its own patient again afterwards."""
    node.store(ct_of(make_ct, "1.1", "P1"))
    node.store(ct_of(make_ct, "1.2", "P2", PatientName="LEFEBVRE^ZOE", PatientBirthDate="19700204"))
    before = shown(node)
    ((old_key,),) = node.rows("SELECT patient_fk FROM study WHERE study_instance_uid = '1.2'")
    survivor = register(node.database, "P1")
    subsumed = register(
        node.database,
        "P2",
        birth_name=PersonName(family="LEFEBVRE", given="ZOE"),
        birth_date="19700204",
    )
    assert shown(node) == before

    merge(node.database, survivor, subsumed)

    name = "LEFEVRE^ZOE"
    assert shown(node) == [("1.1", "P1", "HOSP", name), ("1.2", "P1", "HOSP", name)]
    (patient,) = found(node, QueryLevel.PATIENT, t00100020="", t00201200="")
    assert patient["00100020"]["Value"] == ["P1"]
    assert patient["00201200"]["Value"] == [2]
    page = Patients(node.database).patient(old_key)
    assert page is not None
    assert {one.study_instance_uid for one in page[1]} == {"1.1", "1.2"}
    assert page[0].other_identifiers == (("P2", "HOSP"),)
    assert node.rows("SELECT count(*) FROM study_search WHERE position(' p2 ' IN words) > 0") == [
        (2,)
    ]

    with node.database.connection() as connection:
        Registry(connection).split(subsumed=subsumed, source="user:test")
    assert shown(node) == before
    assert len(found(node, QueryLevel.PATIENT, t00100020="")) == 2
    assert node.rows("SELECT count(*) FROM study WHERE received_patient_fk IS NOT NULL") == [(0,)]


def test_what_is_given_out_carries_the_correction_and_what_is_kept_does_not(
    node: Any, make_ct: Make, as_bytes: Make, reading: Retrieval
) -> None:
    """Data set, metadata, transcoded head: the new traits, the old ones in Original Attributes."""
    dataset = ct_of(make_ct, "1.1", "P1")
    sop = node.store(dataset).sop_instance_uid
    register(node.database, "P1")
    kept = as_bytes(dataset)
    stored = reading.find(sop)
    assert stored is not None
    assert stored.identity is None
    with reading.open(stored) as member:
        assert b"".join(member.data_set()) == kept

    register(node.database, "P1", birth_name=PersonName(family="Łukasz-Œuf", given="Zoé"))

    assert node.read(sop) == kept
    stored = reading.find(sop, is_fresh=True)
    assert stored is not None
    with reading.open(stored) as member:
        given = read(b"".join(member.data_set()))
        assert bytes(member.data_set_into(bytearray())) == b"".join(member.data_set())
        head = CoercedSource(StoredSource(member, reading), member)
        assert read(head.read(0, head.head_length())[:-12]).PatientID == "P1"
    assert str(given.PatientName) == "Łukasz-Œuf^Zoé"
    assert given.SpecificCharacterSet == "ISO_IR 192"
    assert given.StudyDescription == "Scanner thoracique"
    assert given.PixelData == dataset.PixelData
    (original,) = given.OriginalAttributesSequence
    assert str(original.ModifiedAttributesSequence[0].PatientName) == "Lefèvre^Zoé"
    assert original.ReasonForTheAttributeModification == "COERCE"
    keys = reading.series(Selection(study=("1.1",)))
    (line,) = SeriesMetadata(reading).objects(keys, base="")
    assert line["00100010"]["Value"] == [{"Alphabetic": "Łukasz-Œuf^Zoé"}]
    assert SeriesMetadata(reading).gzipped(keys[0], base="") is None


def test_a_latin_name_stays_in_the_character_set_of_the_object(
    node: Any, make_ct: Make, reading: Retrieval
) -> None:
    """Only what changes is written anew."""
    sop = node.store(ct_of(make_ct, "1.1", "P1")).sop_instance_uid
    register(node.database, "P1", used_name=PersonName(family="Gütig-Étoile", given="Zoé"))
    stored = reading.find(sop)
    assert stored is not None
    with reading.open(stored) as member:
        given = read(b"".join(member.data_set()))
    assert given.SpecificCharacterSet == "ISO_IR 100"
    assert str(given.PatientName) == "Gütig-Étoile^Zoé"


def test_an_identifier_that_changes_is_followed(node: Any, make_ct: Make) -> None:
    """ADT^A47: what comes under the old number afterwards is shown under the new one too."""
    node.store(ct_of(make_ct, "1.1", "P1"))
    register(node.database, "P1")
    with node.database.connection() as connection:
        Registry(connection).change_identifier(
            old=identifier("P1"), new=identifier("P9"), source="user:test"
        )
    node.store(ct_of(make_ct, "1.2", "P1"))
    assert [row[:3] for row in shown(node)] == [("1.1", "P9", "HOSP"), ("1.2", "P9", "HOSP")]


def test_a_patient_with_several_further_identifiers_is_followed(node: Any, make_ct: Make) -> None:
    """A number here, one of the clinic, one of the laboratory, an INS: each is found, images and changes go in."""
    node.store(ct_of(make_ct, "1.1", "P1"))
    others = [identifier("C1", CLINIC), identifier("L1", LAB, ""), identifier("27002", INS, "INS")]
    with node.database.connection() as connection:
        Registry(connection).register(
            updates={
                "birth_name": PersonName(family="LEFEVRE", given="ZOE"),
                "birth_date": "19700203",
                "identity_status": "VALI",
            },
            identifiers=[identifier("P1"), *others],
            source="user:test",
        )
    for given in ("LEA", "ANNE"):
        register(node.database, "P1", used_name=PersonName(family="MARTIN", given=given))
    with node.database.connection() as connection:
        Registry(connection).register(
            updates={},
            identifiers=[identifier("P1"), identifier("L2", LAB, "")],
            source="user:test",
        )
    assert node.store(ct_of(make_ct, "1.2", "P1")).kind is OutcomeKind.STORED
    assert [row[1:] for row in shown(node)] == [("P1", "HOSP", "MARTIN^ANNE")] * 2
    ((words,),) = node.rows("SELECT DISTINCT words FROM study_search")
    assert {"c1", "l1", "l2", "27002"} <= set(words.split())


def test_more_images_of_a_followed_study_are_its_own(node: Any, make_ct: Make) -> None:
    """Under the old traits and under the new ones; under others they are set aside."""
    node.store(ct_of(make_ct, "1.1", "P1"))
    register(node.database, "P1")
    register(node.database, "P1", birth_date="19710203")
    again = ct_of(make_ct, "1.1", "P1", SeriesInstanceUID="1.1.2")
    corrected = ct_of(make_ct, "1.1", "P1", SeriesInstanceUID="1.1.3", PatientBirthDate="19710203")
    other = ct_of(make_ct, "1.1", "P1", SeriesInstanceUID="1.1.4", PatientBirthDate="20010203")
    kinds = [node.store(one).kind for one in (again, corrected, other)]
    assert kinds == [OutcomeKind.STORED, OutcomeKind.STORED, OutcomeKind.QUARANTINED]


@pytest.mark.parametrize(
    ("changes", "is_linked"),
    [
        ({"IssuerOfPatientID": None}, False),
        ({"IssuerOfPatientID": "OTHER"}, False),
        ({"PatientBirthDate": "19991231"}, False),
        ({"IssuerOfPatientID": "1.2.250.9.1"}, True),
        ({"PatientBirthDate": None}, True),
        ({"PatientBirthDate": None, "PatientName": "MARTIN^ZOE"}, False),
    ],
)
def test_only_identifier_and_issuer_together_link(
    node: Any, make_ct: Make, changes: dict[str, Any], is_linked: bool
) -> None:
    """Never a bare number, never traits that cannot be the same person's."""
    node.store(ct_of(make_ct, "1.1", "P1", **changes))
    register(node.database, "P1", used_name=PersonName(family="DURAND", given="ZOE"))
    assert (shown(node)[0][3] == "DURAND^ZOE") is is_linked


def test_a_default_issuer_links_what_one_device_sends(node: Any, make_ct: Make) -> None:
    """Where a device never gives an issuer, it is configured."""
    register(node.database, "P1", used_name=PersonName(family="DURAND", given="ZOE"))
    node.store(ct_of(make_ct, "1.1", "P1", IssuerOfPatientID=None))
    node.rows("INSERT INTO default_issuer VALUES ('CT1', 'HOSP') RETURNING 1")
    node.store(ct_of(make_ct, "1.2", "P1", IssuerOfPatientID=None))
    assert [(row[0], row[2], row[3]) for row in shown(node)] == [
        ("1.1", "", "Lefèvre^Zoé"),
        ("1.2", "HOSP", "DURAND^ZOE"),
    ]


def test_a_merge_while_images_arrive_loses_nothing(node: Any, make_ct: Make) -> None:
    """New studies of both sides come in while the two are merged and parted again and again."""
    survivor, subsumed = register(node.database, "P1"), register(node.database, "P2")
    archives = [node.open(recover=False) for _ in range(3)]
    errors: list[BaseException] = []

    def send(archive: Any, sender: int) -> None:
        try:
            for number in range(6):
                study = f"1.{sender + 1}.{number}"
                node.store(ct_of(make_ct, study, f"P{number % 2 + 1}"), archive=archive)
        except BaseException as error:  # noqa: BLE001 - shown by the test
            errors.append(error)

    threads = [
        threading.Thread(target=send, args=(archive, n)) for n, archive in enumerate(archives)
    ]
    for thread in threads:
        thread.start()
    for _ in range(5):
        merge(node.database, survivor, subsumed)
        with node.database.connection() as connection:
            Registry(connection).split(subsumed=subsumed, source="user:test")
    merge(node.database, survivor, subsumed)
    for thread in threads:
        thread.join()
    for archive in archives:
        archive.close()
    assert errors == []
    rows = shown(node)
    assert len(rows) == 18
    assert {row[1] for row in rows} == {"P1"}
    assert node.rows("SELECT sum(study_count) FROM patient WHERE is_current") == [(18,)]


INS = Authority(universal_id="1.2.250.1.213.1.4.8", universal_id_type="ISO")
LAB = Authority(namespace="LAB")
CLINIC = Authority(namespace="CLINIC", universal_id="750000001", universal_id_type="M")
PEOPLE = [
    ({}, [identifier("P1")]),
    ({"birth_date": "197002", "sex": "I"}, [identifier("P1"), identifier("S1", LAB, "")]),
    ({"birth_date": "19700230", "sex": "U"}, [identifier("L1", LAB, ""), identifier("P1")]),
    ({"used_name": PersonName(family="d'Arc^=\\x", given="  Jeanne\tMarie ")}, [identifier("P1")]),
    ({"birth_name": PersonName(family="FAURE", further="ANNE LEA")}, [identifier("C1", CLINIC)]),
    ({"identity_status": "VALI"}, [identifier("27002", INS, "INS"), identifier("P1")]),
    ({"identity_status": "PROV"}, [identifier("27002", INS, "INS"), identifier("C1", CLINIC)]),
    ({"identity_status": "VALI"}, [identifier("27002", INS, "INS")]),
    ({"birth_name": PersonName(family="é" * 80, given="ß" * 80)}, [identifier("x" * 65), identifier("N", LAB, "NH")]),
]  # fmt: skip


@pytest.mark.parametrize("name", ["used", "birth"])
@pytest.mark.parametrize("authority", ["", "CLINIC", "750000001"])
def test_the_index_says_of_a_patient_what_dicom_is_told_elsewhere(
    database: Database, name: Any, authority: str
) -> None:
    """One rule in two languages: worklists and labels by one, lists and objects by the other."""
    present(database, preferred_authority=authority, name=name)
    for updates, identifiers in PEOPLE:
        with database.connection() as connection, connection.transaction(force_rollback=True):
            registry = Registry(connection)
            base = {
                "birth_name": PersonName(family="LEFEVRE", given="ZOE"),
                "birth_date": "19700203",
            }
            both = [*identifiers, identifier("C9", CLINIC)]
            number = registry.register(
                updates=base | updates, identifiers=both, source="user:test"
            ).patient
            told = dicom_patient(registry.get(number), preferred_authority=authority, name=name)
            row = connection.execute(
                "SELECT patient_id, issuer_of_patient_id, patient_name, to_char(patient_birth_date, 'YYYYMMDD'),"
                " patient_sex, attributes, id FROM archive_show_registered(%s)",
                (number,),
            ).fetchone()
            assert row is not None
            others = connection.execute(
                "SELECT identifier, issuer FROM patient_identifier WHERE patient_fk = %s", (row[6],)
            ).fetchall()
        is_day = told.patient_birth_date != "19700230"  # the index keeps days of the calendar
        assert [one or "" for one in row[:5]] == [
            told.patient_id, told.issuer_of_patient_id, told.patient_name,
            told.patient_birth_date if is_day else "", told.patient_sex,
        ]  # fmt: skip
        json = told.json()
        assert row[5] == {key: json[key] for key in ("00100024", "00101005") if key in json}
        assert sorted(others) == sorted(
            (one.patient_id, one.issuer_of_patient_id) for one in told.other_identifiers
        )
