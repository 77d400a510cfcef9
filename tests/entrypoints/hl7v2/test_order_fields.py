"""ORM with ZDS and OMI with IPC say the same of the same order."""

import dataclasses
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from negatoscope.domain.messages import Verdict
from negatoscope.domain.orders import Priority
from negatoscope.entrypoints.hl7v2 import orders
from negatoscope.entrypoints.hl7v2.order_fields import Incoming, Number, orders_of, stamp
from negatoscope.protocols.hl7v2 import Message, Segment, parse

PARIS = ZoneInfo("Europe/Paris")
TEXT = (
    st.text(
        st.characters(min_codepoint=32, max_codepoint=0x24F, exclude_characters='"^\\='),
        min_size=1,
        max_size=30,
    )
    .map(str.strip)
    .filter(bool)
)
SHORT = st.text("ABCDEFGHJK0123456789-", min_size=1, max_size=16)
UID = st.integers(1, 10**30).map(lambda n: f"2.25.{n}")


@st.composite
def described(draw: st.DrawFn) -> dict[str, Any]:
    """An order: procedures, each with steps, each with protocol codes."""
    identifiers = draw(st.lists(SHORT, min_size=1, max_size=3, unique=True))
    step_identifiers = iter(draw(st.lists(SHORT, min_size=9, max_size=9, unique=True)))
    return {
        "accession": draw(SHORT),
        "issuer": draw(st.sampled_from(["", "RIS"])),
        "study": draw(UID),
        "placer": draw(SHORT),
        "filler": draw(SHORT),
        "priority": draw(st.sampled_from(list("SARTPC"))),
        "start": draw(st.dates(date(2020, 1, 1), date(2030, 1, 1))).strftime("%Y%m%d")
        + f"{draw(st.integers(4, 23)):02}{draw(st.integers(0, 59)):02}",
        "status": draw(st.sampled_from(["", "SC"])),
        "reason": draw(TEXT),
        "alerts": draw(TEXT),
        "service": draw(TEXT),
        "procedures": [
            {
                "id": identifier,
                "code": draw(SHORT),
                "meaning": draw(TEXT),
                "modality": draw(st.sampled_from(["CT", "MR", "CR"])),
                "steps": [
                    {
                        "id": next(step_identifiers),
                        "codes": draw(st.lists(SHORT, min_size=1, max_size=2, unique=True)),
                    }
                    for _ in range(draw(st.integers(1, 3)))
                ],
            }
            for identifier in identifiers
        ],
    }


def header(code: str, trigger: str, version: str) -> Segment:
    return Segment.build(
        "MSH",
        {
            3: "HIS",
            4: "CHU",
            9: (code, trigger),
            10: "1",
            11: "P",
            12: version,
            18: "UNICODE UTF-8",
        },
    )


PID = Segment.build(
    "PID", {3: ("1", None, None, ("CHU", "750", "N"), "PI"), 5: ("A", "B"), 18: "N1"}
)
PV1 = Segment.build("PV1", {2: "O", 3: ("CARDIO", "12"), 8: ("9", "House", "Greg"), 15: "B6"})


def as_orm(one: dict[str, Any]) -> Message:
    """A pair ORC, OBR for each protocol code of each step, the study in ZDS."""
    segments = [header("ORM", "O01", "2.3.1"), PID, PV1]
    for procedure in one["procedures"]:
        for step in procedure["steps"]:
            for code in step["codes"]:
                segments.append(
                    Segment.build(
                        "ORC",
                        {
                            1: "NW",
                            2: one["placer"],
                            3: one["filler"],
                            5: one["status"],
                            7: (None, None, None, one["start"], None, one["priority"]),
                            17: (None, one["service"]),
                        },
                    )
                )
                segments.append(
                    obr(
                        one,
                        procedure,
                        {
                            4: (procedure["code"], procedure["meaning"], "99X", code, code, "99P"),
                            18: (one["accession"], one["issuer"]),
                            19: procedure["id"],
                            20: step["id"],
                            24: procedure["modality"],
                        },
                    )
                )
    segments.append(Segment.build("ZDS", {1: (one["study"], "100", "Application", "DICOM")}))
    return parse(Message.build(segments).to_bytes())


