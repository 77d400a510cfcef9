"""The rows of procedures and their steps: made, and given another content."""

from collections.abc import Sequence
from dataclasses import replace

from psycopg.types.json import Jsonb

from negatoscope.domain.orders import catalogue, numbers, repository, steps
from negatoscope.domain.orders.checks import check_procedure
from negatoscope.domain.orders.errors import NumberTaken, TransitionRefused
from negatoscope.domain.orders.events import WorkflowKind, record
from negatoscope.domain.orders.model import Code, NewProcedure, NewStep, Procedure, Step, Vetting
from negatoscope.domain.orders.repository import SQL, Connection
from negatoscope.domain.orders.states import ProcedureState, StepState
from negatoscope.kit.uid import new_uid


def add(
    connection: Connection, number: int, new: NewProcedure, *, is_accepted: bool, notes: list[str]
) -> int:
    """Ask for one more procedure of an order.

    Returns: Its row.
    """
    entry = None if new.catalogue is None else catalogue.entry(connection, new.catalogue)
    code = new.code or (entry.code if entry else Code(code_value="", coding_scheme_designator=""))
    modality = new.modality or (entry.modality if entry else "")
    needs_vetting = entry is not None and entry.needs_vetting and not is_accepted
    identifier = _procedure_id(connection, new.requested_procedure_id, notes)
    row = connection.execute(
        SQL["add_procedure"],
        {
            "request": number,
            "requested_procedure_id": identifier,
            "study_instance_uid": new.study_instance_uid or new_uid(),
            "catalogue": new.catalogue,
            "code_value": code.code_value,
            "coding_scheme_designator": code.coding_scheme_designator,
            "code_meaning": code.code_meaning,
            "description": new.description or code.code_meaning[:64],
            "modality": modality,
            "duration_min": new.duration_min or (entry.duration_min if entry else 20),
            "vetting": Vetting.WAITING if needs_vetting else Vetting.NOT_NEEDED,
        },
    ).fetchone()
    if row is None:
        raise NumberTaken("the requested procedure identifier was taken meanwhile")
    procedure = int(row[0])
    description = new.description or code.code_meaning[:64]
    wanted: Sequence[NewStep] = new.steps
    if not wanted and entry is not None and entry.protocols:
        wanted = [
            NewStep(description=one.code_meaning[:64], protocol_codes=(one,))
            for one in entry.protocols
        ]
    for one in wanted or (NewStep(description=description),):
        add_step(
            connection,
            procedure,
            one if one.description else replace(one, description=description),
            modality=modality,
            contrast_agent=entry.contrast_agent if entry else "",
            notes=notes,
        )
    return procedure


def _procedure_id(connection: Connection, wanted: str, notes: list[str]) -> str:
    if wanted and not _is_taken(
        connection, "requested_procedure", "requested_procedure_id", wanted
    ):
        return wanted
    if wanted:
        notes.append("the requested procedure identifier is another procedure's: ours is given")
    return numbers.next_requested_procedure_id(connection)


def _step_id(connection: Connection, wanted: str, notes: list[str]) -> str:
    table, column = "scheduled_procedure_step", "scheduled_procedure_step_id"
    if wanted and not _is_taken(connection, table, column, wanted):
        return wanted
    if wanted:
        notes.append("the step identifier is another step's: ours is given")
    return numbers.next_scheduled_procedure_step_id(connection)


def _is_taken(connection: Connection, table: str, column: str, value: str) -> bool:
    query = f"SELECT 1 FROM {table} WHERE {column} = %s"
    return connection.execute(query, (value,)).fetchone() is not None


def add_step(
    connection: Connection,
    procedure: int,
    new: NewStep,
    *,
    modality: str,
    contrast_agent: str,
    notes: list[str],
) -> int:
    """One more step of a procedure.

    Returns: Its row.
    """
    row = connection.execute(
        SQL["add_step"],
        {
            "procedure": procedure,
            "scheduled_procedure_step_id": _step_id(
                connection, new.scheduled_procedure_step_id, notes
            ),
            "modality": new.modality or modality,
            "description": new.description,
            "protocol_codes": Jsonb([one.as_json() for one in new.protocol_codes]),
            "scheduled_station_ae_title": new.scheduled_station_ae_title,
            "scheduled_station_name": new.scheduled_station_name,
            "location": new.location,
            "start_at": new.start_at,
            "end_at": None,
            "performing_physician_name": new.performing_physician_name,
            "requested_contrast_agent": contrast_agent,
            "state": StepState.WAITING if new.start_at is None else StepState.SCHEDULED,
        },
    ).fetchone()
    if row is None:
        raise NumberTaken("the step identifier was taken meanwhile")
    return int(row[0])


