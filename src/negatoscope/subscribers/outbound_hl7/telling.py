"""From what happened to who is told: destinations, filters, what they were told before.

Messages say how things are now, and what a destination was told last decides how: new, changed,
cancelled. An event that is delivered again makes nothing twice.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, tzinfo
from functools import partial
from typing import Any, Final, Protocol

import psycopg

from negatoscope.domain.messages import Destination, Draft, Kind, new_control_id
from negatoscope.domain.messages import destinations as registry
from negatoscope.domain.messages import outbound as queue
from negatoscope.domain.orders import Order, Orders, Procedure, UnknownOrder, WorkflowKind, safety
from negatoscope.domain.patients import ChangeKind, Patient, Registry, UnknownPatient
from negatoscope.infra.clock import utc_now
from negatoscope.infra.db import load_queries
from negatoscope.infra.events import Event
from negatoscope.protocols.hl7v2 import (
    Message,
    Segment,
    UnencodableText,
    UnknownCharacterSet,
)
from negatoscope.subscribers.outbound_hl7 import admission, appointments, orders, segments

SQL: Final = load_queries("negatoscope.subscribers.outbound_hl7.sql", "outbound.sql")
_FALLBACK: Final = "UNICODE UTF-8"
Connection = psycopg.Connection[Any]


class Build(Protocol):
    """Makes a message."""

    def __call__(self, destination: Destination, /, *, control_id: str, at: datetime) -> Message:
        """For whom, MSH-10, MSH-7."""


_OF_PROCEDURES: Final = frozenset(WorkflowKind) - {
    WorkflowKind.ARRIVED,
    WorkflowKind.IDENTITY_CHECKED,
    WorkflowKind.IMAGES_ARRIVED,
    WorkflowKind.STUDY_BOUND,
    WorkflowKind.STUDY_UNBOUND,
    WorkflowKind.NOT_ENDED,
    WorkflowKind.NOTED,
}
"""What may change something that others were told of an order."""


class OutboundHl7:
    """Queues messages; its methods are subscribers of the outbox.

    Args:
        zone: The department's.
    """

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone

    # -- orders and appointments --------------------------------------------------------------

    def on_workflow_changed(self, connection: Connection, event: Event) -> None:
        """Tell of orders and appointments."""
        told = {Kind.ORDERS, Kind.ORDER_STATUS, Kind.ORDER_NUMBERS, Kind.APPOINTMENTS}
        destinations = [one for one in registry.active(connection) if told & set(one.kinds)]
        if not destinations:
            return
        number = int(event.payload.get("event") or 0)
        row = connection.execute(SQL["event"], {"id": number}).fetchone()
        if row is None:
            return  # its order is gone
        detail, source, request, procedure = row
        kind = WorkflowKind(event.payload["kind"])
        origin = f"workflow:{number}"
        if request is not None and kind in _OF_PROCEDURES:
            only = None if kind == WorkflowKind.PATIENT_CHANGED else procedure
            self._tell_of_order(
                connection, destinations, request, only, origin=origin, source=source
            )
        appointment = event.payload.get("appointment")
        if appointment is not None and kind in appointments.RELEVANT:
            self._tell_of_appointment(
                connection, destinations, int(appointment), kind, detail, origin=origin
            )

    def _tell_of_order(
        self,
        connection: Connection,
        destinations: Iterable[Destination],
        request: int,
        only: int | None,
        *,
        origin: str,
        source: str,
    ) -> None:
        try:
            order = Orders(connection).get(request)
        except UnknownOrder:
            return
        patient = Registry(connection).get(order.patient)
        answers = list(safety.answers(connection, request).values())
        patient_class = _patient_class(connection, order)
        for destination in destinations:
            self._ask_for_number(connection, destination, patient, order, patient_class)
            for procedure in order.procedures:
                if only not in {None, procedure.id}:
                    continue
                if not _is_wanted(destination, patient, order, [procedure], patient_class):
                    continue
                subject = f"procedure:{procedure.id}"
                if Kind.ORDERS in destination.kinds:
                    before = queue.last_action(
                        connection, destination=destination.id, kind=Kind.ORDERS, subject=subject
                    )
                    action = orders.order_action(order, procedure, before)
                    self._queue(
                        connection,
                        destination,
                        partial(
                            orders.order_message,
                            patient=patient,
                            order=order,
                            zone=self._zone,
                            procedure=procedure,
                            answers=answers,
                            action=action,
                            patient_class=patient_class,
                        ),
                        kind=Kind.ORDERS,
                        action=action,
                        origin=f"{origin}:{procedure.id}:order",
                        subject=subject,
                        patient=patient,
                        order=order,
                    )
                if Kind.ORDER_STATUS in destination.kinds and order.placer_order_number:
                    before = queue.last_action(
                        connection,
                        destination=destination.id,
                        kind=Kind.ORDER_STATUS,
                        subject=subject,
                    )
                    action = orders.status_action(order, procedure, before, source=source)
                    self._queue(
                        connection,
                        destination,
                        partial(
                            orders.status_message,
                            patient=patient,
                            order=order,
                            zone=self._zone,
                            procedure=procedure,
                            action=action,
                            patient_class=patient_class,
                        ),
                        kind=Kind.ORDER_STATUS,
                        action=action,
                        origin=f"{origin}:{procedure.id}:status",
                        subject=subject,
                        patient=patient,
                        order=order,
                    )

    def _ask_for_number(
        self,
        connection: Connection,
        destination: Destination,
        patient: Patient,
        order: Order,
        patient_class: str,
    ) -> None:
        """Once for an order, however often it changes."""
        if Kind.ORDER_NUMBERS not in destination.kinds or not orders.needs_number(order):
            return
        if not _is_wanted(destination, patient, order, list(order.procedures), patient_class):
            return
        self._queue(
            connection,
            destination,
            partial(
                orders.number_message,
                patient=patient,
                order=order,
                patient_class=patient_class,
                zone=self._zone,
            ),
            kind=Kind.ORDER_NUMBERS,
            action="SN",
            origin=f"order-number:{order.id}",
            subject=f"order:{order.id}",
            patient=patient,
            order=order,
        )

    def _tell_of_appointment(
        self,
        connection: Connection,
        destinations: Iterable[Destination],
        number: int,
        kind: WorkflowKind,
        detail: Mapping[str, Any],
        *,
        origin: str,
    ) -> None:
        visit = _visit(connection, number, detail)
        if visit is None:
            return
        patient = Registry(connection).get(visit.patient)
        order = visit.steps[0][0] if visit.steps else None
        procedures = [procedure for _, procedure, _ in visit.steps]
        for destination in destinations:
            if Kind.APPOINTMENTS not in destination.kinds:
                continue
            if not _is_wanted(destination, patient, order, procedures, visit.patient_class):
                continue
            subject = f"appointment:{number}"
            before = queue.last_action(
                connection, destination=destination.id, kind=Kind.APPOINTMENTS, subject=subject
            )
            action = appointments.appointment_action(visit, before, kind)
            self._queue(
                connection,
                destination,
                partial(
                    appointments.appointment_message,
                    patient=patient,
                    appointment=visit,
                    action=action,
                    zone=self._zone,
                ),
                kind=Kind.APPOINTMENTS,
                action=action,
                subject=subject,
                origin=f"{origin}:appointment",
                patient=patient,
                order=order,
                appointment=number,
            )

    # -- patients -----------------------------------------------------------------------------

    def on_patient_changed(self, connection: Connection, event: Event) -> None:
        """Tell of a patient's file; the payload names the line of its history or the patient."""
        destinations = [one for one in registry.active(connection) if Kind.PATIENTS in one.kinds]
        if not destinations:
            return
        number = event.payload.get("change")
        if number is None:
            row = connection.execute(
                SQL["last_patient_change"], {"patient": event.payload.get("patient")}
            ).fetchone()
            number = None if row is None else row[0]
        row = connection.execute(SQL["patient_change"], {"id": number}).fetchone()
        if row is None:
            return
        of, other, kind, before, after, _ = row
        what = admission.EVENTS.get(kind)
        if what is None:
            return  # of a merge the file that goes on tells
        patients = Registry(connection)
        try:
            patient = patients.get(of)
        except UnknownPatient:
            return
        if patient.merged_into is not None:
            return
        known = [one.identifier for one in patients.every_identifier(of)]
        ended = admission.identifiers_of(
            (after if kind == ChangeKind.ABSORBED else before).get("identifiers"), known
        )
        replaced = admission.identifiers_of(after.get("identifiers"), known)
        is_taken_away = kind == ChangeKind.IDENTIFIERS_CHANGED and not replaced
        if what in {"A40", "A47"} and not ended:
            what = "A31"
        for destination in destinations:
            if not _is_of_its_authorities(destination, patient):
                continue
            self._queue(
                connection,
                destination,
                partial(
                    admission.patient_message,
                    patient=patient,
                    event=what,
                    ended=ended,
                    taken_away=ended if is_taken_away else (),
                    occurred_at=event.created_at,
                    zone=self._zone,
                ),
                kind=Kind.PATIENTS,
                action=what,
                subject=f"patient:{of}",
                origin=f"patient-change:{number}",
                patient=patient,
                others=() if other is None else (int(other),),
            )

    def on_message_processed(self, connection: Connection, event: Event) -> None:
        """Forward an admission message that was carried out."""
        destinations = [one for one in registry.active(connection) if Kind.ADT_FORWARD in one.kinds]
        number = event.payload.get("message")
        row = connection.execute(SQL["message"], {"id": number}).fetchone()
        if row is None or not destinations:
            return
        content, code, trigger, control_id, version, identifiers, application, facility, effect = (
            row
        )
        if code != "ADT":
            return
        concerned = _patients_of(effect)
        for destination in destinations:
            itself = (destination.receiving_application, destination.receiving_facility)
            if (application, facility) == itself:
                continue  # not back to who sent it
            if destination.actions and trigger not in destination.actions:
                continue
            wanted = set(destination.authorities)
            given = {one.partition("^")[2] for one in identifiers if "^" in one}
            if wanted and not wanted & given:
                continue
            made = queue.enqueue(
                connection,
                Draft(
                    destination=destination.id,
                    origin=f"hl7:{number}",
                    kind=Kind.ADT_FORWARD,
                    action=trigger,
                    order_keys=tuple(f"patient:{one}" for one in concerned) or tuple(identifiers),
                    patient=concerned[0] if concerned else None,
                    message_code=code,
                    trigger_event=trigger,
                    control_id=control_id,
                    version_id=version,
                    patient_identifiers=tuple(identifiers),
                    content=admission.forwarded(bytes(content), destination),
                ),
            )
            assert made is None or made > 0  # noqa: S101 - None: queued before

    # -- the queue ----------------------------------------------------------------------------

    def _queue(
        self,
        connection: Connection,
        destination: Destination,
        build: Build,
        *,
        kind: Kind,
        action: str,
        subject: str,
        origin: str,
        patient: Patient,
        order: Order | None = None,
        appointment: int | None = None,
        others: tuple[int, ...] = (),
    ) -> None:
        if not action or not _is_its_action(destination, action):
            return
        control_id = new_control_id()
        message, content, refusal = _written(build, destination, control_id)
        queue.enqueue(
            connection,
            Draft(
                destination=destination.id,
                origin=origin,
                kind=kind,
                action=action,
                subject=subject,
                order_keys=segments.order_keys(patient, *others),
                patient=patient.id,
                request=None if order is None else order.id,
                appointment=appointment,
                message_code=message.message_code,
                trigger_event=message.trigger_event,
                control_id=control_id,
                version_id=message.version_id,
                patient_identifiers=segments.searched_by(patient),
                content=content,
                refusal=refusal,
            ),
        )