def as_omi(one: dict[str, Any]) -> Message:
    """ORC, TQ1, OBR for each procedure, an IPC for each step."""
    segments = [header("OMI", "O23", "2.5.1"), PID, PV1]
    for procedure in one["procedures"]:
        segments.append(
            Segment.build(
                "ORC",
                {
                    1: "NW",
                    2: one["placer"],
                    3: one["filler"],
                    5: one["status"],
                    17: (None, one["service"]),
                },
            )
        )
        segments.append(Segment.build("TQ1", {7: one["start"], 9: one["priority"]}))
        segments.append(obr(one, procedure, {4: (procedure["code"], procedure["meaning"], "99X")}))
        segments += [
            Segment.build(
                "IPC",
                {
                    1: (one["accession"], one["issuer"]),
                    2: procedure["id"],
                    3: one["study"],
                    4: step["id"],
                    5: procedure["modality"],
                    6: [(code, code, "99P") for code in step["codes"]],
                },
            )
            for step in procedure["steps"]
        ]
    return parse(Message.build(segments).to_bytes())


def obr(one: dict[str, Any], procedure: dict[str, Any], more: dict[int, Any]) -> Segment:
    return Segment.build(
        "OBR",
        {
            13: one["alerts"],
            16: ("800", "Hoda", "Adam", None, None, "Dr"),
            31: ("R1", one["reason"]),
            44: (procedure["code"], procedure["meaning"], "99X"),
            **more,
        },
    )


@settings(max_examples=40)
@given(described())
def test_both_families_say_the_same(one: dict[str, Any]) -> None:
    """Whatever the number of procedures, steps and protocol codes."""
    (from_orm,) = orders_of(as_orm(one), PARIS)
    (from_omi,) = orders_of(as_omi(one), PARIS)
    assert from_orm == from_omi
    assert orders.check(as_orm(one)) == orders.check(as_omi(one)) == Verdict()
    assert from_omi.accession == Number(value=one["accession"], issuer=one["issuer"])
    assert [p.requested_procedure_id for p in from_omi.procedures] == [
        p["id"] for p in one["procedures"]
    ]
    for made, procedure in zip(from_omi.procedures, one["procedures"], strict=True):
        assert made.study_instance_uid == one["study"]
        assert [
            (s.scheduled_procedure_step_id, [c.code_value for c in s.protocol_codes])
            for s in made.steps
        ] == [(s["id"], s["codes"]) for s in procedure["steps"]]
        expected = stamp(one["start"], PARIS) if one["status"] else None
        assert {s.start_at for s in made.steps} == {expected}
    assert from_omi.details["clinical_question"] == one["reason"]
    assert from_omi.details["medical_alerts"] == one["alerts"]
    assert from_omi.details["pregnancy_status"] == "0003"
    assert from_omi.details["requesting_physician"] == "Hoda^Adam^^Dr"
    assert from_omi.details["wished_at"] == stamp(one["start"], PARIS)


def sample(shared_data: Path, name: str) -> list[Incoming]:
    """The orders of a published message."""
    message = parse((shared_data / "hl7" / name).read_bytes())
    assert orders.check(message) == Verdict()
    return orders_of(message, PARIS)


def test_published_messages_say_the_same(shared_data: Path) -> None:
    """OMG with ZDS, OMI with IPC, and an OMI that has OBR and ZDS instead; their step's 19 characters are too many."""
    omg, mixed, omi = (
        sample(shared_data, name)[0]
        for name in (
            "OMG_O19-GeneralClinicalOrder-Eyecare.hl7",
            "ORM_O01-GeneralOrder.hl7",
            "OMI_O23-ImagingOrder.hl7",
        )
    )
    assert omg == mixed
    (step,) = omi.procedures[0].steps
    assert step.scheduled_station_name == "ScheduledStationName"
    assert step.location == "ScheduledProcStepLocation"
    assert omi.procedures[0].study_instance_uid == omg.procedures[0].study_instance_uid
    assert omi.accession == omg.accession == Number(value="AccessionNumber")
    assert omi.details == omg.details
    assert omi.details["patient_weight_kg"] == Decimal("65.000")
    assert omi.details["patient_size_m"] == Decimal("1.650")
    assert omi.details["admission_id"] == "AdmissionIDFromVisitNo"
    assert omi.details["medical_alerts"] == "PatientState; MedicalAlerts"
    assert "the step identifier has more than 16 characters: ours is given" in omi.notes
    assert step.start_at == datetime(2000, 8, 16, 15, 10, tzinfo=PARIS)


