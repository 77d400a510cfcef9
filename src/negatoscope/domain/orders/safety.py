"""Safety questions: which are asked, what was answered, what that holds up.

The catalogue says which questions a procedure has. YES, UNKNOWN and no answer at all block what is
done by hand; a radiologist can clear an answer with a reason. What was found out goes to the
modality with Medical Alerts (0010,2000) and Pregnancy Status (0010,21C0).
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final

from negatoscope.domain.orders import repository
from negatoscope.domain.orders.errors import InvalidOrder
from negatoscope.domain.orders.events import WorkflowKind, record
from negatoscope.domain.orders.model import Answer, Question, SafetyAnswer
from negatoscope.domain.orders.repository import SQL, Connection

CHILDBEARING_AGE: Final = range(12, 56)
"""Years in which pregnancy is asked for."""
LOWEST_EGFR: Final = Decimal(30)
"""mL/min/1.73 m²: below it contrast needs a radiologist's word (ESUR guidelines on contrast
agents, version 10)."""
_MAX_EGFR: Final = Decimal(200)
_MAX_DETAIL: Final = 1000
_ALERTS: Final = {
    Question.PREGNANCY: "PREGNANT",
    Question.MR_IMPLANTS: "IMPLANT OR FOREIGN BODY",
    Question.CONTRAST_REACTION: "EARLIER CONTRAST REACTION",
}
_SAID_OR_NONE: Final = ("answer", "value", "answered_at", "cleared_at")
_SAID_OR_EMPTY: Final = ("detail", "answered_by", "cleared_by", "cleared_reason")
_PREGNANCY: Final = {Answer.NO: "0001", Answer.YES: "0003", Answer.UNKNOWN: "0004"}


def asked(connection: Connection, order: int) -> tuple[Question, ...]:
    """The questions that an order's procedures have for its patient, in a fixed order."""
    found = {row[0] for row in connection.execute(SQL["asked_questions"], {"id": order})}
    questions = [one for one in Question if one in found]
    if Question.PREGNANCY in questions:
        row = connection.execute(SQL["patient_traits"], {"id": order}).fetchone()
        if row is not None and not may_be_pregnant(row[0], row[1], datetime.now(UTC).date()):
            questions.remove(Question.PREGNANCY)
    return tuple(questions)


def may_be_pregnant(sex: str, birth_date: str, today: date) -> bool:
    """Whether pregnancy is asked for: not of men, from 12 to 55; unknown age counts as yes.

    Args:
        sex: HL7 table 0001.
        birth_date: ``YYYY``, ``YYYYMM``, ``YYYYMMDD`` or empty.
        today: To count the age to.
    """
    if sex == "M":
        return False
    if len(birth_date) < 4 or not birth_date[:4].isdecimal():
        return True
    year = int(birth_date[:4])
    youngest = oldest = today.year - year
    if len(birth_date) == 8 and birth_date.isdecimal():
        if birth_date[4:] > today.strftime("%m%d"):
            youngest = oldest = oldest - 1
    else:
        youngest -= 1
    return any(age in CHILDBEARING_AGE for age in (youngest, oldest))


def answers(connection: Connection, order: int) -> dict[str, SafetyAnswer]:
    """What was answered, by question."""
    return {
        row[0]: SafetyAnswer(
            question=row[0],
            answer=Answer(row[1]),
            value=row[2],
            detail=row[3],
            answered_by=row[4],
            answered_at=row[5],
            cleared_by=row[6],
            cleared_reason=row[7],
            cleared_at=row[8],
        )
        for row in connection.execute(SQL["answers"], {"id": order})
    }


def blocking(connection: Connection, order: int) -> tuple[Question, ...]:
    """Questions that hold an order up: without an answer, or with one that forbids it."""
    given = answers(connection, order)
    return tuple(one for one in asked(connection, order) if one not in given or given[one].blocks)


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedQuestion:
    """A safety question with what was answered.

    Attributes:
        is_asked: False: of a procedure that was called off, or answered though nobody asks.
        value: Of RENAL_FUNCTION: eGFR, mL/min/1.73 m².
    """

    question: Question
    is_asked: bool
    is_blocking: bool
    answer: Answer | None
    value: Decimal | None
    detail: str
    answered_by: str
    answered_at: datetime | None
    cleared_by: str
    cleared_reason: str
    cleared_at: datetime | None


