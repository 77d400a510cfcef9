"""Refusals of the orders.

::

    OrderError
    ├── UnknownOrder            no order, procedure or step has the number
    ├── UnknownCatalogueEntry   the catalogue has no such procedure, or it is no longer offered
    ├── InvalidOrder            a value that cannot be taken
    ├── NumberTaken             an accession, placer or filler number is another order's
    ├── StaleOrder              somebody changed it since it was read
    ├── TransitionRefused       the table of states has no such step
    ├── OrderOnHold             it is held: release it first
    ├── VettingNeeded           a radiologist has to accept it first
    └── SafetyBlocked           questions without an answer, or with one that forbids it

Messages carry our own numbers and words of the tables, never a patient's data.
"""

from collections.abc import Sequence


class OrderError(Exception):
    """Base of this module's errors.

    Args:
        message: Lower case, no full stop.
        hint: What to try.
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UnknownOrder(OrderError):
    """No order, procedure or step has the number."""


class UnknownCatalogueEntry(OrderError):
    """The catalogue has no such procedure, or it is no longer offered."""


class InvalidOrder(OrderError):
    """A value that cannot be taken."""


class NumberTaken(OrderError):
    """An accession, placer or filler number is another order's: never mixed, for a person."""


class StaleOrder(OrderError):
    """Somebody changed it since it was read."""


class TransitionRefused(OrderError):
    """The table of states has no such step.

    Args:
        what: ``step``, ``procedure``, ``order``.
        number: Its row.
        before: The state it is in.
        after: The state that was asked for.
    """

    def __init__(self, what: str, number: int, before: str, after: str) -> None:
        super().__init__(
            f"{what} {number} is {before} and cannot become {after}",
            hint="look at it again: somebody may have changed it.",
        )
        self.what = what
        self.number = number
        self.before = before
        self.after = after


class OrderOnHold(OrderError):
    """It is held: release it first."""


class VettingNeeded(OrderError):
    """A radiologist has to accept it first, or has refused it."""


class SafetyBlocked(OrderError):
    """Safety questions without an answer, or with one that forbids it.

    Args:
        order: Its row.
        questions: Which.
    """

    def __init__(self, order: int, questions: Sequence[str]) -> None:
        super().__init__(
            f"order {order} waits for safety questions: {', '.join(questions)}",
            hint="answer them; a radiologist can clear an answer with a reason.",
        )
        self.order = order
        self.questions = tuple(questions)
