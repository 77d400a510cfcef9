"""What the worklist refuses, and what each wire answers.

One class; the status says what it is. DIMSE answers the status (PS3.4 §CC.2), HTTP its twin of
PS3.18 §11 with the sentence of that section in a Warning header.
"""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from negatoscope.domain.ups.states import Outcome


class Answer(NamedTuple):
    """How HTTP says a status.

    Attributes:
        http_status: Status code.
        warning: Text of the Warning header; empty for none.
    """

    http_status: int
    warning: str = ""


_INCONSISTENT: Final = (
    "The submitted request is inconsistent with the state of the UPS Instance."  # PS3.18 §11.7.3.2
)
MISSING_ATTRIBUTE: Final = 0x0120
MISSING_VALUE: Final = 0x0121
INVALID_VALUE: Final = 0x0106
NO_SUCH_ATTRIBUTE: Final = 0x0105
DUPLICATE: Final = 0x0111
NOT_AUTHORIZED: Final = 0x0124
RESOURCE_LIMITATION: Final = 0x0213
INVALID_INSTANCE: Final = 0x0117
CANNOT_READ: Final = 0x0110
FINAL_STATE_NOT_MET: Final = 0xC304
UNKNOWN_AE: Final = 0xC308
NOT_SCHEDULED: Final = 0xC309
NO_PERFORMER: Final = 0xC312
WRONG_ACTION: Final = 0xC314

ANSWERS: Final[Mapping[int, Answer]] = {
    Outcome.ALREADY_CANCELED: Answer(200, "The UPS is already in the requested state of CANCELED."),
    Outcome.ALREADY_COMPLETED: Answer(
        200, "The UPS is already in the requested state of COMPLETED."
    ),
    Outcome.NO_LONGER_UPDATED: Answer(409, _INCONSISTENT),
    Outcome.WRONG_TRANSACTION_UID: Answer(409, "The Transaction UID is incorrect."),
    Outcome.ALREADY_IN_PROGRESS: Answer(409, _INCONSISTENT),
    Outcome.SCHEDULED_BY_CREATION_ONLY: Answer(409, _INCONSISTENT),
    Outcome.UNKNOWN: Answer(404),
    Outcome.NOT_YET_IN_PROGRESS: Answer(409, _INCONSISTENT),
    Outcome.COMPLETED_ALREADY: Answer(409, "The UPS is already COMPLETED."),
    FINAL_STATE_NOT_MET: Answer(
        409, "The UPS has not met the final state requirements for the requested state change."
    ),
    NOT_SCHEDULED: Answer(400, "The provided value of UPS State was not SCHEDULED."),
    NO_PERFORMER: Answer(409, "The performer cannot be contacted."),
    UNKNOWN_AE: Answer(404, "The Receiving AE Title is unknown."),
    WRONG_ACTION: Answer(400, "The action is not appropriate for this instance."),
    DUPLICATE: Answer(409, "The UPS exists already."),
    MISSING_ATTRIBUTE: Answer(400),
    MISSING_VALUE: Answer(400),
    INVALID_VALUE: Answer(400),
    NO_SUCH_ATTRIBUTE: Answer(400),
    INVALID_INSTANCE: Answer(400),
    CANNOT_READ: Answer(400),
    NOT_AUTHORIZED: Answer(403),
    RESOURCE_LIMITATION: Answer(503),
}
"""HTTP's twin of each status the service answers."""


class UpsError(Exception):
    """The request is refused.

    Args:
        status: Of PS3.4 §CC.2 or PS3.7 Annex C.
        comment: For Error Comment (0000,0902) and the problem document; at most 64 characters, no
            patient data.
        offending: Tags the refusal is about.
    """

    def __init__(self, status: int, comment: str, *, offending: Sequence[int] = ()) -> None:
        super().__init__(comment)
        self.status = int(status)
        self.comment = comment[:64]
        self.offending = tuple(offending)

    @property
    def answer(self) -> Answer:
        """How HTTP says it."""
        return ANSWERS.get(self.status, Answer(409))


COMMENTS: Final[Mapping[Outcome, str]] = {
    Outcome.NO_LONGER_UPDATED: "the UPS may no longer be updated",
    Outcome.WRONG_TRANSACTION_UID: "the correct Transaction UID was not provided",
    Outcome.ALREADY_IN_PROGRESS: "the UPS is already IN PROGRESS",
    Outcome.SCHEDULED_BY_CREATION_ONLY: "a UPS becomes SCHEDULED by its creation only",
    Outcome.UNKNOWN: "no such UPS instance",
    Outcome.NOT_YET_IN_PROGRESS: "the UPS is not yet IN PROGRESS",
    Outcome.COMPLETED_ALREADY: "the UPS is already COMPLETED",
}


def refused(outcome: Outcome) -> UpsError:
    """The error of a row of the state table."""
    return UpsError(outcome, COMMENTS[outcome])