def test_a_french_teleradiology_request(shared_data: Path) -> None:
    """Modality, measures and pregnancy are in observations, the justification in OBR-13."""
    (order,) = sample(shared_data, "orm_o01_new.hl7")
    assert order.placer == Number(value="OPN101", issuer="1.2.250.1.748.12345678.12")
    assert order.procedures[0].modality == "MR"
    assert order.details["justification"] == "JustificationDemande"
    assert order.details["pregnancy_status"] == "0001"
    assert order.details["patient_size_m"] == Decimal("1.700")
    assert order.details["requesting_physician_id"] == "801234567897"
    assert "medical_alerts" not in order.details
    (cancel,) = sample(shared_data, "orm_o01_cancel.hl7")
    assert (cancel.control, cancel.placer, cancel.reason) == (
        "CA",
        order.placer,
        "Motif d'annulation de la demande",
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("20260102", "2026-01-02T00:00:00+01:00"),
        ("202607021530", "2026-07-02T15:30:00+02:00"),
        ("20260102153012.5+0000", "2026-01-02T15:30:12+00:00"),
        ("20260102153012-0530", "2026-01-02T15:30:12-05:30"),
        ("20261302", None),
        ("2026", None),
        ("20260102153012+9900", None),
        ("tomorrow", None),
    ],
)
def test_times(text: str, expected: str | None) -> None:
    """With their offset, else in the department's zone; what is none is none."""
    made = stamp(text, PARIS)
    assert (made and made.isoformat()) == expected


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        ("65", "kg", "65.000"),
        ("65000", "g", "65.000"),
        ("65,5", "", "65.500"),
        ("0", "kg", None),
        ("NaN", "kg", None),
        ("65", "stone", None),
        ("1e9", "kg", None),
    ],
)
def test_weights(value: str, unit: str, expected: str | None) -> None:
    """In the units that occur; what cannot be is left out with a note."""
    message = parse(
        b"MSH|^~\\&|A|B|||1||ORM^O01|1|P|2.3.1\rORC|NW|1\rOBR|1|||X\r"
        + f"OBX|1|NM|29463-7^Body weight^LN||{value}|{unit}\r".encode()
    )
    (order,) = orders_of(message, PARIS)
    assert order.details.get("patient_weight_kg") == (expected and Decimal(expected))
    assert bool(order.notes) is (expected is None)


@pytest.mark.parametrize(
    ("code", "expected"),
    [("S", Priority.STAT), ("stat", Priority.STAT), ("A", Priority.HIGH), ("T", Priority.MEDIUM)],
)
def test_priorities(code: str, expected: Priority) -> None:
    """Codes of HL7 table 0485, and the words of DICOM."""
    message = parse(
        f"MSH|^~\\&|A|B|||1||OMG^O19|1|P|2.5.1\rORC|NW|1\rTQ1|||||||||{code}\rOBR|1|||X\r".encode()
    )
    assert orders_of(message, PARIS)[0].details["priority"] == expected


BASE = "MSH|^~\\&|A|B|||1||{type}|1|P|2.5.1\rPID|||1^^^CHU\r"


@pytest.mark.parametrize(
    ("kind", "segments", "verdict"),
    [
        ("ORM^O02", "ORC|NW|1\rOBR||1||X", ("AR", "201", "MSH", 9)),
        ("ORM^O01", "", ("AE", "100", "ORC", 0)),
        ("ORM^O01", "ORC||1\rOBR||1||X", ("AE", "101", "ORC", 1)),
        ("ORM^O01", "ORC|QQ|1\rOBR||1||X", ("AE", "103", "ORC", 1)),
        ("ORM^O01", "ORC|NW\rOBR||||X", ("AE", "101", "ORC", 2)),
        ("ORM^O01", "ORC|NW|1", ("AE", "100", "OBR", 0)),
        ("ORM^O01", "ORC|NW|1\rOBR||1", ("AE", "101", "OBR", 4)),
        ("ORM^O01", "ORC|NW|1\rOBR||1||X||||||||||||||" + "A" * 17, ("AE", "102", "OBR", 18)),
        ("ORM^O01", "ORC|NW|1\rOBR||1||X\rZDS|1..2", ("AE", "102", "ZDS", 1)),
        ("OMI^O23", "ORC|NW|1\rOBR||1||X\rIPC|" + "A" * 17, ("AE", "102", "IPC", 1)),
        ("OMI^O23", "ORC|NW|1\rOBR||1||X\rIPC|A||x", ("AE", "102", "IPC", 3)),
        ("ORM^O01", "ORC|SN\rOBR||||X", ("AA", "", "", 0)),
        ("ORM^O01", "ORC|CA|1", ("AA", "", "", 0)),
    ],
)
def test_what_a_sender_can_mend_is_refused_at_once(
    kind: str, segments: str, verdict: tuple[Any, ...]
) -> None:
    """With segment, field and the code of HL7 table 0357."""
    found = orders.check(parse((BASE.format(type=kind) + segments).encode()))
    assert (found.code, str(found.error_code), found.segment, found.field) == verdict


def test_every_pair_of_the_table_has_its_general_one() -> None:
    """No state of ORC-5 is left without a meaning."""
    for control, _ in orders.EFFECTS:
        assert orders.effects_of(control, "?")
    assert {field.name for field in dataclasses.fields(Incoming)} >= {"control", "status"}
