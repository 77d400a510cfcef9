"""What a radiologist wants done: protocol codes, contrast agent, modality, room; put in place and taken back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from psycopg.types.json import Jsonb

from negatoscope.domain.orders import procedures, repository, steps
from negatoscope.domain.orders.errors import InvalidOrder
from negatoscope.domain.orders.model import Code, NewStep, Procedure, Step
from negatoscope.domain.orders.repository import SQL, Connection
from negatoscope.domain.orders.states import StepState

MAX_PROTOCOL: Final = 4000
MAX_CODES: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtocolChoice:
    """How a procedure is to be done; None: as it is.

    Attributes:
        text: Instructions for the technologist.
        codes: One step each, in place of those there are; none at all: one step without a code.
        contrast_agent: (0032,1070) of its steps; empty: none.
        modality: Of its steps.
        wished_room: Where; 0: wherever it can be done.
    """

    text: str = ""
    codes: Sequence[Code] | None = None
    contrast_agent: str | None = None
    modality: str | None = None
    wished_room: int | None = None


def check(connection: Connection, choice: ProtocolChoice) -> None:
    """Whether a choice can be taken.

    Raises:
        InvalidOrder: it cannot.
    """
    if len(choice.text) > MAX_PROTOCOL:
        raise InvalidOrder(f"the protocol has more than {MAX_PROTOCOL} characters")
    if choice.codes is not None:
        if len(choice.codes) > MAX_CODES:
            raise InvalidOrder(f"a procedure has at most {MAX_CODES} protocol codes")
        keys = [(one.code_value, one.coding_scheme_designator) for one in choice.codes]
        if len(set(keys)) < len(keys):
            raise InvalidOrder("a protocol code is named twice")
    if choice.wished_room:
        room = {"room": choice.wished_room}
        if connection.execute(SQL["is_room"], room).fetchone() is None:
            raise InvalidOrder(f"there is no room {choice.wished_room}")


def put(
    connection: Connection, found: Procedure, choice: ProtocolChoice, *, source: str
) -> dict[str, Any]:
    """Let a procedure be done so.

    Returns: What was before, for `take_back`.
    """
    before: dict[str, Any] = {
        "protocol": found.protocol,
        "modality": found.modality,
        "wished_room": found.wished_room,
        "steps": [_kept(one) for one in _open(found)],
    }
    if choice.codes is not None:
        _put_codes(connection, found, choice.codes, source=source)
    if choice.contrast_agent is not None:
        for one in _open(_again(connection, found)):
            _set(connection, one, contrast_agent=choice.contrast_agent)
    if choice.modality is not None and choice.modality != found.modality:
        _set_modality(connection, found.id, choice.modality)
    if choice.wished_room is not None:
        _set_room(connection, found.id, choice.wished_room or None)
    return before


def take_back(
    connection: Connection, found: Procedure, before: Mapping[str, Any], *, source: str
) -> None:
    """Put what was before a choice in its place again; steps that were made for it are called off."""
    kept = {one["id"]: one for one in before["steps"]}
    for one in found.steps:
        was = kept.get(one.id)
        if was is None:
            if one.state is StepState.WAITING:
                steps.step_changed(connection, one.id, StepState.CANCELED, source=source)
            continue
        if one.state is StepState.CANCELED:
            steps.step_changed(connection, one.id, StepState.WAITING, source=source)
        _set(
            connection,
            one,
            codes=was["protocol_codes"],
            description=was["description"],
            contrast_agent=was["contrast_agent"],
        )
    if found.modality != before["modality"]:
        _set_modality(connection, found.id, before["modality"])
    if found.wished_room != before["wished_room"]:
        _set_room(connection, found.id, before["wished_room"])


def _open(found: Procedure) -> list[Step]:
    return [one for one in found.steps if one.state in steps.BEFORE_START]


def _again(connection: Connection, found: Procedure) -> Procedure:
    order = repository.get(connection, found.request)
    return next(one for one in order.procedures if one.id == found.id)


def _kept(one: Step) -> dict[str, Any]:
    return {
        "id": one.id,
        "protocol_codes": [dict(code) for code in one.protocol_codes],
        "description": one.description,
        "contrast_agent": one.requested_contrast_agent,
    }


def _put_codes(
    connection: Connection, found: Procedure, codes: Sequence[Code], *, source: str
) -> None:
    """One step for each code: those there are in their order, further ones made or called off."""
    there = _open(found)
    agent = there[0].requested_contrast_agent if there else ""
    wanted: list[tuple[str, tuple[Code, ...]]] = [
        (one.code_meaning[:64] or one.code_value, (one,)) for one in codes
    ] or [(found.description, ())]
    for step, (description, items) in zip(there, wanted, strict=False):
        _set(connection, step, codes=[one.as_json() for one in items], description=description)
    for description, items in wanted[len(there) :]:
        procedures.add_step(
            connection,
            found.id,
            NewStep(description=description, protocol_codes=items),
            modality=found.modality,
            contrast_agent=agent,
            notes=[],
        )
    for step in there[len(wanted) :]:
        steps.step_changed(connection, step.id, StepState.CANCELED, source=source)
    steps.follow(connection, found.request)


def _set(
    connection: Connection,
    step: Step,
    *,
    codes: Sequence[object] | None = None,
    description: str | None = None,
    contrast_agent: str | None = None,
) -> None:
    agent = step.requested_contrast_agent if contrast_agent is None else contrast_agent
    connection.execute(
        SQL["set_protocol"],
        {
            "id": step.id,
            "protocol_codes": Jsonb(list(step.protocol_codes if codes is None else codes)),
            "description": step.description if description is None else description,
            "requested_contrast_agent": agent,
        },
    )


def _set_modality(connection: Connection, procedure: int, modality: str) -> None:
    states = [str(one) for one in steps.BEFORE_START]
    values = {"procedure": procedure, "modality": modality, "states": states}
    connection.execute(SQL["set_procedure_modality"], values)
    connection.execute(SQL["set_modality"], values)


def _set_room(connection: Connection, procedure: int, room: int | None) -> None:
    connection.execute(SQL["set_wished_room"], {"procedure": procedure, "room": room})