def queue_test(connection: Connection, destination: Destination, *, zone: tzinfo) -> int:
    """Queue NMD^N02: our clock, and nothing of a patient.

    Whatever is answered shows that the other side reads us; one that does not know the message
    answers AR 200.
    """
    control_id = new_control_id()

    def build(to: Destination, /, *, control_id: str, at: datetime) -> Message:
        return Message.build(
            [
                segments.header(
                    to,
                    message_type=("NMD", "N02", "NMD_N02"),
                    version="2.5.1",
                    control_id=control_id,
                    at=at,
                    zone=zone,
                ),
                Segment.build("NCK", {1: segments.timestamp(at, zone)}),
            ]
        )

    message, content, refusal = _written(build, destination, control_id)
    number = queue.enqueue(
        connection,
        Draft(
            destination=destination.id,
            origin=f"test:{control_id}",
            kind=Kind.TEST,
            action="N02",
            message_code=message.message_code,
            trigger_event=message.trigger_event,
            control_id=control_id,
            version_id=message.version_id,
            content=content,
            refusal=refusal,
        ),
    )
    assert number is not None  # noqa: S101 - its origin is new
    return number


def _written(build: Build, destination: Destination, control_id: str) -> tuple[Message, bytes, str]:
    """A message and its bytes, in the destination's character set.

    What has no code there is not replaced silently: the message is kept in UTF-8, says so in
    MSH-18, and is for a person.
    """
    at = utc_now()
    message = build(destination, control_id=control_id, at=at)
    try:
        return message, message.to_bytes(), ""
    except (UnencodableText, UnknownCharacterSet) as error:
        fields = list(message.header.fields)
        fields[18] = _FALLBACK
        header = Segment(tuple(fields), message.header.delimiters)
        kept = Message.build([header, *message.segments[1:]])
        return kept, kept.to_bytes(), error.message


