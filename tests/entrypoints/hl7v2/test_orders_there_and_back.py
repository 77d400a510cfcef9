"""An order that we write, OMI^O23 or ORM^O01 with ZDS, is the same order when it is read."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import hl7
from hypothesis import given, settings
from hypothesis import strategies as st

from negatoscope.domain.messages import Destination
from negatoscope.domain.orders import (
    Order,
    OrderDetails,
    Priority,
    Procedure,
    ProcedureState,
    RequestState,
    Step,
    StepState,
    Vetting,
)
from negatoscope.domain.patients import Authority, Identifier, Patient, PersonName, Traits
from negatoscope.entrypoints.hl7v2.order_fields import orders_of
from negatoscope.protocols.hl7v2 import parse
from negatoscope.subscribers.outbound_hl7 import ORDER_ACTIONS
from negatoscope.subscribers.outbound_hl7.orders import order_message

PARIS = ZoneInfo("Europe/Paris")
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
# What a person can type: delimiters, escapes and accents among it; ends are stripped by readers.
WORDS = st.text(st.sampled_from("abcÀéœ|^~\\&<>'\"0123 \n"), max_size=30).map(
    lambda text: "" if '""' in text else text.strip()
)
LINE = WORDS.map(lambda text: " ".join(text.split()))
NAME = st.lists(
    st.text(st.sampled_from("ABCÉèé'- |&~"), max_size=12).map(str.strip), min_size=1, max_size=2
).map(lambda parts: "^".join(parts).rstrip("^"))
CODE = st.text(st.sampled_from("ABCDEFGH0123456789"), min_size=1, max_size=10)
MOMENTS = st.integers(0, 60 * 24 * 3000).map(
    lambda minutes: datetime(2024, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)


@st.composite
def orders(draw: st.DrawFn) -> Order:
    start_at = draw(MOMENTS)
    modality = draw(st.sampled_from(["CT", "MR", "US", "DX"]))
    performer = draw(NAME)
    steps = tuple(
        Step(
            id=number,
            procedure=1,
            scheduled_procedure_step_id=f"S{number}",
            modality=modality,
            description="",
            protocol_codes=[
                {
                    "code_value": draw(CODE),
                    "coding_scheme_designator": "99LOCAL",
                    "code_meaning": draw(LINE),
                }
            ],
            scheduled_station_ae_title=draw(CODE),
            scheduled_station_name=draw(CODE),
            location="",
            start_at=start_at,
            end_at=None,
            performing_physician_name=performer,
            requested_contrast_agent="",
            state=StepState.SCHEDULED,
            arrived_at=None,
            identity_checked_at=None,
            started_at=None,
            ended_at=None,
            acquired_with=None,
            version=1,
        )
        for number in range(1, draw(st.integers(1, 3)) + 1)
    )
    procedure = Procedure(
        id=1,
        request=1,
        requested_procedure_id=draw(CODE),
        study_instance_uid=f"2.25.{draw(st.integers(1, 1 << 100))}",
        catalogue=None,
        code_value=draw(CODE),
        coding_scheme_designator="CCAM",
        code_meaning=draw(LINE.filter(bool)),
        description="",
        modality=modality,
        duration_min=20,
        vetting=Vetting.NOT_NEEDED,
        vetting_reason="",
        vetted_by="",
        vetted_at=None,
        protocol="",
        replaced_by=None,
        state=ProcedureState.SCHEDULED,
        version=1,
        steps=steps,
    )
    details = OrderDetails(
        admission_id=draw(CODE),
        issuer_of_admission_id=draw(CODE),
        requesting_service=draw(LINE),
        requesting_physician=draw(NAME),
        referring_physician_name=draw(NAME),
        priority=draw(st.sampled_from(Priority)),
        clinical_question=draw(WORDS),
        comments=draw(WORDS),
        patient_transport=draw(st.sampled_from(["", "WALK", "CHAIR", "BED", "PORTABLE"])),
        pregnancy_status=draw(st.sampled_from(["", "0001", "0003", "0004"])),
        medical_alerts=draw(LINE),
        allergies=draw(LINE),
        patient_weight_kg=draw(st.none() | st.decimals(1, 300, places=3)),
        patient_size_m=draw(st.none() | st.decimals(Decimal("0.4"), 2, places=3)),
    )
    return Order(
        id=1,
        patient=1,
        accession_number=draw(CODE),
        issuer_of_accession_number="",
        placer_order_number=draw(CODE),
        placer_issuer=draw(CODE),
        filler_order_number=draw(CODE),
        filler_issuer=draw(CODE),
        details=details,
        state=RequestState.SCHEDULED,
        state_reason="",
        source="user:test",
        version=1,
        created_at=NOW,
        updated_at=NOW,
        procedures=(procedure,),
    )


PATIENT = Patient(
    id=1,
    traits=Traits(birth_name=PersonName(family="D'ÉPÉE|", given="Zoé"), birth_date="19800101"),
    identifiers=(Identifier(value="P1", authority=Authority(namespace="CHU"), type_code="PI"),),
    merged_into=None,
    created_at=NOW,
    updated_at=NOW,
)


def written(order: Order, profile: str, action: str) -> bytes:
    destination = Destination(name="X", host="x", port=1, order_profile=profile, kinds=("ORDERS",))
    return order_message(
        destination,
        patient=PATIENT,
        order=order,
        procedure=order.procedures[0],
        answers=(),
        action=action,
        patient_class="O",
        control_id="C1",
        at=NOW,
        zone=PARIS,
    ).to_bytes()


@settings(max_examples=60, deadline=None)
@given(order=orders(), action=st.sampled_from(sorted(ORDER_ACTIONS)))
def test_there_and_back(order: Order, action: str) -> None:
    (procedure,) = order.procedures
    for profile in ("OMI^O23", "ORM^O01"):
        content = written(order, profile, action)
        (read,) = orders_of(parse(content), PARIS)
        assert f"{read.control}_{read.status}" == action
        assert (read.placer.value, read.placer.issuer) == (
            order.placer_order_number,
            order.placer_issuer,
        )
        assert (read.filler.value, read.filler.issuer) == (
            order.filler_order_number,
            order.filler_issuer,
        )
        assert read.accession.value == order.accession_number
        (back,) = read.procedures
        assert back.code is not None
        assert back.code.code_value == procedure.code_value
        assert back.code.code_meaning == procedure.code_meaning
        assert back.study_instance_uid == procedure.study_instance_uid
        assert back.requested_procedure_id == procedure.requested_procedure_id
        assert back.modality == procedure.modality
        is_timed = action.endswith(("_SC", "_IP", "_CM"))
        assert [
            (
                one.scheduled_procedure_step_id,
                one.modality,
                one.start_at,
                [code.as_json() for code in one.protocol_codes],
                one.performing_physician_name,
            )
            for one in back.steps
        ] == [
            (
                one.scheduled_procedure_step_id,
                one.modality,
                one.start_at if is_timed else None,
                list(one.protocol_codes),
                one.performing_physician_name,
            )
            for one in procedure.steps
        ]
        if profile == "OMI^O23":
            assert [one.scheduled_station_ae_title for one in back.steps] == [
                one.scheduled_station_ae_title for one in procedure.steps
            ]
        said = {name: value for name, value in _details(order).items() if value not in {"", None}}
        said["wished_at"] = procedure.steps[0].start_at
        assert {name: value for name, value in read.details.items() if value != ""} == said
        # and somebody else's reader finds as many segments, and takes the text for what it is
        stranger = hl7.parse(content.decode())
        assert len(stranger) == len(parse(content).segments)
        assert stranger.unescape(str(stranger["PID"][0][5][0][0])) == "D'ÉPÉE|"


def _details(order: Order) -> dict[str, object]:
    details = order.details
    names = (
        *("admission_id", "issuer_of_admission_id", "requesting_service", "requesting_physician"),
        *("referring_physician_name", "priority", "clinical_question", "comments", "allergies"),
        *("patient_transport", "pregnancy_status", "medical_alerts", "patient_weight_kg"),
        "patient_size_m",
    )
    return {name: getattr(details, name) for name in names}