def sheet(connection: Connection, order: int) -> list[AskedQuestion]:
    """The questions that are asked, or answered though nobody asks, in a fixed order."""
    wanted, given = asked(connection, order), answers(connection, order)
    held_up = blocking(connection, order)
    shown: list[AskedQuestion] = []
    for question in Question:
        one = given.get(question)
        if question not in wanted and one is None:
            continue
        said: dict[str, Any] = {
            name: None if one is None else getattr(one, name) for name in _SAID_OR_NONE
        }
        words: dict[str, Any] = {
            name: "" if one is None else getattr(one, name) for name in _SAID_OR_EMPTY
        }
        shown.append(
            AskedQuestion(
                question=question,
                is_asked=question in wanted,
                is_blocking=question in held_up,
                **said,
                **words,
            )
        )
    return shown


def answer(
    connection: Connection,
    order: int,
    question: Question,
    *,
    source: str,
    answer: Answer | None = None,
    value: Decimal | None = None,
    detail: str = "",
    version: int | None = None,
) -> None:
    """Answer a question; an earlier answer and its clearance go.

    Args:
        answer: Of RENAL_FUNCTION it follows from the value.
        value: Of RENAL_FUNCTION: eGFR, mL/min/1.73 m².
        detail: Which implant, which reaction.
        version: Of the order, as it was read.

    Raises:
        UnknownOrder: there is no such order.
        StaleOrder: it was changed since it was read.
        InvalidOrder: no answer, or a value that no eGFR has.
    """
    repository.locked(connection, order, version=version)
    if question is Question.RENAL_FUNCTION:
        if value is not None:
            if not 0 < value <= _MAX_EGFR:
                raise InvalidOrder(f"the eGFR is between 0 and {_MAX_EGFR} mL/min/1.73 m²")
            answer = Answer.YES if value < LOWEST_EGFR else Answer.NO
        elif answer is Answer.NO:
            raise InvalidOrder("renal function is answered by the eGFR")
    elif value is not None:
        raise InvalidOrder(f"{question} has no value")
    if answer is None:
        raise InvalidOrder("no answer is given")
    if len(detail) > _MAX_DETAIL:
        raise InvalidOrder(f"the detail has more than {_MAX_DETAIL} characters")
    by = source.removeprefix("user:")
    values = {"id": order, "question": question, "answer": answer, "value": value}
    connection.execute(SQL["answer"], {**values, "detail": detail, "by": by})
    show_on_worklist(connection, order)
    said = {"question": question, "answer": answer}
    record(
        connection,
        WorkflowKind.SAFETY_ANSWERED,
        source=source,
        request=order,
        detail=said if value is None else {**said, "value": str(value)},
    )


def clear(
    connection: Connection,
    order: int,
    question: Question,
    *,
    reason: str,
    source: str,
    version: int | None = None,
) -> None:
    """Let an order go on in spite of an answer; with an empty reason take that back.

    Raises:
        UnknownOrder: there is no such order.
        StaleOrder: it was changed since it was read.
        InvalidOrder: the question has no answer that could be cleared.
    """
    repository.locked(connection, order, version=version)
    given = answers(connection, order).get(question)
    if given is None or given.answer is Answer.NO:
        raise InvalidOrder(f"{question} has no answer that forbids anything")
    if len(reason) > _MAX_DETAIL:
        raise InvalidOrder(f"the reason has more than {_MAX_DETAIL} characters")
    by = source.removeprefix("user:") if reason else ""
    connection.execute(
        SQL["clear_answer"], {"id": order, "question": question, "by": by, "reason": reason}
    )
    connection.execute(SQL["touch"], {"id": order})
    record(
        connection,
        WorkflowKind.SAFETY_CLEARED if reason else WorkflowKind.UNDONE,
        source=source,
        request=order,
        detail={"question": question, **({"reason": reason} if reason else {})},
    )


def show_on_worklist(connection: Connection, order: int) -> None:
    """Write Medical Alerts and Pregnancy Status as they are after the answers.

    Alerts are separated by ``; ``: those of the order first, then what the answers say.
    """
    details = repository.get(connection, order).details
    given = answers(connection, order)
    alerts = [details.medical_alerts] if details.medical_alerts else []
    for question, text in _ALERTS.items():
        one = given.get(question)
        if one is not None and one.answer is Answer.YES:
            alerts.append(f"{text}: {one.detail}" if one.detail else text)
    renal = given.get(Question.RENAL_FUNCTION)
    if renal is not None and renal.answer is Answer.YES:
        value = "" if renal.value is None else f": EGFR {renal.value.normalize():f} mL/min/1.73m2"
        alerts.append(f"RENAL IMPAIRMENT{value}")
    pregnancy = given.get(Question.PREGNANCY)
    status = details.pregnancy_status if pregnancy is None else _PREGNANCY[pregnancy.answer]
    connection.execute(
        SQL["set_safety_fields"],
        {"id": order, "medical_alerts": "; ".join(alerts), "pregnancy_status": status},
    )