def _is_wanted(
    destination: Destination,
    patient: Patient,
    order: Order | None,
    procedures: list[Procedure],
    patient_class: str,
) -> bool:
    if destination.modalities:
        found = {one.modality for one in procedures} | {
            step.modality for one in procedures for step in one.steps
        }
        if not found & set(destination.modalities):
            return False
    services = destination.requesting_services
    if services and (order is None or order.details.requesting_service not in services):
        return False
    if destination.patient_classes and patient_class not in destination.patient_classes:
        return False
    return _is_of_its_authorities(destination, patient)


def _patient_class(connection: Connection, order: Order | None) -> str:
    """PV1-2 of the visit that an order names; empty when it is not known."""
    if order is None:
        return ""
    row = connection.execute(
        SQL["patient_class"], {"patient": order.patient, "number": order.details.admission_id}
    ).fetchone()
    return "" if row is None else str(row[0])


def _is_of_its_authorities(destination: Destination, patient: Patient) -> bool:
    wanted = set(destination.authorities)
    return not wanted or any(
        wanted & {one.authority.namespace, one.authority.universal_id}
        for one in patient.identifiers
    )


def _is_its_action(destination: Destination, action: str) -> bool:
    wanted = destination.actions
    return not wanted or action in wanted or action.partition("_")[0] in wanted


