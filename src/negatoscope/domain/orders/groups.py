"""Group case: steps of several procedures of a patient that one acquisition fulfils (IHE RAD)."""

from collections.abc import Sequence

from negatoscope.domain.orders import repository, steps
from negatoscope.domain.orders.errors import InvalidOrder, TransitionRefused
from negatoscope.domain.orders.events import WorkflowKind, record
from negatoscope.domain.orders.procedures import require_not_begun
from negatoscope.domain.orders.repository import SQL, Connection
from negatoscope.kit.uid import new_uid


def group(connection: Connection, step_numbers: Sequence[int], *, source: str) -> str:
    """Let one acquisition fulfil steps of several procedures of a patient (IHE group case).

    They may be of several orders; a step that is in a group already brings that with it. They have the study of
    the first and change their state together.

    Returns: Study Instance UID of all.

    Raises:
        UnknownOrder: a step is not there.
        InvalidOrder: less than two, of several patients or modalities, at different times.
        TransitionRefused: one has begun.
    """
    if len(set(step_numbers)) < 2:
        raise InvalidOrder("a group has two steps at least")
    found = {
        one: repository.order_of_step(connection, one)
        for named in dict.fromkeys(step_numbers)
        for one in _with_its_group(connection, named)
    }
    connection.execute(SQL["lock"], {"ids": sorted(set(found.values()))})
    orders = {one.id: one for one in repository.get_all(connection, sorted(set(found.values())))}
    members = [
        (order, procedure, step)
        for number, of in found.items()
        for order in (orders[of],)
        for procedure in order.procedures
        for step in procedure.steps
        if step.id == number
    ]
    if len({order.patient for order, _, _ in members}) > 1:
        raise InvalidOrder("the steps are of several patients")
    if len({step.modality for _, _, step in members}) > 1:
        raise InvalidOrder("the steps are of several modalities")
    if len({step.start_at for _, _, step in members}) > 1:
        raise InvalidOrder(
            "the steps have different times", hint="free what is booked, then book them together."
        )
    for _, procedure, step in members:
        if step.state not in steps.BEFORE_START:
            raise TransitionRefused("step", step.id, step.state, step.state)
        require_not_begun(procedure)
    leader = members[0]
    study = leader[1].study_instance_uid
    for order, procedure, step in members:
        connection.execute(SQL["set_study"], {"id": procedure.id, "study_instance_uid": study})
        record(
            connection,
            WorkflowKind.ORDER_CHANGED,
            source=source,
            request=order.id,
            procedure=procedure.id,
            step=step.id,
            detail={"changed": ["group"], "with": leader[2].scheduled_procedure_step_id},
        )
    connection.execute(SQL["set_group"], {"ids": list(found), "group": leader[2].id})
    return study


def _with_its_group(connection: Connection, step: int) -> list[int]:
    order = repository.get(connection, repository.order_of_step(connection, step))
    leader = next(one.acquired_with for one in order.steps if one.id == step)
    if leader is None:
        return [step]
    rows = connection.execute(SQL["steps_acquired_with"], {"group": leader}).fetchall()
    return [step, *(int(row[0]) for row in rows if row[0] != step)]


def ungroup(connection: Connection, step: int, *, source: str) -> None:
    """Let each step of a group have an acquisition and a study of its own again.

    Raises:
        UnknownOrder: the step is not there.
        TransitionRefused: one has begun.
    """
    order = repository.get(connection, repository.order_of_step(connection, step))
    leader = next(one.acquired_with for one in order.steps if one.id == step)
    if leader is None:
        return
    rows = connection.execute(SQL["steps_acquired_with"], {"group": leader}).fetchall()
    members = [int(row[0]) for row in rows]
    of = {one: repository.order_of_step(connection, one) for one in members}
    connection.execute(SQL["lock"], {"ids": sorted(set(of.values()))})
    kept = repository.get(connection, of[leader])
    (keeper,) = (p.id for p in kept.procedures for s in p.steps if s.id == leader)
    for number in members:
        other = repository.get(connection, of[number])
        (procedure,) = (p for p in other.procedures for s in p.steps if s.id == number)
        require_not_begun(procedure)
        if procedure.id != keeper:
            connection.execute(
                SQL["set_study"], {"id": procedure.id, "study_instance_uid": new_uid()}
            )
        record(
            connection,
            WorkflowKind.ORDER_CHANGED,
            source=source,
            request=other.id,
            procedure=procedure.id,
            step=number,
            detail={"changed": ["group"]},
        )
    connection.execute(SQL["set_group"], {"ids": members, "group": None})