def change(
    connection: Connection,
    procedure: int,
    new: NewProcedure,
    *,
    source: str,
    is_accepted: bool = False,
) -> None:
    """Put another content into a procedure that has not begun; empty parts are left alone.

    Its steps that the order names again by identifier, or in their place, change; what is
    missing is made, what is no longer named is canceled.

    Raises:
        UnknownOrder, InvalidOrder, UnknownCatalogueEntry.
        TransitionRefused: it has begun, or ended.
    """
    check_procedure(new)
    number = repository.order_of_procedure(connection, procedure)
    order = repository.locked(connection, number)
    old = next(one for one in order.procedures if one.id == procedure)
    code = new.code or Code(
        code_value=old.code_value,
        coding_scheme_designator=old.coding_scheme_designator,
        code_meaning=old.code_meaning,
    )
    is_other = (code.code_value, code.coding_scheme_designator) != (
        old.code_value,
        old.coding_scheme_designator,
    )
    entry = catalogue.entry(connection, new.catalogue) if new.catalogue is not None else None
    study = new.study_instance_uid or old.study_instance_uid
    if is_other or study != old.study_instance_uid:
        require_not_begun(old)
    vetting: Vetting = old.vetting
    if is_other:
        needs = entry is not None and entry.needs_vetting and not is_accepted
        vetting = Vetting.WAITING if needs else Vetting.NOT_NEEDED
    values = {
        "id": procedure,
        "catalogue": new.catalogue if is_other else (new.catalogue or old.catalogue),
        "code_value": code.code_value,
        "coding_scheme_designator": code.coding_scheme_designator,
        "code_meaning": code.code_meaning or old.code_meaning,
        "description": new.description or old.description,
        "modality": new.modality or (entry.modality if entry else "") or old.modality,
        "duration_min": new.duration_min or (entry.duration_min if entry else old.duration_min),
        "study_instance_uid": study,
        "vetting": vetting,
    }
    before = (
        old.catalogue,
        old.code_value,
        old.coding_scheme_designator,
        old.code_meaning,
        old.description,
        old.modality,
        old.duration_min,
        old.study_instance_uid,
        old.vetting,
    )
    is_changed = before != tuple(values.values())[1:]
    if is_changed:
        connection.execute(SQL["change_procedure"], values)
    if new.steps:
        is_changed |= _change_steps(
            connection, old, new.steps, modality=str(values["modality"]), source=source
        )
    if not is_changed:
        return
    record(
        connection,
        WorkflowKind.ORDER_CHANGED,
        source=source,
        request=number,
        procedure=procedure,
        detail={"changed": ["procedure"]},
    )
    steps.follow(connection, number)


def _change_steps(
    connection: Connection, old: Procedure, wanted: Sequence[NewStep], *, modality: str, source: str
) -> bool:
    open_ = [one for one in old.steps if one.state in steps.BEFORE_START]
    by_identifier = {one.scheduled_procedure_step_id: one for one in old.steps}
    is_changed = False
    for new in wanted:
        found = by_identifier.get(new.scheduled_procedure_step_id)
        if found is None and open_:
            found = open_[0]
        if found is None:
            add_step(connection, old.id, new, modality=modality, contrast_agent="", notes=[])
            is_changed = True
        elif found.state in steps.BEFORE_START:
            if found in open_:
                open_.remove(found)
            is_changed |= _change_step(connection, found, new, source=source)
    return is_changed


def _change_step(connection: Connection, old: Step, new: NewStep, *, source: str) -> bool:
    """What a foreign scheduler says of a step: booked ones of ours keep their time."""
    takes_time = new.start_at is not None and old.end_at is None
    start_at = new.start_at if takes_time else old.start_at
    codes = [dict(one) for one in old.protocol_codes]
    if new.protocol_codes:
        codes = [one.as_json() for one in new.protocol_codes]
    values = {
        "modality": new.modality or old.modality,
        "description": new.description or old.description,
        "protocol_codes": codes,
        "scheduled_station_ae_title": new.scheduled_station_ae_title
        or old.scheduled_station_ae_title,
        "scheduled_station_name": new.scheduled_station_name or old.scheduled_station_name,
        "location": new.location or old.location,
        "start_at": start_at,
        "end_at": old.end_at,
        "performing_physician_name": new.performing_physician_name or old.performing_physician_name,
    }
    before = {name: getattr(old, name) for name in values}
    before["protocol_codes"] = [dict(one) for one in old.protocol_codes]
    if before == values and not (takes_time and old.state is StepState.WAITING):
        return False
    connection.execute(SQL["change_step"], {**values, "id": old.id, "protocol_codes": Jsonb(codes)})
    if takes_time and old.state is StepState.WAITING:
        steps.step_changed(connection, old.id, StepState.SCHEDULED, source=source)
    return True


def require_not_begun(procedure: Procedure) -> None:
    """Only what has not begun goes on.

    Raises:
        TransitionRefused: it has.
    """
    for one in procedure.steps:
        if one.state not in steps.BEFORE_START | {StepState.CANCELED}:
            raise TransitionRefused(
                "procedure", procedure.id, procedure.state, ProcedureState.REQUESTED
            )
