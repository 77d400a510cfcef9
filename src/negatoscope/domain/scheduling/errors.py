"""Refusals of scheduling.

::

    SchedulingError
    ├── UnknownAppointment   no appointment, downtime, step or resource has the number
    ├── StaleVersion         somebody changed it meanwhile
    ├── NotBookable          the state of the order, a step or the appointment does not allow it
    ├── BadPlan              times, rooms, devices and people do not go together
    ├── NothingToUndo        its last change cannot be taken back
    └── Obstructed           something is in the way; ``obstacles`` says what
        ├── SlotTaken            another appointment
        └── OutsideHours         closed, a public holiday, downtime

Messages carry our own numbers and names of resources, nothing of a patient.
"""

from collections.abc import Sequence

from negatoscope.domain.scheduling.model import Obstacle


class SchedulingError(Exception):
    """Base of this module's errors.

    Args:
        message: Lower case, no full stop.
        hint: What to try.
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UnknownAppointment(SchedulingError):
    """No appointment, downtime, step or resource has the number."""


class StaleVersion(SchedulingError):
    """Somebody changed it meanwhile.

    Args:
        version: The one in force.
    """

    def __init__(self, version: int) -> None:
        super().__init__(
            f"it was changed meanwhile, its version is {version}", hint="look again, then decide."
        )
        self.version = version


class NotBookable(SchedulingError):
    """The state of the order, of a step or of the appointment does not allow it."""


class BadPlan(SchedulingError):
    """Times, rooms, devices and people do not go together."""


class NothingToUndo(SchedulingError):
    """The last change cannot be taken back."""


class Obstructed(SchedulingError):
    """Something is in the way; with a reason it is booked all the same.

    Args:
        obstacles: All that is, in order of time.
    """

    def __init__(self, message: str, obstacles: Sequence[Obstacle], *, hint: str) -> None:
        super().__init__(message, hint=hint)
        self.obstacles = tuple(obstacles)


class SlotTaken(Obstructed):
    """Another appointment has the room, the device, somebody who is needed, or the patient."""

    def __init__(self, obstacles: Sequence[Obstacle]) -> None:
        names = ", ".join(dict.fromkeys(one.name for one in obstacles if one.name)) or "the patient"
        super().__init__(
            f"{names} has another appointment then",
            obstacles,
            hint="choose another time, or give a reason for overbooking.",
        )


class OutsideHours(Obstructed):
    """A resource is closed then: hours, a public holiday, downtime."""

    def __init__(self, obstacles: Sequence[Obstacle]) -> None:
        names = ", ".join(dict.fromkeys(one.name for one in obstacles))
        super().__init__(
            f"{names} cannot be booked then",
            obstacles,
            hint="choose another time, or give a reason for booking it all the same.",
        )