def _patients_of(effect: Mapping[str, Any]) -> list[int]:
    """Whom a message was about, as its effect says."""
    found: dict[int, None] = {}
    for one in effect.get("patients", ()):
        for number in (one.get("patient"), *one.get("from", ())):
            if isinstance(number, int):
                found[number] = None
    if isinstance(effect.get("patient"), int):
        found[effect["patient"]] = None
    return list(found)


def _visit(
    connection: Connection, number: int, detail: Mapping[str, Any]
) -> appointments.Visit | None:
    row = connection.execute(SQL["appointment"], {"id": number}).fetchone()
    if row is None:
        return None
    _, patient, start_at, end_at, state, state_reason, note, placer = row
    if start_at is None:
        start_at, end_at = _times_before(detail)
    pairs = connection.execute(SQL["appointment_steps"], {"id": number}).fetchall()
    known = {one.id: one for one in Orders(connection).get_all(sorted({row[1] for row in pairs}))}
    steps = [
        (known[request], procedure, one)
        for step, request in pairs
        if request in known
        for procedure in known[request].procedures
        for one in procedure.steps
        if one.id == step
    ]
    resources = [
        appointments.Booked(
            kind=one[0],
            name=one[1],
            location=one[2],
            modality=one[3],
            ae_title=one[4],
            profession=one[5],
            rpps=one[6],
            start_at=one[7],
            end_at=one[8],
        )
        for one in connection.execute(SQL["appointment_resources"], {"id": number})
    ]
    return appointments.Visit(
        id=number,
        patient=patient,
        start_at=start_at,
        end_at=end_at,
        state=state,
        state_reason=state_reason,
        note=note,
        placer_appointment_id=placer,
        patient_class=_patient_class(connection, steps[0][0] if steps else None),
        steps=steps,
        resources=resources,
    )


def _times_before(detail: Mapping[str, Any]) -> tuple[datetime | None, datetime | None]:
    """When a cancelled appointment would have been, as its history says."""
    places = (detail.get("before") or {}).get("places") or []
    try:
        starts = [datetime.fromisoformat(one["start_at"]) for one in places]
        ends = [datetime.fromisoformat(one["end_at"]) for one in places]
    except (KeyError, TypeError, ValueError):
        return None, None
    return min(starts, default=None), max(ends, default=None)
